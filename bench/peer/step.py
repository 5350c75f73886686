"""The training step of bench/step.ts in torch, transformers and PEFT.

The first argument names a file with one JSON object: {model, task, batches, method, updates, dropout, learningRate, threads,
products}. When ready, and after what
each line of stdin asks for, it prints a line of JSON: a step, or with `rate` the matrix products of `products` alone. A step is what a step
is there: rows to tensors (padded to the longest of the batch, as Hugging Face's default collator does), forward, backward, clipping to norm
1, AdamW.
"""

import json
import resource
import sys
import time

import peft
import torch
import transformers


def peak_bytes():
    """The most memory this process has had; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


# The class that opens a model, what it is told besides, and PEFT's name of a task.
TASKS = {
    "sequence-classification": (transformers.AutoModelForSequenceClassification, {"num_labels": 2}, "SEQ_CLS"),
    "causal-lm": (transformers.AutoModelForCausalLM, {}, "CAUSAL_LM"),
}


def classified(rows, padded):
    return {"token_type_ids": padded("types", 0), "labels": torch.tensor([row["label"] for row in rows])}


def collate(rows, task):
    longest = max(len(row["ids"]) for row in rows)

    def padded(key, fill):
        return torch.tensor([row[key] + [fill] * (longest - len(row[key])) for row in rows])

    mask = [[1] * len(row["ids"]) + [0] * (longest - len(row["ids"])) for row in rows]
    return {
        "input_ids": padded("ids", 0),
        "attention_mask": torch.tensor(mask),
        **({"labels": padded("label", -100)} if task == "causal-lm" else classified(rows, padded)),
    }


def with_method(base, method, task_type, total_steps):
    """The model as the run file's `method` trains it."""
    if method["name"] == "full":
        return base
    common = {"task_type": task_type, "lora_alpha": method["alpha"], "target_modules": method["targets"]}
    if method["name"] == "lora":
        return peft.get_peft_model(base, peft.LoraConfig(r=method["r"], **common))
    config = peft.AdaLoraConfig(
        init_r=method["initR"],
        target_r=method["targetR"],
        tinit=method["tInit"],
        tfinal=method["tFinal"],
        deltaT=method["deltaT"],
        orth_reg_weight=method["orthogonality"],
        total_step=total_steps,
        **common,
    )
    return peft.get_peft_model(base, config)


def best_ms(run, times):
    """The shortest of some runs, in ms."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        run()
        best = min(best, 1e3 * (time.perf_counter() - start))
    return best


def products_ms(products):
    """The shortest time of each product `x W^T`, of its sizes [rows, inner, columns]."""
    found = []
    for rows, inner, columns in products:
        x, weight = torch.rand(rows, inner), torch.rand(columns, inner)
        found.append(best_ms(lambda: torch.mm(x, weight.t()), 8))
    return found


def main():
    with open(sys.argv[1]) as file:
        case = json.load(file)
    with open(case["batches"]) as file:
        batches = json.load(file)
    torch.set_num_threads(case["threads"])
    torch.manual_seed(1)
    transformers.logging.set_verbosity_error()
    dropout = case["dropout"]
    opener, told, task_type = TASKS[case["task"]]
    config = transformers.AutoConfig.from_pretrained(case["model"], **told)
    for rate in ["hidden_dropout_prob", "attention_probs_dropout_prob", "attention_dropout"]:
        if dropout is not None and hasattr(config, rate):
            setattr(config, rate, dropout)
    base = opener.from_pretrained(case["model"], config=config)
    attention = base.config._attn_implementation
    model = with_method(base, case["method"], task_type, case["updates"])
    model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=case["learningRate"], weight_decay=0.0)

    def tell(told):
        print(json.dumps(told), flush=True)

    versions = {
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "peft": peft.__version__,
        "attention": attention,
    }
    weights = sum(parameter.numel() for parameter in trained)
    tell({"trainedWeights": weights, "readyBytes": peak_bytes(), "versions": versions})
    step = 0
    for asked in iter(sys.stdin.readline, ""):
        if asked.strip() == "rate":
            tell({"productsMs": products_ms(case["products"])})
            continue
        rows = batches[step]
        start, cpu = time.perf_counter(), time.process_time()
        loss = model(**collate(rows, case["task"])).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        if case["method"]["name"] == "adalora":
            model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
        value = loss.item()
        ms, cpu_ms = 1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - cpu)
        tokens = sum(len(row["ids"]) for row in rows)
        tell({"ms": ms, "cpuMs": cpu_ms, "tokens": tokens, "loss": value, "peakBytes": peak_bytes()})
        step += 1


main()
