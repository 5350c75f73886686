import { global } from './global.ts'
import { perLayer } from './per-layer.ts'
import { perModule } from './per-module.ts'
import { replay } from './replay.ts'
import type { Recording, Selection } from './selection.ts'

/** Every selection by its name: a choice by scores as the budget falls, or ranks that are known before. */
export const selections: Readonly<
  Record<'global' | 'per-layer' | 'per-module' | 'replay', { readonly keep: Selection } | { readonly recorded: Recording }>
> = {
  global: { keep: global },
  'per-layer': { keep: perLayer },
  'per-module': { keep: perModule },
  replay: { recorded: replay },
}
