import type { LoraOptions } from '../methods/lora.ts'
import { loraScale } from '../methods/lora.ts'

const sorted = (pattern: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(pattern).sort(([a], [b]) => (a < b ? -1 : 1)))

/**
 * Options with the same ranks and alphas at `modules` whatever the order of the patterns' keys: the first that matches
 * counts, and PEFT's file has them sorted. Where that would matter, the modules are listed one by one.
 */
export function orderlessPatterns(options: LoraOptions, modules: readonly string[]): LoraOptions {
  const inOrder = { ...options, rankPattern: sorted(options.rankPattern), alphaPattern: sorted(options.alphaPattern) }
  const agrees = (name: string): boolean => {
    const [a, b] = [loraScale(options, name), loraScale(inOrder, name)]
    return a.rank === b.rank && a.scale === b.scale
  }
  if (modules.every(agrees)) return options
  const alphaOf = (name: string): number => loraScale({ ...options, r: 1, rankPattern: {}, rslora: false }, name).scale
  const list = (numberOf: (name: string) => number): Record<string, number> =>
    Object.fromEntries(modules.map((name) => [name, numberOf(name)]))
  return { ...options, rankPattern: list((name) => loraScale(options, name).rank), alphaPattern: list(alphaOf) }
}
