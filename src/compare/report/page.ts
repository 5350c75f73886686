import { yaml } from '../../settings/yaml.ts'
import { type Comparison, writtenSettings } from '../comparison-file.ts'
import type { ArmResults, Summary } from '../summary.ts'
import { armRows, differenceRows, footing, type Rows } from '../summary-tables.ts'
import { lossCurves, metricAgainstWeights, metricByFlops, metricCurves, routingUse } from './curves.ts'
import { type Drawing, svg } from './drawing.ts'
import { type Markup, tag, together } from './markup.ts'
import { rankMaps } from './rank-maps.ts'
import { pageStyle } from './style.ts'

function htmlTable([header, ...rows]: Rows): Markup {
  const line = (name: string, cells: readonly string[]): Markup => tag('tr', {}, ...cells.map((cell) => tag(name, {}, cell)))
  const body = rows.map((row) => line('td', row))
  return tag('div', { class: 'wide' }, tag('table', {}, tag('thead', {}, line('th', header!)), tag('tbody', {}, ...body)))
}

/** A part of the page with its heading; nothing where it has no content. */
function section(heading: string, ...content: readonly (Markup | Drawing | null)[]): Markup {
  const there = content.filter((each) => each !== null).map((each) => ('content' in each ? svg(each) : each))
  return there.length === 0 ? together() : together(tag('h2', {}, heading), ...there)
}

function routes(all: readonly ArmResults[]): Drawing[] {
  return all.flatMap(({ arm, results: [first] }) => {
    const drawn = first && routingUse(`${arm.name}, seed ${first.trial.seed}: share of what each expert was given`, first)
    return drawn ? [drawn] : []
  })
}

/** The learning rates that were tried for each arm, and their scores on rows held out of training. */
function triedRates({ arms, metric }: Summary): Markup | null {
  if (arms.every(({ tried }) => tried.length === 0)) return null
  const cell = (value: number | null): string => (value === null ? 'failed' : String(Number(value.toPrecision(4))))
  const rows = arms.flatMap(({ name, tried, learningRate }) =>
    tried.map((each) => [
      name,
      String(Number(each.learningRate.toPrecision(3))),
      cell(each.score),
      each.learningRate === learningRate ? 'chosen' : '',
    ]),
  )
  return htmlTable([['arm', 'learning rate', `${metric} on rows held out of training`, ''], ...rows])
}

/** A comparison as one page that needs nothing else. */
export function reportPage(comparison: Comparison, summary: Summary, all: readonly ArmResults[], command: string): string {
  const title = summary.arms.length > 1 ? `${summary.arms.length} arms compared` : summary.arms[0]!.name
  const page = tag(
    'html',
    { lang: 'en' },
    tag(
      'head',
      {},
      tag('meta', { charset: 'utf-8' }),
      tag('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
      tag('title', {}, `adatune: ${title}`),
      { markup: `<style>${pageStyle}</style>` },
    ),
    tag(
      'body',
      {},
      tag('h1', {}, title),
      tag('p', { class: 'note' }, footing(summary)),
      section('Scores', htmlTable(armRows(summary))),
      section('Differences', summary.differences.length === 0 ? null : htmlTable(differenceRows(summary))),
      section('Metric against budget', metricAgainstWeights(summary)),
      section('Curves', metricCurves(summary, all), metricByFlops(summary, all), lossCurves(all)),
      section('Ranks', ...rankMaps(all)),
      section('Routing', ...routes(all)),
      section('Learning rates', triedRates(summary)),
      section('Settings', tag('pre', {}, `$ ${command}\n\n${yaml().stringify(writtenSettings(comparison))}`)),
    ),
  )
  return `<!doctype html>\n${page.markup}\n`
}
