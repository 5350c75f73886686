import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a busy core is taken to draw where nothing can be read: about the design power of server processors over their cores. */
export const WATTS_OF_A_CORE = 10

/** Counters of processor packages, where Linux lends them out (RAPL); those of their parts have a second number. */
const COUNTERS = '/sys/class/powercap'
const isPackage = (name: string): boolean => /^intel-rapl:\d+$/.test(name)

interface Counter {
  readonly microjoules: () => number
  /** It starts anew after this many. */
  readonly range: number
}

const numberIn = (file: string): number => {
  const number = Number(readFileSync(file, 'utf8').trim() || Number.NaN)
  if (!Number.isFinite(number)) throw new Error(`${file} holds no number`)
  return number
}

/** Null where there are none, or only root may read them. */
function countersIn(folder: string): Counter[] | null {
  try {
    const packages = existsSync(folder) ? readdirSync(folder).filter(isPackage) : []
    const counters = packages.map((name) => {
      const microjoules = (): number => numberIn(join(folder, name, 'energy_uj'))
      microjoules()
      return { microjoules, range: numberIn(join(folder, name, 'max_energy_range_uj')) }
    })
    return counters.length > 0 ? counters : null
  } catch {
    return null
  }
}

/**
 * A meter of what the machine's processors draw from now on, in joules, the work of others among it; null where nothing can be read. Its
 * counters start anew after a quarter of an hour or more, so that it wants to be read oftener.
 */
export function energyMeter(folder = COUNTERS): (() => number) | null {
  const counters = countersIn(folder)
  if (counters === null) return null
  let [sum, last] = [0, counters.map(({ microjoules }) => microjoules())]
  return () => {
    const now = counters.map(({ microjoules }) => microjoules())
    for (const [i, { range }] of counters.entries()) sum += (now[i]! - last[i]! + (now[i]! < last[i]! ? range : 0)) / 1e6
    last = now
    return sum
  }
}

/** Joules of a run as they were read, or estimated from its processor time. */
export function energyOf({ joules, cpuSeconds }: { readonly joules?: number | undefined; readonly cpuSeconds: number }): {
  readonly joules: number
  readonly estimated: boolean
} {
  return joules === undefined ? { joules: WATTS_OF_A_CORE * cpuSeconds, estimated: true } : { joules, estimated: false }
}
