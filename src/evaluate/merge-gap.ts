import { mean } from '../metrics/moments.ts'

/** What a merged adapter scores, and what it was merged from, each alone, on the same rows. */
export interface MergeGap {
  readonly rows: number
  readonly merged: Readonly<Record<string, number>>
  readonly members: readonly Readonly<Record<string, number>>[]
}

/** How far above its members' mean a merged loss may be. Where these are alike it is below it. */
const MOST = 1.1

const lossesOf = ({ members }: MergeGap): number[] => members.map(({ loss }) => loss!)

/** Whether merging lost what the members know: a loss above that of each, and a tenth above their mean. */
export function collapses(gap: MergeGap): boolean {
  const losses = lossesOf(gap)
  return !(gap.merged.loss! <= Math.max(MOST * mean(losses), ...losses))
}

const number = (value: number): string => Number(value.toPrecision(3)).toString()

/** `loss 0.912 on 256 rows, alone 0.41 to 0.44` */
export function mergeGapText(gap: MergeGap): string {
  const losses = lossesOf(gap)
  const range = [Math.min(...losses), Math.max(...losses)].map(number)
  return `loss ${number(gap.merged.loss!)} on ${gap.rows} rows, alone ${[...new Set(range)].join(' to ')}`
}
