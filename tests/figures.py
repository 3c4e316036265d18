#!/usr/bin/env python3
"""Prints the README's tables, as Markdown, from the built command and the models in ../shared/data.

    make figures        (or: python3 tests/figures.py [FILE ...])

WCODEC_BIN names the command (default: build/wcodec), WCODEC_DATA the folder of models.  Peers that are not
installed leave their column empty; zipnn (PyPI, with numpy) packs files of one floating-point dtype.  Speeds are of `wcodec bench`: one thread, in memory, best of its rounds."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.environ.get('WCODEC_BIN') or os.path.join(ROOT, 'build', 'wcodec')
DATA = os.environ.get('WCODEC_DATA') or os.path.join(ROOT, '..', 'shared', 'data')
PEERS = [('gzip -6', ['gzip', '-6', '-c']), ('zstd -3', ['zstd', '-3', '-q', '-c']),
         ('zstd -19', ['zstd', '-19', '-q', '-c']), ('xz -9', ['xz', '-9', '-c'])]


def command_json(*args):
    return json.loads(subprocess.run([BIN, *args, '--json'], check=True, stdout=subprocess.PIPE).stdout)


def compressed_size(command, path):
    """Bytes that another compressor makes of a file, or None where it is not installed."""
    if not shutil.which(command[0]):
        return None
    with open(path, 'rb') as source:
        process = subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE)
        size = 0
        while chunk := process.stdout.read(1 << 20):
            size += len(chunk)
    if process.wait():
        raise SystemExit('%s failed' % command[0])
    return size


def profiles():
    """Those that the command has: its help lists them."""
    text = subprocess.run([BIN, 'encode', '--help'], stdout=subprocess.PIPE, text=True).stdout
    found = re.search(r'--profile (\S+)', text)
    return found.group(1).split('|') if found else ['fast']


def zipnn_size(path):
    """Bytes that ZipNN makes of a file, or None where it is not installed or does not know the dtype."""
    words = os.path.basename(path).upper().split('.')
    dtype = next((word for word in words if word in ('BF16', 'F16', 'F32')), None)
    sys.path.insert(0, os.path.join(ROOT, 'tests', 'bench'))
    try:
        import numpy
        import zipnn_peer
    except ImportError:
        return None
    if dtype is None or not zipnn_peer.version():
        return None
    return zipnn_peer.Zipnn(numpy.fromfile(path, 'u1'), dtype, 0, 1).packed()


def row(cells):
    print('| ' + ' | '.join(cells) + ' |')


def ratios(paths):
    names = profiles()
    row(['file', 'bytes'] + names + [name for name, _ in PEERS] + ['zipnn'])
    row(['---'] + ['--:'] * (2 + len(names) + len(PEERS)))
    sums = [0] * len(names)
    for path in paths:
        size = os.path.getsize(path)
        ours = []
        with tempfile.TemporaryDirectory() as folder:
            for name in names:
                done = command_json('encode', path, os.path.join(folder, 'x.wcodec'), '-q', '-f', '--profile', name)
                ours.append(done['container_bytes'])
        sums = [a + b for a, b in zip(sums, ours)]
        peers = [compressed_size(command, path) for _, command in PEERS] + [zipnn_size(path)]
        row([os.path.basename(path), str(size)]
            + ['' if peer is None else '%.4f' % (peer / size) for peer in ours + peers])
    print()
    for name, container in zip(names, sums):
        print('profile %s: %d bytes in all' % (name, container))


def speeds(paths):
    row(['file', 'encode', 'decode', 'decode, no CRC', 'memcpy', 'decode / memcpy'])
    row(['---'] + ['--:'] * 5)
    for path in paths:
        bench = command_json('bench', path)
        row([os.path.basename(path)] + ['%.0f MB/s' % bench[key] for key in (
            'encode_mbps', 'decode_mbps', 'decode_nocrc_mbps', 'memcpy_mbps')]
            + ['%.3f' % bench['decode_over_memcpy']])


def peak_memory(args):
    """MiB that the command held at most, as Linux counts it: looked at until it ends."""
    process = subprocess.Popen([BIN, *args, '--threads', '2', '-q'])
    peak = 0
    while process.poll() is None:
        try:
            with open('/proc/%d/status' % process.pid) as status:
                peak = max([peak] + [int(line.split()[1]) for line in status if line.startswith('VmHWM')])
        except OSError:
            pass
        time.sleep(0.02)
    if process.returncode:
        raise SystemExit('wcodec %s failed' % args[0])
    return peak / 1024


def memory(size):
    """Peak memory of encode and decode on a file of `size` bytes of BF16."""
    with tempfile.TemporaryDirectory() as folder:
        plain, packed, back = (os.path.join(folder, name) for name in ('plain', 'packed', 'back'))
        block = b''.join(bytes([i * 37 & 255, 60 | i >> 6 & 3]) for i in range(1 << 19))
        with open(plain, 'wb') as out:
            for _ in range(size >> 20):
                out.write(block)
        for args in (['encode', plain, packed, '--dtype', 'BF16'], ['decode', packed, back]):
            print('%s of %d MiB with 2 threads: peak memory %.1f MiB'
                  % (args[0], size >> 20, peak_memory(args)))


def main():
    paths = sys.argv[1:] or sorted(glob.glob(os.path.join(DATA, '*.safetensors')) + glob.glob(
        os.path.join(DATA, '*.gguf')))
    if not paths:
        print('skipped: no models in %s' % DATA)
        return
    ratios(paths)
    print()
    speeds(paths)
    print()
    memory(1 << 30)


main()
