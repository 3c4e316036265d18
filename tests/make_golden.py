#!/usr/bin/env python3
"""Builds tests/golden/: small containers that a reader of format version 1 must accept, and broken ones.

Like refdecode.py it is written from the specification in wcodec.h alone, and shares no code with it or
with the C library.  Nothing here is chosen for size: the aim is to use every way of saying things that
the format has, above all those that the C encoder never takes, and to break one rule a file.

    python3 make_golden.py          writes the files
    python3 make_golden.py --check  compares them with what is there; exit 1 if they differ

    good/NAME.wcodec          with NAME.bin, the original (several: NAME.0.bin, NAME.1.bin, ...)
    bad/NAME.STATUS.wcodec    a reader that goes by the index and reads everything gives STATUS; one that
                              takes the records in order gives it too, or, if NAME begins with index-, may
                              come to the end without noticing
    bad_stream/NAME.STATUS.wcodec   one that takes the records in order gives STATUS; one that goes by the
                              index gives an error or the originals, which lie beside as in good/
    bad_both/NAME.STATUS.wcodec     only who compares the index with the records can notice
"""
import hashlib
import heapq
import os
import struct
import sys
import zlib

import golden_mix

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, 'golden')


# -- Test data -----------------------------------------------------------------------------------------

class Random:
    """SplitMix64: the same numbers in every version of Python."""

    def __init__(self, seed):
        self.x = seed

    def u64(self):
        self.x = (self.x + 0x9E3779B97F4A7C15) & (1 << 64) - 1
        z = self.x
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
        z = (z ^ z >> 27) * 0x94D049BB133111EB & (1 << 64) - 1
        return z ^ z >> 31

    def below(self, n):
        return self.u64() % n

    def bytes(self, n):
        return bytes(self.below(256) for _ in range(n))

    def bell(self, n, middle=128, spread=6):
        """Bytes around `middle`, most of them close to it."""
        return bytes((middle + sum(self.below(2 * spread + 1) - spread for _ in range(4)) // 2) % 256
                     for _ in range(n))


def randoms(seed, n):
    return Random(seed).bytes(n)


def bells(seed, n, middle=128, spread=6):
    return Random(seed).bell(n, middle, spread)


# -- 1. Numbers, and fields that a bad file may replace ------------------------------------------------

def u16(v):
    return struct.pack('<H', v)


def u24(v):
    return struct.pack('<I', v)[:3]


def u32(v):
    return struct.pack('<I', v)


def u64(v):
    return struct.pack('<Q', v)


def varint(v, size=0):
    """The shortest form, or a longer one of `size` bytes, which no reader may take."""
    out = bytearray()
    while v >= 128 or len(out) + 1 < size:
        out.append(v & 127 | 128)
        v >>= 7
    out.append(v)
    return bytes(out)


class Fields:
    """Named pieces of bytes in order.  `edit` replaces some: name -> bytes, or a function of the bytes."""

    def __init__(self, edit=None):
        self.edit = dict(edit or {})
        self.pieces = []

    def add(self, name, value):
        change = self.edit.pop(name, None)
        if change is not None:
            changed = change(value) if callable(change) else change
            assert changed != value or not callable(change), 'no change: %s' % name
            value = changed
        self.pieces.append(value)
        return value

    def bytes(self):
        assert not self.edit, 'no such field: %s' % list(self.edit)
        return b''.join(self.pieces)


def pad8(size):
    return bytes(-size % 8)


# -- 9. Coders: values, width -> payload ---------------------------------------------------------------

def raw(values, w, edit=None):
    out = bytearray()
    if w == 8:
        out += bytes(values)
    else:
        for start in range(0, len(values), 64):
            group = list(values[start:start + 64])
            group += [0] * (64 - len(group))
            shift = w
            for part in (4, 2, 1):
                if not w & part:
                    continue
                shift -= part
                places = {4: (0, 32), 2: (0, 16, 32, 48), 1: (0, 8, 16, 24, 32, 40, 48, 56)}[part]
                for j in range(8 * part):
                    byte = 0
                    for k, place in enumerate(places):
                        byte |= (group[j + place] >> shift & (1 << part) - 1) << k * part
                    out.append(byte)
    f = Fields(edit)
    f.add('all', bytes(out))
    return f.bytes()


def packed(values, w, least=None, bits=None, edit=None):
    least = min(values) if least is None else least
    bits = max(1, (max(values) - least).bit_length()) if bits is None else bits
    f = Fields(edit)
    f.add('least', bytes([least]))
    f.add('bits', bytes([bits]))
    f.add('all', raw([v - least for v in values], bits))
    return f.bytes()


def constant(values, w, edit=None):
    f = Fields(edit)
    f.add('value', bytes([values[0]]))
    return f.bytes()


def sparse(values, w, c=0, places=(), edit=None):
    """`places`: further places to write as exceptions although they hold the common value."""
    exceptions = [i for i, v in enumerate(values) if v != c or i in places]
    gaps, p = bytearray(), 0
    for i in exceptions:
        gap = i - p
        gaps += b'\xff' * (gap // 255) + bytes([gap % 255])
        p = i + 1
    f = Fields(edit)
    f.add('c', bytes([c]))
    f.add('k', varint(len(exceptions)))
    f.add('gaps', bytes(gaps))
    f.add('values', bytes(values[i] for i in exceptions))
    return f.bytes()


def nibbles(values):
    values = list(values) + [0] * (len(values) % 2)
    return bytes(lo | hi << 4 for lo, hi in zip(values[::2], values[1::2]))


def run_lengths(lengths, runs=True):
    """Lengths as nibbles: 14 repeats the one before, 15 stands for zeros."""
    out, i = [], 0
    while i < len(lengths):
        same = 1
        while i + same < len(lengths) and lengths[i + same] == lengths[i]:
            same += 1
        same = min(same, 18)
        if runs and same >= 3 and lengths[i] == 0:
            out += [15, same - 3]
        elif runs and same >= 3 and i and lengths[i - 1] == lengths[i]:
            out += [14, same - 3]
        else:
            out.append(lengths[i])
            same = 1
        i += same
    return out


def huffman_lengths(values, limit=11):
    """Code lengths by Huffman's algorithm; counts are evened out until none is above `limit`."""
    counts = {v: list(values).count(v) for v in sorted(set(values))}
    if len(counts) == 1:                            # a code needs two values
        counts[min(counts) ^ 1] = 1
    while True:
        heap = [(count, v, [v]) for v, count in sorted(counts.items())]
        lengths = dict.fromkeys(counts, 0)
        heapq.heapify(heap)
        while len(heap) > 1:
            (a, i, x), (b, _, y) = heapq.heappop(heap), heapq.heappop(heap)
            for v in x + y:
                lengths[v] += 1
            heapq.heappush(heap, (a + b, i, x + y))
        if max(lengths.values()) <= limit:
            return lengths
        counts = {v: count // 2 + 1 for v, count in counts.items()}


def canonical(lengths):
    """value -> its code as a string of bits, first bit first."""
    codes, code = {}, 0
    for length in range(1, 12):
        for v in sorted(v for v in lengths if lengths[v] == length):
            codes[v] = format(code, '0%db' % length)
            code += 1
        code <<= 1
    return codes


def bits_to_bytes(bits):
    """A string of bits, filled in from bit 0 of each byte up."""
    bits += '0' * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8][::-1], 2) for i in range(0, len(bits), 8))


def huffman(values, w, s=0, lengths=None, span=None, runs=True, coded=None, edit=None):
    """`lengths`: value -> length.  `span`: first and last, if wider than needed.  `coded`: the nibbles."""
    lengths = lengths or huffman_lengths(values)
    first, last = span or (min(lengths), max(lengths))
    codes = canonical(lengths)
    streams = [bits_to_bytes(''.join(codes[v] for v in values[k::1 << s])) for k in range(1 << s)]
    f = Fields(edit)
    f.add('s', bytes([s]))
    f.add('first', bytes([first]))
    f.add('last', bytes([last]))
    f.add('lengths', nibbles(coded or run_lengths([lengths.get(v, 0) for v in range(first, last + 1)], runs)))
    for k, stream in enumerate(streams[:-1]):
        f.add('size%d' % k, varint(len(stream)))
    for k, stream in enumerate(streams):
        f.add('stream%d' % k, stream)
    return f.bytes()


