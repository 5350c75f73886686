/** Asks a model with a saved adapter whether two sentences say the same. */
import { openPredictor } from 'adatune'

const model = await openPredictor({
  model: `${process.env.ADATUNE_ASSETS}/models/all-MiniLM-L6-v2`,
  adapter: process.argv[2] ?? 'runs/example/adapter',
})
const answers = await model.predict([
  ['He left.', 'He went away.'],
  ['He left.', 'She stayed.'],
])
for (const { label, scores } of answers) console.log(label, scores)
await model.close()
