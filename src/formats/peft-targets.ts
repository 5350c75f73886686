import { UserError } from '../errors.ts'
import { selectsLayer } from '../methods/layers.ts'
import { resolveTargets, type TargetOptions } from '../methods/targets.ts'
import type { LinearSite } from '../nn/site.ts'
import type { Subject, Warn } from './adapter.ts'

/** The fields of a PEFT config that say where the method acts. */
export interface PeftTargets {
  readonly target_modules: string | readonly string[]
  readonly exclude_modules: string | readonly string[] | null
  readonly layers_to_transform: number | readonly number[] | null
  readonly modules_to_save: readonly string[] | null
}

/** The linear maps that a method acts on. */
export function targeted(options: TargetOptions, { model, outline }: Subject): LinearSite[] {
  const chosen = resolveTargets(options, outline.sites, model.wiring.layers)
  return outline.sites.filter((site): site is LinearSite => site.kind === 'linear' && chosen.has(site.name))
}

/** Every module that owns tensors, and the modules around them, by their dotted names. */
export function moduleNames({ outline }: Subject): string[] {
  const names = new Set<string>()
  for (const tensor of outline.base.keys()) {
    for (let end = tensor.lastIndexOf('.'); end > 0; end = tensor.lastIndexOf('.', end - 1)) names.add(tensor.slice(0, end))
  }
  return [...names]
}

type Rule = string | readonly string[]

/** PEFT's rule for names of modules: a whole name or its end after a dot, or an expression for the whole name. */
const matcher = (rule: Rule): ((name: string) => boolean) => {
  if (typeof rule !== 'string') return (name) => rule.some((end) => name === end || name.endsWith(`.${end}`))
  const whole = new RegExp(`^(?:${rule})$`)
  return (name) => whole.test(name)
}

/** The modules that PEFT would act on; source: `check_target_module_exists` in peft/tuners/tuners_utils.py, 0.21. */
function peftModules(config: PeftTargets, subject: Subject): string[] {
  const { target_modules: targets, exclude_modules: excluded, layers_to_transform: given, modules_to_save: saved } = config
  const linear = subject.outline.sites.flatMap((site) => (site.kind === 'linear' && site.role !== 'head' ? [site.name] : []))
  const chosen = targets === 'all-linear' ? matcher(linear) : matcher(targets)
  const left = matcher(excluded ?? [])
  const kept = (saved ?? []).map((module) => new RegExp(`^(|.*\\.)${module}($|\\..*)`))
  const layers = given === null ? [] : [given].flat()
  const inLayer = (name: string): boolean => {
    const index = /^.*?\.[^.]*\.(\d+)\./.exec(name)?.[1]
    return layers.length === 0 || (index !== undefined && layers.includes(Number(index)))
  }
  return moduleNames(subject).filter((name) => chosen(name) && !left(name) && !kept.some((module) => module.test(name)) && inLayer(name))
}

/** Whether two lists hold the same names, whatever their order. */
export const same = (a: Iterable<string>, b: Iterable<string>): boolean => [...a].sort().join('\n') === [...b].sort().join('\n')

/** The shortest ends of names that match no module but the chosen. */
export function shortestEnds(chosen: Iterable<string>, subject: Subject, matches = matcher): string[] {
  const [own, all] = [new Set(chosen), moduleNames(subject)]
  const ends = [...own].map((name) => {
    const parts = name.split('.')
    const candidates = parts.map((_, i) => parts.slice(-i - 1).join('.'))
    return candidates.find((end) => all.filter(matches([end])).every((module) => own.has(module)))!
  })
  return [...new Set(ends)]
}

/**
 * What PEFT must be told so that it acts on exactly the modules that the method acts on: the user's own words where PEFT
 * understands them alike, else the modules by the ends of their names. `lacking` are fields that its config does not have.
 */
export function toPeftTargets(
  options: TargetOptions,
  subject: Subject,
  saved: readonly string[] | null,
  lacking: readonly (keyof PeftTargets)[] = [],
): PeftTargets {
  const count = subject.model.wiring.layers
  const chosen = resolveTargets(options, subject.outline.sites, count)
  const { targets, exclude, layers } = options
  const words: PeftTargets = {
    target_modules: targets,
    exclude_modules: exclude.length > 0 ? exclude : null,
    layers_to_transform: layers === null ? null : Array.from({ length: count }, (_, i) => i).filter((i) => selectsLayer(layers, i, count)),
    modules_to_save: saved,
  }
  const sayable = lacking.every((field) => words[field] === null)
  const understood = sayable && targets !== 'all-linear' && (layers === null || typeof targets !== 'string')
  if (understood && same(peftModules(words, subject), chosen)) return words
  const plain = { exclude_modules: null, layers_to_transform: null, modules_to_save: saved }
  return { target_modules: shortestEnds(chosen, subject), ...plain }
}

/**
 * The target options that stand for a PEFT config on this model.
 * @throws UserError where the config names no module of this model, or one that is no linear map
 */
export function fromPeftTargets(config: PeftTargets, subject: Subject, file: string, warn: Warn): TargetOptions {
  const modules = peftModules(config, subject)
  const { sites } = subject.outline
  if (modules.length === 0)
    throw new UserError(`${file}: "target_modules" names no module of this model; check that it is the right model.`)
  const other = modules.find((name) => !sites.some((site) => site.name === name && site.kind === 'linear' && site.role !== 'head'))
  if (other !== undefined) {
    throw new UserError(
      `${file}: "target_modules" names "${other}", which is no linear map inside the model; only those are supported yet.`,
    )
  }
  const { target_modules: targets, exclude_modules: exclude, layers_to_transform: layers } = config
  const idle = typeof targets === 'string' ? [] : targets.filter((end) => !modules.some(matcher([end])))
  if (idle.length > 0) warn(`${file}: of "target_modules", ${idle.map((end) => `"${end}"`).join(', ')} match no module that is adapted.`)
  if (typeof exclude !== 'string') {
    const used = typeof targets === 'string' ? targets : targets.filter((end) => !idle.includes(end))
    // PEFT passes over numbers that no layer has.
    const indices = [layers ?? []].flat().filter((index) => sites.some(({ layer }) => layer === index))
    const words = { targets: used, exclude: exclude ?? [], layers: indices.length > 0 ? indices : null }
    if (same(resolveTargets(words, sites, subject.model.wiring.layers), modules)) return words
  }
  return { targets: modules, exclude: [], layers: null }
}
