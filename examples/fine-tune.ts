/** Fine-tunes a model with LoRA and says what came out. ADATUNE_ASSETS holds models/all-MiniLM-L6-v2 and data/glue-mrpc. */
import { fineTune } from 'adatune'

const assets = process.env.ADATUNE_ASSETS
const summary = await fineTune(
  {
    model: `${assets}/models/all-MiniLM-L6-v2`,
    task: 'sequence-classification',
    method: { name: 'lora', r: 8, targets: ['query', 'value'] },
    data: { train: `${assets}/data/glue-mrpc/train.jsonl.gz`, eval: `${assets}/data/glue-mrpc/dev.jsonl.gz` },
    train: { steps: 20, learningRate: 1e-3 },
  },
  {
    out: process.argv[2] ?? 'runs/example',
    sinks: [(event) => event.event === 'step' && console.log(`step ${event.step}: loss ${event.loss}`)],
  },
)
console.log(`${summary.weights.trained} weights trained; accuracy ${summary.metrics.accuracy}`)
