"""Writes expected.json: what the reference implementations say of inputs.json.

    python make.py --e2e <checkout of tuetschek/e2e-metrics> --squad <folder with evaluate-v1.1.py and evaluate-v2.0.py>

Needs rouge-score 0.1.2, sacrebleu 2.6.0, nltk 3.10.4, seqeval 1.2.2, pycocoevalcap 1.2 with a Java runtime, and perl; what the E2E scorer
loads of XML::Twig is not used for its own files, so that an empty module of that name (PERL5LIB) is enough.
"""

import argparse
import importlib.util
import json
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from nltk.stem.porter import PorterStemmer
from nltk.translate.meteor_score import meteor_score
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from seqeval.metrics import f1_score, precision_score, recall_score

HERE = Path(__file__).parent


class NoSynonyms:
    """In the place of WordNet: METEOR by exact words and stems alone."""

    def synsets(self, _word):
        return []


def rouge(hypotheses, references):
    names = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    scorer = RougeScorer(names, use_stemmer=True)
    rows = [scorer.score_multi(refs, hypothesis) for hypothesis, refs in zip(hypotheses, references)]
    each = {name: [row[name].fmeasure for row in rows] for name in names}
    return {name: sum(values) / len(values) for name, values in each.items()}


def streams(references):
    """sacrebleu's layout: one list for the first references, one for the second, ...; None where an example has fewer."""
    most = max(map(len, references))
    return [[refs[i] if i < len(refs) else None for refs in references] for i in range(most)]


def sacrebleu(metric, hypotheses, references):
    return {
        "score": metric.corpus_score(hypotheses, streams(references)).score,
        "sentences": [metric.sentence_score(h, r).score for h, r in zip(hypotheses, references)],
    }


def meteor(hypotheses, references):
    tokenize = Tokenizer13a()
    words = lambda text: tokenize(text.rstrip()).split()
    rows = [meteor_score([words(r) for r in refs], words(h), wordnet=NoSynonyms()) for h, refs in zip(hypotheses, references)]
    return sum(rows) / len(rows)


def sgml(kind, columns):
    docs = "".join(
        '<doc docid="test" genre="news" origlang="any" sysid="%s_%d">\n<p>\n%s</p>\n</doc>\n'
        % (kind, c, "".join('<seg id="%d">%s</seg>\n' % (i, text or "") for i, text in enumerate(column, 1)))
        for c, column in enumerate(columns)
    )
    return '<%sset setid="e2e" srclang="any" trglang="en">\n%s</%sset>' % (kind, docs, kind)


def mteval(script, hypotheses, references):
    """NIST and BLEU of the E2E scorer's mteval, which rounds to four digits."""
    with tempfile.TemporaryDirectory() as folder:
        files = {"src": [[""] * len(hypotheses)], "tst": [hypotheses], "ref": streams(references)}
        for kind, columns in files.items():
            Path(folder, kind).write_text(sgml(kind, columns), encoding="utf8")
        command = ["perl", str(script), "-f", f"{folder}/log"]
        for flag, kind in (("-r", "ref"), ("-s", "src"), ("-t", "tst")):
            command += [flag, f"{folder}/{kind}"]
        out = subprocess.run(command, capture_output=True, check=True).stdout.decode("utf8")
    return {name: float(re.search(name.upper() + r" score = ([0-9.]+)", out).group(1)) for name in ("nist", "bleu")}


