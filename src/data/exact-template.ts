import { Template } from '@huggingface/jinja'

/** The characters from the first to the last that is none of `characters`, at the sides that are told. */
const stripped = (left: boolean, right: boolean) => (text: string, characters: string) => {
  let [start, end] = [0, text.length]
  while (left && start < end && characters.includes(text[start]!)) start++
  while (right && end > start && characters.includes(text[end - 1]!)) end--
  return text.slice(start, end)
}

/** Python's methods of strings that the library knows without an argument alone, under names of their own. */
const methods: Readonly<Record<string, { readonly name: string; readonly of: (text: string, characters: string) => string }>> = {
  strip: { name: 'python_strip', of: stripped(true, true) },
  lstrip: { name: 'python_lstrip', of: stripped(true, false) },
  rstrip: { name: 'python_rstrip', of: stripped(false, true) },
}
const functions = Object.fromEntries(Object.values(methods).map(({ name, of }) => [name, of]))

interface Call {
  type: unknown
  callee: { type?: unknown; object?: unknown; property?: { value?: unknown } } | { type: string; value: string }
  args: unknown[]
}
const isCall = (node: object): node is Call => 'type' in node && node.type === 'CallExpression'

/** In place: `text.lstrip(characters)` becomes `python_lstrip(text, characters)`. */
function exact(node: unknown): void {
  if (typeof node !== 'object' || node === null) return
  for (const inner of node instanceof Map ? [...node].flat() : Object.values(node)) exact(inner)
  if (!isCall(node) || !('property' in node.callee) || node.args.length === 0) return
  const { object, property } = node.callee
  const known = Object.hasOwn(methods, String(property?.value)) ? methods[String(property?.value)] : undefined
  if (!known) return
  node.args = [object, ...node.args]
  node.callee = { type: 'Identifier', value: known.name }
}

/** A template in Jinja's language that strips what Python would; the library strips spaces, whatever it is told. */
export function exactTemplate(source: string): (values: Readonly<Record<string, unknown>>) => string {
  const template = new Template(source)
  exact(template.parsed)
  return (values) => template.render({ ...functions, ...values })
}
