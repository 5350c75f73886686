import type { Graph } from '../graph/graph.ts'
import type { Model } from '../models/open.ts'
import { openSession } from '../runtime/node.ts'
import type { Session, SessionOptions } from '../runtime/session.ts'

/** Compiles a graph over a model's weights for the device of the model, in the form in which the model takes part in products. */
export const openEngine = (model: Model, graph: Graph, options: Omit<SessionOptions, 'device'> = {}): Promise<Session> =>
  openSession(model.lowered(graph, options), { ...options, device: model.device })
