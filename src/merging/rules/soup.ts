import type { Rule } from '../rule.ts'
import { averaged } from './mean.ts'

/**
 * A greedy soup (Wortsman et al. 2022): the best member on the data, then the others in the order of their scores, each kept where
 * the mean with it does no worse.
 */
export const soup: Rule = {
  summary: 'the mean of the members that do not lower the score on --data, best first; any method',
  uses: ['data', 'metric'],
  async blend(members, _settings, { score }) {
    const of = (chosen: ReadonlySet<number>) => averaged(members, () => members.map((_, k) => (chosen.has(k) ? 1 : 0)))
    const alone: number[] = []
    for (const k of members.keys()) alone.push(await score(of(new Set([k]))))
    const [first, ...rest] = [...members.keys()].sort((i, j) => alone[j]! - alone[i]! || i - j)
    const chosen = new Set([first!])
    let best = alone[first!]!
    for (const k of rest) {
      const reached = await score(of(new Set([...chosen, k])))
      if (reached < best) continue
      best = reached
      chosen.add(k)
    }
    return { ...of(chosen), told: { kept: [...chosen].map((k) => members[k]!.folder) } }
  },
}
