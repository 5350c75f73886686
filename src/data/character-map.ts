/** What a double array's unit says (darts-clone, which SentencePiece stores its character maps in). */
const hasLeaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1
const replacementAt = (unit: number): number => unit & 0x7fffffff
const labelOf = (unit: number): number => (unit & 0x800000ff) >>> 0
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6)

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** What a reader sees as single characters. */
const graphemes = (text: string): string[] => Array.from(segmenter.segment(text), ({ segment }) => segment)

/**
 * A SentencePiece `precompiled_charsmap` as Hugging Face's tokenizers follow it: graphemes of less than six bytes are looked up whole, else
 * each of their characters; the shortest key that begins what is looked up counts.
 */
export function characterMap(blob: Uint8Array): (text: string) => string {
  if (blob.length < 4) return (text) => text
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  const size = view.getUint32(0, true)
  const unit = (at: number): number => view.getUint32(4 + 4 * at, true)
  const replacements = blob.subarray(4 + size)
  const known = new Map<string, string | null>()

  function find(key: Uint8Array): string | null {
    let at = offsetOf(unit(0))
    for (const byte of key) {
      if (byte === 0) return null
      at ^= byte
      if (4 * at >= size) return null
      const found = unit(at)
      if (labelOf(found) !== byte) return null
      at ^= offsetOf(found)
      if (!hasLeaf(found)) continue
      const start = replacementAt(unit(at))
      const end = replacements.indexOf(0, start)
      return Buffer.from(replacements.subarray(start, end < 0 ? undefined : end)).toString('utf8')
    }
    return null
  }
  const lookUp = (key: string): string | null => {
    if (!known.has(key)) known.set(key, find(Buffer.from(key, 'utf8')))
    return known.get(key)!
  }
  return (text) => {
    let result = ''
    for (const grapheme of graphemes(text)) {
      const whole = Buffer.byteLength(grapheme) < 6 ? lookUp(grapheme) : null
      if (whole !== null) result += whole
      else for (const character of grapheme) result += lookUp(character) ?? character
    }
    return result
  }
}
