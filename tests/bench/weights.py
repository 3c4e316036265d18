"""The buffers that everything is timed on: real weights from the data folder, or Gaussian rows without it."""
import json
import os
import struct

import numpy

# dtype: the files its weights come from, and how.  8 and 4 bits are made of the BF16 model, as one would.
FILES = {
    'BF16': ['whisper-base-encoder.bf16'], 'F32': ['stories15M-blocks.f32', 'dtln-model.f32', 'ttm-a.f32'],
    'F16': ['waifu2x-cunet-noise0_scale2.0x.f16', 'waifu2x-cunet-scale2.0x.f16', 'ncnn-squeezenet_v1.1.f16',
            'tiny-rwkv-4v0-660K.f16'],
    'F8_E4M3': ['whisper-base-encoder.bf16'], 'I8': ['whisper-base-encoder.bf16'],
    'I4': ['whisper-base-encoder.bf16'],
}
HOW = {'BF16': '', 'F16': '', 'F32': '', 'F8_E4M3': ', largest of a tensor scaled to 448',
       'I8': ', largest of a row scaled to 127', 'I4': ', largest of 128 in a row scaled to 7, packed'}
QUANTISED = ('F8_E4M3', 'I8', 'I4')
GROUP = 128


class Buffer:
    """`data`: bytes of whole rows; `rows` and `row` of each tensor; `unique`: bytes before it repeats."""

    def __init__(self, dtype, typesize, source, data, rows, row, unique):
        self.dtype, self.typesize, self.source, self.data = dtype, typesize, source, data
        self.rows = numpy.array(rows, dtype=numpy.uint64)
        self.row = numpy.array(row, dtype=numpy.uint64)
        self.unique = unique
        self.sample = None              # see Bench.sample
        counts = self.rows * self.row
        widths = numpy.unique(self.row)
        self.width = int(widths[numpy.argmax([counts[self.row == w].sum() for w in widths])])


def read_tensors(path, dtype):
    """(shape, bytes) of the tensors of a dtype in a safetensors file, as they lie in it."""
    with open(path, 'rb') as file:
        size = struct.unpack('<Q', file.read(8))[0]
        header = json.loads(file.read(size))
        body = file.read()
    tensors = [t for name, t in header.items() if name != '__metadata__' and t['dtype'] == dtype]
    tensors.sort(key=lambda t: t['data_offsets'])
    return [(t['shape'], body[slice(*t['data_offsets'])]) for t in tensors]


