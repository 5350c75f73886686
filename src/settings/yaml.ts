import { onDemand } from '../on-demand.ts'

/** The library of YAML, which settings in JSON do without. */
export const yaml = (): typeof import('yaml') => onDemand('yaml')
