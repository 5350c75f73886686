import { UserError } from '../errors.ts'
import type { Model } from '../models/open.ts'
import type { Method, Tensor } from '../nn/method.ts'
import { parameterName } from '../nn/method.ts'
import type { Site } from '../nn/site.ts'
import { readTensor } from '../weights/safetensors.ts'

/**
 * The tensors of the model that differ from the checkpoint's, under HF's names, with the method's increments added to the
 * weights: what `saveModel` takes as its state. Sums are rounded once.
 * @throws UserError for a method that adds more than increments to weights
 */
export function mergeState(model: Model, method: Method, state: ReadonlyMap<string, Tensor>, sites: readonly Site[]): Map<string, Tensor> {
  const merged = new Map(state)
  for (const site of sites) {
    const roles = Object.keys(method.parameters(site))
    if (roles.length === 0) continue
    if (!method.increment || site.kind !== 'linear') {
      throw new UserError(
        `${method.name} cannot be merged into the weights, since it computes more than a linear map; keep it as an adapter.`,
      )
    }
    const given = Object.fromEntries(roles.map((role) => [role, state.get(parameterName(site, role))!]))
    for (const role of roles) merged.delete(parameterName(site, role))
    const name = `${site.name}.weight`
    const entry = model.find(name)
    const base = state.get(name)?.data ?? (entry && readTensor(entry))
    if (!base) throw new UserError(`${model.folder} has no tensor "${name}"; give the model that the adapter was trained on.`)
    const increment = method.increment(site, given)
    merged.set(name, { shape: [site.out, site.in], data: base.map((value, i) => value + increment[i]!) })
  }
  return merged
}
