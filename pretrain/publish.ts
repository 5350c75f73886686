import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { outline } from '../src/evaluate/assembly.ts'
import { heads } from '../src/heads/index.ts'
import { openConfig } from '../src/models/open.ts'
import { elementCount } from '../src/nn/tensor.ts'
import { openCheckpoint } from '../src/weights/checkpoint.ts'
import { float32ToHalf } from '../src/weights/half.ts'
import { readTensor } from '../src/weights/safetensors.ts'
import { writeSafetensors } from '../src/weights/write-safetensors.ts'
import { publishedWith } from './shapes.ts'

/** Writes a trained model with its weights in half precision, and with biases of zero where it has none. */
export function publish(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  const config = { ...JSON.parse(readFileSync(join(from, 'config.json'), 'utf8')), ...publishedWith }
  writeFileSync(join(to, 'config.json'), `${JSON.stringify(config, null, 2)}\n`)
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) copyFileSync(join(from, name), join(to, name))
  const { tensors } = openCheckpoint(from)
  const { base } = outline({ model: openConfig(to), head: heads['masked-lm'], labels: 0 })
  const all = [...base.values()].map(({ name, shape }) => {
    const entry = tensors.get(name)
    if (!entry && !name.endsWith('.bias')) throw new Error(`${from} has no ${name}`)
    const data = (): Uint16Array => (entry ? float32ToHalf(readTensor(entry)) : new Uint16Array(elementCount(shape)))
    return [name, { shape, dtype: 'F16', data }] as const
  })
  writeSafetensors(join(to, 'model.safetensors'), all, { format: 'pt' })
}
