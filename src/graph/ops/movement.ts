import type { Dim, Shape } from '../dim.ts'
import { isSymbol, part, product, sum } from '../dim.ts'
import type { Graph, Value } from '../graph.ts'
import { append, constant } from '../graph.ts'

const ints = (graph: Graph, data: readonly number[]): Value => constant(graph, data, [data.length], 'int64')

/** An integer `[1]` that holds a size. */
export function sizeOf(graph: Graph, dim: Dim): Value {
  if (typeof dim === 'number') return ints(graph, [dim])
  const integer = (op: string, operands: readonly Value[], attributes = {}): Value =>
    append(graph, op, operands, [{ dtype: 'int64', shape: [1] }], attributes)[0]!
  const [whole, parts] = dim.split('/') as [string, string?]
  if (parts) return integer('Div', [sizeOf(graph, whole), ints(graph, [Number(parts)])])
  for (const [sign, op] of [
    ['*', 'Mul'],
    ['+', 'Add'],
  ] as const) {
    const operands = dim.split(sign).map((operand) => (/^\d+$/.test(operand) ? Number(operand) : operand))
    if (operands.length > 1) return operands.map((operand) => sizeOf(graph, operand)).reduce((a, b) => integer(op, [a, b]))
  }
  const at = graph.sizes.get(dim)
  if (!at) throw new Error(`no input tells the size "${dim}"`)
  return integer('Shape', [at.value], { start: { int: at.axis }, end: { int: at.axis + 1 } })
}

/** A shape as ONNX's Reshape and Expand take it: numbers, one inferred size (-1) if allowed, run-time sizes for the rest. */
export function shapeVector(graph: Graph, shape: Shape, inferOne: boolean): Value {
  const unknown = shape.findLastIndex((dim) => typeof dim === 'string' && !isSymbol(dim))
  const inferred = inferOne ? (unknown >= 0 ? unknown : shape.findIndex((dim) => typeof dim === 'string')) : -1
  const pieces = shape.map((dim, i) => (i === inferred ? -1 : dim))
  if (pieces.every((dim) => typeof dim === 'number')) return ints(graph, pieces as number[])
  const parts = pieces.map((dim) => sizeOf(graph, dim))
  return append(graph, 'Concat', parts, [{ dtype: 'int64', shape: [shape.length] }], { axis: { int: 0 } })[0]!
}

/** The same elements in row-major order under another shape. */
export function reshape(x: Value, shape: Shape): Value {
  if (product(x.shape) !== product(shape)) throw new Error(`[${x.shape}] does not reshape to [${shape}]`)
  if (x.shape.join() === shape.join()) return x
  const kept = shape.map((dim, i): Dim => (typeof dim === 'string' && x.shape[i] === dim ? 0 : dim))
  const open = kept.filter((dim) => typeof dim === 'string').length
  const target =
    open <= 1
      ? ints(
          x.graph,
          kept.map((dim) => (typeof dim === 'string' ? -1 : dim)),
        )
      : shapeVector(x.graph, shape, true)
  return append(x.graph, 'Reshape', [x, target], [{ dtype: x.dtype, shape }])[0]!
}

/** Axes in another order: result axis i is operand axis `permutation[i]`. */
export function transpose(x: Value, permutation: readonly number[]): Value {
  const shape = permutation.map((axis) => x.shape[axis]!)
  return append(x.graph, 'Transpose', [x], [{ dtype: x.dtype, shape }], { perm: permutation })[0]!
}

/** Rows of `table` (axis 0) picked by integer `indices`; repeated picks are allowed. */
export function gather(table: Value, indices: Value): Value {
  return append(table.graph, 'Gather', [table, indices], [{ dtype: table.dtype, shape: [...indices.shape, ...table.shape.slice(1)] }])[0]!
}

/** A move of rows that can be undone by another gather. */
export interface Rearrangement {
  /** For each row of the result, the row of the operand. */
  readonly index: Value
  /** For each row of the operand, the row of the result (any row where `read` is 0). */
  readonly inverse: Value
  /** Shape of the operand's row axes with a 1 appended: 1 where the result reads the row, 0 elsewhere; null where all are read. */
  readonly read: Value | null
}

