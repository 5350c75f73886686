"""Writes expected.json: what transformers' `generate` makes of the tiny models of the golden cases, row by row, with PEFT's adapters too.

Usage: python make.py (torch 2.15, transformers 4.57.6, peft 0.21.2)
"""
import json
import pathlib

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

torch.set_num_threads(1)
golden = pathlib.Path(__file__).parent.parent
SETTINGS = [
    {},
    {'minNewTokens': 6},
    {'repetitionPenalty': 1.7},
    {'noRepeatNgram': 2},
    {'forcedStart': 7, 'forcedEnd': 2},
    {'beams': 3},
    {'beams': 4, 'lengthPenalty': 2.0, 'minNewTokens': 3},
    {'beams': 3, 'lengthPenalty': -1.0, 'earlyStopping': True},
    {'beams': 2, 'earlyStopping': 'never', 'noRepeatNgram': 2},
    {'beams': 3, 'repetitionPenalty': 1.3, 'forcedEnd': 2},
]
NAMES = {
    'minNewTokens': 'min_new_tokens', 'repetitionPenalty': 'repetition_penalty', 'noRepeatNgram': 'no_repeat_ngram_size',
    'forcedStart': 'forced_bos_token_id', 'forcedEnd': 'forced_eos_token_id', 'beams': 'num_beams',
    'lengthPenalty': 'length_penalty', 'earlyStopping': 'early_stopping',
}
CASES = [
    ('gpt2-clm-lora', False), ('gpt2-clm-lora', True), ('gpt2-clm-prompt', True), ('gpt2-clm-prefix', True),
    ('t5-s2s-lora', False), ('t5-s2s-adalora', True), ('bart-s2s-lora', True), ('bart-s2s-prefix', True),
    ('llama-clm-lora', True), ('qwen2-clm-adalora', True), ('qwen3-clm-full', False), ('qwen3-clm-prefix', True), ('gemma2-clm-full', False),
    ('gemma2-clm-prompt', True), ('gemma2-clm-prefix', True),
]
FEW = [{'minNewTokens': 12}, {'beams': 3, 'minNewTokens': 6}, {'beams': 2, 'earlyStopping': 'never', 'noRepeatNgram': 2}]


def rows_of(case):
    batch = json.loads((golden / case / 'case.json').read_text())['batches'][0]
    return [[i for i, m in zip(ids, mask) if m] for ids, mask in zip(batch['input_ids'], batch['attention_mask'])]


def likeliest(model, given, start, end):
    """Greedy choice by whole forward passes."""
    ids = [start]
    while len(ids) <= 12 and ids[-1] != end or len(ids) == 1:
        logits = model(input_ids=given, attention_mask=torch.ones_like(given), decoder_input_ids=torch.tensor([ids])).logits
        ids.append(int(logits[0, -1].argmax()))
    return ids


result = []
for case, adapted in CASES:
    seq2seq = '-s2s-' in case
    kind = AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM
    model = kind.from_pretrained(golden / case / 'base', attn_implementation='eager').eval()
    config = model.generation_config
    config.forced_eos_token_id = None
    if adapted:
        model = PeftModel.from_pretrained(model, golden / case / 'adapter_final').eval()
    # PEFT's generate loses its place behind the prefix of a decoder: it contradicts PEFT's own forward pass.
    by_forward = case == 'bart-s2s-prefix'
    rotary = case.split('-')[0] in ('llama', 'qwen2', 'qwen3', 'gemma2')
    for settings in SETTINGS[:1] if by_forward else FEW if rotary else SETTINGS:
        if 'forcedStart' in settings and not seq2seq:
            settings = {k: v for k, v in settings.items() if k != 'forcedStart'}
        written = []
        for ids in rows_of(case):
            given = torch.tensor([ids])
            with torch.no_grad():
                out = likeliest(model, given, config.decoder_start_token_id, config.eos_token_id) if by_forward else model.generate(
                    input_ids=given, attention_mask=torch.ones_like(given), do_sample=False, max_new_tokens=12,
                    **{NAMES[name]: value for name, value in settings.items()},
                )[0].tolist()
            written.append(out[1:] if seq2seq else out[len(ids):])
        result.append({'case': case, 'adapted': adapted, 'ends': [model.generation_config.eos_token_id], 'settings': settings, 'written': written})
(golden / 'generation' / 'expected.json').write_text(json.dumps(result, separators=(',', ':')) + '\n')
