import type { Setting } from '../../src/nn/setting.ts'
import type { CallContext } from '../../src/nn/site.ts'

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

const nothing = (): never => {
  throw new Error('a call by hand has no batch')
}

/** What surrounds a call made by hand, outside of training. */
export const bareContext: CallContext = {
  training: false,
  get stream() {
    return nothing()
  },
  noise: nothing,
  addLoss: () => {},
  report: () => {},
}
