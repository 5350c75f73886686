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

function format({ numerator, denominator, symbols }: Monomial): Dim {
  const common = gcd(numerator, denominator)
  const [top, bottom] = [numerator / common, denominator / common]
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

/** The sum of sizes, defined where all are numbers, all share their symbols, or one bare name meets a number (`length+4`). */
export function sum(dims: Shape): Dim {
  return dims.reduce((a, b) => {
    const [named, number] = typeof a === 'number' ? [b, a] : [a, b]
    if (isSymbol(named) && typeof number === 'number') return `${named}+${number}`
    const [x, y] = [parse(a), parse(b)]
    if (x.symbols.slice().sort().join('*') !== y.symbols.slice().sort().join('*'))
      throw new Error(`sizes ${a} and ${b} have no common form`)
    return format({
      numerator: x.numerator * y.denominator + y.numerator * x.denominator,
      denominator: x.denominator * y.denominator,
      symbols: x.symbols,
    })
  })
}

/** Whether the size is one bare name, such as `tokens`. */
export function isSymbol(dim: Dim): dim is string {
  return typeof dim === 'string' && /^[A-Za-z]\w*$/.test(dim)
}

/** Counts of distinct values inside the graph, or of tokens that a head looks at: where nothing tells them, as many as `tokens`. */
const bounded = /^(distinct|places)/

/** The number that a size stands for once the named sizes are known. */
export function evaluate(dim: Dim, sizes: Readonly<Record<string, number>>): number {
  const { numerator, denominator, symbols } = parse(dim)
  return (
    symbols.reduce((value, symbol) => {
      const [name = '', more = '0'] = symbol.split('+')
      const size = sizes[name] ?? (bounded.test(name) ? sizes.tokens : undefined)
      if (size === undefined) throw new Error(`the size "${symbol}" is not known`)
      return value * (size + Number(more))
    }, numerator) / denominator
  )
}
