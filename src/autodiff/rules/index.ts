import { elementwise } from './elementwise.ts'
import { fused } from './fused.ts'
import { matmul } from './matmul.ts'
import { movement } from './movement.ts'
import { normalize } from './normalize.ts'
import { reduction } from './reduction.ts'
import type { Rules } from './rule.ts'

/** The reverse rule of every differentiable operator, by its ONNX name. */
export const rules: Rules = Object.assign(Object.create(null), elementwise, matmul, movement, reduction, normalize, fused)
