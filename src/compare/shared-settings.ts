import { isDeepStrictEqual } from 'node:util'
import { valueAt } from '../settings/plain.ts'

/** Settings that are those of `run` whatever an axis has, by the reason. */
const shared: Readonly<Record<string, readonly string[]>> = {
  'all trials answer the same rows': [
    'task',
    'data.eval',
    'data.test',
    'data.evalShots',
    'data.rows.eval',
    'data.rows.test',
    'data.columns',
    'generate.rows',
  ],
  'give seeds as axes.train.seed': ['train.seed', 'train.seeds'],
  'trials have folders of their own': ['out'],
  'nothing is trained by it': ['published'],
}

/** A setting that all arms share and that is not the same in two groups of settings, and why it must be; null where there is none. */
export function sharedSettingChanged(settings: unknown, others: unknown): { readonly key: string; readonly why: string } | null {
  for (const [why, keys] of Object.entries(shared)) {
    const key = keys.find((each) => {
      const path = each.split('.')
      const [own, other] = [settings, others].map((group) => valueAt(group, path) ?? null)
      return !isDeepStrictEqual(own, other)
    })
    if (key !== undefined) return { key, why }
  }
  return null
}
