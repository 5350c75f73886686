import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { root } from '../training/trained-run.ts'

/** What a process tells when it is ready, and after each step. */
export interface Ready {
  readonly trainedWeights: number
  /** The most memory the process has had before its first step. */
  readonly readyBytes: number
  readonly versions: Readonly<Record<string, string>>
}
export interface StepMeasured {
  readonly ms: number
  readonly cpuMs: number
  readonly tokens: number
  readonly loss: number
  /** The most memory the process has had so far. */
  readonly peakBytes: number
  readonly flops?: number
}

/** One side of a round: a process that makes a step when asked. */
export interface Side extends Ready {
  ask<Told>(what: 'step' | 'rate' | 'consistency'): Promise<Told>
  end(): Promise<void>
}

export async function openSide(program: string, args: readonly string[]): Promise<Side> {
  const child = spawn(program, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async <T>(): Promise<T> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`a measuring process ended early, with ${(await exit)[0]}`)
    return JSON.parse(value) as T
  }
  const ready = await next<Ready>()
  return {
    ...ready,
    ask<Told>(what: string) {
      child.stdin.write(`${what}\n`)
      return next<Told>()
    },
    end: async () => {
      child.stdin.end()
      await exit
    },
  }
}

/** One side of a round, measured: `steps` without those of the warm-up. */
export interface Measured extends Ready {
  readonly steps: readonly StepMeasured[]
  readonly firstLoss: number
}

/** The steps of all sides, in turns. */
export async function inTurns(sides: readonly Side[], count: { readonly warmup: number; readonly steps: number }): Promise<Measured[]> {
  const steps: StepMeasured[][] = sides.map(() => [])
  for (let step = 0; step < count.warmup + count.steps; step++) {
    const turns = [...sides.entries()]
    // What one leaves behind in caches and threads that still spin is not to meet the same one each time.
    if (step % 2 === 1) turns.reverse()
    for (const [i, side] of turns) steps[i]!.push(await side.ask<StepMeasured>('step'))
  }
  return sides.map(({ trainedWeights, readyBytes, versions }, i) => ({
    ...{ trainedWeights, readyBytes, versions },
    steps: steps[i]!.slice(count.warmup),
    firstLoss: steps[i]![0]!.loss,
  }))
}
