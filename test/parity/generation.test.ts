import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openAdapted } from '../../src/evaluate/adapted.ts'
import { write } from '../../src/generate/generate.ts'
import { generationOptions } from '../../src/generate/options.ts'
import { openWriter } from '../../src/generate/writer.ts'
import { openModel } from '../../src/models/open.ts'
import { readCase } from './golden-case.ts'

interface Expected {
  readonly case: string
  readonly adapted: boolean
  readonly ends: readonly number[]
  readonly settings: Readonly<Record<string, unknown>>
  readonly written: readonly (readonly number[])[]
}

const root = join(import.meta.dirname, '../golden')
const all: readonly Expected[] = JSON.parse(readFileSync(join(root, 'generation/expected.json'), 'utf8'))
const nameOf = (each: Expected): string => `${each.case}${each.adapted ? ' with its adapter' : ''}`
const names = new Set(all.map(nameOf))

for (const name of names) {
  const cases = all.filter((each) => nameOf(each) === name)
  test(`${name} writes token for token what transformers' generate does, all rows at once`, async () => {
    const [first] = cases as [Expected]
    const golden = readCase(root, first.case)
    const model = openModel(join(golden.folder, 'base'), (checkpoint) => checkpoint)
    const adapter = first.adapted ? join(golden.folder, 'adapter_final') : null
    const { open, method, state } = openAdapted(model, { adapter, task: golden.task === 's2s' ? 'seq2seq-lm' : 'causal-lm', labels: [] })
    const writer = await openWriter(open.subject, method, state)
    const { decoder } = model.wiring
    const { input_ids: ids, attention_mask: masks } = golden.batches[0] as { input_ids: number[][]; attention_mask: number[][] }
    const examples = ids.map((row, i) => {
      const tokens = row.filter((_, k) => masks[i]![k] === 1)
      return {
        ids: Int32Array.from(tokens),
        types: new Int32Array(tokens.length),
        mask: new Uint8Array(tokens.length).fill(1),
        label: null,
        file: '',
        line: i,
      }
    })
    for (const { settings, ends, written } of cases) {
      const task = { ends, given: (row: { ids: Int32Array }) => (decoder ? [decoder.start] : [...row.ids]), room: () => 1000 }
      const given = await write(writer, examples, task, generationOptions({ maxNewTokens: 12, ...settings }))
      const expected = written.map((row) => {
        const end = row.findIndex((id) => ends.includes(id))
        return end < 0 ? row : row.slice(0, end + 1)
      })
      assert.deepEqual(given, expected, JSON.stringify(settings))
    }
    await writer.close()
  })
}
