import { basename, resolve } from 'node:path'
import type { Model } from '../models/open.ts'

const lastPart = (name: string): string => name.split('/').at(-1)!.toLowerCase()

/** The names that a model goes by: the hub's where it lies in the hub's cache, its config's, and its folder's. */
function namesOf({ folder, config }: Model): string[] {
  const cached = /models--([^/\\]+)[/\\]snapshots[/\\]/.exec(folder)?.[1]?.replace('--', '/')
  const noted = config._name_or_path
  return [cached, typeof noted === 'string' && noted !== '' ? noted : undefined, basename(resolve(folder))].filter(
    (name) => name !== undefined,
  )
}

/**
 * What to say where an adapter was made for a model of another name, else null. Names are compared without their owner: the
 * hub has moved many (`bert-base-uncased` is `google-bert/bert-base-uncased`).
 */
export function otherModel(folder: string, baseModel: string | null, model: Model): string | null {
  const names = namesOf(model)
  if (baseModel === null || names.some((name) => lastPart(name) === lastPart(baseModel))) return null
  return `${folder} was made for the model "${baseModel}", and this one goes by "${names[0]}"; if they differ, its answers mean nothing.`
}
