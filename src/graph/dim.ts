/**
 * Sizes of a tensor's axes. A size is a number, or a product of named sizes that only a batch fixes,
 * written canonically as `12*length*rows` or, for an equal part, `tokens/2`; a sum of one name and a number as `length+4` or `length+length+4`.
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

const isNumber = (term: string): boolean => /^\d+$/.test(term)

/** A size as its terms, `2*length` as two of them; null for a product of names or a part. */
function termsOf(dim: Dim): string[] | null {
  const { numerator, denominator, symbols } = parse(dim)
  if (symbols.length > 1 || denominator !== 1) return null
  return symbols.length === 0 ? [String(numerator)] : Array.from({ length: numerator }, () => symbols[0]!.split('+')).flat()
}

/** The sum of sizes, defined where all share their symbols, or are of one name and numbers (`length+length+4`). */
export function sum(dims: Shape): Dim {
  return dims.reduce((a, b) => {
    const [x, y] = [parse(a), parse(b)]
    if (x.symbols.slice().sort().join('*') === y.symbols.slice().sort().join('*')) {
      return format({
        numerator: x.numerator * y.denominator + y.numerator * x.denominator,
        denominator: x.denominator * y.denominator,
        symbols: x.symbols,
      })
    }
    const [u, v] = [termsOf(a), termsOf(b)]
    const terms = [...(u ?? []), ...(v ?? [])]
    const names = terms.filter((term) => !isNumber(term))
    if (!u || !v || new Set(names).size > 1) throw new Error(`sizes ${a} and ${b} have no common form`)
    return [...names, terms.filter(isNumber).reduce((total, term) => total + Number(term), 0)].join('+')
  })
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
      const terms = symbol.split('+').map((term) => {
        const size = isNumber(term) ? Number(term) : sizes[term.startsWith('distinct') ? 'tokens' : term]
        if (size === undefined) throw new Error(`the size "${symbol}" is not known`)
        return size
      })
      return value * terms.reduce((total, term) => total + term, 0)
    }, numerator) / denominator
  )
}
