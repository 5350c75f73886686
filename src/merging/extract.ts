import { UserError } from '../errors.ts'
import { type Adapted, openAdapted } from '../evaluate/adapted.ts'
import { outputsOf } from '../evaluate/assembly.ts'
import { modelLabels } from '../evaluate/dataset.ts'
import { findModel } from '../evaluate/find-model.ts'
import { methodFor } from '../evaluate/method-for.ts'
import { type OpenTask, openTask } from '../evaluate/open-task.ts'
import { initialState, missing } from '../evaluate/state.ts'
import { type Adapter, describeAdapter, loadAdapter, nameOnHub, saveAdapter } from '../formats/index.ts'
import { taskNames } from '../heads/index.ts'
import { untouched } from '../methods/in-place.ts'
import { resolveTargets } from '../methods/targets.ts'
import type { Model } from '../models/open.ts'
import type { Tensor } from '../nn/method.ts'
import { isHead } from '../nn/outline.ts'
import { tasks } from '../tasks/index.ts'
import { describeTask } from '../tasks/named-tasks.ts'
import { promptOf } from '../tasks/task-file.ts'
import { difference, moduleOf, tensorOf } from './difference.ts'
import { loraOf } from './lora-blend.ts'
import { largestRank } from './svd.ts'
import { assertFree, logitGap, writeVerified } from './verification.ts'

export interface ExtractOptions {
  /** The model before it was tuned: a folder, or the name of one on the hub. */
  readonly base: string
  readonly tuned: string
  /** The rank of the LoRA. */
  readonly r: number
  /** As of LoRA; all linear modules by default. */
  readonly targets?: string | readonly string[]
  /** Needed where the tuned model has a head and does not tell what for. */
  readonly task?: string | null
  readonly labels?: readonly string[] | null
  /** A folder that does not exist or is empty. */
  readonly out: string
  /** Told of downloads. */
  readonly notice?: (text: string) => void
}

export interface Extraction {
  readonly out: string
  /** The rank of the LoRA, in its largest module: what was asked for, or all that a map can have. */
  readonly r: number
  /** The share of the squared Frobenius norm of the difference that the LoRA keeps, in all its modules and in each. */
  readonly kept: number
  readonly modules: readonly { readonly module: string; readonly kept: number }[]
  /** Tensors that differ, too, and that the LoRA leaves as they are in the base, with their share in the whole square. */
  readonly leftOut: { readonly tensors: readonly string[]; readonly share: number }
  /** Whether the tuned model's head is in the adapter. */
  readonly head: boolean
  /** How far its logits are from the tuned model's on random tokens, over the largest of these. */
  readonly logitGap: number
}

/** The tuned model with its head; a model without one is seen through random weights in the place of a head. */
function openTuned(model: Model, given: string | null, labels: readonly string[] | null): { open: OpenTask; head: boolean } {
  const task = given === null ? describeAdapter(model.folder).task : describeTask(given)
  const kind = task && (typeof task === 'string' ? task : task.kind)
  const headed = kind !== null && modelLabels({ model, head: tasks[kind].head, labels: 1 }) !== null
  if (given !== null || headed) return { open: openAdapted(model, { adapter: null, task, labels }).open, head: true }
  const complete = ({ subject, outline }: OpenTask): boolean => missing(subject, outline).every((name) => isHead(outline, name))
  const known = taskNames.filter((name) => model.wiring.heads[tasks[name].head.wiring])
  const open = known.map((name) => openTask(model, name, ['0', '1'])).find(complete)
  if (!open) throw new UserError(`${model.folder} lacks tensors of its encoder; give a whole model.`)
  return { open, head: false }
}

/**
 * Writes a LoRA that stands for what training changed between two models: in each target module the difference of the weights, cut to
 * its largest singular values, with alpha the rank; and the tuned model's head, whole.
 * @throws UserError for models of other shapes, and where no target differs
 */
export async function extractAdapter(options: ExtractOptions): Promise<Extraction> {
  const { r, targets = 'all-linear', task = null, labels = null, out, notice } = options
  if (!(Number.isInteger(r) && r >= 1)) throw new UserError(`r is ${r}; expected a whole number of at least 1.`)
  assertFree(out)
  const [base, tuned] = [await findModel(options.base, notice), await findModel(options.tuned, notice)]
  const { open, head } = openTuned(tuned, task, labels)
  const { sites, base: parameters } = open.outline
  const targeted = resolveTargets({ targets, exclude: [], layers: null }, sites, tuned.wiring.layers)
  const body = [...parameters.values()].filter(({ name }) => !isHead(open.outline, name))
  const { pairs, kept, sizes } = difference(base, tuned, body, targeted, r)
  if (pairs.size === 0) throw new UserError(`${tuned.folder} and ${base.folder} have the same weights in all targets: there is no LoRA.`)
  const heads = head ? [...parameters.values()].filter(({ name }) => isHead(open.outline, name)) : []
  const whole = heads.map((parameter): [string, Tensor] => [parameter.name, tensorOf(tuned, parameter, base)])

  const outputs = head ? outputsOf(open.subject) : null
  const named = head && open.labels.length > 0 ? open.labels : null
  const card = {
    task: head ? open.name : null,
    labels: named,
    outputs,
    baseModel: nameOnHub(options.base),
    adapterName: null,
    totalSteps: null,
    prompt: (head && promptOf(open.description)) || undefined,
  }
  const blend = loraOf(pairs, 'none')
  const { subject, outline, ...rest } = openTask(base, open.description, open.labels)
  const drawn = head ? [] : initialState(subject, outline, untouched, 1)
  const onBase = (adapter: Adapter): Adapted => ({
    open: { subject, outline, ...rest },
    adapter,
    method: methodFor(subject, outline, adapter.options, null, adapter.memory),
    state: new Map([...drawn, ...adapter.state]),
  })
  const extracted = onBase({ ...blend, state: new Map([...blend.added, ...whole]), card })
  await writeVerified(
    out,
    extracted,
    (temporary) => saveAdapter(temporary, extracted.adapter!, { model: base, outline }),
    async (temporary) => onBase(loadAdapter(temporary, { model: base, outline })),
  )
  const expected = { open, adapter: null, method: untouched, state: new Map(drawn) }
  const others = [...sizes.keys()].filter((name) => !kept.has(name))
  const sizeOf = (names: Iterable<string>): number => [...names].reduce((sum, name) => sum + sizes.get(name)!, 0)
  return {
    out,
    r: largestRank(pairs.values()),
    kept: [...kept.values()].reduce((sum, part) => sum + part, 0) / sizeOf(kept.keys()),
    modules: [...kept].map(([name, part]) => ({ module: moduleOf(name), kept: part / sizes.get(name)! })),
    leftOut: { tensors: others, share: sizeOf(others) / sizeOf(sizes.keys()) },
    head,
    logitGap: await logitGap(expected, extracted),
  }
}
