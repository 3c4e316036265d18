#!/usr/bin/env python3
"""Times wcodec and other codecs on the same buffers, in one process, beside memcpy.

    make bench    (or: make bench BENCH='--quick --only wcodec,zstd --dtype BF16'; --help lists all options)

Each sample of a codec is taken right after one of memcpy that does the same: the same bytes, pieces and
threads.  "x memcpy" is the best speed over memcpy's best in that table; "median x" the median of the pairs,
which a busy machine disturbs least.  Speeds count the bytes of the weights, not of what they are packed into,
in MB (10^6) a second.  A table's rounds go through its contenders in turn.  Everything is decoded and
compared, byte for byte, before it is timed, and once more after."""
import argparse
import collections
import csv
import math
import os
import platform
import statistics
import sys
import time

sys.dont_write_bytecode = True
try:
    import numpy
except ImportError:
    sys.exit('skipped: the benchmark needs numpy (PyPI, or Debian: python3-numpy)')

import native
import tools
import weights
import zipnn_peer

DATA = os.environ.get('WCODEC_DATA') or os.path.join(native.ROOT, '..', 'shared', 'data')
MIB = 1 << 20
SAMPLE_PIECES = 64
LEAST_SAMPLE = 0.005            # seconds; shorter work is repeated within a sample
TENSOR_BYTES = 128 << 10

# How much of everything: see main.
Effort = collections.namedtuple('Effort', 'size sample rounds slow_rounds budget tensors few_peers')

# A contender: `slow` ones get a sample of the buffer and fewer rounds.
Spec = collections.namedtuple('Spec', 'label codec level filter cpu_off no_crc slow')
ZIPNN = Spec('zipnn', 'zipnn', 0, 0, 0, 0, False)
MEMCPY = Spec('memcpy', 'memcpy', 0, 0, 0, 0, False)
SPLITS = {'BF16': (2, 'exponent plane'), 'F16': (1, 'byte planes'), 'F32': (1, 'byte planes')}
SHUFFLE, BITSHUFFLE, BYTEDELTA, LZ4 = 1, 2, 3, 16       # enum in peers.c


def peer(label, codec, level, chain=0, slow=False):
    return Spec(label, codec, level, chain, 0, 0, slow)


def zstd_specs(dtype, levels):
    specs = [peer('zstd -%d' % n, 'zstd', n, 0, n > 5) for n in levels]
    if dtype in SPLITS:
        number, name = SPLITS[dtype]
        specs += [peer('zstd -%d, %s' % (n, name), 'zstd', n, number, n > 5) for n in levels]
    return specs


def all_peers(dtype):
    specs = zstd_specs(dtype, (1, 3, 19))
    specs += [peer('lz4', 'lz4', 0), peer('zlib -1', 'zlib', 1, 0, True),
              peer('zlib -6', 'zlib', 6, 0, True),
              peer('bzip2 -9', 'bzip2', 9, 0, True), peer('xz -6', 'xz', 6, 0, True),
              peer('blosc2 lz4 shuffle', 'blosc2', 5, SHUFFLE | LZ4),
              peer('blosc2 zstd shuffle', 'blosc2', 5, SHUFFLE, True),
              peer('blosc2 zstd bitshuffle', 'blosc2', 5, BITSHUFFLE, True),
              peer('blosc2 zstd bytedelta', 'blosc2', 5, BYTEDELTA, True)]
    widened = ' (widened to FP32)' if dtype == 'BF16' else ''
    specs += [peer('zfp' + widened, 'zfp', 0, 1, True), peer('fpzip' + widened, 'fpzip', 0, 1, True)]
    return specs + [ZIPNN]


def few_peers(dtype):
    specs = zstd_specs(dtype, (3,)) + [peer('lz4', 'lz4', 0), peer('xz -6', 'xz', 6, 0, True),
                                       peer('blosc2 zstd bitshuffle', 'blosc2', 5, BITSHUFFLE, True)]
    return specs + ([ZIPNN] if dtype in zipnn_peer.MODES else [])


