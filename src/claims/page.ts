import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { yaml } from '../settings/yaml.ts'
import { markdownTable } from '../track/markdown-table.ts'
import { bytes } from '../track/numbers.ts'
import type { Machine } from '../train/environment.ts'
import { claimNames, toldOf } from './claim-list.ts'
import { type ClaimRecord, readRecord } from './record.ts'

const machineText = ({ processor, cores, memoryBytes, platform, node, onnxruntime }: Machine): string =>
  `${processor}, ${cores} cores, ${bytes(memoryBytes)}; ${platform}, Node ${node}, ONNX Runtime ${onnxruntime}`

/** What a form of a claim came to. */
function formText(record: ClaimRecord, drawing: string | null): string {
  const { form, verdict, tables, footing, command, machine, settings } = record
  const findings = verdict.findings.flatMap(({ says, bound, tried }) =>
    tried.map(({ name, value, interval, outcome }) => [says, name, value, interval, bound, outcome]),
  )
  return [
    `**${verdict.sentence}**\n`,
    `${markdownTable(['statement', 'of', 'value', 'interval', 'must be', ''], findings)}\n`,
    ...tables.map(([head, ...rows]) => `${markdownTable(head!, rows)}\n`),
    `${footing} ${form === 'quick' ? 'Quick' : 'Full'} form: \`${command}\`; ${machineText(machine)}.\n`,
    ...(drawing === null ? [] : [`![${record.name}, ${form} form](${drawing})\n`]),
    `<details><summary>settings</summary>\n\n\`\`\`yaml settings\n${yaml().stringify(settings)}\`\`\`\n\n</details>\n`,
  ].join('\n')
}

/** Where results and drawings of claims lie. */
export interface PageFolders {
  readonly results: string
  /** Of drawings, and how the page names it. */
  readonly drawings: string
  readonly link: string
}

/** The page of all claims, with what was found of them. */
export function claimsPage({ results, drawings, link }: PageFolders): string {
  const records = readdirSync(results)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({ record: readRecord(join(results, file)), name: file.replace(/\.json$/, '') }))
  const parts = claimNames().map((name) => {
    const { claim, paper, source, figures, notes } = toldOf(name)
    const own = records.filter(({ record }) => record.name === name)
    const drawing = (file: string): string | null => (existsSync(join(drawings, `${file}.svg`)) ? `${link}/${file}.svg` : null)
    const text = [
      `## ${name}\n`,
      `${claim} (${paper}, ${source})\n`,
      `Published: ${figures.join('; ')}.${notes === null ? '' : ` ${notes}`}\n`,
      ...(own.length > 0
        ? own.map((each) => formText(each.record, drawing(each.name)))
        : [`Not tried yet: \`adatune claims ${name} --quick\`, or without \`--quick\` the full form.\n`]),
    ].join('\n')
    const row = [
      `[${name}](#${name})`,
      claim,
      ...(['quick', 'full'] as const).map((form) => own.find(({ record }) => record.form === form)?.record.verdict.outcome ?? '–'),
    ]
    return { row, text }
  })
  return `# Do the papers' claims hold?

Made by \`npm run claims\` of [the claims' files](../recipes/claims) with small models on parts of the data; how they are judged is told in
[comparing methods](compare.md#claims). A claim _holds_ where all that its file asks for is told by the intervals, _does not hold_ where
they tell the contrary of some of it, and _cannot be told_ otherwise. Quick forms have few seeds and short schedules.

${markdownTable(
  ['claim', '', 'quick form', 'full form'],
  parts.map(({ row }) => row),
)}

${parts.map(({ text }) => text).join('\n')}`
}
