import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bareSubject, bertSizes } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { methodOptions } from '../methods/index.ts'
import { outline } from './assembly.ts'
import { withinBudget } from './budget.ts'
import { methodFor } from './method-for.ts'
import { weightCounts } from './weight-counts.ts'

const subject = bareSubject(bertSizes)
const shape = outline(subject)
const sized = (options: object) => withinBudget(subject, shape, methodOptions.parse(options))
const lora = { name: 'lora', targets: ['query', 'value'] }

test('a budget sizes what patterns leave open', () => {
  assert.deepEqual(
    sized({ ...lora, rankPattern: { query: 4 }, budget: 512 }),
    methodOptions.parse({ ...lora, rankPattern: { query: 4 }, r: 4 }),
  )
})

test('a budget is used up to the next larger size, however large it is', () => {
  for (const budget of [1100, 5555, 1e12]) {
    const { r } = sized({ ...lora, budget }) as { r: number }
    const weights = (n: number): number => weightCounts(shape, methodFor(subject, shape, methodOptions.parse({ ...lora, r: n }))).merged
    assert.ok(weights(r) <= budget && weights(r + 1) > budget, `${budget}: ${r}`)
  }
})

for (const budget of ['50%', { ranks: 72 }]) {
  test(`a budget of ${JSON.stringify(budget)} is refused where the settings leave nothing for it to size`, () => {
    const fixed = { ...lora, rankPattern: { query: 4, value: 4 }, budget }
    const refused = (error: Error) =>
      error instanceof UserError && /budget: the settings of lora give every module its size/.test(error.message)
    assert.throws(() => sized(fixed), refused)
    assert.throws(() => sized({ name: 'adamix', of: { ...fixed, budget: null }, budget }), /the settings of adamix give every module/)
  })
}
