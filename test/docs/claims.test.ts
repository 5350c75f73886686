import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { claimsPage } from '../../src/claims/page.ts'
import { repository } from '../cli/project.ts'
import { document } from './documents.ts'

test('docs/claims.md is what npm run claims makes of the results', () => {
  const [results, drawings] = ['bench/results/claims', 'docs/claims'].map((folder) => join(repository, folder)) as [string, string]
  assert.equal(document('docs/claims.md'), claimsPage({ results, drawings, link: 'claims' }))
})
