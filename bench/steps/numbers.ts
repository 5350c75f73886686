import type { Measured } from './sides.ts'

export function median(numbers: readonly number[]): number {
  const ordered = numbers.toSorted((a, b) => a - b)
  return (ordered[Math.floor((ordered.length - 1) / 2)]! + ordered[Math.ceil((ordered.length - 1) / 2)]!) / 2
}

export const rounded = (number: number, digits = 3): number => Number(number.toFixed(digits))
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** One side of a round in short. */
export function summary({ readyBytes, steps, firstLoss }: Measured) {
  const times = steps.map(({ ms }) => ms)
  const total = sum(times)
  const flops = sum(steps.map((step) => step.flops ?? 0))
  return {
    medianMs: rounded(median(times), 1),
    minMs: rounded(Math.min(...times), 1),
    maxMs: rounded(Math.max(...times), 1),
    totalMs: rounded(total, 1),
    medianCpuMs: rounded(median(steps.map(({ cpuMs }) => cpuMs)), 1),
    tokensPerSecond: Math.round((1e3 * sum(steps.map(({ tokens }) => tokens))) / total),
    ...(flops > 0 && { gflopsPerSecond: Math.round(flops / total / 1e6) }),
    peakMB: Math.round(steps.at(-1)!.peakBytes / 1e6),
    readyMB: Math.round(readyBytes / 1e6),
    firstLoss: rounded(firstLoss, 6),
  }
}
export type Summary = ReturnType<typeof summary>

/** The middle of some rounds with their spread, in four digits. */
export function spread(numbers: readonly number[]) {
  const four = (number: number): number => Number(number.toPrecision(4))
  return { median: four(median(numbers)), min: four(Math.min(...numbers)), max: four(Math.max(...numbers)), rounds: numbers.map(four) }
}
export type Spread = ReturnType<typeof spread>

/** `0.518 (0.484-0.552)`; a number alone where it was found once. */
export function spreadText({ median, min, max }: Spread): string {
  const [middle, low, high] = [median, min, max].map((number) => (number < 1000 ? number.toPrecision(3) : number.toFixed(0)))
  return low === high ? middle! : `${middle} (${low}-${high})`
}
