import type { Dim } from '../graph/dim.ts'
import { append, constant, external, type Graph, type Node, output, scalar, type Value } from '../graph/graph.ts'
import { add, div, maximum, mul, neg, sqrt, sub } from '../graph/ops/elementwise.ts'
import { expand, reshape } from '../graph/ops/movement.ts'
import { reduceMax, reduceMin, reduceSumSquare } from '../graph/ops/reduction.ts'
import { rewritten } from '../graph/rewritten.ts'
import { liveNodes } from '../onnx/live.ts'
import type { Int8Copy } from '../weights/int8-copy.ts'

/** Smaller matrices cost more to prepare for than their product. */
const SMALLEST = 16
/** Keeps rows of zeros from a scale of zero. */
const TINY = 2 ** -100
/** What stands for 0 in rows of bytes; a row's largest value is 127 steps away. */
const ZERO = 128

/** Frozen matrices that are read by nothing but products from the right. */
function frozenMatrices(nodes: readonly Node[]): Set<Value> {
  const right = ({ op, inputs, attributes }: Node, value: Value): boolean =>
    op === 'Gemm' &&
    inputs[1] === value &&
    inputs[0] !== value &&
    inputs[2] !== value &&
    !attributes.transA &&
    attributes.alpha === undefined
  const read = new Map<Value, Node[]>()
  for (const node of nodes)
    for (const value of node.inputs) if (value?.source.kind === 'external') read.set(value, [...(read.get(value) ?? []), node])
  const fits = ([value, readers]: [Value, Node[]]): boolean =>
    value.shape.length === 2 && value.shape.every((size) => (size as number) >= SMALLEST) && readers.every((node) => right(node, value))
  return new Set([...read].filter(fits).map(([value]) => value))
}

/** Rows in bytes, and what each is multiplied by, `[rows, 1]`. */
interface ByteRows {
  readonly bytes: Value
  readonly scales: Value
}

/** The product of a Gemm with a frozen matrix, in whole numbers. */
type Int8Product = (x: Value, weight: Value, node: Node, bias: Value | null) => Value

/** A frozen tensor by its name in the checkpoint. */
function nameOf({ name, source }: Value): string {
  if (source.kind === 'external') return source.name
  throw new Error(`"${name}" is not frozen`)
}

/** Builds products in whole numbers in a graph; each operand is made bytes once. */
function int8Product(to: Graph, copy: Int8Copy | null): Int8Product {
  const zeros = new Map<Dim, Value>()
  const zerosOf = (rows: Dim): Value => {
    if (!zeros.has(rows)) zeros.set(rows, expand(constant(to, [ZERO], [1], 'uint8'), [rows]))
    return zeros.get(rows)!
  }
  const known = new Map<Value, ByteRows>()
  const inBytes = (x: Value): ByteRows => {
    if (!known.has(x)) {
      const rows = x.shape[0]!
      const largest = maximum([reduceMax(x, { axes: [1] }), neg(reduceMin(x, { axes: [1] })), scalar(to, TINY)])
      const scales = mul(largest, 1 / 127)
      const bytes = append(to, 'QuantizeLinear', [x, scales, zerosOf(rows)], [{ dtype: 'uint8', shape: x.shape }], { axis: { int: 0 } })
      known.set(x, { bytes: bytes[0]!, scales: reshape(scales, [rows, 1]) })
    }
    return known.get(x)!
  }
  return (x, weight, { attributes, outputs }, bias) => {
    const transposed = attributes.transB !== undefined
    const [rows, columns] = weight.shape as [number, number]
    const range = weight.source.kind === 'external' ? weight.source.range : null
    const stored = range && copy ? copy.matrix(range, [rows, columns], transposed) : null
    const shape = transposed ? [columns, rows] : [rows, columns]
    const form = `${nameOf(weight)}${transposed ? ' transposed' : ''}`
    const values = external(to, `${form} int8`, shape, stored?.values ?? null, 'int8')
    const scales = external(to, `${form} scales`, shape.slice(1), stored?.scales ?? null)
    const { bytes, scales: rowScales } = inBytes(x)
    const operands = [bytes, values, scalar(to, 1), scales, scalar(to, ZERO, 'uint8')]
    const type = { dtype: 'float32', shape: outputs[0]!.shape } as const
    const found = mul(append(to, 'MatMulIntegerToFloat', operands, [type], {}, 'com.microsoft')[0]!, rowScales)
    return bias ? add(found, bias) : found
  }
}

/**
 * The graph with its products with frozen matrices in whole numbers, forward and backward: weights in 8 bits a column of the product, rows
 * of activations and gradients in 8 bits each by its own largest value, so that no row depends on the others of its batch. All else stays as
 * it is, and so do matrices that something else reads too, and those named in `kept`. Without a copy only shapes are of interest.
 */
export function int8Products(graph: Graph, copy: Int8Copy | null, kept: ReadonlySet<string> = new Set()): Graph {
  const nodes = liveNodes(graph)
  const matrices = frozenMatrices(nodes)
  return rewritten(graph, nodes, (to) => {
    const product = int8Product(to, copy)
    return {
      located: copy?.located ?? ((range) => range),
      replaced(node, [x, , bias = null]) {
        const weight = node.inputs[1]
        return weight && matrices.has(weight) && !kept.has(nameOf(weight)) ? [product(x!, weight, node, bias)] : null
      },
    }
  })
}

/** A graph, and the matrix whose error each of its further outputs tells. */
export interface WithErrors {
  readonly graph: Graph
  readonly matrices: ReadonlyMap<string, string>
}

/** The graph as it is, with the relative error (of Euclidean norms) that each product would have in whole numbers as a further output. */
export function withInt8Errors(given: Graph, copy: Int8Copy): WithErrors {
  const nodes = liveNodes(given)
  const frozen = frozenMatrices(nodes)
  const matrices = new Map<string, string>()
  const graph = rewritten(given, nodes, (to) => {
    const product = int8Product(to, copy)
    return {
      located: copy.located,
      replaced(node, operands) {
        const weight = node.inputs[1]
        if (!weight || !frozen.has(weight)) return null
        const [exact] = append(to, node.op, operands.slice(0, 2), [node.outputs[0]!], node.attributes)
        const rounded = product(operands[0]!, weight, node, null)
        const told = `error.${matrices.size}`
        output(to, told, sqrt(div(reduceSumSquare(sub(rounded, exact!)), reduceSumSquare(exact!))))
        matrices.set(told, nameOf(weight))
        return [operands[2] ? add(exact!, operands[2]) : exact!]
      },
    }
  })
  return { graph, matrices }
}
