import { append, type Graph, type Node, output, type Value } from '../graph/graph.ts'
import { add, div, sqrt, sub } from '../graph/ops/elementwise.ts'
import { reduceSumSquare } from '../graph/ops/reduction.ts'
import { rewritten } from '../graph/rewritten.ts'
import { grouped } from '../grouped.ts'
import { liveNodes } from '../onnx/live.ts'
import type { ConvertedCopy } from '../weights/converted-copy.ts'
import type { FrozenMatrix, FrozenProduct, Lowering, Rounding } from './roundings/rounding.ts'

/** Smaller matrices cost more to prepare for than their product. */
const SMALLEST = 16

/** Frozen matrices of a fitting shape that are read by nothing but products from the right. */
function frozenMatrices(nodes: readonly Node[], { fits: has }: Rounding): ReadonlyMap<Value, FrozenMatrix> {
  const right = ({ op, inputs, attributes }: Node, value: Value): boolean =>
    op === 'Gemm' &&
    inputs[1] === value &&
    inputs[0] !== value &&
    inputs[2] !== value &&
    !attributes.transA &&
    attributes.alpha === undefined
  const reading = nodes.flatMap((node) => node.inputs.flatMap((value) => (value?.source.kind === 'external' ? [{ value, node }] : [])))
  return new Map(
    [...grouped(reading, ({ value }) => value)].flatMap(([value, readers]) => {
      const { source } = value
      const shape = value.shape as [number, number]
      const fits =
        shape.length === 2 && shape.every((size) => size >= SMALLEST) && has(shape) && readers.every(({ node }) => right(node, value))
      return fits && source.kind === 'external' ? [[value, { name: source.name, shape, range: source.range }] as const] : []
    }),
  )
}

/** What the products of a graph are made from. */
export interface RoundedForm {
  readonly rounding: Rounding
  /** Without it only shapes are of interest. */
  readonly copy: ConvertedCopy | null
}

const productOf = (build: FrozenProduct, x: Value, matrix: FrozenMatrix, { attributes }: Node): Value =>
  build(x, matrix, attributes.transB !== undefined)

/**
 * The graph with its products with frozen matrices made from their rounded form, forward and backward. All else stays as it is, and so do
 * matrices that something else reads too, and those named in `kept`.
 */
export function roundedProducts(
  graph: Graph,
  { rounding, copy }: RoundedForm,
  { kept = new Set(), ...lowering }: Lowering & { readonly kept?: ReadonlySet<string> } = {},
): Graph {
  const nodes = liveNodes(graph)
  const matrices = frozenMatrices(nodes, rounding)
  return rewritten(graph, nodes, (to) => {
    const build = rounding.products(to, copy, lowering)
    return {
      located: copy?.located ?? ((range) => range),
      replaced(node, [x, , bias = null]) {
        const matrix = matrices.get(node.inputs[1]!)
        if (!matrix || kept.has(matrix.name)) return null
        const found = productOf(build, x!, matrix, node)
        return [bias ? add(found, bias) : found]
      },
    }
  })
}

/** A graph, and the matrix whose error each of its further outputs tells. */
export interface WithErrors {
  readonly graph: Graph
  readonly matrices: ReadonlyMap<string, string>
}

/** The graph as it is, with the relative error (of Euclidean norms) that each product would have in the rounded form as a further output. */
export function withErrors(given: Graph, { rounding, copy }: RoundedForm & { readonly copy: ConvertedCopy }): WithErrors {
  const nodes = liveNodes(given)
  const frozen = frozenMatrices(nodes, rounding)
  const matrices = new Map<string, string>()
  const graph = rewritten(given, nodes, (to) => {
    const build = rounding.products(to, copy, {})
    return {
      located: copy.located,
      replaced(node, operands) {
        const matrix = frozen.get(node.inputs[1]!)
        if (!matrix) return null
        const [exact] = append(to, node.op, operands.slice(0, 2), [node.outputs[0]!], node.attributes)
        const rounded = productOf(build, operands[0]!, matrix, node)
        const told = `error.${matrices.size}`
        output(to, told, sqrt(div(reduceSumSquare(sub(rounded, exact!)), reduceSumSquare(exact!))))
        matrices.set(told, matrix.name)
        return [operands[2] ? add(exact!, operands[2]) : exact!]
      },
    }
  })
  return { graph, matrices }
}
