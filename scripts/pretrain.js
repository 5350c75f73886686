// Pretrains models/adatune-tiny: pretrain/main.ts with the arguments given. A run that was stopped goes on.
import './ensure-installed.js'
import { spawnSync } from 'node:child_process'
import { root } from './tools.js'

const run = (args) => spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
// Training is started through bin/adatune.js, which runs dist.
const args = [`--import=${import.meta.resolve('tsx')}`, 'pretrain/main.ts', ...process.argv.slice(2)]
if (!run(['scripts/build.js', '--if-stale']) || !run(args)) process.exitCode = 1
