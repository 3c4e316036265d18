"""Command-line tools on a whole file: seconds and peak memory, beside the wcodec command."""
import os
import shutil
import subprocess
import tempfile

import native

WCODEC = os.environ.get('WCODEC_BIN') or os.path.join(native.ROOT, 'build', 'wcodec')
# name, compressing, decompressing: from standard input to standard output.
TOOLS = [(name + ' ' + level, [name, level, '-c'], [name, '-dc'])
         for name, level in (('gzip', '-1'), ('gzip', '-9'), ('bzip2', '-9'), ('xz', '-6'), ('zstd', '-1'),
                             ('zstd', '-3'), ('zstd', '-19'))]
PACKAGES = {'gzip': 'gzip', 'bzip2': 'bzip2', 'xz': 'xz-utils', 'zstd': 'zstd', 'wcodec': 'make'}


def wcodec_tools(options, profiles):
    return [('wcodec%s, %d thread%s' % ('' if profile == 'fast' else ' ' + profile, n, 's'[n < 2:]),
             [WCODEC, 'encode', '-', '-', '--profile', profile, '--threads', str(n), '-q'] + options,
             [WCODEC, 'decode', '-', '-', '--threads', str(n), '-q'])
            for profile in profiles for n in ((1, 2) if profile == 'fast' else (2,))]


def run(runstat, source, result, command):
    """(seconds, KiB) of the command from one file to the other."""
    done = subprocess.run([runstat, source, result] + command, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    if done.returncode:
        return None
    seconds, memory = done.stdout.split()
    return float(seconds), int(memory)


def same(a, b):
    with open(a, 'rb') as x, open(b, 'rb') as y:
        while True:
            p, q = x.read(1 << 20), y.read(1 << 20)
            if p != q:
                return False
            if not p:
                return True


def version(tool):
    text = subprocess.run([tool, '--version'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL).stdout.decode(errors='replace')
    for word in text.replace(',', ' ').split():
        if word.lstrip('v')[:1].isdigit() and '.' in word:
            return word.lstrip('v')
    return ''


def measure(folder, path, options, profiles, fast_rounds, slow_after):
    """A row for each tool; the quicker ones in several rounds, of which the best counts."""
    runstat = os.path.join(folder, 'runstat')
    size = os.path.getsize(path)
    rows, skipped = [], []
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        packed, back = os.path.join(temporary, 'packed'), os.path.join(temporary, 'back')
        for name, compress, decompress in TOOLS + wcodec_tools(options, profiles):
            if not shutil.which(compress[0]):
                program = name.split()[0].strip(',')
                skipped.append('%s (%s)' % (name, PACKAGES[program]))
                continue
            best = [None, None]
            for _ in range(fast_rounds):
                steps = (run(runstat, path, packed, compress), run(runstat, packed, back, decompress))
                if None in steps or not same(path, back):
                    best = None
                    break
                best = [min(filter(None, pair)) for pair in zip(best, steps)]
                if steps[0][0] > slow_after:
                    break
            if best is None:
                skipped.append(name + ' (failed)')
                continue
            rows.append({'tool': name, 'version': version(compress[0]), 'bytes': size,
                         'packed': os.path.getsize(packed), 'ratio': os.path.getsize(packed) / size,
                         'compress_s': best[0][0], 'compress_kib': best[0][1],
                         'decompress_s': best[1][0], 'decompress_kib': best[1][1]})
    return rows, skipped
