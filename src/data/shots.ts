import { UserError } from '../errors.ts'
import { permutation } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { columnsOf, type Row, shown } from './row.ts'

/**
 * So many rows of each class, drawn by the seed, and as many others as `evalShots` says; both in the file's order.
 * @throws UserError for a class with fewer rows
 */
export function drawShots(
  rows: readonly Row[],
  classOf: (row: Row) => number,
  names: readonly string[],
  { shots, evalShots }: { readonly shots: number; readonly evalShots: number },
  seed: number,
): { readonly train: Row[]; readonly eval: Row[] } {
  const classes = rows.map(classOf)
  const drawn = names.map((name, c) => {
    const own = rows.filter((_, i) => classes[i] === c)
    if (own.length < shots + evalShots) {
      const asked = evalShots > 0 ? `data.shots and data.evalShots ask for ${shots} and ${evalShots}` : `data.shots asks for ${shots}`
      throw new UserError(`The class "${name}" has ${own.length} rows, but ${asked}; ask for fewer.`)
    }
    return Array.from(permutation(own.length, keyOf('shots', seed, c)), (i) => own[i]!)
  })
  const between = (from: number, to: number): Row[] => {
    const chosen = new Set(drawn.flatMap((own) => own.slice(from, to)))
    return rows.filter((row) => chosen.has(row))
  }
  return { train: between(0, shots), eval: between(shots, shots + evalShots) }
}

/** The rows whose `column` holds the seed. UserError where there are none. */
export function rowsOfSeed(rows: readonly Row[], column: string, seed: number): Row[] {
  const own = rows.filter(({ values }) => String(values.get(column)) === String(seed))
  if (own.length > 0) return own
  const [first] = rows
  if (!rows.some(({ values }) => values.has(column)))
    throw new UserError(`${first!.file}: no column "${column}", which data.seedColumn names; rows have ${columnsOf(first!)}.`)
  const there = [...new Set(rows.map(({ values }) => shown(values.get(column))))].slice(0, 20).join(', ')
  throw new UserError(`${first!.file}: no row has the seed ${seed} in "${column}"; there are ${there}. Set train.seed to one of these.`)
}
