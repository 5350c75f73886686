import { type Ia3Options, ia3Sites } from '../methods/ia3.ts'
import type { Subject } from './adapter.ts'
import { type PeftTargets, same, shortestEnds } from './peft-targets.ts'

type Rule = string | readonly string[]

/** PEFT's rule for `feedforward_modules`: any end of a name, dot or not; source: peft/tuners/ia3/model.py, 0.21. */
const matcher = (rule: Rule): ((name: string) => boolean) => {
  if (typeof rule !== 'string') return (name) => rule.some((end) => name.endsWith(end))
  const whole = new RegExp(`^(?:${rule})$`)
  return (name) => whole.test(name)
}

/**
 * The targets of an IA3 config with those whose input is scaled, which PEFT wants to be among the words of the targets: the user's
 * own words where PEFT understands them alike, else the modules by the ends of their names.
 */
export function withFeedForward(options: Ia3Options, targets: PeftTargets, subject: Subject): { targets: PeftTargets; inputs: Rule } {
  const { outline, model } = subject
  const { all, inputs } = ia3Sites(options, outline.sites, model.wiring.layers)
  const { feedForward: given } = options
  const words = targets.target_modules
  const isSaid = typeof words === 'string' || typeof given === 'string' ? words === given : given.every((end) => words.includes(end))
  if (isSaid && same([...all].filter(matcher(given)), inputs)) return { targets, inputs: given }
  const ends = shortestEnds(inputs, subject, matcher)
  const others = [...all].filter((name) => !inputs.has(name))
  const own = { target_modules: [...shortestEnds(others, subject), ...ends], exclude_modules: null, layers_to_transform: null }
  return { targets: { ...targets, ...own }, inputs: ends }
}

/** The `feedForward` that stands for a config's `feedforward_modules` at these targets. */
export function fromFeedForward(options: Omit<Ia3Options, 'feedForward'>, rule: Rule, { outline, model }: Subject): string | string[] {
  const sitesOf = (feedForward: string | string[]) => ia3Sites({ ...options, feedForward }, outline.sites, model.wiring.layers)
  const names = [...sitesOf([]).all].filter(matcher(rule))
  const words = typeof rule === 'string' ? rule : rule.filter((end) => names.some((name) => name === end || name.endsWith(`.${end}`)))
  return names.length > 0 && words.length > 0 && same(sitesOf(words).inputs, names) ? words : names
}
