import { type Dim, part } from '../graph/dim.ts'
import { append, type Graph, type Node, type Value } from '../graph/graph.ts'
import { concat, reshape, sizeOf, slice } from '../graph/ops/movement.ts'
import { rewritten } from '../graph/rewritten.ts'
import { alongRows, elementwise } from '../graph/row-operators.ts'
import { isStreamInput, tellsPlaces } from '../nn/stream.ts'
import { liveNodes } from '../onnx/live.ts'

/** Sizes that a batch of several passes has so many times. */
const repeated = (dim: Dim | undefined): boolean => typeof dim === 'string' && /(^|\*)(rows|tokens|\w+Tokens)\b/.test(dim)

/** The size that a Shape node tells. */
const toldBy = ({ inputs, attributes }: Node): Dim => inputs[0]!.shape[(attributes.start as { readonly int: number }).int]!

/** What of a tensor one pass needs: a part of it, or, for a tensor that has nothing to do with the passes, all. */
interface OfPass {
  readonly value: Value
  readonly part: boolean
  /** Whether its numbers are places in the batch, which each pass has of its own. */
  readonly places: boolean
}

/** Whether a node that reads these operands, whole or a pass's part, makes the pass's part of its result. */
function goesByPass({ op, inputs, outputs, attributes }: Node, parts: readonly (boolean | null)[]): boolean {
  const rank = outputs.find((value) => value !== null)!.shape.length
  // A tensor that is there once may only be spread over the axis in which passes follow each other.
  const spread = (value: Value | null): boolean => value === null || value.shape.length < rank || value.shape[0] === 1
  const first = parts[0] === true && parts.slice(1).every((isPart) => isPart !== true)
  if (elementwise.has(op)) return inputs.every((value, i) => parts[i] === true || spread(value))
  if (alongRows.has(op)) return first && rank > 1
  if (op === 'Gemm') return first && !attributes.transA && (inputs[2] === undefined || spread(inputs[2]))
  if (op === 'FusedMatMul') return parts.every((isPart) => isPart === true)
  if (op === 'Transpose') return (attributes.perm as readonly number[])[0] === 0
  // Rows of a table, or a move of tokens within their rows.
  if (op === 'Gather') return parts[1] === true && (parts[0] === true || !repeated(inputs[0]!.shape[0]))
  return op === 'Reshape' && first
}

/**
 * The graph with what is alike in all passes of a batch made once: all before a first parameter, random number or choice of a method.
 * Inputs of the batch, those with a size `rows` or `tokens` in front, must hold the passes one after another, each with its own places. A
 * single pass stays as it is.
 */
export function alikePasses(graph: Graph, passes: number): Graph {
  if (passes === 1) return graph
  const nodes = liveNodes(graph)
  const known = new Map<Value, OfPass>()
  return rewritten(graph, nodes, (to) => {
    const leaf = (value: Value, carried: Value): OfPass | null => {
      if (value.source.kind === 'constant' || value.source.kind === 'external') return { value: carried, part: false, places: false }
      if (value.source.kind !== 'input' || !isStreamInput(value.name)) return null
      if (!repeated(value.shape[0])) return { value: carried, part: false, places: false }
      const size = part(value.shape[0]!, passes)
      return { value: slice(carried, 0, 0, sizeOf(to, size), size), part: true, places: tellsPlaces(value.name) }
    }
    const ofPass = (value: Value, carried: Value): OfPass | null => {
      const found = known.get(value) ?? leaf(value, carried)
      if (found) known.set(value, found)
      return found
    }
    return {
      replaced(node, operands) {
        const isReshape = node.op === 'Reshape'
        const sources = node.inputs.map((value, i) => (value && !(isReshape && i === 1) ? { value, carried: operands[i]! } : null))
        const read = sources.map((source) => source && ofPass(source.value, source.carried))
        if (sources.some((source, i) => source && !read[i])) return null
        const tells = node.op === 'Shape' && !repeated(toldBy(node))
        const parts = read.map((each) => each?.part ?? null)
        const keep = (made: readonly Value[], part: boolean, places = false): void => {
          for (const [i, value] of node.outputs.filter((value) => value !== null).entries())
            known.set(value, { value: made[i]!, part, places })
        }
        const asItIs = () => append(to, node.op, operands, node.outputs, node.attributes, node.domain)
        if (tells || !(parts.includes(true) || isReshape)) {
          const made = asItIs()
          keep(made, false)
          return made
        }
        if (!goesByPass(node, parts) || !node.outputs.every((value) => value === null || repeated(value.shape[0]))) return null
        const types = node.outputs.map(
          (value) => value && { dtype: value.dtype, shape: [part(value.shape[0]!, passes), ...value.shape.slice(1)] },
        )
        const own = read.map((each) => each?.value ?? null)
        const made = isReshape ? [reshape(own[0]!, types[0]!.shape)] : append(to, node.op, own, types, node.attributes, node.domain)
        // What is picked by places is no place.
        const places = read.some((each, i) => each?.places && !(node.op === 'Gather' && i === 1))
        keep(made, true, places)
        // What is read as a whole is put together; what is not falls away.
        return places
          ? asItIs()
          : made.map((value) =>
              concat(
                Array.from({ length: passes }, () => value),
                0,
              ),
            )
      },
    }
  })
}
