import { append, type Graph, type Node, scalar, type Value } from '../graph/graph.ts'
import { add, exp, log, mul, sub } from '../graph/ops/elementwise.ts'
import { transpose } from '../graph/ops/movement.ts'
import { reduceMax, reduceSum } from '../graph/ops/reduction.ts'
import { rewritten } from '../graph/rewritten.ts'
import { type Device, lacking } from '../onnx/devices.ts'
import { liveNodes } from '../onnx/live.ts'

/** The last two axes swapped. */
function turned(x: Value): Value {
  const axes = x.shape.map((_, i) => i)
  return transpose(x, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!])
}

/** A node in operators that every device has. */
type Form = (operands: readonly Value[], node: Node) => Value

const forms: Readonly<Record<string, Form>> = {
  FusedMatMul([a, b], { attributes: { transA, transB, alpha }, outputs }) {
    const left = transA ? turned(a!) : a!
    const operands = [typeof alpha === 'number' ? mul(left, alpha) : left, transB ? turned(b!) : b!]
    return append(left.graph, 'MatMul', operands, [outputs[0]!])[0]!
  },
  LogSoftmax([x]) {
    const below = sub(x!, reduceMax(x!, { axes: [-1], keep: true }))
    return sub(below, log(reduceSum(exp(below), { axes: [-1], keep: true })))
  },
  Sum: (operands) => operands.reduce(add),
  ConstantOfShape: ([shape], { outputs }) => append(shape!.graph, 'Expand', [scalar(shape!.graph, 0), shape!], [outputs[0]!])[0]!,
}

/** The graph in operators that a device has kernels for, as far as many numbers go through them. */
export function inFormsOf(device: Device, graph: Graph): Graph {
  const absent = lacking[device]
  if (absent.size === 0) return graph
  return rewritten(graph, liveNodes(graph), () => ({
    located: (range) => range,
    replaced: (node, operands) => (absent.has(node.op) ? [forms[node.op]!(operands as readonly Value[], node)] : null),
  }))
}
