// Puts src together in few files of dist, which load sooner than many, with the types of each beside them; named tasks become JSON,
// which every start reads, and reads without YAML's library.
// With --if-stale, only when something in src is newer than the last build.
import './ensure-installed.js'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { filesIn, root, runTool } from './tools.js'

const main = join(root, 'dist/cli/main.js')
/** What is imported by its name, or is a process of its own. */
const entryPoints = ['index', 'cli/main', 'compare/trial-process', 'claims/measurements/holding'].map((name) => `src/${name}.ts`)

function isStale() {
  if (!existsSync(main)) return true
  const built = statSync(main).mtimeMs
  const sources = filesIn('src').filter((file) => !file.endsWith('.test.ts'))
  // A folder's own time changes when a file in it is added, removed or renamed.
  const inputs = [...sources, ...sources.map((file) => dirname(file)), 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']
  return [...new Set(inputs)].some((input) => statSync(join(root, input)).mtimeMs > built)
}

async function build() {
  const started = new Date()
  if (!runTool('typescript', ['-p', 'tsconfig.build.json', '--noEmitOnError', '--emitDeclarationOnly'])) return false
  const { build: bundle } = await import('esbuild')
  const { parse } = await import('yaml')
  const { metafile } = await bundle({
    absWorkingDir: root,
    entryPoints,
    outbase: 'src',
    outdir: 'dist',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    metafile: true,
    logLevel: 'warning',
  })
  // What was saved meanwhile must count as newer than this build.
  if (existsSync(main)) utimesSync(main, started, started)
  const made = new Set(Object.keys(metafile.outputs))
  for (const file of filesIn('src').filter((name) => name.endsWith('.yaml'))) {
    const json = file.replace(/^src/, 'dist').replace(/\.yaml$/, '.json')
    made.add(json)
    mkdirSync(dirname(join(root, json)), { recursive: true })
    writeFileSync(join(root, json), JSON.stringify(parse(readFileSync(join(root, file), 'utf8'))))
  }
  for (const file of filesIn('dist')) {
    const hasSource = file.endsWith('.d.ts') && existsSync(join(root, file.replace(/^dist/, 'src').replace(/\.d\.ts$/, '.ts')))
    if (!made.has(file) && !hasSource) rmSync(join(root, file))
  }
  return true
}

if (!process.argv.includes('--if-stale') || isStale()) {
  if (!(await build())) {
    console.error('The build failed: tsc reports the errors above; dist is left as it was')
    process.exitCode = 1
  }
}
