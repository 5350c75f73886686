"""Answers of bench/inference.ts in torch and transformers.

The first argument names a file with one JSON object: {model, rows, batchSize, sorted}. When ready, and after each line of stdin, it prints a
line of JSON. A pass is what it is there: texts to tokens, batches padded to their longest row, in the order of the file or, with `sorted`,
rows of like length together; then logits and probabilities.
"""

import json
import resource
import sys
import time

import torch
import transformers


def peak_bytes():
    """The most memory this process has had; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


asked = json.load(open(sys.argv[1]))
with open(asked["rows"]) as lines:
    rows = [json.loads(line) for line in lines]
tokenizer = transformers.AutoTokenizer.from_pretrained(asked["model"])
model = transformers.AutoModelForSequenceClassification.from_pretrained(asked["model"]).eval()


def scores():
    tokens = tokenizer([row["sentence1"] for row in rows], [row["sentence2"] for row in rows], truncation=True, max_length=asked["maxLength"])
    order = list(range(len(rows)))
    if asked["sorted"]:
        order.sort(key=lambda i: -len(tokens["input_ids"][i]))
    found = [0.0] * len(rows)
    with torch.inference_mode():
        for start in range(0, len(rows), asked["batchSize"]):
            chosen = order[start : start + asked["batchSize"]]
            batch = tokenizer.pad({key: [values[i] for i in chosen] for key, values in tokens.items()}, return_tensors="pt")
            for i, score in zip(chosen, model(**batch).logits.softmax(-1)[:, 0].tolist()):
                found[i] = score
    return found


print(
    json.dumps(
        {
            "readyBytes": peak_bytes(),
            "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "threads": str(torch.get_num_threads())},
        }
    ),
    flush=True,
)
for _ in sys.stdin:
    began, cpu = time.perf_counter(), time.process_time()
    found = scores()
    print(
        json.dumps(
            {
                "ms": 1e3 * (time.perf_counter() - began),
                "cpuMs": 1e3 * (time.process_time() - cpu),
                "scores": found,
                "peakBytes": peak_bytes(),
            }
        ),
        flush=True,
    )
