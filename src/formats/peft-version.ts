/** The release of HF PEFT whose fields are written. */
export const PEFT_VERSION = '0.21.2'
