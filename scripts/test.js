// Runs the tests: all of them, or those in the files and folders given as arguments.
import './ensure-installed.js'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'
import { filesIn, root } from './tools.js'

const only = process.argv.slice(2).map((path) => relative(root, resolve(path)).replaceAll(sep, '/'))
const isWanted = (file, path) => path === '' || file === path || file.startsWith(`${path}/`)

const found = [...filesIn('src'), ...filesIn('test')].filter((file) => file.endsWith('.test.ts'))
const files = only.length === 0 ? found : found.filter((file) => only.some((path) => isWanted(file, path)))
const unmatched = only.filter((path) => !found.some((file) => isWanted(file, path)))

function fail(message) {
  console.error(message)
  process.exit(1)
}

if (unmatched.length > 0) fail(`No test file (*.test.ts in src or test) is at ${unmatched.join(', ')}`)
if (files.length === 0) fail('No test file (*.test.ts in src or test) was found')

// The tests of the command line start bin/adatune.js, which runs dist.
const run = (args, env = process.env) =>
  spawnSync(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
const built = run(['scripts/build.js', '--if-stale'])

// Named reporters, because the default differs between Node 20, 22 and 24; off a terminal, no colours in them.
// The second one is for the counts below.
const folder = mkdtempSync(join(tmpdir(), 'adatune-test-'))
const report = join(folder, 'report.tap')
const { FORCE_COLOR, ...plain } = { ...process.env, NO_COLOR: '1' }
const passed = run(
  [
    `--import=${import.meta.resolve('tsx')}`,
    '--test',
    '--test-concurrency=2',
    '--test-timeout=600000',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${report}`,
    ...files,
  ],
  process.stdout.isTTY ? process.env : plain,
)
const tap = readFileSync(report, 'utf8')
rmSync(folder, { recursive: true })

// node:test counts a file without tests as one that passed, under the file's name.
const passing = tap.split('\n').filter((line) => line.startsWith('ok '))
const empty = files.filter((file) => passing.some((line) => line.endsWith(file)))
const count = (word) => Number(tap.match(new RegExp(`^# ${word} (\\d+)$`, 'm'))?.[1] ?? 0)

if (empty.length > 0) fail(`No test is in ${empty.join(', ')}`)
if (count('pass') + count('fail') === 0) fail('No test ran')
if (!built) fail('The tests ran, but the build before them failed')
if (!passed) process.exit(1)
