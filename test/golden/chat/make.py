"""Writes expected.json: chat templates of our own, and what transformers' `apply_chat_template` makes of conversations by them.

Usage: python make.py (transformers 4.57.6, tokenizers 0.22.2)
"""
import json
import logging
import pathlib

from transformers import PreTrainedTokenizerFast

here = pathlib.Path(__file__).parent
logging.disable(logging.WARNING)
TEMPLATES = {
    'turns': """{% for message in messages %}
    {% if loop.first and message.role != 'system' %}
<|im_start|>system
Be kind.<|im_end|>
    {% endif %}
<|im_start|>{{ message.role }}
{{ message['content'] | trim }}<|im_end|>
{% endfor %}
{% if add_generation_prompt %}
<|im_start|>assistant
{% endif %}""",
    'marked': """{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        {{- '<|im_start|>assistant\\n' }}
        {%- generation %}
        {{- message.content + '<|im_end|>' }}
        {%- endgeneration %}
        {{- '\\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}""",
    'marked blocks': """{% for message in messages %}
{% if message.role == 'assistant' %}
Bot:{% generation %} {{ message.content }}
<|im_end|>
{% endgeneration %}
{% else %}
{{ message.role }}: {{ message.content }}
{% endif %}
{% endfor %}
{% if add_generation_prompt %}
Bot:{% endif %}""",
    'instructions': """{% if messages[0].role == 'system' %}{% set system = messages[0].content %}{% set rest = messages[1:] %}
{% else %}{% set system = '' %}{% set rest = messages %}{% endif %}
{% for message in rest %}
{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must take turns.') }}{% endif %}
{% if message.role == 'user' %}{{ bos_token + '[ASK] ' + (system + ' ' if loop.first and system else '') + message.content + ' [/ASK]' }}
{% else %}{{ ' ' + message.content + ' ' + eos_token }}{% endif %}
{% endfor %}""",
    'thoughts': """{%- set at = namespace(last=0) %}
{%- for message in messages %}{% if message.role == 'user' %}{% set at.last = loop.index0 %}{% endif %}{% endfor %}
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' }}
    {%- if message.role == 'assistant' and loop.index0 > at.last %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}
    {{- message.content.split('</think>')[-1].lstrip('\\n') + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}""",
}
CONVERSATIONS = [
    [('user', 'Hi there!'), ('assistant', 'Hello world')],
    [('system', 'Speak like a fox.'), ('user', 'The quick brown?'), ('assistant', 'fox jumps\n\nover'), ('user', 'and 12?'), ('assistant', ' 中文 dog ')],
    [('user', 'café 😀'), ('assistant', 'naïve'), ('user', 'ok?')],
]
result = []
for name, template in TEMPLATES.items():
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(here.parent / 'decoder-tokenizers/qwen.json'), bos_token='<|im_start|>', eos_token='<|im_end|>')
    tokenizer.chat_template = template
    cases = []
    for turns in CONVERSATIONS:
        messages = [{'role': role, 'content': content} for role, content in turns]
        told = tokenizer.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask='endgeneration' in template)
        case = {
            'messages': messages,
            'text': tokenizer.apply_chat_template(messages, tokenize=False),
            'asked': tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True),
            'ids': told['input_ids'],
        }
        if 'endgeneration' in template:
            case['written'] = told['assistant_masks']
        cases.append(case)
    result.append({'name': name, 'template': template, 'cases': cases})
(here / 'expected.json').write_text(json.dumps(result, ensure_ascii=False, indent=1) + '\n')
