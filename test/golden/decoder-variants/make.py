"""Writes the golden cases of decoders with rotary positions, and here a tiny Llama with its logits under several scalings of positions.

Usage: python make.py (torch 2.15, transformers 4.57.6, peft 0.21.2)
"""
import json
import pathlib
import shutil

import torch
from peft import LoraConfig, PrefixTuningConfig, PromptTuningConfig, get_peft_model
from transformers import (
    AutoModelForCausalLM, AutoModelForSequenceClassification, Gemma2Config, LlamaConfig, LlamaForCausalLM, Qwen3Config,
)

torch.set_num_threads(1)
here = pathlib.Path(__file__).parent
VOCABULARY, STEPS, RATE, DECAY = 53, 8, 5e-3, 0.01
SHARED = dict(vocab_size=VOCABULARY, hidden_size=16, intermediate_size=20, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
              max_position_embeddings=64, pad_token_id=0, bos_token_id=1, eos_token_id=2, attention_dropout=0.0)
LLAMA3 = dict(rope_type='llama3', factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
CONFIGS = {
    'llama': lambda: LlamaConfig(**SHARED, rope_scaling=LLAMA3),
    'qwen3': lambda: Qwen3Config(**SHARED, head_dim=6, use_sliding_window=True, sliding_window=4, max_window_layers=1, tie_word_embeddings=True),
    'gemma2': lambda: Gemma2Config(**SHARED, head_dim=6, sliding_window=4, query_pre_attn_scalar=9, attn_logit_softcapping=1.5, final_logit_softcapping=3.0),
}
MAPS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']
METHODS = {
    'full': lambda model, kind: model,
    'lora': lambda model, kind: get_peft_model(model, LoraConfig(task_type=kind, r=2, lora_alpha=4, target_modules=MAPS)),
    'prompt': lambda model, kind: get_peft_model(model, PromptTuningConfig(task_type=kind, num_virtual_tokens=3)),
    'prefix': lambda model, kind: get_peft_model(model, PrefixTuningConfig(task_type=kind, num_virtual_tokens=3)),
}
CASES = [
    ('llama', 'clm', 'full'), ('qwen3', 'clm', 'full'), ('gemma2', 'clm', 'full'), ('gemma2', 'cls', 'lora'), ('qwen3', 'clm', 'prefix'),
    ('gemma2', 'clm', 'prefix'), ('gemma2', 'clm', 'prompt'),
]


def widen(model):
    """Weights large enough that a fault in any layer shows."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.dim() > 1:
                value.normal_(0, 0.4)
            else:
                value.normal_(1 if 'norm' in name and model.config.model_type != 'gemma2' else 0, 0.2)
        model.tie_weights()


def rounded(values):
    return [rounded(value) for value in values] if isinstance(values, list) else round(values, 5)


def batch(task):
    lengths = [9, *torch.randint(3, 9, (2,)).tolist()]
    ids = [torch.randint(3, VOCABULARY, (n,)).tolist() + [0] * (9 - n) for n in lengths]
    mask = [[1] * n + [0] * (9 - n) for n in lengths]
    labels = torch.randint(0, 3, (3,)).tolist() if task == 'cls' else [[i if m else -100 for i, m in zip(*row)] for row in zip(ids, mask)]
    return dict(input_ids=ids, attention_mask=mask, labels=labels)


def answers(model, given):
    with torch.no_grad():
        out = model(**given)
    return dict(logits=rounded(out.logits.tolist()), loss=out.loss.item())


def case(name, task, method):
    folder = here.parent / f'{name}-{task}-{method}'
    shutil.rmtree(folder, ignore_errors=True)
    torch.manual_seed(sum(map(ord, folder.name)))
    config = CONFIGS[name]()
    if task == 'cls':
        config.num_labels = 3
    kind = AutoModelForSequenceClassification if task == 'cls' else AutoModelForCausalLM
    model = kind.from_config(config, attn_implementation='eager')
    widen(model)
    model.save_pretrained(folder / 'base')
    model = METHODS[method](model, 'SEQ_CLS' if task == 'cls' else 'CAUSAL_LM')
    trained = [value for value in model.parameters() if value.requires_grad]
    if method != 'full':
        with torch.no_grad():
            for key, value in model.named_parameters():
                if value.requires_grad and ('lora_' in key or 'prompt' in key):
                    value.normal_(0, 0.25)
    model.save_pretrained(folder / 'adapter_init')
    batches = [batch(task) for _ in range(3)]
    tensors = [{key: torch.tensor(value) for key, value in one.items()} for one in batches]
    model.train()
    before = answers(model, tensors[0])
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=DECAY)
    steps = []
    for i in range(STEPS):
        loss = model(**tensors[i % 3]).loss
        loss.backward()
        steps.append(dict(loss=loss.item(), grad_norm=sum(value.grad.norm().item() ** 2 for value in trained) ** 0.5))
        optimizer.step()
        optimizer.zero_grad()
    after = answers(model, tensors[0])
    model.save_pretrained(folder / 'adapter_final')
    for idle in [*folder.rglob('README.md'), *folder.glob('adapter_*/generation_config.json')]:
        idle.unlink()
    optimizer = dict(type='adamw', lr=RATE, betas=[0.9, 0.999], eps=1e-8, weight_decay=DECAY, schedule='constant', max_grad_norm=None)
    told = dict(model=name, task=task, method=method, optimizer=optimizer, batches=batches, before=before, steps=steps, after=after,
                trainable=sum(value.numel() for value in trained))
    (folder / 'case.json').write_text(json.dumps(told, separators=(',', ':')) + '\n')
    print(folder.name, steps[0]['loss'], '->', after['loss'])


YARN = dict(rope_type='yarn', factor=4.0)
SCALINGS = [
    None,
    dict(rope_type='default'),
    dict(type='linear', factor=2.5),
    dict(rope_type='dynamic', factor=3.0),
    LLAMA3,
    YARN,
    {**YARN, 'original_max_position_embeddings': 16, 'beta_fast': 4.0, 'beta_slow': 0.5},
    {**YARN, 'original_max_position_embeddings': 16, 'truncate': False, 'mscale': 0.7, 'mscale_all_dim': 0.3},
    {**YARN, 'attention_factor': 1.3},
]


def variants():
    torch.manual_seed(7)
    fields = {**SHARED, 'num_hidden_layers': 2, 'num_key_value_heads': 1, 'head_dim': 16, 'attention_bias': True, 'mlp_bias': True}
    model = LlamaForCausalLM(LlamaConfig(**fields))
    widen(model)
    model.save_pretrained(here)
    ids = torch.randint(3, VOCABULARY, (1, 40))
    cases = []
    for scaling in SCALINGS:
        for theta in [10000.0, 50.0]:
            changed = {'rope_scaling': scaling, 'rope_theta': theta}
            config = LlamaConfig(**fields, **json.loads(json.dumps(changed)))
            other = LlamaForCausalLM._from_config(config, attn_implementation='eager')
            other.load_state_dict(model.state_dict())
            with torch.no_grad():
                logits = other(ids).logits[0, -1]
            cases.append(dict(fields=changed, logits=rounded(logits.tolist())))
    (here / 'generation_config.json').unlink()
    (here / 'expected.json').write_text(json.dumps(dict(ids=ids[0].tolist(), cases=cases), separators=(',', ':')) + '\n')


for each in CASES:
    case(*each)
variants()
