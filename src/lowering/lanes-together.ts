import { part, product, type Shape } from '../graph/dim.ts'
import { append, type Graph, type Node, type Value } from '../graph/graph.ts'
import { add } from '../graph/ops/elementwise.ts'
import { batchedMatmul, gemm } from '../graph/ops/matmul.ts'
import { concat, reshape } from '../graph/ops/movement.ts'
import { type CarriedOver, type Carry, carriedOver, unchanged } from '../graph/rewritten.ts'
import { alongRows, elementwise, joinsRows, splitsRows } from '../graph/row-operators.ts'
import { parameterTest } from './of-parameters.ts'

const same = (values: readonly unknown[]): boolean => values.every((value) => value === values[0])

/** Whether nodes do the same, each with its own operands. */
const alike = (nodes: readonly (Node | null)[]): nodes is Node[] =>
  nodes.every((node) => node !== null) &&
  same(nodes.map(({ op, attributes, inputs }) => `${op} ${JSON.stringify(attributes)} ${inputs.length}`))

/** What lanes compute each for itself, `[n, width]`, for all of them, `[lanes, n, width]`; null where it has no such form. */
function batched(carry: Carry, ofParameters: (value: Value) => boolean): (values: readonly Value[]) => Value | null {
  const parted = new Map<string, Value>()
  /** Rows with their lanes as an axis: one value, however often they are read, so that products of it can be joined. */
  const laned = (rows: Value, lanes: number): Value => {
    const key = `${lanes} ${rows.name}`
    const value = parted.get(key) ?? reshape(rows, [lanes, part(rows.shape[0]!, lanes), rows.shape[1]!])
    parted.set(key, value)
    return value
  }
  const rowsOf = (value: Value): Value => reshape(value, [product(value.shape.slice(0, 2)), value.shape[2]!])
  /** Parameters of each lane, one after another, with as many axes each. */
  const stacked = (values: readonly Value[], axes: number): Value => {
    const shape = ({ shape: own }: Value): Shape => [1, ...Array<number>(axes - own.length).fill(1), ...own]
    return concat(
      values.map((value) => reshape(carry(value), shape(value))),
      0,
    )
  }
  const common = (values: readonly Value[]): Value | null => (same(values) && ofParameters(values[0]!) ? carry(values[0]!) : null)
  /** An operand of an operator that broadcasts: of rows, or vectors and numbers of parameters. */
  const spread = (values: readonly Value[]): Value | null => {
    if (!values.every(ofParameters)) return together(values)
    return values[0]!.shape.length > 1 ? null : (common(values) ?? stacked(values, 2))
  }
  const productOf = (node: Node, [lefts, rights, added]: readonly (readonly Value[])[]): Value | null => {
    const { alpha = 1, transA, transB } = node.attributes
    const isRead = rights!.every((value) => ofParameters(value) && (same(rights!) || value.source.kind !== 'external'))
    const left = !transA && isRead ? together(lefts!) : null
    const more = left && added ? spread(added) : null
    if (!left || (added && !more)) return null
    const options = { transposeB: transB !== undefined, alpha: alpha as number }
    const shared = common(rights!)
    const found = shared
      ? laned(gemm(rowsOf(left), shared, null, options), lefts!.length)
      : batchedMatmul(left, stacked(rights!, 2), options)
    return more ? add(found, more) : found
  }
  const build = (values: readonly Value[]): Value | null => {
    const nodes = values.map(({ source }) => (source.kind === 'node' ? source.node : null))
    const [node] = nodes
    if (!node || values[0]!.shape.length !== 2) return null
    const areParts = splitsRows(node) && same(nodes) && node.outputs.length === values.length
    if (areParts && values.every((value, i) => value === node.outputs[i])) return laned(carry(node.inputs[0]!), values.length)
    if (!alike(nodes) || !nodes.every(({ outputs }, i) => outputs[0] === values[i])) return null
    const operands = node.inputs.map((_, at) => nodes.map(({ inputs }) => inputs[at]!))
    if (node.op === 'Gemm') return productOf(node, operands)
    const byRow = alongRows.has(node.op)
    if (!byRow && !elementwise.has(node.op)) return null
    const read = operands.map((lanes, at) => (!byRow ? spread(lanes) : at === 0 ? together(lanes) : common(lanes)))
    if (read.includes(null)) return null
    const types = node.outputs.map((value) => value && { dtype: value.dtype, shape: [values.length, ...value.shape] })
    return append(read[0]!.graph, node.op, read, types, node.attributes, node.domain)[0]!
  }
  const made = new Map<string, Value | null>()
  const together = (values: readonly Value[]): Value | null => {
    const key = values.map(({ name }) => name).join()
    if (!made.has(key)) made.set(key, build(values))
    return made.get(key)!
  }
  return together
}

/**
 * The graph, which is still to be differentiated, with what equal parts of a batch go through one by one, each with parameters of its own,
 * made for all parts at once: products become batched ones, and nothing is split off and put together again.
 */
export function lanesTogether(graph: Graph): CarriedOver {
  if (!graph.nodes.some((node) => splitsRows(node))) return unchanged(graph)
  const ofParameters = parameterTest()
  return carriedOver(graph, graph.nodes, (_to, carry) => {
    const together = batched(carry, ofParameters)
    return {
      differentiable: true,
      replaced(node) {
        if (!joinsRows(node)) return null
        const lanes = together(node.inputs as Value[])
        return lanes && [reshape(lanes, node.outputs[0]!.shape)]
      },
    }
  })
}
