import { onDemand } from '../on-demand.ts'

const jinja = (): typeof import('@huggingface/jinja') => onDemand('@huggingface/jinja')

type Strip = (text: string, characters: string) => string

/** A text without the characters that are named, at the sides that are told. */
const stripped =
  (left: boolean, right: boolean): Strip =>
  (text, characters) => {
    let [start, end] = [0, text.length]
    while (left && start < end && characters.includes(text[start]!)) start++
    while (right && end > start && characters.includes(text[end - 1]!)) end--
    return text.slice(start, end)
  }

/** Python's methods of strings that the library knows without an argument alone. */
const methods: ReadonlyMap<unknown, Strip> = new Map([
  ['strip', stripped(true, true)],
  ['lstrip', stripped(true, false)],
  ['rstrip', stripped(false, true)],
])
const functionName = (method: unknown): string => `python_${method}`
const functions = Object.fromEntries([...methods].map(([method, of]) => [functionName(method), of]))

/** A call in the tree that the library makes of a template. */
interface Call {
  callee: { type: string; object?: unknown; property?: { readonly value?: unknown }; value?: string }
  args: unknown[]
}
const isCall = (node: object): node is Call => 'type' in node && node.type === 'CallExpression'

/** In place: `text.lstrip(characters)` becomes `python_lstrip(text, characters)`. */
function exact(node: unknown): void {
  if (typeof node !== 'object' || node === null) return
  for (const inner of node instanceof Map ? [...node].flat() : Object.values(node)) exact(inner)
  if (!isCall(node) || node.args.length === 0) return
  const { object, property } = node.callee
  if (!methods.has(property?.value)) return
  node.args = [object, ...node.args]
  node.callee = { type: 'Identifier', value: functionName(property?.value) }
}

/** A template in Jinja's language that strips what Python would; the library strips spaces, whatever it is told. */
export function exactTemplate(source: string): (values: Readonly<Record<string, unknown>>) => string {
  const { Template } = jinja()
  const template = new Template(source)
  exact(template.parsed)
  return (values) => template.render({ ...functions, ...values })
}
