/** What a metric is called on one of several files: `wiki perplexity`. */
export const ofSet = (set: string, metric: string): string => `${set} ${metric}`

/** What a metric, perhaps of one file, is called on the test rows: `test accuracy`. */
export const onTest = (metric: string): string => `test ${metric}`

/** The metric of a full name: `perplexity` of `test wiki perplexity`. Names of files may have spaces, those of metrics have none. */
export const metricOf = (name: string): string => name.slice(name.lastIndexOf(' ') + 1)
