import { UserError } from '../errors.ts'

/** What a user is told of a data file that the file system does not give; undefined for other faults. */
export function fileFault(error: unknown, file: string): UserError | undefined {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return new UserError(`${file}: no such file. Check the path; a relative one starts at the working directory.`)
  if (code === 'EISDIR') return new UserError(`${file}: is a folder, expected a file.`)
  if (code === 'EACCES') return new UserError(`${file}: may not be read (permission denied).`)
  return undefined
}
