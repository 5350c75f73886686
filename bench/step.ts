/**
 * Time and memory of training steps, and of the same steps in torch with PEFT where ADATUNE_PEER_PYTHON names a Python that has them.
 * Each round starts a process for each side of a case, and these make their steps in turns, so that other load on the machine meets
 * all alike; results go to bench/results/step.json, by case.
 * Usage: npm run bench -- step [case ...] [--missing] [--rounds n] [--steps n] [--warmup n] [--threads n]
 */
import { mkdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { circumstances, processorOf } from './report/circumstances.ts'
import { keepResults, resultsFile } from './report/told.ts'
import { cache, cases } from './steps/cases.ts'
import { type Compared, compare } from './steps/comparison.ts'
import { countOptions, countsOf } from './steps/counts.ts'
import { answerSteps } from './steps/own-side.ts'
import { stepTold } from './steps/report.ts'
import { settingsOf } from './steps/side-files.ts'
import { readResults } from './training/trained-run.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    ...countOptions,
    /** Only the cases that step.json does not have yet from a processor of this kind. */
    missing: { type: 'boolean', default: false },
    /** A side of a case, in this process. */
    alone: { type: 'string' },
  },
})
const count = countsOf(values, positionals, { kind: 'case', known: cases })

if (values.alone !== undefined) {
  const each = cases[positionals[0]!]!
  await answerSteps(settingsOf(each, each.sides[values.alone]!, each.files()!, count.threads), each)
} else {
  mkdirSync(cache, { recursive: true })
  const peerPython = process.env.ADATUNE_PEER_PYTHON ?? null
  if (peerPython === null)
    console.log('ADATUNE_PEER_PYTHON names no Python with torch, transformers and peft: only our sides are measured.')
  const results = readResults<Compared>(resultsFile('step'))
  const processor = processorOf(circumstances())
  const keyOf = (name: string): string => `${name}, ${count.threads} threads, ${processor}`
  for (const name of positionals.length > 0 ? positionals : Object.keys(cases)) {
    if (values.missing && results[keyOf(name)]) continue
    const compared = await compare(name, cases[name]!, peerPython, count)
    if (!compared) {
      console.log(
        `${name} is left out: set ADATUNE_ASSETS to the folder that holds models/all-MiniLM-L6-v2 and data/glue-mrpc, data/glue-rte.`,
      )
      continue
    }
    results[keyOf(name)] = compared
    keepResults('step', results, stepTold(results))
  }
}
