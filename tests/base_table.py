#!/usr/bin/env python3
"""Prints the table of README.md's section on bases: checkpoints that were changed here, and related ones from
../shared/data, encoded alone and against their base.  python3 tests/base_table.py; needs build/wcodec.

A changed checkpoint is one of ../shared/data in which
  p %       of all values of floating point have become other values of the same tensor,
  noise r   Gaussian noise of r times the tensor's standard deviation was added to every value, rounded as the
            dtype is (BF16, F16 and F32 alone).
"""

import array
import json
import math
import os
import random
import struct
import subprocess
import sys
import tempfile

DATA = os.environ.get('WCODEC_DATA') or '../shared/data'
TOOL = 'build/wcodec'
BYTES = {'BF16': 2, 'F16': 2, 'F32': 4}
ROWS = [
    ('whisper-base-encoder.bf16.safetensors', ('part', .0)),
    ('whisper-base-encoder.bf16.safetensors', ('part', .01)),
    ('whisper-base-encoder.bf16.safetensors', ('part', .1)),
    ('whisper-base-encoder.bf16.safetensors', ('noise', .0001)),
    ('whisper-base-encoder.bf16.safetensors', ('noise', .001)),
    ('whisper-base-encoder.bf16.safetensors', ('noise', .01)),
    ('ncnn-squeezenet_v1.1.f16.safetensors', ('part', .01)),
    ('ncnn-squeezenet_v1.1.f16.safetensors', ('noise', .001)),
    ('stories15M-blocks.f32.safetensors', ('part', .01)),
    ('stories15M-blocks.f32.safetensors', ('noise', .001)),
    ('waifu2x-cunet-scale2.0x.f16.safetensors', ('file', 'waifu2x-cunet-noise0_scale2.0x.f16.safetensors')),
]


def to_floats(data, dtype):
    if dtype == 'BF16':
        wide = bytearray(2 * len(data))
        wide[2::4], wide[3::4] = data[::2], data[1::2]
        return array.array('f', bytes(wide))
    return struct.unpack('<%d%s' % (len(data) // BYTES[dtype], 'e' if dtype == 'F16' else 'f'), data)


def to_bytes(values, dtype):
    if dtype == 'BF16':
        patterns = struct.unpack('<%dI' % len(values), struct.pack('<%df' % len(values), *values))
        return struct.pack('<%dH' % len(values), *((p + 0x7FFF + (p >> 16 & 1)) >> 16 for p in patterns))
    return struct.pack('<%d%s' % (len(values), 'e' if dtype == 'F16' else 'f'), *values)


def change_part(r, data, dtype, part):
    """Every so many-th value, at random distances, becomes some other value of the tensor."""
    unit, i = BYTES[dtype], 0
    out, n = bytearray(data), len(data) // BYTES[dtype]
    while part:
        i += 1 + int(math.log(1 - r.random()) / math.log(1 - part))
        if i > n:
            break
        k = r.randrange(n)
        out[(i - 1) * unit:i * unit] = data[k * unit:(k + 1) * unit]
    return bytes(out)


def add_noise(r, data, dtype, size):
    values = to_floats(data, dtype)
    mean = sum(values) / len(values)
    size *= math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))
    return to_bytes([v + r.gauss(0, size) for v in values], dtype)


def changed(path, how, amount):
    """The file with its tensors of floating point changed."""
    r = random.Random(1)
    with open(path, 'rb') as f:
        whole = f.read()
    start = 8 + int.from_bytes(whole[:8], 'little')
    out = bytearray(whole)
    for name, tensor in sorted(json.loads(whole[8:start]).items()):
        if name == '__metadata__' or tensor['dtype'] not in BYTES:
            continue
        begin, end = (start + at for at in tensor['data_offsets'])
        if begin < end:
            change = change_part if how == 'part' else add_noise
            out[begin:end] = change(r, whole[begin:end], tensor['dtype'], amount)
    return bytes(out)


def encode(path, out, *options):
    subprocess.run([TOOL, 'encode', '-q', '-f', path, out, *options], check=True)
    return os.path.getsize(out)


def row(folder, name, how, amount, options):
    base = os.path.join(DATA, name)
    path, packed, back = (os.path.join(folder, part) for part in ('changed', 'packed', 'back'))
    if how == 'file':
        path, base, what = base, os.path.join(DATA, amount), 'against ' + amount
    else:
        with open(path, 'wb') as f:
            f.write(changed(base, how, amount))
        what = '%g %%' % (100 * amount) if how == 'part' else 'noise %g' % amount
    size, alone = os.path.getsize(path), encode(path, packed, *options)
    based = encode(path, packed, '--base', base, *options)
    subprocess.run([TOOL, 'decode', '-q', '-f', packed, back, '--base', base], check=True)
    with open(path, 'rb') as f, open(back, 'rb') as g:
        if f.read() != g.read():
            sys.exit('%s, %s: does not come back' % (name, what))
    return name, what, size, alone, based


def main(options):
    print('| file | changed | bytes | alone | with the base | smaller by |')
    print('| --- | --- | --: | --: | --: | --: |')
    with tempfile.TemporaryDirectory() as folder:
        for name, (how, amount) in ROWS:
            name, what, size, alone, based = row(folder, name, how, amount, options)
            print('| %s | %s | %d | %d | %d | %.4g x |' % (name, what, size, alone, based, size / based), flush=True)


if __name__ == '__main__':
    main(sys.argv[1:])
