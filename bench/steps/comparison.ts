import { loadavg } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { parseRun } from '../../src/config/parse.ts'
import type { RunConfig } from '../../src/config/run-config.ts'
import { prepare } from '../../src/train/prepare.ts'
import { type Circumstances, circumstances } from '../report/circumstances.ts'
import type { Case, Figure } from './case.ts'
import { median, rounded, type Spread, type Summary, spread, summary } from './numbers.ts'
import { batchesOf, learningRate, peerCase, settingsOf } from './side-files.ts'
import { inTurns, type Measured, openSide, type Side } from './sides.ts'

export interface Count {
  readonly rounds: number
  readonly steps: number
  readonly warmup: number
  readonly threads: number
}

async function stepsOf({ steps }: Case, config: RunConfig, asked: number): Promise<number> {
  if (steps !== 'epoch') return steps ?? asked
  return Math.ceil((await prepare(config)).examples.length / config.train.batchSize)
}

interface Round {
  readonly load: number
  readonly sides: Readonly<Record<string, Measured>>
  /** What the step's products take at the best rate of any engine, in ms, by side. */
  readonly limit: Readonly<Record<string, number>>
  /** The consistency loss alone, in ms. */
  readonly consistency: number | null
  /** Best rate of the products, in GFLOP/s, by engine. */
  readonly rates: Readonly<Record<string, number>>
}

/** The rate of the case's products in each engine, in floating-point operations per ms. */
async function ratesOf({ products, sides }: Case, opened: ReadonlyMap<string, Side>): Promise<Record<string, number>> {
  if (!products) return {}
  const flops = products.reduce((sum, [rows, inner, columns]) => sum + 2 * rows * inner * columns, 0)
  const engines = new Map(Object.entries(sides).map(([name, { engine }]) => [engine, name]))
  const found: Record<string, number> = {}
  for (const [engine, name] of engines) {
    const { productsMs } = await opened.get(name)!.ask<{ productsMs: number[] }>('rate')
    found[engine] = flops / productsMs.reduce((sum, ms) => sum + ms, 0)
  }
  return found
}

/** What sides that are too large to be in memory together measure, one after another. */
async function oneByOne(names: readonly string[], open: (name: string) => Promise<Side>, count: Count): Promise<Round> {
  const load = rounded(loadavg()[0]!, 2)
  const sides: Record<string, Measured> = {}
  for (const name of names) {
    const side = await open(name)
    sides[name] = (await inTurns([side], count))[0]!
    await side.end()
  }
  return { load, sides, limit: {}, consistency: null, rates: {} }
}

async function makeRound(each: Case, open: (name: string) => Promise<Side>, count: Count): Promise<Round> {
  if (each.apart) return oneByOne(Object.keys(each.sides), open, count)
  const load = rounded(loadavg()[0]!, 2)
  const sides = new Map<string, Side>()
  for (const name of Object.keys(each.sides)) sides.set(name, await open(name))
  const measured = await inTurns([...sides.values()], count)
  const byName = Object.fromEntries([...sides.keys()].map((name, i) => [name, measured[i]!]))
  const asks = (over: string): boolean => each.figures.some((figure) => figure.over === over || figure.of === over)
  const rates = asks('limit') ? await ratesOf(each, sides) : {}
  const own = [...sides].find(([name]) => each.sides[name]!.engine === 'adatune')!
  const consistency = asks('consistency') ? (await own[1].ask<{ consistencyMs: number }>('consistency')).consistencyMs : null
  for (const side of sides.values()) await side.end()
  // Torch does not count: its step has the products of ours, where both do the same work, or more.
  const flops = (name: string): number =>
    median((byName[name]!.steps[0]!.flops ? byName[name]! : byName[own[0]]!).steps.map((s) => s.flops!))
  const best = Math.max(...Object.values(rates))
  const limit = Object.fromEntries([...sides.keys()].map((name) => [name, flops(name) / best]))
  const told = Object.fromEntries(Object.entries(rates).map(([engine, rate]) => [engine, rounded(rate / 1e6, 1)]))
  return { load, sides: byName, limit, consistency, rates: told }
}

const measures = { time: 'medianMs', total: 'totalMs', memory: 'peakMB' } as const

/** A figure in each round. */
function ratios({ of, over, by }: Figure, rounds: readonly Round[]): number[] {
  return rounds.map(({ sides, limit, consistency }) => {
    const number = (name: string): number => {
      if (name === 'limit') return limit[of]!
      if (name === 'consistency') return consistency!
      return summary(sides[name]!)[measures[by]]
    }
    return number(of) / number(over)
  })
}

