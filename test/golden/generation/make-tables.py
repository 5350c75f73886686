"""Writes tables.json: T5's buckets of distances, and which tokens transformers' samplers leave.

Usage: python make-tables.py (torch 2.15, transformers 4.57.6)
"""
import json
import pathlib

import torch
from transformers.generation.logits_process import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper
from transformers.models.t5.modeling_t5 import T5Attention

buckets = []
for count, furthest, both in [(32, 128, True), (32, 128, False), (8, 16, True), (16, 50, False), (20, 90, True)]:
    distances = torch.arange(-2 * furthest, 2 * furthest + 1)
    found = T5Attention._relative_position_bucket(distances, bidirectional=both, num_buckets=count, max_distance=furthest)
    buckets.append({'count': count, 'furthest': furthest, 'both': both, 'from': -2 * furthest, 'buckets': found.tolist()})

samplers = []
generator = torch.Generator().manual_seed(1)
for temperature, top_k, top_p in [(1.0, 0, 1.0), (0.7, 5, 1.0), (1.3, 0, 0.8), (1.0, 6, 0.5), (2.0, 1, 0.9), (1.0, 0, 0.05)]:
    for _ in range(4):
        logits = (torch.randn(1, 12, generator=generator) * 3).round(decimals=2)
        scores = TemperatureLogitsWarper(temperature)(None, logits) if temperature != 1 else logits
        if top_k:
            scores = TopKLogitsWarper(top_k)(None, scores)
        if top_p < 1:
            scores = TopPLogitsWarper(top_p)(None, scores)
        samplers.append({
            'settings': {'temperature': temperature, 'topK': top_k, 'topP': top_p},
            'logits': [round(x, 2) for x in logits[0].tolist()],
            'probabilities': [round(x, 6) for x in scores.softmax(-1)[0].tolist()],
        })
folder = pathlib.Path(__file__).parent
(folder / 'tables.json').write_text(json.dumps({'buckets': buckets, 'samplers': samplers}, separators=(',', ':')) + '\n')
