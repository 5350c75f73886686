/**
 * Where the time of an update goes: the engine's profile of the kernels in our sides of the cases of `step`, which make their updates in
 * turns; results go to bench/results/shares.json, by case. A case whose sides do not fit in memory together is none of them, nor one that
 * needs updates before those that count.
 * Usage: npm run bench -- shares [case ...] [--steps n] [--threads n]
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseRun } from '../src/config/parse.ts'
import { methodFor } from '../src/evaluate/method-for.ts'
import { logitParts, mostPlaces } from '../src/train/logit-parts.ts'
import { prepare } from '../src/train/prepare.ts'
import { openStep } from '../src/train/step.ts'
import { stepOptions } from '../src/train/step-options.ts'
import { circumstances, processorOf } from './report/circumstances.ts'
import { keepResults, resultsFile } from './report/told.ts'
import { type Kernels, kernelsIn } from './shares/profile.ts'
import { profiled, type SharesResult, sharesTold } from './shares/report.ts'
import type { Case } from './steps/case.ts'
import { cases } from './steps/cases.ts'
import { countsOf } from './steps/counts.ts'
import { settingsOf } from './steps/side-files.ts'
import { readResults, root } from './training/trained-run.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { steps: { type: 'string', default: '5' }, threads: { type: 'string', default: '2' } },
})
/** What is in memory together, and makes updates that are alike from the first one on. */
const known = Object.fromEntries(Object.entries(cases).filter(([, { apart, warmup }]) => !apart && warmup === undefined))
const { steps, threads } = countsOf({ ...values, rounds: '1', warmup: '0' }, positionals, { kind: 'case', known })
const work = join(root, 'runs/bench-shares')

/** A side's step, and what its engine's profile says of the kernels in the end. */
async function openProfiled(name: string, each: Case, side: string) {
  const folder = join(work, `${name} ${side}`.replaceAll(/\W+/g, '-'))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const { open, options, plan, state, train, examples } = await prepare(
    parseRun(settingsOf(each, each.sides[side]!, each.files()!, threads), 'bench/shares.ts'),
  )
  const method = methodFor(open.subject, open.outline, options, plan.totalSteps)
  const parts = logitParts(open.subject, mostPlaces(open.subject, method, examples, train))
  const profile = join(folder, 'profile')
  const step = await openStep(open.subject, state, { ...stepOptions(method, parts, train), prepack: train.packed, threads, profile })
  return {
    update: (at: number) => step.run(plan.microBatches(at), { seed: train.seed, step: at }, train.learningRate!),
    async kernels(): Promise<Kernels> {
      await step.close()
      const found = kernelsIn(folder, steps)
      rmSync(folder, { recursive: true })
      return found
    },
  }
}

const results = readResults<SharesResult>(resultsFile('shares'))
const found = circumstances()
for (const name of positionals.length > 0 ? positionals : profiled) {
  const each = cases[name]!
  if (!each.files()) {
    console.log(`${name} is left out: set ADATUNE_ASSETS.`)
    continue
  }
  const sides = new Map<string, Awaited<ReturnType<typeof openProfiled>>>()
  for (const [side, { engine }] of Object.entries(each.sides))
    if (engine === 'adatune') sides.set(side, await openProfiled(name, each, side))
  for (let at = 0; at < steps; at++) for (const { update } of sides.values()) await update(at)
  const kernels: Record<string, Kernels> = {}
  for (const [side, open] of sides) kernels[side] = await open.kernels()
  results[`${name}, ${threads} threads, ${processorOf(found)}`] = {
    sides: kernels,
    ...found,
    command: `npm run bench -- shares ${name} --steps ${steps} --threads ${threads}`,
  }
  keepResults('shares', results, sharesTold(results))
  console.log(`${name}: ${[...sides.keys()].join(', ')}`)
}
