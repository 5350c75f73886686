import { UserError } from '../../errors.ts'
import type { Rule } from '../rule.ts'
import { averaged } from './mean.ts'

/** Below it a weight counts as equally unimportant to all members. */
const FLOOR = 1e-6

/** Every weight by its own mean, in which a member counts as much as the weight matters to it (Matena and Raffel 2022, equation 4). */
export const fisher: Rule = {
  summary: 'the mean of every weight by the Fisher information of the members on --data; any method',
  uses: ['weights', 'data', 'seed'],
  async blend(members, _settings, { fisher: informationOf }) {
    if (members.some(({ weight }) => weight <= 0)) throw new UserError('The rule fisher takes weights above 0 only.')
    const information: ReadonlyMap<string, Float32Array>[] = []
    for (const member of members) information.push(await informationOf(member))
    return averaged(members, (name) =>
      members.map(({ weight }, k) => information[k]!.get(name)?.map((value) => weight * Math.max(value, FLOOR)) ?? weight),
    )
  },
}
