import { metricOf } from '../tasks/metric-name.ts'

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const three = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 })

/** `1,234,567` */
export const count = (n: number): string => (Number.isFinite(n) ? whole.format(n) : '–')

/** Three digits that count. */
export const digits = (n: number): string => three.format(n)

/** A share with three digits that count: `0.228 %`. */
export const percent = (part: number, total: number): string => (total > 0 ? `${three.format((100 * part) / total)} %` : '–')

/** Three digits that count and a unit, each a thousand of the one before. */
function scaled(n: number, units: readonly string[]): string {
  let [value, unit] = [n, 0]
  while (Number(value.toPrecision(3)) >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1]
  return `${three.format(value)} ${units[unit]}`
}

/** `8.49 MB`; units of a thousand. */
export const bytes = (n: number): string => scaled(n, ['B', 'kB', 'MB', 'GB', 'TB'])

/** Floating-point operations: `12.3 TFLOP`. */
export const flops = (n: number): string =>
  scaled(
    n,
    ['', 'k', 'M', 'G', 'T', 'P', 'E'].map((prefix) => `${prefix}FLOP`),
  )

/** `12.3 kJ`. */
export const energy = (joules: number): string => scaled(joules, ['J', 'kJ', 'MJ', 'GJ'])

const two = (n: number): string => String(n).padStart(2, '0')

/** `4.2 s`, `2 min 05 s`, `3 h 20 min`, `2 d 07 h`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–'
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const total = Math.round(seconds)
  if (total < 60) return `${total} s`
  if (total < 3600) return `${Math.floor(total / 60)} min ${two(total % 60)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`
  const hours = Math.round(seconds / 3600)
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`
}

const shares = new Set([
  ...['accuracy', 'f1', 'matthews', 'pearson', 'spearman', 'correlation', 'precision', 'recall'],
  ...['rouge1', 'rouge2', 'rougeL', 'rougeLsum', 'captionRougeL', 'meteorExactStem'],
])

/** A metric, by its full name, as papers print it: shares and correlations times 100, one decimal; others with three digits that count. */
export const metric = (name: string, value: number): string => (shares.has(metricOf(name)) ? (100 * value).toFixed(1) : digits(value))
