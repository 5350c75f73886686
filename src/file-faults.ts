import { UserError } from './errors.ts'

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file; check the path (a relative one starts at the working directory)',
  EACCES: 'permission denied; check who may read and write it',
  EPERM: 'permission denied; check who may read and write it',
  EEXIST: 'there is a file of this name; choose another',
  EISDIR: 'it is a folder; give a file',
  ENOTDIR: 'part of the path is no folder; check the path',
  ENOSPC: 'the disk is full; free some space and run again',
  EROFS: 'the disk is read-only; choose another folder',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
  ELOOP: 'its symbolic links go round in a circle; mend them',
}

/** What a user is told of a file that the file system refuses, with the next step; undefined for errors of another kind. */
export function fileFault(error: unknown, file: string): UserError | undefined {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === 'ERR_INVALID_ARG_VALUE') return new UserError(`${JSON.stringify(file)} is no file name; check the path.`)
  if (code === undefined || syscall === undefined) return undefined
  return new UserError(`${file}: ${REASONS[code] ?? `the file system answered ${code}; check the disk and run again`}.`)
}

/** Runs `action`; an error of the file system becomes a `UserError` that names `file` and the next step. */
export function explained<T>(file: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw fileFault(error, file) ?? error
  }
}
