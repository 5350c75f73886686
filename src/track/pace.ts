/** What a step event tells of the speed. */
export interface Stride {
  readonly loss: number
  readonly tokens: number
  readonly ms: number
}

export interface Pace {
  add(stride: Stride): void
  /** Mean of the losses, older ones counting less. */
  readonly loss: number
  readonly tokensPerSecond: number
  readonly secondsPerStep: number
}

const MEMORY = 0.95
const WINDOW = 50

/** Smooths the loss, and measures speed over the last steps. */
export function openPace(): Pace {
  const recent: Stride[] = []
  let [sum, weight] = [0, 0]
  const total = (of: 'tokens' | 'ms'): number => recent.reduce((all, stride) => all + stride[of], 0)
  return {
    add(stride) {
      recent.push(stride)
      if (recent.length > WINDOW) recent.shift()
      sum = MEMORY * sum + (1 - MEMORY) * stride.loss
      weight = MEMORY * weight + (1 - MEMORY)
    },
    get loss() {
      return sum / weight
    },
    get tokensPerSecond() {
      return (1000 * total('tokens')) / total('ms')
    },
    get secondsPerStep() {
      return total('ms') / recent.length / 1000
    },
  }
}
