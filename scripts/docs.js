// Renews the parts of the documents that are made from the sources: reference/main.ts.
import './ensure-installed.js'
import { spawnSync } from 'node:child_process'
import { root } from './tools.js'

const args = [`--import=${import.meta.resolve('tsx')}`, 'reference/main.ts']
process.exitCode = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1
