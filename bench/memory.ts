/**
 * The memory that `train --dry-run` foretells against the peak of the same run, with frozen weights in float32 and in 8 bits, with layers
 * made again, and of full fine-tuning. Each run is a process of its own; results go to bench/results/memory.json and memory.md, and a
 * finished one is not repeated.
 * Usage: npm run bench -- memory [case ...] [--threads n]
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type MemoryResult, memoryTold } from './memory/report.ts'
import { lora, steps, subjects, work } from './memory/subjects.ts'
import { keepResults, resultsFile } from './report/told.ts'
import { readResults, root, trainedRun } from './training/trained-run.ts'

const { positionals, values } = parseArgs({ allowPositionals: true, options: { threads: { type: 'string', default: '1' } } })
const results = readResults<MemoryResult>(resultsFile('memory'))

/** What a run is foretold to need at its peak, in bytes. */
function foretell(settings: object): number {
  const run = join(work, 'dry-run.json')
  writeFileSync(run, JSON.stringify(settings))
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'bin/adatune.js'), 'train', run, '--dry-run', '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`the dry run ended with ${status}`)
  return JSON.parse(stdout).memoryBytes
}

mkdirSync(work, { recursive: true })
for (const name of positionals.length > 0 ? positionals : Object.keys(subjects)) {
  const subject = subjects[name]
  if (!subject) throw new Error(`known are ${Object.keys(subjects).join(', ')}`)
  const files = subject.files()
  if (!files) console.log(`${name} is left out: set ADATUNE_ASSETS.`)
  for (const [way, { base = 'float32', method = lora, train = {} }] of Object.entries(files ? subject.ways : {})) {
    const key = `${name} ${way}`
    if (results[key]) continue
    const { about, task, batchSize, length } = subject
    const settings = {
      model: files!.model,
      base,
      task,
      method,
      data: { train: files!.rows, maxLength: length, ...(task === 'sequence-classification' && { labels: ['0', '1'] }) },
      train: { batchSize, steps, dropout: 0.1, threads: Number(values.threads), ...train },
    }
    const foretoldBytes = foretell(settings)
    const measured = trainedRun(work, key, settings)
    results[key] = { about, way, foretoldBytes, command: `npm run bench -- memory ${name}`, ...measured }
    keepResults('memory', results, memoryTold(results))
  }
}
