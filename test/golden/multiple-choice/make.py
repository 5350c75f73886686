"""Multiple choice by transformers 4.57: python make.py OUT makes OUT/<model type>/{config.json,model.safetensors,case.json}."""
import json, os, sys
import numpy as np, torch
from transformers import (
    AlbertConfig, AutoModelForMultipleChoice, BertConfig, DebertaV2Config, DistilBertConfig, ElectraConfig, ModernBertConfig, MPNetConfig,
    RobertaConfig,
)

WORDS, HIDDEN = 60, 16
size = dict(vocab_size=WORDS, max_position_embeddings=26)
own = dict(**size, hidden_size=HIDDEN, num_hidden_layers=2, num_attention_heads=2, intermediate_size=2 * HIDDEN)
still = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
configs = {
    'bert': BertConfig(**own, **still),
    'roberta': RobertaConfig(**own, **still),
    'distilbert': DistilBertConfig(
        **size, dim=HIDDEN, n_layers=2, n_heads=2, hidden_dim=2 * HIDDEN, dropout=0.0, attention_dropout=0.0, seq_classif_dropout=0.0
    ),
    'electra': ElectraConfig(**own, **still, embedding_size=8, summary_last_dropout=0.0),
    'deberta-v2': DebertaV2Config(
        **own, **still, type_vocab_size=0, relative_attention=True, position_buckets=8, share_att_key=True, pos_att_type=['p2c', 'c2p'],
        norm_rel_ebd='layer_norm', position_biased_input=False,
    ),
    'mpnet': MPNetConfig(**own, **still),
    'albert': AlbertConfig(**own, **still, embedding_size=8, classifier_dropout_prob=0.0),
    'modernbert': ModernBertConfig(
        **own, global_attn_every_n_layers=2, local_attention=4, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1,
        sep_token_id=2, reference_compile=False, classifier_pooling='cls',
    ),
}
LENGTHS = [[7, 9], [5, 8, 6, 11], [12, 4, 6]]


def answers(model, rows):
    """Logits of each question, asked alone, so that questions may have different numbers of choices and nothing is padded."""
    result = []
    for row in rows:
        each = [model(input_ids=ids[None, None], attention_mask=torch.ones_like(ids)[None, None]).logits[0] for ids in map(torch.tensor, row['input_ids'])]
        result.append(torch.cat(each))
    return result


def make(out, name):
    torch.manual_seed(7)
    rng = np.random.default_rng(7)
    model = AutoModelForMultipleChoice.from_config(configs[name], attn_implementation='eager')
    with torch.no_grad():
        for key, tensor in model.named_parameters():
            if tensor.dim() > 1: tensor.normal_(0, 0.25)
            elif 'orm' in key and key.endswith('weight'): tensor.normal_(1, 0.1)
            else: tensor.normal_(0, 0.1)
    folder = os.path.join(out, name)
    model.save_pretrained(folder)
    rows = [
        dict(input_ids=[rng.integers(3, WORDS, length).tolist() for length in lengths], label=int(rng.integers(0, len(lengths))))
        for lengths in LENGTHS
    ]
    rounded = lambda logits: [[round(value, 6) for value in row.tolist()] for row in logits]
    before = rounded(answers(model, rows))
    parameters = [tensor for tensor in model.parameters() if tensor.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-2, weight_decay=0.01)
    model.train()
    steps = []
    for _ in range(3):
        losses = [torch.nn.functional.cross_entropy(logits[None], torch.tensor([row['label']])) for logits, row in zip(answers(model, rows), rows)]
        loss = sum(losses) / len(losses)
        loss.backward()
        norm = torch.sqrt(sum((tensor.grad**2).sum() for tensor in parameters if tensor.grad is not None)).item()
        optimizer.step()
        optimizer.zero_grad()
        steps.append(dict(loss=round(loss.item(), 6), grad_norm=round(norm, 6)))
    with open(os.path.join(folder, 'case.json'), 'w') as file:
        json.dump(dict(rows=rows, before=before, steps=steps, after=rounded(answers(model, rows))), file)
    print(name, before, steps)


for name in configs: make(sys.argv[1], name)
