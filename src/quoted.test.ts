import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { quoted } from './quoted.ts'

test('a shell reads quoted words as they were', { skip: process.platform === 'win32' }, () => {
  const words = [
    'runs/a',
    'runs/a b',
    '',
    '-x',
    'run.data={ train: "a.jsonl" }',
    'run.model=$HOME/m',
    '`ls`',
    "it's",
    'C:\\new',
    'a\nb',
    '~',
    '*',
    'a;b',
  ]
  const read = execFileSync('sh', ['-c', `printf '%s\\0' ${words.map(quoted).join(' ')}`], { encoding: 'utf8' })
  assert.deepEqual(read.split('\0').slice(0, -1), words)
})

test('words that need no quotes have none', () => {
  for (const word of ['runs/short', 'run.train.epochs=3', 'microsoft/deberta-v3-base', '--out']) assert.equal(quoted(word), word)
})
