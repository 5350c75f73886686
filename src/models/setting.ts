import { loadTokenizer } from '../data/tokenizer.ts'
import type { Outline } from '../nn/outline.ts'
import type { Setting } from '../nn/setting.ts'
import { readTensor } from '../weights/safetensors.ts'
import type { Model } from './open.ts'

/** What a method learns of a model; `totalSteps` is null outside of training. */
export function settingOf(model: Model, { sites, base }: Outline, totalSteps: number | null, memory: unknown): Setting {
  return {
    sites,
    base: [...base.values()],
    layers: model.wiring.layers,
    hidden: model.wiring.hidden,
    tensor(name) {
      const entry = model.find(name)
      return entry && { shape: entry.shape, data: readTensor(entry) }
    },
    encode: (text) => loadTokenizer(model.folder).encode(text, null, Number.MAX_SAFE_INTEGER).ids,
    totalSteps,
    memory,
  }
}
