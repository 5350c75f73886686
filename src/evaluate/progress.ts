/** Told how far a call has come, after each batch: rows that are answered, or texts that are written. */
export type Progress = (done: number, of: number, things: 'rows' | 'texts') => void
