import { append, type Graph, type Node, scalar, type Value } from '../graph/graph.ts'
import { add, div, exp, log, mul, sqrt, sub } from '../graph/ops/elementwise.ts'
import { slice, transpose } from '../graph/ops/movement.ts'
import { reduceMax, reduceMean, reduceSum } from '../graph/ops/reduction.ts'
import { rewritten } from '../graph/rewritten.ts'
import { type Device, lacking, mostParts } from '../onnx/devices.ts'
import { liveNodes } from '../onnx/live.ts'

/** The last two axes swapped. */
function turned(x: Value): Value {
  const axes = x.shape.map((_, i) => i)
  return transpose(x, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!])
}

/** A node's results by operators that every device has. */
type Form = (operands: readonly Value[], node: Node) => readonly Value[]

const forms: Readonly<Record<string, Form>> = {
  FusedMatMul([a, b], { attributes: { transA, transB, alpha }, outputs }) {
    const left = transA ? turned(a!) : a!
    const operands = [typeof alpha === 'number' ? mul(left, alpha) : left, transB ? turned(b!) : b!]
    return append(left.graph, 'MatMul', operands, [outputs[0]!]) as readonly Value[]
  },
  LogSoftmax([x]) {
    const below = sub(x!, reduceMax(x!, { axes: [-1], keep: true }))
    return [sub(below, log(reduceSum(exp(below), { axes: [-1], keep: true })))]
  },
  Sum: (operands) => [operands.reduce(add)],
  ConstantOfShape: ([shape], { outputs }) =>
    append(shape!.graph, 'Expand', [scalar(shape!.graph, 0), shape!], [outputs[0]!]) as readonly Value[],
  SimplifiedLayerNormalization([x, weight], { attributes }) {
    const square = reduceMean(mul(x!, x!), { axes: [-1], keep: true })
    const inverse = div(1, sqrt(add(square, attributes.epsilon as number)))
    return [mul(mul(x!, inverse), weight!), inverse]
  },
}

/** The results of a Split one by one, where their sizes are known; null where they are not. */
function slices(x: Value, { attributes, outputs }: Node): readonly Value[] | null {
  const axis = (attributes.axis as { readonly int: number }).int
  const sizes = outputs.map((value) => value!.shape[axis]!)
  if (sizes.some((size) => typeof size !== 'number')) return null
  let start = 0
  return (sizes as number[]).map((size) => {
    const part = slice(x, axis, start, start + size, size)
    start += size
    return part
  })
}

/** The graph in operators that a device has kernels for, as far as many numbers go through them. */
export function inFormsOf(device: Device, graph: Graph): Graph {
  const absent = lacking[device]
  if (absent.size === 0) return graph
  return rewritten(graph, liveNodes(graph), () => ({
    replaced(node, operands) {
      if (node.op === 'Split' && node.outputs.length > mostParts[device]) return slices(operands[0]!, node)
      return absent.has(node.op) ? forms[node.op]!(operands as readonly Value[], node) : null
    },
  }))
}
