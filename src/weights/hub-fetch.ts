import { HubApiError } from '@huggingface/hub'
import { UserError } from '../errors.ts'
import type { Environment, Extent } from './hub-cache.ts'
import { downloadModel, type HubAccess } from './hub-download.ts'

/**
 * Downloads a model into the cache, from where the environment says; returns its folder.
 * @throws UserError where it cannot be fetched; says why and the next step
 */
export async function fetchModel(
  cache: string,
  id: string,
  env: Environment,
  notice: (text: string) => void,
  extent: Extent,
): Promise<string> {
  const access = hubAccess(env)
  try {
    return await downloadModel(cache, id, access, notice, extent)
  } catch (error) {
    throw downloadError(id, error)
  }
}

function hubAccess(env: Environment): HubAccess {
  const endpoint = env.HF_ENDPOINT?.trim().replace(/\/+$/, '')
  const token = env.HF_TOKEN?.trim()
  if (endpoint && !(URL.canParse(endpoint) && /^https?:/.test(endpoint))) {
    throw new UserError('HF_ENDPOINT is no http or https address; correct or unset it.')
  }
  if (token && !token.startsWith('hf_'))
    throw new UserError('HF_TOKEN does not start with "hf_"; set it to a token of the hub or unset it.')
  return { ...(endpoint ? { hubUrl: endpoint } : {}), ...(token ? { accessToken: token } : {}) }
}

/** One sentence and the next step, without the address, which may be a private mirror. */
function downloadError(id: string, error: unknown): Error {
  if (error instanceof UserError) return error
  const failed = `"${id}" is no folder here and cannot be downloaded`
  if (error instanceof HubApiError) return new UserError(`${failed}: ${statusAdvice(error.statusCode)}.`)
  const { code, syscall, cause } = (error ?? {}) as NodeJS.ErrnoException
  if (syscall !== undefined && code !== undefined) {
    return new UserError(`${failed}: the cache cannot be written (${code}); set HF_HUB_CACHE to a writable folder with free space.`)
  }
  const reason = (cause as NodeJS.ErrnoException | undefined)?.code
  const what = reason === undefined ? 'the answer broke off or is not that of a hub' : `the connection failed (${reason})`
  return new UserError(`${failed}: ${what}; check the network and HF_ENDPOINT, or give the path of a folder.`, { cause: error })
}

function statusAdvice(status: number): string {
  if (status === 401 || status === 403) {
    return `the hub refuses access (${status}); check the spelling, and for a private model set HF_TOKEN to a token that may read it`
  }
  if (status === 404) return 'the hub knows no such model (404); check the spelling of owner and name'
  if (status === 429) return 'the hub is limiting requests (429); wait a little or set HF_TOKEN'
  return `the hub answered with status ${status}; try again later`
}
