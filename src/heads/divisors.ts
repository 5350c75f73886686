import type { Graph, Value } from '../graph/graph.ts'
import { input } from '../graph/graph.ts'

/** The sum of target weights of the whole optimiser step, a fed scalar: micro-batches add up to the step's mean. */
export const lossDivisor = (graph: Graph): Value => graph.inputs.get('lossDivisor') ?? input(graph, 'lossDivisor', graph.float, [])

/** The number of targets of the whole optimiser step, a fed scalar. */
export const targetCount = (graph: Graph): Value => graph.inputs.get('targetCount') ?? input(graph, 'targetCount', graph.float, [])
