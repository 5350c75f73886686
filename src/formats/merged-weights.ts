import { UserError } from '../errors.ts'
import type { Model } from '../models/open.ts'
import { foldOf, type Method, parameterName, type Tensor } from '../nn/method.ts'
import { modelSite, type Site } from '../nn/site.ts'
import { linearNames, readLinear, writeLinear } from '../nn/stored-linear.ts'
import { readTensor } from '../weights/safetensors.ts'

type Fold = NonNullable<Method['fold']>

/** The roles at a site that a method adds: a parameter under the name of a tensor of the model takes the place of that, and adds nothing. */
const addedRoles = (model: Model, method: Method, site: Site): string[] =>
  Object.keys(method.parameters(site)).filter((role) => !model.find(parameterName(site, role)))

/** Whether a method at these sites is nothing but other weights and biases of linear maps. */
export const isMergeable = (model: Model, method: Method, sites: readonly Site[]): boolean =>
  foldOf(method) !== null &&
  sites.every((site) => site.kind === 'linear' || site.kind === 'model' || addedRoles(model, method, site).length === 0)

/** The weights and biases that `fold` makes at every site where the method acts; null for a method that has no such form. */
function folded(
  model: Model,
  method: Method,
  state: ReadonlyMap<string, Tensor>,
  sites: readonly Site[],
  fold: Fold | null,
): Map<string, Tensor> {
  const rolesAt = (site: Site): Record<string, Tensor> =>
    Object.fromEntries(addedRoles(model, method, site).map((role) => [role, state.get(parameterName(site, role))!]))
  const result = new Map<string, Tensor>()
  const tensorOf = (name: string): Float32Array => {
    const entry = model.find(name)
    const data = (result.get(name) ?? state.get(name))?.data ?? (entry && readTensor(entry))
    if (!data) throw new UserError(`${model.folder} has no tensor "${name}"; give the model that the adapter was trained on.`)
    return data
  }
  const shared = rolesAt(modelSite)
  for (const site of sites) {
    const roles = rolesAt(site)
    if (Object.keys(roles).length === 0) continue
    if (!fold || (site.kind !== 'linear' && site.kind !== 'model')) {
      throw new UserError(
        `${method.name} cannot be merged into the weights, since it computes more than a linear map; keep it as an adapter.`,
      )
    }
    if (site.kind === 'model') continue
    const names = linearNames(site)
    const stored = { weight: tensorOf(names.weight), bias: site.bias ? tensorOf(names.bias) : null }
    const base = readLinear(site, stored.weight, stored.bias)
    const made = fold(site, roles, base, shared)
    const { weight, bias } = writeLinear(site, made, stored)
    result.set(names.weight, weight)
    if (bias && made.bias !== base.bias) result.set(names.bias, bias)
  }
  return result
}

/**
 * The tensors of the model that differ from the checkpoint's, under HF's names, with the method folded into the weights and biases at
 * `sites`, and tensors that it trained in the place of the model's own: what `saveModel` takes as its state. Sums are rounded once.
 * @throws UserError for a method that computes more than linear maps
 */
export function mergeState(model: Model, method: Method, state: ReadonlyMap<string, Tensor>, sites: readonly Site[]): Map<string, Tensor> {
  const added = new Set(sites.flatMap((site) => addedRoles(model, method, site).map((role) => parameterName(site, role))))
  return new Map([...[...state].filter(([name]) => !added.has(name)), ...folded(model, method, state, sites, foldOf(method))])
}

/**
 * The weights of a merged model as they were before: without the method's increments, up to rounding.
 * @throws UserError for a method that does more than add to weights
 */
export function unmergeState(
  merged: Model,
  method: Method,
  state: ReadonlyMap<string, Tensor>,
  sites: readonly Site[],
): Map<string, Tensor> {
  const { increment } = method
  if (!increment && foldOf(method)) {
    throw new UserError(`${method.name} cannot be taken out of the weights again: it scales them besides; keep the model as it was before.`)
  }
  const without: Fold = (site, roles, { weight, bias }) => {
    const added = increment!(site, roles)
    return { weight: weight.map((value, i) => value - added[i]!), bias }
  }
  return folded(merged, method, state, sites, increment ? without : null)
}
