/** Operators whose result has at each place what its operands have there, under broadcasting. */
export const elementwise: ReadonlySet<string> = new Set(
  (
    'Add Sub Mul Div Mod Sum Min Max Where Neg Abs Sign Sqrt Exp Log Tanh Cos Sin Sigmoid Relu Erf Gelu Cast Identity Greater Equal And ' +
    'Or Not DequantizeLinear'
  ).split(' '),
)

/** Operators that work along the last axis of their first operand. */
export const alongRows: ReadonlySet<string> = new Set(['LayerNormalization', 'SimplifiedLayerNormalization', 'Softmax', 'LogSoftmax'])
