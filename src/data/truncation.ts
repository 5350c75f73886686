/**
 * How many tokens of a text, and of its pair where there is one, are kept so that their sum fits into `room`: Hugging Face's
 * `longest_first`, which takes from the longer text until it fits, and shares an odd room in favour of the text that was longer (the
 * second, where both are equal).
 */
export function longestFirst(text: number, pair: number, room: number): readonly [number, number] {
  if (text + pair <= room) return [text, pair]
  const shorter = Math.min(text, pair)
  const half = Math.floor(room / 2)
  const [least, most] = shorter <= half ? [shorter, room - shorter] : [half, room - half]
  return text > pair ? [most, least] : [least, most]
}
