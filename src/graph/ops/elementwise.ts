import type { Dim, Shape } from '../dim.ts'
import type { Dtype, Value } from '../graph.ts'
import { append, scalar } from '../graph.ts'

/** An operand: a tensor, or a number that becomes a constant of the other operand's type. */
export type Operand = Value | number

/** The shape of an elementwise result under NumPy's broadcasting rules. */
export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i): Dim => {
    const x = a[i - rank + a.length] ?? 1
    const y = b[i - rank + b.length] ?? 1
    if (x === y || y === 1) return x
    if (x === 1) return y
    throw new Error(`shapes [${a}] and [${b}] do not broadcast`)
  })
}

function lift(x: Operand, like: Operand): Value {
  if (typeof x !== 'number') return x
  if (typeof like === 'number') throw new Error('an operand must be a tensor')
  return scalar(like.graph, x, like.dtype)
}

function binary(op: string, x: Operand, y: Operand, dtype?: Dtype): Value {
  const [a, b] = [lift(x, y), lift(y, x)]
  if (a.dtype !== b.dtype) throw new Error(`${op} of ${a.dtype} and ${b.dtype}`)
  return append(a.graph, op, [a, b], [{ dtype: dtype ?? a.dtype, shape: broadcast(a.shape, b.shape) }])[0]!
}

function unary(op: string, x: Value, dtype: Dtype = x.dtype): Value {
  return append(x.graph, op, [x], [{ dtype, shape: x.shape }])[0]!
}

export const add = (x: Operand, y: Operand): Value => binary('Add', x, y)
export const sub = (x: Operand, y: Operand): Value => binary('Sub', x, y)
export const mul = (x: Operand, y: Operand): Value => binary('Mul', x, y)
export const div = (x: Operand, y: Operand): Value => binary('Div', x, y)
export const neg = (x: Value): Value => unary('Neg', x)
export const abs = (x: Value): Value => unary('Abs', x)
export const sign = (x: Value): Value => unary('Sign', x)
export const sqrt = (x: Value): Value => unary('Sqrt', x)
export const exp = (x: Value): Value => unary('Exp', x)
export const log = (x: Value): Value => unary('Log', x)
export const tanh = (x: Value): Value => unary('Tanh', x)
export const cos = (x: Value): Value => unary('Cos', x)
export const sin = (x: Value): Value => unary('Sin', x)
export const sigmoid = (x: Value): Value => unary('Sigmoid', x)
export const relu = (x: Value): Value => unary('Relu', x)
export const erf = (x: Value): Value => unary('Erf', x)
/** `slope x + offset`, no lower than 0 and no higher than 1, in one pass. */
export const hardSigmoid = (x: Value, slope: number, offset: number): Value =>
  append(x.graph, 'HardSigmoid', [x], [x], { alpha: slope, beta: offset })[0]!
export const greater = (x: Operand, y: Operand): Value => binary('Greater', x, y, 'bool')
export const equal = (x: Operand, y: Operand): Value => binary('Equal', x, y, 'bool')
export const and = (x: Value, y: Value): Value => binary('And', x, y)
export const or = (x: Value, y: Value): Value => binary('Or', x, y)
export const not = (x: Value): Value => unary('Not', x)
export const isNan = (x: Value): Value => unary('IsNaN', x, 'bool')
export const isInf = (x: Value): Value => unary('IsInf', x, 'bool')
/** The remainder of integers, of the divisor's sign. */
export const modulo = (x: Operand, y: Operand): Value => binary('Mod', x, y)
export const min = (x: Operand, y: Operand): Value => binary('Min', x, y)

/** The values no smaller than `low` and no larger than `high`. */
export const clamp = (x: Value, low: number, high: number): Value => neg(min(neg(min(x, high)), -low))

/** The same values, through which no gradient flows. */
export const stopGradient = (x: Value): Value => unary('Identity', x)

/** The number of `dtype` nearest to each element. */
export function cast(x: Value, dtype: Dtype): Value {
  return x.dtype === dtype ? x : append(x.graph, 'Cast', [x], [{ dtype, shape: x.shape }], { to: { int: onnxType[dtype] } })[0]!
}

/** ONNX's numbers for element types. */
export const onnxType: Readonly<Record<Dtype, number>> = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float64: 11 }

/** `condition ? x : y`, element by element. */
export function where(condition: Value, x: Operand, y: Operand): Value {
  const [a, b] = [lift(x, y), lift(y, x)]
  const shape = broadcast(condition.shape, broadcast(a.shape, b.shape))
  return append(a.graph, 'Where', [condition, a, b], [{ dtype: a.dtype, shape }])[0]!
}

/** The sum of tensors of one shape, added in the order given. */
export function addAll(values: readonly Value[]): Value {
  const [first, ...rest] = values
  if (!first) throw new Error('a sum of nothing has no shape')
  if (rest.length === 0) return first
  return append(first.graph, 'Sum', values, [{ dtype: first.dtype, shape: first.shape }])[0]!
}

/** The largest of tensors of one shape, element by element. */
export function maximum(values: readonly Value[]): Value {
  const [first, ...rest] = values
  if (!first) throw new Error('nothing has no largest')
  if (rest.length === 0) return first
  return append(first.graph, 'Max', values, [{ dtype: first.dtype, shape: first.shape }])[0]!
}
