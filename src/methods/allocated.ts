import { schedules } from '../allocation/schedules/index.ts'
import type { BudgetSettings } from '../allocation/schedules/schedule.ts'
import { scores } from '../allocation/scores/index.ts'
import { selections } from '../allocation/selections/index.ts'
import type { Recording } from '../allocation/selections/selection.ts'
import { UserError } from '../errors.ts'
import type { Method, Tensor } from '../nn/method.ts'
import type { LinearSite } from '../nn/site.ts'
import { type AllocationOptions, budgetTimes, hasBudgetingPhase } from './allocation-options.ts'
import { type AllocationMemory, allocate, freshMemory, lastAllocation, ranksEvent } from './allocator.ts'
import type { Setting } from './definition.ts'
import { type Divisible, factorsOf } from './divisible.ts'
import { rated } from './rated.ts'

/** Components of all modules at the start. */
const countAll = ({ modules, initial }: Divisible): number => modules.reduce((sum, { name }) => sum + initial.rankOf(name), 0)

/** What a file says that the ranks are. Throws UserError where it leaves a module out or gives it too much. */
function replayed(read: Recording, file: string | null, { modules, initial }: Divisible): AllocationMemory {
  if (file === null)
    throw new UserError('The selection replay needs "ranks": an adapter\'s folder, a run.jsonl, or JSON of ranks by module.')
  const recorded = read(file)
  const ranks = modules.map(({ name }) => {
    const [rank, most] = [recorded.get(name), initial.rankOf(name)]
    if (rank === undefined) throw new UserError(`ranks: ${file} has none for "${name}"; give the targets that it was made with.`)
    if (rank > most)
      throw new UserError(`ranks: ${file} gives "${name}" ${rank}, more than ${initial.named} ${most}; raise ${initial.named}.`)
    return rank
  })
  const keptOf = ({ name }: LinearSite, k: number): boolean[] => Array.from({ length: initial.rankOf(name) }, (_, i) => i < ranks[k]!)
  return { kept: Object.fromEntries(modules.map((site, k) => [site.name, keptOf(site, k)])), shrunk: true, ranks }
}

/** The rank that a module was left with. Throws UserError where the ranks are those of other modules. */
function rankLeft({ kept }: AllocationMemory, name: string): number {
  const own = kept?.[name]
  if (own) return own.filter(Boolean).length
  throw new UserError(`The final ranks are those of other modules, with none for "${name}"; give the same targets, or exclude this one.`)
}

/** The budget of a run. Throws UserError where there is nothing to prune, or no time for it. */
function budgetOf(options: AllocationOptions, form: Divisible, totalSteps: number): BudgetSettings {
  const { modules, initial } = form
  const total = countAll(form)
  const target = options.targetR * modules.length
  const { tInit, tFinal } = budgetTimes(options, totalSteps)
  if (target >= total) {
    const mean = Number((total / modules.length).toPrecision(3))
    throw new UserError(
      `Ranks are pruned down to a target: targetR ${options.targetR} must be below ${initial.named} ${mean}. ` +
        'Change one of them, or set schedule: none to prune nothing.',
    )
  }
  if (!hasBudgetingPhase({ tInit, tFinal }, totalSteps)) {
    throw new UserError(
      `There is no budgeting phase: tInit ${tInit} and tFinal ${tFinal} fill all ${totalSteps} updates. ` +
        'Train longer, or lower tInit and tFinal.',
    )
  }
  return { initial: total, target, tInit, tFinal, deltaT: options.deltaT, totalSteps }
}

/**
 * A method that shares a budget of components among its modules (Zhang et al. 2023): scores are in the graph, masks are zeros in the
 * state, made on the host. What is remembered decides the shapes; what changes without them is handed to `control`.
 * @throws UserError for a schedule without a budgeting phase, a target that is not below the initial ranks, or ranks that do not fit
 */
export function allocated(form: Divisible, options: AllocationOptions, { totalSteps, memory: remembered }: Setting): Method {
  const { modules, components, initial, shrink } = form
  const [schedule, selection] = [schedules[options.schedule], selections[options.selection]]
  if (options.ranks !== null && !('recorded' in selection))
    throw new UserError(`"ranks" is a file for the selection replay, but the selection is ${options.selection}; change one of them.`)
  const replay = 'recorded' in selection && !remembered ? replayed(selection.recorded, options.ranks, form) : null
  const memory = (remembered ?? replay ?? freshMemory) as AllocationMemory
  const inner = form.method((name) => (memory.shrunk ? rankLeft(memory, name) : initial.rankOf(name)))
  const reported = (state: ReadonlyMap<string, Tensor>) => form.report?.(modules.map((site) => factorsOf(state, components, site)))
  if (replay) {
    const ranks = replay.ranks!
    const names = modules.map(({ name }) => name)
    const sum = ranks.reduce((a, b) => a + b, 0)
    return {
      ...inner,
      control: (_step, _signals, state, past) =>
        past ? null : { memory: replay, event: { ...ranksEvent(names, ranks, sum, true), ...reported(state) } },
    }
  }
  if (memory.shrunk || !schedule || !('keep' in selection)) return inner

  const known = totalSteps === null ? null : budgetOf(options, form, totalSteps)
  const budget = (): BudgetSettings => {
    if (!known) throw new Error('a budget needs the number of updates')
    return known
  }
  const observes = (step: number): boolean => step < budget().totalSteps - budget().tFinal
  return {
    ...rated(inner, form, scores[options.score], options, observes),
    control(step, signals, state, past) {
      const now = (past ?? freshMemory) as AllocationMemory
      if (now.shrunk) return null
      const seen = modules.flatMap((site) => {
        const given = signals.get(site.name)?.score
        return given ? [{ site, scores: given, factors: factorsOf(state, components, site) }] : []
      })
      const decision = allocate(step, seen, now, { components, schedule, keep: selection.keep, budget: budget(), shrink })
      return decision && { ...decision, event: { ...decision.event, ...reported(state) } }
    },
    remains: (options.targetR * modules.length) / countAll(form),
    settled: (step) => step > lastAllocation(budget()),
  }
}