def captions(hypotheses, references):
    """CIDEr, ROUGE-L of the captions scorer, and its words, all texts through its tokenizer at once."""
    texts = {f"h{i}": [{"caption": h}] for i, h in enumerate(hypotheses)}
    texts |= {f"r{i}": [{"caption": r} for r in refs] for i, refs in enumerate(references)}
    # The tokenizer joins the lines of empty texts: these are left out, and put back as no words.
    full = {k: [c for c in v if c["caption"].strip()] for k, v in texts.items()}
    words = PTBTokenizer().tokenize({k: v for k, v in full.items() if v})
    queues = {k: iter(v) for k, v in words.items()}
    done = {k: [next(queues[k]) if c["caption"].strip() else "" for c in v] for k, v in texts.items()}
    gts = {i: done[f"r{i}"] for i in range(len(references))}
    res = {i: done[f"h{i}"] for i in range(len(hypotheses))}
    score, each = Cider().compute_score(gts, res)
    return {
        "cider": score,
        "ciderSentences": list(each),
        "rougeL": Rouge().compute_score(gts, res)[0],
        "words": {"hypotheses": [done[f"h{i}"][0] for i in res], "references": [done[f"r{i}"] for i in gts]},
    }


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem.replace(".", "_").replace("-", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def squad(folder, cases):
    def dataset(rows):
        qas = [{"id": str(i), "answers": [{"text": text} for text in row["answers"]]} for i, row in enumerate(rows)]
        return [{"paragraphs": [{"qas": qas}]}]

    def second(rows, threshold):
        with tempfile.TemporaryDirectory() as work:
            files = {
                "data": {"data": dataset(rows)},
                "predictions": {str(i): row["prediction"] for i, row in enumerate(rows)},
                "absent": {str(i): row["noAnswer"] for i, row in enumerate(rows)},
            }
            for name, value in files.items():
                Path(work, name).write_text(json.dumps(value))
            command = [sys.executable, str(folder / "evaluate-v2.0.py"), f"{work}/data", f"{work}/predictions"]
            command += ["--na-prob-file", f"{work}/absent", "--na-prob-thresh", str(threshold)]
            return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    one = load(folder / "evaluate-v1.1.py")
    rows = cases["v1"]
    return {
        "v1": one.evaluate(dataset(rows), {str(i): row["prediction"] for i, row in enumerate(rows)}),
        "normalized": [one.normalize_answer(text) for row in rows for text in [row["prediction"], *row["answers"]]],
        "v2": {str(t): second(cases["v2"], t) for t in (1, 0.6, 0.3)},
        "v2Answered": second([row for row in cases["v2"] if row["answers"]], 0.6),
        "v2Unanswerable": second([row for row in cases["v2"] if not row["answers"]], 0.6),
    }


def spans(case):
    labels, predictions = case["labels"], case["predictions"]
    return {
        "precision": precision_score(labels, predictions),
        "recall": recall_score(labels, predictions),
        "f1": f1_score(labels, predictions),
    }


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(float(value), 9) if not isinstance(value, (str, int, bool)) else value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--e2e", type=Path, required=True)
    parser.add_argument("--squad", type=Path, required=True)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    inputs = json.loads((HERE / "inputs.json").read_text(encoding="utf8"))

    corpora = {}
    for name, corpus in inputs["corpora"].items():
        texts = corpus["hypotheses"], corpus["references"]
        corpora[name] = {
            "rouge": rouge(*texts),
            "bleu": sacrebleu(BLEU(), *texts),
            "bleuLowercase": sacrebleu(BLEU(lowercase=True), *texts),
            "chrf": sacrebleu(CHRF(), *texts),
            "ter": sacrebleu(TER(), *texts),
            "meteor": meteor(*texts),
            "mteval": mteval(options.e2e / "mteval" / "mteval-v13a-sig.pl", *texts),
            "captions": captions(*texts),
        }
    stem = PorterStemmer().stem
    tokenize = Tokenizer13a()
    expected = {
        "corpora": corpora,
        "tokens13a": {n: [tokenize(h.rstrip()) for h in c["hypotheses"]] for n, c in inputs["corpora"].items()},
        "stems": " ".join(stem(word) for word in inputs["words"].split()),
        "squad": squad(options.squad, inputs["squad"]),
        "spans": [spans(case) for case in inputs["tags"]],
    }
    text = json.dumps(rounded(expected), ensure_ascii=False)
    (HERE / "expected.json").write_text(text.replace('}, "', '},\n"') + "\n", encoding="utf8")


main()
