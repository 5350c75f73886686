import type { RunConfig } from '../config/run-config.ts'
import { type Row, readRows } from '../data/read-rows.ts'
import { namedFiles, type RowFiles } from '../data/row-files.ts'
import { rowsWithin } from '../data/row-range.ts'
import { drawShots, rowsOfSeed } from '../data/shots.ts'
import { UserError } from '../errors.ts'
import type { Task } from '../tasks/task.ts'

/** Rows that are scored; those of one file of several have its name. */
export interface RowSet {
  readonly name: string | null
  readonly rows: readonly Row[]
}

/** The rows of a run's data; null where it names none. */
export interface DataSets {
  readonly train: readonly Row[]
  readonly eval: readonly RowSet[] | null
  readonly test: readonly RowSet[] | null
}

/** Reads the files that a run names; of files with a column of seeds, the rows of the run's seed. */
export async function readDataSets({ data, train: { seed } }: RunConfig): Promise<DataSets> {
  if (data.evalShots !== null && data.shots === null)
    throw new UserError('data.evalShots needs data.shots: how many rows of each class train.')
  if (data.evalShots !== null && data.eval !== null)
    throw new UserError('data.evalShots takes the place of data.eval; give one of them, and a file to score at the end as data.test.')
  const { seedColumn } = data
  const read = async (file: string, part: 'train' | 'eval' | 'test'): Promise<Row[]> => {
    const rows = rowsWithin(await readRows(file), data.rows?.[part], `data.rows.${part}`)
    const seeded = seedColumn !== null && (part === 'train' || rows.some(({ values }) => values.has(seedColumn)))
    return seeded ? rowsOfSeed(rows, seedColumn, seed) : rows
  }
  const scored = async (files: RowFiles | null, part: 'eval' | 'test'): Promise<RowSet[] | null> =>
    files === null ? null : Promise.all(namedFiles(files).map(async ([name, file]) => ({ name, rows: await read(file, part) })))
  return { train: await read(data.train, 'train'), eval: await scored(data.eval, 'eval'), test: await scored(data.test, 'test') }
}

/** The data with as many rows of each class as the run asks for. */
export function withShots(
  sets: DataSets,
  task: Task,
  names: readonly string[],
  column: string,
  { data, train: { seed } }: RunConfig,
): DataSets {
  if (data.shots === null) return sets
  const classOf = (row: Row): number => {
    if (task.classOf) return task.classOf(row, column, names)
    throw new UserError('data.shots counts rows of a class, and this task has no class for each row. Leave it out.')
  }
  const drawn = drawShots(sets.train, classOf, names, { shots: data.shots, evalShots: data.evalShots ?? 0 }, seed)
  return { ...sets, train: drawn.train, eval: data.evalShots === null ? sets.eval : [{ name: null, rows: drawn.eval }] }
}
