import type { Spectrum } from '../evaluate/spectrum.ts'
import { table } from '../track/table.ts'

const SHOWN = 6
const two = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 })

/** `0.4 0.21 … 0.003`: the largest, and the smallest of many. */
function range(values: readonly number[]): string {
  const numbers = values.map((value) => two.format(value))
  return numbers.length > SHOWN ? [...numbers.slice(0, SHOWN - 1), '…', numbers.at(-1)].join(' ') : numbers.join(' ')
}

/** Singular values by module, beside those that the method itself holds; empty where there are none. */
export function spectrumText(spectra: readonly Spectrum[]): string {
  if (spectra.length === 0) return ''
  const own = spectra.some(({ lambda }) => lambda)
  const rows = spectra.map(({ module, rank, scale, lambda, singularValues }) => [
    String(rank),
    ...(own ? [range((lambda ?? []).map((value) => Math.abs(scale) * value))] : []),
    range(singularValues),
    module,
  ])
  const header = ['rank', ...(own ? ['c |lambda|'] : []), 'singular values', 'module']
  const meaning = own ? 'c |lambda|: what they would be with orthonormal factors, at the scale c of the increments\n' : ''
  return `\nsingular values of the increments, largest first\n${meaning}${table([header, ...rows], { align: ['right', 'left', 'left', 'left'] })}`
}