/**
 * Moves rows between the packed form `[tokens, ...]` and the form by rows `[rows, length, ...]`.
 * Its gradient is the inverse move, so that both directions are gathers.
 */
export function rearrange(x: Value, { index, inverse, read }: Rearrangement): Value {
  const operandAxes = inverse.shape.length
  const rest = x.shape.slice(operandAxes)
  const flat = reshape(x, [product(x.shape.slice(0, operandAxes)), ...rest])
  const shape = [...index.shape, ...rest]
  return append(x.graph, 'Gather', [flat, index], [{ dtype: x.dtype, shape }], {}, '', read ? [inverse, read] : [inverse])[0]!
}

/** Parts along an axis: so many equal ones, or those of the sizes given; one alone is what it is. */
export function split(x: Value, axis: number, parts: number | readonly number[]): Value[] {
  if ((typeof parts === 'number' ? parts : parts.length) === 1) return [x]
  const outputOf = (size: Dim) => ({ dtype: x.dtype, shape: x.shape.map((dim, i) => (i === axis ? size : dim)) })
  if (typeof parts === 'number') {
    const outputs = Array.from({ length: parts }, () => outputOf(part(x.shape[axis]!, parts)))
    return append(x.graph, 'Split', [x], outputs, { axis: { int: axis }, num_outputs: { int: parts } })
  }
  return append(x.graph, 'Split', [x, ints(x.graph, parts)], parts.map(outputOf), { axis: { int: axis } })
}

/** Tensors one after another along an axis; one alone is what it is. */
export function concat(values: readonly Value[], axis: number): Value {
  const first = values[0]!
  if (values.length === 1) return first
  const shape = first.shape.map((dim, i) => (i === axis ? sum(values.map((value) => value.shape[i]!)) : dim))
  return append(first.graph, 'Concat', values, [{ dtype: first.dtype, shape }], { axis: { int: axis } })[0]!
}

/** A bound of Slice past any axis. */
export const TO_THE_END = 2 ** 31 - 1

/** Rows `start` to `end` (exclusive) of an axis; the bounds are numbers or run-time integers `[1]`. */
export function slice(x: Value, axis: number, start: number | Value, end: number | Value, size: Dim): Value {
  // All indices of one Slice have one type.
  const dtype = [start, end].find((at) => typeof at !== 'number')?.dtype ?? 'int64'
  const bound = (at: number | Value): Value => (typeof at === 'number' ? constant(x.graph, [at], [1], dtype) : at)
  const shape = x.shape.map((dim, i) => (i === axis ? size : dim))
  return append(x.graph, 'Slice', [x, bound(start), bound(end), bound(axis)], [{ dtype: x.dtype, shape }])[0]!
}

/** Repeats axes of size 1 up to `shape`. */
export function expand(x: Value, shape: Shape): Value {
  return append(x.graph, 'Expand', [x, shapeVector(x.graph, shape, false)], [{ dtype: x.dtype, shape }])[0]!
}

/** Zeros before and after an axis; the counts are integers `[1]`. */
export function pad(x: Value, axis: number, before: Value, after: Value, size: Dim): Value {
  const counts = append(x.graph, 'Concat', [before, after], [{ dtype: 'int64', shape: [2] }], { axis: { int: 0 } })[0]!
  const shape = x.shape.map((dim, i) => (i === axis ? size : dim))
  return append(x.graph, 'Pad', [x, counts, null, ints(x.graph, [axis])], [{ dtype: x.dtype, shape }])[0]!
}

/**
 * Each row of the last axis moved to the left by one place less than the row before it: from `[..., rows, rows + columns + 1]` the result
 * `[..., rows, columns]` has at (i, j) the operand's (i, j - i + rows). (Rows that are one place shorter do it, as in Transformer-XL.)
 */
export function skew(x: Value, columns: Dim): Value {
  const axis = x.shape.length - 2
  const [lead, rows, short] = [x.shape.slice(0, axis), x.shape[axis]!, sum([x.shape[axis]!, columns])]
  const flat = reshape(x, [...lead, product([rows, x.shape[axis + 1]!])])
  const rest = slice(flat, axis, sizeOf(x.graph, rows), TO_THE_END, product([rows, short]))
  return slice(reshape(rest, [...lead, rows, short]), axis + 1, 0, sizeOf(x.graph, columns), columns)
}
