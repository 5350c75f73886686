import { UserError } from '../errors.ts'
import type { Model } from '../models/open.ts'
import type { Method, Tensor } from '../nn/method.ts'
import { foldOf, parameterName } from '../nn/method.ts'
import { modelSite, type Site } from '../nn/site.ts'
import { readTensor } from '../weights/safetensors.ts'

/**
 * The tensors of the model that differ from the checkpoint's, under HF's names, with the method folded into the weights and biases
 * at `sites`: what `saveModel` takes as its state. Sums are rounded once.
 * @throws UserError for a method that computes more than linear maps
 */
export function mergeState(model: Model, method: Method, state: ReadonlyMap<string, Tensor>, sites: readonly Site[]): Map<string, Tensor> {
  const merged = new Map(state)
  const fold = foldOf(method)
  const rolesAt = (site: Site): Record<string, Tensor> =>
    Object.fromEntries(Object.keys(method.parameters(site)).map((role) => [role, state.get(parameterName(site, role))!]))
  const tensorOf = (name: string): Float32Array => {
    const entry = model.find(name)
    const data = state.get(name)?.data ?? (entry && readTensor(entry))
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
    for (const role of Object.keys(roles)) merged.delete(parameterName(site, role))
    if (site.kind === 'model') continue
    const [weight, bias] = [`${site.name}.weight`, `${site.name}.bias`]
    const base = { weight: tensorOf(weight), bias: site.bias ? tensorOf(bias) : null }
    const folded = fold(site, roles, base, shared)
    merged.set(weight, { shape: [site.out, site.in], data: folded.weight })
    if (folded.bias && folded.bias !== base.bias) merged.set(bias, { shape: [site.out], data: folded.bias })
  }
  return merged
}