def block_peers():
    """Those of the tables of windows and of single tiles, where each block is packed by itself."""
    return zstd_specs('BF16', (3,)) + [peer('lz4', 'lz4', 0),
                                       peer('blosc2 zstd shuffle', 'blosc2', 5, SHUFFLE), ZIPNN]


def wcodec_specs(library, with_no_crc=True):
    """The profile fast, with each set of kernels."""
    specs = []
    for name, cpu_off in library.kernels():
        specs.append(Spec('wcodec ' + name, 'wcodec', 0, 0, cpu_off, 0, False))
        if with_no_crc:
            specs.append(Spec('wcodec %s, no CRC' % name, 'wcodec', 0, 0, cpu_off, 1, False))
    return specs


def other_profiles(library, every_kernel, with_best):
    """Dense with each set of kernels or the best one, and best, which takes its time, with the best one."""
    kernels = library.kernels()
    specs = [Spec('wcodec dense ' + name, 'wcodec', 1, 0, cpu_off, 0, False)
             for name, cpu_off in (kernels if every_kernel else kernels[-1:])]
    name, cpu_off = kernels[-1]
    if every_kernel:
        specs.append(Spec('wcodec dense %s, no CRC' % name, 'wcodec', 1, 0, cpu_off, 1, False))
    if with_best and 'best' in library.profiles():
        specs.append(Spec('wcodec best ' + name, 'wcodec', 2, 0, cpu_off, 0, True))
    return specs


# ---- jobs ----

