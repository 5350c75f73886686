import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openAdapters } from '../../src/merging/open-adapters.ts'
import { assertNear } from '../behaviour/tiny-model.ts'

const root = join(import.meta.dirname, '../golden')

interface Stacks {
  readonly base: string
  readonly input_ids: readonly (readonly number[])[]
  readonly attention_mask: readonly (readonly number[])[]
  readonly stacks: readonly { readonly adapters: readonly string[]; readonly logits: readonly (readonly number[])[] }[]
}
const golden: Stacks = JSON.parse(readFileSync(join(root, 'adapter-hub-stacks.json'), 'utf8'))
const questions = golden.input_ids.map((input_ids, i) => ({ input_ids, attention_mask: golden.attention_mask[i] }))

test('stacks answer as adapter-hub does, on one model', async () => {
  const model = await openAdapters({ model: join(root, golden.base, 'base') })
  for (const name of new Set(golden.stacks.flatMap(({ adapters }) => adapters))) model.load(name, join(root, name))
  for (const { adapters, logits } of golden.stacks) {
    model.stack(adapters)
    const given = await model.predict(questions, { logits: true })
    assertNear(
      given.flatMap((row) => row.logits as number[]),
      logits.flat(),
      1e-4,
      adapters.join(', '),
    )
  }
  await model.close()
})
