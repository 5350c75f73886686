import { UserError } from '../errors.ts'
import type { BaseParameter, Method, Tensor } from '../nn/method.ts'
import { parameterName } from '../nn/method.ts'
import { isHead } from '../nn/outline.ts'
import { elementCount } from '../nn/tensor.ts'
import { normals } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { readTensor } from '../weights/safetensors.ts'
import type { Outline, Subject } from './assembly.ts'
import { outputsOf } from './assembly.ts'

/** The tensors that training changes, by name. */
export type State = Map<string, Tensor>

/** A tensor of the base model or head: read from the checkpoint, or made anew where the checkpoint has none. */
function baseTensor(subject: Subject, outline: Outline, { name, shape, start }: BaseParameter, seed: number): Tensor {
  const { model } = subject
  const entry = model.find(name)
  if (entry) {
    if (entry.shape.join() !== shape.join()) {
      throw new UserError(
        isHead(outline, name)
          ? `${model.folder}: the head's "${name}" is [${entry.shape}], but ${outputsOf(subject)} output(s) make it [${shape}]: ` +
              'the model was trained for another set of labels.'
          : `${model.folder}: the tensor "${name}" is [${entry.shape}], but config.json makes it [${shape}].`,
      )
    }
    return { shape, data: readTensor(entry) }
  }
  if (subject.head.pretrained && isHead(outline, name)) {
    throw new UserError(
      `${model.folder} has no "${name}": label words need the masked-LM head that the model was trained with; take a model that was ` +
        'saved with it (a ...ForMaskedLM class), or train one by the task masked-lm first.',
    )
  }
  const size = elementCount(shape)
  if (shape.length > 1)
    return { shape, data: normals(size, keyOf('init', seed, name), { mean: 0, deviation: model.wiring.initializerRange }) }
  return { shape, data: new Float32Array(size).fill(start) }
}

/**
 * Whether a tensor of the base model is trained where it is: the state has it, in its shape. A mixture over a method that takes the
 * place of a tensor has a stack under that name.
 */
export const trainedIn =
  (state: ReadonlyMap<string, Pick<Tensor, 'shape'>>) =>
  ({ name, shape }: BaseParameter): boolean =>
    state.get(name)?.shape.length === shape.length

/** Tensors that the checkpoint lacks; they are made anew, trained and saved with the adapter. */
export function missing({ model }: Subject, { base }: Outline): string[] {
  return model.tensors.size === 0 ? [] : [...base.keys()].filter((name) => model.find(name) === null)
}

/** Whether a tensor's name ends with one of the modules named. */
const inModules = (name: string, modules: readonly string[]): boolean =>
  modules.some((module) => name.startsWith(`${module}.`) || name.includes(`.${module}.`))

/** Whether a tensor of the base model is trained whatever the method: it belongs to a module of `trainAlso`, or the checkpoint lacks it. */
export function trainedBesides(subject: Subject, outline: Outline, trainAlso: readonly string[]): (parameter: BaseParameter) => boolean {
  const absent = new Set(missing(subject, outline))
  return ({ name }) => inModules(name, trainAlso) || absent.has(name)
}

/**
 * The state at the start of a run: the method's parameters initialised, and the tensors of the base model that are trained:
 * the head, what the method trains, what `trainAlso` names, what the checkpoint lacks. All a pure function of the seed.
 */
export function initialState(subject: Subject, outline: Outline, method: Method, seed: number, trainAlso: readonly string[] = []): State {
  const state: State = new Map()
  for (const site of outline.sites) {
    for (const [role, { shape, init }] of Object.entries(method.parameters(site))) {
      const name = parameterName(site, role)
      state.set(name, { shape, data: init(keyOf('init', seed, name)) })
    }
  }
  const besides = trainedBesides(subject, outline, trainAlso)
  for (const module of trainAlso) {
    if (![...outline.base.keys()].some((name) => inModules(name, [module])))
      throw new UserError(`trainAlso: the model has no module "${module}".`)
  }
  for (const parameter of outline.base.values()) {
    const { name } = parameter
    if (isHead(outline, name) || method.trains(parameter) || besides(parameter)) {
      state.set(name, baseTensor(subject, outline, parameter, seed))
    }
  }
  return state
}
