/** What is between white space. */
export const spacedWords = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '')

/**
 * The words of a text by the rules of NIST's mteval-v13a, sacrebleu's `13a`: punctuation is a word of its own, full stop and comma only
 * beside something that is no digit, a dash only after one. Case is kept.
 */
export function mtevalWords(text: string): string[] {
  const plain = text
    .trimEnd()
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
  return spacedWords(
    ` ${plain} `
      .replace(/[{-~[-` -&(-+:-@/]/g, ' $& ')
      .replace(/([^0-9])([.,])/gu, '$1 $2 ')
      .replace(/([.,])([^0-9])/gu, ' $1 $2')
      .replace(/([0-9])(-)/g, '$1 $2 '),
  )
}
