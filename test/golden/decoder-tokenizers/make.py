"""Writes small tokenizers in the forms of Qwen, Llama 3, SmolLM, Llama 2 and Gemma, and the tokens that they give for some texts.

Usage: python make.py (tokenizers 0.22.2)
"""
import json
import pathlib

from tokenizers import Regex, Tokenizer
from tokenizers import decoders as D
from tokenizers import models as M
from tokenizers import normalizers as N
from tokenizers import pre_tokenizers as P
from tokenizers import processors
from tokenizers import trainers as T

here = pathlib.Path(__file__).parent
CORPUS = [
    "The quick brown fox jumps over the lazy dog 1234 times, isn't it?", 'Hello world\n\nSecond line\twith tab   and spaces',
    'naïve café über straße 中文字 日本語 emoji 😀🎉', 'def f(x):\n    return x**2 + 10', "don't we'll I'M they've",
] * 20
TEXTS = [
    *CORPUS[:5], '<|im_start|>user\nHi there!<|im_end|>\n<|im_start|>assistant\n', '  leading', 'trailing  ', 'a\u00a0b', 'tab\tx\r\ny',
    'ẞ ﬁ Å A\u030a 12345678', '\u2581raw', 'x<|im_end|>  y', ' ', '\n', '🤷‍♀️ ok \u200b zero', 'a <s> b</s>c <bos>hey  <eos>',
    'Ünïcödé ١٢٣ Ⅷ', "I'LL don'T 'S", '{"a": [1, 2]}',
]
CHAT = ['<|endoftext|>', '<|im_start|>', '<|im_end|>']
expected = {}


def words(digits):
    letters = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
    return Regex(letters + digits + r'| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+')


def save(name, tokenizer):
    (here / f'{name}.json').write_text(json.dumps(json.loads(tokenizer.to_str()), separators=(',', ':'), ensure_ascii=False) + '\n')
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
    expected[name] = [{'text': text, 'ids': own, 'decoded': tokenizer.decode(own)} for text, own in zip(TEXTS, ids)]


def by_bytes(name, normalizer, *steps, ignore_merges=False):
    tokenizer = Tokenizer(M.BPE(ignore_merges=ignore_merges))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = P.Sequence([*steps])
    tokenizer.decoder = D.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = T.BpeTrainer(vocab_size=340, initial_alphabet=P.ByteLevel.alphabet(), special_tokens=CHAT, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    save(name, tokenizer)


def by_characters(name, normalizer, split, decoder, special):
    tokenizer = Tokenizer(M.BPE(byte_fallback=True, unk_token='<unk>', fuse_unk=True))
    tokenizer.normalizer = normalizer
    if split:
        tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoder
    bytes_ = [f'<0x{i:02X}>' for i in range(256)]
    trainer = T.BpeTrainer(vocab_size=400, special_tokens=[*special, *bytes_], show_progress=False, max_token_length=12)
    tokenizer.train_from_iterator([text for text in CORPUS if text.isascii()], trainer)
    fields = json.loads(tokenizer.to_str())
    fields['added_tokens'] = [token for token in fields['added_tokens'] if not token['content'].startswith('<0x')]
    save(name, Tokenizer.from_str(json.dumps(fields)))


byte = P.ByteLevel(add_prefix_space=False, use_regex=False)
by_bytes('qwen', N.NFC(), P.Split(words(r'\p{N}'), 'isolated'), byte)
by_bytes('llama3', None, P.Split(words(r'\p{N}{1,3}'), 'isolated'), byte, ignore_merges=True)
by_bytes('smollm', None, P.Digits(individual_digits=True), P.ByteLevel(add_prefix_space=False, use_regex=True))
spaces = [D.Replace('▁', ' '), D.ByteFallback(), D.Fuse()]
llama2 = N.Sequence([N.Prepend('▁'), N.Replace(' ', '▁')])
by_characters('llama2', llama2, None, D.Sequence([*spaces, D.Strip(' ', 1, 0)]), ['<unk>', '<s>', '</s>'])
turns = ['<pad>', '<eos>', '<bos>', '<unk>', '<start_of_turn>', '<end_of_turn>']
by_characters('gemma', N.Replace(' ', '▁'), P.Split(' ', 'merged_with_previous'), D.Sequence(spaces), turns)
(here / 'expected.json').write_text(json.dumps(expected, separators=(',', ':'), ensure_ascii=False) + '\n')
