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

/** The named tasks as JSON, by their files in dist. */
async function namedTasks() {
  const { parse } = await import('yaml')
  const files = filesIn('src').filter((name) => name.endsWith('.yaml'))
  return files.map((file) => {
    const data = parse(readFileSync(join(root, file), 'utf8'))
    return [file.replace(/^src/, 'dist').replace(/\.yaml$/, '.json'), JSON.stringify(data)]
  })
}

async function build() {
  const started = new Date()
  const tasks = await namedTasks()
  if (!runTool('typescript', ['-p', 'tsconfig.build.json', '--noEmitOnError', '--emitDeclarationOnly'])) return false
  const { build: bundle } = await import('esbuild')
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
  for (const [file, json] of tasks) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), json)
  }
  const made = new Set([...Object.keys(metafile.outputs), ...tasks.map(([file]) => file)])
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
