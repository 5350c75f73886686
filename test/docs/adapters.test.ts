import assert from 'node:assert/strict'
import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ruleNames } from '../../src/merging/rules/index.ts'
import { command, jsonLines, projectFolder, succeed, textRows, writeRun } from '../cli/project.ts'
import { blocks, calls, document } from './documents.ts'

const page = document('docs/adapters.md')

test('docs/adapters.md names every rule', () => {
  for (const rule of ruleNames) assert.ok(page.includes(`\`${rule}\``), rule)
})

test('the commands of docs/adapters.md run', async () => {
  const folder = projectFolder()
  cpSync(join(folder, 'model'), join(folder, 'MODEL'), { recursive: true })
  const rows = textRows(8, 'rows').map((row, i) => ({ ...row, lang: i % 2 === 0 ? 'en' : 'de' }))
  writeFileSync(join(folder, 'rows.jsonl'), jsonLines(rows))
  const bottleneck = { name: 'bottleneck', size: 2 }
  const made = {
    a: { name: 'adalora', initR: 3, targetR: 2 },
    b: { name: 'lora', r: 2, targets: 'all-linear' },
    language: bottleneck,
    task: bottleneck,
    TUNED: { name: 'full' },
  }
  for (const [name, method] of Object.entries(made)) {
    writeRun(folder, 'run.yaml', { model: 'MODEL', method, train: { seed: name.length } })
    assert.deepEqual(await command(['train', 'run.yaml', '--quiet', '--out', `runs/${name}`], folder), { code: 0, stderr: '' })
    cpSync(join(folder, 'runs', name, 'adapter'), join(folder, name), { recursive: true })
  }
  const all = blocks(page, 'sh').flatMap(calls)
  assert.deepEqual(
    all.map(([name]) => name),
    ['merge', 'unmerge', 'convert', 'extract', 'combine', 'predict', 'predict'],
  )
  for (const args of all) {
    const stdout = await succeed(args, folder)
    const at = args.indexOf('--out')
    if (at > 0) assert.ok(existsSync(join(folder, args[at + 1]!)), args.join(' '))
    else assert.equal(stdout.match(/"label":"(yes|no)"/g)?.length, rows.length, args.join(' '))
  }
})
