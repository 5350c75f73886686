/** Files of rows that are scored together: one, or several that have scores of their own, too, by the names of these. */
export type RowFiles = string | Readonly<Record<string, string>>

/** The files with their names; a single file has none. */
export const namedFiles = (files: RowFiles | null): readonly (readonly [name: string, file: string])[] =>
  typeof files === 'string' || files === null ? [] : Object.entries(files)

export const filesIn = (files: RowFiles | null): readonly string[] =>
  files === null ? [] : typeof files === 'string' ? [files] : Object.values(files)
