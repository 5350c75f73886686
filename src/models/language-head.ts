import { gemm } from '../graph/ops/matmul.ts'
import type { HeadWiring } from './architecture.ts'

/** Logits of the next token by the word embeddings themselves, `<words>.weight` `[vocabulary, hidden]`: a head without weights of its own. */
export const tiedHead = (words: string, shape: readonly [number, number]): HeadWiring => ({
  modules: [],
  logits: (network, x) => gemm(x, network.parameter(`${words}.weight`, shape, null), null, { transposeB: true }),
})
