import { z } from 'zod'
import { didYouMean, UserError } from '../errors.ts'
import type { LinearSite, Site } from '../nn/site.ts'
import { type Layers, layerSelection, layersOption } from './layers.ts'

/** Names or roles, a regular expression over whole module names, or `all-linear`; `standard` where nothing is given. */
export const targetsOption = (standard: string | string[]) =>
  z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .default(standard)
    .describe('linear maps: ends of module names, roles, an expression over whole names, or `all-linear`')

/** Where a method acts. */
export const targetOptions = {
  targets: targetsOption(['query', 'value']),
  exclude: z.array(z.string().min(1)).default([]).describe('of the targets'),
  layers: layersOption,
}
export interface TargetOptions {
  readonly targets: string | readonly string[]
  readonly exclude: readonly string[]
  readonly layers: Layers
}

const isLinear = (site: Site): site is LinearSite => site.kind === 'linear'

/** PEFT's rule: the whole module name, or its end after a dot; besides that the site's role. */
function matches(site: LinearSite, target: string): boolean {
  return site.name === target || site.name.endsWith(`.${target}`) || site.role === target
}

/** The expression that a setting gives, by default over whole names. Throws UserError for a text that is none. */
export function expression(setting: string, text: string, whole = `^(?:${text})$`): RegExp {
  try {
    return new RegExp(whole)
  } catch (error) {
    throw new UserError(`${setting}: "${text}" is no regular expression: ${(error as Error).message}.`)
  }
}

/**
 * The linear sites that `targets` name. Heads are never targets. Nothing matched, or a name among several that
 * matches nothing, is an error that names what is near.
 */
export function resolveTargets(
  { targets, exclude, layers }: TargetOptions,
  sites: readonly Site[],
  layerCount: number,
): ReadonlySet<string> {
  const candidates = sites.filter(isLinear).filter(({ role }) => role !== 'head')
  const names = [...new Set(candidates.flatMap(({ name, role }) => [role, name.split('.').at(-1)!, name]))]
  const roles = [...new Set(candidates.map(({ role }) => role))].join(', ')
  const named = (list: readonly string[]): LinearSite[] => {
    for (const target of list) {
      if (candidates.some((site) => matches(site, target))) continue
      throw new UserError(
        `The target "${target}" matches no linear module of this model.${didYouMean(target, names) || ` Its roles are ${roles}.`}`,
      )
    }
    return candidates.filter((site) => list.some((target) => matches(site, target)))
  }
  /** A text is an expression; one that matches nothing may be names with commas between. */
  const written = (text: string): LinearSite[] => {
    const pattern = expression('targets', text)
    const found = candidates.filter(({ name }) => pattern.test(name))
    return found.length > 0 ? found : named(text.split(',').map((name) => name.trim()))
  }
  const all =
    targets === 'all-linear'
      ? candidates.filter(({ within }) => within === undefined)
      : typeof targets === 'string'
        ? written(targets)
        : named(targets)
  const selects = layerSelection(layers, { sites, layers: layerCount })
  const chosen = all.filter((site) => !exclude.some((name) => matches(site, name)) && selects(site.layer))
  if (chosen.length === 0) throw new UserError('"exclude" and "layers" leave none of the targets.')
  const result = new Set(chosen.map(({ name }) => name))
  const twice = chosen.find(({ within }) => within !== undefined && result.has(within))
  if (twice) throw new UserError(`The targets overlap: "${twice.name}" is a part of "${twice.within}". Take the whole or its parts.`)
  return result
}
