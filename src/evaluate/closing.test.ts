import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closing } from './closing.ts'

test('closing waits for what is pending, does it once, and refuses what comes after', async () => {
  const done: string[] = []
  const { during, close } = closing('predictor', async () => void done.push('closed'))
  let answer = (): void => {}
  const work = during(() => new Promise<void>((resolve) => (answer = resolve)).then(() => void done.push('answered')))
  const ends = [close(), close()]
  await assert.rejects(
    during(async () => {}),
    { name: 'UserError', message: /This predictor is closed; open another/ },
  )
  answer()
  await Promise.all([work, ...ends, close()])
  assert.deepEqual(done, ['answered', 'closed'])
})

test('what fails before it is closed fails by itself', async () => {
  const { during, close } = closing('predictor', async () => {})
  const failing = assert.rejects(
    during(() => Promise.reject(new Error('no'))),
    { message: 'no' },
  )
  await close()
  await failing
})
