import { inferenceTold } from '../bench/inference/report.ts'
import { memoryTold } from '../bench/memory/report.ts'
import { machineText } from '../bench/report/circumstances.ts'
import { resultsFile, type Told } from '../bench/report/told.ts'
import { scalingTold } from '../bench/scaling/report.ts'
import { sharesTold } from '../bench/shares/report.ts'
import { startTold } from '../bench/start/report.ts'
import { stepTold } from '../bench/steps/report.ts'
import { readResults } from '../bench/training/trained-run.ts'
import { svgFile } from '../src/compare/report/drawing.ts'
import { markdownTable } from '../src/track/markdown-table.ts'

/** What the kept results tell. */
const told = (): readonly Told[] => [
  stepTold(readResults(resultsFile('step'))),
  sharesTold(readResults(resultsFile('shares'))),
  memoryTold(readResults(resultsFile('memory'))),
  startTold(readResults(resultsFile('start'))),
  scalingTold(readResults(resultsFile('scaling'))),
  inferenceTold(readResults(resultsFile('inference'))),
]

const missingText = (missing: readonly string[]): string => `Not measured yet: ${missing.map((command) => `\`${command}\``).join(', ')}.`

function section({ title, text, missing, drawings }: Told): string {
  const pictures = Object.keys(drawings).map((name) => `![${title}: ${name}](performance/${name}.svg)`)
  return [`## ${title}`, text, ...(missing.length > 0 ? [missingText(missing)] : []), ...pictures].join('\n\n')
}

/** When, at which commit and on which machine each was measured; those of the same machine and versions together. */
function circumstancesText(all: readonly Told[]): string {
  const entries = all.flatMap(({ measured }) => measured)
  const machines = [...new Set(entries.map(machineText))]
  const tables = machines.map((machine) => {
    const rows = new Map<string, string[]>()
    for (const { what, date = 'not kept', commit, command } of entries.filter((entry) => machineText(entry) === machine)) {
      const by = [date, commit ?? 'not kept', `\`${command}\``]
      const [others] = rows.get(by.join()) ?? []
      rows.set(by.join(), [others === undefined ? what : `${others}; ${what}`, ...by])
    }
    return `${machine}:\n\n${markdownTable(['measured', 'on', 'at commit', 'by'], [...rows.values()])}`
  })
  return ['## Machines, versions and commits', ...tables].join('\n\n')
}

/** The part of docs/performance.md that bench/results tells: figures beside their goals, and where, when and with what they were measured. */
export function performanceText(all: readonly Told[] = told()): string {
  return [...all.map(section), circumstancesText(all)].join('\n\n')
}

/** The files below docs/performance, by name. */
export const performanceDrawings = (all: readonly Told[] = told()): Readonly<Record<string, string>> =>
  Object.fromEntries(
    all.flatMap(({ title, drawings }) => Object.entries(drawings).map(([name, drawn]) => [`${name}.svg`, svgFile(title, drawn)])),
  )
