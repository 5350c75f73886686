import { linearRegression, linearRegressionLine, rSquared } from 'simple-statistics'

/** `y = factor x^exponent`, by least squares of the logarithms. */
export interface PowerLaw {
  readonly exponent: number
  at(x: number): number
  /** The share of the logarithms' variance that it explains. */
  readonly explained: number
}

/** The power law nearest to some points; null for fewer than two, or any that is not above 0. */
export function powerLaw(points: readonly { readonly x: number; readonly y: number }[]): PowerLaw | null {
  if (points.length < 2 || points.some(({ x, y }) => !(x > 0 && y > 0))) return null
  const logarithms = points.map(({ x, y }) => [Math.log(x), Math.log(y)])
  const line = linearRegression(logarithms)
  const at = linearRegressionLine(line)
  return { exponent: line.m, at: (x) => Math.exp(at(Math.log(x))), explained: rSquared(logarithms, at) }
}