/** What the rounds of a case came to. */
export interface Compared extends Circumstances {
  readonly about: string
  readonly settings: object
  readonly figures: readonly { readonly name: string; readonly ratio: Spread }[]
  readonly sides: Readonly<Record<string, { readonly trainedWeights: number; readonly rounds: readonly Summary[] }>>
  readonly productRates: readonly Readonly<Record<string, number>>[]
  readonly loads: readonly number[]
  readonly command: string
}

/** What both sides must agree on before their times say anything. */
function assertAlike(name: string, { sides, dropout }: Case, round: Round): void {
  const names = Object.keys(sides)
  for (const [i, other] of names.entries()) {
    const first = names.slice(0, i).find((name) => isDeepStrictEqual(sides[name]!.method, sides[other]!.method))
    if (first === undefined) continue
    const [a, b] = [round.sides[first]!, round.sides[other]!]
    if (a.trainedWeights !== b.trainedWeights)
      throw new Error(`${name}: ${first} trains ${a.trainedWeights} weights, ${other} ${b.trainedWeights}`)
    // The same weights and rows, and an increment that is zero at the start.
    const exact = [first, other].every((side) => (sides[side]!.base ?? 'float32') === 'float32')
    if (dropout === 0 && exact && Math.abs(a.firstLoss - b.firstLoss) > 1e-4)
      throw new Error(`${name}: the first loss of ${first} is ${a.firstLoss}, that of ${other} ${b.firstLoss}`)
  }
}

/** Rounds of one case; null where its files are not there. Without a Python for torch its sides and what needs them are left out. */
export async function compare(name: string, given: Case, peerPython: string | null, asked: Count): Promise<Compared | null> {
  const files = given.files()
  if (!files) return null
  const sides = Object.fromEntries(Object.entries(given.sides).filter(([, { engine }]) => engine === 'adatune' || peerPython !== null))
  const known = (side: string): boolean => side in sides || side === 'limit' || side === 'consistency'
  const each: Case = { ...given, sides, figures: given.figures.filter(({ of, over }) => known(of) && known(over)) }
  const { threads } = asked
  const configs = Object.fromEntries(
    Object.entries(sides).map(([side, settings]) => [side, parseRun(settingsOf(each, settings, files, threads), 'bench/step.ts')]),
  )
  const any = Object.values(configs)[0]!
  const warmup = Math.max(asked.warmup, given.warmup ?? 0)
  const count = { ...asked, warmup, steps: await stepsOf(given, any, asked.steps) }
  const batches = await batchesOf(name, any, count.warmup + count.steps)
  const found = circumstances()
  const open = (side: string): Promise<Side> => {
    const { engine } = sides[side]!
    if (engine === 'adatune')
      return openSide(process.execPath, ['--import', 'tsx', 'bench/step.ts', name, '--alone', side, '--threads', String(threads)])
    return openSide(peerPython!, ['bench/peer/step.py', peerCase(name, given, sides[side]!, { files, batches, threads })])
  }

  const rounds: Round[] = []
  for (let round = 0; round < count.rounds; round++) {
    rounds.push(await makeRound(each, open, count))
    const { load, sides: made } = rounds.at(-1)!
    const told = Object.entries(made).map(([side, measured]) => {
      const { medianMs, minMs, maxMs, peakMB } = summary(measured)
      return `${side} ${medianMs} ms (${minMs} to ${maxMs}), peak ${peakMB} MB`
    })
    console.log(`${name} round ${round + 1}, load ${load}: ${told.join('; ')}`)
    assertAlike(name, each, rounds[0]!)
  }
  const { batchSize, dropout } = given
  return {
    about: given.about,
    settings: { batchSize, dropout: dropout ?? 'of the config', learningRate, ...count, sides },
    figures: each.figures.map((figure) => ({ name: figure.name, ratio: spread(ratios(figure, rounds)) })),
    sides: Object.fromEntries(
      Object.keys(sides).map((side) => [
        side,
        { trainedWeights: rounds[0]!.sides[side]!.trainedWeights, rounds: rounds.map((round) => summary(round.sides[side]!)) },
      ]),
    ),
    productRates: rounds.map(({ rates }) => rates),
    loads: rounds.map(({ load }) => load),
    ...found,
    versions: Object.assign({}, found.versions, ...Object.values(rounds[0]!.sides).map(({ versions }) => versions)),
    command: `npm run bench -- step ${name} --rounds ${count.rounds} --steps ${asked.steps} --warmup ${asked.warmup} --threads ${threads}`,
  }
}
