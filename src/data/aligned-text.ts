/** A text made of another one: each of its UTF-16 units comes from the characters [start, end) of that one, in UTF-16 units too. */
export interface Aligned {
  readonly text: string
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

/** What comes in place of the units [from, to) of a text. */
export interface Edit {
  readonly from: number
  readonly to: number
  readonly text: string
}

/** A text as it is; both halves of a surrogate pair are the whole character. */
export function aligned(text: string): Aligned {
  const [starts, ends]: [number[], number[]] = [[], []]
  for (const character of text) {
    const start = starts.length
    for (let i = 0; i < character.length; i++) {
      starts.push(start)
      ends.push(start + character.length)
    }
  }
  return { text, starts, ends }
}

/** The units [from, to). */
export const part = ({ text, starts, ends }: Aligned, from: number, to: number): Aligned => ({
  text: text.slice(from, to),
  starts: starts.slice(from, to),
  ends: ends.slice(from, to),
})

/** The text that edits, in order and without overlap, make; what they pass over is dropped. */
export function edited({ starts, ends }: Aligned, edits: Iterable<Edit>): Aligned {
  const result: { text: string; starts: number[]; ends: number[] } = { text: '', starts: [], ends: [] }
  for (const { from, to, text } of edits) {
    result.text += text
    for (let i = 0; i < text.length; i++) {
      result.starts.push(starts[from]!)
      result.ends.push(ends[to - 1]!)
    }
  }
  return result
}

/** Without whitespace at its ends. */
export function trimmed(given: Aligned, left: boolean, right: boolean): Aligned {
  const { text } = given
  return part(given, left ? text.length - text.trimStart().length : 0, right ? text.trimEnd().length : text.length)
}
