import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'

const conversions: Readonly<Record<string, string>> = {
  'adapter_model.bin': 'load the adapter in Python with peft and save it with save_pretrained(folder, safe_serialization=True)',
  'pytorch_adapter.bin': 'load the adapter in Python with adapters and save it with save_adapter(folder, name, use_safetensors=True)',
  'pytorch_model_head.bin': 'load the adapter in Python with adapters and save it with save_adapter(folder, name, use_safetensors=True)',
}

/** Refuses a pickle of that name: it may run code and is never read. */
export function refusePickle(folder: string, name: string): void {
  const file = join(folder, name)
  if (existsSync(file))
    throw new UserError(`${file} is a pickle file, which may run code and is never read; convert it: ${conversions[name]}.`)
}
