import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where converted weights and fetched data are kept between runs: ADATUNE_CACHE, else a folder of the user's cache. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.ADATUNE_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'adatune')
}
