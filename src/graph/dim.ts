/**
 * Sizes of a tensor's axes. A size is a number, or a product of named sizes that only a batch fixes,
 * written canonically as `12*length*rows` or, for an equal part, `tokens/2`.
 */
export type Dim = number | string
export type Shape = readonly Dim[]

interface Monomial {
  numerator: number
  denominator: number
  symbols: string[]
}

function parse(dim: Dim): Monomial {
  if (typeof dim === 'number') return { numerator: dim, denominator: 1, symbols: [] }
  const [product = '', divisor] = dim.split('/')
  const result: Monomial = { numerator: 1, denominator: Number(divisor ?? 1), symbols: [] }
  for (const factor of product.split('*')) {
    if (/^\d+$/.test(factor)) result.numerator *= Number(factor)
    else result.symbols.push(factor)
  }
  return result
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

/** In lowest terms, so that sums of many parts stay whole numbers. */
function lowest({ numerator, denominator, symbols }: Monomial): Monomial {
  const common = gcd(numerator, denominator)
  return { numerator: numerator / common, denominator: denominator / common, symbols }
}

function format(monomial: Monomial): Dim {
  const { numerator: top, denominator: bottom, symbols } = lowest(monomial)
  if (symbols.length === 0 || top === 0) return top / bottom
  const factors = [...(top === 1 ? [] : [String(top)]), ...symbols.slice().sort()]
  return factors.join('*') + (bottom === 1 ? '' : `/${bottom}`)
}

/** The product of sizes. */
export function product(dims: Shape): Dim {
  return format(
    dims.map(parse).reduce(
      (a, b) => ({
        numerator: a.numerator * b.numerator,
        denominator: a.denominator * b.denominator,
        symbols: [...a.symbols, ...b.symbols],
      }),
      { numerator: 1, denominator: 1, symbols: [] },
    ),
  )
}

/** One of `parts` equal parts of a size. */
export function part(dim: Dim, parts: number): Dim {
  const { numerator, denominator, symbols } = parse(dim)
  return format({ numerator, denominator: denominator * parts, symbols })
}

/** The terms of a sum such as `length+past+4`, its number last. */
function terms(dims: Shape): { names: string[]; number: number } {
  const all = dims.flatMap((dim) => String(dim).split('+'))
  const number = all.reduce((total, term) => total + (Number(term) || 0), 0)
  return { names: all.filter((term) => !/^\d+$/.test(term)).sort(), number }
}

/** The sum of sizes, defined where all are numbers, all share their symbols, or all are bare names and numbers (`length+past+4`). */
export function sum(dims: Shape): Dim {
  const [first, ...rest] = dims.map(parse)
  const alike = rest.every(({ symbols }) => symbols.slice().sort().join('*') === first!.symbols.slice().sort().join('*'))
  if (alike) {
    return format(
      rest.reduce(
        (x, y) =>
          lowest({
            numerator: x.numerator * y.denominator + y.numerator * x.denominator,
            denominator: x.denominator * y.denominator,
            symbols: x.symbols,
          }),
        first!,
      ),
    )
  }
  const { names, number } = terms(dims)
  if (!names.every(isSymbol)) throw new Error(`sizes ${dims.join(' and ')} have no common form`)
  return [...names, ...(number === 0 ? [] : [number])].join('+')
}

/** Whether the size is one bare name, such as `tokens`. */
export function isSymbol(dim: Dim): dim is string {
  return typeof dim === 'string' && /^[A-Za-z]\w*$/.test(dim)
}

/** The number that a size stands for once the named sizes are known; a count of distinct values inside the graph is taken at its bound, `tokens`. */
export function evaluate(dim: Dim, sizes: Readonly<Record<string, number>>): number {
  const { numerator, denominator, symbols } = parse(dim)
  return (
    symbols.reduce((value, symbol) => {
      const { names, number } = terms([symbol])
      const known = names.map((name) => sizes[name.startsWith('distinct') ? 'tokens' : name])
      if (known.includes(undefined)) throw new Error(`the size "${symbol}" is not known`)
      return value * known.reduce<number>((total, size) => total + size!, number)
    }, numerator) / denominator
  )
}
