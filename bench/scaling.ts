/**
 * Time and memory of an update against tokens, layers, width, rank and experts. Each point of an axis is a process of its own, and in each
 * round all of them make their steps in turns, so that other load meets all alike; results go to bench/results/scaling.json, and rounds that
 * a point has are not repeated.
 * Usage: npm run bench -- scaling [axis ...] [--rounds n] [--steps n] [--warmup n] [--threads n] [--tiny]
 */
import { mkdirSync } from 'node:fs'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { circumstances, processorOf } from './report/circumstances.ts'
import { keepResults, resultsFile } from './report/told.ts'
import { axes, pointOf, runOf, type Size, valuesOf, work } from './scaling/axes.ts'
import { type PointResult, scalingTold } from './scaling/report.ts'
import { countOptions, countsOf } from './steps/counts.ts'
import { rounded, summary } from './steps/numbers.ts'
import { answerSteps } from './steps/own-side.ts'
import { inTurns, openSide } from './steps/sides.ts'
import { readResults } from './training/trained-run.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    ...countOptions,
    /** Tries the measuring out: a small model and two points of an axis, kept in runs. */
    tiny: { type: 'boolean', default: false },
    /** The point of an axis with this value, in this process. */
    alone: { type: 'string' },
  },
})
const { rounds, steps, warmup, threads } = countsOf(values, positionals, { kind: 'axis', known: axes })
const size: Size = values.tiny ? 'tiny' : 'usual'

if (values.alone !== undefined) {
  const point = pointOf(axes[positionals[0]!]!, Number(values.alone), size)
  await answerSteps(runOf(point, threads), { batchSize: point.rows })
} else {
  mkdirSync(work, { recursive: true })
  const folder = values.tiny ? work : undefined
  const results = readResults<PointResult>(resultsFile('scaling', folder))
  const processor = processorOf(circumstances())
  const keyOf = (name: string, value: number): string => `${name} ${value}, ${threads} threads, ${processor}`
  for (const name of positionals.length > 0 ? positionals : Object.keys(axes)) {
    const axis = axes[name]!
    for (let round = 0; round < rounds; round++) {
      const due = valuesOf(axis, size).filter((value) => (results[keyOf(name, value)]?.rounds.length ?? 0) <= round)
      const [found, load] = [circumstances(), rounded(loadavg()[0]!, 2)]
      // One after another, as each makes its files where they are not there.
      const sides = []
      for (const value of due) {
        const args = ['bench/scaling.ts', name, '--alone', String(value), '--threads', String(threads), ...(values.tiny ? ['--tiny'] : [])]
        sides.push(await openSide(process.execPath, ['--import', 'tsx', ...args]))
      }
      const measured = await inTurns(sides, { warmup, steps })
      for (const side of sides) await side.end()
      for (const [i, value] of due.entries()) {
        const before = results[keyOf(name, value)]
        results[keyOf(name, value)] = {
          ...{ axis: name, value, point: pointOf(axis, value, size), trainedWeights: measured[i]!.trainedWeights },
          rounds: [...(before?.rounds ?? []), summary(measured[i]!)],
          loads: [...(before?.loads ?? []), load],
          ...found,
          command: `npm run bench -- scaling ${name} --rounds ${rounds} --steps ${steps} --warmup ${warmup} --threads ${threads}`,
        }
        const { medianMs, peakMB } = results[keyOf(name, value)]!.rounds.at(-1)!
        console.log(`${name} ${value} round ${round + 1}, load ${load}: ${medianMs} ms, peak ${peakMB} MB`)
      }
      if (due.length > 0) keepResults('scaling', results, scalingTold(results), folder)
    }
  }
}
