/** The release of HF PEFT whose fields are written. */
export const PEFT_VERSION = '0.21.2'

/** Where PEFT keeps an adapter's tensors; the first is written, the second read where it is alone. */
export const PEFT_TENSORS = ['adapter_model.safetensors', 'adapter_model.bin'] as const

export const PEFT_CONFIG = 'adapter_config.json'
