/** An arc of a network of flows, between vertices that are numbered from 0. */
export interface Arc {
  readonly from: number
  readonly to: number
  readonly capacity: number
}

/**
 * The vertices on the source's side of a minimum cut, the fewest of them where several cuts are as small (Edmonds and Karp 1972). Every path
 * must have an arc of finite capacity.
 */
export function sourceSide(arcs: readonly Arc[], source: number, sink: number): ReadonlySet<number> {
  // Arc 2i is the given one, 2i + 1 takes back what flows through it.
  const ends = arcs.flatMap(({ from, to }) => [to, from])
  const room = arcs.flatMap(({ capacity }) => [capacity, 0])
  const leaving = new Map<number, number[]>()
  for (const [i, end] of ends.entries()) {
    const start = ends[i ^ 1]!
    if (!leaving.has(start)) leaving.set(start, [])
    leaving.get(start)!.push(i)
    if (!leaving.has(end)) leaving.set(end, [])
  }
  for (;;) {
    /** The arc by which a vertex was reached, by the shortest way. */
    const reached = new Map<number, number>([[source, -1]])
    for (const vertex of reached.keys()) {
      if (vertex === sink) break
      for (const arc of leaving.get(vertex) ?? []) if (room[arc]! > 0 && !reached.has(ends[arc]!)) reached.set(ends[arc]!, arc)
    }
    if (!reached.has(sink)) return new Set(reached.keys())
    const path: number[] = []
    for (let vertex = sink; vertex !== source; vertex = ends[path.at(-1)! ^ 1]!) path.push(reached.get(vertex)!)
    const flow = Math.min(...path.map((arc) => room[arc]!))
    for (const arc of path) {
      room[arc]! -= flow
      room[arc ^ 1]! += flow
    }
  }
}
