import { type Dim, part } from './dim.ts'
import type { Node, Value } from './graph.ts'
import { append } from './graph.ts'
import { cast, mul, sub } from './ops/elementwise.ts'
import { concat, gather, reshape, sizeOf, split } from './ops/movement.ts'
import { alongRows, elementwise, joinsRows, splitsRows } from './row-operators.ts'

/** Some rows of tensors that have one along their first axis for each token. */
export interface Picking {
  /** Which rows, `[n]`; where `lanes` are more than one, an equal part of them lies in each. */
  readonly index: Value
  /** These rows of a tensor that is there as a whole. */
  readonly of: (x: Value) => Value
  /** Equal parts of the first axis that some nodes take one by one. */
  readonly lanes: number
}

/** A part of the first axis, or all of it. */
type Lane = number | null

const parting = new Set(['Split', 'Concat'])

/** Whether a row of the node's result is made of nothing but the same rows of some operands, and which these are; null where it is not. */
function readByRow({ op, inputs, outputs, attributes }: Node): boolean[] | null {
  const [out] = outputs.filter((value) => value !== null)
  const alike = inputs.map((value) => value !== null && value.shape.length === out!.shape.length && value.shape[0] === out!.shape[0])
  if (elementwise.has(op) || parting.has(op)) return alike
  if (alongRows.has(op)) return out!.shape.length > 1 ? inputs.map((_, i) => i === 0) : null
  if (op === 'Gemm') return attributes.transA ? null : inputs.map((_, i) => i === 0 || (i === 2 && alike[2]!))
  if (op === 'Reshape') return inputs[0]!.shape[0] === out!.shape[0] ? [true, false] : null
  return null
}

/** The lane of each operand that a node reads by row, where it makes its own rows in `lane`; null where it cannot be told. */
function operandLanes(node: Node, lane: Lane, { lanes }: Picking): (Lane | undefined)[] | null {
  if (splitsRows(node)) return node.outputs.length === lanes ? [null] : null
  if (joinsRows(node)) return node.inputs.length === lanes && lane === null ? node.inputs.map((_, i) => i) : null
  return readByRow(node)?.map((byRow) => (byRow ? lane : undefined)) ?? null
}

function counter(values: Iterable<Value>) {
  const counts = new Map<Value, number>()
  const of = (value: Value): number => counts.get(value) ?? 0
  const add = (value: Value | null): void => void (value && counts.set(value, of(value) + 1))
  for (const value of values) add(value)
  return { of, add }
}

/** The nodes, last first, of whose results nothing is read but the picked rows of `x`, with the lanes of what they read. */
function narrowed(x: Value, picking: Picking): Map<Node, (Lane | undefined)[]> {
  const found = new Map<Node, (Lane | undefined)[]>()
  const asked = new Map<Value, Set<Lane>>([[x, new Set([null])]])
  /** How often a value is read, and how often of that by row. */
  const [read, spared] = [counter(x.graph.outputs.values()), counter([])]
  for (const node of x.graph.nodes.toReversed()) {
    // What nobody reads so far does not count; were it read later, it would be made as a whole.
    if (!node.outputs.some((value) => value && (value === x || read.of(value) > 0))) continue
    node.inputs.forEach(read.add)
    const lanes = new Set(node.outputs.flatMap((value) => (value ? [...(asked.get(value) ?? [])] : [])))
    const whole = node.outputs.some((value) => value && read.of(value) !== spared.of(value))
    const inLanes = splitsRows(node)
    if (lanes.size === 0 || whole || (lanes.size > 1 && !inLanes)) continue
    if (inLanes && node.outputs.some((value, i) => [...(asked.get(value!) ?? [])].some((lane) => lane !== i))) continue
    const operands = operandLanes(node, inLanes ? null : [...lanes][0]!, picking)
    if (!operands) continue
    found.set(node, operands)
    operands.forEach((lane, i) => {
      const value = node.inputs[i]
      if (lane === undefined || !value) return
      asked.set(value, (asked.get(value) ?? new Set()).add(lane))
      spared.add(value)
    })
  }
  return found
}

/**
 * Some rows of x. What computes x and is read by nothing else is made for these rows alone, back to where rows meet: with a head on the
 * first token, a last layer is its attention and little more.
 */
export function pickedRows(x: Value, picking: Picking): Value {
  const { index, lanes } = picking
  const sizeIn = (lane: Lane): Dim => (lane === null ? index.shape[0]! : part(index.shape[0]!, lanes))
  const leaves = new Map<string, Value>()
  const leaf = (value: Value, lane: Lane): Value => {
    if (lane === null) return picking.of(value)
    const own = split(index, 0, lanes)[lane]!
    return gather(value, sub(own, cast(mul(sizeOf(x.graph, value.shape[0]!), lane), index.dtype)))
  }
  const made = new Map<Value, Value>()
  const rowsOf = (value: Value, lane: Lane): Value => {
    const known = made.get(value) ?? leaves.get(`${lane} ${value.name}`)
    if (known) return known
    const rows = leaf(value, lane)
    leaves.set(`${lane} ${value.name}`, rows)
    return rows
  }
  const again = (node: Node, operands: readonly (Value | null)[], lane: Lane): readonly Value[] => {
    const outputs = node.outputs.map((value) => value && { dtype: value.dtype, shape: [sizeIn(lane), ...value.shape.slice(1)] })
    if (node.op === 'Reshape') return [reshape(operands[0]!, outputs[0]!.shape)]
    return append(x.graph, node.op, operands, outputs, node.attributes, node.domain, node.saved)
  }
  for (const [node, operandLanes] of [...narrowed(x, picking)].reverse()) {
    const operands = node.inputs.map((value, i) => {
      const lane = operandLanes[i]
      return value && lane !== undefined ? rowsOf(value, lane) : value
    })
    const alongLanes = splitsRows(node) || joinsRows(node)
    const results = !alongLanes
      ? again(node, operands, operandLanes.find((lane) => lane !== undefined) ?? null)
      : node.op === 'Split'
        ? split(operands[0]!, 0, lanes)
        : [concat(operands as Value[], 0)]
    for (const [i, value] of node.outputs.filter((value) => value !== null).entries()) made.set(value, results[i]!)
  }
  return rowsOf(x, null)
}
