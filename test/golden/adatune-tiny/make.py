"""What transformers (torch 2.15, transformers 4.57.6) reads and answers with models/adatune-tiny. From the repository's root:
python test/golden/adatune-tiny/make.py"""
import json
import os

import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

folder = 'models/adatune-tiny'
sentences = [
    'The president of the [MASK] States spoke to the Congress.',
    'Call me Ishmael, said the captain of the [MASK] as he looked over the sea.',
    'Please [MASK] this e-mail to unsubscribe; naïve offers end on 12/31!',
]
model, info = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True)
assert not any(info.values()), info
tokenizer = AutoTokenizer.from_pretrained(folder)
cases = []
for sentence in sentences:
    ids = tokenizer(sentence).input_ids
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids])).logits[0, ids.index(tokenizer.mask_token_id)]
    cases.append({'sentence': sentence, 'ids': ids, 'logits': [round(x, 5) for x in logits[:400].tolist()], 'best': int(logits.argmax())})
with open(os.path.join(os.path.dirname(__file__), 'answers.json'), 'w') as file:
    json.dump(cases, file)
