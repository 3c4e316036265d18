#!/usr/bin/env python3
"""The format by its text: the decoder and the encoder in Python, which share no code with the library or with
each other, against the golden containers, the hex dump in the specification, and the built command.

    python3 tests/test_ref.py [unittest's arguments]

WCODEC_BIN names the command (default: build/wcodec); without it the tests that need it are skipped.
The last line is "N passed, N failed"."""
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, HERE)

import make_golden      # noqa: E402
import refdecode        # noqa: E402

BIN = os.environ.get('WCODEC_BIN') or os.path.join(ROOT, 'build', 'wcodec')
GOLDEN = make_golden.present()


def golden(folder):
    """(name, container) of each container in a folder of tests/golden."""
    for path in sorted(GOLDEN):
        if path.startswith(folder + '/') and path.endswith('.wcodec'):
            yield path[len(folder) + 1:-7], GOLDEN[path]


def golden_originals(folder, name):
    stem = '%s/%s' % (folder, name)
    if stem + '.bin' in GOLDEN:
        return [GOLDEN[stem + '.bin']]
    found = []
    while '%s.%d.bin' % (stem, len(found)) in GOLDEN:
        found.append(GOLDEN['%s.%d.bin' % (stem, len(found))])
    return found


def outcome(decode, data):
    """(status in lower case, originals): 'ok' and the list, or the error's and None."""
    try:
        result = decode(data, GOLDEN['base.bin'])
    except refdecode.FormatError as e:
        return e.status.lower(), None
    originals = result[0] if isinstance(result, tuple) else result
    return 'ok', [original.data for original in originals]


def each_golden(folder):
    """A class decorator: makes check(self, name, container) a test for each container of a folder."""
    def decorate(cls):
        for name, data in golden(folder):
            def test(self, name=name, data=data):
                self.check(name, data)
            setattr(cls, 'test_' + re.sub(r'\W', '_', name), test)
        return cls
    return decorate


# -- The decoder against the golden containers ---------------------------------------------------------

class GoldenFolder(unittest.TestCase):
    def test_is_what_make_golden_builds(self):
        built = make_golden.build()
        wrong = sorted(path for path in set(built) | set(GOLDEN) if built.get(path) != GOLDEN.get(path))
        self.assertEqual(wrong, [], 'run tests/make_golden.py')

    def test_has_every_folder(self):
        for folder in 'good', 'bad', 'bad_stream', 'bad_both':
            self.assertTrue(list(golden(folder)), folder)

    def test_is_small(self):
        self.assertLess(sum(map(len, GOLDEN.values())), 1500000)


@each_golden('good')
class Good(unittest.TestCase):
    def check(self, name, data):
        expected = golden_originals('good', name)
        self.assertEqual(outcome(refdecode.decode_container, data), ('ok', expected))


@each_golden('bad')
class Bad(unittest.TestCase):
    def check(self, name, data):
        status = name.rsplit('.', 1)[1]
        self.assertEqual(outcome(refdecode.decode_random, data)[0], status)
        self.assertEqual(outcome(refdecode.decode_container, data)[0], status)
        in_order = outcome(refdecode.decode_sequential, data)[0]
        self.assertIn(in_order, (status, 'ok') if name.startswith('index-') else (status,))


@each_golden('bad_stream')
class BadStream(unittest.TestCase):
    def check(self, name, data):
        self.assertEqual(outcome(refdecode.decode_sequential, data)[0], name.rsplit('.', 1)[1])
        self.assertNotEqual(outcome(refdecode.decode_container, data)[0], 'ok')
        status, originals = outcome(refdecode.decode_random, data)
        if status == 'ok':
            self.assertEqual(originals, golden_originals('bad_stream', name))


@each_golden('bad_both')
class BadBoth(unittest.TestCase):
    def check(self, name, data):
        self.assertEqual(outcome(refdecode.decode_random, data)[0], 'ok')
        self.assertEqual(outcome(refdecode.decode_sequential, data)[0], 'ok')
        self.assertEqual(outcome(refdecode.decode_container, data)[0], name.rsplit('.', 1)[1])


