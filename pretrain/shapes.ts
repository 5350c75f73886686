/** Tokens of a row. */
export const length = 128

const common = {
  vocab_size: 8000,
  hidden_size: 256,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  max_position_embeddings: length,
  initializer_range: 0.02,
  pad_token_id: 0,
}

/** Models of about five million weights. The first is the base; the other is what it was chosen over (see its README). */
export const shapes = {
  modernbert: {
    model_type: 'modernbert',
    architectures: ['ModernBertForMaskedLM'],
    ...common,
    intermediate_size: 640,
    global_attn_every_n_layers: 1,
    global_rope_theta: 10000,
    local_attention: length,
    local_rope_theta: 10000,
    norm_eps: 1e-5,
    classifier_pooling: 'mean',
    unk_token_id: 1,
    cls_token_id: 2,
    bos_token_id: 2,
    sep_token_id: 3,
    eos_token_id: 3,
    mask_token_id: 4,
  },
  bert: {
    model_type: 'bert',
    architectures: ['BertForMaskedLM'],
    ...common,
    intermediate_size: 1024,
    type_vocab_size: 2,
    hidden_act: 'gelu',
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.1,
    layer_norm_eps: 1e-12,
  },
} as const

/**
 * What the published base has besides: biases of zero, which change nothing of what it computes, so that methods that train biases have
 * some; asking for opinions trains them. Hidden words are learned without, as ModernBERT does.
 */
export const publishedWith = { attention_bias: true, mlp_bias: true, norm_bias: true } as const
