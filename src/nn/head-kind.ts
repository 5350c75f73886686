/** The kinds of output a model can be given, after HF's model classes. */
export type HeadKind =
  | 'sequence-classification'
  | 'multiple-choice'
  | 'token-classification'
  | 'question-answering'
  | 'masked-lm'
  | 'causal-lm'
  | 'seq2seq-lm'
