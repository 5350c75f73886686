import { markdownTable } from '../../src/track/markdown-table.ts'
import { type Bar, goalBars } from '../report/bars.ts'
import { besideGoal } from '../report/goal.ts'
import type { Told } from '../report/told.ts'
import { spread } from '../steps/numbers.ts'
import type { TrainedRun } from '../training/trained-run.ts'
import { steps, subjects } from './subjects.ts'

/** What a run was foretold to need, and what it took. */
export interface MemoryResult extends TrainedRun {
  readonly about: string
  readonly way: string
  readonly foretoldBytes: number
  readonly command: string
}

const goal = { name: 'foretold memory off by', most: 0.2 }

const about = `What \`train --dry-run\` foretells of memory, and the peak of the same run's whole process (\`npm run bench -- memory\`): LoRA of rank 8 on
queries and values, or full fine-tuning, dropout of 0.1, ${steps} updates, random weights but for MiniLM. The goal is that of what is foretold: a share of the peak
by which it may be off.`

const megabytes = (bytes: number): string => String(Math.round(bytes / 1e6))

/** Each run with what it was foretold to need. */
export function memoryTold(results: Readonly<Record<string, MemoryResult>>): Told {
  const runs = Object.entries(subjects).flatMap(([name, subject]) =>
    Object.keys(subject.ways).map((way) => ({ name, way, about: subject.about, found: results[`${name} ${way}`] ?? null })),
  )
  const told = runs.map(({ name, way, about, found }) => {
    const peak = found?.best.peakMemoryBytes
    const off = found && peak ? spread([Math.abs(found.foretoldBytes / peak - 1)]) : null
    return { name: `${name} ${way}`, about, way, found, off, sizes: found && peak ? [found.foretoldBytes, peak].map(megabytes) : ['', ''] }
  })
  const bars = told.flatMap(({ name, off }): Bar[] => (off ? [{ name, most: goal.most, ratio: off }] : []))
  const missing = [...new Set(runs.flatMap(({ name, found }) => (found ? [] : [name])))]
  return {
    title: 'Memory foretold and measured',
    text: `${about}\n\n${markdownTable(
      ['run', 'way', 'foretold MB', 'peak MB', 'off by', 'goal', 'met'],
      told.map(({ about, way, sizes, off }) => [about, way, ...sizes, ...besideGoal(off, goal)]),
    )}`,
    measured: told.flatMap(({ name, found }) => (found ? [{ what: name, ...found }] : [])),
    missing: missing.length > 0 ? [`npm run bench -- memory ${missing.join(' ')}`] : [],
    drawings: bars.length > 0 ? { memory: [goalBars(`${goal.name} a share of the peak, and the goal`, bars)] } : {},
  }
}
