import { append, type Value } from '../graph/graph.ts'

const isMask = (value: Value | null | undefined): boolean => value?.source.kind === 'node' && value.source.node.op === 'DequantizeLinear'

/**
 * An operand for the backward pass. A dropout mask, or a product with one, is made once more where it is read,
 * so that only its bytes in the pool are kept until then; anything else is kept as it is.
 */
export function again(value: Value): Value {
  if (value.source.kind !== 'node') return value
  const { op, inputs, attributes } = value.source.node
  const remade = value.dtype === 'uint8' || isMask(value) || (op === 'Mul' && isMask(inputs[1]))
  if (!remade) return value
  const operands = inputs.map((operand) => (operand && (operand.dtype === 'uint8' || isMask(operand)) ? again(operand) : operand))
  return append(value.graph, op, operands, [value], attributes)[0]!
}
