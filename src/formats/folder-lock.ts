import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import { explained } from '../file-faults.ts'
import { makeFolder } from '../weights/file-access.ts'

/** The file that says which process works in a folder. */
export const LOCK = 'running.pid'

const ASKED_MS = 100

/** When a process began, in the system's own count: numbers of processes come again. Empty where the system does not tell. */
function beginOf(pid: number): string {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The program's name comes before, in parentheses, and may hold spaces.
    return fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19]!
  } catch {
    return ''
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The locks of this process. */
const own = new Set<string>()

/** The process that a lock names, 0 where it is being written; null where that is gone, or its number is now another's. */
function holderOf(file: string): number | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return null
  }
  const [number, begin] = [Number.parseInt(text, 10) || 0, text.split(' ')[1]]
  if (number === process.pid) return own.has(file) ? number : null
  return number === 0 || (isAlive(number) && beginOf(number) === begin) ? number : null
}

/** Whether the lock was not there and now is this process's. */
const taken = (file: string): boolean =>
  explained(file, () => {
    try {
      writeFileSync(file, `${process.pid} ${beginOf(process.pid)}`, { flag: 'wx' })
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
  })

async function take(file: string, patienceMs: number): Promise<void> {
  for (let waited = 0; !taken(file); waited += ASKED_MS) {
    const holder = holderOf(file)
    // One that is written takes no time; a full disk leaves one that is empty.
    if (holder === null || (holder === 0 && waited > 0)) rmSync(file, { force: true })
    else if (waited < patienceMs) await sleep(ASKED_MS)
    else throw new UserError(`Process ${holder} is at work in ${dirname(file)}; wait for it or stop it, or work in another folder.`)
  }
  own.add(file)
}

/**
 * Does `work` in a folder, made where it is not there, while no other process does such work there; waits for one that ends within the
 * given time.
 * @throws UserError where another one goes on
 */
export async function holding<T>(folder: string, work: () => Promise<T>, patienceMs = 0): Promise<T> {
  const file = join(folder, LOCK)
  makeFolder(folder)
  await take(file, patienceMs)
  try {
    return await work()
  } finally {
    own.delete(file)
    rmSync(file, { force: true })
  }
}
