#!/usr/bin/env python3
"""A second decoder for the wcodec container, format version 1, in plain Python 3.

It is written from the specification in wcodec.h alone and shares nothing with the C library: where the
two disagree, one of them or the text is wrong.  It is strict, checks every rule that the text states, and
follows the text's order from the inside out; the numbers in brackets are the text's sections:

    bytes, varints, records [1, 2.2] - coders [9] - predictors [7] - splits [6] - tiles [5]
    header, O record, footer [2, 3] - index [4] - the two ways to read a container [10]

    python3 refdecode.py IN.wcodec          checks everything, prints a line
    python3 refdecode.py IN.wcodec OUT      ... and writes the original (several: into the directory OUT)
"""
import hashlib
import os
import struct
import sys
import zlib
from dataclasses import dataclass, field
from itertools import accumulate

import refmix

MAX_TILE_BYTES = 1 << 24
MAX_BODY_BYTES = 1 << 25
MAX_METADATA_BYTES = 1 << 24
MAX_O_BODY_BYTES = 1 << 16
MAX_NAME_BYTES = 65000
INDEX_TILE_BYTES = 1 << 16
MIN_COLUMNS = 8
MAX_COPY_BYTES = 24
FOOTER_BYTES = 64


class FormatError(Exception):
    """What is wrong with a container: a status of the specification, where, and why."""

    def __init__(self, status, offset, what):
        super().__init__('%s: offset %d: %s' % (status, offset, what))
        self.status, self.offset, self.what = status, offset, what


# -- 1. Bytes ------------------------------------------------------------------------------------------

class Cursor:
    """Reads data[pos:end] from left to right.  Running out is `short`: CORRUPT where an enclosing size has
    promised the bytes, TRUNCATED where the container itself stops.  `where` replaces the position in error
    messages, for bytes that do not stand in the container as they are."""

    def __init__(self, data, pos, end, short='CORRUPT', where=None):
        self.data, self.pos, self.end, self.short, self.where = data, pos, end, short, where

    def fail(self, what, status='CORRUPT'):
        raise FormatError(status, self.pos if self.where is None else self.where, what)

    def left(self):
        return self.end - self.pos

    def take(self, size):
        if size > self.left():
            self.fail('%d bytes are missing' % (size - self.left()), self.short)
        self.pos += size
        return self.data[self.pos - size:self.pos]

    def u8(self):
        return self.take(1)[0]

    def u32(self):
        return int.from_bytes(self.take(4), 'little')

    def varint(self):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 127) << shift
            if byte < 128:
                break
            shift += 7
            if shift > 63:
                self.fail('a varint of more than ten bytes')
        if byte == 0 and shift:
            self.fail('a varint is longer than it needs to be')
        if value >> 64:
            self.fail('a varint of 2^64 or more')
        return value

    def zeros(self, size, what):
        if any(self.take(size)):
            self.pos -= size
            self.fail(what)

    def reserved(self, value, what):
        if value:
            self.fail('reserved: ' + what, 'UNSUPPORTED')

    def done(self, what):
        if self.left():
            self.fail('%d bytes left over after %s' % (self.left(), what))


def up8(position):
    return (position + 7) & ~7


# -- 9. Coders: a Cursor over exactly the payload, n values of w bits -> bytes, one a value --------------

