// Compiles src to dist, where named tasks go as they are. With --if-stale, only when something in src is newer than the last build.
import './ensure-installed.js'
import { cpSync, existsSync, mkdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { filesIn, root, runTool } from './tools.js'

const main = join(root, 'dist/cli/main.js')

function isStale() {
  if (!existsSync(main)) return true
  const built = statSync(main).mtimeMs
  const sources = filesIn('src').filter((file) => !file.endsWith('.test.ts'))
  // A folder's own time changes when a file in it is added, removed or renamed.
  const inputs = [...sources, ...sources.map((file) => dirname(file)), 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']
  return [...new Set(inputs)].some((input) => statSync(join(root, input)).mtimeMs > built)
}

function build() {
  const started = new Date()
  if (!runTool('typescript', ['-p', 'tsconfig.build.json', '--noEmitOnError'])) return false
  // What was saved while tsc ran must count as newer than this build.
  if (existsSync(main)) utimesSync(main, started, started)
  for (const file of filesIn('src').filter((name) => name.endsWith('.yaml'))) {
    const copy = join(root, file.replace(/^src/, 'dist'))
    mkdirSync(dirname(copy), { recursive: true })
    cpSync(join(root, file), copy)
  }
  for (const file of filesIn('dist')) {
    const source = file.replace(/^dist/, 'src').replace(/(\.d\.ts|\.js)$/, '.ts')
    if (!existsSync(join(root, source))) rmSync(join(root, file))
  }
  return true
}

if (!process.argv.includes('--if-stale') || isStale()) {
  if (!build()) {
    console.error('The build failed: tsc reports the errors above; dist is left as it was')
    process.exitCode = 1
  }
}
