/** Markup that is well-formed and escaped; plain text only becomes part of it through `tag`. */
export interface Markup {
  readonly markup: string
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text for markup; control characters, which markup cannot hold, become a question mark. */
const escaped = (text: string): string => text.replace(/[^\P{Cc}\t\n]/gu, '�').replace(/[&<>"']/g, (character) => entities[character]!)

type Child = Markup | string

const inner = (children: readonly Child[]): string =>
  children.map((child) => (typeof child === 'string' ? escaped(child) : child.markup)).join('')

/** Numbers of attributes with as many digits as a drawing needs. */
const attribute = (value: string | number): string => escaped(typeof value === 'number' ? String(Number(value.toFixed(2))) : value)

/** An element with its attributes and children; children that are text are escaped. */
export function tag(name: string, attributes: Readonly<Record<string, string | number>>, ...children: readonly Child[]): Markup {
  const given = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${attribute(value)}"`)
    .join('')
  const content = inner(children)
  return { markup: content === '' ? `<${name}${given}/>` : `<${name}${given}>${content}</${name}>` }
}

/** Several pieces as one. */
export const together = (...children: readonly Child[]): Markup => ({ markup: inner(children) })
