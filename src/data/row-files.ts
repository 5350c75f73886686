/** Files of rows that are scored together: one, or several that have scores of their own, too, by the names of these. */
export type RowFiles = string | Readonly<Record<string, string>>

/** The files with their names; a single file has none. */
export const namedFiles = (files: RowFiles): readonly (readonly [name: string | null, file: string])[] =>
  typeof files === 'string' ? [[null, files]] : Object.entries(files)

export const filesIn = (files: RowFiles | null): readonly string[] => (files === null ? [] : namedFiles(files).map(([, file]) => file))

/** The names of files that have scores of their own. */
export const namesIn = (files: RowFiles | null): readonly string[] =>
  files === null ? [] : namedFiles(files).flatMap(([name]) => name ?? [])
