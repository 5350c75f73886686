import type { Node } from './graph.ts'

const alongFirstAxis = ({ attributes }: Node): boolean => (attributes.axis as { readonly int: number }).int === 0

/** Whether a node takes the rows of a tensor apart. */
export const splitsRows = (node: Node): boolean => node.op === 'Split' && alongFirstAxis(node)

/** Whether a node puts the rows of tensors one after another. */
export const joinsRows = (node: Node): boolean => node.op === 'Concat' && alongFirstAxis(node)

/** Operators whose result has at each place what its operands have there, under broadcasting. */
export const elementwise: ReadonlySet<string> = new Set(
  (
    'Add Sub Mul Div Mod Sum Min Max Where Neg Abs Sign Sqrt Exp Log Tanh Cos Sin Sigmoid Relu Erf Gelu Cast Identity Greater Equal And ' +
    'Or Not DequantizeLinear'
  ).split(' '),
)

/** Operators that work along the last axis of their first operand. */
export const alongRows: ReadonlySet<string> = new Set(['LayerNormalization', 'SimplifiedLayerNormalization', 'Softmax', 'LogSoftmax'])
