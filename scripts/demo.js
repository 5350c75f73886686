// Installs and builds what is missing, then runs the demo with the arguments given.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './tools.js'

const run = (...args) => spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1

process.exitCode = run(join(root, 'scripts/build.js'), '--if-stale') || run(join(root, 'bin/adatune.js'), 'demo', ...process.argv.slice(2))
