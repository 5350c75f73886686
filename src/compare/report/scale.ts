/** Where values lie on an axis. */
export interface Scale {
  at(value: number): number
  readonly ticks: readonly number[]
}

export interface Range {
  readonly from: number
  readonly to: number
}

/** The smallest range that holds some values; a little room where they are one. */
function extent(values: readonly number[]): Range {
  const [from, to] = [Math.min(...values), Math.max(...values)]
  if (!(Number.isFinite(from) && Number.isFinite(to))) return { from: 0, to: 1 }
  if (from < to) return { from, to }
  const room = Math.abs(from) * 0.05 || 1
  return { from: from - room, to: to + room }
}

/** Steps of 1, 2 or 5 times a power of ten, about `count` of them. */
function roundStep(span: number, count: number): number {
  const power = 10 ** Math.floor(Math.log10(span / count))
  const factor = [1, 2, 5, 10].find((each) => span / (each * power) <= count)!
  return factor * power
}

/** A scale from round number to round number around the values, drawn over `pixels`. */
export function linear(values: readonly number[], pixels: Range, count = 5): Scale {
  const { from, to } = extent(values)
  const step = roundStep(to - from, count)
  const [low, high] = [Math.floor(from / step + 1e-9), Math.ceil(to / step - 1e-9)]
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => (low + i) * step)
  const share = (value: number): number => (value / step - low) / (high - low)
  return { ticks, at: (value) => pixels.from + share(value) * (pixels.to - pixels.from) }
}

/** A logarithmic scale with ticks at 1, 2 and 5 times powers of ten; values must be above 0. */
export function logarithmic(values: readonly number[], pixels: Range): Scale {
  const { from, to } = extent(values.map(Math.log10))
  const room = 0.06 * (to - from)
  const [low, high] = [from - room, to + room]
  const powers = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, i) => 10 ** (Math.floor(low) + i))
  const inside = (tick: number): boolean => Math.log10(tick) >= low && Math.log10(tick) <= high
  const fine = powers.flatMap((power) => [1, 2, 5].map((factor) => factor * power)).filter(inside)
  const coarse = powers.filter(inside)
  return {
    ticks: coarse.length >= 4 ? coarse : fine,
    at: (value) => pixels.from + ((Math.log10(value) - low) / (high - low)) * (pixels.to - pixels.from),
  }
}
