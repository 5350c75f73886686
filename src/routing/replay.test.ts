import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { drawRecorded } from './replay.ts'

function recording(text: string): string {
  const file = join(temporaryFolder(), 'routes.json')
  writeFileSync(file, text)
  return file
}
const at = { seed: 0, step: 1, microBatch: 0, pass: 1 }
const draw = { group: 'layer.0', role: 'down', experts: 4 }
const routes = [
  [{}, {}],
  [{}, { 'layer.0': { down: 2, up: 9, left: 1.5, right: -1 } }],
]

test('a recorded route is repeated', () => {
  assert.equal(drawRecorded(recording(JSON.stringify(routes)))(draw, at), 2)
})

test('what was not recorded, or is no expert, is named', () => {
  const router = drawRecorded(recording(JSON.stringify(routes)))
  for (const role of ['up', 'left', 'right', 'missing']) {
    assert.throws(
      () => router({ ...draw, role }, at),
      (error) =>
        error instanceof UserError && /step 1, pass 1, "layer\.0", role "(\w+)"; give a recording/.exec(error.message)?.[1] === role,
    )
  }
  for (const moment of [
    { ...at, step: 2 },
    { ...at, pass: 2 },
  ])
    assert.throws(() => router(draw, moment), UserError)
})

test('a file that is no recording is refused', () => {
  assert.throws(() => drawRecorded(recording('[')), /routes\.json is not JSON .*; copy or download it again\./)
  assert.throws(() => drawRecorded('/nowhere/routes.json'), UserError)
})
