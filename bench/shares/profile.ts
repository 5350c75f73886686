import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { grouped } from '../../src/grouped.ts'
import { median } from '../steps/numbers.ts'

/** What kernels do, by which their time is told. */
export const kinds = ['large products', 'narrow products', "attention's products", 'multiplications', 'sums', 'moves', 'the rest'] as const
export type Kind = (typeof kinds)[number]

/** An event of ONNX Runtime's profile: a kernel's time is that of its node without the time before and after it, in microseconds. */
interface Event {
  readonly cat: string
  readonly name: string
  readonly dur: number
  readonly args: {
    readonly op_name: string
    readonly input_type_shape: Shapes
    readonly output_type_shape: Shapes
  }
}
/** One tensor each, its sizes by its type. */
type Shapes = readonly Readonly<Record<string, readonly number[]>>[]

/** A product is narrow where one of its three sizes is smaller. */
const NARROW = 64

const plain: Readonly<Record<string, Kind>> = {
  Mul: 'multiplications',
  ...Object.fromEntries(['Add', 'Sub', 'Sum', 'ReduceSum', 'ReduceMean'].map((op) => [op, 'sums'])),
  ...Object.fromEntries(
    ['Gather', 'Slice', 'Split', 'Concat', 'Transpose', 'Reshape', 'Expand', 'Pad', 'ScatterND'].map((op) => [op, 'moves']),
  ),
}

function kindOf({ op_name: op, input_type_shape: inputs, output_type_shape: outputs }: Event['args']): Kind {
  if (!/^(Gemm|(Fused)?MatMul.*)$/.test(op)) return plain[op] ?? 'the rest'
  const sizes = [inputs[0]!, outputs[0]!].map((tensor) => Object.values(tensor)[0]!)
  // Rows and heads are two axes before a matrix, the passes of a mixture one.
  if (sizes[0]!.length > 3) return "attention's products"
  return Math.min(...sizes.flatMap((shape) => shape.slice(-2))) < NARROW ? 'narrow products' : 'large products'
}

/** The time of kernels in ms, by kind and by operator. */
export interface Kernels {
  readonly byKind: Readonly<Record<Kind, number>>
  readonly byOperator: Readonly<Record<string, number>>
}

/**
 * What the profiles in a folder say of kernels, for each of so many updates. A kernel counts with the median of its runs: in the first
 * update most of them also meet memory that was never touched.
 */
export function kernelsIn(folder: string, updates: number): Kernels {
  const byKind = Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<Kind, number>
  const byOperator: Record<string, number> = {}
  for (const file of readdirSync(folder)) {
    const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Event[]
    const kernels = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'))
    for (const each of grouped(kernels, ({ name }) => name).values()) {
      const { args } = each[0]!
      const ms = (median(each.map(({ dur }) => dur)) * each.length) / updates / 1e3
      byKind[kindOf(args)] += ms
      byOperator[args.op_name] = (byOperator[args.op_name] ?? 0) + ms
    }
  }
  return { byKind, byOperator }
}