class Flips(unittest.TestCase):
    """Every byte of a container is under some checksum or rule."""

    def each_bit(self, name):
        data = GOLDEN['good/%s.wcodec' % name]
        for i in range(8 * len(data)):
            changed = bytearray(data)
            changed[i // 8] ^= 1 << i % 8
            self.assertNotEqual(outcome(refdecode.decode_container, bytes(changed))[0], 'ok', 'bit %d' % i)

    def each_length(self, name):
        data = GOLDEN['good/%s.wcodec' % name]
        for size in range(len(data)):
            self.assertEqual(outcome(refdecode.decode_sequential, data[:size])[0], 'truncated', size)
            self.assertEqual(outcome(refdecode.decode_random, data[:size])[0], 'truncated', size)

    def test_each_bit_of_the_example(self):
        self.each_bit('example')

    def test_each_length_of_the_example(self):
        self.each_length('example')

    def test_each_bit_of_one_with_scales(self):
        self.each_bit('scales-n1-classes')

    def test_each_length_of_one_with_scales(self):
        self.each_length('scales-n1-classes')


class Coders(unittest.TestCase):
    """Widths that no split of version 1 has."""

    def check(self, coder, values, w, **how):
        number, encode = make_golden.CODERS[coder]
        payload = encode(values, w, **how)
        cursor = refdecode.Cursor(payload, 0, len(payload))
        self.assertEqual(list(refdecode.decode_plane(cursor, len(values), w, number)), values)

    def test_all_widths(self):
        for w in range(1, 9):
            for n in 1, 63, 64, 65, 300:
                values = [x & (1 << w) - 1 for x in make_golden.randoms(w * n, n)]
                self.check('raw', values, w)
                self.check('sparse', values, w, c=values[0] ^ 1)
                self.check('huffman', values, w, s=n % 6)
                self.check('rans16', values, w, k=n % 3)
                self.check('rans256', values, w)

    def test_classes_of_all_widths(self):
        for w in range(1, 9):
            for n in 1, 63, 64, 65, 300:
                values = [x & (1 << w) - 1 for x in make_golden.randoms(w * n, n)]
                q, first = make_golden.randoms(n, n), [x & 15 for x in make_golden.randoms(n + 1, n)]
                for source in 0, 1:
                    payload = make_golden.classes16(values, w, q=q, first=(4, first), source=source,
                                                    chosen=source * 0x1B93C6D2, k=n % 3, top=8)
                    cursor = refdecode.Cursor(payload, 0, len(payload))
                    self.assertEqual(list(refdecode.decode_plane(cursor, n, w, refdecode.CLASSES, q, (4, first))),
                                     values)

    def test_a_value_too_wide(self):
        for w in range(1, 8):
            for coder in 'constant', 'sparse', 'huffman', 'rans16', 'rans256':
                with self.assertRaises(refdecode.FormatError):
                    self.check(coder, [1 << w] * 70, w)


class Command(unittest.TestCase):
    def refdecode(self, *args):
        return subprocess.run([sys.executable, '-B', os.path.join(HERE, 'refdecode.py'), *args],
                              capture_output=True, text=True)

    def path(self, name):
        return os.path.join(HERE, 'golden', *name.split('/'))

    def test_writes_the_original(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, 'out')
            done = self.refdecode(self.path('good/example.wcodec'), out)
            self.assertEqual((done.returncode, done.stderr), (0, ''))
            with open(out, 'rb') as f:
                self.assertEqual(f.read(), GOLDEN['good/example.bin'])

    def test_writes_several_into_a_directory(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.refdecode(self.path('good/originals.wcodec'), folder)
            self.assertEqual((done.returncode, done.stderr), (0, ''))
            for i, name in enumerate(['a', 'empty', 'b']):
                with open(os.path.join(folder, name), 'rb') as f:
                    self.assertEqual(f.read(), GOLDEN['good/originals.%d.bin' % i])
            self.assertEqual(self.refdecode(self.path('good/originals.wcodec'), folder + '/no').returncode, 1)

    def test_reports_one_line(self):
        done = self.refdecode(self.path('bad/tile-crc.checksum.wcodec'))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r'^error: CHECKSUM: offset 52: [^\n]+\n$')

    def test_prints_one_line(self):
        done = self.refdecode(self.path('good/example.wcodec'))
        self.assertEqual((done.returncode, done.stdout.count('\n')), (0, 1))

    def test_refuses_unsafe_names(self):
        for name in b'../x', b'/x', b'..', b'', b'a\nb', b'c:\\x':
            with self.assertRaises(OSError):
                refdecode.safe_name(name)


class HexDump(unittest.TestCase):
    """The complete container at the end of the specification."""

    def check(self, *path):
        with open(os.path.join(ROOT, *path), encoding='utf-8') as f:
            text = f.read()
        lines = text[text.index('12. A complete container'):].split('*/')[0].splitlines()
        data = bytearray()
        for line in lines:
            match = re.match(r'([0-9a-f]{4})  ((?:[0-9a-f]{2} )*[0-9a-f]{2})   *\S', line.strip(' *'))
            if match:
                self.assertEqual(int(match[1], 16), len(data), line)
                data += bytes.fromhex(match[2])
        self.assertLessEqual(max(map(len, lines)), 100)
        self.assertEqual(bytes(data), GOLDEN['good/example.wcodec'])
        original, = refdecode.decode_container(bytes(data))
        self.assertEqual(original.data, GOLDEN['good/example.bin'])
        self.assertEqual([(s.name, s.dtype, s.size, s.row) for s in original.segments],
                         [(b'', 0, 72, 1), (b'w', 15, 48, 6)])

    def test_in_the_part(self):
        self.check('amalgamate', 'parts', '25_example.txt')

    def test_in_the_header(self):
        self.check('wcodec.h')


# -- The built command against the decoder -------------------------------------------------------------

SHAPES = {'gauss': (23, 60), 'constant': (900,), 'random': (5, 7, 20), 'sparse': (2, 500), 'ramp': (40, 33)}


def bell(r):
    """Near enough to a normal distribution of deviation 1."""
    return (sum(r.below(1 << 20) for _ in range(12)) - (6 << 20)) / (1 << 20)


def element(r, dtype, bits, kind, i):
    """One element, as a number of `bits` bits."""
    if kind == 'constant':
        return 0x5A5A3C3C5A5A3C3C >> 64 - bits
    if kind == 'random':
        return r.u64() >> 64 - bits
    if kind == 'sparse':
        return r.u64() >> 64 - bits if r.below(40) == 0 else 0
    x = bell(r) * 0.02 if kind == 'gauss' else i * 0.001
    if dtype in ('F64', 'F32', 'F16'):
        return int.from_bytes(struct.pack({'F64': '<d', 'F32': '<f', 'F16': '<e'}[dtype], x), 'little')
    if dtype == 'BF16':
        return struct.unpack('<I', struct.pack('<f', x))[0] >> 16
    if dtype == 'C64':
        return int.from_bytes(struct.pack('<ff', x, -x), 'little')
    return int(x * (1 << min(bits, 20)) * (8 if kind == 'gauss' else 1)) % (1 << bits)


def tensor_bytes(r, dtype, bits, kind, shape):
    n = 1
    for d in shape:
        n *= d
    whole = 0
    values = [element(r, dtype, bits, kind, i) for i in range(n)]
    if bits % 8 == 0:
        return b''.join(v.to_bytes(bits // 8, 'little') for v in values)
    for i, v in enumerate(values):
        whole |= v << i * bits
    return whole.to_bytes((n * bits + 7) // 8, 'little')


def safetensors(dtype):
    """A file with one tensor of a dtype for each kind of data."""
    _, bits, _ = make_golden.DTYPES[dtype]
    r = make_golden.Random(len(dtype) + bits)
    head, body = {'__metadata__': {'format': 'pt'}}, b''
    for kind, shape in SHAPES.items():
        data = tensor_bytes(r, dtype, bits, kind, shape)
        head[kind] = {'dtype': dtype, 'shape': list(shape),
                      'data_offsets': [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(head).encode()
    text += b' ' * (-len(text) % 8)
    return struct.pack('<Q', len(text)) + text + body


class Built(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not os.path.exists(BIN):
            raise unittest.SkipTest('there is no %s' % (os.environ.get('WCODEC_BIN') or 'build/wcodec'))
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = cls.temporary.name

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def file(self, name, data=None):
        path = os.path.join(self.folder, name)
        if data is not None:
            with open(path, 'wb') as f:
                f.write(data)
        return path

    def read(self, name):
        with open(os.path.join(self.folder, name), 'rb') as f:
            return f.read()

    def wcodec(self, *args, **how):
        return subprocess.run([BIN, *args], capture_output=True, **how)

    def fine(self, *args):
        done = self.wcodec(*args)
        self.assertEqual((done.returncode, done.stderr), (0, b''), args)


class Encoded(Built):
    """What the command encodes, refdecode.py decodes."""

    def check(self, data, *options):
        source, packed = self.file('in', data), self.file('packed')
        self.fine('encode', source, packed, '-f', '-q', *options)
        original, = refdecode.decode_container(self.read('packed'))
        self.assertTrue(original.data == data, 'the original differs: %s' % (options,))
        self.assertEqual(original.sha256, hashlib.sha256(data).digest())
        self.assertEqual(original.name, b'in')
        return original

    def check_dtype(self, dtype):
        data = safetensors(dtype)
        for options in [(), ('--coder', 'rans'), ('--coder', 'huffman'), ('--coder', 'raw'),
                        ('--tile', '1000'), ('--tile', '70'), ('--coder', 'huffman', '--tile', '300'),
                        ('--threads', '2'), ('--profile', 'best')]:
            original = self.check(data, *options)
            names = [segment.name.decode() for segment in original.segments]
            self.assertEqual([name for name in names if name in SHAPES], list(SHAPES))
            for segment in original.segments:
                if segment.name.decode() in SHAPES:
                    self.assertEqual(segment.dtype, make_golden.DTYPES[dtype][0])
                    self.assertEqual(tuple(segment.shape), SHAPES[segment.name.decode()])

    def test_awkward_files(self):
        text = b'The quick brown fox jumps over the lazy dog.\n' * 200
        ramp = bytes(i * i >> 3 & 255 for i in range(5000))
        for data in b'', b'x', b'\0' * 8, text, text[:1], ramp, make_golden.randoms(60, 3000), bytes(70000):
            for options in [(), ('--coder', 'rans'), ('--coder', 'huffman'), ('--coder', 'raw'),
                            ('--tile', '64')]:
                self.check(data, *options)

    def test_several_tiles(self):
        self.check(make_golden.units16(61, 40000))
        self.check(make_golden.units16(62, 40000), '--dtype', 'BF16', '--tile', '10000')

    def test_scales(self):
        rows, columns = 120, 90
        for dtype, pack in ('BF16', '<f'), ('F16', '<e'), ('F32', '<f'):
            r = make_golden.Random(64)
            down = [2.0 ** (r.below(50) / 10) for _ in range(rows)]
            across = [2.0 ** (r.below(50) / 10) for _ in range(columns)]
            data = b''.join(struct.pack(pack, bell(r) * 0.001 * a * b)[2 if dtype == 'BF16' else 0:]
                            for a in down for b in across)
            for options in [], ['--tile', '4500'], ['--tile', '4500', '--threads', '2'], ['--tile', '80']:
                segment, = self.check(data, '--dtype', dtype, '--row', str(columns), *options).segments
                packed = self.read('packed')
                flags = [packed[refdecode.read_record(packed, offset).body + 1] for offset, _, _ in segment.tiles]
                self.assertEqual(max(flags) >> 7, int('80' not in options))
                expected = (0, 0) if '80' in options else (columns, 1)
                self.assertEqual((segment.columns, len(segment.groups)), expected)

    def test_bodies_where_their_size_takes_another_byte(self):
        """The padding before a payload depends on the size of the body's size, and the other way round."""
        noise = make_golden.randoms(63, 16600)
        for n in list(range(100, 135)) + list(range(16345, 16400)):
            self.check(noise[:n], '--coder', 'raw')
        for n in range(16340, 16400, 3):
            self.check(noise[:n] + noise[:40], '--tile', str(n))

    def test_dtypes_are_those_of_safetensors(self):
        self.assertEqual(len(SAFETENSORS), 22)


SAFETENSORS = [dtype for dtype in make_golden.DTYPES if dtype not in ('BYTES', 'I4', 'U4')]
for one in SAFETENSORS:
    setattr(Encoded, 'test_' + one, lambda self, dtype=one: self.check_dtype(dtype))


@each_golden('good')
class BuiltGood(Built):
    def check(self, name, data):
        source = self.file('golden', data)
        base = '--base', self.file('base.bin', GOLDEN['base.bin'])
        self.fine('verify', source, *base)
        expected = golden_originals('good', name)
        if len(expected) == 1 and not name.startswith('from-parts'):
            self.fine('decode', source, self.file('out'), '-f', '-q', *base)
            self.assertEqual(self.read('out'), expected[0])


class BuiltBad(Built):
    """Nothing broken is decoded, and nothing is left behind."""

    def refused(self, args, **how):
        out = self.file('refused')
        done = self.wcodec(*args, out, '-q', '--base', self.file('base.bin', GOLDEN['base.bin']), **how)
        self.assertEqual(done.returncode, 1, args)
        self.assertEqual(done.stderr.count(b'\n'), 1, done.stderr)
        self.assertFalse(os.path.exists(out), args)

    def test_by_the_index(self):
        for name, data in golden('bad'):
            if not name.startswith('index-sha'):        # which verify compares, but decode does not
                self.refused(['decode', self.file(name, data)])

    def test_in_order(self):
        for name, data in list(golden('bad')) + list(golden('bad_stream')):
            if not name.startswith('index-'):
                self.refused(['decode', '-'], input=data)

    def test_verify(self):
        for folder in 'bad', 'bad_stream':
            for name, data in golden(folder):
                base = self.file('base.bin', GOLDEN['base.bin'])
                done = self.wcodec('verify', self.file(name, data), '--base', base)
                self.assertEqual(done.returncode, 1, name)


# -- The sum -------------------------------------------------------------------------------------------

class Result(unittest.TextTestResult):
    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def main():
    runner = unittest.TextTestRunner(stream=sys.stdout, resultclass=Result)
    result = unittest.main(exit=False, testRunner=runner).result
    failed = len({test.id() for test, _ in result.failures + result.errors})
    for reason in sorted({reason for _, reason in result.skipped}):
        print('skipped: the tests of the built command: %s' % reason)
    skipped = ', %d skipped' % len(result.skipped) if result.skipped else ''
    print('%d passed, %d failed%s' % (result.passed, failed, skipped))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
