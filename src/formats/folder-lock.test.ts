import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { UserError } from '../errors.ts'
import { holding, LOCK } from './folder-lock.ts'

const root = mkdtempSync(join(tmpdir(), 'lock-'))
after(() => rmSync(root, { recursive: true }))
let made = 0
const fresh = (): string => join(root, `folder ${made++}`)

test('a folder is held while work goes on there, and let go of at its end, also at a bad one', async () => {
  const folder = fresh()
  const told = await holding(folder, async () => {
    assert.equal(readFileSync(join(folder, LOCK), 'utf8').split(' ')[0], String(process.pid))
    await assert.rejects(
      holding(folder, async () => assert.fail('two at once')),
      (error) => error instanceof UserError && error.message.startsWith(`Process ${process.pid} is at work in ${folder};`),
    )
    return 'told'
  })
  assert.equal(told, 'told')
  await assert.rejects(
    holding(folder, () => Promise.reject(new Error('bad'))),
    /^Error: bad$/,
  )
  assert.ok(!existsSync(join(folder, LOCK)))
})

test('of two who come at once one is first, and the other comes next', async () => {
  const folder = fresh()
  let [atWork, most] = [0, 0]
  const work = async (): Promise<void> => {
    most = Math.max(most, ++atWork)
    await new Promise(setImmediate)
    atWork--
  }
  await Promise.all([1, 2, 3].map(() => holding(folder, work, 60_000)))
  assert.equal(most, 1)
})

test("what was left behind holds nothing: of a process that ended, of one whose number is now another's, of a full disk", async () => {
  const { pid } = spawnSync(process.execPath, ['--version'])
  const left = [`${pid} 1`, `${process.pid} 1`, '', ...(process.platform === 'linux' ? [`${process.ppid} 1`] : [])]
  for (const text of left) {
    const folder = fresh()
    await holding(folder, async () => {})
    writeFileSync(join(folder, LOCK), text)
    assert.equal(await holding(folder, async () => 'mine', 200), 'mine', text)
  }
})

test('a folder that cannot be made is told', async () => {
  const file = join(root, 'file')
  writeFileSync(file, '')
  await assert.rejects(
    holding(join(file, 'below'), async () => {}),
    UserError,
  )
})
