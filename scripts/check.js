// Everything that can be checked without running the code; all of it, even after a failure.
import './ensure-installed.js'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root, runTool } from './tools.js'

// Biome colours its output for CI also where it is a file.
const colors = process.stdout.isTTY ? [] : ['--colors=off']
const importRanks = join(root, 'scripts/import-ranks.js')
const checks = [
  ['format and lint', () => runTool('@biomejs/biome', ['ci', '--error-on-warnings', ...colors, '.'])],
  ['types', () => runTool('typescript', ['-p', 'tsconfig.json'])],
  ['import ranks', () => spawnSync(process.execPath, [importRanks], { stdio: 'inherit' }).status === 0],
  ['unused code', () => runTool('knip', [])],
]

const results = checks.map(([name, check]) => ({ name, passed: check() }))
for (const { name, passed } of results) console.log(`${passed ? 'pass' : 'FAIL'}  ${name}`)
if (results.some(({ passed }) => !passed)) process.exitCode = 1
