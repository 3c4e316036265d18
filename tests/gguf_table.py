#!/usr/bin/env python3
"""Prints, for each type of ggml, what a GGUF file of quantized real weights comes to, as Markdown:

    python3 -m venv VENV && VENV/bin/pip install gguf pywhispercpp
    VENV/bin/python tests/gguf_table.py [--profiles fast,best] [--matrices N] [MODEL.safetensors]

The weights are the model's matrices whose rows are whole blocks of 256, but for tables of positions, the first N
of them (8).  They are quantized by ggml's own code, which pywhispercpp brings, or by the package gguf, and written by
the latter where it knows the type.  Every file is encoded, decoded and compared; zstd -19 and xz -9 get the same file.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import gguf_make

HERE = os.path.dirname(os.path.abspath(__file__))
WCODEC = os.path.join(HERE, '..', 'build', 'wcodec')
MODEL = os.path.join(os.environ.get('WCODEC_DATA', os.path.join(HERE, '..', '..', 'shared', 'data')),
                     'whisper-base-encoder.bf16.safetensors')


def piped(command, path):
    """The size of what a compressor makes of a file; None where it is not installed."""
    try:
        return len(subprocess.run(command + [path], stdout=subprocess.PIPE, check=True).stdout)
    except FileNotFoundError:
        return None


def coded(path, profile):
    packed, back = path + '.wcodec', path + '.back'
    subprocess.run([WCODEC, 'encode', '-f', '-q', '--profile', profile, path, packed], check=True)
    subprocess.run([WCODEC, 'decode', '-f', '-q', packed, back], check=True)
    with open(path, 'rb') as a, open(back, 'rb') as b:
        if a.read() != b.read():
            raise SystemExit('%s does not come back as it was' % path)
    return os.path.getsize(packed)


def two_bits(matrix):
    """Q2_0, for which no quantizer is at hand: 64 elements, the k-th 16 of them in bits 2k and 2k + 1."""
    import numpy
    rows = matrix.reshape(-1, 64)
    scale = (abs(rows).mean(1) * 1.6).astype('<f2')
    divisor = numpy.where(scale == 0, 1, scale).astype('<f4')
    quants = numpy.clip(numpy.rint(rows / divisor[:, None]) + 1, 0, 3).astype(numpy.uint8).reshape(-1, 4, 16)
    packed = quants[:, 0] | quants[:, 1] << 2 | quants[:, 2] << 4 | quants[:, 3] << 6
    return numpy.concatenate([scale.view(numpy.uint8).reshape(-1, 2), packed], 1).tobytes()


def quantized(name, matrix, makers):
    """The bytes, and who made them."""
    for maker in makers:
        try:
            if maker and maker.knows(name):
                return maker.quantize(name, matrix), type(maker).__name__.lower()
        except NotImplementedError:
            continue
    if name == 'Q2_0':
        return two_bits(matrix), 'this script'
    return None, None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('model', nargs='?', default=MODEL)
    parser.add_argument('--profiles', type=lambda text: text.split(','), default=['fast', 'best'])
    parser.add_argument('--matrices', type=int, default=8)
    args = parser.parse_args()
    package, ggml = gguf_make.optional(gguf_make.Package), gguf_make.optional(gguf_make.Ggml)
    if not package:
        raise SystemExit('the package gguf is not installed (and pywhispercpp is wanted too)')
    if not ggml:
        print('pywhispercpp is not installed: only the types that the package gguf quantizes', file=sys.stderr)
    matrices = [(name, matrix) for name, matrix in gguf_make.safetensors_matrices(args.model)
                if matrix.shape[1] % 256 == 0 and 'position' not in name][:args.matrices]
    print('| type | bits | %s | zstd -19 | xz -9 |' % ' | '.join('`%s`' % p for p in args.profiles))
    print('| --- | --: |%s --: | --: |' % (' --: |' * len(args.profiles)))
    for name, (_, elements, size, _) in gguf_make.BLOCKS.items():
        parts = [(key, matrix.shape, name, *quantized(name, matrix, [ggml, package])) for key, matrix in matrices]
        if parts[0][3] is None:
            print('%s: nothing here quantizes it' % name, file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, name + '.gguf')
            tensors = [part[:4] for part in parts]
            if package.knows(name):
                package.write(path, tensors)
            else:
                with open(path, 'wb') as f:
                    f.write(gguf_make.write(tensors))
            whole = os.path.getsize(path)
            sizes = [coded(path, profile) for profile in args.profiles]
            sizes += [piped(['zstd', '-19', '-q', '-c'], path), piped(['xz', '-9', '-c'], path)]
        cells = ['%.4f' % (x / whole) if x else '' for x in sizes]
        print('| %s | %g | %s |' % (name, 8 * size / elements, ' | '.join(cells)), flush=True)


if __name__ == '__main__':
    main()
