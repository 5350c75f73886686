import { energyMeter } from './energy.ts'

/** What a run has used, over all its sittings; wall-clock readings. */
export interface Spent {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakMemoryBytes: number
  /** Of the machine's processors, where every sitting could read them. */
  readonly joules?: number
}

export const nothingSpent: Spent = { seconds: 0, cpuSeconds: 0, peakMemoryBytes: 0, joules: 0 }

/** A meter that starts now and adds to what earlier sittings used, each time it is read. */
export function meter(earlier: Spent): () => Spent {
  const start = performance.now()
  const before = process.cpuUsage()
  const joules = energyMeter()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return {
      seconds: earlier.seconds + (performance.now() - start) / 1000,
      cpuSeconds: earlier.cpuSeconds + (user + system) / 1e6,
      peakMemoryBytes: Math.max(earlier.peakMemoryBytes, process.resourceUsage().maxRSS * 1024),
      ...(joules !== null && earlier.joules !== undefined && { joules: earlier.joules + joules() }),
    }
  }
}
