import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'

const NAME = 'running.pid'

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Keeps other processes from working in a folder, which is made where it is not there. Returns what lets go of it.
 * @throws UserError where another process works there
 */
export function holdFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, NAME)
  const holder = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  if (holder > 0 && holder !== process.pid && isAlive(holder))
    throw new UserError(`Process ${holder} is at work in ${folder}; wait for it, or delete ${file} where that is another program.`)
  writeFileSync(file, String(process.pid))
  return () => rmSync(file, { force: true })
}