class Bench:
    """What the run has: the library, the buffers that all contenders share, the options, the results."""

    def __init__(self, args, effort, folder):
        self.args, self.effort = args, effort
        self.codecs = native.Library(native.build(folder))
        self.versions = dict(self.codecs.peers())
        self.versions['zipnn'] = (zipnn_peer.version(), zipnn_peer.PACKAGE)
        self.versions['wcodec'] = (self.codecs.wcodec_version().decode(), '')
        self.out = None
        self.results = []
        self.failed = []
        self.log = open(os.path.join(args.out, 'bench.txt'), 'w')
        self.buffers = {}

    def say(self, text=''):
        print(text, flush=True)
        self.log.write(text + '\n')

    def wanted(self, spec):
        names = self.args.only
        return (spec.codec == 'memcpy' or not names or any(n in spec.label for n in names)) \
            and self.versions[spec.codec][0] is not None

    def buffer(self, dtype):
        if dtype not in self.buffers:
            typesize = native.DTYPES[dtype][1]
            if self.args.file:
                self.buffers[dtype] = weights.load_raw(self.args.file, dtype, typesize, self.args.row,
                                                       self.effort.size)
            else:
                self.buffers[dtype] = weights.load(DATA, dtype, typesize, self.effort.size)
        return self.buffers[dtype]

    def sample(self, buffer):
        """What the slow ones get: pieces of whole rows, spread over the data before they repeat."""
        if buffer.sample is None:
            row = buffer.width * buffer.typesize
            there = min(buffer.unique, len(buffer.data))
            piece = max(min(self.effort.sample, there) // SAMPLE_PIECES // row, 1) * row
            starts = numpy.linspace(0, there - piece, SAMPLE_PIECES).astype(int) // row * row
            buffer.sample = numpy.concatenate([buffer.data[start:start + piece] for start in starts])
        return buffer.sample

    def job(self, spec, buffer, block, threads):
        """The contender, packed and found to be right, or None."""
        data = self.sample(buffer) if spec.slow else buffer.data
        if self.out is None or len(self.out) < len(data):
            self.out = numpy.ones(max(len(data), self.effort.size), 'u1')
        if spec.codec == 'zipnn':
            job = zipnn_peer.Zipnn(data, buffer.dtype, block, threads)
        else:
            dtype, typesize = native.DTYPES[buffer.dtype]
            setup = native.Setup(data.ctypes.data, self.out.ctypes.data, len(data), block,
                                 buffer.rows.ctypes.data, buffer.row.ctypes.data, len(buffer.rows),
                                 buffer.width, dtype, typesize, spec.level, spec.filter, threads,
                                 spec.cpu_off, spec.no_crc)
            job = native.Job(self.codecs, spec.codec, setup)
            if not job.handle:
                return None
        job.size = len(data)
        job.right = job.good()
        return job


# ---- timing ----

class Timing:
    """Samples of one operation of one contender, each beside one of memcpy."""

    def __init__(self, spec, job, op, base, most, budget):
        self.spec, self.job, self.op, self.base = spec, job, op, base
        self.most, self.budget = most, budget
        self.speeds, self.memcpys = [], []
        # What is slow to encode was warmed up by packing it for this job.
        self.repeat = 1 if spec.slow and op == 'encode' else self.choose(job, op)
        self.base_repeat = self.choose(base, self.base_op())
        self.spent = 0

    def base_op(self):
        return self.op if self.op in ('window', 'random') else 'decode'

    def choose(self, job, op):
        if op == 'random':
            return job.random_count
        once = max(job.seconds(op, 1), 1e-7)        # warms up, too
        return max(1, math.ceil(LEAST_SAMPLE / once))

    def units(self, job, repeat):
        return repeat if self.op == 'random' else job.size * repeat

    def sample(self):
        if len(self.speeds) >= self.most or (self.spent > self.budget and len(self.speeds) >= 2):
            return False
        beside = self.base.seconds(self.base_op(), self.base_repeat)
        taken = self.job.seconds(self.op, self.repeat)
        if taken < 0:
            raise SystemExit('bench: %s failed while it was timed' % self.spec.label)
        self.spent += taken
        self.memcpys.append(self.units(self.base, self.base_repeat) / beside)
        self.speeds.append(self.units(self.job, self.repeat) / taken)
        return True

    def result(self, base):
        best = max(self.speeds)
        return {'best': best, 'median': statistics.median(self.speeds), 'memcpy_best': base,
                'memcpy_median': statistics.median(self.memcpys), 'x_best': best / base,
                'x_median': statistics.median(s / m for s, m in zip(self.speeds, self.memcpys)),
                'rounds': len(self.speeds)}


def measure(bench, setting, buffer, specs, ops, block=0, threads=1):
    """One table: every operation of every contender, round after round."""
    specs = [spec for spec in specs if bench.wanted(spec)]
    if not any(spec.codec != 'memcpy' for spec in specs):
        return []
    base = bench.job(MEMCPY, buffer, block, threads)
    pieces = bench.codecs.pieces(base.handle)
    timings, jobs = [], [(MEMCPY, base)]
    for spec in specs:
        job = bench.job(spec, buffer, block, threads)
        if job is None or not job.right:
            bench.failed.append('%s, %s, %s: %s' % (spec.label, buffer.dtype, setting,
                                                    'does not apply' if job is None else 'WRONG BYTES'))
            continue
        jobs.append((spec, job))
    for spec, job in jobs:
        job.random_count = min(pieces, 256)
        for op in ops:
            most = bench.effort.slow_rounds if spec.slow and op == 'encode' else bench.effort.rounds
            if not (op == 'encode' and (spec.no_crc or spec.codec == 'memcpy')):
                timings.append(Timing(spec, job, op, base, most, bench.effort.budget))
    while any([timing.sample() for timing in timings]):
        pass
    memcpys = [speed for timing in timings for speed in timing.memcpys]
    rows = [record(bench, setting, buffer, timing, threads, max(memcpys)) for timing in timings]
    rows[0].update(best=max(memcpys), median=statistics.median(memcpys), x_best=1, x_median=1,
                   memcpy_median=statistics.median(memcpys), rounds=len(memcpys))
    for spec, job in jobs:
        if not job.good():
            bench.failed.append('%s, %s, %s: WRONG BYTES after timing' % (spec.label, buffer.dtype, setting))
        job.close()
    bench.results += rows
    return rows


def record(bench, setting, buffer, timing, threads, best_memcpy):
    spec, job = timing.spec, timing.job
    row = {'dtype': buffer.dtype, 'setting': setting, 'threads': threads, 'contender': spec.label,
           'codec': spec.codec, 'version': bench.versions[spec.codec][0], 'op': timing.op, 'bytes': job.size,
           'packed': job.packed(), 'ratio': job.packed() / job.size,
           'unit': 'pieces/s' if timing.op == 'random' else 'bytes/s'}
    row.update(timing.result(best_memcpy))
    row['note'] = job.note + (' (sample of the buffer)' if spec.slow else '')
    return row


# ---- tables ----

def cell(row, key, scale, text):
    return text % (row[key] * scale) if row else ''


def print_speeds(bench, rows, title):
    """A line a contender: encoding, then decoding (or reading through a window)."""
    if not rows:
        return
    lines = collections.OrderedDict()
    for row in rows:
        lines.setdefault(row['contender'], {})['encode' if row['op'] == 'encode' else 'decode'] = row
    base = lines['memcpy']['decode']
    bench.say('\n%s\nmemcpy: best %.0f MB/s, median %.0f MB/s' % (title, base['best'] / 1e6,
                                                                  base['median'] / 1e6))
    bench.say('%-32s %6s | %26s | %26s' % ('', '', 'encode', 'decode'))
    bench.say('%-32s %6s | %8s %8s %8s | %8s %8s %8s %8s' % (
        'contender', 'ratio', 'best', 'median', 'x memcpy', 'best', 'median', 'x memcpy', 'median x'))
    for name, line in lines.items():
        encode, decode = line.get('encode'), line.get('decode')
        if name == 'memcpy':
            continue
        mark = '*' if decode['bytes'] < base['bytes'] else ''
        bench.say('%-32s %6.4f | %8s %8s %8s | %8s %8s %8s %8s' % (
            name + mark, decode['ratio'], cell(encode, 'best', 1e-6, '%.0f'),
            cell(encode, 'median', 1e-6, '%.0f'), cell(encode, 'x_best', 1, '%.4f'),
            cell(decode, 'best', 1e-6, '%.0f'), cell(decode, 'median', 1e-6, '%.0f'),
            cell(decode, 'x_best', 1, '%.4f'), cell(decode, 'x_median', 1, '%.4f')))
    short = [line['decode']['bytes'] for line in lines.values() if line['decode']['bytes'] < base['bytes']]
    if short:
        bench.say('* %.1f MiB of it: %d pieces spread over it' % (short[0] / MIB, SAMPLE_PIECES))


README_NAMES = {'sse4.1': 'SSE4.1', 'avx2': 'AVX2', 'avx512': 'AVX-512', 'neon': 'NEON'}


def short(value):
    """As the README writes ratios: .6633."""
    text = ('%.4f' if value < 1 else '%.3f') % value
    return text[1:] if text.startswith('0') else text


def print_markdown(bench, rows, title):
    """The table of print_speeds as the README has it: no CRC in brackets, best speeds."""
    if not rows:
        return
    decode = {row['contender']: row for row in rows if row['op'] == 'decode'}
    encode = {row['contender']: row for row in rows if row['op'] == 'encode'}
    bench.say('\n%s; memcpy in the same rounds %.1f GB/s.\n' % (title, decode['memcpy']['best'] / 1e9))
    bench.say('| codec | ratio | encode, MB/s | decode, MB/s | decode / memcpy |')
    bench.say('| --- | --: | --: | --: | --: |')
    for name, row in decode.items():
        if name == 'memcpy' or name.endswith(', no CRC'):
            continue
        label, bare = name, decode.get(name + ', no CRC')
        if row['codec'] == 'wcodec':
            words = name.split()
            label = ', '.join([' '.join(words[:-1]), README_NAMES.get(words[-1], words[-1])])
        elif row['version'] and row['version'] not in label:
            label = '%s %s%s' % (row['codec'], row['version'], label[len(row['codec']):])
        speed, beside = '%.0f' % (row['best'] / 1e6), '%.3f' % row['x_best']
        if bare:
            label += ' (no CRC)'
            speed += ' (%.0f)' % (bare['best'] / 1e6)
            beside += ' (%.3f)' % bare['x_best']
        if row['bytes'] < decode['memcpy']['bytes']:
            label += ' (%.0f MiB of it)' % (row['bytes'] / MIB)
        packing = '%.0f' % (encode[name]['best'] / 1e6) if name in encode else ''
        bench.say('| %s | %s | %s | %s | %s |' % (label, short(row['ratio']), packing, speed, beside))


def print_tools_markdown(bench, rows):
    bench.say('\n| tool | ratio | pack | | unpack | |\n| --- | --: | --: | --: | --: | --: |')
    for row in rows:
        bench.say('| %s | %s | %.2f s | %.1f MiB | %.2f s | %.1f MiB |' % (
            row['tool'], short(row['ratio']), row['compress_s'], row['compress_kib'] / 1024,
            row['decompress_s'], row['decompress_kib'] / 1024))


def print_pieces(bench, rows, opening, title):
    if not rows:
        return
    bench.say('\n' + title)
    for name, best, median in opening:
        bench.say('%-32s open: best %.1f us, median %.1f us' % (name, best * 1e6, median * 1e6))
    bench.say('%-32s %6s %14s %14s %9s' % ('one tensor at random', 'ratio', 'best us', 'median us',
                                           'x memcpy'))
    for row in rows:
        bench.say('%-32s %6.4f %14.1f %14.1f %9.4f' % (row['contender'], row['ratio'], 1e6 / row['best'],
                                                       1e6 / row['median'], row['x_best']))


def print_tools(bench, rows, skipped, name):
    bench.say('\nCommand-line tools, whole file, one run after the other: %s, %.1f MB' %
              (name, rows[0]['bytes'] / 1e6))
    bench.say('%-20s %-10s %11s %7s | %9s %9s | %9s %9s' % (
        'tool', 'version', 'bytes', 'ratio', 'pack s', 'MiB', 'unpack s', 'MiB'))
    for row in rows:
        bench.say('%-20s %-10s %11d %7.4f | %9.3f %9.1f | %9.3f %9.1f' % (
            row['tool'], row['version'], row['packed'], row['ratio'], row['compress_s'],
            row['compress_kib'] / 1024, row['decompress_s'], row['decompress_kib'] / 1024))
    if skipped:
        bench.say('skipped: ' + ', '.join(skipped))


# ---- settings ----

def whole(bench, dtype):
    buffer = bench.buffer(dtype)
    few = bench.effort.few_peers or dtype not in ('BF16', 'F32')
    specs = wcodec_specs(bench.codecs) + other_profiles(bench.codecs, dtype in ('BF16', 'F32'),
                                                           dtype in ('BF16', 'F32'))
    specs += (few_peers if few else all_peers)(dtype)
    rows = measure(bench, 'whole', buffer, specs, ('encode', 'decode'))
    print_speeds(bench, rows, '%s, %.0f MiB, one thread\n%s' % (dtype, len(buffer.data) / MIB, buffer.source))
    print_markdown(bench, rows, '%s, %.0f MiB, one thread, best of several rounds' % (dtype,
                                                                                      len(buffer.data) / MIB))


def cached(bench, dtype, threads):
    """Input and output of 1 MiB stay in the cache.  The tensors are from the middle of the model: its ends
    are often of another kind."""
    buffer = bench.buffer(dtype)
    small = weights.middle(buffer, MIB)
    specs = wcodec_specs(bench.codecs) + (other_profiles(bench.codecs, False, False) if dtype == 'BF16' else [])
    specs += [spec._replace(slow=False) for spec in block_peers()
              if dtype == 'BF16' and (threads == 1 or spec.codec in THREADED)]
    rows = measure(bench, 'cached', small, specs, ('decode',), 0, threads)
    print_speeds(bench, rows, '%s, %d KiB in the cache, in and out, %s' % (
        dtype, len(small.data) >> 10, thread_text(threads)))


THREADED = ('wcodec', 'blosc2', 'zipnn')


def thread_text(threads):
    return '%d thread%s' % (threads, 's'[threads < 2:])


def two_threads(bench, dtype):
    buffer = bench.buffer(dtype)
    specs = wcodec_specs(bench.codecs) + [spec for spec in block_peers() if spec.codec in THREADED]
    rows = measure(bench, 'whole', buffer, specs, ('encode', 'decode'), 0, 2)
    print_speeds(bench, rows, '%s, %.0f MiB, 2 threads, memcpy too\n%s' % (
        dtype, len(buffer.data) / MIB, buffer.source))


def window(bench, dtype):
    buffer = bench.buffer(dtype)
    rows = measure(bench, 'window', buffer, wcodec_specs(bench.codecs) + block_peers(), ('window',), MIB)
    print_speeds(bench, rows, '%s, %.0f MiB through a window of 1 MiB, one thread; peers pack each MiB by '
                 'itself' % (dtype, len(buffer.data) / MIB))


def single(bench, dtype):
    """A container of many tensors of one tile each: opening it, and reading one of them."""
    whole_buffer = bench.buffer(dtype)
    row = whole_buffer.width * whole_buffer.typesize
    rows = TENSOR_BYTES // row
    tensors = bench.effort.tensors
    need = tensors * rows * row
    data = numpy.tile(whole_buffer.data, -(-need // len(whole_buffer.data)))[:need].copy()
    buffer = weights.Buffer(dtype, whole_buffer.typesize, whole_buffer.source, data, [rows] * tensors,
                            [whole_buffer.width] * tensors, whole_buffer.unique)
    results = measure(bench, 'single', buffer, wcodec_specs(bench.codecs) + block_peers(), ('random',),
                      rows * row)
    print_pieces(bench, results, opening(bench, buffer, rows * row),
                 '%s, container of %d tensors of %d KiB, one tile each, one thread' % (
                     dtype, tensors, rows * row >> 10))


def opening(bench, buffer, block):
    lines = []
    for spec in wcodec_specs(bench.codecs, False):
        if not bench.wanted(spec):
            continue
        job = bench.job(spec, buffer, block, 1)
        samples = [job.seconds('reopen', 16) / 16 for _ in range(4 + bench.effort.rounds)][2:]
        best, median = min(samples), statistics.median(samples)
        lines.append((spec.label, best, median))
        bench.results.append({
            'dtype': buffer.dtype, 'setting': 'single', 'threads': 1, 'contender': spec.label,
            'codec': 'wcodec', 'version': bench.versions['wcodec'][0], 'op': 'open', 'bytes': job.size,
            'packed': job.packed(), 'ratio': job.packed() / job.size, 'unit': 'opens/s', 'best': 1 / best,
            'median': 1 / median, 'rounds': len(samples), 'note': 'open and close'})
        job.close()
    return lines


def command_line(bench, folder):
    buffer = bench.buffer('BF16')
    quick = bench.effort.few_peers
    name = 'tiny-rwkv-7v0-834K.bf16.safetensors' if quick else 'whisper-base-encoder.bf16.safetensors'
    path, options, made = bench.args.file or os.path.join(DATA, name), [], None
    if not os.path.exists(path):
        made = path = os.path.join(folder, 'synthetic.bf16')
        buffer.data.tofile(path)
        options = ['--dtype', 'BF16', '--row', str(buffer.width)]
    rows, skipped = tools.measure(folder, path, options, bench.codecs.profiles(), 1 if quick else 3, 2.0)
    if rows:
        print_tools(bench, rows, skipped, os.path.basename(path))
        print_tools_markdown(bench, rows)
        write_csv(os.path.join(bench.args.out, 'tools.csv'), rows)
    if made:
        os.remove(made)


# ---- the run ----

def processor():
    try:
        with open('/proc/cpuinfo') as file:
            lines = [line.split(':', 1)[1].strip() for line in file if line.lower().startswith('model name')]
            return '%d x %s' % (len(lines), lines[0])
    except (OSError, IndexError):
        return '%d x %s' % (os.cpu_count(), platform.machine())


def print_contenders(bench):
    bench.say('%s; %s' % (processor(), native.compiler_text()))
    bench.say('kernels of wcodec here: ' + ', '.join(name for name, _ in bench.codecs.kernels()))
    there = ['%s %s' % (name, version) for name, (version, _) in bench.versions.items() if version]
    bench.say('contenders: ' + ', '.join(there))
    bench.say('profiles of wcodec: ' + ', '.join(bench.codecs.profiles()))
    for name, (version, package) in bench.versions.items():
        if not version:
            bench.say('skipped: %s is not installed (%s)' % (name, package))


def write_csv(path, rows):
    names = []
    for row in rows:
        names += [name for name in row if name not in names]
    with open(path, 'w', newline='') as file:
        writer = csv.DictWriter(file, names, lineterminator='\n')
        writer.writeheader()
        for row in rows:
            writer.writerow({name: '%.6g' % value if isinstance(value, float) else value
                             for name, value in row.items()})


def draw(bench):
    try:
        import plot
    except ImportError:
        bench.say('skipped: no plot without matplotlib')
        return
    plot.draw(bench.results, os.path.join(bench.args.out, 'bench.svg'), processor())


def options():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--quick', action='store_true', help='small buffers, few peers: about a minute')
    parser.add_argument('--only', type=lambda text: text.split(','), help='contenders whose names hold one of'
                        ' these, separated by commas')
    parser.add_argument('--dtype', type=lambda text: text.split(','), default=list(native.DTYPES))
    parser.add_argument('--setting', type=lambda text: text.split(','), default=list(SETTINGS),
                        help='of ' + ', '.join(SETTINGS))
    parser.add_argument('--file', help='weights to take instead; with one --dtype')
    parser.add_argument('--row', type=int, default=1024, help='elements a row, where FILE is not safetensors')
    parser.add_argument('--size', type=int, help='MiB a buffer (64)')
    parser.add_argument('--build', default=os.path.join(native.ROOT, 'build', 'bench'))
    parser.add_argument('--out', help='where tables, CSV and plot go (default: the build folder)')
    args = parser.parse_args()
    args.out = args.out or args.build
    unknown = [name for name in args.dtype if name not in native.DTYPES]
    if unknown or [name for name in args.setting if name not in SETTINGS]:
        parser.error('unknown dtype or setting')
    if args.file and len(args.dtype) != 1:
        parser.error('--file needs one --dtype')
    return args


SETTINGS = ('whole', 'cached', 'window', 'single', 'threads', 'tools')


def settings(bench, dtype):
    on = bench.args.setting
    main_one = dtype == 'BF16' or len(bench.args.dtype) == 1
    if 'whole' in on:
        whole(bench, dtype)
    if 'cached' in on:
        cached(bench, dtype, 1)
    if 'window' in on and main_one:
        window(bench, dtype)
    if 'single' in on and main_one:
        single(bench, dtype)
    if 'threads' in on and main_one:
        cached(bench, dtype, 2)
        two_threads(bench, dtype)


def main():
    args = options()
    effort = Effort(64 * MIB, 8 * MIB, 7, 2, 1.0, 1000, False)
    if args.quick:
        effort = Effort(8 * MIB, 1 * MIB, 3, 2, 0.2, 250, True)
    if args.size:
        effort = effort._replace(size=args.size * MIB)
    os.makedirs(args.out, exist_ok=True)
    start = time.time()
    zipnn_peer.keep_pages()
    bench = Bench(args, effort, args.build)
    print_contenders(bench)
    for dtype in args.dtype:
        settings(bench, dtype)
    if 'tools' in args.setting:
        command_line(bench, args.build)
    write_csv(os.path.join(args.out, 'bench.csv'), bench.results)
    draw(bench)
    for line in bench.failed:
        bench.say('left out: ' + line)
    bench.say('\n%.0f s; bench.txt, bench.csv, tools.csv and bench.svg are in %s' % (
        time.time() - start, os.path.relpath(args.out)))
    if any('WRONG' in line for line in bench.failed):
        sys.exit(1)


if __name__ == '__main__':
    main()