def decode_raw(c, n, w):
    if w == 8:
        return c.take(n)
    out = bytearray()
    for _ in range(-(-n // 64)):
        group = [0] * 64
        for part in 4, 2, 1:
            if w & part:
                step, mask = 8 * part, (1 << part) - 1
                for j, byte in enumerate(c.take(step)):
                    for i in range(j, 64, step):        # values j, j + step, ... from bit 0 up
                        group[i] = group[i] << part | byte & mask
                        byte >>= part
        out += bytes(group)
    if any(out[n:]):
        c.fail('raw: the last group is not filled up with zeros')
    return bytes(out[:n])


def decode_packed(c, n, w):
    least, bits = c.take(2)
    if not 1 <= bits < w:
        c.fail('packed: no number of bits for differences')
    if least + (1 << bits) > 1 << w:
        c.fail('packed: values could be 2^w or more')
    return bytes(least + x for x in decode_raw(c, n, bits))


def decode_constant(c, n, w):
    return c.take(1) * n


def decode_sparse(c, n, w):
    common = c.take(1)
    if common[0] >> w:
        c.fail('sparse: the common value is 2^w or more')
    out = bytearray(common * n)
    k = c.varint()
    if not 1 <= k <= n:
        c.fail('sparse: the number of exceptions is not in 1 ... n')
    places, p = [], 0
    while len(places) < k:
        gap = c.u8()
        p += gap
        if gap < 255:
            if p >= n:
                c.fail('sparse: an exception lies beyond the last value')
            places.append(p)
            p += 1
    for place, value in zip(places, c.take(k)):
        out[place] = value
    return bytes(out)


def read_lengths(c, w, highest):
    """first, last and the lengths in nibbles, for Huffman codes and the frequencies of rANS-256.
    Returns 256 lengths."""
    first, last = c.u8(), c.u8()
    if first >= last:
        c.fail('first is not below last')
    if last >> w:
        c.fail('the last value is 2^w or more')
    return read_list(c, first, last, highest, 256)


def read_list(c, first, last, highest, count):
    """The lengths in nibbles of first ... last; those of all `count`."""
    half = None                                         # the high nibble of the byte that was begun

    def nibble():
        nonlocal half
        if half is None:
            byte = c.u8()
            half = byte >> 4
            return byte & 15
        value, half = half, None
        return value

    lengths = [0] * first
    while len(lengths) <= last:
        x = nibble()
        if x == 15:
            lengths += [0] * (nibble() + 3)
        elif x == 14:
            if len(lengths) == first:
                c.fail('a repetition with nothing before it')
            lengths += [lengths[-1]] * (nibble() + 3)
        elif x > highest:
            c.fail('a length nibble that is not used')
        else:
            lengths.append(x)
    if len(lengths) > last + 1:
        c.fail('a run of lengths goes beyond the last value')
    if half:
        c.fail('the nibble that fills up the lengths is not zero')
    return lengths + [0] * (count - 1 - last)


def huffman_table(c, lengths):
    """For the next 11 bits of a stream, bit 0 first: the value and the length of the code they begin with."""
    if sum(2048 >> length for length in lengths if length) != 2048:
        c.fail('Huffman: the code lengths are not complete')
    values, sizes = [0] * 2048, bytearray(2048)
    code = previous = 0
    for length, value in sorted((length, value) for value, length in enumerate(lengths) if length):
        code <<= length - previous
        previous = length
        turned = int(format(code, '0%db' % length)[::-1], 2)    # the code's top bit comes first: bit 0
        for entry in range(turned, 2048, 1 << length):
            values[entry], sizes[entry] = value, length
        code += 1
    return values, sizes


def huffman_stream(c, stream, count, values, sizes):
    out = bytearray(count)
    window = bits = pos = 0                             # `bits` bits of the stream, the next one is bit 0
    for i in range(count):
        if bits < 11:
            window |= int.from_bytes(stream[pos:pos + 7], 'little') << bits     # zeros beyond the end
            pos += 7
            bits += 56
        entry = window & 2047
        out[i] = values[entry]
        window >>= sizes[entry]
        bits -= sizes[entry]
    used = 8 * pos - bits
    if len(stream) != (used + 7) // 8:
        c.fail('Huffman: a stream has too few bytes or too many')
    if used % 8 and stream[-1] >> used % 8:
        c.fail('Huffman: unused bits of a stream are not zero')
    return out


def decode_huffman(c, n, w):
    s = c.u8()
    if s > 5:
        c.fail('Huffman: more than 32 streams')
    streams = 1 << s
    values, sizes = huffman_table(c, read_lengths(c, w, 11))
    lens = [c.varint() for _ in range(streams - 1)]
    if sum(lens) > c.left():
        c.fail('Huffman: the streams are larger than the payload')
    lens.append(c.left() - sum(lens))
    out = bytearray(n)
    for k, size in enumerate(lens):
        out[k::streams] = huffman_stream(c, c.take(size), len(range(k, n, streams)), values, sizes)
    return bytes(out)


def rans16_slots(freq):
    """The symbol and the rank of each of the 256 slots, by the alias table of 16 buckets."""
    rem, div, other, done = list(freq), [16] * 16, list(range(16)), [False] * 16
    while True:
        i = next((s for s in range(16) if not done[s] and rem[s] < 16), None)
        if i is None:
            break
        j = next(s for s in range(16) if not done[s] and rem[s] > 16)   # exists: what is left averages 16
        div[i], other[i], done[i] = rem[i], j, True
        rem[j] -= 16 - rem[i]
    count, slots = list(div), []
    for b in range(16):
        base = count[other[b]] - div[b]
        count[other[b]] += 16 - div[b]
        slots += [(b, r) if r < div[b] else (other[b], r + base) for r in range(16)]
    return slots


def decode_rans16(c, n, w):
    freq, value = c.take(16), c.take(16)
    return rans16_values(c, n, w, [freq], value, bytes(n))


def rans16_values(c, n, w, freqs, value, classes):
    """What stands behind the tables: `classes` names, for each value, the frequencies that it is coded by."""
    exceptions = int.from_bytes(c.take(3), 'little')
    k = c.u8()
    if any(sum(freq) != 256 for freq in freqs):
        c.fail('rANS-16: the frequencies do not sum to 256')
    if any(v for s, v in enumerate(value) if not any(freq[s] for freq in freqs)):
        c.fail('rANS-16: a value for a symbol of frequency 0')
    if max(value) >> w:
        c.fail('rANS-16: a value of 2^w or more')
    if k > 2:
        c.fail('rANS-16: more than 256 states')
    lanes = 64 << k
    behind = c.take(3 * exceptions)
    high, low = c.take(lanes), c.take(lanes)
    state = [h << 8 | l for h, l in zip(high, low)]
    if min(state) < 256:
        c.fail('rANS-16: a state is below 256')
    feed = c.take(c.left())                             # renormalisation bytes

    named, scale, rank = [], [], []                     # 256 slots a class
    for freq in freqs:
        slots = rans16_slots(freq)
        named += [value[s] for s, _ in slots]
        scale += [freq[s] for s, _ in slots]
        rank += [r for _, r in slots]
    out, pos = bytearray(n), 0
    try:
        for i in range(n):
            x = state[i & lanes - 1]
            t = x & 255 | classes[i] << 8
            out[i] = named[t]
            x = scale[t] * (x >> 8) + rank[t]
            if x < 256:
                x = x << 8 | feed[pos]
                pos += 1
            state[i & lanes - 1] = x
    except IndexError:
        c.fail('rANS-16: renormalisation bytes are missing')
    if any(x != 256 for x in state):
        c.fail('rANS-16: a state does not end as 256')
    if pos < len(feed):
        c.fail('rANS-16: renormalisation bytes are left over')
    place = -1
    for e in range(0, len(behind), 3):
        place += 1 + int.from_bytes(behind[e:e + 2], 'little')
        if place >= n:
            c.fail('rANS-16: an exception lies beyond the last value')
        out[place] = behind[e + 2]
    return bytes(out)                                   # decode_plane looks at exceptions of 2^w or more


def decode_rans256(c, n, w):
    k = c.u8()
    if k > 5:
        c.fail('rANS-256: more than 32 states')
    lanes = 1 << k
    lengths = read_lengths(c, w, 12)
    size = sum(length - 1 for length in lengths if length)
    bits = int.from_bytes(c.take((size + 7) // 8), 'little')
    freq = [0] * 256
    for v, length in enumerate(lengths):
        if length:
            freq[v] = 1 << length - 1 | bits & (1 << length - 1) - 1
            bits >>= length - 1
    if bits:
        c.fail('rANS-256: the bits that fill up the frequencies are not zero')
    if sum(freq) != 4096:
        c.fail('rANS-256: the frequencies do not sum to 4096')
    state = list(struct.unpack('<%dI' % lanes, c.take(4 * lanes)))
    if min(state) < 65536:
        c.fail('rANS-256: a state is below 65536')
    if c.left() % 2:
        c.fail('rANS-256: half a word')
    feed = struct.unpack('<%dH' % (c.left() // 2), c.take(c.left()))

    owner = b''.join(bytes([v]) * f for v, f in enumerate(freq))
    rank = [k for f in freq for k in range(f)]
    out, pos = bytearray(n), 0
    try:
        for i in range(n):
            x = state[i & lanes - 1]
            t = x & 4095
            v = out[i] = owner[t]
            x = freq[v] * (x >> 12) + rank[t]
            if x < 65536:
                x = x << 16 | feed[pos]
                pos += 1
            state[i & lanes - 1] = x
    except IndexError:
        c.fail('rANS-256: renormalisation words are missing')
    if pos != len(feed):
        c.fail('rANS-256: renormalisation words are left over')
    if any(x != 65536 for x in state):
        c.fail('rANS-256: a state does not end at 65536')
    return bytes(out)


def decode_classes(c, n, w, q, first):
    """`q`: see section 7.1, None without row scales; `first`: width and values of the first plane, None if this
    is the first one."""
    source = c.u8()
    freqs, value, base, class_map = [c.take(16) for _ in range(4)], c.take(16), c.u8(), c.take(16)
    if source == 0:
        if q is None:
            c.fail('classes: they come from scales, but the tile has none')
        if base or any(class_map):
            c.fail('classes: a map that is not used')
        classes = [x & 3 for x in q]
    elif source == 1:
        if first is None:
            c.fail('classes: there is no plane before this one')
        classes = []
        for p, x in zip(first[1], q or bytes(n)):
            t = (p - (x >> 2) - base) % (1 << first[0])
            context = 16 * (x & 3) + min(t, 15)
            classes.append(class_map[context // 4] >> 2 * (context % 4) & 3)
    else:
        c.fail('classes: a source that is neither 0 nor 1')
    return rans16_values(c, n, w, freqs, value, classes)


class Bits:
    """A stream of bits from c's position on, as long as a block turns out to be; bit 0 of a byte first."""

    def __init__(self, c):
        self.c, self.window, self.count = c, 0, 0

    def fill(self, count):
        while self.count < count and self.c.left():
            self.window |= self.c.u8() << self.count
            self.count += 8

    def take(self, count):
        self.fill(count)
        if self.count < count:
            self.c.fail('lz: the stream ends too early')
        value = self.window & (1 << count) - 1
        self.window >>= count
        self.count -= count
        return value

    def symbol(self, table):
        self.fill(11)
        values, sizes = table
        entry = self.window & 2047
        self.take(sizes[entry])
        return values[entry]

    def end(self):
        """Whole bytes go back; what is left of the last one is zero."""
        self.c.pos -= self.count // 8
        if self.window & (1 << self.count % 8) - 1:
            self.c.fail('lz: the bits that fill up a block are not zero')


def lz_number(bits, symbol, fine):
    if symbol < 2 << fine:
        return symbol
    extra = (symbol >> fine) - 1
    return ((1 << fine | symbol & (1 << fine) - 1) << extra) + bits.take(extra)


def lz_tables(c, w):
    first, last = c.u8(), c.u8()
    if first > last or last >> w:
        c.fail("lz: a block's first and last literal")
    lengths = read_list(c, first, last, 11, 256)
    count = c.u8()
    if count > 92:
        c.fail('lz: more than 92 length symbols')
    lengths += read_list(c, 0, count - 1, 11, 92) if count else [0] * 92
    main, distances = huffman_table(c, lengths), None
    if count:
        count = c.u8()
        if count >= 128:
            if count - 128 > 50:
                c.fail('lz: an unknown distance symbol')
            distances = [count - 128] * 2048, bytes(2048)
        elif 2 <= count <= 51:
            distances = huffman_table(c, read_list(c, 0, count - 1, 11, 51))
        else:
            c.fail('lz: a wrong number of distance symbols')
    return main, distances


def decode_lz(c, n, w):
    out, recent = bytearray(), [1, 2, 4]
    while len(out) < n:
        values = c.varint()
        if not 1 <= values <= n - len(out):
            c.fail('lz: a block has a wrong number of values')
        end = len(out) + values
        main, distances = lz_tables(c, w)
        bits = Bits(c)
        while len(out) < end:
            symbol = bits.symbol(main)
            if symbol < 256:
                out.append(symbol)
                continue
            length = 2 + lz_number(bits, symbol - 256, 2)
            symbol = bits.symbol(distances)
            if symbol < 3:
                distance = recent.pop(symbol)
            else:
                distance = 1 + lz_number(bits, symbol - 3, 1)
                recent.pop()
            recent.insert(0, distance)
            if distance > len(out):
                c.fail('lz: a match begins before the plane')
            if length > end - len(out):
                c.fail('lz: a match is longer than its block')
            while length:
                piece = out[len(out) - distance:][:length]      # at most `distance` values are there
                out += piece
                length -= len(piece)
        bits.end()
    return bytes(out)


CLASSES, MIX, LZ, PACKED = 6, 7, 8, 9
CODERS = {0: decode_raw, 1: decode_constant, 2: decode_sparse, 3: decode_huffman, 4: decode_rans16,
          5: decode_rans256, CLASSES: decode_classes, LZ: decode_lz, PACKED: decode_packed}


def decode_plane(c, n, w, coder, q=None, first=None):
    if coder == CLASSES:
        values = decode_classes(c, n, w, q, first)
    else:
        values = CODERS[coder](c, n, w)
    c.done('the values of a plane')
    if max(values) >> w:
        c.fail('a value does not fit the width of its plane')
    return values


def decode_mix(c, n, w, row, first):
    try:
        return bytes(refmix.decode(c.take(c.left()), w, n, row, first))
    except refmix.Broken as e:
        c.fail(str(e))


# -- 7. Predictors -------------------------------------------------------------------------------------

PREDICTOR_NAMES = ['none', 'left', 'up', 'scale']
LEFT, UP, SCALE, BASE_XOR, BASE_DIFFERENCE = 1, 2, 3, 4, 5


def unpredict(values, predictor, row, bits, q=None):
    """Residuals back to values, modulo 2^bits."""
    mask = (1 << bits) - 1
    if predictor == 0:
        return values
    if predictor == LEFT:
        return [v & mask for v in accumulate(values)]
    if predictor == SCALE:
        return [v + (x >> 2) & mask for v, x in zip(values, q)]
    values = list(values)
    for i in range(row, len(values)):
        values[i] = values[i] + values[i - row] & mask
    return values


def undo_base(residuals, base, unit, predictor):
    """Units from what they differ from the base's."""
    bias = int.from_bytes(b'\x80' * unit, 'little')
    out = bytearray()
    for i in range(0, len(residuals), unit):
        d = int.from_bytes(residuals[i:i + unit], 'little')
        b = int.from_bytes(base[i:i + unit], 'little')
        v = d ^ b if predictor == BASE_XOR else (d + b - bias) % (1 << 8 * unit)
        out += v.to_bytes(unit, 'little')
    return bytes(out)


# -- 6. Splits -----------------------------------------------------------------------------------------

def top_down(unit):
    """Planes of whole bytes, the unit's top byte first."""
    return [[(8 * b, 8)] for b in reversed(range(unit))]


# name, bytes a unit, planes; a plane is a list of fields (lowest bit in the unit, bits), lowest field first.
SPLITS = [
    ('BYTE', 1, top_down(1)),
    ('WORD16', 2, top_down(2)),
    ('WORD32', 4, top_down(4)),
    ('WORD64', 8, top_down(8)),
    ('BF16', 2, [[(7, 8)], [(0, 7), (15, 1)]]),
    ('F16', 2, [[(10, 5)], [(8, 2), (15, 1)], [(0, 8)]]),
    ('F32', 4, [[(23, 8)], [(16, 7), (31, 1)], [(8, 8)], [(0, 8)]]),
    ('F64', 8, [[(52, 8)], [(48, 4), (60, 3), (63, 1)]] + top_down(6)),
    ('F8_E4M3', 1, [[(3, 4)], [(0, 3), (7, 1)]]),
    ('F8_E5M2', 1, [[(2, 5)], [(0, 2), (7, 1)]]),
    ('NIBBLES', 1, [[(4, 4)], [(0, 4)]]),
    ('BF16_4', 2, [[(7, 8)], [(3, 4)], [(0, 3), (15, 1)]]),
    ('F16_4', 2, [[(10, 5)], [(6, 4)], [(0, 6), (15, 1)]]),
    ('F32_4', 4, [[(23, 8)], [(19, 4)], [(16, 3), (31, 1)], [(8, 8)], [(0, 8)]]),
    ('BLOCKS', 1, None),                                # section 6.1
    ('PALETTE16', 2, [[(0, 8)]]),                       # section 6.2: the width is the table's
    ('PALETTE32', 4, [[(0, 8)]]),
    ('PALETTE64', 8, [[(0, 8)]]),
    ('LINEAR_BF16', 2, [[(0, 8)]]),
    ('LINEAR_F16', 2, [[(0, 8)]]),
    ('LINEAR_F32', 4, [[(0, 8)]]),
]
BLOCKS = 14
LINEAR = 18             # and above; from PALETTE16 on a split has a table


def width(plane):
    return sum(bits for _, bits in plane)


def join(planes, values, unit, n):
    """Puts the planes' fields back into n units.  All units are handled at once, as one large integer with
    a lane of `unit` bytes for each: shifting and masking it shifts and masks every unit."""
    def lanes(mask):
        return int.from_bytes(mask.to_bytes(unit, 'little') * n, 'little')

    whole = 0
    for fields, plane in zip(planes, values):
        spread = bytearray(n * unit)
        spread[::unit] = bytes(plane)
        lane = int.from_bytes(spread, 'little')
        taken = 0
        for bit, bits in fields:
            whole |= (lane >> taken & lanes((1 << bits) - 1)) << bit
            taken += bits
    return whole.to_bytes(n * unit, 'little')


# -- 6.2 Splits with a table --------------------------------------------------------------------------

@dataclass
class Table:
    width: int          # bits an index
    size: int           # bytes of the payload
    zero: int = 0
    bytes: int = 0      # of a scale
    run: int = 0


def read_table(c, split, n):
    """The fields of a table."""
    if split < LINEAR:
        count = c.varint()
        if not 1 <= count <= 256:
            c.fail('a palette of no units, or of more than 256')
        return Table(max(1, (count - 1).bit_length()), count * SPLITS[split][1])
    form, zero = c.u8(), c.u8()
    c.reserved(form >> 6, 'form of a linear split')
    w, size, run = form & 15, (form >> 4 & 3) + 1, c.varint()
    if not 1 <= w <= 8:
        c.fail('a linear split with a width that is not 1 to 8')
    if not 1 <= run <= n:
        c.fail('a run of no units, or of more than there are')
    return Table(w, -(-n // run) * size, zero, size, run)


def rounded(numerator, shift):
    """numerator / 2^shift, to the nearest whole number, of two to the even one."""
    if shift <= 0:
        return numerator << -shift
    whole, rest = numerator >> shift, numerator & (1 << shift) - 1
    return whole + (2 * rest > 1 << shift or 2 * rest == 1 << shift and whole & 1)


def to_float(m, e, mantissa, exponents):
    """m * 2^e as the bits of the nearest floating-point number with so many bits of mantissa and exponent."""
    bias = (1 << exponents - 1) - 1
    last = max(m.bit_length() - 1 + e, 1 - bias) - mantissa     # the power of 2 of the last place
    q = rounded(m, last - e)
    bits = q + (last + mantissa + bias - 1 << mantissa) if q >> mantissa else q
    return min(bits, (1 << exponents) - 1 << mantissa)


def linear_units(c, split, table, scale, values):
    """One run of units."""
    if scale >> 23 & 255 == 255:
        c.fail('a scale that is not finite')
    e = scale >> 23 & 255
    m, e = (scale & 0x7fffff | (e > 0) << 23), max(e, 1) - 150
    made = {}
    for v in set(values):
        k = v - table.zero
        bits, top = to_float(m * abs(k), e, 23, 8), 31
        if split < 20:
            f = bits >> 23
            top = 15
            if f == 255:
                bits = (0x7f80, 0x7c00)[split - 18]
            else:
                bits = to_float(bits & 0x7fffff | (f > 0) << 23, max(f, 1) - 150, *((7, 8), (10, 5))[split - 18])
        made[v] = (bits | ((scale >> 31) ^ (k < 0)) << top).to_bytes(SPLITS[split][1], 'little')
    return b''.join(made[v] for v in values)


def indexed_units(c, split, table, payload, values):
    """The units that indices stand for."""
    unit = SPLITS[split][1]
    if split < LINEAR:
        units = [payload[i:i + unit] for i in range(0, len(payload), unit)]
        order = [int.from_bytes(x, 'little') for x in units]
        if any(a >= b for a, b in zip(order, order[1:])):
            c.fail('the units of a palette do not rise')
        if max(values) >= len(units):
            c.fail('an index beyond the palette')
        return b''.join(units[v] for v in values)
    out = []
    for i in range(0, len(values), table.run):
        at = i // table.run * table.bytes
        scale = int.from_bytes(bytes(4 - table.bytes) + payload[at:at + table.bytes], 'little')
        out.append(linear_units(c, split, table, scale, values[i:i + table.run]))
    return b''.join(out)


# -- 2.2 Records, 5. Tiles -----------------------------------------------------------------------------

@dataclass
class Record:
    kind: str           # one character
    offset: int         # of its first byte
    body: int           # offset of the body
    body_end: int
    end: int            # padding included: where the next record starts

    def cursor(self, data):
        return Cursor(data, self.body, self.body_end)


KINDS = 'BOTRSIF'


def read_record(data, offset):
    c = Cursor(data, offset, len(data), 'TRUNCATED')
    kind, size = c.u8(), c.varint()
    if size > MAX_BODY_BYTES:
        c.fail('a record of more than 2^25 bytes')
    record = Record(chr(kind), offset, c.pos, c.pos + size, up8(c.pos + size))
    if record.end > len(data):
        raise FormatError('TRUNCATED', offset, 'the container ends inside a record')
    return record


def check_padding(data, record):
    padding = Cursor(data, record.body_end, record.end)
    padding.zeros(padding.left(), 'the padding of a record is not zero')


def is_ancillary(record):
    return bool(ord(record.kind) & 0x20)


def expected_kind(record, kind):
    """Another type here breaks the order of things; a reserved one needs a later reader."""
    if record.kind != kind:
        known = record.kind in KINDS or is_ancillary(record)
        raise FormatError('CORRUPT' if known else 'UNSUPPORTED', record.offset,
                          'a record of type %02X instead of %s' % (ord(record.kind), kind))


@dataclass
class Tile:
    record: Record
    data: bytes
    split: int
    predictor: int
    planes: list        # of (coder, predictor, payload size)
    rows: tuple         # the same of the row scales, or None
    fields: list        # of a tile of blocks, whose planes are in `planes` too; or None


MIXED, BASED, BLOCKY = 1, 2, 4      # features of a header


def read_head(c, features):
    """The two fields of a plane."""
    byte = c.u8()
    coder, predictor = byte & 31, byte >> 5
    if coder == MIX:
        if not features & MIXED:
            c.fail('a plane of coder mix, of which the header says nothing')
    elif coder not in CODERS:
        c.reserved(coder, 'coder')
    if predictor in (BASE_XOR, BASE_DIFFERENCE):
        c.fail('a plane predictor that is one of whole units')
    if predictor > SCALE:
        c.reserved(predictor, 'plane predictor')
    return coder, predictor, c.varint()


def read_heads(c, split, predictor, row, scaled, features):
    """The two fields of each plane of a tile or of a field."""
    heads = [read_head(c, features) for _ in SPLITS[split][2]]
    used = [predictor] + [p for _, p, _ in heads]
    if row is None and UP in used:
        c.fail('a predictor is up, but there is no row length')
    if not scaled and SCALE in used:
        c.fail('a predictor is scale, but there are no row scales')
    return heads


def read_split(c, split, predictor):
    if split >= len(SPLITS):
        c.reserved(split, 'split')
    if predictor == SCALE:
        c.fail('the predictor of units is scale, which is one of planes')
    if predictor > BASE_DIFFERENCE:
        c.reserved(predictor, 'unit predictor')


@dataclass
class Field:
    """Of a block: section 6.1."""
    width: int
    split: int
    predictor: int
    row: int
    heads: list


def read_fields(c, n, features):
    count = c.u8()
    if not 1 <= count <= 16:
        c.fail('blocks of no fields, or of more than 16')
    widths = []
    for _ in range(count):
        widths.append(c.varint())
        if widths[-1] < 1 or sum(widths) > 4096:
            c.fail('a field without bytes, or blocks of more than 4096')
    if n % sum(widths):
        c.fail('the tile is not a whole number of blocks')
    fields = []
    for w in widths:
        split, flags = c.u8(), c.u8()
        if flags >> 4:
            c.fail('flags of a field that are not used')
        row = c.varint() if flags & 8 else None
        read_split(c, split, flags & 7)
        if flags & 7 > SCALE:
            c.fail('a field of blocks with a predictor by the base')
        if split >= BLOCKS:
            c.fail('a field of blocks is split as BLOCKS, or with a table')
        if row is not None and row < 1:
            c.fail('a row length of 0')
        if n // sum(widths) * w % SPLITS[split][1]:
            c.fail('a field is not a whole number of units')
        fields.append(Field(w, split, flags & 7, row, read_heads(c, split, flags & 7, row, False, features)))
    return fields


def take_payload(c, offset, size):
    """A cursor over the next payload of the record at `offset`."""
    if size >= 256:
        c.zeros(-(c.pos - offset) % 8, 'the padding before a payload is not zero')
    payload = Cursor(c.data, c.pos, c.pos + size)
    c.take(size)
    return payload


def decode_planes(c, offset, n, split, predictor, row, heads, q, of_base=None, table=None):
    """The n units of a tile, or of a field, from the payloads that come next in the record at `offset`.  `of_base`:
    the tile's bytes of the base."""
    _, unit, planes = SPLITS[split]
    values = []
    if table:
        planes = [[(0, table.width)]]
        units = take_payload(c, offset, table.size)
        units = units.take(units.left())
    for plane, (coder, plane_predictor, size) in zip(planes, heads):
        first = (width(planes[0]), values[0]) if values else None
        payload = take_payload(c, offset, size)
        if coder == MIX:
            residuals = decode_mix(payload, n, width(plane), row or 0, values[0] if values else None)
        else:
            residuals = decode_plane(payload, n, width(plane), coder, q, first)
        values.append(unpredict(residuals, plane_predictor, row, width(plane), q))
    decoded = indexed_units(c, split, table, units, values[0]) if table else join(planes, values, unit, n)
    if predictor > SCALE:
        return undo_base(decoded, of_base, unit, predictor)
    if predictor:
        letter = {1: 'B', 2: 'H', 4: 'I', 8: 'Q'}[unit]
        units = struct.unpack('<%d%s' % (n, letter), decoded)
        decoded = struct.pack('<%d%s' % (n, letter), *unpredict(units, predictor, row, 8 * unit))
    return decoded


def decode_fields(c, offset, n, fields):
    """The n bytes of a tile of blocks."""
    block = sum(field.width for field in fields)
    blocks, decoded, at = n // block, bytearray(n), 0
    for field in fields:
        w = field.width
        units = blocks * w // SPLITS[field.split][1]
        data = decode_planes(c, offset, units, field.split, field.predictor, field.row, field.heads, None)
        for b in range(blocks):
            decoded[b * block + at:b * block + at + w] = data[b * w:(b + 1) * w]
        at += w
    return bytes(decoded)


def decode_tile(data, offset, limit=MAX_TILE_BYTES, scales=None, features=0, base=None):
    """Decodes the T, S or I record at `offset`, whose tile must not be larger than `limit` bytes; `scales`: of
    the columns of its group, if that has an S record; `base`: the Base, if the container names one."""
    record = read_record(data, offset)
    if record.kind not in 'TSI':
        raise FormatError('CORRUPT', offset, 'a tile was expected here')
    check_padding(data, record)
    c = record.cursor(data)

    split, flags = c.u8(), c.u8()
    predictor, has_row = flags & 7, flags >> 3 & 1
    scaled = flags >> 7
    read_split(c, split, predictor)
    unit = SPLITS[split][1]
    if split == BLOCKS and not features & BLOCKY:
        c.fail('a tile that is split as BLOCKS, of which the header says nothing')
    if split == BLOCKS and (predictor or has_row or scaled):
        c.fail('flags that a tile of blocks can not have')
    if predictor > SCALE and (record.kind != 'T' or not features & BASED):
        c.fail('a tile that needs a base where there is none')
    if scaled and scales is None:
        c.fail('a tile with row scales, but without column scales')
    crc_at, crc = c.pos, c.u32()
    n = c.varint()
    if n < 1:
        c.fail('a tile without units')
    if n * unit > MAX_TILE_BYTES:
        c.fail('a tile of more than 2^24 bytes')
    if n * unit > limit:
        c.fail('a tile is larger than the header allows')
    if record.body_end - record.body > n * unit * 9 // 8 + 8192:
        c.fail('the body is larger than such a tile may take')
    row = None
    if has_row:
        row = c.varint()
        if row < 1:
            c.fail('a row length of 0')

    rows_head = None
    if scaled:
        phase = c.varint()
    base_offset = c.varint() if predictor > SCALE else None
    if predictor > SCALE and base_offset + n * unit > base.size:
        c.fail("a tile's bytes do not lie in the base")
    if scaled:
        w = len(scales)
        if phase >= w:
            c.fail('a tile begins in a column that there is not')
        row_count = (phase + n - 1) // w + 1
        rows_head = read_head(c, features)
        if rows_head[0] in (CLASSES, MIX, LZ) or rows_head[1] not in (0, LEFT):
            c.fail('row scales with a coder or predictor that they can not have')
    table = read_table(c, split, n) if split > BLOCKS else None
    if table and scaled:
        c.fail('a table and row scales')
    heads, fields = None, None
    if split == BLOCKS:
        fields = read_fields(c, n, features)
        heads = [head for field in fields for head in field.heads]
    else:
        heads = read_heads(c, split, predictor, row, scaled, features)
    c.zeros(flags >> 4 & 7, 'the filler of a tile is not zero')

    q = None
    if scaled:
        rows = decode_plane(take_payload(c, offset, rows_head[2]), row_count, 8, rows_head[0])
        rows = unpredict(rows, rows_head[1], None, 8)
        q = [rows[i // w] + scales[i % w] & 255 for i in range(phase, phase + n)]
    if fields:
        decoded = decode_fields(c, offset, n, fields)
    else:
        of_base = None
        if predictor > SCALE:
            if base.data is None:
                raise FormatError('BASE', offset, 'a tile needs the base')
            of_base = base.data[base_offset:base_offset + n * unit]
        decoded = decode_planes(c, offset, n, split, predictor, row, heads, q, of_base, table)
    c.done("a tile's payloads")
    if zlib.crc32(decoded) != crc:
        raise FormatError('CHECKSUM', crc_at, "CRC-32 of a tile's bytes")
    return Tile(record, decoded, split, predictor, heads, rows_head, fields)


@dataclass
class Copy:
    distance: int
    size: int
    crc: int


def read_copy(data, offset, limit):
    """The R record at `offset`."""
    record = read_record(data, offset)
    if record.end - offset > MAX_COPY_BYTES:
        raise FormatError('CORRUPT', offset, 'an R record of more than 24 bytes')
    check_padding(data, record)
    c = record.cursor(data)
    copy = Copy(c.varint(), c.varint(), c.u32())
    c.done('an R record')
    if not 1 <= copy.size <= limit:
        c.fail('a copy of no bytes, or of more than the header allows')
    if copy.distance < copy.size:
        c.fail('a copy of a tile that does not end before it')
    return copy


def decode_scales(data, offset, limit, features):
    """The scales of columns in the S record at `offset`."""
    tile = decode_tile(data, offset, limit, features=features)
    if tile.split != 0:
        raise FormatError('CORRUPT', offset, 'column scales with a split other than BYTE')
    if len(tile.data) < MIN_COLUMNS:
        raise FormatError('CORRUPT', offset, 'the scales of fewer than 8 columns')
    return tile.data


# -- 2.1 Header, 3. O record, 2.3 Footer ---------------------------------------------------------------

@dataclass
class Header:
    size: int
    max_tile_bytes: int
    metadata: bytes
    features: int = 0
    base: 'Base' = None         # what the B record says
    start: int = 0              # where the records behind header and B record begin


@dataclass
class Base:
    name: bytes
    size: int
    sha256: bytes
    data: bytes         # None: it is not at hand


def read_base(data, offset, base):
    """The B record at `offset`; `base`: the bytes at hand, or None.  Returns the Base and where it ends."""
    record = read_record(data, offset)
    expected_kind(record, 'B')
    check_padding(data, record)
    c = record.cursor(data)
    size = c.varint()
    if size > 65000:
        c.fail('a name of more than 65000 bytes')
    found = Base(c.take(size), c.varint(), c.take(32), base)
    c.done('a B record')
    if base is not None and len(base) != found.size:
        raise FormatError('BASE', offset, 'the base has another size')
    return found, record.end


def read_header(data, base=None):
    if not b'WCDC'.startswith(data[:4]):
        raise FormatError('MAGIC', 0, 'this is not a wcodec container')
    c = Cursor(data, 0, len(data), 'TRUNCATED')
    _, version, flags, size, metadata_size, features, max_tile_bytes, reserved, crc = \
        struct.unpack('<4sHHIIIIII', c.take(32))
    if version != 1:
        raise FormatError('VERSION', 4, 'format version %d' % version)
    c.reserved(flags, 'header flags')
    c.reserved(features & ~(MIXED | BASED | BLOCKY), 'header features')
    c.reserved(reserved, 'header field at 24')
    if metadata_size > MAX_METADATA_BYTES:
        c.fail('metadata of more than 2^24 bytes')
    if size != up8(32 + metadata_size):
        c.fail('the header size is not that of the metadata')
    if not 1 <= max_tile_bytes <= MAX_TILE_BYTES:
        c.fail('the maximal tile size is not in 1 ... 2^24')
    metadata = c.take(metadata_size)
    c.zeros(size - c.pos, 'the padding of the header is not zero')
    if zlib.crc32(data[32:size], zlib.crc32(data[:28])) != crc:
        raise FormatError('CHECKSUM', 28, 'CRC-32 of the header')
    header = Header(size, max_tile_bytes, metadata, features, None, size)
    if features & BASED:
        header.base, header.start = read_base(data, size, base)
    return header


def read_original_flags(c):
    flags = c.varint()
    c.reserved(flags >> 2, 'flags of an original')
    return flags


def read_o_record(data, record):
    c = record.cursor(data)
    if c.left() > MAX_O_BODY_BYTES:
        c.fail('the body of an O record is larger than 2^16 bytes')
    flags = read_original_flags(c)
    name = c.take(c.varint())
    c.done('the name in an O record')
    return flags, name


@dataclass
class Footer:
    offset: int
    groups: int
    names: int
    originals: int
    dimensions: int
    segments: int
    index_offset: int
    tiles: int
    index_size: int
    index_crc: int
    container_size: int
    crc: int


def read_footer(data, offset):
    c = Cursor(data, offset, len(data), 'TRUNCATED')
    kind, size, reserved, *fields, magic = struct.unpack('<BB2sIIIIIQQIIQI4s', c.take(FOOTER_BYTES))
    if kind != ord('F') or size != FOOTER_BYTES - 2:
        c.fail('this is not a footer')
    if magic != b'CDCW':
        c.fail('the magic of the footer')
    c.reserved(any(reserved), 'footer field at 2')
    footer = Footer(offset, *fields)
    if footer.container_size != offset + FOOTER_BYTES:
        c.fail('the container size does not fit')
    return footer


def check_index_tile(tile, index):
    """The rules for I records, which come before `tile` is joined to `index`."""
    def fail(what):
        raise FormatError('CORRUPT', tile.record.offset, what)
    if tile.split != 0:
        fail('a tile of the index with a split other than BYTE')
    if len(tile.data) > INDEX_TILE_BYTES:
        fail('a tile of the index with more than 2^16 bytes')
    if len(index) % INDEX_TILE_BYTES:
        fail('a tile of the index with fewer than 2^16 bytes is not the last')


def check_index(footer, index):
    if len(index) != footer.index_size:
        raise FormatError('CORRUPT', footer.offset, 'the index has not the size that the footer gives')
    if zlib.crc32(index) != footer.index_crc:
        raise FormatError('CHECKSUM', footer.offset + 44, 'CRC-32 of the index')


# -- 8. Dtypes, 4. Index -------------------------------------------------------------------------------

BYTES = 0
# id: (name, bits an element, bytes a unit)
DTYPES = {
    1: ('BOOL', 8, 1), 2: ('F4', 4, 1), 3: ('F6_E2M3', 6, 1), 4: ('F6_E3M2', 6, 1), 5: ('U8', 8, 1),
    6: ('I8', 8, 1), 7: ('F8_E5M2', 8, 1), 8: ('F8_E4M3', 8, 1), 9: ('F8_E8M0', 8, 1),
    10: ('F8_E4M3FNUZ', 8, 1), 11: ('F8_E5M2FNUZ', 8, 1), 12: ('I16', 16, 2), 13: ('U16', 16, 2),
    14: ('F16', 16, 2), 15: ('BF16', 16, 2), 16: ('I32', 32, 4), 17: ('U32', 32, 4), 18: ('F32', 32, 4),
    19: ('C64', 64, 4), 20: ('F64', 64, 8), 21: ('I64', 64, 8), 22: ('U64', 64, 8), 23: ('I4', 4, 1),
    24: ('U4', 4, 1),
}
# id: (name, elements a block, bytes a block)
BLOCK_DTYPES = {
    66: ('Q4_0', 32, 18), 67: ('Q4_1', 32, 20), 70: ('Q5_0', 32, 22), 71: ('Q5_1', 32, 24), 72: ('Q8_0', 32, 34),
    73: ('Q8_1', 32, 36), 74: ('Q2_K', 256, 84), 75: ('Q3_K', 256, 110), 76: ('Q4_K', 256, 144),
    77: ('Q5_K', 256, 176), 78: ('Q6_K', 256, 210), 79: ('Q8_K', 256, 292), 80: ('IQ2_XXS', 256, 66),
    81: ('IQ2_XS', 256, 74), 82: ('IQ3_XXS', 256, 98), 83: ('IQ1_S', 256, 50), 84: ('IQ4_NL', 32, 18),
    85: ('IQ3_S', 256, 110), 86: ('IQ2_S', 256, 82), 87: ('IQ4_XS', 256, 136), 93: ('IQ1_M', 256, 56),
    98: ('TQ1_0', 256, 54), 99: ('TQ2_0', 256, 66), 103: ('MXFP4', 32, 17), 104: ('NVFP4', 64, 36),
    105: ('Q1_0', 128, 18), 106: ('Q2_0', 64, 18),
}


@dataclass
class Segment:
    name: bytes
    dtype: int              # BYTES where the container names one that is not known
    shape: list
    size: int
    unit: int
    row: int
    offset: int = 0         # in the original
    tiles: list = field(default_factory=list)       # of (container offset, record size, decoded size)
    tiles_a_group: int = 0  # 0: its tiles come in no groups
    columns: int = 0
    groups: list = field(default_factory=list)      # of (container offset, size) of the S record; size 0: none


@dataclass
class Original:
    flags: int
    name: bytes
    size: int = 0
    sha256: bytes = None
    segments: list = field(default_factory=list)
    data: bytes = b''
    tile_offsets: list = field(default_factory=list)
    scales_offsets: list = field(default_factory=list)

    def from_parts(self):
        return bool(self.flags & 1)


def derived_geometry(c, dtype, shape):
    """Size in bytes, unit and row that follow from a tensor's dtype and shape."""
    if dtype not in DTYPES:
        c.fail('a dtype that is not known, or is of blocks, without a size',
               'CORRUPT' if dtype == BYTES or dtype in BLOCK_DTYPES else 'UNSUPPORTED')
    _, bits, unit = DTYPES[dtype]
    elements = 1
    for dimension in shape:
        elements *= dimension
    if elements * bits >> 64:
        c.fail('a tensor of 2^64 bits or more')
    if elements * bits >= 1 << 64:
        c.fail('a shape of 2^64 bits or more')
    if elements * bits % (8 * unit):
        c.fail('the elements do not fill whole units')
    row = 1
    if shape and elements and shape[-1] * bits % (8 * unit) == 0:
        row = shape[-1] * bits // (8 * unit)
    return elements * bits // 8, unit, row


def check_blocks(c, dtype, shape, size, unit):
    """The rules for a segment of blocks."""
    _, elements, block = BLOCK_DTYPES[dtype]
    if not shape or shape[-1] % elements:
        c.fail('the last dimension is not made of whole blocks')
    count = 1
    for dimension in shape:
        count *= dimension
    if (count // elements * block != size or 8 * size >> 64 or unit != 1):
        c.fail('size or unit are not those of dtype and shape')


def cut(n, t, row):
    """How many units each tile of a segment of n units holds, in order."""
    if t >= row:
        for start in range(0, n, t):
            yield min(t, n - start)
    else:
        for _ in range(n // row):
            for start in range(0, row, t):
                yield min(t, row - start)


def read_name(c, shared=b''):
    name = shared + c.take(c.varint())
    if len(name) > MAX_NAME_BYTES:
        c.fail('a name of more than 65000 bytes')
    return name


def read_segment(c, header, name, position, limit):
    """A segment of the index; `name` is that of the one before it in its original, `position` where the last
    tile record ended.  Returns segment and position."""
    flags = c.varint()
    c.reserved(flags >> 2, 'flags of a segment')
    dtype = c.u8()
    shared = c.varint()
    if shared > min(len(name), 255):
        c.fail('a name shares more than the one before it has, or more than 255 bytes')
    name = read_name(c, name[:shared])
    rank = c.varint()
    if rank > 255:
        c.fail('a rank of more than 255')
    shape = [c.varint() for _ in range(rank)]
    if flags & 1:
        size, unit, row = c.varint(), c.varint(), c.varint()
        if unit not in (1, 2, 4, 8):
            c.fail('a unit is not 1, 2, 4 or 8')
        if size % unit:
            c.fail('a segment is not a whole number of units')
        if row < 1:
            c.fail('a row of 0 units')
        if dtype in BLOCK_DTYPES:
            check_blocks(c, dtype, shape, size, unit)
        elif dtype not in DTYPES:
            dtype = BYTES
        if dtype in DTYPES and derived_geometry(c, dtype, shape)[:2] != (size, unit):
            c.fail('size or unit are not those of dtype and shape')
    else:
        size, unit, row = derived_geometry(c, dtype, shape)
    segment = Segment(name, dtype, shape, size, unit, row)
    if size == 0:
        if flags & 2:
            c.fail('a segment without bytes has groups')
        return segment, position

    position += 8 * c.varint()
    t, units = c.varint(), size // unit
    if t < 1 or t * unit > header.max_tile_bytes:
        c.fail('the units a tile are none, or more than the header allows')
    if t >= row and t % row:
        c.fail('the units a tile are not a multiple of the row')
    if t < row and units % row:
        c.fail('rows are cut, but the segment is not a whole number of rows')
    if flags & 2:
        segment.tiles_a_group, segment.columns = c.varint(), c.varint()
        if segment.tiles_a_group < 1:
            c.fail('a group of 0 tiles')
        if not MIN_COLUMNS <= segment.columns <= min(header.max_tile_bytes, units):
            c.fail('the columns are not in 8 ... max tile bytes, or more than the units')

    def record_of(what):
        nonlocal position
        start, extent = position, 8 * c.varint()
        if start + extent > limit:
            c.fail(what + ' lies outside the records')
        position += extent
        return start, extent

    for i, count in enumerate(cut(units, t, row)):
        if segment.tiles_a_group and i % segment.tiles_a_group == 0:
            segment.groups.append(record_of('an S record'))
        segment.tiles.append((*record_of('a tile'), count * unit))
    return segment, position


def read_index(index, header, footer):
    c = Cursor(index, 0, len(index), where=footer.index_offset)
    c.reserved(c.varint(), 'flags of the index')
    originals, position = [], header.size
    for _ in range(c.varint()):
        original = Original(read_original_flags(c), read_name(c))
        if original.flags & 2:
            original.sha256 = c.take(32)
        original.size = c.varint()
        size = 0
        for _ in range(c.varint()):
            name = original.segments[-1].name if original.segments else b''
            segment, position = read_segment(c, header, name, position, footer.index_offset)
            segment.offset = size
            size += segment.size
            original.segments.append(segment)
            original.tile_offsets += [tile[0] for tile in segment.tiles]
            original.scales_offsets += [offset for offset, extent in segment.groups if extent]
        if size != original.size:
            c.fail('the segments do not add up to the original')
        originals.append(original)
    c.done('the index')
    segments = [segment for original in originals for segment in original.segments]
    names = [original.name for original in originals] + [segment.name for segment in segments]
    for have, given, what in [(sum(len(name) + 1 for name in names), footer.names, 'bytes of names'),
                              (len(originals), footer.originals, 'originals'),
                              (sum(len(s.shape) for s in segments), footer.dimensions, 'dimensions'),
                              (len(segments), footer.segments, 'segments'),
                              (sum(len(s.tiles) for s in segments), footer.tiles, 'tiles'),
                              (sum(len(s.groups) for s in segments), footer.groups, 'groups')]:
        if have != given:
            c.fail('the footer gives another number of ' + what)
    return originals


# -- 10. The two ways to read --------------------------------------------------------------------------

def open_index(data, base=None):
    """Header, footer and index, from the ends of the container: all that is needed to fetch any tile."""
    header = read_header(data, base)
    if len(data) < header.size + FOOTER_BYTES or not data.endswith(b'CDCW'):
        raise FormatError('TRUNCATED', len(data), 'the container does not end with a footer')
    footer = read_footer(data, len(data) - FOOTER_BYTES)
    position = footer.index_offset
    if position % 8 or footer.offset % 8 or not header.start <= position < footer.offset:
        raise FormatError('CORRUPT', footer.offset + 24, 'the index lies outside the records')
    index = bytearray()
    while position < footer.offset:
        record = read_record(data, position)
        if record.end > footer.offset:
            raise FormatError('CORRUPT', position, 'a record of the index reaches into the footer')
        if position == footer.index_offset or not is_ancillary(record):
            expected_kind(record, 'I')
            tile = decode_tile(data, position, features=header.features)
            check_index_tile(tile, index)
            index += tile.data
        position = record.end
    check_index(footer, index)
    return header, footer, read_index(bytes(index), header, footer)


def expected_record(data, offset, extent, kind):
    record = read_record(data, offset)
    expected_kind(record, kind)
    if record.end - offset != extent:
        raise FormatError('CORRUPT', offset, 'the index gives another extent for this record')


def scales_of_groups(data, header, segment):
    """For each group of a segment the scales of its columns; None for one without an S record."""
    found = []
    for offset, extent in segment.groups:
        found.append(None)
        if extent:
            expected_record(data, offset, extent, 'S')
            found[-1] = decode_scales(data, offset, header.max_tile_bytes, header.features)
            if len(found[-1]) != segment.columns:
                raise FormatError('CORRUPT', offset, 'the index gives another number of columns')
    return found


def copied_tile(copy, tiles, view, size, offset):
    """The bytes of a copy that begins at `view`."""
    tile = tiles.get(view - copy.distance)
    if copy.size != size or tile is None or len(tile) != size:
        raise FormatError('CORRUPT', offset, 'a copy of what is no T tile of its size')
    if zlib.crc32(tile) != copy.crc:
        raise FormatError('CHECKSUM', offset, 'CRC-32 of a copy')
    return tile


def decode_random(data, base=None):
    """By the index alone: what a reader does that fetches tensors.  Returns the originals."""
    header, _, originals = open_index(data, base)
    tiles, view = {}, 0                 # where T tiles begin in all originals' bytes -> the tile
    for original in originals:
        parts = []
        for segment in original.segments:
            scales = scales_of_groups(data, header, segment)
            for i, (offset, extent, size) in enumerate(segment.tiles):
                if read_record(data, offset).kind == 'R':
                    expected_record(data, offset, extent, 'R')
                    parts.append(copied_tile(read_copy(data, offset, header.max_tile_bytes), tiles, view, size,
                                             offset))
                    view += size
                    continue
                expected_record(data, offset, extent, 'T')
                tile = decode_tile(data, offset, size, scales[i // segment.tiles_a_group] if scales else None,
                                   header.features, header.base)
                if len(tile.data) != size:
                    raise FormatError('CORRUPT', offset, 'the index gives another size for this tile')
                tiles[view] = tile.data
                view += size
                parts.append(tile.data)
        original.data = b''.join(parts)
        if original.sha256 and hashlib.sha256(original.data).digest() != original.sha256:
            raise FormatError('CHECKSUM', 0, 'SHA-256 of an original')
    return originals


def decode_sequential(data, base=None):
    """Record by record, without the contents of the index: what a reader does that takes a container from a
    pipe.  Returns the originals, without segments, and where the container ends.

    Groups end where the index says; here an S record is in force as long as T records follow it."""
    header = read_header(data, base)
    originals, parts = [], []
    index, index_offset, tiles = bytearray(), None, 0
    scales, after_scales = None, False
    view = bytearray()
    position = header.start
    while True:
        record = read_record(data, position)
        if after_scales and record.kind != 'R':
            expected_kind(record, 'T')
        after_scales = record.kind == 'S'
        if record.kind not in 'TR':
            scales = None
        if not is_ancillary(record):
            check_padding(data, record)

        def fail(what, status='CORRUPT'):
            raise FormatError(status, position, what)

        if record.kind == 'F':
            break
        if record.kind == 'O':
            if index_offset is not None:
                fail('an original after the index')
            originals.append(Original(*read_o_record(data, record)))
            parts.append([])
        elif record.kind == 'T':
            if index_offset is not None or not originals:
                fail('a tile that belongs to no original')
            parts[-1].append(decode_tile(data, position, header.max_tile_bytes, scales, header.features,
                                         header.base).data)
            originals[-1].tile_offsets.append(position)
            view += parts[-1][-1]
            tiles += 1
        elif record.kind == 'R':
            if index_offset is not None or not originals:
                fail('a copy that belongs to no original')
            copy = read_copy(data, position, header.max_tile_bytes)
            start = len(view) - copy.distance
            if start < 0:
                fail('a copy of what is before the first byte')
            parts[-1].append(bytes(view[start:start + copy.size]))
            if zlib.crc32(parts[-1][-1]) != copy.crc:
                fail('CRC-32 of a copy', 'CHECKSUM')
            originals[-1].tile_offsets.append(position)
            view += parts[-1][-1]
            tiles += 1
        elif record.kind == 'B':
            fail('a base where there can be none')
        elif record.kind == 'S':
            if index_offset is not None or not originals:
                fail('column scales that belong to no original')
            scales = decode_scales(data, position, header.max_tile_bytes, header.features)
            originals[-1].scales_offsets.append(position)
        elif record.kind == 'I':
            if index_offset is None:
                index_offset = position
            tile = decode_tile(data, position, features=header.features)
            check_index_tile(tile, index)
            index += tile.data
        elif not is_ancillary(record):
            expected_kind(record, KINDS)
        position = record.end

    footer = read_footer(data, position)
    if footer.index_offset != index_offset:
        fail('the footer gives another place for the index')
    if footer.originals != len(originals) or footer.tiles != tiles:
        fail('the footer gives another number of originals or of tiles')
    check_index(footer, index)
    if zlib.crc32(data[:position + 56]) != footer.crc:
        raise FormatError('CHECKSUM', position + 56, 'CRC-32 of the container')
    for original, tiles_data in zip(originals, parts):
        original.data = b''.join(tiles_data)
        original.size = len(original.data)
    return originals, record.end


def decode_container(data, base=None):
    """Both ways, which must give the same.  Returns the originals: name, data, sha256, segments ..."""
    originals = decode_random(data, base)
    in_order, _ = decode_sequential(data, base)

    def identity(original):
        return (original.flags, original.name, original.data, original.tile_offsets,
                original.scales_offsets)

    if list(map(identity, originals)) != list(map(identity, in_order)):
        raise FormatError('CORRUPT', 0, 'the index and the records do not describe the same originals')
    return originals


# -- The command ---------------------------------------------------------------------------------------

def safe_name(name):
    text = os.fsdecode(name)
    if text in ('', '.', '..') or any(ch in '/\\:' or ord(ch) < 32 for ch in text):
        raise OSError('an original has a name that is not safe to write: %r' % text)
    return text


def write_originals(originals, out):
    if len(originals) == 1:
        targets = [out]
    else:
        if not os.path.isdir(out):
            raise OSError('%d originals need a directory that exists: %s' % (len(originals), out))
        targets = [os.path.join(out, safe_name(original.name)) for original in originals]
        if len(set(targets)) < len(targets):
            raise OSError('two originals have the same name')
    for original, target in zip(originals, targets):
        with open(target, 'wb') as f:
            f.write(original.data)


def main(args):
    base = None
    if '--base' in args[:-1]:
        at = args.index('--base')
        base, args = args[at + 1], args[:at] + args[at + 2:]
    if len(args) not in (1, 2):
        print('usage: refdecode.py IN.wcodec [OUT] [--base BASE]', file=sys.stderr)
        return 2
    try:
        with open(args[0], 'rb') as f:
            data = f.read()
        if base is not None:
            with open(base, 'rb') as f:
                base = f.read()
        originals = decode_container(data, base)
        if len(args) == 2:
            write_originals(originals, args[1])
    except FormatError as e:
        print('error: %s' % e, file=sys.stderr)
        return 1
    except OSError as e:
        print('error: IO: offset 0: %s' % e, file=sys.stderr)
        return 1
    segments = [segment for original in originals for segment in original.segments]
    print('%s: %d originals, %d segments, %d tiles, %d bytes from %d' % (
        args[0], len(originals), len(segments), sum(len(s.tiles) for s in segments),
        sum(original.size for original in originals), len(data)))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
