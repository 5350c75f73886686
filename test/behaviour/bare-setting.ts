import type { Setting } from '../../src/nn/setting.ts'

/** A setting without a model's weights, for methods made by hand. */
export const bareSetting = (changes: Partial<Setting>): Setting => ({
  sites: [],
  base: [],
  layers: 1,
  hidden: 4,
  tensor: () => null,
  encode: () => [],
  totalSteps: null,
  memory: null,
  ...changes,
})