def share(counts, total):
    """Frequencies in proportion to the counts, at least 1 each, that sum to `total`; no value gets it all,
    which the format cannot say."""
    if len(counts) == 1:
        only, = counts
        counts = {only: total - 1, only ^ 1: 1}
    n = sum(counts.values())
    freq = {v: max(1, count * total // n) for v, count in counts.items()}
    while sum(freq.values()) != total:
        largest = max(freq, key=lambda v: (freq[v], v))
        freq[largest] += 1 if sum(freq.values()) < total else -1
    return freq


def count(values):
    return {v: list(values).count(v) for v in sorted(set(values))}


def alias_slots(freq):
    """slots[s][k]: the slot that belongs to symbol s with rank k."""
    rem, div, other, open_ = list(freq), [16] * 16, list(range(16)), list(range(16))
    while any(rem[s] < 16 for s in open_):
        i = min(s for s in open_ if rem[s] < 16)
        j = min(s for s in open_ if rem[s] > 16)
        div[i], other[i] = rem[i], j
        rem[j] -= 16 - rem[i]
        open_.remove(i)
    slots = [{} for _ in range(16)]
    for b in range(16):                             # first ranks: the symbols' own buckets
        for r in range(div[b]):
            slots[b][r] = 16 * b + r
    for b in range(16):                             # then their shares of others', in order
        for r in range(div[b], 16):
            slots[other[b]][len(slots[other[b]])] = 16 * b + r
    return slots


def rans16(values, w, symbols=None, top=16, k=0, places=(), stand=(), side=None, ends=None, cut=None,
           edit=None):
    """`symbols`: up to 16 of (value, frequency), a frequency 0 is an unused place; without them the `top`
    most frequent values have one.  A value that has none becomes an exception, and so do those at `places`;
    the symbols `stand` stand at exceptions, in turn.

    For bad payloads: `side` edits the fields of the exceptions; `ends`: lane -> the state that decoding ends with
    instead of 256; `cut`: where it ends."""
    if symbols is None:
        most = sorted(count(values).items(), key=lambda x: (-x[1], x[0]))[:top]
        symbols = list(share(dict(most), 256).items())
    value = [v for v, _ in symbols] + [0] * (16 - len(symbols))
    freq = [f for _, f in symbols] + [0] * (16 - len(symbols))
    e, exceptions, states, renorm = lanes16(values, bytes(len(values)), value, [freq], k, places, stand, side, ends)
    f = Fields(edit)
    f.add('freq', bytes(freq))
    f.add('value', bytes(value))
    f.add('E', u24(e))
    f.add('k', bytes([k]))
    f.add('exceptions', exceptions)
    f.add('states', states)
    f.add('renorm', renorm)
    return f.bytes()[:cut]


def lanes16(values, classes, value, freqs, k, places, stand, side, ends):
    """What follows the tables: the number of exceptions, they, states, renormalisation bytes."""
    known = [{v: s for s, (v, f) in reversed(list(enumerate(zip(value, freq)))) if f} for freq in freqs]
    stand = [stand or [freq.index(max(freq))] for freq in freqs]

    exceptions, symbol = Fields(side), []
    e = p = 0
    for i, (v, c) in enumerate(zip(values, classes)):
        if v in known[c] and i not in places:
            symbol.append(known[c][v])
        else:
            symbol.append(stand[c][e % len(stand[c])])
            exceptions.add('gap%d' % e, u16(i - p))
            exceptions.add('value%d' % e, bytes([v]))
            e, p = e + 1, i + 1
    exceptions.add('tail', b'')

    lanes = 64 << k
    state, out = [256] * lanes, bytearray()
    for lane, x in (ends or {}).items():
        state[lane] = x
    slots = [alias_slots(freq) for freq in freqs]
    for i in reversed(range(len(values))):
        s, c = symbol[i], classes[i]
        x = state[i % lanes]
        if x >= 256 * freqs[c][s]:                  # decoding this value takes in a byte
            out.append(x & 255)
            x >>= 8
        state[i % lanes] = x // freqs[c][s] << 8 | slots[c][s][x % freqs[c][s]]
    return (e, exceptions.bytes(), bytes(x >> 8 for x in state) + bytes(x & 255 for x in state),
            bytes(reversed(out)))


def contexts(values, q, first, base):
    """The contexts of section 9.6, source 1."""
    w, first = first or (8, bytes(len(values)))
    return [16 * (x & 3) + min((p - (x >> 2) - base) % (1 << w), 15)
            for p, x in zip(first, q if q is not None else bytes(len(values)))]


def classes16(values, w, q=None, first=None, source=0, chosen=0, base=0, value=None, freqs=None, top=16, k=0,
              places=(), stand=(), side=None, ends=None, cut=None, edit=None):
    """rANS-16 by classes.  `q` and `first`: what the classes come from, as `source` says; `chosen`: the map, of
    the first 16 contexts if it is below 2^32, and then the same for the others.
    `value`: the symbols' values; `freqs`: four lists of frequencies; the rest as for rans16."""
    if chosen < 1 << 32:
        chosen |= chosen << 32 | chosen << 64 | chosen << 96
    if source == 1:
        classes = [chosen >> 2 * context & 3 for context in contexts(values, q, first, base)]
    else:
        classes = [x & 3 for x in q] if q is not None else bytes(len(values))
    if value is None:
        value = [v for v, _ in sorted(count(values).items(), key=lambda x: (-x[1], x[0]))[:top]]
        if len(value) == 1:
            value.append(value[0] ^ 1)
    if freqs is None:
        freqs = []
        for c in range(4):
            mine = [v for v, of in zip(values, classes) if of == c]
            freq = share({v: 1 + 4 * mine.count(v) for v in value}, 256)
            freqs.append([freq[v] for v in value])
    value = list(value) + [0] * (16 - len(value))
    freqs = [list(freq) + [0] * (16 - len(freq)) for freq in freqs]
    e, exceptions, states, renorm = lanes16(values, classes, value, freqs, k, places, stand, side, ends)
    f = Fields(edit)
    f.add('source', bytes([source]))
    for c, freq in enumerate(freqs):
        f.add('freq%d' % c, bytes(freq))
    f.add('value', bytes(value))
    f.add('base', bytes([base]))
    f.add('map', chosen.to_bytes(16, 'little'))
    f.add('E', u24(e))
    f.add('k', bytes([k]))
    f.add('exceptions', exceptions)
    f.add('states', states)
    f.add('renorm', renorm)
    return f.bytes()[:cut]


def rans256(values, w, k=5, freq=None, span=None, runs=True, start=65536, edit=None):
    freq = freq or share(count(values), 4096)
    first, last = span or (min(freq), max(freq))
    if first == last:                               # two values are needed to say "first < last"
        first, last = (first, last + 1) if last < 255 else (first - 1, last)
    cum = {v: sum(freq[u] for u in freq if u < v) for v in freq}
    state, out = [start] * (1 << k), []
    for i in reversed(range(len(values))):
        v = values[i]
        x = state[i % len(state)]
        if x >= freq[v] << 20:                      # decoding this value takes in a word
            out.append(x & 65535)
            x >>= 16
        state[i % len(state)] = x // freq[v] << 12 | cum[v] + x % freq[v]
    spread = [freq.get(v, 0) for v in range(first, last + 1)]
    below = ''.join(format(x, 'b')[1:][::-1] for x in spread if x)
    f = Fields(edit)
    f.add('k', bytes([k]))
    f.add('first', bytes([first]))
    f.add('last', bytes([last]))
    f.add('lengths', nibbles(run_lengths([x.bit_length() for x in spread], runs)))
    f.add('bits', bits_to_bytes(below))
    f.add('states', struct.pack('<%dI' % len(state), *state))
    f.add('words', b''.join(u16(word) for word in reversed(out)))
    return f.bytes()


def lz_number(x, fine):
    """The symbol of a number and its extra bits, first bit first."""
    if x < 2 << fine:
        return x, ''
    extra = x.bit_length() - 1 - fine
    return (extra + 1 << fine) + (x >> extra) - (1 << fine), format(x & (1 << extra) - 1, '0%db' % extra)[::-1] \
        if extra else ''


def lz_steps(values, w):
    """A plain way through the values: the longest of the repeats that are not far, if it is worth anything."""
    steps, i = [], 0
    while i < len(values):
        length, distance = 0, 0
        for d in range(1, min(i, 4000) + 1):
            k = 0
            while i + k < len(values) and values[i + k] == values[i + k - d]:
                k += 1
            if k > length:
                length, distance = k, d
        if length >= 4:
            steps.append((length, distance))
            i += length
        else:
            steps.append(1)
            i += 1
    return steps


def lz(values, w, blocks=None, again=True, lengths=None, distances=None, span=None, alone=True, edit=None):
    """`blocks`: lists of steps: k for k literals, or (length, distance), or (length, distance, symbol).  again: the
    last distances are used.  lengths, distances: of the codes, by symbol.  span: first and last.  alone: one distance
    symbol has a code of no bits.  Fields of block k end in k."""
    f, at, recent = Fields(edit), 0, [1, 2, 4]
    for k, steps in enumerate(blocks or [lz_steps(values, w)]):
        stream, begin = [], at                      # of (which code, symbol) and strings of extra bits
        for step in steps:
            if not isinstance(step, tuple):
                stream += [(0, v) for v in values[at:at + step]]
                at += step
                continue
            length, distance = step[:2]
            y, extra = lz_number(length - 2, 2)
            stream += [(0, 256 + y), extra]
            symbol, extra = lz_number(distance - 1, 1)
            symbol += 3
            if len(step) > 2:
                symbol, extra = step[2], extra if step[2] > 2 else ''
            elif again and distance in recent:
                symbol, extra = recent.index(distance), ''
            if symbol < 3:
                recent.insert(0, recent.pop(symbol))
            else:
                recent = [distance] + recent[:2]
            stream += [(1, symbol), extra]
            at += length
        used = [[x[1] for x in stream if x and isinstance(x, tuple) and x[0] == which] for which in (0, 1)]
        main = lengths or huffman_lengths(used[0])
        far = distances or (used[1] and huffman_lengths(used[1]))
        one = alone and len(set(used[1])) == 1 and not distances
        codes = canonical(main), ({used[1][0]: ''} if one else canonical(far or {}))
        literals = [v for v in main if v < 256] or [0]
        first, last = span or (min(literals), max(literals))
        count = max([v - 255 for v in main if v > 255], default=0)
        f.add('m%d' % k, varint(at - begin))
        f.add('first%d' % k, bytes([first]))
        f.add('last%d' % k, bytes([last]))
        f.add('literals%d' % k, nibbles(run_lengths([main.get(v, 0) for v in range(first, last + 1)])))
        f.add('count%d' % k, bytes([count]))
        if count:
            f.add('lengths%d' % k, nibbles(run_lengths([main.get(256 + v, 0) for v in range(count)])))
            f.add('far%d' % k, bytes([128 + used[1][0] if one else max(far) + 1]))
            if not one:
                f.add('distances%d' % k, nibbles(run_lengths([far.get(v, 0) for v in range(max(far) + 1)])))
        f.add('stream%d' % k, bits_to_bytes(''.join(x if isinstance(x, str) else codes[x[0]][x[1]]
                                                    for x in stream)))
    assert at == len(values), (at, len(values))
    return f.bytes()


def mix(values, w, kind, row=None, first=None, cut=None, edit=None, **how):
    """`how`: the parameters of the kind; `cut`: where the payload ends."""
    f = Fields(edit)
    for name, value in golden_mix.pieces(values, w, kind, row, first and first[1], **how):
        f.add(name, value)
    return f.bytes()[:cut]


CODERS = {'raw': (0, raw), 'constant': (1, constant), 'sparse': (2, sparse), 'huffman': (3, huffman),
          'rans16': (4, rans16), 'rans256': (5, rans256), 'classes': (6, classes16),
          'mix': (7, mix), 'lz': (8, lz), 'packed': (9, packed)}
NONE, LEFT, UP, SCALE, BASE_XOR, BASE_DIFFERENCE = 0, 1, 2, 3, 4, 5


def P(coder='raw', predictor=NONE, **how):
    """How a plane is coded."""
    number, encode = CODERS[coder]

    def payload(values, w, q=None, first=None, row=None):
        if coder == 'classes':
            return encode(values, w, q=q, first=first, **how)
        if coder == 'mix':
            return encode(values, w, **{'row': row, 'first': first, **how})
        return encode(values, w, **how)
    return number, predictor, payload


# -- 6. Splits: each as the text writes it -------------------------------------------------------------

def byte_planes(x, unit):
    return [(8, x >> 8 * b & 255) for b in range(unit - 1, -1, -1)]


SPLITS = {
    'BYTE': (0, 1, lambda x, s: byte_planes(x, 1)),
    'WORD16': (1, 2, lambda x, s: byte_planes(x, 2)),
    'WORD32': (2, 4, lambda x, s: byte_planes(x, 4)),
    'WORD64': (3, 8, lambda x, s: byte_planes(x, 8)),
    'BF16': (4, 2, lambda x, s: [(8, x >> 7 & 255), (8, s << 7 | x & 127)]),
    'F16': (5, 2, lambda x, s: [(5, x >> 10 & 31), (3, s << 2 | x >> 8 & 3), (8, x & 255)]),
    'F32': (6, 4, lambda x, s: [(8, x >> 23 & 255), (8, s << 7 | x >> 16 & 127), (8, x >> 8 & 255),
                                (8, x & 255)]),
    'F64': (7, 8, lambda x, s: [(8, x >> 52 & 255), (8, s << 7 | (x >> 60 & 7) << 4 | x >> 48 & 15)]
            + byte_planes(x, 6)),
    'F8_E4M3': (8, 1, lambda x, s: [(4, x >> 3 & 15), (4, s << 3 | x & 7)]),
    'F8_E5M2': (9, 1, lambda x, s: [(5, x >> 2 & 31), (3, s << 2 | x & 3)]),
    'NIBBLES': (10, 1, lambda x, s: [(4, x >> 4), (4, x & 15)]),
    'BF16_4': (11, 2, lambda x, s: [(8, x >> 7 & 255), (4, x >> 3 & 15), (4, s << 3 | x & 7)]),
    'F16_4': (12, 2, lambda x, s: [(5, x >> 10 & 31), (4, x >> 6 & 15), (7, s << 6 | x & 63)]),
    'F32_4': (13, 4, lambda x, s: [(8, x >> 23 & 255), (4, x >> 19 & 15), (4, s << 3 | x >> 16 & 7),
                                   (8, x >> 8 & 255), (8, x & 255)]),
}

# Those with a table, whose units become indices.
TABLES = {
    'PALETTE16': (15, 2, None), 'PALETTE32': (16, 4, None), 'PALETTE64': (17, 8, None),
    'LINEAR_BF16': (18, 2, None), 'LINEAR_F16': (19, 2, None), 'LINEAR_F32': (20, 4, None),
}



# -- 7. Predictors -------------------------------------------------------------------------------------

def predict(values, predictor, row, bits, q=None):
    if predictor == SCALE and q is not None:
        before = [x >> 2 for x in q]
    elif predictor == LEFT:
        before = [0] + list(values[:-1])
    elif predictor == UP:
        row = min(row, len(values))
        before = [0] * row + list(values[:len(values) - row])
    else:
        before = [0] * len(values)
    return [(v - b) % (1 << bits) for v, b in zip(values, before)]


# -- 2.2 Records, 5. Tiles -----------------------------------------------------------------------------

def from_base(data, base, unit, predictor):
    """What units differ from the base's."""
    bias = int('80' * unit, 16)
    out = []
    for i in range(0, len(data), unit):
        v, b = (int.from_bytes(x[i:i + unit], 'little') for x in (data, base))
        out.append(v ^ b if predictor == BASE_XOR else (v - b + bias) % (1 << 8 * unit))
    return out


# The base of all containers that need one; it stands in base.bin.
BASE = randoms(77, 1500) + bytes(500) + randoms(78, 1000)


def record(kind, body, edit=None):
    f = Fields(edit)
    f.add('type', kind)
    f.add('body size', varint(len(body)))
    f.add('body', body)
    f.add('padding', pad8(sum(map(len, f.pieces))))
    return f.bytes()


def note(size=5, kind=b'n'):
    """An ancillary record."""
    return record(kind, randoms(size, size))


def split_of(name):
    return SPLITS[name] if name in SPLITS else TABLES[name]


def code_planes(data, split, planes, predictor, tile_row, q=None, prefix='', of_base=b'', indices=None):
    """The number of units, and for each plane its name, coder, predictor and payload.  `of_base`: the tile's bytes of
    the base, as many of them as there are.  `indices`: of splits with a table, from a table's units, their width."""
    _, unit, parts = split_of(split)
    units = [int.from_bytes(data[i:i + unit], 'little') for i in range(0, len(data), unit)]
    if predictor in (BASE_XOR, BASE_DIFFERENCE):
        residuals = from_base(data, of_base + bytes(len(data) - len(of_base)), unit, predictor)
    else:
        residuals = predict(units, predictor, tile_row, 8 * unit)
    if indices:
        columns = [indices(residuals)]
    else:
        columns = list(zip(*(parts(x, x >> 8 * unit - 1) for x in residuals)))
    planes = planes or [P()] * len(columns)
    assert len(planes) == len(columns)
    coded, first = [], None
    for i, ((coder, plane_predictor, encode), column) in enumerate(zip(planes, columns)):
        w, values = column[0][0], [v for _, v in column]
        residuals = predict(values, plane_predictor, tile_row, w, q)
        coded.append((prefix + '%d' % i, coder, plane_predictor, encode(residuals, w, q, first, tile_row)))
        first = first or (w, values)
    return len(units), coded


def D(width, split='BYTE', planes=None, predictor=NONE, row=None, number=None, flags=0):
    """A field of a block."""
    return width, split, planes, predictor, row, SPLITS[split][0] if number is None else number, flags


BLOCKS = 14


def code_fields(data, fields):
    """The fields' heads without what their planes say, and these planes."""
    block, at, out = sum(width for width, *_ in fields), 0, []
    for i, (width, split, planes, predictor, row, number, flags) in enumerate(fields):
        gathered = b''.join(data[b + at:b + at + width] for b in range(0, len(data), block))
        at += width
        _, coded = code_planes(gathered, split, planes, predictor, row, prefix='%d.' % i)
        head = bytes([number, predictor | (8 if row is not None else 0) | flags])
        out.append((head + (varint(row) if row is not None else b''), coded))
    return out


def tile(data, split='BYTE', planes=None, predictor=NONE, tile_row=None, kind=b'T', filler=0, scales=None,
         phase=0, rows=None, rows_plane=None, base_offset=0, base=None, fields=None, palette=None, linear=None,
         edit=None):
    """`rows`: the scales of the rows that the tile touches, coded by `rows_plane`; `scales`: of the columns.
    `base_offset`: of the tile's bytes in the base, which is `base` or BASE.
    `fields`: the tile is one of blocks, and these are their fields.
    `palette`: the units of a split of that name, as numbers; those that it lacks become index 0.
    `linear`: scales as bits of FP32, the bytes of each, units a scale, zero, width, and the indices."""
    number, q, indices = split_of(split)[0], None, None
    if palette is not None:
        w = max(1, (len(palette) - 1).bit_length())
        indices = lambda units: [(w, palette.index(x) if x in palette else 0) for x in units]   # noqa: E731
    elif linear is not None:
        indices = lambda _: [(linear[4], v) for v in linear[5]]                                 # noqa: E731
    if rows is not None:
        n = len(data) // SPLITS[split][1]
        at = range(phase, phase + n)
        q = [(rows[i // len(scales)] + scales[i % len(scales)]) % 256 for i in at]
    if fields:
        number, n, coded = BLOCKS, len(data), []
        heads = code_fields(data, fields)
    else:
        of_base = (BASE if base is None else base)[base_offset:base_offset + len(data)]
        n, coded = code_planes(data, split, planes, predictor, tile_row, q, of_base=of_base, indices=indices)
        heads = []
    if rows is not None:
        coder, plane_predictor, encode = rows_plane or P()
        residuals = predict(rows, plane_predictor, 1, 8, None)
        coded.insert(0, (' of rows', coder, plane_predictor, encode(residuals, 8)))
    flags = predictor | (8 if tile_row is not None else 0) | (128 if rows is not None else 0)

    # The padding before payloads depends on the size of the size of the body, so try, in the end with filler.
    for filler, before in [(x, y) for x in range(filler, 8) for y in range(2, 6)]:
        f = Fields(edit)
        f.add('type', kind)
        f.add('body size', bytes(before - 1))
        f.add('split', bytes([number]))
        f.add('flags', bytes([flags | filler << 4]))
        f.add('crc', u32(zlib.crc32(data)))
        f.add('n', varint(n))
        if tile_row is not None:
            f.add('row', varint(tile_row))
        if rows is not None:
            f.add('phase', varint(phase))
        if predictor in (BASE_XOR, BASE_DIFFERENCE):
            f.add('base offset', varint(base_offset))
        payloads = []
        table = None
        if palette is not None:
            f.add('count', varint(len(palette)))
            table = b''.join(x.to_bytes(split_of(split)[1], 'little') for x in palette)
        elif linear is not None:
            scales_of, size, run, zero, w, _ = linear
            f.add('form', bytes([w | size - 1 << 4]))
            f.add('zero', bytes([zero]))
            f.add('G', varint(run))
            table = b''.join(u32(s)[4 - size:] for s in scales_of)

        def add_planes(coded):
            for name, coder, plane_predictor, payload in coded:
                f.add('plane' + name, bytes([coder | plane_predictor << 5]))
                f.add('size' + name, varint(len(payload)))
                payloads.append((name, payload))

        if fields:
            f.add('fields', bytes([len(fields)]))
            f.add('widths', b''.join(varint(field[0]) for field in fields))
            for i, (head, field_planes) in enumerate(heads):
                f.add('field%d' % i, head)
                add_planes(field_planes)
        else:
            add_planes(coded)
        f.add('filler', bytes(filler))
        if table is not None:
            if len(table) >= 256:
                f.add('fill of table', pad8(before + sum(map(len, f.pieces[2:]))))
            f.add('table', table)
        for name, payload in payloads:
            if len(payload) >= 256:
                f.add('fill' + name, pad8(before + sum(map(len, f.pieces[2:]))))
            f.add('payload' + name, payload)
        f.add('tail', b'')
        body = b''.join(f.pieces[2:])
        if len(varint(len(body))) == before - 1 or 'body size' in (edit or {}):
            break
    else:
        raise ValueError('no record can hold this tile')
    if 'body size' not in (edit or {}):
        f.pieces[1] = varint(len(body))
    f.add('padding', pad8(sum(map(len, f.pieces))))
    return f.bytes()


def copy(data, distance, edit=None, record_edit=None):
    """An R record for a tile of these bytes."""
    f = Fields(edit)
    f.add('distance', varint(distance))
    f.add('size', varint(len(data)))
    f.add('crc', u32(zlib.crc32(data)))
    f.add('tail', b'')
    return record(b'R', f.bytes(), record_edit)


# -- 8. Dtypes -----------------------------------------------------------------------------------------

DTYPES = {name: (number, bits, unit) for number, (name, bits, unit) in enumerate([
    ('BYTES', 0, 1), ('BOOL', 8, 1), ('F4', 4, 1), ('F6_E2M3', 6, 1), ('F6_E3M2', 6, 1), ('U8', 8, 1),
    ('I8', 8, 1), ('F8_E5M2', 8, 1), ('F8_E4M3', 8, 1), ('F8_E8M0', 8, 1), ('F8_E4M3FNUZ', 8, 1),
    ('F8_E5M2FNUZ', 8, 1), ('I16', 16, 2), ('U16', 16, 2), ('F16', 16, 2), ('BF16', 16, 2), ('I32', 32, 4),
    ('U32', 32, 4), ('F32', 32, 4), ('C64', 64, 4), ('F64', 64, 8), ('I64', 64, 8), ('U64', 64, 8),
    ('I4', 4, 1), ('U4', 4, 1)])}
BLOCK_DTYPES = {                                    # name: number, elements and bytes a block
    'Q4_0': (66, 32, 18), 'Q4_1': (67, 32, 20), 'Q5_0': (70, 32, 22), 'Q5_1': (71, 32, 24), 'Q8_0': (72, 32, 34),
    'Q8_1': (73, 32, 36), 'Q2_K': (74, 256, 84), 'Q3_K': (75, 256, 110), 'Q4_K': (76, 256, 144),
    'Q5_K': (77, 256, 176), 'Q6_K': (78, 256, 210), 'Q8_K': (79, 256, 292), 'IQ2_XXS': (80, 256, 66),
    'IQ2_XS': (81, 256, 74), 'IQ3_XXS': (82, 256, 98), 'IQ1_S': (83, 256, 50), 'IQ4_NL': (84, 32, 18),
    'IQ3_S': (85, 256, 110), 'IQ2_S': (86, 256, 82), 'IQ4_XS': (87, 256, 136), 'IQ1_M': (93, 256, 56),
    'TQ1_0': (98, 256, 54), 'TQ2_0': (99, 256, 66), 'MXFP4': (103, 32, 17), 'NVFP4': (104, 64, 36),
    'Q1_0': (105, 128, 18), 'Q2_0': (106, 64, 18)}


# -- 2. Container, 3. O record, 4. Index ---------------------------------------------------------------

class Segment:
    """`shape` alone: a tensor whose geometry follows; `unit` and `row` given: geometry is written out.
    `tiles`: finished records instead of those that T, split, planes ... would make.

    `groups`: the scales of the columns of each group of `per` tiles, None: the group has none; their S records
    are made as `s_how` says, unless they are given as `s_records`.  `matrix`: the scale of each row of the
    segment, seen as a matrix; without it no tile is scaled."""

    def __init__(self, data=b'', dtype='BYTES', shape=(), name=b'', unit=None, row=None, T=None, gap=b'',
                 tiles=None, shared=0, per=None, columns=None, groups=(), matrix=None, s_how=None,
                 s_records=None, **how):
        self.data, self.dtype, self.shape, self.name, self.gap = data, dtype, shape, name, gap
        self.shared = shared                        # bytes of the name that the one before it has too
        number, bits, dtype_unit = DTYPES.get(dtype, (dtype, 0, 1))
        if dtype in BLOCK_DTYPES:
            number = BLOCK_DTYPES[dtype][0]
        self.number = number
        self.explicit = bits == 0 or unit is not None or row is not None
        if self.explicit:
            self.unit, self.row = unit or 1, row or 1
        else:
            whole = shape and shape[-1] and shape[-1] * bits % (8 * dtype_unit) == 0
            self.unit, self.row = dtype_unit, shape[-1] * bits // (8 * dtype_unit) if whole else 1
        units = len(data) // self.unit
        self.T = T if T is not None else max(-(-units // self.row), 1) * self.row
        self.tiles, self.per, self.columns = tiles, per, columns
        if columns is None and any(groups):
            self.columns = len([scales for scales in groups if scales][0])
        self.s_records = s_records
        if s_records is None:
            self.s_records = [tile(scales, kind=b'S', **(s_how or {})) if scales else b'' for scales in groups]
        if tiles is None:
            self.tiles = []
            for i, (a, b) in enumerate(self.cut(units)):
                scaled = {}
                if matrix and groups[i // per]:
                    w = len(groups[i // per])
                    scaled = {'scales': groups[i // per], 'phase': a % w, 'rows': matrix[a // w:(b - 1) // w + 1]}
                self.tiles.append(tile(data[a * self.unit:b * self.unit], **how, **scaled))

    def cut(self, n):
        """First and last unit of each tile."""
        if self.T >= self.row:
            return [(a, min(a + self.T, n)) for a in range(0, n, self.T)]
        k = -(-self.row // self.T)
        return [(i // k * self.row + i % k * self.T, i // k * self.row + min((i % k + 1) * self.T, self.row))
                for i in range(n // self.row * k)]


class Original:
    def __init__(self, name=b'x', segments=(), sha=True, from_parts=False, before=b'', edit=None,
                 o_record=None):
        self.name, self.segments, self.sha, self.from_parts = name, list(segments), sha, from_parts
        self.before, self.edit, self.o_record = before, edit, o_record
        self.data = b''.join(segment.data for segment in segments)
        self.flags = from_parts | sha << 1


def b_record(name=b'base.bin', size=None, edit=None, sha=None):
    f = Fields(edit)
    f.add('name size', varint(len(name)))
    f.add('name', name)
    f.add('size', varint(len(BASE) if size is None else size))
    f.add('sha', hashlib.sha256(BASE).digest() if sha is None else sha)
    f.add('tail', b'')
    return record(b'B', f.bytes())


INDEX_TILE = 65536


def container(originals, metadata=b'{}', max_tile=65536, edit=None, index_planes=None, index_kinds=b'I',
              before_index=b'', between_index=b'', after_index=b'', index_cut=INDEX_TILE, index_edit=None,
              base=None, features=0, index_fields=None, **index_how):
    """`edit`: as of Fields, for header.*, index.*, footer.*; the checksums fit the edited fields.
    `base`: the B record, True: that of BASE, None: the header says that there is none.
    `index_planes`: how the I records' planes are coded, one after the other."""
    edit = dict(edit or {})

    def part(prefix):
        names = [name for name in edit if name.startswith(prefix)]
        return Fields({name[len(prefix):]: edit.pop(name) for name in names})

    h = part('header.')
    h.add('magic', b'WCDC')
    h.add('version', u16(1))
    h.add('flags', u16(0))
    h.add('size', u32(32 + len(metadata + pad8(len(metadata)))))
    h.add('metadata size', u32(len(metadata)))
    h.add('features', u32(features if base is None else features | 2))
    h.add('max tile', u32(max_tile))
    h.add('reserved', u32(0))
    crc_at = len(h.pieces)
    h.add('crc', bytes(4))
    h.add('metadata', metadata)
    h.add('padding', pad8(len(metadata)))
    if h.pieces[crc_at] == bytes(4):
        h.pieces[crc_at] = u32(zlib.crc32(b''.join(h.pieces[:crc_at] + h.pieces[crc_at + 1:])))
    out = bytearray(h.bytes())
    end = len(out)
    if base is not None:
        out += b_record() if base is True else base

    x = part('index.')
    x.add('flags', varint(0))
    x.add('originals', varint(len(originals)))
    s, tiles, groups = 0, 0, 0
    for o, original in enumerate(originals):
        out += original.before
        if original.o_record is None:
            out += record(b'O', varint(original.flags) + varint(len(original.name)) + original.name,
                          original.edit)
        else:
            out += original.o_record
        at = 'o%d.' % o
        x.add(at + 'flags', varint(original.flags))
        x.add(at + 'name size', varint(len(original.name)))
        x.add(at + 'name', original.name)
        if original.sha:
            x.add(at + 'sha', hashlib.sha256(original.data).digest())
        x.add(at + 'size', varint(len(original.data)))
        x.add(at + 'segments', varint(len(original.segments)))
        for segment in original.segments:
            at = 's%d.' % s
            s += 1
            out += segment.gap
            x.add(at + 'flags', varint(segment.explicit | (segment.per is not None) << 1))
            x.add(at + 'dtype', bytes([segment.number]))
            x.add(at + 'shared', varint(segment.shared))
            x.add(at + 'name size', varint(len(segment.name) - segment.shared))
            x.add(at + 'name', segment.name[segment.shared:])
            x.add(at + 'rank', varint(len(segment.shape)))
            x.add(at + 'shape', b''.join(varint(d) for d in segment.shape))
            if segment.explicit:
                x.add(at + 'size', varint(len(segment.data)))
                x.add(at + 'unit', varint(segment.unit))
                x.add(at + 'row', varint(segment.row))
            if segment.data:
                x.add(at + 'gap', varint((len(out) - end) // 8))
                x.add(at + 'T', varint(segment.T))
                if segment.per is not None:
                    x.add(at + 'P', varint(segment.per))
                    x.add(at + 'columns', varint(segment.columns))
                for i, one in enumerate(segment.tiles):
                    if segment.per is not None and i % segment.per == 0:
                        scales = segment.s_records[i // segment.per]
                        x.add(at + 'scales%d' % (i // segment.per), varint(len(scales) // 8))
                        out += scales
                        groups += 1
                    x.add(at + 'extent%d' % i, varint(len(one) // 8))
                    out += one
                    tiles += 1
                end = len(out)
    x.add('tail', b'')
    index = x.bytes()

    out += before_index
    index_offset = len(out)
    pieces = [index[i:i + index_cut] for i in range(0, len(index), index_cut)]
    for i, piece in enumerate(pieces):
        planes = [index_planes[i]] if index_planes else None
        out += between_index if i else b''
        out += tile(piece, planes=planes, kind=index_kinds, edit=index_edit, fields=index_fields, **index_how)
    out += after_index

    f = part('footer.')
    f.add('type', b'F')
    f.add('body size', varint(62))
    f.add('reserved', bytes(2))
    f.add('groups', u32(groups))
    f.add('names', u32(sum(len(o.name) + 1 + sum(len(z.name) + 1 for z in o.segments) for o in originals)))
    f.add('originals', u32(len(originals)))
    f.add('dimensions', u32(sum(len(segment.shape) for o in originals for segment in o.segments)))
    f.add('segments', u32(s))
    f.add('index offset', u64(index_offset))
    f.add('tiles', u64(tiles))
    f.add('index size', u32(len(index)))
    f.add('index crc', u32(zlib.crc32(index)))
    f.add('container size', u64(len(out) + 64))
    f.add('crc', u32(zlib.crc32(bytes(out) + b''.join(f.pieces))))
    f.add('magic', b'CDCW')
    assert not edit, 'no such field: %s' % list(edit)
    return bytes(out) + f.bytes()


# -- The collection ------------------------------------------------------------------------------------

FILES = {}


def put(path, data):
    assert path not in FILES, path
    FILES[path] = data


def put_originals(stem, originals):
    for i, original in enumerate(originals):
        put(stem + ('.%d' % i if len(originals) > 1 else '') + '.bin', original.data)


def good(name, originals, **how):
    put('good/%s.wcodec' % name, container(originals, **how))
    put_originals('good/' + name, originals)


def good_tile(name, data, split='BYTE', planes=None, unit=None, **how):
    """A container of one segment in one tile."""
    segment = Segment(data, unit=unit or SPLITS[split][1], split=split, planes=planes, **how)
    good(name, [Original(segments=[segment])])


def bad(name, status, originals, folder='bad', **how):
    put('%s/%s.%s.wcodec' % (folder, name, status), container(originals, **how))
    if folder == 'bad_stream':
        put_originals('bad_stream/%s.%s' % (name, status), originals)


def bad_tile(name, status, data, split='BYTE', planes=None, unit=None, folder='bad', **how):
    segment = Segment(data, unit=unit or SPLITS[split][1], split=split, planes=planes, **how)
    bad(name, status, [Original(segments=[segment])], folder=folder)


def bad_bytes(name, status, data):
    put('bad/%s.%s.wcodec' % (name, status), data)


def units16(seed, n):
    """BF16 or F16 patterns with few exponents."""
    r = Random(seed)
    return b''.join(u16(r.below(2) << 15 | (110 + r.below(4) + r.below(5)) << 7 | r.below(128))
                    for _ in range(n))


SMALL = bells(1, 90)                                # what most bad files hold


def plain(**how):
    """One original of 90 bytes in one raw tile."""
    return [Original(segments=[Segment(SMALL, **how)])]


def narrow(seed, n, values):
    """n bytes whose F8_E5M2 exponents (5 bits) come from `values`."""
    r = Random(seed)
    return bytes(r.below(2) << 7 | values[r.below(len(values))] << 2 | r.below(4) for _ in range(n))


def bumpy(n):
    """Data that every predictor can be seen in: rows of 10, steadily rising, with noise."""
    r = Random(n)
    return bytes((3 * (i // 10) + 7 * (i % 10) + r.below(3)) % 256 for i in range(n))


def good_coders():
    # raw: 8 bits, and 3, 4, 5 bits in whole and partial groups
    for n in 1, 63, 64, 65, 200:
        good_tile('raw-narrow-%d' % n, randoms(n, n), 'F8_E5M2')
    good_tile('raw-nibbles-129', randoms(2, 129), 'NIBBLES')
    for n in 255, 256, 257:                         # the padding before payloads begins at 256
        good_tile('raw-%d' % n, randoms(n, n))
    good_tile('raw-padded-planes', randoms(3, 2 * 300), 'WORD16')
    good_tile('raw-padded-narrow-planes', randoms(4, 2 * 500), 'F16')

    # Record sizes around the step from two to three bytes of body size; the middle one needs filler.
    good_tile('raw-body-16383', randoms(5, 16370))
    good_tile('raw-body-filled', randoms(6, 16371))
    good_tile('raw-body-16385', randoms(7, 16372))
    for filler in range(1, 8):
        good_tile('filler-%d' % filler, randoms(filler, 20), 'WORD16', filler=filler)
        good_tile('filler-%d-aligned' % filler, randoms(filler, 600), 'WORD16', filler=filler)
    good_tile('filler-after-row', bumpy(90), predictor=UP, tile_row=10, filler=3)

    good_tile('constant', b'\x07' * 1000)
    good_tile('constant-narrow', bytes([0x7D] * 5), 'F8_E5M2', [P('constant'), P('constant')])
    good_tile('constant-coder', b'\x07' * 1000, planes=[P('constant')])
    for n in 1, 7, 64, 65, 200:
        for bits in range(1, 8):
            good_tile('packed-%d-%d' % (bits, n), bytes(256 - (1 << bits) + i * 77 % (1 << bits) for i in range(n)),
                      planes=[P('packed', least=256 - (1 << bits), bits=bits)])
    good_tile('packed-narrow', bytes(4 * (20 + i % 9) for i in range(90)), 'F8_E5M2',
              [P('packed', least=16, bits=4), P('packed', least=0, bits=2)])
    good_tile('packed-least-0', bytes(i % 5 for i in range(90)), planes=[P('packed', least=0, bits=7)])
    good_tile('constant-n1', b'\xff', planes=[P('constant')])
    good_tile('constant-large', bytes(20000), planes=[P('constant')])

    def spread(n, places):
        out = bytearray(b'\x2a' * n)
        for i, place in enumerate(places):
            out[place] = i
        return bytes(out)
    good_tile('sparse', spread(900, [0, 5, 6, 300, 899]), planes=[P('sparse', c=42)])
    for gap in 254, 255, 256, 509, 510, 511:
        good_tile('sparse-gap-%d' % gap, spread(1600, [gap, 2 * gap + 1]), planes=[P('sparse', c=42)])
    good_tile('sparse-all', bells(7, 50), planes=[P('sparse', c=1)])
    good_tile('sparse-common', spread(40, [3]), planes=[P('sparse', c=42, places=(9,))])
    good_tile('sparse-largest-body', bytes(9345), planes=[P('sparse', c=1)])    # 9345 * 9 / 8 + 8192 bytes
    good_tile('sparse-narrow', narrow(8, 100, [9, 9, 9, 9, 30]), 'F8_E5M2', [P('sparse', c=9), P()])
    good_tile('sparse-n1', b'\x05', planes=[P('sparse', c=0)])

    text = bells(9, 777, 100, 12)
    for s in range(6):
        good_tile('huffman-streams-%d' % (1 << s), text, planes=[P('huffman', s=s)])
    good_tile('huffman-empty-streams', b'\x0a\x0b\x0b', planes=[P('huffman', s=5)])
    good_tile('huffman-n1', b'\xff', planes=[P('huffman', s=0, lengths={0: 1, 255: 1})])
    good_tile('huffman-no-runs', text, planes=[P('huffman', s=2, runs=False)])
    good_tile('huffman-span-wide', text, planes=[P('huffman', s=1, span=(0, 255))])
    good_tile('huffman-all-values', bytes(range(256)) + text,
              planes=[P('huffman', s=3, lengths=dict.fromkeys(range(256), 8))])
    deep = {v: v - 9 for v in range(10, 21)}
    deep[21] = 11
    good_tile('huffman-length-11', bytes(10 + min(x >> 3 & 15, 11) for x in text),
              planes=[P('huffman', s=2, lengths=deep)])
    # 14 after 15 repeats the length 0, 14 after 14 goes on, and a run may end with the last value.
    good_tile('huffman-repeated-zeros', b'\x01\x1d\x1d\x01\x1e\x1f\x20' * 9, planes=[P(
        'huffman', lengths={1: 2, 0x1d: 2, 0x1e: 3, 0x1f: 3, 0x20: 3, 0x21: 3}, span=(1, 0x21),
        coded=[2, 15, 15, 14, 3, 15, 0, 2, 3, 14, 0])])
    good_tile('huffman-run-18', bytes(range(32)) * 2, planes=[P(
        'huffman', lengths=dict.fromkeys(range(32), 5), coded=[5, 14, 15, 14, 10])])
    good_tile('huffman-narrow', narrow(10, 150, [3, 4, 4, 5, 5, 5, 5, 31]), 'F8_E5M2',
              [P('huffman', s=1), P('huffman', s=4)])

    for n in 1, 31, 32, 33, 100, 400:
        good_tile('rans256-n%d' % n, bells(n + 1, n, 200, 30), planes=[P('rans256')])
    for k in range(5):
        good_tile('rans256-k%d' % k, bells(k, 150, 100, 20), planes=[P('rans256', k=k)])
    good_tile('rans256-4095-1', b'\x80' * 200 + b'\x82' + b'\x80' * 99,
              planes=[P('rans256', freq={0x80: 4095, 0x82: 1})])
    good_tile('rans256-1-4095', b'\x80' * 40 + b'\x00' + b'\x80' * 9,
              planes=[P('rans256', freq={0: 1, 0x80: 4095})])
    good_tile('rans256-uniform', randoms(17, 300), planes=[P('rans256', freq=dict.fromkeys(range(256), 16))])
    good_tile('rans256-no-runs', text[:300], planes=[P('rans256', runs=False, span=(0, 255))])
    good_tile('rans256-narrow', narrow(18, 130, [3, 4, 4, 5]), 'F8_E5M2', [P('rans256'), P('rans256')])


NEAR = bytes([0, 0, 0, 1, 1, 250, 9, 9, 9, 9, 3, 64][x % 12] for x in randoms(12, 1000))
SIX = [(0, 64), (9, 85), (1, 43), (250, 22), (3, 21), (64, 21)]     # symbols for NEAR


def rare(n, places):
    """n bytes, of the values of NEAR but at `places`: there they are 100 and more."""
    out = bytearray(NEAR[:n])
    for i, place in enumerate(places):
        out[place] = 100 + i * 7 % 120
    return bytes(out)


def places_of(count):
    """Places for so many exceptions, with gaps of 0, 1 and 2."""
    return [sum(k % 3 + 1 for k in range(i)) + i % 3 for i in range(count)]


def good_rans16():
    for k, sizes in enumerate([(1, 2, 63, 64, 65, 128, 200), (1, 127, 128, 129, 256, 401),
                               (1, 255, 256, 257, 785)]):
        for n in sizes:
            good_tile('rans16-k%d-n%d' % (k, n), NEAR[:n], planes=[P('rans16', k=k)])
        good_tile('rans16-k%d-16-symbols' % k, bytes(x & 15 for x in randoms(13, (192 << k) + 50)),
                  planes=[P('rans16', k=k, symbols=[(v, 16) for v in range(16)])])
    good_tile('rans16-255-1', b'\x80' * 200 + b'\x81' + b'\x80' * 50,
              planes=[P('rans16', symbols=[(0x80, 255), (0x81, 1)])])
    good_tile('rans16-1-255', b'\x80' * 90 + b'\x81' + b'\x80' * 50,
              planes=[P('rans16', symbols=[(0x81, 1)] + [(0, 0)] * 14 + [(0x80, 255)])])
    good_tile('rans16-same-value-twice', b'\x05\x06\x05\x07' * 30, planes=[P(
        'rans16', symbols=[(5, 50), (5, 60), (6, 73), (7, 73)])])
    good_tile('rans16-holes', NEAR[:100], planes=[P('rans16', symbols=[
        (0, 0), (0, 70), (0, 0), (1, 40), (250, 20), (0, 0), (9, 90), (0, 0), (3, 16), (64, 15), (0, 0),
        (77, 5)])])
    skewed = [(v, f) for v, f in zip([0, 1, 250, 9, 3, 64, 2, 4, 5, 6, 7, 8, 10, 11, 12, 13],
                                     [100, 60, 20, 30, 10, 8, 7, 6, 5, 3, 2, 1, 1, 1, 1, 1])]
    for k in 0, 2:
        good_tile('rans16-k%d-skewed' % k, NEAR[:150 + 150 * k], planes=[P('rans16', k=k, symbols=skewed)])

    def apart(name, n, at, k=0, **how):
        good_tile('rans16-' + name, rare(n, at), planes=[P('rans16', symbols=SIX, k=k, **how)])

    for k in range(3):
        lanes = 64 << k
        for count in 1, lanes // 3, lanes + 1:
            places = places_of(count)
            apart('k%d-%d-exceptions' % (k, count), places[-1] + 3, places, k)
        for name, n, places in [('n1', 1, [0]), ('first', lanes + 9, [0]), ('last', lanes + 9, [lanes + 8]),
                                ('ends', lanes, [0, lanes - 1]), ('few', 32, [3, 9]),
                                ('rounds', 3 * lanes + 17, range(0, 3 * lanes, 41))]:
            apart('k%d-exceptions-%s' % (k, name), n, places, k)
    apart('gaps-255-256', 600, [255, 512])
    apart('gap-765', 770, [765], k=1)
    apart('exceptions-of-symbols', 100, [8, 70], places=range(20, 40))
    every = [i for i, v in enumerate(NEAR[:150]) if v == 9]             # the value of the largest frequency
    apart('exceptions-of-the-symbol', 150, [], places=every, k=1)
    for name, stand in ('other', [5]), ('any', [3, 0, 1, 5]):
        apart('stand-' + name, 120, range(0, 120, 7), k=2, stand=stand)
    good_tile('rans16-stand-lowest', rare(90, range(30, 90, 3)), planes=[P('rans16', symbols=[
        (0, 0), (1, 30), (9, 62), (0, 62), (3, 20), (64, 20), (250, 62)])])
    good_tile('rans16-stand-of-a-value-twice', rare(90, range(0, 60, 3)), planes=[P('rans16', symbols=[
        (9, 50), (9, 60), (0, 62), (1, 40), (3, 14), (64, 14), (250, 16)])])
    # Exceptions whose bytes are all zeros are no less there.
    for n in 5, 32, 40:
        good_tile('rans16-exceptions-of-zeros-%d' % n, bytes(n) + b'\x05\x06\x05\x07' * 20,
                  planes=[P('rans16', symbols=[(5, 128), (6, 64), (7, 64)])])

    unlike = bytes(i * 37 % 256 for i in range(150))
    lone = [(0, 0)] * 3 + [(unlike[60], 1)] + [(0, 0)] * 11 + [(unlike[60] ^ 1, 255)]
    assert unlike[60] ^ 1 not in unlike
    for k in range(3):
        good_tile('rans16-k%d-all-but-one' % k, unlike[:61 + 40 * k], planes=[P('rans16', k=k, symbols=lone)])
        good_tile('rans16-k%d-all-exceptions' % k, unlike[:60], planes=[P('rans16', k=k, symbols=lone)])
    good_tile('rans16-all-exceptions-of-the-symbol', b'\x05' * 70,
              planes=[P('rans16', symbols=[(5, 200), (6, 56)], places=range(70))])
    for n in 1, 64, 333:
        good_tile('rans16-many-values-n%d' % n, bells(n, n, 77, 12), planes=[P('rans16')])

    good_tile('rans16-narrow', narrow(15, 130, [3, 4, 4, 5]), 'F8_E5M2', [P('rans16'), P('rans16', top=7)])
    for split in 'F8_E5M2', 'F8_E4M3', 'NIBBLES':   # planes of 5 and 3, and of 4 bits
        for k in range(3):
            good_tile('rans16-narrow-%s-k%d' % (split.lower(), k), randoms(70 + k, 160), split,
                      [P('rans16', k=k, top=5), P('rans16', k=2 - k, top=3)])
    good_tile('rans16-narrow-f16', randoms(73, 2 * 160), 'F16', [
        P('rans16', LEFT, k=1), P('rans16', UP, k=2, top=6), P('rans16', k=0)], tile_row=16)

    def weights(seed, n, unit):
        """n units of which the highest byte is the most alike."""
        low, high = randoms(seed, n * unit), bells(seed, n, 60, 5)
        return b''.join(low[i * unit + 1:(i + 1) * unit] + high[i:i + 1] for i in range(n))

    after = [P('raw'), P('huffman', s=1), P('raw')]
    for split in 'BF16', 'F16', 'F32', 'F8_E4M3', 'F8_E5M2':
        _, unit, parts = SPLITS[split]
        rest = after[:len(parts(0, 0)) - 1]
        for k, of_plane, of_unit in (1, LEFT, NONE), (1, NONE, UP), (2, UP, NONE), (2, LEFT, LEFT):
            name = 'rans16-%s-k%d-%s-%s' % (split.lower(), k, 'nlu'[of_unit], 'nlu'[of_plane])
            good_tile(name, weights(unit, (64 << k) + 9, unit), split,
                      [P('rans16', of_plane, k=k, top=9)] + rest, predictor=of_unit, tile_row=33)


def good_tiles():
    mixed = {1: [P('huffman', s=2)], 2: [P('huffman', s=1), P('rans256')],
             3: [P('rans16'), P('raw'), P('huffman')],
             4: [P('rans256'), P('huffman', s=3), P('sparse'), P('rans16', k=1)],
             5: [P('huffman'), P('rans16'), P('raw'), P('rans256'), P('sparse')],
             8: [P('sparse'), P('raw'), P('huffman'), P('rans16', k=2), P('rans256'), P('raw'),
                 P('huffman', s=5), P('rans16')]}
    for name, (_, unit, parts) in SPLITS.items():
        data, planes, stem = randoms(unit, 70 * unit), len(parts(0, 0)), 'split-%s-' % name.lower()
        good_tile(stem + 'raw', data, name)
        good_tile(stem + 'mixed', data, name, mixed[planes])
        good_tile(stem + 'unit-left', data, name, predictor=LEFT)
        good_tile(stem + 'unit-up', data, name, predictor=UP, tile_row=7)
        good_tile(stem + 'planes-left-up', data, name, [P(predictor=LEFT), *[P(predictor=UP)] * (planes - 1)],
                  tile_row=9)
        good_tile(stem + 'everything', data, name, [P(predictor=i % 3) for i in range(planes, 0, -1)],
                  predictor=UP, tile_row=33)

    data = bumpy(100)
    for a, one in (LEFT, 'left'), (UP, 'up'):
        for b, two in (NONE, 'none'), (LEFT, 'left'), (UP, 'up'):
            for coder in 'huffman', 'rans16', 'rans256', 'raw':
                if coder in ('raw', 'rans16') and b == NONE:
                    continue
                how = {'top': 8} if coder == 'rans16' else {}
                good_tile('predict-%s-%s-%s' % (one, two, coder), data, planes=[P(coder, b, **how)],
                          predictor=a, tile_row=10)
    good_tile('up-row-1', data, predictor=UP, tile_row=1)
    good_tile('up-row-n', data, planes=[P(predictor=UP)], tile_row=100)
    good_tile('up-row-99', data, planes=[P(predictor=UP)], tile_row=99)
    good_tile('up-row-above-n', data, predictor=UP, tile_row=101)
    good_tile('up-row-2-64', data, planes=[P(predictor=UP)], predictor=UP, tile_row=(1 << 64) - 1)
    good_tile('row-unused', data, tile_row=12)
    good_tile('up-n1', b'\x05', planes=[P('constant', UP)], predictor=UP, tile_row=4)
    good_tile('left-n1', b'\x05', planes=[P('constant', LEFT)], predictor=LEFT)
    good_tile('left-wide', bytes(i * 37 % 256 for i in range(160)), 'WORD64', predictor=LEFT)
    good_tile('left-narrow', narrow(20, 90, list(range(32))), 'F8_E5M2',
              [P('raw', LEFT), P('rans256', LEFT)])
    good_tile('up-bf16', units16(21, 60), 'BF16', [P('huffman', UP), P('raw', UP)], tile_row=6)


def tensor(dtype, shape, seed=30, **how):
    bits = DTYPES[dtype][1]
    n = 1
    for d in shape:
        n *= d
    return Segment(randoms(seed, n * bits // 8), dtype, shape, **how)


def good_geometry():
    data = bumpy(60)

    def one(name, *segments, **how):
        good(name, [Original(name.encode(), segments)], **how)

    one('row-cut', Segment(data, row=10, T=4))
    one('row-cut-even', Segment(data, row=10, T=5))
    one('row-cut-single', Segment(data, row=10, T=1, planes=[P('constant')]))
    one('row-cut-9', Segment(data, row=10, T=9))
    one('row-whole', Segment(data, row=10, T=10))
    one('rows-several', Segment(data, row=10, T=20))
    one('rows-last-fewer', Segment(data, row=10, T=40))
    one('rows-last-partial', Segment(data[:57], row=10, T=20))
    one('row-above-size', Segment(data[:7], row=100, T=100))
    one('T-above-size', Segment(data[:7], row=3, T=3000))
    one('row-cut-units', Segment(data[:48], 'I16', (2, 12), T=5, split='WORD16'))
    one('row-cut-c64', Segment(data[:48], 'C64', (2, 3), T=4, split='F32'))
    one('T-1', Segment(data[:6]), Segment(data[6:9], T=1), max_tile=6)
    one('max-tile-1', Segment(data[:3], T=1), max_tile=1)
    one('max-tile-2-24', Segment(data), max_tile=1 << 24)
    one('T-max', Segment(data, T=1 << 24), max_tile=1 << 24)

    # The splits' units need not be the segment's.
    wide = units16(31, 40)
    one('split-of-other-units', *[Segment(wide, 'BF16', (5, 8), b'tensor %d' % i, split=split)
                                  for i, split in enumerate(SPLITS)])
    one('tiles-of-different-splits', Segment(wide, 'BF16', (5, 8), T=16, tiles=[
        tile(wide[:32], 'BF16', [P('huffman'), P()]), tile(wide[32:64], 'NIBBLES'),
        tile(wide[64:], 'WORD32', predictor=LEFT)]))

    named = [name for name in DTYPES if name != 'BYTES']
    one('dtypes', *[tensor(name, (3, 4), i, name=name.encode()) for i, name in enumerate(named)])
    one('dtypes-T-cut', *[tensor(name, (2, 8), i, name=name.encode(), T=3) for i, name in enumerate(named)
                          if name not in ('F6_E2M3', 'F6_E3M2')])
    one('rank-0', *[tensor(name, (), i, name=name.encode()) for i, name in enumerate(named)
                    if DTYPES[name][1] >= 8])
    one('packed-odd-rows', tensor('F4', (2, 3)), tensor('U4', (6, 1)), tensor('F6_E2M3', (4, 1)),
        tensor('F6_E3M2', (2, 2, 5, 1)), tensor('I4', (2, 5), T=2))
    one('rank-255', tensor('I16', (1,) * 254 + (7,)))
    one('zero-size', tensor('F32', (0,)), tensor('BF16', (3, 0, 5)), tensor('U8', (2, 3)),
        tensor('F64', (7, 0)), Segment(), Segment(b'', 'I32', (0,), unit=4, row=5), tensor('C64', (0, 0)))
    one('zero-size-huge-dimensions', Segment(b'', 'F64', (1 << 40, 1 << 40, 0)),
        Segment(b'', 'U8', (0, 1 << 63)), tensor('U8', (2,)))
    one('zero-size-only', tensor('F32', (0,)))
    one('explicit-tensor', Segment(data, 'BF16', (3, 10), b'w', unit=2, row=10, split='BF16'))
    one('explicit-other-row', Segment(data[:56], 'F32', (2, 7), b'w', unit=4, row=14))
    one('explicit-huge-row', Segment(data[:5], unit=1, row=(1 << 24), T=1 << 24), max_tile=1 << 24)
    one('unknown-dtype', Segment(data, 25, (5, 6), b'w', unit=2, row=6, split='WORD16'),
        Segment(data, 255, (), unit=4, row=1))
    one('names', Segment(b'a', name=b'same'), Segment(b'b', name=b'same'),
        Segment(b'c', name=b'\xff\x00\xfe'), Segment(b'd', name='Gew\u00edcht'.encode()),
        Segment(b'e', name=b'n' * 200))


def good_containers():
    data = bumpy(40)

    def kept(seed, n=30, **how):
        return Segment(randoms(seed, n), **how)

    good('no-original', [])
    good('zero-size-original', [Original(b'empty')])
    good('zero-size-originals', [Original(b'a'), Original(b'b', sha=False), Original(b'c', [Segment()])])
    good('originals', [Original(b'a', [kept(1), kept(2)]), Original(b'empty'),
                       Original(b'b', [kept(3, T=7)])])
    good('originals-of-one-name', [Original(b'a', [kept(1)]), Original(b'a', [kept(1)])])
    good('from-parts', [Original(b'parts', [tensor('F32', (2, 3), name=b'w')], from_parts=True)])
    good('no-sha', [Original(b'a', [kept(4)], sha=False)])
    good('from-parts-no-sha', [Original(b'a', [kept(4)], sha=False, from_parts=True)])
    good('no-name', [Original(b'', [kept(5)])])
    good('name-of-bytes', [Original(b'\x00/..\xff\n', [kept(5)])])
    good('name-long', [Original(b'n' * 300, [kept(5)])])
    for n in 0, 1, 7, 8, 9:
        good('metadata-%d' % n, [Original(b'a', [kept(6)])], metadata=b'123456789'[:n])
    good('metadata-utf-8', [], metadata='{"Gew\u00edcht": [1, 2, "\u2211"]}'.encode())

    good('ancillary', [Original(b'a', [kept(1, gap=note()), kept(2, gap=note(0) + note(300)),
                                       Segment(gap=note(1)), kept(3, T=9, gap=note(7))], before=note(6)),
                       Original(b'b', [kept(4, gap=note(9))], before=note(6) + note(2))],
         before_index=note(11))
    kinds = bytes(k for k in range(256) if k & 32)
    every = b''.join(note(k % 3, bytes([k])) for k in kinds)
    good('ancillary-every-type', [Original(b'a', [kept(1, gap=every)])])
    good('ancillary-large', [Original(b'a', [kept(1, gap=note(17000))])])
    good('ancillary-no-original', [], before_index=note(3))
    good('ancillary-gap-in-gap', [Original(b'a', [kept(1), Segment(gap=note(2)), kept(2, gap=note(5)),
                                                  Segment(gap=note(3))]),
                                  Original(b'b', before=note(1)), Original(b'c', [kept(3)], before=note(8))])

    def index_of(size):
        """Originals whose index has `size` bytes, by way of long names."""
        length = size
        while True:
            names = [b'z' * (length * (i + 1) // 3 - length * i // 3) for i in range(3)]
            originals = [Original(b'a', [Segment(name=name) for name in names] + [Segment(data)], sha=False)]
            have = struct.unpack('<I', container(originals, index_planes=[P('constant')] * 9)[-24:-20])[0]
            if have == size:
                return originals
            length += size - have

    for name, coder, how in [('huffman', 'huffman', {'s': 3}), ('rans16', 'rans16', {'k': 1}),
                             ('rans256', 'rans256', {}), ('sparse', 'sparse', {})]:
        segments = [Segment(data, name=b'layer.%d.weight' % i) for i in range(4)]
        good('index-' + name, [Original(b'a', segments)], index_planes=[P(coder, **how)])
    layers = [Segment(data[:i + 1], name=b'layer.%d.weight' % (i // 2), shared=s)
              for i, s in enumerate([0, 14, 3, 0, 6])]
    good('index-shared-names', [Original(b'layer', layers), Original(b'layer', [Segment(name=b'layer.1')])])
    good('index-shared-across-none', [
        Original(b'a', [Segment(name=b'xyz'), Segment(), Segment(name=b'xyz')])])
    good('index-shared-by-bytes', [Original(b'a', [
        Segment(name=b'\0\xff'), Segment(name=b'\0\xff\0', shared=2), Segment(name=b'\0', shared=1),
        Segment(name=b'', shared=0), Segment(name=b'\0')])])
    good('index-shares-255', [Original(b'a', [Segment(name=b'n' * 300), Segment(data, name=b'n' * 301, shared=255)])])
    good('index-name-of-65000', [Original(b'a', [Segment(data, name=b'n' * 65000), Segment(
        name=b'n' * 65000, shared=255)])], index_planes=[P('sparse', c=110)] * 2)
    good('ancillary-after-index', plain(), after_index=note(5))
    good('ancillary-padding', [Original(b'a', [Segment(data), Segment(data, gap=b'n\3abc\1\2\3')])])
    good('index-left', [Original(b'a', [Segment(data)])], index_planes=[P('raw', LEFT)], predictor=LEFT)
    good('index-up', [Original(b'a', [Segment(data)])], index_planes=[P('rans256', UP)], predictor=UP,
         tile_row=9)
    z = ord('z')
    for size in 65535, 65536, 65537, 131072, 150000:
        good('index-of-%d' % size, index_of(size), index_planes=[P('sparse', c=z, places=(5,))] * 3)
    originals = index_of(131073)
    good('index-tiles-coded', originals, index_planes=[P('rans256'), P('huffman', s=2), P('rans16')])
    good('index-ancillary-between', originals, index_planes=[P('sparse', c=z)] * 3, between_index=note(4))
    good('index-many-segments', [Original(b'a', [Segment(b'')] * 300 + [Segment(data)])],
         index_planes=[P('sparse')])


EXPONENTS = {'BYTE': (0, 8), 'WORD16': (8, 8), 'BF16': (7, 8), 'F16': (10, 5), 'F32': (23, 8), 'F64': (52, 8),
             'F8_E4M3': (3, 4), 'F8_E5M2': (2, 5), 'NIBBLES': (4, 4),
             'BF16_4': (7, 8), 'F16_4': (10, 5), 'F32_4': (23, 8)}


def scaled(seed, n, split, scales, matrix, phase=0):
    """n units whose first plane goes with the scales of rows and columns; a quarter of a class shows in it."""
    r, unit, w = Random(seed), SPLITS[split][1], len(scales)
    shift, bits = EXPONENTS[split]
    out = bytearray()
    for u in range(phase, phase + n):
        q = (matrix[u // w] + scales[u % w]) % 256
        noise, d = r.u64(), 0
        while d < 9 and noise >> 8 + d & 1:
            d += 1
        e = (q >> 2) + 2 - d + (noise >> 20 & 3 < (q & 3))
        field = (1 << bits) - 1 << shift
        x = r.u64() & (1 << 8 * unit) - 1 & ~field | e << shift & field
        out += x.to_bytes(unit, 'little')
    return bytes(out)


W11 = bells(80, 11, 60, 8)                          # scales of 11 columns
ROWS = bells(81, 80, 30, 9)                         # and of as many rows as are asked for


def planes_of(split, first='raw', rest='raw', **how):
    """The first plane with the predictor scale, and others."""
    return [P(first, SCALE, **how)] + [P(rest)] * (len(SPLITS[split][2](0, 0)) - 1)


def scaled_segment(n, split='BF16', scales=W11, rows=ROWS, seed=82, phase=0, planes=None, **how):
    """A segment in one tile, in one group; where it has fewer units than columns, a plain tile and group of as many
    units as columns come before."""
    unit = SPLITS[split][1]
    data = scaled(seed, n, split, scales, rows, phase)
    how.setdefault('unit', unit)
    s_how = how.pop('s_how', None)
    rows = rows[:(phase + n - 1) // len(scales) + 1]
    place = {key: how.pop(key) for key in ('unit', 'row', 'T', 'name', 'gap') if key in how}
    s_records = how.pop('s_records', None)
    tiles, groups = [tile(data, split, planes or planes_of(split), scales=scales, phase=phase, rows=rows, **how)], [scales]
    if n < len(scales):
        before = bumpy(len(scales) * unit)
        data, tiles, groups, place['T'] = before + data, [tile(before)] + tiles, [None] + groups, len(scales)
    return Segment(data, tiles=tiles, per=1, groups=groups, s_how=s_how, s_records=s_records, **place)


def good_scales():
    def case(name, n, split='BF16', first='rans16', rest='raw', how=(), **more):
        more.setdefault('planes', planes_of(split, first, rest, **dict(how)))
        good('scales-' + name, [Original(segments=[scaled_segment(n, split, **more)])])

    # Each split, and each coder behind the predictor.
    case('bf16', 200, rest='classes')
    case('f16', 180, 'F16', 'classes', 'rans256')
    case('f32', 150, 'F32', 'huffman', 'classes')
    case('f64', 40, 'F64', 'rans16')
    case('e4m3', 200, 'F8_E4M3', 'rans16', 'classes')
    case('e5m2', 150, 'F8_E5M2', 'classes', 'rans16')
    case('nibbles', 90, 'NIBBLES', 'huffman', 'classes')
    case('byte', 120, 'BYTE', 'classes')
    case('word16', 70, 'WORD16', 'raw')
    for coder in 'raw', 'sparse', 'huffman', 'rans16', 'rans256', 'classes':
        case('coder-' + coder, 130, first=coder)
    flat = b''.join(u16((ROWS[u // 11] + W11[u % 11]) % 256 >> 2 << 7 | u & 15) for u in range(99))
    good('scales-coder-constant', [Original(segments=[Segment(
        flat, unit=2, split='BF16', planes=[P('constant', SCALE), P('rans16')], per=1, groups=[W11],
        matrix=ROWS)])])
    # The residual wraps in planes of 3 and 5 bits; q goes over 255.
    case('narrow-all', 90, 'F16', planes=[P('rans16', SCALE), P('rans16', SCALE), P('raw', SCALE)])
    for coder in 'rans16', 'huffman', 'classes':
        case('both-of-4-bits-' + coder, 170, 'F8_E4M3', planes=[P('rans16', SCALE), P(coder, SCALE)])
    case('wrap', 150, scales=randoms(83, 9), rows=randoms(84, 17))
    case('wrap-255', 60, scales=b'\xff' * 8, rows=b'\xff\x01\x00\xff\x80\x02\x03\xfe')
    case('wrap-e4m3', 150, 'F8_E4M3', 'classes', 'classes', scales=randoms(85, 13), rows=randoms(86, 12))
    case('zeros', 64, scales=bytes(8), rows=bytes(8), how={'top': 5})

    # Where the tile begins, and how many rows it touches.
    case('n1', 1, first='constant', rest='constant')
    case('n1-classes', 1, first='classes', rest='classes')
    case('n1-last-column', 1, phase=10, first='raw')
    case('n2-two-rows', 2, phase=10, first='raw')
    for phase, n in (1, 10), (1, 11), (5, 6), (5, 7), (10, 23), (10, 24):
        case('phase-%d-n%d' % (phase, n), n, phase=phase, first='raw', rest='classes')
    case('columns-8', 70, scales=randoms(87, 8))
    case('columns-of-all-units', 11, first='rans16')
    case('columns-8-of-8-units', 8, scales=randoms(87, 8), rows_plane=P('constant'))
    case('columns-above-n', 30, scales=bells(88, 70, 60, 8), phase=39)
    case('columns-above-n-two-rows', 30, scales=bells(88, 70, 60, 8), phase=45)
    case('columns-300', 310, scales=bells(89, 300, 60, 8), phase=200, first='classes', how={'k': 1})

    # The scales of rows: each coder that may hold them, and the padding before them.
    many = bells(90, 300, 30, 2)
    for coder in 'raw', 'packed', 'constant', 'sparse', 'huffman', 'rans16', 'rans256':
        for predictor in (NONE, LEFT) if coder in ('raw', 'huffman') else (NONE,):
            rows = b'\x21' * 12 if coder == 'constant' else many[:12]
            case('rows-%s-%s' % (coder, 'nl'[predictor]), 120, rows=rows, rows_plane=P(coder, predictor))
    case('rows-constant-l', 90, rows=bytes((7 * i + 7) % 256 for i in range(50)), rows_plane=P('constant', LEFT))
    for n in 256, 257:
        case('rows-%d' % n, 8 * n - 3, 'BYTE', 'raw', scales=randoms(91, 8), rows=many)
    case('rows-huffman-left-streams', 2040, 'BYTE', 'huffman', scales=randoms(92, 8), rows=many,
         rows_plane=P('huffman', LEFT, s=2))
    case('row-and-filler', 66, tile_row=11, filler=5, planes=[P('rans256', SCALE), P('raw', UP)])
    case('unit-left', 66, predictor=LEFT, first='rans256')
    case('unit-up', 66, predictor=UP, tile_row=11, first='classes', rest='classes')
    case('other-predictors', 66, tile_row=11, planes=[P('huffman', LEFT), P('classes', UP)])
    case('unused', 66, planes=[P('huffman'), P()])
    case('fill', 300, rows=many, scales=randoms(93, 8))

    # S records in several forms.
    for name, how in [('constant', {'planes': [P('constant')]}), ('huffman', {'planes': [P('huffman', s=1)]}),
                      ('sparse', {'planes': [P('sparse', c=60)]}), ('filler', {'filler': 3}),
                      ('rans16', {'planes': [P('rans16', k=1)]}), ('rans256', {'planes': [P('rans256', LEFT)]}),
                      ('left', {'predictor': LEFT, 'planes': [P('raw', LEFT)]}),
                      ('up', {'predictor': UP, 'planes': [P('huffman', UP)], 'tile_row': 4}),
                      ('row-unused', {'tile_row': 1 << 40})]:
        case('s-' + name, 40, scales=bytes([60] * 11) if name == 'constant' else W11, s_how=how)


def good_classes():
    def case(name, n, split='BF16', first=None, second=None, **more):
        """`first`, `second`: how these planes are coded."""
        planes = [first or P('raw', SCALE), second or P()]
        planes += [P()] * (len(SPLITS[split][2](0, 0)) - 2)
        good('classes-' + name, [Original(segments=[scaled_segment(n, split, planes=planes, **more)])])

    for k in range(3):
        for n in (1, 63, 65, 200) if k == 0 else ((64 << k) - 1, (64 << k) + 1, 3 * (64 << k) + 5):
            case('k%d-n%d' % (k, n), n, first=P('classes', SCALE, k=k))
        case('k%d-exceptions' % k, (128 << k) + 9, 'F8_E4M3', P('classes', SCALE, top=3, k=k),
             P('classes', top=5, k=k))
        case('k%d-exceptions-apart' % k, (64 << k) + 300, 'F8_E4M3', P('huffman'),
             second=P('classes', k=k, places=(0, 127, 128, 129, (64 << k) + 299)))
        case('k%d-lone-exception' % k, (64 << k) + 200, 'F8_E4M3', second=P('classes', k=k, places=(190,)))
    for predictor, name in (NONE, 'none'), (LEFT, 'left'), (UP, 'up'):
        case('without-scale-' + name, 120, first=P('classes', predictor), tile_row=15)
    # Frequencies of 255, symbols that a class lacks, values twice, places of no symbol, classes that no value has.
    values, skew = [0, 1, 2, 3, 254, 255, 1], [[0, 255, 1], [255, 0, 0, 0, 1], [40, 50, 60, 70, 20, 6, 10],
                                               [16, 100, 0, 40, 0, 0, 100]]
    case('skewed', 150, first=P('classes', SCALE, value=values, freqs=skew))
    case('all-exceptions', 70, first=P('classes', SCALE, k=1, value=[99, 98], freqs=[[255, 1], [1, 255]] * 2))
    case('holes', 90, first=P('classes', SCALE, value=[0] * 5 + [1, 0, 2, 0, 3, 0, 0, 255, 0, 0, 4], freqs=[
        [0] * 5 + [100, 0, 100, 0, 56], [0] * 12 + [200, 0, 0, 56],
        [100, 0, 0, 0, 0, 56, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100], [0] * 7 + [128, 0, 128]]))
    case('16-symbols', 260, second=P('classes', k=1, value=range(16), freqs=[[16] * 16] * 4,
                                     stand=[3, 15, 0]))
    case('one-class', 90, first=P('classes', SCALE), scales=bytes([32] * 9), rows=bytes([30] * 12))
    case('q-wraps', 150, first=P('classes', SCALE), scales=randoms(94, 9), rows=randoms(95, 18))
    case('three-planes', 90, 'F16', P('classes', SCALE), P('classes'))

    # Classes by the first plane: with scales and without.
    for split in 'NIBBLES', 'F8_E4M3':
        for chosen in 0, 0xE4E4E4E4, 0xFFFFFFFF:
            for predictor in (NONE, LEFT, UP) if chosen == 0xE4E4E4E4 else (NONE,):
                good_tile('classes-first-%s-%08x-%s' % (split.lower(), chosen, 'nlu'[predictor]), bells(
                    chosen & 7, 130, 90, 40), split, [P('huffman', predictor), P(
                        'classes', predictor, source=1, chosen=chosen)], tile_row=10)
        for k in range(3):
            good_tile('classes-first-%s-k%d' % (split.lower(), k), randoms(96 + k, (64 << k) + 77), split, [
                P('raw'), P('classes', source=1, chosen=0x1B93C6D2, k=k, top=9)])
        good_tile('classes-first-%s-n1' % split.lower(), b'\xa7', split, [
            P('constant'), P('classes', source=1, chosen=1 << 20)])
        case('first-%s-scaled' % split.lower(), 120, split, P('rans16', SCALE),
             P('classes', source=1, chosen=0x7E19A2C4))
        case('first-%s-after-classes' % split.lower(), 120, split, P('classes', SCALE),
             P('classes', SCALE, source=1, chosen=0x7E19A2C4, k=1))
    for split in 'BF16', 'F16', 'F8_E5M2', 'WORD16', 'F32':     # wider first planes
        good_tile('classes-first-' + split.lower(), randoms(107, 80 * SPLITS[split][1]), split, [
            P(), P('classes', source=1, chosen=0x1B93C6D2, base=77)]
            + [P()] * (len(SPLITS[split][2](0, 0)) - 2))
    good_tile('classes-first-for-third-plane', randoms(108, 160), 'F16', [
        P(), P(), P('classes', source=1, chosen=0x7E19A2C4, base=250)])
    for split in 'BF16_4', 'F16_4', 'F32_4':
        rest = [P()] * (len(SPLITS[split][2](0, 0)) - 2)
        by_first = P('classes', source=1, chosen=0x1B93C6D2 << 96 | 0x7E19A2C4 << 64 | 0xE4 << 32 | 7 << 20, base=9)
        good_tile('split-%s-rans' % split.lower(), randoms(110, 150 * SPLITS[split][1]), split,
                  [P('rans16')] * 2 + rest)
        good_tile('split-%s-classes' % split.lower(), randoms(111, 300 * SPLITS[split][1]), split,
                  [P('rans16'), P('classes', source=1, chosen=0x1B93C6D2, base=3, k=1)] + rest)
        case('first-%s-scaled' % split.lower(), 200, split, P('classes', SCALE), by_first)
        case('first-%s-not-scaled' % split.lower(), 130, split, P('raw'), by_first)
        case('first-%s-scaled-after' % split.lower(), 90, split, P('rans256', SCALE),
             P('classes', SCALE, source=1, chosen=0x7E19A2C4, base=31))
    good_tile('classes-first-unit-left', bells(97, 150, 90, 40), 'NIBBLES', [
        P('rans16'), P('classes', LEFT, source=1, chosen=0x1B93C6D2)], predictor=LEFT)


def good_groups():
    def one(name, *segments, **how):
        good('groups-' + name, [Original(name.encode(), segments)], **how)

    def matrix(name=b'w', n=165, T=33, per=2, groups=None, split='BF16', scales=W11, first='rans16', row=None,
               rest='raw', **how):
        """A tensor of rows of `row` units, in groups."""
        unit = SPLITS[split][1]
        data = scaled(len(name) + n, n, split, scales, ROWS)
        groups = groups if groups is not None else [scales] * 9
        tiles = -(-n // T) if T >= (row or 11) else n // row * -(-row // T)
        return Segment(data, unit=unit, row=row or 11, T=T, split=split, per=per, name=name, matrix=ROWS,
                       groups=groups[:-(-tiles // per)], planes=planes_of(split, first, rest), **how)

    def mixed(groups, n=165, T=33, per=2, scales=W11):
        """A tensor some of whose groups have an S record."""
        data, tiles = scaled(98, n, 'BF16', scales, ROWS), []
        for i, a in enumerate(range(0, n, T)):
            b, w = min(a + T, n), len(scales)
            how = {'planes': [P('huffman'), P()]}
            if groups[i // per] is not None:
                how = {'planes': planes_of('BF16', 'rans16'), 'scales': groups[i // per], 'phase': a % w,
                       'rows': ROWS[a // w:(b - 1) // w + 1]}
            if i == 1:
                how = {}
            tiles.append(tile(data[2 * a:2 * b], 'BF16', **how))
        return Segment(data, unit=2, row=11, T=T, tiles=tiles, per=per, columns=len(scales), groups=groups)

    other = bells(99, 11, 90, 20)
    for per in 1, 2, 3, 5, 6, (1 << 64) - 1:
        one('per-%d' % per, matrix(per=per))
    one('of-other-scales', mixed([W11, other, W11[::-1]]))
    one('second-has-none', mixed([W11, None, other]))
    one('first-has-none', mixed([None, W11, None]))
    one('none-has-one', mixed([None] * 3))
    one('none-has-one-again', mixed([None] * 3), matrix(per=4))
    one('unused', Segment(bumpy(90), T=30, per=2, columns=12, groups=[randoms(9, 12), randoms(8, 12)]))
    # Rows of the tiles that are not rows of the matrix.
    one('row-16', matrix(n=160, T=32, row=16))
    one('row-7', matrix(n=140, T=28, row=7, first='classes'))
    one('row-cut', matrix(n=120, T=9, row=24, per=4))
    one('row-cut-to-1', matrix(n=12, T=1, row=4, first='constant', rest='constant'))
    one('row-33', matrix(n=165, T=33, row=33, rest='classes'))
    one('shape-f32', matrix(n=96, T=24, row=12, split='F32', name=b'v', per=3))
    one('shape-e4m3', matrix(n=200, T=40, row=20, split='F8_E4M3', rest='classes'))
    one('last-shorter', matrix(n=149, T=44))
    one('columns-of-max-tile', matrix(n=75, T=15, row=15, scales=bells(3, 64, 60, 9), per=9), max_tile=64)
    one('columns-8-of-max-tile-8', matrix(n=24, T=4, row=4, scales=bells(3, 8, 60, 9), per=2), max_tile=8)
    typed = scaled(7, 144, 'BF16', W11, ROWS)
    one('dtype', Segment(typed, 'BF16', (6, 24), b'w', T=48, split='BF16', planes=planes_of('BF16', 'rans16'),
                         per=2, groups=[W11, W11], matrix=ROWS))
    one('split-of-other-units', Segment(typed, unit=2, row=24, T=48, per=3, columns=11, groups=[W11], tiles=[
        tile(typed[:96], 'BYTE', [P('classes')], scales=W11, phase=3, rows=ROWS[:9]),
        tile(typed[96:192], 'NIBBLES', [P('raw'), P('classes', UP, source=1, chosen=77)], tile_row=4),
        tile(typed[192:], 'WORD32', [P('raw', SCALE)] * 4, scales=W11, phase=10, rows=ROWS[:4])]))
    one('segments', Segment(bumpy(40)), matrix(b'a'), matrix(b'b', scales=other), Segment(), Segment(bumpy(20)),
        matrix(b'c', n=77, first='classes', per=1, gap=note(7)), Segment(gap=note(3)), matrix(b'd'))
    good('groups-originals', [Original(b'a', [matrix()], before=note(6)), Original(b'b'),
                              Original(b'c', [matrix(b'a', n=66), matrix(b'b', first='classes')], sha=False)],
         before_index=note(9), after_index=note(2))
    # An index in several records, whose parts end among the numbers of groups.
    z = ord('z')
    layers = [Segment(name=b'z' * 65000), Segment(name=b'z' * 500)]
    layers += [matrix(b'w%d' % i, n=66, per=1 + i % 3, first='sparse' if i % 2 else 'raw') for i in range(12)]
    one('index-in-pieces', *layers, index_planes=[P('sparse', c=z)] * 2)
    one('index-coded', *layers[2:], index_planes=[P('rans256')])


def near(offset, size, unit=1):
    """Bytes of the base, some of them changed a little, some much."""
    r = Random(offset + size)
    data = bytearray(BASE[offset:offset + size])
    for i in range(0, size, unit):
        if r.below(5) == 0:
            data[i] = (data[i] + r.below(7) - 3) % 256
        if r.below(40) == 0:
            data[i:i + unit] = randoms(i, unit)
    return bytes(data)


def good_base():
    put('base.bin', BASE)

    def case(name, size, split='BYTE', planes=None, predictor=BASE_XOR, base_offset=0, base=True, **how):
        unit = SPLITS[split][1]
        segment = Segment(near(base_offset, size, unit), unit=unit, split=split, planes=planes, predictor=predictor,
                          base_offset=base_offset, **how)
        good('base-' + name, [Original(segments=[segment])], base=base)

    for split in sorted(SPLITS):
        unit = SPLITS[split][1]
        for predictor, word in (BASE_XOR, 'xor'), (BASE_DIFFERENCE, 'difference'):
            case('%s-%s' % (word, split.lower()), 33 * unit, split, predictor=predictor, base_offset=40)
    for split, unit in ('BYTE', 1), ('WORD16', 2), ('WORD32', 4), ('WORD64', 8):
        planes = [P('sparse', c=0)] * unit
        case('sparse-xor-%s' % split.lower(), 250 * unit, split, planes, base_offset=900)
        planes = [P('sparse', c=128)] * unit
        case('sparse-difference-%s' % split.lower(), 250 * unit, split, planes, BASE_DIFFERENCE, base_offset=700)
    case('all-of-it', len(BASE))
    case('last-byte', 1, base_offset=len(BASE) - 1)
    case('odd-offset', 300, 'WORD32', base_offset=777)
    case('planes-predicted', 200, 'BF16', [P('huffman', LEFT), P('rans16', UP)], BASE_DIFFERENCE, tile_row=9)
    same = Segment(BASE[100:300] * 3, unit=2, T=100, tiles=[
        tile(BASE[100:300], 'BF16', [P('constant')] * 2, predictor=BASE_XOR, base_offset=100),
        tile(BASE[100:300], 'WORD16', [P('constant')] * 2, predictor=BASE_DIFFERENCE, base_offset=100),
        tile(BASE[100:300], 'WORD16')])
    good('base-same', [Original(segments=[same])], base=True)
    scaled_one = Segment(near(0, 132), unit=2, tiles=[tile(near(0, 132), 'BF16', [
        P('rans16', SCALE), P()], predictor=BASE_XOR, scales=W11, rows=ROWS[:6])], T=66, per=1, groups=[W11])
    good('base-scaled', [Original(segments=[scaled_one])], base=True)
    good('base-unused', plain(), base=True)
    blocks = like_q4_0(98, 10)
    changed = near(50, 180)
    good('base-and-blocks', [Original(segments=[
        Segment(blocks, 'Q4_0', (320,), b'blocks', row=18, fields=[D(2, 'F16'), D(16)]),
        Segment(changed, 'Q4_0', (320,), b'bytes of blocks', row=18,
                planes=[P('huffman')], predictor=BASE_XOR, base_offset=50)])],
         base=True, edit={'header.features': u32(6)})
    good('base-without-originals', [], base=True)
    for name, what in (b'', 'empty'), (b'n' * 300, 'long'), (b'\0/..\\\xff', 'strange'):
        good('base-name-' + what, plain(predictor=BASE_XOR), base=b_record(name))


def bad_base():
    def of_record(name, made, status='corrupt', originals=None):
        bad('base-' + name, status, originals or plain(predictor=BASE_XOR), base=made)

    def edited(name, edit, status='corrupt'):
        of_record(name, b_record(edit=edit), status)

    # The record
    of_record('record-missing', b'')
    bad('base-record-twice', 'corrupt', plain(predictor=BASE_XOR), folder='bad_stream', base=b_record() * 2)
    of_record('record-behind-o', b'', originals=[Original(o_record=record(b'O', b'\2\1x') + b_record(),
                                                         segments=[Segment(SMALL)])])
    of_record('record-behind-note', note() + b_record())
    of_record('record-reserved', record(b'A', b'abc'), 'unsupported')
    of_record('record-padding', b_record()[:-1] + b'\1')
    bad('base-record-without-feature', 'corrupt', [Original(segments=[Segment(SMALL)], before=b_record())],
        folder='bad_stream')
    bad('base-record-at-end', 'corrupt', plain(), folder='bad_stream', base=True, before_index=b_record())
    edited('name-size-long', {'name size': varint(8, 2)})
    edited('name-size-more', {'name size': varint(60)})
    edited('name-size-2-64', {'name size': varint((1 << 64) - 1)})
    edited('name-size-less', {'name size': varint(7)})
    edited('size-long', {'size': varint(len(BASE), 3)})
    edited('sha-short', {'sha': bytes(31)})
    edited('left-over', {'tail': b'\0'})
    edited('cut', {'size': b'', 'sha': b''})
    of_record('empty', record(b'B', b''))
    edited('name-size-65001', {'name size': varint(65001)})
    of_record('size-other', b_record(size=len(BASE) + 1), 'base')
    of_record('size-0', b_record(size=0), 'base')
    of_record('size-2-64', b_record(size=(1 << 64) - 1), 'base')

    # Tiles
    def case(name, status='corrupt', base=True, **how):
        bad('base-tile-' + name, status, plain(**how), base=base)
    for predictor, word in (BASE_XOR, 'xor'), (BASE_DIFFERENCE, 'difference'):
        case(word + '-without-feature', base=None, predictor=predictor)
        case(word + '-of-plane', planes=[P('raw', NONE)], edit={'plane0': bytes([predictor << 5])})
        case(word + '-offset-beyond', predictor=predictor, base_offset=len(BASE) - len(SMALL) + 1)
        case(word + '-offset-2-64', predictor=predictor, base_offset=(1 << 64) - 1)
        case(word + '-offset-wraps', predictor=predictor, base_offset=(1 << 64) - len(SMALL))
        case(word + '-offset-long', predictor=predictor, edit={'base offset': varint(0, 2)})
        case(word + '-offset-65-bits', predictor=predictor, edit={'base offset': b'\xff' * 9 + b'\2'})
        case(word + '-other-base', 'checksum', predictor=predictor, base=True, base_offset=0,
             tiles=[tile(SMALL, predictor=predictor, base=BASE[1:])])
        bad('index-base-' + word, 'corrupt', plain(), base=True, index_edit={'flags': bytes([predictor])})
        scaled_one = [Original(segments=[scaled_segment(66, s_how={'edit': {'flags': bytes([predictor])}})])]
        bad('base-scales-' + word, 'corrupt', scaled_one, base=True)


def good_copies():
    def one(name, *segments, **how):
        good('copies-' + name, [Original(name.encode(), segments)], **how)

    a, b = randoms(120, 30), randoms(121, 30)
    one('next', Segment(a + a, T=30, tiles=[tile(a), copy(a, 30)]))
    one('many', Segment(a + b + a + b + a, T=30, tiles=[tile(a), tile(b), copy(a, 60), copy(b, 60), copy(a, 120)]))
    one('last-is-none', Segment(a + a + a[:7], T=30, tiles=[tile(a), copy(a, 30), tile(a[:7])]))
    one('of-one-byte', Segment(b'ab' * 3, T=1, tiles=[tile(b'a'), tile(b'b'), copy(b'a', 2), copy(b'b', 2),
                                                      copy(b'a', 4), copy(b'b', 4)]))
    one('other-segment', Segment(a, name=b'a'), Segment(), Segment(a, unit=2, name=b'b', tiles=[copy(a, 30)]),
        Segment(b + a, T=30, gap=note(3), tiles=[tile(b), copy(a, 90)]))
    one('other-split', Segment(a, tiles=[tile(a, 'BF16')]), Segment(a, unit=1, tiles=[copy(a, 30)]))
    good('copies-originals', [Original(b'a', [Segment(a)]), Original(b'b'),
                              Original(b'c', [Segment(a, tiles=[copy(a, 30)])]),
                              Original(b'd', [Segment(b), Segment(a, tiles=[copy(a, 90)])], from_parts=True)])
    # Scales: of the tile that is copied, of the copy's own group, of neither.
    w = scaled(122, 66, 'BF16', W11, ROWS)
    other = bells(123, 11, 90, 20)

    def scaled_tile(data, scales):
        return tile(data, 'BF16', planes_of('BF16', 'rans16'), scales=scales, phase=0, rows=ROWS[:len(data) // 22])
    one('of-scaled', Segment(w, unit=2, row=11, T=66, per=1, groups=[W11], tiles=[scaled_tile(w, W11)]),
        Segment(w, unit=2, row=11, T=66, tiles=[copy(w, 132)], name=b'c'))
    one('scaled-behind',
        Segment(w[:66], unit=2, row=11, T=33, per=1, groups=[W11], tiles=[scaled_tile(w[:66], W11)]),
        Segment(w, unit=2, row=11, T=33, per=2, groups=[other],
                tiles=[copy(w[:66], 66), scaled_tile(w[66:], other)], name=b'c'))
    one('in-group', Segment(w[:66] + w, unit=2, row=11, T=33, per=2, columns=11, groups=[W11, None],
                            tiles=[scaled_tile(w[:66], W11), copy(w[:66], 66), tile(w[66:], 'BF16')]))
    one('group-of-copies', Segment(w[:66] * 4, unit=2, row=11, T=33, per=2, groups=[W11, other],
                                   tiles=[scaled_tile(w[:66], W11)] + [copy(w[:66], 66 * i) for i in (1, 2, 3)]))


def palette_of(seed, n, unit, count):
    """n units of `count` different ones, and these."""
    r = Random(seed)
    units = set()
    while len(units) < count:
        units.add(r.u64() >> 64 - 8 * unit)
    units = sorted(units)
    return b''.join(units[r.below(count)].to_bytes(unit, 'little') for _ in range(n)), units


def as_bf16(x):
    """A float to BF16, of FP32."""
    bits = struct.unpack('<I', struct.pack('<f', x))[0]
    return u16(bits + 0x7fff + (bits >> 16 & 1) >> 16)


def float_of(scale):
    return struct.unpack('<f', u32(scale))[0]


def dequantised(indices, zero, run, scales, to_bytes):
    """Units by the machine's own floating point: FP32 holds the product of two FP64 numbers rounded once."""
    return b''.join(to_bytes(struct.unpack('<f', struct.pack('<f', float_of(scales[i // run]) * (v - zero)))[0])
                    for i, v in enumerate(indices))


LINEAR_TO = {'LINEAR_BF16': as_bf16, 'LINEAR_F16': lambda x: struct.pack('<e', x),
             'LINEAR_F32': lambda x: struct.pack('<f', x)}


def linear_tile(split, indices, scales, size=4, run=None, zero=0, w=8, plane=None, **how):
    run = run or len(indices)
    data = dequantised(indices, zero, run, scales, LINEAR_TO[split])
    return data, tile(data, split, [plane or P()], linear=(scales, size, run, zero, w, indices), **how)


def good_palettes():
    def one(name, unit, count, n=90, coder='raw', predictor=NONE, palette=None, **how):
        data, units = palette_of(count + n, n, unit, count)
        if palette:
            units = sorted(set(units) | set(palette))
        split = 'PALETTE%d' % (8 * unit)
        good('palette-' + name, [Original(segments=[Segment(data, unit=unit, tiles=[
            tile(data, split, [P(coder, predictor)], palette=units, **how)])])])

    for unit, counts in (2, (1, 2, 3, 4, 5, 16, 17, 128, 129, 256)), (4, (1, 2, 16, 17, 256)), (8, (1, 5, 256)):
        for count in counts:
            one('%d-of-%d' % (count, unit), unit, count, 90)
    for coder in 'constant', 'sparse', 'huffman', 'rans16', 'rans256':
        one(coder, 4, 1 if coder == 'constant' else 7, coder=coder)
    one('left', 4, 13, coder='huffman', predictor=LEFT)
    one('up', 2, 100, predictor=UP, tile_row=20)
    one('unused-units', 4, 5, palette=[0, 1, 0xffffffff])
    one('one-unit', 8, 1, 1)
    one('filler', 2, 9, filler=3)
    # Under predictors of whole units it is their residuals that are few.
    for name, predictor, split, unit in (('unit-left', LEFT, 'PALETTE32', 4), ('unit-up', UP, 'PALETTE16', 2),
                                         ('base-xor', BASE_XOR, 'PALETTE32', 4),
                                         ('base-difference', BASE_DIFFERENCE, 'PALETTE64', 8)):
        data, units = palette_of(150 + unit, 60, unit, 6)
        x = [int.from_bytes(data[i:i + unit], 'little') for i in range(0, len(data), unit)]
        based = predictor in (BASE_XOR, BASE_DIFFERENCE)
        for i in range(len(x)):
            if based:
                y = int.from_bytes(BASE[20 + i * unit:20 + (i + 1) * unit], 'little')
                x[i] = x[i] ^ y if predictor == BASE_XOR else x[i] + y - int('80' * unit, 16)
            elif i >= (1 if predictor == LEFT else 7):
                x[i] += x[i - (1 if predictor == LEFT else 7)]
            x[i] %= 1 << 8 * unit
        data = b''.join(v.to_bytes(unit, 'little') for v in x)
        made = tile(data, split, predictor=predictor, tile_row=7 if predictor == UP else None, palette=units,
                    base_offset=20)
        good('palette-' + name, [Original(segments=[Segment(data, unit=unit, tiles=[made])])], base=based or None)
    one('table-256-bytes', 4, 64)
    one('table-254-bytes', 2, 127)
    r = Random(130)
    f = 0x3a83126f                      # 0.001

    def linear(name, split, indices, scales, **how):
        data, made = linear_tile(split, indices, scales, **how)
        good('linear-' + name, [Original(segments=[Segment(data, unit=len(data) // len(indices), tiles=[made])])])

    all_of = [r.below(256) for _ in range(90)]
    few = [r.below(16) for _ in range(90)]
    for split in 'LINEAR_BF16', 'LINEAR_F16', 'LINEAR_F32':
        s = split[7:].lower()
        linear(s, split, all_of, [f], zero=128)
        linear(s + '-negative', split, all_of, [f | 1 << 31], zero=128)
        linear(s + '-zero-0', split, all_of, [f], zero=0)
        linear(s + '-zero-255', split, all_of, [f], zero=255)
        linear(s + '-runs', split, few, [0x3c000000 + r.below(1 << 23) for _ in range(9)], run=10, zero=8, w=4)
        linear(s + '-runs-huffman', split, few, [0x3c000000 + r.below(1 << 23) for _ in range(3)], run=30, zero=8,
               w=4, plane=P('huffman'))
        linear(s + '-runs-of-1', split, [r.below(256) for _ in range(40)], run=1, zero=99,
               scales=[r.below(0x40000000) for _ in range(40)])
        linear(s + '-runs-of-89', split, all_of, [0x3c000000 + r.below(1 << 23)] * 2, run=89, zero=3)
        linear(s + '-zeros', split, [0] * 40, [f | 1 << 31, f], run=20, zero=0, w=1)
        linear(s + '-zero-scale', split, [i % 4 for i in range(40)], [0, 1 << 31], run=20, zero=2, w=2)
        for size, mask in (1, 0xff000000), (2, 0xffff0000), (3, 0xffffff00):
            linear(s + '-bytes-%d' % size, split, all_of, [0x3d123456 & mask], size=size, zero=7)
        linear(s + '-width-5', split, [v % 32 for v in all_of], [f], zero=16, w=5, plane=P('rans16'))
    # Ties, subnormal numbers, and what becomes infinite where FP32 can not (of FP16 and BF16, rounded).
    linear('f32-subnormal', 'LINEAR_F32', all_of, [3, 0x7fffff, 0x800001, 0x1000001], run=24, zero=100)
    linear('bf16-subnormal', 'LINEAR_BF16', all_of, [3, 0x7fffff, 0x800001, 0x17fff], run=24, zero=100)
    linear('f16-subnormal', 'LINEAR_F16', all_of, [0x33000000, 0x33000001, 0x32ffffff, 0x35812345], run=24, zero=100)
    linear('bf16-ties', 'LINEAR_BF16', all_of, [0x3f808000, 0x3f818000, 0x3f80c000, 0x3f80ffff], run=24, zero=0)
    linear('f16-ties', 'LINEAR_F16', all_of, [0x3f801000, 0x3f803000, 0x3f801001, 0x3f800fff], run=24, zero=0)
    linear('bf16-twice', 'LINEAR_BF16', all_of, [0x3f000000 + 0x10101 * i for i in range(45)], run=2, zero=3)
    linear('f32-left', 'LINEAR_F32', few, [f], plane=P('huffman', LEFT), w=4, zero=8)
    inf = b'\0\0\x80\x7f'
    good('linear-f32-infinite', [Original(segments=[Segment(inf * 9, unit=4, tiles=[tile(
        inf * 9, 'LINEAR_F32', [P()], linear=([0x7f7fffff], 4, 9, 0, 8, [2, 255, 3, 4, 9, 8, 7, 6, 5]))])])])
    for split, scale, bits in ('LINEAR_BF16', 0x7f7fffff, 0x7f80), ('LINEAR_F16', 0x477ff000, 0x7c00):
        data = u16(bits) * 9
        good('linear-%s-infinite' % split[7:].lower(), [Original(segments=[Segment(data, unit=2, tiles=[tile(
            data, split, [P()], linear=([scale], 4, 9, 0, 8, [1, 255, 3, 4, 9, 8, 7, 6, 5]))])])])
TEXT = b'the cat sat on the mat; the dog sat on the cat; the mat sat on the dog. '


def good_lz():
    def case(name, data, split='BYTE', planes=None, **how):
        good_tile('lz-' + name, data, split, planes or [P('lz', **how)])

    case('text', TEXT)
    case('text-twice', TEXT * 2 + b'!')
    case('literals', bells(140, 200))
    case('n1', b'\x07')
    case('n2', b'\x07\x07', blocks=[[1, 1]])
    case('run', b'a' + b'b' * 300)
    for period in range(1, 21):
        case('period-%d' % period, bytes(range(40, 40 + period)) * 3 + bytes(range(40, 40 + 99))[:99 % period],
             blocks=[[period, (2 * period + (99 % period), period)]] if 2 * period + 99 % period > 1 else None)
    # every length up to 40, and some around the ends of their symbols
    lengths = list(range(2, 41)) + [49, 50, 51, 57, 58, 65, 66, 129, 130, 257, 258, 1025, 1026, 2049]
    data, steps = b'x' * 3, [3]
    for i, length in enumerate(lengths):
        data += bytes([65 + i % 7]) + data[len(data) + 1 - 3:][:1]
        steps.append(2)
        piece = b''
        while len(piece) < length:
            piece += (data + piece)[len(data) + len(piece) - 3:][:1]
        data += piece
        steps.append((length, 3))
    case('lengths', data, blocks=[steps])
    data, steps = randoms(141, 4200), [4200]
    for distance in list(range(1, 20)) + [31, 32, 33, 48, 49, 64, 65, 127, 128, 129, 1023, 1024, 1025, 2048, 2049, 4096,
                                          4097]:
        for _ in range(5):
            data += data[-distance:][:1]
        steps.append((5, distance))
    case('distances', data, blocks=[steps])
    case('distances-new', TEXT * 2, again=False)
    data, steps = b'abcdefgh', [8]
    for symbol, distance in [(2, 4), (2, 2), (2, 1), (1, 2), (0, 2), (1, 1), (2, 4), (5, 3), (2, 1), (1, 3), (1, 1)]:
        for _ in range(3):
            data += data[-distance:][:1]
        steps.append((3, distance, symbol))
    case('last-distances', data, blocks=[steps])
    case('last-distances-new', data, blocks=[[step if isinstance(step, int) else step[:2] for step in steps]],
         again=False)
    case('one-distance', TEXT[:5] * 9, blocks=[[5, (40, 5)]])
    case('one-distance-coded', TEXT[:5] * 9, blocks=[[5, (40, 5)]], distances={5: 1, 7: 1})
    case('span-wide', TEXT, span=(0, 255))
    half = len(TEXT)
    case('blocks', TEXT * 3, blocks=[lz_steps(TEXT, 8), [(half, half)], [half]])
    case('blocks-of-one', b'abcab', blocks=[[1], [1], [1], [(2, 3)]])
    case('block-without-literals', b'ab' * 30, blocks=[[2], [(10, 2), (12, 2), (36, 2)]])
    case('deep', bytes(x for k in range(12) for x in [k] * (1 << k)),
         blocks=[[4095]], lengths={k: min(12 - k, 11) for k in range(12)})
    for width in range(1, 8):
        few = bytes(x & (1 << width) - 1 for x in TEXT)
        split, plane = {4: ('NIBBLES', lambda v: v << 4 | 5), 5: ('F8_E5M2', lambda v: v << 2 | 1),
                        3: ('F8_E5M2', lambda v: (v & 4) << 5 | v & 3)}.get(width, (None, None))
        if split is None:
            continue
        case('width-%d' % width, bytes(map(plane, few)), split,
             [P(), P('lz')] if width == 3 else [P('lz'), P()])
    case('f32', b''.join(b'%c\0\x80\x3f' % c for c in TEXT), 'F32', [P('lz'), P('lz', LEFT), P('lz'), P('lz')])
    case('f16-4', units16(142, 60) * 2, 'F16_4', [P('lz'), P('lz'), P('lz')])
    good_tile('lz-up', TEXT * 2, 'BYTE', [P('lz', UP)], tile_row=8)
    good('lz-index', [Original(segments=[Segment(TEXT, name=b'tensor.%d' % k) for k in range(9)])],
         index_planes=[P('lz')])
    good('lz-scales', [Original(segments=[scaled_segment(66, planes=planes_of('BF16', 'lz', 'raw'))])])


def bad_lz():
    def case(name, data=TEXT, edit=None, status='corrupt', split='BYTE', **how):
        bad_payload('lz', name, status, data, edit, split, **how)

    half = len(TEXT)
    two = {'blocks': [[half], [(half, half)]]}
    case('empty', edit=dict.fromkeys(['m0', 'first0', 'last0', 'literals0', 'count0', 'lengths0', 'far0', 'distances0',
                                      'stream0'], b''))
    case('m-0', edit={'m0': b'\0'})
    case('m-less', edit={'m0': varint(half - 1)})
    case('m-more', edit={'m0': varint(half + 1)})
    case('m-long', edit={'m0': varint(half, 2)})
    case('m-wraps', edit={'m0': varint((1 << 64) - 1)})
    case('second-m-more', TEXT * 2, edit={'m1': varint(half + 1)}, **two)
    case('second-missing', TEXT * 2, edit=dict.fromkeys(['m1', 'first1', 'last1', 'literals1', 'count1', 'lengths1',
                                                         'far1', 'stream1'], b''), **two)
    case('first-above-last', edit={'first0': b'\x80'})
    case('last-too-wide', narrow(11, 50, [3, 4]), split='F8_E5M2', span=(3, 32))
    case('value-too-wide', narrow(11, 50, [3, 4]), split='F8_E5M2', span=(3, 255))
    case('no-code', edit={'literals0': nibbles([15, 15, 15, 15, 15, 15, 15, 15]), 'first0': b'\0', 'last0': b'\x47'})
    case('incomplete', b'abab', blocks=[[4]], lengths={97: 1, 98: 2})
    case('oversubscribed', b'abab', blocks=[[4]], edit={'literals0': nibbles([1, 1, 1]), 'last0': b'c'})
    case('oversubscribed-by-lengths', b'abab', blocks=[[4]], edit={'count0': b'\x01\x01\x80'})
    case('run-beyond-last', b'abab', blocks=[[4]], edit={'literals0': nibbles([1, 14, 0])})
    case('count-93', edit={'count0': b'\x5d'})
    case('count-255', edit={'count0': b'\xff'})
    case('far-0', edit={'far0': b'\0'})
    case('far-1', edit={'far0': b'\1'})
    case('far-52', edit={'far0': b'\x34'})
    case('far-127', edit={'far0': b'\x7f'})
    case('far-alone-51', TEXT[:5] * 9, edit={'far0': b'\xb3'}, blocks=[[5, (40, 5)]])
    case('far-alone-255', TEXT[:5] * 9, edit={'far0': b'\xff'}, blocks=[[5, (40, 5)]])
    case('far-incomplete', TEXT[:5] * 9, blocks=[[5, (40, 5)]], distances={5: 1, 7: 2})
    case('far-none', TEXT[:5] * 9, blocks=[[5, (40, 5)]], distances={5: 1, 7: 1}, edit={'distances0': nibbles([15, 5])})
    case('distance-before-plane', TEXT[:5] * 9, blocks=[[5, (40, 6)]])
    case('distance-before-plane-first', b'\0' * 20, blocks=[[(20, 1)]])
    case('distance-last-before-plane', b'abcd', blocks=[[2, (2, 4, 2)]])
    case('distance-largest', TEXT[:5] * 9, blocks=[[5, (40, 1 << 24)]])
    case('length-beyond-block', TEXT * 2, edit={'m1': varint(half - 1)}, **two)
    case('length-beyond-first-block', TEXT[:5] * 9 + b'!', blocks=[[5, (40, 5)], [1]], edit={'m0': varint(44)})
    case('stream-cut', edit={'stream0': lambda p: p[:-1]})
    case('stream-missing', edit={'stream0': b''})
    case('stream-byte-more', edit={'stream0': lambda p: p + b'\0'})
    case('second-stream-byte-more', TEXT * 2, edit={'stream1': lambda p: p + b'\0'}, **two)
    case('fill-bits', b'abbaa', blocks=[[5]], edit={'stream0': lambda p: bytes([p[0] | 0x80])})
    case('fill-bit-lowest', b'abbaa', blocks=[[5]], edit={'stream0': lambda p: bytes([p[0] | 0x20])})
    case('cut-in-literals', edit=dict.fromkeys(['count0', 'lengths0', 'far0', 'distances0', 'stream0'], b'')
         | {'literals0': lambda p: p[:3]})
    case('cut-before-count', edit=dict.fromkeys(['count0', 'lengths0', 'far0', 'distances0', 'stream0'], b''))
    case('cut-before-far', edit=dict.fromkeys(['far0', 'distances0', 'stream0'], b''))


def like_q4_0(seed, blocks):
    """Blocks of a scale and 32 numbers of four bits."""
    r = Random(seed)
    return b''.join(u16(0x2400 + r.below(4) * 1024 + r.below(1024)) + bytes(
        (r.below(8) + r.below(8)) * 16 + r.below(8) + r.below(8) for _ in range(16)) for _ in range(blocks))


def good_blocks():
    edit = {'header.features': u32(4)}

    def case(name, data, fields, features=4, **how):
        one = tile(data, fields=fields, **how)
        good('blocks-' + name, [Original(segments=[Segment(data, tiles=[one])])],
             edit={'header.features': u32(features)})

    data = like_q4_0(90, 60)
    f16 = [P('huffman'), P('huffman'), P()]
    case('q4_0', data, [D(2, 'F16', f16), D(16, 'NIBBLES', [P('rans16'), P('huffman')])])
    case('q4_0-raw', data, [D(2), D(16)])
    case('with-feature-mix', data, [D(2), D(16, 'NIBBLES')], features=5)
    case('one-block', data[:18], [D(2, 'F16'), D(16)])
    case('one-field', data, [D(18)])
    case('of-one-byte', data, [D(1, 'BYTE', [P('huffman')])])
    case('largest', bytes(4096), [D(4095, 'BYTE', [P('constant', LEFT)]), D(1)])
    case('constant', bytes(i % 6 for i in range(120)), [D(1, 'BYTE', [P('constant')])] * 6)
    case('16-fields', randoms(91, 320), [D(1, planes=[P(predictor=i % 3)], row=4 + i) for i in range(16)])
    unit = {name: SPLITS[name][1] for name in SPLITS}
    names = [name for name in SPLITS if name != 'BYTE']
    case('every-split', randoms(92, 8 * sum(unit[name] for name in names)), [D(unit[name], name) for name in names])
    case('every-split-left', randoms(93, 9 * sum(unit[name] for name in names)),
         [D(unit[name], name, predictor=LEFT) for name in names])
    case('up', data, [D(2, 'WORD16', predictor=UP, row=6), D(16, 'BYTE', [P('huffman', UP)], row=96)])
    case('row-of-no-use', data, [D(2, 'WORD16', row=1), D(16, row=(1 << 64) - 1)])
    case('longest-fields', randoms(94, 16 * 8 * 3), [D(8, 'WORD64', row=(1 << 64) - 1 - i) for i in range(16)])
    case('field-of-half-units', randoms(95, 40), [D(1, 'WORD32'), D(3, 'WORD16'), D(6)])
    case('classes', data, [D(2, 'F16'), D(16, 'NIBBLES', [P('huffman'), P('classes', source=1)])])
    case('mix', data, [D(2, 'F16', [P('mix', kind='exponents', centre=9), P('mix', kind='mantissas', top=2), P()], row=6),
                       D(16, planes=[P('mix', kind='integers', zero=119, top=2)], row=96)], features=5)
    case('packed', data, [D(2, 'F16', [P('packed'), P(), P()]), D(16)])
    case('filler', data, [D(2), D(16)], filler=5)
    for size in 85, 86, 88, 91:                     # payloads of 256 bytes and more, at some distance
        wide = randoms(size, 12 * size)
        case('fill-%d' % (size % 8), wide, [D(3), D(4, 'WORD32'), D(5, 'NIBBLES')])
    other = like_q4_0(96, 40)
    good('blocks-cut', [Original(segments=[
        Segment(other, 'Q4_0', (4, 320), b'whole rows', row=180, T=360, fields=[D(2, 'F16'), D(16)]),
        Segment(other, 'Q4_0', (1280,), b'a row in pieces', row=720, T=270, fields=[D(2), D(16, 'NIBBLES')]),
        Segment(other, 'Q4_0', (1, 1, 1280), b'not at blocks', row=720, T=250),
        Segment(data, 'BYTES', (), b'bytes', fields=[D(2), D(16)])])], edit=edit)
    good('blocks-dtypes', [Original(segments=[
        Segment(randoms(i, 2 * size), name, (2, elements), name.encode(), row=size)
        for i, (name, (_, elements, size)) in enumerate(sorted(BLOCK_DTYPES.items()))])])
    good('blocks-nothing', [Original(segments=[
        Segment(b'', 'Q4_0', (0,)), Segment(b'', 'Q4_K', (1 << 40, 1 << 40, 0), row=5),
        Segment(b'', 'Q8_0', (0, 1 << 40)), Segment(data, 'Q4_0', (60, 32), row=18)])])


def bad_blocks():
    data = like_q4_0(97, 10)
    fields = [D(2, 'F16'), D(16, 'NIBBLES')]

    def case(name, status='corrupt', data=data, fields=fields, features=4, base=None, **how):
        one = tile(data, fields=fields, **how)
        bad('blocks-' + name, status, [Original(segments=[Segment(data, tiles=[one])])], base=base,
            edit={'header.features': u32(features)})

    case('without-feature', features=0)
    case('without-feature-but-mix', features=1)
    case('no-fields', edit={'fields': b'\0'})
    case('fields-17', fields=[D(1)] * 10, edit={'fields': bytes([17]), 'widths': b'\1' * 17})
    case('fields-more', edit={'fields': b'\3'})
    case('width-0', edit={'widths': b'\0\x12'})
    case('width-long', edit={'widths': b'\x82\0\x10'})
    case('widths-other', edit={'widths': b'\4\x10'})
    case('widths-moved', edit={'widths': b'\4\x0e'})
    case('block-4097', data=bytes(4097), fields=[D(4096, planes=[P('constant')]), D(1)])
    case('width-huge', edit={'widths': varint((1 << 64) - 16) + b'\x10'})
    case('n-less', edit={'n': varint(162)})
    case('n-more', edit={'n': varint(198)})
    case('n-not-whole', edit={'n': varint(179)})
    for number, status in (14, 'corrupt'), (15, 'corrupt'), (20, 'corrupt'), (21, 'unsupported'), (255, 'unsupported'):
        case('field-split-%d' % number, status, fields=[D(2, 'F16'), D(16, 'BYTE', number=number)])
    for bit in 4, 5, 6, 7:
        case('field-flags-%d' % bit, fields=[D(2, 'F16'), D(16, flags=1 << bit)])
    case('field-predictor-scale', fields=[D(2, 'F16'), D(16, flags=SCALE)])
    for number in 4, 5:                 # known, but a field has no base, be there one or not
        case('field-predictor-%d' % number, fields=[D(2, 'F16'), D(16, flags=number)])
        case('field-predictor-%d-with-base' % number, fields=[D(2, 'F16'), D(16, flags=number)], features=6, base=True)
    for number in 6, 7:
        case('field-predictor-%d' % number, 'unsupported', fields=[D(2, 'F16'), D(16, flags=number)])
    case('field-row-0', fields=[D(2, 'F16', row=0), D(16)])
    case('field-up-without-row', fields=[D(2, 'F16'), D(16, flags=UP)])
    case('plane-up-without-row', edit={'plane1.0': bytes([UP << 5])})
    case('plane-scale', edit={'plane0.0': bytes([SCALE << 5])})
    case('classes-of-scales', fields=[D(2), D(16, 'NIBBLES', [P(), P('classes', source=1)])],
         edit={'payload1.1': lambda p: b'\0' + p[1:81] + bytes(17) + p[98:]})
    case('field-of-no-units', data=data[:9 * 18], fields=[D(1), D(17)], edit={'field0': b'\1\0'})
    case('plane-missing', edit={'field0': b'\7\0'})
    case('row', tile_row=5)
    case('predictor', edit={'flags': bytes([LEFT])})
    for number in BASE_XOR, BASE_DIFFERENCE:
        case('predictor-%d' % number, edit={'flags': bytes([number])}, features=6, base=True)
        case('predictor-%d-offset' % number, predictor=number, features=6, base=True)
    case('scaled', edit={'flags': bytes([128])})
    case('coder', 'unsupported', edit={'plane1.1': bytes([31])})
    case('mix', edit={'plane1.1': bytes([7])})
    case('crc', 'checksum', edit={'crc': lambda crc: bytes([crc[0] ^ 1]) + crc[1:]})
    case('payload-changed', 'checksum', edit={'payload1.0': lambda p: bytes([p[0] ^ 1]) + p[1:]})
    case('size-less', edit={'size1.1': varint(95)})
    case('size-moved', edit={'size1.0': varint(95), 'size1.1': varint(97)})
    case('raw-size-moved', fields=[D(2), D(16)], edit={'size0.0': varint(19), 'size1.0': varint(161)})
    case('left-over', edit={'tail': bytes(8)})
    case('filler-not-zero', filler=3, edit={'filler': b'\0\1\0'})
    wide = like_q4_0(98, 40)
    case('fill-not-zero', data=wide, fields=[D(2), D(16)], edit={'fill1.0': lambda fill: b'\1' * len(fill)})
    case('fill-missing', data=wide, fields=[D(2), D(16)], edit={'fill1.0': b''})
    record_body = tile(data, fields=fields)[3:]
    for size in 6, 7, 8, 9, 10, 11, 12, 13, 16, 20:
        bad('blocks-body-cut-%d' % size, 'corrupt',
            [Original(segments=[Segment(data, tiles=[record(b'T', record_body[:size])])])],
            edit={'header.features': u32(4)})
    original = [Original(segments=[Segment(SMALL)])]
    one = {'header.features': u32(4)}
    put('bad/blocks-of-index.corrupt.wcodec', container(original, edit=one, index_fields=[D(1)]))
    scales = tile(W11, kind=b'S', fields=[D(1)])
    bad('blocks-of-scales', 'corrupt', [Original(segments=[scaled_segment(40, s_records=[scales])])], edit=one)

    def index(name, dtype='Q4_0', shape=(2, 32), status='corrupt', data=data[:36], unit=1, **edit):
        segment = Segment(data, dtype, shape, unit=unit, row=1)
        bad('index-blocks-' + name, status, [Original(segments=[segment])],
            edit={'index.s0.' + field.replace('_', ' '): value for field, value in edit.items()})

    index('shape-less', shape=(1, 32))
    index('shape-more', shape=(3, 32))
    index('part-of-a-block', shape=(64, 1))
    index('last-dimension-48', shape=(1, 48))
    index('rank-0', shape=())
    index('unit-2', unit=2)
    index('shape-wraps', shape=(1 << 60, 1 << 60, 32))
    index('size-of-2-61', shape=((1 << 61) // 9, 64), size=varint((1 << 61) // 9 * 36))
    for dtype in 'Q4_0', 'Q2_0':
        segment = Segment(data[:36], dtype, (2, 32), row=1)
        segment.explicit = False
        bad('index-blocks-%s-without-size' % dtype, 'corrupt', [Original(segments=[segment])])


def good_example():
    """The container that the specification shows as a hex dump."""
    exponents = [127 - abs(row - column) for row in range(4) for column in range(6)]
    tensor_bytes = b''.join(u16(e << 7) for e in exponents)
    text = b'{"w":{"dtype":"BF16","shape":[4,6],"data_offsets":[0,48]}}'
    text += b' ' * (-len(text) % 8)
    head = Segment(u64(len(text)) + text)
    w = Segment(tensor_bytes, 'BF16', (4, 6), b'w', split='BF16', planes=[P('huffman'), P('constant')])
    good('example', [Original(b'w.safetensors', [head, w])], metadata=b'{}')


def bad_header():
    def case(name, status, **edit):
        edit = {'header.' + field.replace('_', ' '): value for field, value in edit.items()}
        bad('header-' + name, status, plain(), edit=edit)

    case('magic', 'magic', magic=b'WCDD')
    case('magic-footer', 'magic', magic=b'CDCW')
    for version in 0, 2, 256, 65535:
        case('version-%d' % version, 'version', version=u16(version))
    for bit in range(16):
        case('flags-%d' % bit, 'unsupported', flags=u16(1 << bit))
    for bit in 3, 31:
        case('features-%d' % bit, 'unsupported', features=u32(1 << bit))
    for bit in 0, 31:
        case('reserved-%d' % bit, 'unsupported', reserved=u32(1 << bit))
    case('size-32', 'corrupt', size=u32(32))
    case('size-unaligned', 'corrupt', size=u32(34))
    case('size-more', 'corrupt', size=u32(48))
    case('size-0', 'corrupt', size=u32(0))
    case('size-huge', 'corrupt', size=u32((1 << 32) - 8))
    case('metadata-size-more', 'corrupt', metadata_size=u32(9))
    case('metadata-size-wraps', 'corrupt', metadata_size=u32((1 << 32) - 30))
    case('metadata-size-above-limit', 'corrupt', metadata_size=u32((1 << 24) + 1), size=u32((1 << 24) + 40))
    case('max-tile-0', 'corrupt', max_tile=u32(0))
    case('max-tile-above', 'corrupt', max_tile=u32((1 << 24) + 1))
    case('crc', 'checksum', crc=u32(0x12345678))
    case('padding', 'corrupt', padding=b'\0\0\0\0\0\1')
    whole = container(plain())
    bad_bytes('header-metadata-changed', 'checksum', whole[:32] + b'[]' + whole[34:])


def bad_tiles():
    def case(name, status, data=SMALL, edit=None, unit=1, **how):
        one = tile(data, edit=edit, **how)
        bad('tile-' + name, status, [Original(segments=[Segment(data, unit=unit, tiles=[one])])])

    for number in 21, 128, 255:
        case('split-%d' % number, 'unsupported', edit={'split': bytes([number])})
    for bit in 4, 5, 6:
        case('filler-missing-%d' % bit, 'corrupt', edit={'flags': bytes([1 << bit])})
    case('filler-not-zero', 'corrupt', filler=3, edit={'filler': b'\0\1\0'})
    for number in range(6, 8):
        case('predictor-%d' % number, 'unsupported', edit={'flags': bytes([number | 8])}, tile_row=3)
        case('plane-predictor-%d' % number, 'unsupported', edit={'plane0': bytes([number << 5])}, tile_row=3)
    for number in 10, 16, 31:
        case('coder-%d' % number, 'unsupported', edit={'plane0': bytes([number])})
    case('crc', 'checksum', edit={'crc': lambda crc: bytes([crc[0] ^ 1]) + crc[1:]})
    case('payload-changed', 'checksum', edit={'payload0': lambda p: p[:-1] + bytes([p[-1] ^ 128])})

    case('n-0', 'corrupt', edit={'n': varint(0)})
    case('n-less', 'corrupt', edit={'n': varint(89)})
    case('n-more', 'corrupt', edit={'n': varint(91)})
    case('n-long', 'corrupt', edit={'n': varint(90, 2)})
    case('n-wraps', 'corrupt', SMALL[:88], {'n': varint((1 << 61) + 11)}, split='WORD64')
    case('n-2-64', 'corrupt', edit={'n': varint((1 << 64) - 1)})
    case('n-above-limit', 'corrupt', edit={'n': varint((1 << 24) + 1)}, planes=[P('constant')])
    case('varint-of-2-64', 'corrupt', edit={'n': b'\xda' + b'\x80' * 8 + b'\x02'})
    case('varint-of-11-bytes', 'corrupt', edit={'n': b'\xda' + b'\x80' * 9 + b'\x01'})
    case('row-0', 'corrupt', tile_row=0)
    case('row-long', 'corrupt', edit={'row': varint(5, 2)}, tile_row=5)
    case('up-without-row', 'corrupt', edit={'flags': bytes([UP])})
    case('plane-up-without-row', 'corrupt', edit={'plane0': bytes([UP << 5])})

    case('payload-size-less', 'corrupt', edit={'size0': varint(89)})
    case('payload-size-more', 'corrupt', edit={'size0': varint(91)})
    case('payload-size-long', 'corrupt', edit={'size0': varint(90, 3)})
    case('payload-size-wraps', 'corrupt', edit={'size0': varint((1 << 64) - 1)})
    case('payload-sizes-wrap', 'corrupt', split='WORD16',
         edit={'size0': varint((1 << 64) - 40), 'size1': varint(130)})
    case('payload-boundary-moved', 'corrupt', split='WORD16', edit={'size0': varint(44), 'size1': varint(46)})
    case('left-over', 'corrupt', edit={'tail': b'\0'})
    case('left-over-8', 'corrupt', edit={'tail': bytes(8)})
    long = randoms(40, 300)
    case('body-too-large-for-n', 'corrupt', bytes(9346), planes=[P('sparse', c=1)])
    case('fill-not-zero', 'corrupt', long, {'fill0': lambda fill: b'\1' * len(fill)})
    case('fill-missing', 'corrupt', long, {'fill0': b''})
    case('fill-too-long', 'corrupt', long, {'fill0': lambda fill: bytes(len(fill) + 8)})
    case('fill-below-256', 'corrupt', randoms(41, 255),
         {'size0': varint(258), 'payload0': lambda p: bytes(3) + p})
    case('padding', 'corrupt', SMALL[:83], {'padding': lambda p: p[:-1] + b'\1'})
    case('padding-first-byte', 'corrupt', SMALL[:83], {'padding': lambda p: b'\x80' + p[1:]})
    body = tile(SMALL)[2:]
    for size in 0, 1, 2, 5, 6, 7, 8, 70:
        bad('tile-body-cut-%d' % size, 'corrupt',
            [Original(segments=[Segment(SMALL, tiles=[record(b'T', body[:size])])])])

    bad('tile-above-max-tile', 'corrupt', [Original(segments=[Segment(SMALL)])], max_tile=89)
    bad('tile-body-size-long', 'corrupt', [Original(segments=[Segment(SMALL, tiles=[
        tile(SMALL, edit={'body size': b'\xe4\x00'})])])])
    bad('tile-body-above-limit', 'corrupt', [Original(segments=[Segment(SMALL, tiles=[
        tile(SMALL, edit={'body size': varint((1 << 25) + 1)})])])])
    bad('tile-body-wraps', 'corrupt', [Original(segments=[Segment(SMALL, tiles=[
        tile(SMALL, edit={'body size': varint((1 << 64) - 1)})])])])
    for kind in b'A', b'P', b'\x00', b'\xd4', b'\x14':
        bad('tile-type-%02x' % kind[0], 'unsupported',
            [Original(segments=[Segment(SMALL, tiles=[tile(SMALL, kind=kind)])])])


def bad_scales():
    """Tiles with scales, and the S records that they need."""
    def case(name, status='corrupt', n=40, split='BF16', folder='bad', **how):
        bad('scales-' + name, status, [Original(segments=[scaled_segment(n, split, **how)])], folder)

    def flagged(bits):
        return {'flags': lambda flags: bytes([flags[0] ^ bits])}

    # A tile that needs an S record, and has none.
    alone = scaled_segment(40).tiles
    data = scaled_segment(40).data
    bad('scales-no-groups', 'corrupt', [Original(segments=[Segment(data, unit=2, tiles=alone)])])
    bad('scales-group-without', 'corrupt', [Original(segments=[
        Segment(data, unit=2, tiles=alone, per=1, columns=11, groups=[None])])])
    two = [tile(data[:40], 'BF16', planes_of('BF16'), scales=W11, rows=ROWS[:2]),
           tile(data[40:], 'BF16', planes_of('BF16'), scales=W11, phase=9, rows=ROWS[1:4])]

    def pair(per, s_records, tiles=two, **how):
        return Segment(data, unit=2, T=20, tiles=tiles, per=per, columns=11, groups=[], s_records=s_records, **how)
    s = tile(W11, kind=b'S')
    # Who takes records in order does not know where a group or a segment ends.
    bad('index-scales-second-group-without', 'corrupt', [Original(segments=[pair(1, [s, b''])])])
    bad('index-scales-next-segment-without', 'corrupt', [Original(segments=[
        pair(2, [s]), Segment(data, unit=2, tiles=alone)])])
    bad('index-scales-amid-a-group', 'corrupt', [Original(segments=[pair(2, [s], [two[0], s + two[1]])])])
    bad('index-scales-for-a-tile', 'corrupt', [Original(segments=[pair(1, [s, s], [two[0], s + two[1]])])],
        edit={'index.s0.scales1': varint(0)})
    bad('scales-after-ancillary', 'corrupt', [Original(segments=[
        pair(2, [s]), Segment(data, unit=2, tiles=alone, gap=note(5))])])
    bad('scales-of-other-original', 'corrupt', [
        Original(segments=[pair(2, [s])]), Original(segments=[Segment(data, unit=2, tiles=alone)])])
    bad('scales-ancillary-behind', 'corrupt', [Original(segments=[pair(2, [s], [note(5) + two[0], two[1]])])])
    bad('scales-ancillary-in-extent', 'corrupt', [Original(segments=[pair(2, [s + note(5)])])])
    bad('index-scales-ancillary-before', 'corrupt', [Original(segments=[pair(1, [s, note(3) + s])])])
    bad('scales-ancillary-instead', 'corrupt', [Original(segments=[pair(1, [note(3), b''])])])
    bad('scales-tile-instead', 'corrupt', [Original(segments=[pair(2, [tile(W11)])])])
    bad('scales-index-record-instead', 'corrupt', [Original(segments=[pair(2, [tile(W11, kind=b'I')])])])
    bad('scales-reserved-instead', 'unsupported', [Original(segments=[pair(2, [tile(W11, kind=b'Q')])])])
    bad('scales-instead-of-tile', 'corrupt', [Original(segments=[pair(2, [s], [s, two[1]])])])
    bad('scales-twice', 'corrupt', [Original(segments=[pair(2, [s + s])])])
    bad('scales-in-index', 'corrupt', plain(), index_kinds=b'S')
    bad('scales-after-index', 'corrupt', plain(), after_index=s)

    # Where there are more of them than the index knows.
    def gap(name, before, status='corrupt'):
        bad('scales-gap-' + name, status, [Original(segments=[pair(2, [s], gap=before)])], 'bad_stream')
    gap('twice', s)
    gap('ancillary', s + note(3))
    gap('checksum', tile(W11, kind=b'S', edit={'crc': bytes(4)}), 'checksum')
    gap('original', s + record(b'O', b'\2\1x'))
    bad('scales-before-original', 'corrupt', [Original(segments=[pair(2, [s])], before=s)], 'bad_stream')
    bad('scales-before-index', 'corrupt', [Original(segments=[pair(2, [s])])], 'bad_stream', before_index=s)
    bad('scales-only', 'corrupt', [Original()], 'bad_stream', before_index=s)
    bad('scales-in-gap', 'corrupt', [Original(segments=[Segment(SMALL, gap=s)])], 'bad_both')
    # No tile needs it.
    for name, status, edit in [('crc', 'checksum', {'crc': bytes(4)}), ('split', 'unsupported', {'split': b'\x20'}),
                               ('n', 'corrupt', {'n': b'\x0a'}), ('coder', 'corrupt', {'plane0': b'\x06'})]:
        bad('scales-unused-' + name, status, [Original(segments=[Segment(
            SMALL, per=1, columns=11, groups=[W11], s_how={'edit': edit})])], 'bad_stream')

    # What an S record may hold.
    def of_s(name, status='corrupt', scales=W11, prefix='', **how):
        segment = scaled_segment(40, scales=scales, s_how=how)
        bad(prefix + 's-record-' + name, status, [Original(segments=[segment])])
    for split in 'NIBBLES', 'F8_E5M2':
        of_s('split-' + split.lower(), split=split)
    of_s('split-word16', split='WORD16', scales=randoms(7, 12), prefix='index-')
    of_s('crc', 'checksum', edit={'crc': lambda crc: bytes([crc[0] ^ 128]) + crc[1:]})
    of_s('payload-changed', 'checksum', edit={'payload0': lambda p: bytes([p[0] ^ 4]) + p[1:]})
    bad('s-record-scaled-by-another', 'corrupt', [Original(segments=[pair(1, [s, tile(
        W11, kind=b'S', scales=W11, rows=b'\0')])])])
    of_s('predictor-scale', edit={'plane0': bytes([SCALE << 5])})
    of_s('unit-predictor-scale', edit=flagged(SCALE))
    of_s('classes', planes=[P('classes')])
    of_s('classes-of-first', planes=[P('classes', source=1)])
    of_s('padding', edit={'padding': lambda p: p[:-1] + b'\1'})
    of_s('left-over', edit={'tail': b'\0'})
    of_s('n-0', edit={'n': b'\0'})
    of_s('n-less', edit={'n': b'\x0a'})
    of_s('size-long', edit={'body size': lambda size: varint(size[0], 2)})
    of_s('coder-31', 'unsupported', edit={'plane0': b'\x1f'})
    of_s('split-32', 'unsupported', edit={'split': b'\x20'})
    s_body = s[2:]
    for size in 0, 6, 8, 12:
        bad('s-record-cut-%d' % size, 'corrupt', [Original(segments=[pair(2, [record(b'S', s_body[:size])])])])
    seven = randoms(8, 7)
    bad('s-record-of-7-columns', 'corrupt', [Original(segments=[scaled_segment(40, scales=seven)])])
    bad('s-record-of-1-column', 'corrupt', [Original(segments=[scaled_segment(4, scales=b'a')])])
    bad('s-record-above-max-tile', 'corrupt', [Original(segments=[scaled_segment(
        4, scales=bells(9, 90, 60, 9), phase=2)])], max_tile=89)
    for columns in 10, 12:
        bad('index-columns-%d-of-11' % columns, 'corrupt', [Original(segments=[scaled_segment(40)])],
            edit={'index.s0.columns': varint(columns)})

    # Where the tile begins.
    for phase in 11, 12, 255, (1 << 32) + 1, (1 << 64) - 1:
        case('phase-%d' % phase, edit={'phase': varint(phase)})
    case('phase-long', edit={'phase': varint(0, 2)})
    case('phase-other', 'checksum', edit={'phase': varint(1)})
    case('bit-missing', edit=flagged(128))

    # The plane of the row scales.
    for coder in 10, 31:
        case('rows-coder-%d' % coder, 'unsupported', edit={'plane of rows': bytes([coder])})
    for predictor in range(6, 8):
        case('rows-predictor-%d' % predictor, 'unsupported', edit={'plane of rows': bytes([predictor << 5])})
    for predictor in UP, SCALE, BASE_XOR, BASE_DIFFERENCE:
        case('rows-predictor-%d' % predictor, edit={'plane of rows': bytes([predictor << 5])}, tile_row=1)
    case('rows-classes', rows_plane=P('classes'))
    case('rows-lz', rows_plane=P('lz'))
    case('rows-classes-of-first', rows_plane=P('classes', source=1))
    case('rows-less', rows_plane=P(edit={'all': lambda p: p[:-1]}))
    case('rows-more', rows_plane=P(edit={'all': lambda p: p + b'\0'}))
    case('rows-of-phase-0', edit={'phase': b'\0'}, phase=10)
    case('rows-size-less', edit={'size of rows': b'\3'})
    case('rows-size-2-64', edit={'size of rows': varint((1 << 64) - 1)})
    case('rows-size-long', edit={'size of rows': varint(4, 2)})
    case('rows-missing', edit={'plane of rows': b'', 'size of rows': b'', 'payload of rows': b''})
    case('rows-k-above', rows_plane=P('sparse', edit={'k': b'\5', 'gaps': bytes(5), 'values': bytes(5)}))
    case('rows-too-many-exceptions', rows_plane=P('rans16', edit={'E': u24(5)}))
    case('rows-huffman-incomplete', rows=b'\1\2\1\2', rows_plane=P(
        'huffman', lengths={1: 1, 2: 2}, span=(1, 3), coded=[1, 2, 0]))
    case('rows-fill', n=8 * 256, split='BYTE', scales=bytes(8), rows=bells(105, 256, 30, 1),
         planes=[P('huffman', SCALE)], edit={'fill of rows': lambda fill: fill[:-1] + b'\1'})
    case('rows-changed', 'checksum', edit={'payload of rows': lambda p: bytes([p[0] ^ 8]) + p[1:]})

    # Predictors.
    case('unit-predictor', edit=flagged(SCALE))
    bad_tile('scale-without-rows', 'corrupt', SMALL, edit={'plane0': bytes([SCALE << 5])})
    bad_tile('unit-scale-without-rows', 'corrupt', SMALL, edit={'flags': bytes([SCALE])})
    for predictor in range(6, 8):
        case('plane-predictor-%d' % predictor, 'unsupported', edit={'plane0': bytes([predictor << 5])})
    case('filler', filler=4, edit={'filler': b'\0\0\0\1'})
    case('up-without-row', edit={'plane1': bytes([UP << 5])})
    case('payload-size-more', edit={'size0': b'\x29'})
    case('crc', 'checksum', edit={'crc': lambda crc: crc[:3] + bytes([crc[3] ^ 1])})

    whole = container([Original(segments=[scaled_segment(40)])])
    at = whole.index(b'S')
    assert whole[at - 8:at] == record(b'O', b'\2\1x')[-8:]
    for cut in at + 1, at + 2, at + 9, at + len(s) - 1, at + len(s), at + len(s) + 1, at + len(s) + 14:
        bad_bytes('cut-with-scales-%03d' % cut, 'truncated', whole[:cut])


def bad_classes():
    def case(name, status='corrupt', split='BF16', n=90, edit=None, more=None, **how):
        """A payload by classes, of q, in the first plane."""
        rest = [P()] * (len(SPLITS[split][2](0, 0)) - 1)
        how.setdefault('value', [0, 1, 2, 3])
        how.setdefault('freqs', [[64] * 4, [100, 50, 50, 56], [20, 16, 200, 20], [250, 2, 2, 2]])
        planes = [P('classes', SCALE, edit=edit, **how)] + rest
        segment = scaled_segment(n, split, planes=planes, **(more or {}))
        bad('classes-' + name, status, [Original(segments=[segment])])

    def later(name, status='corrupt', split='NIBBLES', first=None, edit=None, data=None, plane=1, **how):
        """One by the first plane, in another plane, without scales."""
        planes = [first or P()] + [P()] * (len(SPLITS[split][2](0, 0)) - 1)
        planes[plane] = P('classes', source=1, chosen=0x1B93C6D2, edit=edit, **how)
        bad_tile('classes-' + name, status, data or randoms(101, 64 * SPLITS[split][1]), split, planes)

    for source in 2, 3, 255:
        case('source-%d' % source, edit={'source': bytes([source])})
    case('source-1-in-first-plane', edit={'source': b'\1'})
    later('source-2-of-first', edit={'source': b'\2'})
    later('source-0-without-scales', edit={'source': b'\0', 'map': bytes(16)})
    later('source-1-in-first-plane-of-4-bits', plane=0)
    bad_tile('classes-by-bits-of-byte', 'corrupt', SMALL, planes=[P('classes')])
    for bit in 0, 31, 127:
        case('map-of-q-%d' % bit, edit={'map': (1 << bit).to_bytes(16, 'little')})
    case('base-of-q', edit={'base': b'\1'})
    later('base-other', edit={'base': b'\5'}, data=bytes(x & 255 for x in bells(106, 90, 100, 30)))
    later('map-other', edit={'map': bytes(16)}, data=bytes(x & 255 for x in bells(106, 90, 100, 30)))
    for c in range(4):
        case('sum-255-of-%d' % c, edit={'freq%d' % c: lambda p: p[:1] + bytes([p[1] - 1]) + p[2:]})
    case('sum-257', edit={'freq3': lambda p: p[:1] + bytes([p[1] + 1]) + p[2:]})
    later('sum-512', edit={'freq1': bytes([100, 156, 255, 1]) + bytes(12)})
    case('sum-0', edit={'freq1': bytes(16)})
    case('sum-255-of-unused', edit={'freq3': lambda p: bytes([p[0] - 1]) + p[1:]},
         more={'scales': bytes(8), 'rows': bytes(20)})
    case('value-unused', edit={'value': lambda p: p[:4] + b'\1' + p[5:]})
    case('value-unused-15', edit={'value': lambda p: p[:15] + b'\x80'})
    case('value-too-wide', split='F8_E4M3', value=[0, 1, 2, 16])
    case('value-too-wide-unused', split='F16', value=[0, 1, 2, 32],
         freqs=[[100, 100, 56]] * 3 + [[100, 100, 55, 1]])
    case('exception-too-wide', split='F8_E4M3', places=(5,), side={'value0': lambda v: bytes([v[0] | 16])})
    case('exceptions-missing', n=5, edit={'E': u24(6)})
    case('exceptions-none', n=30, places=(5,), edit={'E': u24(0)})
    case('exception-at-n', n=30, places=(5, 29), value=range(16), freqs=[[16] * 16] * 4, split='F8_E4M3',
         side={'gap1': u16(24)})
    for k in 3, 255:
        case('k-%d' % k, edit={'k': bytes([k])})
    for k, other in (0, 1), (1, 0), (2, 1):
        later('k-%d-for-%d' % (other, k), k=k, edit={'k': bytes([other])})
    case('state-255', n=20, edit={'states': lambda p: last_state(p, 255)})
    sixteen = {'value': range(16), 'freqs': [[16] * 16] * 4}
    for k, lane in (0, 0), (1, 127), (2, 255):
        later('k%d-end-512-lane-%d' % (k, lane), data=randoms(103, 160 << k), k=k, ends={lane: 512}, **sixteen)
        how = {'data': randoms(103, 160 << k), 'k': k, **sixteen}
        later('k%d-renorm-left-over' % k, edit={'renorm': lambda p: p + b'\0'}, **how)
        later('k%d-renorm-missing' % k, edit={'renorm': lambda p: p[:-1]}, **how)
        later('k%d-end-257' % k, ends={lane: 257}, **how)
        later('k%d-exceptions-longer' % k, side={'tail': b'\1'}, **how)
    for cut in 0, 1, 65, 81, 84, 88, 89, 153, 216:
        case('cut-at-%d' % cut, cut=cut)
    case('changed', 'checksum', edit={'value': b'\0\1\3\2' + bytes(12)})


def bad_groups():
    def case(name, status='corrupt', edit=None, n=88, folder='bad', **how):
        data = scaled(104, n, 'BF16', W11, ROWS)
        how = {'groups': [W11, W11], 'per': 2, 'T': 22, 'matrix': ROWS, 'planes': planes_of('BF16'), **how}
        bad(name, status, [Original(segments=[Segment(data, unit=2, row=11, split='BF16', **how)])], folder,
            edit=edit)

    def index(name, status='corrupt', **edit):
        case('index-groups-' + name, status, {'index.s0.' + field: value for field, value in edit.items()})

    index('P-0', P=varint(0))
    index('P-1', P=varint(1))
    index('P-3', P=varint(3))
    index('P-4', P=varint(4))
    index('P-2-63', P=varint((1 << 63) + 2))
    index('P-2-32', P=varint((1 << 32) + 2))
    index('P-long', P=varint(2, 2))
    for columns in 0, 7, 65537, (1 << 32) + 11, (1 << 64) - 1:
        index('columns-%d' % columns, columns=varint(columns))
    index('columns-long', columns=varint(11, 2))
    # More columns than units, of the segment; nobody sees it without the index.
    for name, n, columns in ('above-units', 88, 89), ('of-7-units', 7, 8), ('of-1-unit', 1, 8), ('2-16', 88, 65536):
        scales = b'\x3c' * columns
        data = scaled(104, n, 'BF16', scales, ROWS)
        one = tile(data, 'BF16', planes_of('BF16'), scales=scales, rows=ROWS[:1])
        bad('index-groups-columns-' + name, 'corrupt', [Original(segments=[
            Segment(data, unit=2, tiles=[one], per=1, groups=[scales], s_how={'planes': [P('constant')]})])])
    bad('index-groups-columns-above-units-not-there', 'corrupt', [Original(segments=[
        Segment(SMALL, unit=2, T=15, row=15, per=2, columns=46, groups=[None, None])])])
    bad('index-groups-columns-above-units-of-bytes', 'corrupt', [Original(segments=[
        Segment(SMALL, unit=2, T=15, row=15, per=2, groups=[bells(110, 46, 60, 8)] * 2)])])
    index('flag-missing', flags=varint(1))
    case('index-groups-flag-added', edit={'index.s0.flags': varint(3)}, per=None, groups=[], matrix=None)
    case('index-groups-flag-2', 'unsupported', {'index.s0.flags': varint(7)})
    for name, change in [('0', lambda e: varint(0)), ('less', lambda e: varint(e[0] - 1)),
                         ('more', lambda e: varint(e[0] + 1)), ('2-64', lambda e: varint((1 << 64) - 1)),
                         ('wraps', lambda e: varint((1 << 61) + e[0])), ('long', lambda e: varint(e[0], 2))]:
        index('extent-' + name, scales1=change)
    index('first-extent-0', scales0=varint(0))
    index('first-extent-more', scales0=lambda e: varint(e[0] + 1))
    index('extent-with-tile', scales1=lambda e: varint(e[0] + 2), extent2=lambda e: varint(e[0] - 2))
    index('extent-of-tile', scales1=lambda e: varint(0), extent2=lambda e: varint(e[0] + 4))
    case('index-groups-none-has-extent', edit={'index.s0.scales1': varint(1)}, groups=[W11, None])
    bad('index-groups-of-size-0', 'corrupt', [Original(segments=[Segment(b'', 'F32', (0, 4)), Segment(SMALL)])],
        edit={'index.s0.flags': varint(2)})
    bad('index-groups-of-size-0-explicit', 'corrupt', [Original(segments=[Segment(), Segment(SMALL)])],
        edit={'index.s0.flags': varint(3)})
    names = ['P', 'columns', 'scales0', 'extent0', 'extent1', 'scales1', 'extent2', 'extent3']
    for first in range(len(names)):
        index('cut-at-' + names[first], **dict.fromkeys(names[first:], b''))
    for groups in 0, 1, 3, (1 << 16) + 2, (1 << 32) - 1:
        case('index-footer-groups-%d' % groups, edit={'footer.groups': u32(groups)})
    bad('index-footer-groups-of-none', 'corrupt', plain(), edit={'footer.groups': u32(1)})


def bad_palettes():
    def case(name, status='corrupt', count=5, unit=4, edit=None, palette=None, data=None, planes=None, **how):
        given, units = palette_of(140, 90, unit, count)
        data = data or given
        bad('palette-' + name, status, [Original(segments=[Segment(data, unit=unit, tiles=[
            tile(data, 'PALETTE%d' % (8 * unit), planes or [P()], palette=palette or units, edit=edit, **how)])])])

    case('count-0', edit={'count': varint(0), 'table': b''})
    case('count-257', edit={'count': varint(257)})
    case('count-2-64', edit={'count': varint((1 << 64) - 1)})
    case('count-long', edit={'count': varint(5, 2)})
    case('count-4', edit={'count': varint(4), 'table': lambda t: t[:-4]})
    case('count-more', edit={'count': varint(6)})
    case('table-cut', edit={'table': lambda t: t[:-1]})
    case('table-longer', edit={'table': lambda t: t + b'\xff'})
    for unit in 2, 4, 8:
        case('equal-units-%d' % unit, unit=unit, edit={'table': lambda t: t[:unit] + t[:unit] + t[2 * unit:]})
        case('falling-units-%d' % unit, unit=unit,
             edit={'table': lambda t: t[:-2 * unit] + t[-unit:] + t[-2 * unit:-unit]})
    data, units = palette_of(141, 90, 2, 6)
    case('index-beyond', unit=2, data=data, palette=units, edit={'count': varint(5), 'table': lambda t: t[:-2]})
    case('index-beyond-wide', unit=2, count=200, edit={'count': varint(199), 'table': lambda t: t[:-2]})
    case('crc', 'checksum', edit={'crc': u32(9)})
    case('scaled', edit={'flags': bytes([128])})
    case('predictor-scale', planes=[P('raw', SCALE)])
    case('padding-before-table', count=80, edit={'fill of table': lambda p: b'\1' + p[1:]})

    def linear(name, status='corrupt', split='LINEAR_F32', scales=(0x3c123456, 0x3c654321, 0x3c000000), **how):
        indices = [v % 16 for v in randoms(142, 90)]
        data, made = linear_tile(split, indices, list(scales), run=30, zero=8, w=4, **how)
        bad('linear-' + name, status, [Original(segments=[Segment(data, unit=len(data) // 90, tiles=[made])])])

    for w in 0, 9, 15:
        linear('width-%d' % w, edit={'form': bytes([w | 48])})
    linear('width-5', edit={'form': bytes([5 | 48])})
    linear('form-64', 'unsupported', edit={'form': bytes([4 | 48 | 64])})
    linear('form-128', 'unsupported', edit={'form': bytes([4 | 48 | 128])})
    linear('bytes-3', edit={'form': bytes([4 | 32])})
    linear('G-0', edit={'G': varint(0)})
    linear('G-91', edit={'G': varint(91)})
    linear('G-29', edit={'G': varint(29)})
    linear('G-31-left-over', edit={'G': varint(45)})
    linear('G-long', edit={'G': varint(30, 2)})
    linear('G-2-64', edit={'G': varint((1 << 64) - 1)})
    linear('zero-other', 'checksum', edit={'zero': bytes([9])})
    linear('scale-other', 'checksum', edit={'table': lambda t: t[:4] + b'\0' + t[5:]})
    for split in 'LINEAR_BF16', 'LINEAR_F16', 'LINEAR_F32':
        for name, bits in ('infinite', 0x7f800000), ('nan', 0x7fc00000), ('minus-infinite', 0xff800000):
            linear('%s-scale-%s' % (split[7:].lower(), name), split=split,
                   edit={'table': lambda t: t[:4] + u32(bits) + t[8:]})
    linear('crc', 'checksum', edit={'crc': u32(9)})
def mixed_values(kind, w, n, seed):
    """Values that suit a kind, and some that do not."""
    r, row, out, mask = Random(seed), 20, bytearray(), (1 << w) - 1
    if kind == 'text':
        words = [b'model', b'layers', b'bias', b'weight', b'"dtype":"F16",', b'[1024,64]', b'.0.', b'.1.', b'\xff\0']
        while len(out) < n:
            out += words[r.below(len(words))]
        return bytes(out[:n])
    for i in range(n):
        noise = r.u64()
        if kind == 'exponents':                       # a middle, off by row and column, and far from it at times
            d = next(d for d in range(64) if not noise >> d & 1)
            v = (mask * 3 // 5 + i // row % 3 - i % row % 4 - d // 2) & mask
            if r.below(40) == 0:
                v = r.below(mask + 1)
        else:                                       # small numbers, runs of zeros, what was there before
            v = sum(r.below(1 + mask // 8) for _ in range(4)) - 2 * (mask // 8)
            v = 0 if i // 30 % 4 == 1 or r.below(3) == 0 else v
            if i // 25 % 5 >= 3:
                v = out[i - 40] if i >= 40 else v
            if r.below(50) == 0:
                v = 1 << w - 1                      # the number that has no opposite
        out.append(v & mask)
    return bytes(out)


def mixed_units(split, n, seed, kinds):
    """n units whose planes hold values as mixed_values makes them, of the kinds; None: noise."""
    unit, parts = SPLITS[split][1:]
    planes = []
    for k, (w, _) in enumerate(parts(0, 0)):
        kind = kinds[k] if k < len(kinds) else None
        noise = bytes(x & (1 << w) - 1 for x in randoms(seed + k, n))
        planes.append(noise if kind in (None, 'mantissas') else mixed_values(kind, w, n, seed + k))
    where = [[] for _ in planes]                    # where a plane's bits stand in the unit, lowest first
    for bit in range(8 * unit):
        x = 1 << bit
        for k, (_, value) in enumerate(parts(x, x >> 8 * unit - 1)):
            if value:
                where[k].append((value, bit))
    units = []
    for i in range(n):
        x = 0
        for plane, places in zip(planes, where):
            for value, bit in places:
                x |= (1 << bit) * bool(plane[i] & value)
        units.append(x)
    return b''.join(x.to_bytes(unit, 'little') for x in units)


def mixed_planes(split, *planes):
    return list(planes) + [P()] * (len(SPLITS[split][2](0, 0)) - len(planes))


def good_mix():
    def one(name, segments, **how):
        good('mix-' + name, [Original(name.encode(), segments)], features=1, **how)

    def case(name, split, n, planes, kinds=None, seed=None, data=None, unit=None, **how):
        kinds = kinds or ('exponents', 'mantissas')
        data = data or mixed_units(split, n, seed or n, kinds)
        one(name, [Segment(data, unit=unit or SPLITS[split][1], split=split, planes=mixed_planes(split, *planes),
                           **how)])

    def plane(kind, predictor=NONE, **how):
        return P('mix', predictor, kind=kind, **how)

    # Exponents of every width that a first plane has, and rows of all lengths.
    for split, centre in [('BYTE', 150), ('BF16', 153), ('F16', 18), ('F8_E4M3', 9), ('F8_E5M2', 19), ('F16_4', 18)]:
        case('exponents-' + split.lower(), split, 160, [plane('exponents', centre=centre)], tile_row=20)
    for row in None, 1, 2, 20, 149, 150, 151, 1 << 40:
        case('exponents-row-%s' % row, 'BYTE', 150, [plane('exponents', centre=150)], tile_row=row)
    for centre in 0, 1, 8, 15:                      # up and down come round
        case('exponents-e4m3-centre-%d' % centre, 'F8_E4M3', 150, [plane('exponents', centre=centre)], tile_row=21)
    for centre in 0, 255:
        case('exponents-centre-%d' % centre, 'BYTE', 90, [plane('exponents', centre=centre)], tile_row=20)
    case('exponents-noise', 'BYTE', 200, [plane('exponents', centre=128)], data=randoms(120, 200), tile_row=7)
    for n in range(1, 6):
        case('exponents-n%d' % n, 'BYTE', n, [plane('exponents', centre=3)], data=bytes([3, 2, 4, 3, 250][:n]))
    case('exponents-of-3-bits', 'F16', 130, [P(), plane('exponents', centre=3)], tile_row=26)
    case('exponents-of-7-bits', 'F16_4', 130, [P(), P(), plane('exponents', centre=100)], tile_row=26)
    for n in 127, 128, 1280, 1407, 1408, 3000:      # zeros fill the payload up to n / 128 bytes
        case('integers-fill-%d' % n, 'BYTE', n, [plane('integers')], data=bytes(n))
    case('exponents-fill', 'BYTE', 4000, [plane('exponents', centre=7)], data=b'\7' * 4000, tile_row=30)
    case('text-fill', 'BYTE', 5000, [plane('text')], data=b' ' * 5000)
    case('mantissas-fill', 'F8_E4M3', 9000, [P('constant'), plane('mantissas', top=3, sign=1)], data=b'\x38' * 9000)
    case('exponents-same', 'BYTE', 700, [plane('exponents', centre=7)], data=b'\7' * 700, tile_row=30)

    # Mantissas: every choice of top and sign, for each width.
    for split, w in ('BF16', 8), ('F16', 3), ('F8_E4M3', 4):
        for top in range(w):
            for sign in range(2):
                if top + sign:
                    case('mantissas-%s-%d-%d' % (split.lower(), top, sign), split, 70 + 3 * top,
                         [P('huffman', LEFT), plane('mantissas', top=top, sign=sign)], tile_row=13)
    for top, sign in (6, 1), (6, 0), (0, 1):
        case('mantissas-of-7-bits-%d-%d' % (top, sign), 'F16_4', 90, [
            plane('exponents', centre=18), P(), plane('mantissas', top=top, sign=sign)], tile_row=30)
    for row in None, 1, 79, 80, 81:
        case('mantissas-row-%s' % row, 'BF16', 80, [plane('exponents', centre=150), plane('mantissas', sign=1)],
             tile_row=row)
    for n in 1, 2, 3:
        case('mantissas-n%d' % n, 'BF16', n, [P('constant'), plane('mantissas', top=7, sign=1)],
             data=b'\xff\x80\x80\x80\x81\x80'[:2 * n])
    case('mantissas-left', 'BF16', 90, [P('rans256', UP), plane('mantissas', LEFT, sign=1)], tile_row=9)
    case('mantissas-twice', 'F32', 60, [plane('exponents', centre=150), plane('mantissas'), plane('mantissas', top=1),
                                        plane('mantissas', top=7)], tile_row=11)
    case('mantissas-of-nibbles', 'NIBBLES', 130, [P('rans16'), plane('mantissas', top=2, sign=1)], tile_row=16)
    far = bytes([128, 0, 200, 64]) * 20 + bytes([127, 63]) * 30
    case('mantissas-exponents-far', 'WORD16', 70, [P(), plane('mantissas', top=3, sign=1)], data=far, tile_row=10)

    # Integers.
    for top in range(8):
        case('integers-top-%d' % top, 'BYTE', 170, [plane('integers', top=top, zero=31 * top)], ['integers'], 9 + top,
             tile_row=20)
    for split, w in ('F8_E4M3', 4), ('F8_E5M2', 5), ('NIBBLES', 4):
        for zero in 0, 1, (1 << w - 1), (1 << w) - 1:
            case('integers-%s-zero-%d' % (split.lower(), zero), split, 140,
                 [plane('integers', top=2, zero=zero)], ['integers'], tile_row=20)
    case('integers-of-3-bits', 'F16', 140, [P(), plane('integers', top=7, zero=3)], [None, 'integers'], tile_row=20)
    case('integers-of-7-bits', 'F16_4', 140, [P(), P(), plane('integers', top=1, zero=99)], [None, None, 'integers'],
         tile_row=20)
    for row in None, 1, 2, 3, 139, 140, 141:
        case('integers-row-%s' % row, 'BYTE', 140, [plane('integers', top=2)], ['integers'], tile_row=row)
    for n in range(1, 8):
        case('integers-n%d' % n, 'BYTE', n, [plane('integers')], data=bytes([0, 128, 127, 255, 1, 0, 128][:n]))
    case('integers-noise', 'BYTE', 200, [plane('integers', zero=77, top=7)], data=randoms(121, 200), tile_row=9)
    case('integers-zeros', 'BYTE', 1200, [plane('integers')], data=bytes(1200), tile_row=100)
    lines = randoms(122, 70)                        # matches of all lengths, and some that break off
    case('integers-matches', 'BYTE', 1400, [plane('integers')], data=b''.join(
        lines[:15 + 11 * k % 56] + bytes([k]) for k in range(31)), tile_row=64)
    case('integers-long-match', 'BYTE', 1200, [plane('integers', top=7)], data=randoms(123, 60) * 20)
    case('integers-left', 'BYTE', 150, [plane('integers', LEFT)], data=bumpy(150), tile_row=10)
    case('integers-unit-up', 'BYTE', 150, [plane('integers')], data=bumpy(150), tile_row=10, predictor=UP)

    # Text.
    for n in 1, 2, 3, 4, 5, 6, 31, 32, 33, 700:
        case('text-n%d' % n, 'BYTE', n, [plane('text')], data=mixed_values('text', 8, n, n))
    case('text-noise', 'BYTE', 120, [plane('text')], data=randoms(124, 120))
    case('text-repeated', 'BYTE', 800, [plane('text')], data=mixed_values('text', 8, 40, 5) * 20)
    case('text-of-planes', 'WORD16', 150, [plane('text'), plane('text', LEFT)], ['text', 'exponents'])

    # More columns than the arrays of columns have entries: 16384, and 4096 of signs.
    few = bytearray(16800)
    for i in list(range(0, 400, 3)) + list(range(16384, 16800, 2)):
        few[i] = few[i - 16384] if i >= 16384 and few[i - 16384] else 1 + i % 5
    case('integers-columns', 'BYTE', 16800, [plane('integers')], data=bytes(few), tile_row=16790)
    case('exponents-columns', 'BYTE', 16800, [plane('exponents')], data=bytes(few), tile_row=16500)
    signs = b''.join(u16(0x3F80 | (i * i % 7 < 3) << 15) for i in range(4300))
    case('mantissas-columns', 'BF16', 4300, [P('constant'), plane('mantissas', top=1, sign=1)], data=signs,
         tile_row=4200)

    # With scales; in the index and in an S record; beside other coders.
    scaled_one = scaled_segment(140, planes=[P('mix', SCALE, kind='exponents', centre=1),
                                             P('mix', kind='mantissas', top=2)], tile_row=11)
    one('scaled', [scaled_one])
    one('scales', [scaled_segment(140, s_how={'planes': [P('mix', kind='integers', top=2, zero=60)]})])
    one('index', [Segment(bumpy(60), name=b'layers.%d.bias' % k, T=20) for k in range(12)],
        index_planes=[P('mix', kind='text')])
    one('unused', [Segment(bumpy(60))])


def bad_mix():
    def case(name, status='corrupt', split='BYTE', planes=(), n=60, features=1, kinds=None, data=None, **how):
        data = data or mixed_units(split, n, 7, kinds or ('exponents', 'mantissas'))
        bad('mix-' + name, status, [Original(segments=[
            Segment(data, unit=SPLITS[split][1], split=split, planes=mixed_planes(split, *planes), **how)])],
            features=features)

    def plane(kind, predictor=NONE, **how):
        return P('mix', predictor, kind=kind, **how)

    case('without-feature', planes=[plane('exponents', centre=150)], features=0)
    case('feature-31', 'unsupported', planes=[plane('exponents', centre=150)], features=1 | 1 << 31)
    for kind in 4, 5, 128, 255:
        case('kind-%d' % kind, planes=[plane('exponents', edit={'kind': bytes([kind])})])
    # The centre, or the zero point, does not fit the plane.
    case('centre-16-of-4-bits', split='F8_E4M3', planes=[plane('exponents', centre=0, edit={'parameter': b'\x10'})])
    case('centre-32-of-5-bits', split='F16', planes=[plane('exponents', centre=0, edit={'parameter': b'\x20'})])
    case('centre-128-of-7-bits', split='F16_4', planes=[P(), P(), plane(
        'exponents', centre=0, edit={'parameter': b'\x80'})])
    case('zero-16-of-4-bits', split='F8_E4M3', planes=[plane('integers', edit={'parameter': b'\x10'})])
    case('zero-255-of-4-bits', split='F8_E4M3', planes=[plane('integers', edit={'parameter': b'\xff'})])
    for top in 8, 9, 255:
        case('top-%d' % top, planes=[plane('integers', top=7, edit={'top': bytes([top])})])
    # Mantissas where there can be none.
    for top, sign in (0, 0), (8, 0), (7, 2), (3, 3), (3, 16), (7, 31):
        case('mantissas-%d-%d' % (top, sign), split='BF16', planes=[P(), plane(
            'mantissas', top=1, edit={'parameter': bytes([top | sign << 3])})])
    for top in 3, 4, 7:
        for sign in 0, 1:
            case('mantissas-%d-%d-of-3-bits' % (top, sign), split='F16', planes=[P(), plane(
                'mantissas', top=2, edit={'parameter': bytes([top | sign << 3])})])
    case('mantissas-4-of-4-bits', split='F8_E4M3', planes=[P(), plane('mantissas', edit={'parameter': b'\4'})])
    case('mantissas-of-first', planes=[P('mix', kind='mantissas', first=(8, bytes(60)))])
    case('mantissas-of-first-of-two', split='BF16', planes=[P('mix', kind='mantissas', first=(8, bytes(60)))])
    case('mantissas-filling', split='BF16', n=61, planes=[P(), plane(
        'mantissas', top=4, edit={'raw': lambda p: p[:-1] + bytes([p[-1] | 16])})])
    case('mantissas-filling-high', split='BF16', n=61, planes=[P(), plane(
        'mantissas', top=4, edit={'raw': lambda p: p[:-1] + bytes([p[-1] | 128])})])
    case('mantissas-raw-less', split='BF16', planes=[P(), plane(
        'mantissas', top=1, edit={'raw': lambda p: p[:-1], 'code': b''})])
    case('mantissas-raw-missing', split='BF16', planes=[P(), plane('mantissas', edit={'raw': b'', 'code': b''})])
    case('mantissas-raw-changed', 'checksum', split='BF16', planes=[P(), plane(
        'mantissas', edit={'raw': lambda p: bytes([p[0] ^ 2]) + p[1:]})])
    for split, w in ('F8_E4M3', 4), ('F16', 5):
        case('text-of-%d-bits' % w, split=split, planes=[P('mix', kind='exponents', centre=0, edit={
            'kind': b'\3', 'parameter': b''})])

    # The payload's size, and where the code ends.
    for kind in 'exponents', 'integers', 'text':
        for size in 0, 1, 2, 3:
            case('%s-cut-%d' % (kind, size), planes=[plane(kind, cut=size)], kinds=[kind])
    for cut in 0, 1, 2:
        case('mantissas-cut-%d' % cut, split='BF16', planes=[P(), plane('mantissas', cut=cut)])
    for kind in 'exponents', 'mantissas', 'integers', 'text':
        planes = [P(), plane(kind)] if kind == 'mantissas' else [plane(kind)]
        split = 'BF16' if kind == 'mantissas' else 'BYTE'

        def of(name, change, status='corrupt'):
            edited = planes[:-1] + [plane(kind, edit={'code': change})]
            case('%s-%s' % (kind, name), status, split=split, planes=edited, kinds=[kind, None][:len(planes)])
        of('code-missing', lambda code: b'')
        # What is cut or changed may be right as a code, of other values.
        of('code-less', lambda code: code[:-1], 'checksum' if kind == 'exponents' else 'corrupt')
        of('code-half', lambda code: code[:len(code) // 2])
        of('code-more', lambda code: code + b'\0')
        of('code-more-8', lambda code: code + bytes(8))
        of('code-longer-than-it-must-be', lambda code: code + b'\1')
        of('code-last', lambda code: code[:-1] + bytes([code[-1] + 1 & 255]),
           'checksum' if kind == 'mantissas' else 'corrupt')
        of('code-zeros', lambda code: bytes(len(code)))
        of('code-ones', lambda code: b'\xff' * len(code))
        of('code-first', lambda code: bytes([code[0] ^ 64]) + code[1:])
    # A payload has a byte for every 128 values, if need be of zeros; 2000 constant ones code to a few bytes.
    for kind in 'exponents', 'integers', 'text':
        for name, change in [
                ('missing', lambda fill: b''), ('less', lambda fill: fill[1:]), ('more', lambda fill: fill + b'\0'),
                ('not-zero', lambda fill: b'\1' + fill[1:]), ('last-not-zero', lambda fill: fill[:-1] + b'\x80')]:
            case('%s-fill-%s' % (kind, name), data=bytes(2000), planes=[plane(kind, edit={'fill': change})])
    case('fill-of-none', planes=[plane('integers', edit={'fill': b'\0'})], data=bytes(127))
    case('fill-one-missing', planes=[plane('integers', top=0, edit={'code': b'', 'fill': b'\0\0'})], data=bytes(255 * 128))
    case('bomb', planes=[plane('integers', edit={'code': b'\0' * 9, 'fill': b''})], data=bytes(60000))
    case('other-centre', planes=[plane('exponents', centre=150, edit={'parameter': b'\x95'})])
    case('changed-with-row', tile_row=20, planes=[plane('integers')], kinds=['integers'],
         edit={'row': lambda row: varint(row[0] - 1)})

    # Where the coder must not be.
    bad('mix-of-rows', 'corrupt', [Original(segments=[scaled_segment(40, rows_plane=P('mix', kind='text'))])], features=1)
    bad('mix-index-without-feature', 'corrupt', plain(), index_planes=[P('mix', kind='text')])
    bad('mix-s-record-without-feature', 'corrupt', [Original(segments=[scaled_segment(
        40, s_how={'planes': [P('mix', kind='text')]})])])


def bad_copies():
    a, b = randoms(124, 30), randoms(125, 30)

    def case(name, status='corrupt', data=a + b + a, tiles=None, edit=None, record_edit=None, distance=60,
             folder='bad', **how):
        tiles = tiles or [tile(a), tile(b), copy(a, distance, edit, record_edit)]
        bad(name if 'index' in name else 'copy-' + name, status,
            [Original(segments=[Segment(data, T=30, tiles=tiles)])], folder, **how)

    case('first', data=a, tiles=[copy(a, 30)])
    case('before-first', distance=61)
    case('distance-2-64', distance=(1 << 64) - 1)
    case('distance-0', distance=0)
    case('distance-29', distance=29)
    case('distance-long', edit={'distance': varint(60, 2)})
    case('distance-of-11-bytes', edit={'distance': bytes([188] + [128] * 9 + [0])})
    case('size-0', edit={'size': varint(0)})
    case('size-long', edit={'size': varint(30, 2)})
    case('size-61', edit={'size': varint(61)})
    case('size-2-24', edit={'size': varint((1 << 24) + 1)})
    case('size-above-max-tile', edit={'size': varint(31)}, max_tile=30)
    case('left-over', edit={'tail': b'\0'})
    case('cut', edit={'crc': b'abc'})
    case('empty', edit={'distance': b'', 'size': b'', 'crc': b''})
    case('body-long', record_edit={'body size': varint(6, 2)})
    case('padding', data=a + b * 4 + a,
         tiles=[tile(a)] + [tile(b)] * 4 + [copy(a, 150, None, {'padding': lambda p: bytes(len(p) - 1) + b'\1'})])
    case('record-of-32', edit={'tail': bytes(20)})
    case('crc', 'checksum', edit={'crc': u32(1)})
    case('of-other-bytes', 'checksum', distance=30)
    # Only the index tells where tiles begin.
    case('index-copy-of-copy', data=a * 3, tiles=[tile(a), copy(a, 30), copy(a, 30)])
    case('index-copy-between-tiles', data=b'a' * 90,
         tiles=[tile(b'a' * 30), tile(b'a' * 30), copy(b'a' * 30, 31)])
    case('index-copy-size-less', edit={'size': varint(29), 'crc': u32(zlib.crc32(a[:29]))})
    case('index-copy-of-longer', data=a + b + a[:20], tiles=[tile(a), tile(b), copy(a[:20], 60)])
    bad('copy-scales-before-note', 'corrupt', [Original(segments=[Segment(a), Segment(a, gap=(
        tile(W11, kind=b'S') + note(2)), tiles=[copy(a, 30)])])], 'bad_stream')
    bad('copy-as-scales', 'corrupt', [Original(segments=[
        Segment(a), Segment(a, unit=2, row=15, per=1, columns=15, T=15, tiles=[tile(a)], s_records=[copy(a, 30)])])])
    bad('copy-as-index', 'corrupt', plain(), index_kinds=b'R')
    case('after-index-begins', tiles=[tile(a), tile(b), tile(a)], folder='bad_stream', before_index=copy(a, 90))
    case('of-no-original', folder='bad_stream', data=a, tiles=[tile(a)], before_index=copy(a, 30))


def bad_payload(coder, name, status, data, edit=None, split='BYTE', **how):
    planes = [P(coder, edit=edit, **how)] + [P()] * (len(SPLITS[split][2](0, 0)) - 1)
    bad('%s-%s' % (coder, name), status, [Original(segments=[Segment(data, split=split, planes=planes)])])


def wide(values):
    """Bytes whose F8_E5M2 exponents are `values`.  All signs are set, so that a decoder which lets a value
    run over into the sign, or cuts it, gets the right bytes: only the rule is broken."""
    return bytes(128 | v << 2 | i % 4 for i, v in enumerate(values))


def bad_simple_coders():
    def case(name, status, data, edit=None, coder='raw', **how):
        bad_payload(coder, name, status, data, edit, **how)

    case('short', 'corrupt', SMALL, {'all': lambda p: p[:-1]})
    case('left-over', 'corrupt', SMALL, {'all': lambda p: p + b'\0'})
    case('empty', 'corrupt', SMALL, {'all': b''})
    five = narrow(42, 70, list(range(32)))
    case('narrow-short', 'corrupt', five, {'all': lambda p: p[:-1]}, split='F8_E5M2')
    case('narrow-group-missing', 'corrupt', five, {'all': lambda p: p[:40]}, split='F8_E5M2')
    case('narrow-group-more', 'corrupt', five, {'all': lambda p: p + bytes(40)}, split='F8_E5M2')
    case('narrow-fill-high', 'corrupt', five, {'all': lambda p: p[:71] + b'\x10' + p[72:]}, split='F8_E5M2')
    case('narrow-fill-low', 'corrupt', five, {'all': lambda p: p[:-1] + b'\x80'}, split='F8_E5M2')

    few = bytes(100 + i % 8 for i in range(50))
    case('empty', 'corrupt', few, {'least': b'', 'bits': b'', 'all': b''}, 'packed')
    case('short-head', 'corrupt', few, {'bits': b'', 'all': b''}, 'packed')
    case('bits-0', 'corrupt', few, {'bits': b'\0', 'all': b''}, 'packed')
    case('bits-8', 'corrupt', few, {'bits': b'\x08', 'all': lambda p: bytes(64)}, 'packed')
    case('bits-255', 'corrupt', few, {'bits': b'\xff'}, 'packed')
    case('bits-of-plane', 'corrupt', wide([9] * 50), {'least': b'\0', 'bits': b'\5', 'all': lambda p: bytes(40)},
         'packed', split='F8_E5M2')
    case('above', 'corrupt', few, {'least': b'\xf9'}, 'packed')
    case('above-narrow', 'corrupt', wide([9] * 50), {'least': b'\x1f'}, 'packed', split='F8_E5M2')
    case('left-over', 'corrupt', few, {'all': lambda p: p + b'\0'}, 'packed')
    case('missing', 'corrupt', few, {'all': lambda p: p[:-1]}, 'packed')
    case('fill', 'corrupt', few, {'all': lambda p: p[:-1] + b'\x80'}, 'packed')

    same = b'\x07' * 50
    case('empty', 'corrupt', same, {'value': b''}, 'constant')
    case('left-over', 'corrupt', same, {'value': b'\7\7'}, 'constant')
    case('too-wide', 'corrupt', wide([9] * 50), {'value': bytes([9 | 32])}, 'constant', split='F8_E5M2')

    lone = b'\0\0\x05' + b'\0' * 40 + b'\x06' + b'\0' * 9
    far = b'\0' * 400 + b'\1' + b'\0' * 99

    def sparse_case(name, data=lone, edit=None, **how):
        bad_payload('sparse', name, 'corrupt', data, edit, **how)
    sparse_case('k-0', b'\0' * 9)
    sparse_case('common-too-wide-unused', bytes([0x7C] * 9), c=200, split='F8_E5M2')
    sparse_case('k-above-n', edit={'k': varint(54), 'gaps': bytes(54), 'values': bytes(54)})
    sparse_case('k-long', edit={'k': varint(2, 2)})
    sparse_case('k-wraps', edit={'k': varint((1 << 64) - 1)})
    sparse_case('k-missing', edit={'k': b'', 'gaps': b'', 'values': b''})
    sparse_case('beyond-n', edit={'gaps': b'\x02\x32'})
    sparse_case('beyond-n-by-255', edit={'gaps': b'\x02\xff\x00'})
    sparse_case('beyond-n-first', b'\0' * 9, edit={'k': varint(1), 'gaps': b'\x09', 'values': b'\0'})
    sparse_case('gap-cut', far, edit={'gaps': b'\xff', 'values': b''})
    sparse_case('gaps-missing', edit={'gaps': b'\x02', 'values': b''})
    sparse_case('values-missing', edit={'values': b'\x05'})
    sparse_case('left-over', edit={'values': b'\x05\x06\x00'})
    sparse_case('common-too-wide', wide([9] * 30 + [7]), c=9, edit={'c': bytes([9 | 32])}, split='F8_E5M2')
    sparse_case('value-too-wide', wide([9] * 30 + [7]), c=9,
                edit={'values': bytes([7 | 32])}, split='F8_E5M2')


def bad_huffman():
    def case(name, data, status='corrupt', edit=None, **how):
        bad_payload('huffman', name, status, data, edit, **how)

    text = bells(43, 90, 100, 8)
    four = bytes(4 + x % 4 for x in randoms(44, 90))        # values 4 ... 7, two bits each
    fours = dict.fromkeys(range(4, 8), 2)
    two = bytes(4 + x % 2 for x in randoms(45, 90))         # values 4 and 5
    case('streams-64', text, edit={'s': b'\x06'})
    case('streams-reserved', text, edit={'s': b'\x80'})
    case('first-is-last', two, edit={'last': b'\x04'})
    case('first-above-last', two, edit={'first': b'\x05', 'last': b'\x04'})
    for nibble in 12, 13:
        case('nibble-%d' % nibble, four, 'corrupt', lengths=fours, coded=[nibble, 2, 2, 2])
    case('repeat-first', four, lengths=fours, coded=[14, 0, 2, 2])
    case('repeat-beyond-last', four, lengths=fours, coded=[2, 14, 1])
    case('zeros-beyond-last', four, lengths=fours, span=(4, 9), coded=[2, 2, 2, 2, 15, 0])
    case('fill-nibble', four, lengths=fours, edit={'lengths': lambda p: p[:-1] + bytes([p[-1] | 0x10])},
         coded=[2, 14, 0])
    case('oversubscribed', two, lengths={4: 1, 5: 1}, span=(4, 6), coded=[1, 1, 1])
    case('oversubscribed-by-11', two, lengths={4: 1, 5: 1}, span=(4, 6), coded=[1, 1, 11])
    case('oversubscribed-twice', two, lengths={4: 1, 5: 1}, span=(4, 7), coded=[1, 1, 1, 1])
    case('oversubscribed-all', two, lengths={4: 1, 5: 1}, span=(4, 255), coded=[1] + [14, 15] * 13 + [14, 14])
    case('incomplete', two, lengths={4: 1, 5: 2}, span=(4, 6), coded=[1, 2, 0])
    case('incomplete-by-11', two, lengths={4: 1, 5: 2}, span=(4, 15),
         coded=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0])
    case('one-code', b'\x04' * 20, lengths={4: 1, 5: 1}, coded=[1, 0])
    case('no-code', b'\x04' * 20, lengths={4: 1, 5: 1}, coded=[0, 0])
    case('last-too-wide', narrow(11, 50, [3, 4]), lengths={3: 1, 4: 1}, span=(3, 32), split='F8_E5M2')
    case('too-wide-unused', narrow(11, 50, [3, 4]), lengths={3: 1, 4: 2, 77: 2}, split='F8_E5M2')
    case('value-too-wide', wide([3, 4] * 20), lengths={3: 1, 4: 1}, split='F8_E5M2',
         edit={'last': bytes([36]), 'lengths': nibbles([1, 15, 15, 15, 11, 1])})

    case('size-more', text, s=1, edit={'size0': lambda p: bytes([p[0] + 1])})
    case('size-less', text, s=1, edit={'size0': lambda p: bytes([p[0] - 1])})
    case('size-above-payload', text, s=1, edit={'size0': varint(250)})
    case('size-wraps', text, s=1, edit={'size0': varint((1 << 64) - 1)})
    case('sizes-wrap', text, s=2, edit={'size0': varint((1 << 64) - 8), 'size1': varint(30)})
    case('size-long', text, s=1, edit={'size0': lambda p: varint(p[0], 2)})
    case('stream-byte-more', text, edit={'stream0': lambda p: p + b'\0'})
    case('stream-byte-less', text, edit={'stream0': lambda p: p[:-1]})
    case('stream-byte-more-of-2', text, s=1, edit={
        'size0': lambda p: bytes([p[0] + 1]), 'stream0': lambda p: p + b'\0'})
    case('stream-of-no-value', b'\x04\x05', s=2, edit={'size2': b'\1', 'stream2': b'\0'})
    case('last-stream-of-no-value', b'\x04\x05', s=2, edit={'stream3': b'\0'})
    case('fill-bits', b'\x04\x05\x04', edit={'stream0': lambda p: bytes([p[0] | 0x80])})
    case('fill-bit-lowest', b'\x04\x05\x04', edit={'stream0': lambda p: bytes([p[0] | 0x08])})
    case('empty', text, edit=dict.fromkeys(['s', 'first', 'last', 'lengths', 'stream0'], b''))
    case('cut-in-head', text, edit=dict.fromkeys(['last', 'lengths', 'stream0'], b''))
    case('cut-in-lengths', text, edit={'lengths': lambda p: p[:2], 'stream0': b''})
    case('cut-in-sizes', text, s=1, edit=dict.fromkeys(['size0', 'stream0', 'stream1'], b''))
    case('no-streams', text, edit={'stream0': b''})


def last_state(states, x):
    """The states of a rANS-16 payload with another last one."""
    half = len(states) // 2
    return states[:half - 1] + bytes([x >> 8]) + states[half:-1] + bytes([x & 255])


def bad_rans16():
    def case(name, data, edit=None, status='corrupt', **how):
        bad_payload('rans16', name, status, data, edit, **how)

    def apart(name, n, at, edit=None, **how):
        case(name, rare(n, at), edit, symbols=SIX, **how)

    two = bytes(4 + x % 2 for x in randoms(46, 640))      # enough for states to take in bytes
    pair = [(4, 100), (5, 156)]
    nibble = bytes(x & 15 for x in randoms(75, 640))      # the same for 256 states
    all16 = [(v, 16) for v in range(16)]
    case('sum-255', two, {'freq': lambda p: p[:2] + bytes(14), 'value': lambda p: p[:2] + bytes(14)},
         symbols=[(4, 100), (5, 155), (6, 1)])
    case('sum-257', two, {'freq': lambda p: p[:2] + b'\1' + p[3:]}, symbols=pair)
    case('sum-0', b'\0' * 70, {'freq': bytes(16), 'value': bytes(16)}, symbols=[(0, 128), (1, 128)])
    case('sum-512', two, {'freq': bytes([100, 156, 255, 1]) + bytes(12)}, symbols=pair)
    case('value-unused', two, {'value': lambda p: p[:2] + b'\6' + p[3:]}, symbols=pair)
    case('value-unused-15', two, {'value': lambda p: p[:15] + b'\1'}, symbols=pair)
    case('too-wide-unused', narrow(16, 70, [3, 4, 4, 5]), split='F8_E5M2',
         symbols=[(3, 50), (4, 100), (5, 50), (99, 56)])
    case('value-too-wide', wide([3, 4] * 9), {'value': lambda p: bytes([3 | 32]) + p[1:]},
         symbols=[(3, 128), (4, 128)], split='F8_E5M2')

    for k in 3, 4, 255:
        case('k-%d' % k, two, {'k': bytes([k])}, symbols=pair)
    case('k-3-of-512-states', two, symbols=pair, k=3)
    for k, other in (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1):
        case('k-%d-for-%d' % (other, k), two[:60], {'k': bytes([other])}, symbols=pair, k=k)

    case('state-255', two[:20], {'states': lambda p: last_state(p, 255)}, symbols=pair)
    case('state-0', two[:20], {'states': lambda p: last_state(p, 0)}, symbols=pair)
    for k in 1, 2:
        case('k%d-state-255' % k, nibble[:160 << k], {'states': lambda p: last_state(p, 255)},
             symbols=all16, k=k)
    case('state-of-no-value-257', two[:20], {'states': lambda p: last_state(p, 257)}, symbols=pair)
    case('state-of-no-value-512', two[:20], {'states': lambda p: last_state(p, 512)}, symbols=pair)
    # The low byte is that of 256, so that a reader which does not look at the high one gets its values.
    case('end-512', two, symbols=pair, ends=dict.fromkeys(range(64), 512))
    case('end-65280', two, symbols=pair, ends=dict.fromkeys(range(64), 65280))
    for k, lane in (0, 0), (0, 63), (1, 127), (2, 128), (2, 255):
        case('k%d-end-512-lane-%d' % (k, lane), nibble[:160 << k], symbols=all16, k=k, ends={lane: 512})
    for k, lane in (0, 0), (1, 127), (2, 255):
        case('k%d-end-257-lane-%d' % (k, lane), nibble[:160 << k], symbols=all16, k=k, ends={lane: 257})
    many = places_of(40)

    # Exceptions that are too many, too few, or elsewhere.
    case('exceptions-above-n', two[:6], {'E': u24(7)}, symbols=[(9, 128), (8, 128)], side={'tail': bytes(3)})
    case('exceptions-above-n-1', two[:1], {'E': u24(2)}, symbols=pair, side={'tail': bytes(6)})
    for e in (1 << 24) - 1, 1 << 16:
        case('exceptions-%d' % e, two, {'E': u24(e)}, symbols=pair)
    lone = [5, 30]                                  # gaps 5 and 24
    value = rare(40, lone)[5]
    apart('exceptions-fewer', 40, lone, {'E': u24(1)})
    apart('exceptions-none', 40, lone, {'E': u24(0)})
    apart('exceptions-one-less', 100, many, {'E': u24(39)})
    apart('exceptions-one-more', 40, lone, {'E': u24(3)})
    apart('exceptions-more-than-fit', 40, lone, {'E': u24(43)})         # 128 bytes of states
    for name, n, places, side in [
            ('at-n', 40, lone, {'gap1': u16(34)}), ('first-at-n', 40, [5], {'gap0': u16(40)}),
            ('above-n', 40, lone, {'gap1': u16(65535)}), ('last-at-n', 100, many, {'gap39': u16(99)}),
            ('of-n-1-at-1', 1, [0], {'gap0': u16(1)})]:
        apart('exception-' + name, n, places, side=side)
    apart('exception-of-two-bytes', 100, many, side={'value39': b''})
    apart('exception-elsewhere', 40, lone, side={'gap0': u16(6)}, status='checksum')

    five = {'symbols': [(3, 128), (4, 128)], 'split': 'F8_E5M2'}
    case('exception-too-wide', wide([3, 4, 3, 5] * 9), side={'value0': bytes([5 | 32])}, **five)
    case('exception-too-wide-last', wide([3, 4, 3, 5] * 9), side={'value8': bytes([5 | 128])}, **five)
    case('exception-too-wide-behind', wide([3, 4, 3, 5] * 40), side={'value39': bytes([5 | 32])}, **five)
    case('exception-too-wide-4', bytes([0x31, 0x42, 0x53] * 9), side={'value0': bytes([5 | 16])},
         symbols=five['symbols'], split='NIBBLES')
    bad_tile('rans16-exception-too-wide-3', 'corrupt', narrow(74, 50, [1]), 'F8_E5M2', [
        P(), P('rans16', top=3, k=1, side={'value0': lambda v: bytes([v[0] | 8])})])

    for k in 0, 2:
        case('k%d-exceptions-longer' % k, two, symbols=pair, k=k, side={'tail': b'\1'})
        apart('k%d-exceptions-longer-by-one' % k, 90, lone, k=k, side={'tail': bytes(3)})

    case('renorm-left-over', two, {'renorm': lambda p: p + b'\0'}, symbols=pair)
    case('renorm-missing', two, {'renorm': lambda p: p[:-1]}, symbols=pair)
    case('renorm-none', two, {'renorm': b''}, symbols=pair)
    case('renorm-left-over-side', rare(600, many), {'renorm': lambda p: p + b'\0'}, symbols=SIX)
    case('renorm-missing-side', rare(600, many), {'renorm': lambda p: p[:-1]}, symbols=SIX)
    for k in 1, 2:
        how = {'symbols': all16, 'k': k}
        case('k%d-renorm-left-over' % k, nibble[:160 << k], {'renorm': lambda p: p + b'\0'}, **how)
        case('k%d-renorm-missing' % k, nibble[:160 << k], {'renorm': lambda p: p[:-1]}, **how)

    more = places_of(70)
    for cut in 0, 1, 15, 16, 31, 32, 34, 35, 36, 37, 38, 245, 246, 373, 374, 500, 501:
        apart('cut-at-%d' % cut, 230, more, k=1, cut=cut)
    for cut in 1, 2, 11, 12, 13:
        apart('cut-by-%d' % cut, 230, more, k=1, cut=-cut)
    for k, cut in (0, 163), (0, 164), (2, 164), (2, 547), (2, 548):
        case('k%d-cut-at-%d' % (k, cut), nibble, symbols=all16, k=k, cut=cut)


def bad_rans256():
    def case(name, data, edit=None, status='corrupt', **how):
        bad_payload('rans256', name, status, data, edit, **how)

    two = bytes(4 + x % 2 for x in randoms(49, 200))
    pair = {4: 2040, 5: 2056}                       # 21 bits below the highest ones, so 3 fill up
    case('sum-4095', two, freq={4: 2040, 5: 2055})
    case('sum-4097', two, freq={4: 2040, 5: 2056, 6: 1})
    case('sum-0', b'\0' * 40, {'lengths': b'\0', 'bits': b''}, freq={0: 2048, 1: 2048})
    case('sum-8192', two, freq={4: 2040, 5: 2056, 6: 2048, 7: 2048})
    case('first-is-last', two, {'last': b'\4'}, freq=pair)
    case('first-above-last', two, {'first': b'\5', 'last': b'\4'}, freq=pair)
    case('length-13', two, {'lengths': b'\xdb'}, freq=pair)
    case('repeat-first', two, {'lengths': b'\x0e\xcb'}, freq=pair)
    case('repeat-beyond-last', bytes(x % 4 for x in two), {'lengths': b'\xeb\x01'},
         freq=dict.fromkeys(range(4), 1024))
    case('zeros-beyond-last', two, {'lengths': b'\xcb\x0f'}, freq=pair, span=(4, 7))
    case('fill-nibble', bytes(4 + x % 3 for x in randoms(50, 99)),
         {'lengths': lambda p: p[:1] + bytes([p[1] | 16])}, freq={4: 1000, 5: 1048, 6: 2048})
    case('fill-bits', two, {'bits': lambda p: p[:-1] + bytes([p[-1] | 128])}, freq=pair)
    case('fill-bit-lowest', two, {'bits': lambda p: p[:-1] + bytes([p[-1] | 32])}, freq=pair)
    case('last-too-wide', narrow(19, 40, [3, 4]), freq={3: 2000, 4: 2096}, span=(3, 32), split='F8_E5M2')
    case('too-wide-unused', narrow(19, 40, [3, 4]), freq={3: 2000, 4: 2000, 255: 96}, split='F8_E5M2')
    case('k-6', two, {'k': b'\6'}, freq=pair)
    case('value-too-wide', wide([3, 4] * 9), freq={3: 2048, 4: 2048}, split='F8_E5M2',
         edit={'last': bytes([36]), 'lengths': nibbles([12, 15, 15, 15, 11, 12])})
    case('state-65535', two[:9], {'states': lambda p: p[:-4] + u32(65535)}, freq=pair)
    case('state-0', two[:9], {'states': lambda p: p[:-4] + u32(0)}, freq=pair)
    case('state-of-no-value', two[:9], {'states': lambda p: p[:-4] + u32(65537)}, freq=pair)
    case('end-65537', two, freq=pair, start=65537)
    case('end-2-32', two, freq=pair, start=(1 << 32) - 1)
    case('words-left-over', two, {'words': lambda p: p + b'\0\0'}, freq=pair)
    case('words-missing', two * 3, {'words': lambda p: p[:-2]}, freq=pair)
    case('half-a-word', two, {'words': lambda p: p + b'\0'}, freq=pair)
    case('cut-in-states', two, {'states': lambda p: p[:127], 'words': b''}, freq=pair)
    case('cut-in-bits', two, {'bits': lambda p: p[:-1], 'states': b'', 'words': b''}, freq=pair)
    case('cut-in-lengths', two, {'lengths': b'', 'bits': b'', 'states': b'', 'words': b''}, freq=pair)
    case('empty', two, dict.fromkeys(['first', 'last', 'lengths', 'bits', 'states', 'words'], b''), freq=pair)


def bad_index():
    def case(name, status='corrupt', originals=None, edit=None, **how):
        edit = {'index.' + field: value for field, value in (edit or {}).items()}
        bad('index-' + name, status, originals or plain(), edit=edit, **how)

    def typed(dtype, shape, size, **how):
        """A tensor that has `size` bytes, while its shape says something else."""
        segment = Segment(SMALL[:size], 'U8', (size,), T=max(size, 1), **how)
        segment.number, segment.shape = DTYPES[dtype][0], shape
        return [Original(segments=[segment])]

    def shaped(**how):
        return [Original(segments=[Segment(SMALL, **how)])]

    for bit in 0, 6, 63:
        case('flags-%d' % bit, 'unsupported', edit={'flags': varint(1 << bit)})
    for bit in 2, 3, 7, 63:
        case('original-flags-%d' % bit, 'unsupported', edit={'o0.flags': varint(2 | 1 << bit)})
    for bit in 2, 3, 7, 63:
        case('segment-flags-%d' % bit, 'unsupported', edit={'s0.flags': varint(1 | 1 << bit)})
    case('flags-long', edit={'flags': varint(0, 2)})
    case('segment-flags-long', edit={'s0.flags': varint(1, 2)})
    case('originals-more', edit={'originals': varint(2)})
    case('originals-fewer', originals=[Original(b'a'), Original(b'b')], edit={'originals': varint(1)})
    case('originals-2-64', edit={'originals': varint((1 << 64) - 1)})
    case('originals-2-60', edit={'originals': varint(1 << 60)})
    case('segments-more', edit={'o0.segments': varint(2)})
    case('segments-fewer', originals=[Original(segments=[Segment(SMALL), Segment()])],
         edit={'o0.segments': varint(1)})
    case('segments-2-64', edit={'o0.segments': varint((1 << 64) - 1)})
    case('segments-2-60', edit={'o0.segments': varint(1 << 60)})
    case('original-name-size-2-64', edit={'o0.name size': varint((1 << 64) - 1)})
    case('original-name-size-long', edit={'o0.name size': varint(1, 2)})
    case('segment-name-size-2-64', edit={'s0.name size': varint((1 << 64) - 1)})
    case('segment-name-size-beyond', edit={'s0.name size': varint(100)})
    case('segment-shares-nothing', edit={'s0.shared': varint(1)})
    case('explicit-size-other', originals=[Original(b'a', [Segment(SMALL[:56], 'F32', (2, 6), unit=4, row=7)])])
    case('explicit-unit-other', originals=[Original(b'a', [Segment(SMALL[:56], 'F32', (2, 7), unit=8, row=7)])])
    case('explicit-shape-2-64', originals=[Original(b'a', [Segment(SMALL[:56], 'F32', (1 << 63, 99), unit=4, row=7)])])
    case('segment-shares-256', originals=[Original(b'a', [Segment(name=b'n' * 300),
                                                           Segment(SMALL, name=b'n' * 301, shared=256)])])
    case('segment-shares-2-64', edit={'s0.shared': varint((1 << 64) - 1)})
    case('segment-shares-more', edit={'s1.shared': varint(3)}, originals=[
        Original(b'abc', [Segment(name=b'ab'), Segment(SMALL, name=b'c')])])
    case('segment-shares-original', originals=[Original(b'abc', [Segment(SMALL)])],
         edit={'s0.shared': varint(1)})
    case('segment-shares-with-other-original', edit={'s1.shared': varint(1)}, originals=[
        Original(b'a', [Segment(name=b'abc')]), Original(b'b', [Segment(SMALL, name=b'bc')])])
    case('segment-shares-across-none', edit={'s2.shared': varint(1)}, originals=[Original(segments=[
        Segment(name=b'abc'), Segment(), Segment(SMALL, name=b'bc')])])
    case('segment-shares-long', edit={'s0.shared': varint(0, 2)})
    case('segment-shares-wraps', edit={'s0.shared': varint((1 << 64) - 1), 's0.name size': varint(5),
                                       's0.name': b'abcde'})
    long = b'n' * 65001
    case('name-above-65000', originals=[Original(b'a', [Segment(SMALL, name=long)])],
         index_planes=[P('sparse', c=ord('n'))])
    case('shared-name-above-65000', index_planes=[P('sparse', c=ord('n'))], originals=[Original(b'a', [
        Segment(SMALL, name=long[:-2]), Segment(SMALL, name=long, shared=64999)])])
    case('original-name-above-65000', index_planes=[P('sparse', c=ord('n'))], originals=[
        Original(long, [Segment(SMALL)], o_record=record(b'O', b'\2\1n'))])
    case('original-size-more', edit={'o0.size': varint(91)})
    case('original-size-less', edit={'o0.size': varint(89)})
    case('original-size-0', edit={'o0.size': varint(0)})
    case('sha', 'checksum', edit={'o0.sha': lambda sha: bytes([sha[0] ^ 1]) + sha[1:]})
    case('sha-last-byte', 'checksum', edit={'o0.sha': lambda sha: sha[:31] + bytes([sha[31] ^ 128])})
    case('left-over', edit={'tail': b'\0'})
    names = ['flags', 'originals', 'o0.flags', 'o0.name size', 'o0.name', 'o0.sha', 'o0.size', 'o0.segments',
             's0.flags', 's0.dtype', 's0.shared', 's0.name size', 's0.name', 's0.rank', 's0.size', 's0.unit',
             's0.row', 's0.gap', 's0.T', 's0.extent0']
    for first, name in enumerate(names[1:], 1):
        case('cut-at-' + name.replace('.', '-').replace(' ', '-'), edit=dict.fromkeys(names[first:], b''))

    u8 = [Original(segments=[Segment(SMALL, 'U8', (9, 10))])]
    case('bytes-without-size', originals=u8, edit={'s0.dtype': b'\0'})
    for dtype in 25, 255:
        case('dtype-%d-without-size' % dtype, 'unsupported', originals=u8, edit={'s0.dtype': bytes([dtype])})
    case('rank-256', originals=shaped(unit=1, shape=(1,) * 256))
    case('rank-2-64', originals=u8, edit={'s0.rank': varint((1 << 64) - 1)})
    case('rank-more', originals=u8, edit={'s0.rank': varint(3)})
    case('dimension-long', originals=u8, edit={'s0.shape': varint(9) + varint(10, 2)})
    case('dimension-more', originals=u8, edit={'s0.shape': varint(9) + varint(11)})
    case('dimension-less', originals=u8, edit={'s0.shape': varint(8) + varint(10)})
    case('part-of-a-unit', originals=typed('F4', (3,), 1))
    case('part-of-a-unit-rank-0', originals=typed('I4', (), 1))
    case('part-of-a-unit-f6', originals=typed('F6_E2M3', (2, 5), 8))
    # Products that come to 16 bytes, or to none, where they are taken modulo 2^64 or 2^32.
    case('elements-wrap', originals=typed('U8', (1 << 63 | 8, 2), 16))
    case('elements-wrap-to-0', originals=typed('U8', (1 << 32, 1 << 32), 0))
    case('elements-wrap-32', originals=typed('U8', (1 << 31 | 8, 2), 16))
    case('bits-wrap', originals=typed('F64', (1 << 58 | 2,), 16))
    case('bits-wrap-f4', originals=typed('F4', (1 << 62 | 32,), 16))
    case('elements-wrap-rank-8', originals=typed('U8', (1 << 8,) * 8, 0))

    for unit in 0, 3, 5, 6, 9, 10:
        case('unit-%d' % unit, edit={'s0.unit': varint(unit)})
    case('unit-16', originals=[Original(segments=[Segment(SMALL[:80])])],
         edit={'s0.unit': varint(16), 's0.T': varint(5)})
    case('unit-2-32', edit={'s0.unit': varint((1 << 32) + 1)})
    case('unit-not-dividing', edit={'s0.unit': varint(4), 's0.T': varint(23)})
    case('row-0', edit={'s0.row': varint(0)})
    case('row-long', edit={'s0.row': varint(1, 2)})
    case('T-0', edit={'s0.T': varint(0)})
    case('T-wraps', originals=[Original(segments=[Segment(SMALL[:80], unit=8)])],
         edit={'s0.T': varint((1 << 61) + 10)})
    case('T-2-64', edit={'s0.T': varint((1 << 64) - 1)})
    case('T-above-max-tile', edit={'s0.T': varint(65537)})
    case('T-not-of-rows', originals=shaped(row=10, T=90), edit={'s0.T': varint(95)})
    case('T-not-of-rows-but-one-tile', originals=shaped(row=20, T=100), edit={'s0.row': varint(40)})
    case('rows-cut-of-part', originals=[Original(segments=[
        Segment(SMALL[:23], row=10, T=5, tiles=[tile(SMALL[a:min(a + 5, 23)]) for a in range(0, 23, 5)])])])
    case('row-above-size', originals=shaped(row=100, T=90))
    case('T-above-row-2-64', edit={'s0.row': varint((1 << 64) - 1)})

    two = [Original(segments=[Segment(SMALL, T=50)])]
    case('gap-more', edit={'s0.gap': lambda gap: varint(gap[0] + 1)})
    case('gap-less', edit={'s0.gap': lambda gap: varint(gap[0] - 1)})
    case('gap-outside', edit={'s0.gap': varint(1000)})
    case('gap-into-the-index', edit={'s0.gap': lambda gap: varint(gap[0] + 13)})
    case('gap-wraps-backwards', originals=[Original(segments=[Segment(SMALL), Segment(SMALL)])],
         edit={'s1.gap': varint((1 << 61) - len(tile(SMALL)) // 8)})
    case('gap-2-61', edit={'s0.gap': lambda gap: varint((1 << 61) + gap[0])})
    case('gap-2-64', edit={'s0.gap': varint((1 << 64) - 1)})
    case('gap-same-tile-twice', originals=[Original(segments=[Segment(SMALL), Segment(SMALL)])],
         edit={'s0.extent0': varint(0)})
    case('extent-0', originals=two, edit={'s0.extent0': varint(0)})
    case('extent-less', originals=two, edit={'s0.extent0': lambda e: varint(e[0] - 1)})
    case('extent-more', originals=two, edit={'s0.extent0': lambda e: varint(e[0] + 1)})
    case('last-extent-less', originals=two, edit={'s0.extent1': lambda e: varint(e[0] - 1)})
    case('last-extent-more', edit={'s0.extent0': lambda e: varint(e[0] + 1)})
    case('extent-wraps', originals=two, edit={'s0.extent0': lambda e: varint((1 << 61) + e[0])})
    case('extent-2-64', originals=two, edit={'s0.extent1': varint((1 << 64) - 1)})
    case('extent-long', originals=two, edit={'s0.extent1': lambda e: varint(e[0], 2)})
    case('tiles-more', originals=two, edit={'s0.T': varint(30)})
    case('tiles-fewer', originals=two, edit={'s0.T': varint(90)})
    case('tiles-2-60', edit={'s0.size': varint(1 << 60), 's0.T': varint(1), 'o0.size': varint(1 << 60)})
    case('tiles-of-other-sizes', originals=[Original(segments=[
        Segment(SMALL, T=45, tiles=[tile(SMALL[:44]), tile(SMALL[44:])])])])
    case('ancillary-in-segment', originals=[Original(segments=[
        Segment(SMALL, T=50, tiles=[tile(SMALL[:50]), note() + tile(SMALL[50:])])])])
    case('ancillary-after-tile', originals=[Original(segments=[
        Segment(SMALL, T=50, tiles=[tile(SMALL[:50]) + note(), tile(SMALL[50:])])])])
    # A tile more than the index knows, and a footer that counts it.
    bad('index-tile-not-listed', 'corrupt', [Original(segments=[Segment(SMALL, gap=tile(SMALL[:9]))])],
        edit={'footer.tiles': u64(2)})

    for name, status, edit in [
            ('crc', 'checksum', {'crc': lambda crc: crc[:3] + bytes([crc[3] ^ 1])}),
            ('split', 'unsupported', {'split': b'\x20'}),
            ('coder', 'unsupported', {'plane0': b'\x1f'}),
            ('n', 'corrupt', {'n': lambda n: bytes([n[0] - 1])}),
            ('left-over', 'corrupt', {'tail': b'\0'}),
            ('padding', 'corrupt', {'padding': lambda p: p[:-1] + b'\1'}),
            ('size-long', 'corrupt', {'body size': lambda size: varint(size[0], 2)})]:
        bad('i-record-' + name, status, [Original()], index_edit=edit)
    bad('i-record-nibbles', 'corrupt', plain(), split='NIBBLES')
    bad('i-record-scaled', 'corrupt', plain(), scales=bytes(100), rows=b'\0')
    name = [Original(segments=[Segment(b'a', name=b'z' * 66000)])]
    bad('i-records-uneven', 'corrupt', name, index_cut=40000, index_planes=[P('sparse', c=122)] * 2)
    bad('i-record-above-2-16', 'corrupt', name, index_cut=65537, index_planes=[P('sparse', c=122)] * 2)
    bad('i-record-type-t', 'corrupt', plain(), index_kinds=b'T')
    bad('i-record-type-o', 'corrupt', plain(), index_kinds=b'O')
    bad('i-record-type-reserved', 'unsupported', plain(), index_kinds=b'J')
    bad('i-record-type-ancillary', 'corrupt', plain(), index_kinds=b'i')
    bad('footer-index-offset-ancillary', 'corrupt', plain(), before_index=note(), edit={
        'footer.index offset': lambda at: u64(struct.unpack('<Q', at)[0] - len(note()))})
    bad('tile-after-index', 'corrupt', plain(), after_index=tile(SMALL))
    bad('original-after-index', 'corrupt', plain(), after_index=record(b'O', b'\0\0'))
    bad('reserved-after-index', 'unsupported', plain(), after_index=record(b'Z', b''))
    bad('i-record-after-index', 'corrupt', plain(), after_index=tile(b'a', kind=b'I'))


def bad_footer():
    def case(name, status, folder='bad', **edit):
        bad(name, status, plain(), folder, edit={'footer.' + k.replace('_', ' '): v for k, v in edit.items()})

    whole = container(plain())
    index_at, = struct.unpack('<Q', whole[-40:-32])
    case('footer-body-size-61', 'corrupt', body_size=b'\x3d')
    case('footer-body-size-46', 'corrupt', body_size=b'\x2e')
    for bit in 0, 15:
        case('footer-reserved-%d' % bit, 'unsupported', reserved=u16(1 << bit))
    for names in 0, 1, 200, (1 << 32) - 1:
        case('index-footer-names-%d' % names, 'corrupt', names=u32(names))
    for originals in 0, 2, (1 << 32) - 1:
        case('footer-originals-%d' % originals, 'corrupt', originals=u32(originals))
    for dimensions in 1, (1 << 32) - 1:
        case('index-footer-dimensions-%d' % dimensions, 'corrupt', dimensions=u32(dimensions))
    case('index-footer-segments-0', 'corrupt', segments=u32(0))
    case('index-footer-segments-2', 'corrupt', segments=u32(2))
    case('index-footer-segments-2-32', 'corrupt', segments=u32((1 << 32) - 1))
    for name, at in [('0', 0), ('header', 32), ('original', 40), ('tile', 48), ('unaligned', index_at + 1),
                     ('footer', len(whole) - 64), ('in-footer', len(whole) - 56), ('end', len(whole)),
                     ('beyond', len(whole) + 8), ('2-64', (1 << 64) - 8), ('2-32', (1 << 32) + index_at)]:
        case('footer-index-offset-' + name, 'corrupt', index_offset=u64(at))
    for tiles in 0, 2, (1 << 64) - 1, (1 << 32) + 1:
        case('footer-tiles-%d' % tiles, 'corrupt', tiles=u64(tiles))
    size, = struct.unpack('<I', whole[-24:-20])
    for name, value in [('0', 0), ('less', size - 1), ('more', size + 1), ('2-32', (1 << 32) - 1)]:
        case('footer-index-size-' + name, 'corrupt', index_size=u32(value))
    case('footer-index-crc', 'checksum', index_crc=u32(0x12345678))
    for name, value in [('0', 0), ('less', len(whole) - 8), ('more', len(whole) + 8),
                        ('2-32', (1 << 32) + len(whole)), ('2-64', (1 << 64) - 1)]:
        case('footer-container-size-' + name, 'corrupt', container_size=u64(value))
    case('footer-crc', 'checksum', 'bad_stream', crc=u32(0x12345678))
    case('footer-magic', 'corrupt', 'bad_stream', magic=b'CDCV')
    case('footer-magic-of-header', 'corrupt', 'bad_stream', magic=b'WCDC')
    case('footer-type-reserved', 'unsupported', 'bad_stream', type=b'G')

    bad_bytes('index-two-containers', 'corrupt', whole + container([]))
    cuts = [0, 1, 3, 4, 5, 6, 8, 31, 32, 33, 39, 40, 41, 48, 49, 50, 60, index_at, index_at + 1, index_at + 9,
            index_at + 30, len(whole) - 64, len(whole) - 63, len(whole) - 8, len(whole) - 4, len(whole) - 1]
    for cut in cuts:
        bad_bytes('cut-at-%03d' % cut, 'truncated', whole[:cut])


def bad_stream():
    def case(name, status, originals, **how):
        bad(name, status, originals, 'bad_stream', **how)

    def with_gap(gap, **how):
        return [Original(segments=[Segment(SMALL), Segment(SMALL[:20], gap=gap)], **how)]

    for kind in b'\x00', b'A', b'N', b'_', b'\x8f', b'\xd4', b'\x14':
        case('record-type-%02x' % kind[0], 'unsupported', with_gap(record(kind, b'abc')))
        case('record-type-%02x-first' % kind[0], 'unsupported', [Original(segments=[Segment(SMALL)],
                                                                     before=record(kind, b''))])
    nonzero = {'padding': lambda p: bytes(len(p) - 1) + b'\1' * bool(p)}
    case('padding-of-o', 'corrupt', [Original(segments=[Segment(SMALL)], edit=nonzero)])
    case('ancillary-size-long', 'corrupt', with_gap(record(b'n', b'abc', {'body size': varint(3, 2)})))
    case('ancillary-size-above-limit', 'corrupt',
         with_gap(record(b'n', b'', {'body size': varint((1 << 25) + 1)})))
    case('ancillary-size-2-64', 'corrupt', with_gap(record(b'n', b'', {'body size': varint((1 << 64) - 1)})))
    case('ancillary-beyond-end', 'truncated', with_gap(record(b'n', b'', {'body size': varint(1 << 25)})))

    def o(body, **how):
        return [Original(segments=[Segment(SMALL)], o_record=record(b'O', body), **how)]
    for bit in 2, 3, 6, 7, 63:
        case('o-flags-%d' % bit, 'unsupported', o(varint(2 | 1 << bit) + b'\1x'))
    case('o-flags-long', 'corrupt', o(b'\x82\0\1x'))
    case('o-name-size-long', 'corrupt', o(b'\2\x81\0x'))
    case('o-name-size-more', 'corrupt', o(b'\2\2x'))
    case('o-name-size-2-64', 'corrupt', o(b'\2' + varint((1 << 64) - 1) + b'x'))
    case('o-left-over', 'corrupt', o(b'\2\1x\0'))
    long = b'n' * 65533                             # 1 and 3 bytes before it make a body of 65537 bytes
    originals = o(varint(2) + varint(65533) + long)
    originals[0].name = long
    case('o-body-above-2-16', 'corrupt', originals, index_planes=[P('sparse', c=ord('n'))] * 2)
    case('o-empty', 'corrupt', o(b''))
    case('o-cut', 'corrupt', o(b'\2'))
    case('o-missing', 'corrupt', [Original(segments=[Segment(SMALL)], o_record=b'')])
    case('o-after-tile', 'corrupt', [Original(o_record=b'', segments=[
        Segment(SMALL), Segment(SMALL, gap=record(b'O', b'\2\1x'))])])
    case('tile-not-listed', 'corrupt', with_gap(tile(SMALL[:9])))
    case('tile-not-listed-at-end', 'corrupt', plain(), before_index=tile(SMALL[:9]))
    case('tile-not-listed-crc', 'checksum', with_gap(tile(SMALL[:9], edit={'crc': bytes(4)})))
    case('index-record-in-gap', 'corrupt', with_gap(tile(b'abc', kind=b'I')))
    case('footer-in-gap', 'corrupt', with_gap(record(b'F', bytes(62))))
    whole = container(plain())
    case('container-in-gap', 'corrupt', with_gap(whole[-64:]))


def bad_both():
    def case(name, originals, folder='bad_both', **how):
        bad(name, 'corrupt', originals, folder, **how)

    def o(name=b'x', flags=2):
        return record(b'O', varint(flags) + varint(len(name)) + name)

    def two(*records):
        return [Original(b'x', [Segment(SMALL)], o_record=records[0]),
                Original(b'y', [Segment(SMALL, gap=b''.join(records[2:]))], o_record=records[1])]

    case('o-other-name', two(o(b'z'), o(b'y')))
    case('o-longer-name', two(o(b'xx'), o(b'y')))
    case('o-other-order', two(o(b'y'), o(b'x')))
    case('o-from-parts', two(o(flags=3), o(b'y')))
    case('o-no-sha', two(o(), o(b'y', flags=0)))
    case('o-early', two(o() + o(b'y'), b''))
    # The footer's number of originals gives these away.
    case('o-second-missing', two(o(), b''), 'bad_stream')
    case('o-more', two(o(), o(b'y'), o(b'z')), 'bad_stream')
    case('o-in-segments', [Original(b'x', [Segment(SMALL), Segment(SMALL, gap=o(b'y'))])], 'bad_stream')
    case('o-more-at-end', [Original(b'x', [Segment(SMALL)])], 'bad_stream', before_index=o(b'y'))
    case('o-without-originals', [], 'bad_stream', before_index=o(b'y'))
    case('index-o-more', [Original(b'x', [Segment(SMALL)])], 'bad', before_index=o(b'y'),
         edit={'footer.originals': u32(2)})


def build():
    """path below tests/golden -> bytes"""
    FILES.clear()
    for part in (good_coders, good_rans16, good_tiles, good_geometry, good_containers, good_scales, good_classes,
                 good_groups, good_base, good_copies, good_mix, good_lz, good_blocks, good_palettes, good_example,
                 bad_header, bad_tiles, bad_simple_coders, bad_huffman, bad_rans16, bad_rans256, bad_lz, bad_scales,
                 bad_classes, bad_groups, bad_base, bad_copies, bad_mix, bad_blocks, bad_palettes, bad_index,
                 bad_footer, bad_stream, bad_both):
        part()
    return dict(FILES)


def present():
    """path below tests/golden -> bytes, as it is on the disk"""
    found = {}
    for folder, _, names in os.walk(GOLDEN):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, 'rb') as f:
                found[os.path.relpath(path, GOLDEN).replace(os.sep, '/')] = f.read()
    return found


def main(args):
    files, there = build(), present()
    if args == ['--check']:
        wrong = sorted(path for path in set(files) | set(there) if files.get(path) != there.get(path))
        for path in wrong:
            print('differs: %s' % path)
        return 1 if wrong else 0
    if args:
        print('usage: make_golden.py [--check]', file=sys.stderr)
        return 2
    for path in set(there) - set(files):
        os.remove(os.path.join(GOLDEN, path))
    for path, data in files.items():
        path = os.path.join(GOLDEN, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(data)
    print('%d files, %d bytes' % (len(files), sum(map(len, files.values()))))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
