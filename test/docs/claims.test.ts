import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { repository } from '../cli/project.ts'
import { document } from './documents.ts'

test('docs/claims.md is what npm run claims makes of the results', () => {
  const before = document('docs/claims.md')
  const { status, stderr } = spawnSync(process.execPath, ['scripts/claims.js', '--page'], { cwd: repository, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  assert.equal(document('docs/claims.md'), before)
})
