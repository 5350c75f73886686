// Runs the measurements in bench: all of them, or the one that the first argument names; what follows it is passed on.
import './ensure-installed.js'
import { spawnSync } from 'node:child_process'
import { filesIn, root } from './tools.js'

const subjects = filesIn('bench').flatMap((file) => file.match(/^bench\/([^/]+)\.ts$/)?.[1] ?? [])
const [subject, ...rest] = process.argv.slice(2)
const run = (args) => spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0

if (subject !== undefined && !subjects.includes(subject)) {
  console.error(`There is no measurement "${subject}"; there are ${subjects.join(', ')}.`)
  process.exit(2)
}
// Some measurements start bin/adatune.js, which runs dist.
if (!run(['scripts/build.js', '--if-stale'])) process.exit(1)
for (const name of subject === undefined ? subjects : [subject]) {
  console.log(`bench/${name}.ts`)
  if (!run([`--import=${import.meta.resolve('tsx')}`, `bench/${name}.ts`, ...rest])) process.exitCode = 1
}
