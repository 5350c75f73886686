import { join } from 'node:path'
import { compare } from '../compare/compare.ts'
import { writtenSettings } from '../compare/comparison-file.ts'
import { plan } from '../compare/planned.ts'
import { metricAgainstWeights, metricByFlops, metricCurves } from '../compare/report/curves.ts'
import { type Drawing, svgFile } from '../compare/report/drawing.ts'
import { rankMaps } from '../compare/report/rank-maps.ts'
import type { ComparisonEvent } from '../compare/run-trials.ts'
import type { ArmResults, Summary } from '../compare/summary.ts'
import { armRows, differenceRows, footing } from '../compare/summary-tables.ts'
import { didYouMean, UserError } from '../errors.ts'
import { count } from '../track/numbers.ts'
import { machine } from '../train/environment.ts'
import { writeText } from '../weights/atomic-file.ts'
import { makeFolder } from '../weights/file-access.ts'
import type { Claim, Statement } from './claim-file.ts'
import { pairings } from './pairs.ts'
import { quantity } from './quantities.ts'
import { type ClaimRecord, recordName } from './record.ts'
import { type Finding, findingOf, type Verdict, verdictOf } from './verdict.ts'

export interface ClaimOptions {
  /** Where trials and what came of them lie. */
  readonly out: string
  readonly tell?: (event: ComparisonEvent) => void
  readonly stopRequested?: () => boolean
  /** What repeats it. */
  readonly command: string
}

/** What a claim came to, without what its file says. */
type Found = Pick<ClaimRecord, 'verdict' | 'tables' | 'footing' | 'settings' | 'summary'> & { readonly drawings: readonly Drawing[] }

const formOf = ({ name, quick }: Claim): string => `${name}, ${quick ? 'quick' : 'full'} form,`

function findingIn(statement: Statement, summary: Summary, results: readonly ArmResults[]): Finding {
  const { of, text } = quantity(statement.of)
  const resultsOf = (name: string): ArmResults => results.find(({ arm }) => arm.name === name)!
  const all = { arms: results.map(({ arm }) => arm), seeds: summary.seeds, plain: summary.plain }
  const tried = pairings(statement, all).map(({ name, pairs }) => ({
    name,
    amount: of(
      pairs.map(([own]) => resultsOf(own.name)),
      pairs.map(([, other]) => resultsOf(other.name)),
      summary,
    ),
  }))
  return findingOf(statement, tried, (value) => text(value, summary), summary.level)
}

/** What a comparison says of a claim. */
function judgeClaim(claim: Claim & { kind: 'comparison' }, summary: Summary, results: readonly ArmResults[]): Verdict {
  const findings = claim.criterion.map((statement) => findingIn(statement, summary, results))
  const told = `${100 * summary.level} % intervals, ${summary.seeds.length} seeds, ${count(summary.rows)} rows`
  return verdictOf(formOf(claim), findings, told)
}

/** Faults of the criterion come before hours of training. */
async function checkCriterion({ comparison, criterion }: Claim & { kind: 'comparison' }): Promise<void> {
  const arms = await plan(comparison)
  for (const statement of criterion) {
    quantity(statement.of)
    pairings(statement, arms)
  }
}

async function tryComparison(claim: Claim & { kind: 'comparison' }, options: ClaimOptions): Promise<Found | null> {
  await checkCriterion(claim)
  const { summary, results } = await compare(claim.comparison, options)
  if (summary === null) return null
  const { quick: _, ...settings } = writtenSettings(claim.comparison)
  const plots = [metricAgainstWeights(summary), metricCurves(summary, results), metricByFlops(summary, results)]
  return {
    ...{ summary, settings, footing: footing(summary) },
    verdict: judgeClaim(claim, summary, results),
    tables: [armRows(summary), ...(summary.differences.length > 0 ? [differenceRows(summary)] : [])],
    drawings: [...plots.filter((each) => each !== null), ...rankMaps(results)],
  }
}

const LEVEL = 0.95
const three = (value: number): string => String(Number(value.toPrecision(3)))

async function tryMeasurement(claim: Claim & { kind: 'measurement' }, out: string): Promise<Found> {
  const { names, measure, options } = claim.measuring
  const stray = claim.criterion.find(({ of }) => !names.includes(of))
  if (stray)
    throw new UserError(`criterion: nothing called "${stray.of}" is measured; there are ${names.join(', ')}.${didYouMean(stray.of, names)}`)
  const { amounts, rows, footing: told } = await measure(out)
  const findings = claim.criterion.map((statement) =>
    findingOf(statement, [{ name: statement.of, amount: amounts[statement.of]! }], three, LEVEL),
  )
  return {
    ...{ summary: null, settings: options, footing: `${told}.`, tables: [rows], drawings: [] },
    verdict: verdictOf(formOf(claim), findings, told),
  }
}

/**
 * Tries a claim and leaves `claim.json`, and `claim.svg` where there is something to draw, in `out`; called again, it goes on where it was.
 * Null where it was stopped.
 * @throws UserError for whatever keeps it from its end
 */
export async function tryClaim(claim: Claim, options: ClaimOptions): Promise<ClaimRecord | null> {
  const { out, command } = options
  const found = claim.kind === 'comparison' ? await tryComparison(claim, options) : await tryMeasurement(claim, out)
  if (found === null) return null
  const { drawings, ...rest } = found
  const { name, quick, paper, source, figures, notes } = claim
  const record: ClaimRecord = {
    ...{ name, form: quick ? 'quick' : 'full', claim: claim.claim, paper, source, figures, notes, command },
    machine: machine(),
    ...rest,
  }
  makeFolder(out)
  writeText(join(out, 'claim.json'), `${JSON.stringify(record, null, 2)}\n`)
  if (drawings.length > 0) writeText(join(out, 'claim.svg'), svgFile(recordName(claim), drawings))
  return record
}

/** Where a claim is tried by default. */
export const claimFolder = (claim: Claim): string => join('runs', 'claims', recordName(claim))