def matrix(shape, raw, dtype):
    """A tensor as rows of its last dimension; in FP32 if it is BF16."""
    count = len(raw) // (4 if dtype == 'F32' else 2)
    row = shape[-1] if shape else 1
    if dtype == 'BF16':
        return (numpy.frombuffer(raw, '<u2').astype('<u4') << 16).view('<f4').reshape(count // row, row)
    return numpy.frombuffer(raw, '<f4' if dtype == 'F32' else '<f2').reshape(count // row, row)


def gaussian_matrices():
    """Rows of N(0, s), s log-normal around 0.02: 12 MiB of elements."""
    random = numpy.random.default_rng(1)
    for _ in range(12):
        scale = 0.02 * numpy.exp(0.3 * random.standard_normal((2048, 1), dtype='f4'))
        yield random.standard_normal((2048, 512), dtype='f4') * scale


def to_bf16(values):
    bits = values.astype('<f4').view('<u4').astype('<u8')
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype('<u2')


def to_f8_e4m3(values):
    """To nearest even.  Where the significand rounds up to the next power of two, the code is still right."""
    size = numpy.abs(values) * (448 / max(float(numpy.abs(values).max()), 1e-30))
    exponent = numpy.maximum(numpy.frexp(size)[1] - 1, -6)
    code = (exponent + 6) * 8 + numpy.rint(numpy.ldexp(size, 3 - exponent)).astype('i4')
    return (numpy.minimum(code, 126) | numpy.signbit(values) * 128).astype('u1')


def to_integers(values, largest):
    peak = numpy.maximum(numpy.abs(values).max(axis=-1, keepdims=True), 1e-30)
    return numpy.rint(values * (largest / peak)).astype('i1')


def to_i4(values):
    rows, row = values.shape
    groups = to_integers(values.reshape(rows, row // GROUP, GROUP), 7).reshape(rows, row) & 15
    return (groups[:, 0::2] | groups[:, 1::2] << 4).astype('u1')


CONVERT = {'BF16': to_bf16, 'F16': lambda values: values.astype('<f2'), 'F32': lambda values: values,
           'F8_E4M3': to_f8_e4m3, 'I8': lambda values: to_integers(values, 127), 'I4': to_i4}


def real_parts(folder, dtype):
    """(rows, row in units, bytes) of each tensor, or [] where a file is missing."""
    parts = []
    for name in FILES[dtype]:
        path = os.path.join(folder, name + '.safetensors')
        if not os.path.exists(path):
            return []
        stored = name.rsplit('.', 1)[1].upper()
        for shape, raw in read_tensors(path, stored):
            values = matrix(shape, raw, stored)
            if dtype not in QUANTISED:
                parts.append((*values.shape, raw))
            elif len(shape) > 1 and shape[-1] % GROUP == 0:     # one quantises matrices, not biases
                packed = CONVERT[dtype](values)
                parts.append((*packed.shape, packed.tobytes()))
    return parts


def made_parts(dtype):
    packed = [CONVERT[dtype](values) for values in gaussian_matrices()]
    return [(*p.shape, p.tobytes()) for p in packed]


def fill(parts, typesize, size):
    """Tensors one after the other, and again from the first, up to about `size` bytes of whole rows."""
    rows, row, pieces, left = [], [], [], size
    while left > 0:
        for n, width, raw in parts:
            stride = width * typesize
            take = min(n, left // stride)
            if take == 0:
                continue
            rows.append(take)
            row.append(width)
            pieces.append(raw[:take * stride])
            left -= take * stride
        if left < min(width * typesize for _, width, _ in parts):
            break
    return rows, row, b''.join(pieces)


def load(folder, dtype, typesize, size):
    parts = real_parts(folder, dtype)
    source = ' + '.join(FILES[dtype]) + HOW[dtype]
    if not parts:
        parts = made_parts(dtype)
        source = 'synthetic Gaussian rows: no models in the data folder'
    rows, row, data = fill(parts, typesize, size)
    unique = sum(len(raw) for _, _, raw in parts)
    return Buffer(dtype, typesize, source, numpy.frombuffer(bytearray(data), 'u1'), rows, row, unique)


def load_raw(path, dtype, typesize, row, size):
    """A file of the user's: the tensors of the dtype in safetensors, or nothing but elements."""
    if path.endswith('.safetensors'):
        parts = [(len(raw) // typesize // (shape[-1] if shape else 1), shape[-1] if shape else 1, raw)
                 for shape, raw in read_tensors(path, dtype) if raw]
    else:
        with open(path, 'rb') as file:
            raw = file.read(size)
        parts = [(len(raw) // (row * typesize), row, raw[:len(raw) // (row * typesize) * row * typesize])]
    if not parts or parts[0][0] == 0:
        raise SystemExit('bench: %s holds no %s' % (path, dtype))
    rows, widths, data = fill(parts, typesize, size)
    name = os.path.basename(path)
    return Buffer(dtype, typesize, name, numpy.frombuffer(bytearray(data), 'u1'), rows, widths,
                  sum(len(raw) for _, _, raw in parts))


def middle(buffer, size):
    """A smaller buffer, of the tensors from the middle of the model on."""
    parts, at = [], 0
    for rows, row in zip(buffer.rows.tolist(), buffer.row.tolist()):
        end = at + rows * row * buffer.typesize
        if end > min(buffer.unique, len(buffer.data)) // 2:
            parts.append((rows, row, buffer.data[at:end].tobytes()))
        at = end
        if sum(len(raw) for _, _, raw in parts) >= size:
            break
    rows, row, data = fill(parts, buffer.typesize, size)
    return Buffer(buffer.dtype, buffer.typesize, buffer.source, numpy.frombuffer(bytearray(data), 'u1'), rows,
                  row, len(data))
