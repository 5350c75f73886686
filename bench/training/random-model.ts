import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { outline } from '../../src/evaluate/assembly.ts'
import { heads, type TaskName } from '../../src/heads/index.ts'
import { openConfig } from '../../src/models/open.ts'
import { elementCount } from '../../src/nn/tensor.ts'
import { normals } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'

/** A model folder with random weights of a key; made once. The number of its weights, the head's included. */
export function randomModel(folder: string, config: object, task: TaskName, key: string): number {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`)
  const { base } = outline({ model: openConfig(folder), head: heads[task], labels: 2 })
  const initial = (name: string, shape: readonly number[]): Float32Array => {
    if (shape.length > 1) return normals(elementCount(shape), keyOf(key, name), { mean: 0, deviation: 0.02 })
    return new Float32Array(elementCount(shape)).fill(name.endsWith('.bias') ? 0 : 1)
  }
  const file = join(folder, 'model.safetensors')
  if (!existsSync(file)) {
    const tensors = [...base.values()].map(({ name, shape }) => [name, { shape, data: () => initial(name, shape) }] as const)
    writeSafetensors(file, tensors, { format: 'pt' })
  }
  return [...base.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0)
}
