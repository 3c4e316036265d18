#!/usr/bin/env python3
"""Prints how small text and opaque bytes come out, beside zstd, and fails where that is above the README's claim.

    python3 tests/text_table.py [--keep FOLDER] [FILE ...]

What is measured are the parts of model files that are no weights: the JSON headers of the safetensors files and
the heads of the GGUF files in ../shared/data (or $WCODEC_DATA), vocabularies that are made here (a tokenizer.json
and the key-values of a GGUF file with 128,000 tokens), and this project's own text; or the files that are named.
Each goes through `wcodec encode` ($WCODEC_BIN, default build/wcodec) as a file of its own and must come back; what
counts are the bytes of its records, as of a part of a larger file.  Exit code 1 if one takes more than 1.15
times what zstd -3 takes, or does not come back.  Without zstd: skipped."""
import glob
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.environ.get('WCODEC_BIN') or os.path.join(ROOT, 'build', 'wcodec')
DATA = os.environ.get('WCODEC_DATA') or os.path.join(ROOT, '..', 'shared', 'data')
CLAIM = 1.15
TOKENS = 128000


def vocabulary():
    """Tokens and merges such as byte-pair encoding finds them in text: pairs of earlier tokens, common ones more
    often.  Always the same ones."""
    rng = random.Random(5)
    tokens = [chr(c) for c in range(33, 127)] + ['\u0120'] + [chr(c) for c in range(0xA1, 0x143)][:161]
    letters = 'etaoinshrdlucmfwypvbgkjxqz'
    weights = [12, 9, 8, 8, 7, 7, 6, 6, 6, 4, 4, 3, 3, 2, 2, 2, 2, 2, 1, 1, 2, 1, 1, 1, 1, 1]
    vowels = 'aeiouy'
    pool = ['\u0120' + c for c in letters] + list(letters)
    known, merges = set(tokens), []
    while len(tokens) < TOKENS:
        # An early token, which is a short one, is taken as a part far more often than a late one.
        left = pool[int(len(pool) * rng.random() ** 3)]
        right = rng.choices(letters, weights)[0] if rng.random() < .35 else \
            pool[int(len(pool) * rng.random() ** 3)].lstrip('\u0120')
        if len(left) + len(right) > 14 or not right:
            continue
        if (left[-1] in vowels) == (right[0] in vowels) and rng.random() < .6:
            continue
        token = left + right
        if token in known:
            continue
        known.add(token)
        tokens.append(token)
        pool.append(token)
        merges.append((left, right))
    return tokens, merges


def tokenizer_json(tokens, merges):
    """As the package `tokenizers` writes it."""
    model = {'version': '1.0', 'truncation': None, 'padding': None,
             'added_tokens': [{'id': len(tokens) + i, 'content': '<|reserved_special_token_%d|>' % i, 'single_word': False,
                               'lstrip': False, 'rstrip': False, 'normalized': False, 'special': True}
                              for i in range(256)],
             'model': {'type': 'BPE', 'dropout': None, 'unk_token': None, 'byte_fallback': False,
                       'vocab': {token: i for i, token in enumerate(tokens)},
                       'merges': [' '.join(pair) for pair in merges]}}
    return json.dumps(model, ensure_ascii=False, indent=2).encode()


def gguf_head(tokens, merges):
    """Key-values of a GGUF file of version 3: tokens, their scores and types, merges."""
    def string(text):
        data = text.encode()
        return struct.pack('<Q', len(data)) + data

    def strings(key, texts):
        return string(key) + struct.pack('<IIQ', 9, 8, len(texts)) + b''.join(map(string, texts))

    scores = struct.pack('<%df' % len(tokens), *[-float(i) for i in range(len(tokens))])
    types = struct.pack('<%di' % len(tokens), *([1] * len(tokens)))
    values = [string('general.architecture') + struct.pack('<I', 8) + string('llama'),
              string('tokenizer.ggml.model') + struct.pack('<I', 8) + string('gpt2'),
              strings('tokenizer.ggml.tokens', tokens),
              string('tokenizer.ggml.scores') + struct.pack('<IIQ', 9, 6, len(tokens)) + scores,
              string('tokenizer.ggml.token_type') + struct.pack('<IIQ', 9, 5, len(tokens)) + types,
              strings('tokenizer.ggml.merges', [' '.join(pair) for pair in merges])]
    return b'GGUF' + struct.pack('<IQQ', 3, 0, len(values)) + b''.join(values)


def parts():
    """Names and bytes of what is measured."""
    for path in sorted(glob.glob(os.path.join(DATA, '*.safetensors'))):
        with open(path, 'rb') as file:
            size = struct.unpack('<Q', file.read(8))[0]
            yield 'header of ' + os.path.basename(path), struct.pack('<Q', size) + file.read(size)
    for path in sorted(glob.glob(os.path.join(DATA, '*.gguf'))):
        with open(path, 'rb') as file:
            yield 'first 16 KiB of ' + os.path.basename(path), file.read(16384)
    tokens, merges = vocabulary()
    yield 'tokenizer.json, %d tokens' % TOKENS, tokenizer_json(tokens, merges)
    yield 'GGUF vocabulary, %d tokens' % TOKENS, gguf_head(tokens, merges)
    yield 'vocab.txt, %d tokens' % TOKENS, '\n'.join(tokens).encode()
    for name in ('wcodec.h', 'README.md', 'tests/make_golden.py', 'amalgamate/parts/20_format.txt'):
        with open(os.path.join(ROOT, name), 'rb') as file:
            yield name, file.read()


def records(path, profile, folder):
    """Bytes of the records that a file comes to."""
    packed, back = os.path.join(folder, 'packed'), os.path.join(folder, 'back')
    subprocess.run([BIN, 'encode', '-q', '-f', '--profile', profile, path, packed], check=True)
    subprocess.run([BIN, 'decode', '-q', '-f', packed, back], check=True)
    with open(path, 'rb') as one, open(back, 'rb') as other:
        if one.read() != other.read():
            raise SystemExit('%s: not the bytes that went in' % path)
    text = subprocess.run([BIN, 'inspect', packed, '--json'], check=True, stdout=subprocess.PIPE).stdout
    return sum(segment['container_bytes'] for segment in json.loads(text)['segments'])


def zstd(path, level):
    done = subprocess.run(['zstd', '-q', '-c', '--no-check', '-%d' % level, path], check=True, stdout=subprocess.PIPE)
    return len(done.stdout)


def main():
    args = sys.argv[1:]
    keep = None
    if args[:1] == ['--keep']:
        keep, args = args[1], args[2:]
    if not shutil.which('zstd'):
        print('skipped: zstd is not installed')
        return 0
    failed = 0
    print('| what | bytes | fast | best | zstd -3 | zstd -19 | fast / zstd -3 |')
    print('| --- | --: | --: | --: | --: | --: | --: |')
    with tempfile.TemporaryDirectory() as folder:
        files = [(os.path.basename(path), open(path, 'rb').read()) for path in args] if args else parts()
        for number, (name, data) in enumerate(files):
            path = os.path.join(keep or folder, 'part%02d' % number)
            with open(path, 'wb') as file:
                file.write(data)
            fast, best = (records(path, profile, folder) for profile in ('fast', 'best'))
            three, nineteen = zstd(path, 3), zstd(path, 19)
            print('| %s | %d | %d | %d | %d | %d | %.3f |'
                  % (name, len(data), fast, best, three, nineteen, fast / three), flush=True)
            failed += fast > CLAIM * three
    if failed:
        print('%d take more than %.2f times what zstd -3 takes' % (failed, CLAIM))
    return failed != 0


sys.exit(main())
