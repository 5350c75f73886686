import { styleText } from 'node:util'

export interface TableOptions {
  /** Of each column; by default numbers stand to the right, words to the left. */
  readonly align?: readonly ('left' | 'right')[]
  /** Whether the first row is a header. */
  readonly header?: boolean
  /** Whether the header is dimmed; by default where the process writes to a terminal. */
  readonly color?: boolean
}

const isNumber = (cell: string): boolean => /^[-–+]?\d|^[-–]?$/.test(cell)
const width = (cell: string): number => [...cell].length

/** Rows as aligned columns of plain text, each line with its end. */
export function table(rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const { header = true, color = process.stdout.isTTY === true && !process.env.NO_COLOR } = options
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const shapes = Array.from({ length: columns }, (_, column) => {
    const cells = rows.map((row) => row[column] ?? '')
    const body = header ? cells.slice(1) : cells
    const numeric = body.length > 0 && body.every(isNumber) && body.some((cell) => cell !== '')
    return { most: Math.max(...cells.map(width)), right: (options.align?.[column] ?? (numeric ? 'right' : 'left')) === 'right' }
  })
  const lines = rows.map((row) => {
    const cells = shapes.map(({ most, right }, column) => {
      const cell = row[column] ?? ''
      const space = ' '.repeat(most - width(cell))
      return right ? space + cell : cell + space
    })
    return cells.join('  ').trimEnd()
  })
  // The caller decides on colour, so that what is piped stays plain.
  const dimmed = header && color ? lines.map((line, i) => (i === 0 ? styleText('dim', line, { validateStream: false }) : line)) : lines
  return dimmed.map((line) => `${line}\n`).join('')
}
