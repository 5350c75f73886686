import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes of the files in a folder; of a link those of what it names. */
export const folderBytes = (folder: string): number => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
