/**
 * Parameter-efficient fine-tuning of Hugging Face transformers.
 * `fineTune` trains, `openPredictor` answers, `openGenerator` writes texts, `openChat` talks, `openAdapters` answers with several adapters in turn;
 * `combineAdapters`, `mergeAdapter`, `unmergeAdapter`, `convertAdapter` and `extractAdapter` make folders of saved ones; `compare` compares
 * methods. All take what the command line takes.
 */
import { parseRun, readRun } from './config/parse.ts'
import type { RunSettings } from './config/run-config.ts'
import type { RunOptions } from './train/run-options.ts'
import type { RunSummary } from './train/run-summary.ts'
import { resume, train } from './train/seeds.ts'

/**
 * Fine-tunes as the settings say and saves the adapter in the run's folder.
 * @throws UserError for settings, files or rows that do not fit, and for a loss that is not finite
 * @example
 * await fineTune({ model: 'models/minilm', task: 'sequence-classification', method: { name: 'lora', r: 8 }, data: { train: 'train.jsonl' }, out: 'runs/a' })
 */
export async function fineTune(settings: RunSettings, options: RunOptions = {}): Promise<RunSummary> {
  return train(parseRun(settings, 'settings'), options)
}

export { type Compared, type CompareOptions, compare } from './compare/compare.ts'
export { type Comparison, readComparison } from './compare/comparison-file.ts'
export type { ComparisonEvent } from './compare/run-trials.ts'
export type { ArmResults, Summary } from './compare/summary.ts'
export { runJsonSchema } from './config/parse.ts'
export type { RunConfig, RunSettings } from './config/run-config.ts'
export { type Row, readRows } from './data/read-rows.ts'
export { UserError } from './errors.ts'
export type { Answering, Question } from './evaluate/answering.ts'
export type { ForwardCosts } from './evaluate/inspection.ts'
export type { MergeGap } from './evaluate/merge-gap.ts'
export type { Predictor, PredictorOptions } from './evaluate/predictor.ts'
export { openPredictor } from './evaluate/predictor.ts'
export type { Progress } from './evaluate/progress.ts'
export type { WeightCounts } from './evaluate/weight-counts.ts'
export { type Chat, type ChatOptions, openChat } from './generate/chat.ts'
export { type Generator, type GeneratorOptions, openGenerator } from './generate/generator.ts'
export type { Written } from './generate/model-texts.ts'
export type { GenerationOptions, GivenOptions } from './generate/options.ts'
export { type CombineOptions, type CombineSummary, combineAdapters } from './merging/combine.ts'
export { type Conversion, convertAdapter } from './merging/convert.ts'
export { type Extraction, type ExtractOptions, extractAdapter } from './merging/extract.ts'
export { type Folded, type FoldingOptions, mergeAdapter } from './merging/merge.ts'
export { type Adapters, type AdaptersOptions, openAdapters } from './merging/open-adapters.ts'
export type { Report } from './merging/report.ts'
export type { RuleName } from './merging/rules/index.ts'
export { unmergeAdapter } from './merging/unmerge.ts'
export type { HeadChoice } from './merging/whole-tensors.ts'
export type { Answer, WindowScores } from './tasks/answer.ts'
export type { RunEvent, Sink } from './train/events.ts'
export type { Evaluation } from './train/loop.ts'
export type { SeedsSummary } from './train/run-summary.ts'
export type { RunOptions, RunSummary }
export { readRun, resume, train }
