import { UserError } from '../errors.ts'
import type { Model } from '../models/open.ts'
import type { Method, Tensor } from '../nn/method.ts'
import { parameterName } from '../nn/method.ts'
import type { Site } from '../nn/site.ts'
import { readTensor } from '../weights/safetensors.ts'

/** The roles at a site that a method adds: a parameter under the name of a tensor of the model takes the place of that, and adds nothing. */
const addedRoles = (model: Model, method: Method, site: Site): string[] =>
  Object.keys(method.parameters(site)).filter((role) => !model.find(parameterName(site, role)))

/** The weights of every site that the method acts at, with `sign` times its increment added; sums are rounded once. */
function shifted(
  model: Model,
  method: Method,
  state: ReadonlyMap<string, Tensor>,
  sites: readonly Site[],
  sign: 1 | -1,
): Map<string, Tensor> {
  const weights = new Map<string, Tensor>()
  for (const site of sites) {
    const roles = addedRoles(model, method, site)
    if (roles.length === 0) continue
    if (!method.increment || site.kind !== 'linear') {
      throw new UserError(
        `${method.name} cannot be merged into the weights, since it computes more than a linear map; keep it as an adapter.`,
      )
    }
    const name = `${site.name}.weight`
    const entry = model.find(name)
    const base = state.get(name)?.data ?? (entry && readTensor(entry))
    if (!base) throw new UserError(`${model.folder} has no tensor "${name}"; give the model that the adapter was trained on.`)
    const increment = method.increment(site, Object.fromEntries(roles.map((role) => [role, state.get(parameterName(site, role))!])))
    weights.set(name, { shape: [site.out, site.in], data: base.map((value, i) => value + sign * increment[i]!) })
  }
  return weights
}

/**
 * The tensors of the model that differ from the checkpoint's, under HF's names, with the method's increments added to the
 * weights, and tensors that the method trained in the place of the model's own: what `saveModel` takes as its state.
 * @throws UserError for a method that adds more than increments to weights
 */
export function mergeState(model: Model, method: Method, state: ReadonlyMap<string, Tensor>, sites: readonly Site[]): Map<string, Tensor> {
  const added = new Set(sites.flatMap((site) => addedRoles(model, method, site).map((role) => parameterName(site, role))))
  return new Map([...[...state].filter(([name]) => !added.has(name)), ...shifted(model, method, state, sites, 1)])
}

/**
 * The weights of a merged model as they were before: without the method's increments, up to rounding.
 * @throws UserError for a method that adds more than increments to weights
 */
export function unmergeState(
  merged: Model,
  method: Method,
  state: ReadonlyMap<string, Tensor>,
  sites: readonly Site[],
): Map<string, Tensor> {
  return shifted(merged, method, state, sites, -1)
}
