import { UserError } from '../errors.ts'
import type { LabelNames } from '../tasks/task.ts'

/** The classes that a trained head counts: an adapter's, else the model's `own`; null where the head counts none, as words of the vocabulary. */
export const trainedLabels = (adapter: LabelNames | null, own: LabelNames | null): LabelNames | null =>
  own?.length === 0 ? null : (adapter ?? own)

/**
 * The classes that are asked for of a head that counts its own so; other names rename them.
 * @throws UserError for its names in another order, which would take each class for another
 */
export function inOrder(asked: LabelNames, own: LabelNames | null, where: string): LabelNames {
  const alike = own?.length === asked.length && own.every((name) => asked.includes(name))
  if (!alike || own.join() === asked.join()) return asked
  const way = 'give labels in its order, or leave them out, and rows with names'
  throw new UserError(`${where} counts the classes as ${own.join(', ')}, and not as ${asked.join(', ')}: ${way}.`)
}
