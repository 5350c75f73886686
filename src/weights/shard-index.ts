import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { readAt, withFile } from './file-access.ts'

/** The list of shards beside a sharded checkpoint. */
export const INDEX_FILE = 'model.safetensors.index.json'

const MOST_INDEX_BYTES = 100_000_000

/**
 * Which file of `folder` holds which tensor: tensor name to plain file name.
 * Source: `weight_map` of the index that transformers' `save_pretrained` writes.
 * @throws UserError where the index is missing, damaged, or names a file outside the folder
 */
export function readShardIndex(folder: string): ReadonlyMap<string, string> {
  const file = join(folder, INDEX_FILE)
  const map = weightMap(file)
  for (const [tensor, shard] of map) {
    if (typeof shard !== 'string' || !isPlainName(shard)) {
      const given = JSON.stringify(shard)
      throw new UserError(`${file} places "${tensor}" in ${given}, which is no plain .safetensors file name; correct its weight_map.`)
    }
  }
  return map as Map<string, string>
}

function weightMap(file: string): Map<string, unknown> {
  const bytes = withFile(file, (fd, size) => {
    if (size > MOST_INDEX_BYTES) throw new UserError(`${file} has ${size} bytes, too many for an index; download it again.`)
    return readAt(fd, file, 0, size)
  })
  let map: unknown
  try {
    map = (JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as { weight_map?: unknown } | null)?.weight_map
  } catch {
    throw new UserError(`${file} is not valid JSON; download it again.`)
  }
  const entries = typeof map === 'object' && map !== null && !Array.isArray(map) ? Object.entries(map) : []
  if (entries.length === 0) throw new UserError(`${file} has no "weight_map" with tensors; download it again.`)
  return new Map(entries)
}

function isPlainName(name: string): boolean {
  return name.endsWith('.safetensors') && !/[/\\:]/.test(name) && !name.includes('..') && !name.includes('\0')
}
