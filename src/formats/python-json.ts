/** A value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** A float as Python's `repr` writes it: `1.0`, `1e-05`. */
function pythonFloat(value: number): string {
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string]
  const power = Number(exponent)
  if (value !== 0 && (power < -4 || power >= 16)) return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
  const plain = String(value)
  return plain.includes('.') ? plain : `${plain}.0`
}

const text = (value: string): string =>
  JSON.stringify(value).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/**
 * What Python's `json.dumps(value, indent=2, sort_keys=True)` gives, without a final newline. Python tells floats from
 * integers, JavaScript does not: whole numbers under a key for which `isFloat` holds are written as floats.
 */
export function pythonJson(value: Json, isFloat: (key: string) => boolean, key = '', indent = ''): string {
  const deeper = `${indent}  `
  const block = (open: string, items: readonly string[], close: string): string =>
    items.length === 0 ? open + close : `${open}\n${items.map((item) => deeper + item).join(',\n')}\n${indent}${close}`
  if (typeof value === 'number') return isFloat(key) || !Number.isInteger(value) ? pythonFloat(value) : String(value)
  if (typeof value === 'string') return text(value)
  if (Array.isArray(value))
    return block(
      '[',
      value.map((item: Json) => pythonJson(item, isFloat, key, deeper)),
      ']',
    )
  if (value === null || typeof value === 'boolean') return String(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return block(
    '{',
    entries.map(([name, item]) => `${text(name)}: ${pythonJson(item, isFloat, name, deeper)}`),
    '}',
  )
}
