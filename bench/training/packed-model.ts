import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

const WEIGHTS = 'model.safetensors'

/** Whether a model's weights lie beside its config.json in model.safetensors.xz alone. */
export const isPacked = (model: string): boolean => existsSync(join(model, `${WEIGHTS}.xz`)) && !existsSync(join(model, WEIGHTS))

/** Makes a folder that holds a packed model with its weights unpacked, where it is not there yet. */
export function unpackModel(model: string, folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const name of ['config.json', 'tokenizer.json', `${WEIGHTS}.xz`])
    if (!existsSync(join(folder, name))) copyFileSync(join(model, name), join(folder, name))
  if (existsSync(join(folder, WEIGHTS))) return
  const { status } = spawnSync('xz', ['-dkf', join(folder, `${WEIGHTS}.xz`)], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`xz could not unpack the weights in ${folder}`)
}
