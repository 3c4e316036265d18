"""GGUF files for tests and tables: a writer of its own, blocks that look like quantized weights, and, where
they are installed, the quantizers of others:

    pip install gguf            numpy code for Q4_0 ... Q8_0, TQ1_0, TQ2_0 and MXFP4, and a writer of files
    pip install pywhispercpp    brings ggml itself, compiled, which knows nearly every type
"""
import ctypes
import glob
import importlib.util
import json
import os
import random
import struct

# name: number, elements and bytes a block, and what the bytes are: f scales, n quants, b bits (so many of each)
BLOCKS = {
    'Q4_0': (2, 32, 18, 'f2 n16'), 'Q4_1': (3, 32, 20, 'f2 f2 n16'), 'Q5_0': (6, 32, 22, 'f2 b4 n16'),
    'Q5_1': (7, 32, 24, 'f2 f2 b4 n16'), 'Q8_0': (8, 32, 34, 'f2 n32'), 'Q8_1': (9, 32, 36, 'f2 f2 n32'),
    'Q2_K': (10, 256, 84, 'n16 b64 f2 f2'), 'Q3_K': (11, 256, 110, 'b96 n12 f2'),
    'Q4_K': (12, 256, 144, 'f2 f2 n140'), 'Q5_K': (13, 256, 176, 'f2 f2 n12 b32 n128'),
    'Q6_K': (14, 256, 210, 'n128 b64 n16 f2'), 'Q8_K': (15, 256, 292, 'b3 f1 n288'),
    'IQ2_XXS': (16, 256, 66, 'f2 n64'), 'IQ2_XS': (17, 256, 74, 'f2 n72'), 'IQ3_XXS': (18, 256, 98, 'f2 n96'),
    'IQ1_S': (19, 256, 50, 'f2 n48'), 'IQ4_NL': (20, 32, 18, 'f2 n16'), 'IQ3_S': (21, 256, 110, 'f2 n108'),
    'IQ2_S': (22, 256, 82, 'f2 n80'), 'IQ4_XS': (23, 256, 136, 'f2 n134'), 'IQ1_M': (29, 256, 56, 'n56'),
    'TQ1_0': (34, 256, 54, 'n52 f2'), 'TQ2_0': (35, 256, 66, 'n64 f2'), 'MXFP4': (39, 32, 17, 'f1 n16'),
    'NVFP4': (40, 64, 36, 'f4 n32'), 'Q1_0': (41, 128, 18, 'f2 b16'), 'Q2_0': (42, 64, 18, 'f2 n16'),
}
PLAIN = {'F32': (0, 1, 4), 'F16': (1, 1, 2), 'I8': (24, 1, 1), 'I16': (25, 1, 2), 'I32': (26, 1, 4),
         'I64': (27, 1, 8), 'F64': (28, 1, 8), 'BF16': (30, 1, 2)}


def kind_of(name):
    return (BLOCKS.get(name) or PLAIN[name])[:3]


def size_of(name, shape):
    _, elements, size = kind_of(name)
    count = 1
    for dimension in shape:
        count *= dimension
    return count // elements * size


def synthetic(name, count, seed=1):
    """`count` blocks whose scales are alike and whose quants are bell-shaped, as those of weights."""
    r = random.Random(seed)
    out = bytearray()
    for _ in range(count):
        for field in BLOCKS[name][3].split():
            for i in range(int(field[1:])):
                if field[0] == 'f' and i % 2 == 1 or field == 'f1':
                    out.append(0x20 + r.randrange(3))
                elif field[0] == 'n':
                    out.append(16 * (r.randrange(8) + r.randrange(8)) + r.randrange(8) + r.randrange(8))
                else:
                    out.append(r.randrange(256))
    return bytes(out)


def string(text):
    text = text.encode()
    return struct.pack('<Q', len(text)) + text


def text_pair(key, value):
    return string(key) + struct.pack('<I', 8) + string(value)


def texts_pair(key, values):
    return string(key) + struct.pack('<IIQ', 9, 8, len(values)) + b''.join(map(string, values))


def write(tensors, pairs=(), alignment=32, version=3, trailing=b''):
    """The bytes of a file.  tensors: (name, shape with the innermost dimension last, type's name, bytes)."""
    pairs = list(pairs)
    if alignment != 32:
        pairs.append(string('general.alignment') + struct.pack('<II', 4, alignment))
    out = bytearray(b'GGUF' + struct.pack('<IQQ', version, len(tensors), len(pairs)) + b''.join(pairs))
    data = bytearray()
    for name, shape, kind, values in tensors:
        assert len(values) == size_of(kind, shape), name
        out += string(name) + struct.pack('<I', len(shape))
        out += b''.join(struct.pack('<Q', dimension) for dimension in reversed(shape))
        out += struct.pack('<IQ', kind_of(kind)[0], len(data))
        data += values + bytes(-len(values) % alignment)
    if tensors:
        out += bytes(-len(out) % alignment)
    return bytes(out + data) + trailing


# -- Quantizers of others ------------------------------------------------------------------------------

class Ggml:
    """ggml's own, from the shared library that the package pywhispercpp brings."""
    REFERENCE = {'Q8_1': 'quantize_row_q8_1_ref', 'Q8_K': 'quantize_row_q8_K_ref'}

    def __init__(self):
        spec = importlib.util.find_spec('_pywhispercpp')
        if spec is None:
            raise ImportError('pywhispercpp is not installed')
        folder = os.path.dirname(spec.origin)
        for path in glob.glob(os.path.join(folder, 'pywhispercpp.libs', 'libgomp*')):
            ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
        paths = sorted(glob.glob(os.path.join(folder, 'pywhispercpp.libs', 'libggml-base*'))
                       + glob.glob(os.path.join(folder, 'libggml-base.so')))
        if not paths:
            raise ImportError('pywhispercpp has no library of ggml')
        self.lib = ctypes.CDLL(paths[0])
        self.lib.ggml_quantize_chunk.restype = ctypes.c_size_t
        self.lib.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64,
                                                 ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
        self.lib.ggml_type_name.restype = ctypes.c_char_p
        self.lib.ggml_type_name.argtypes = [ctypes.c_int]
        self.lib.ggml_blck_size.restype = ctypes.c_int64
        self.lib.ggml_type_size.restype = ctypes.c_size_t

    def knows(self, name):
        number, elements, size, _ = BLOCKS[name]
        try:
            return (self.lib.ggml_type_name(number) or b'').decode().upper() == name.upper() \
                and (self.lib.ggml_blck_size(number), self.lib.ggml_type_size(number)) == (elements, size)
        except (AttributeError, UnicodeDecodeError):
            return False

    def quantize(self, name, matrix):
        """`matrix`: numpy, FP32.  Types of few bits want to know what matters: the columns' mean squares."""
        import numpy
        number = BLOCKS[name][0]
        matrix = numpy.ascontiguousarray(matrix, numpy.float32)
        out = numpy.zeros(size_of(name, matrix.shape), numpy.uint8)
        if name in self.REFERENCE:
            function = getattr(self.lib, self.REFERENCE[name])
            function.restype, function.argtypes = None, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
            function(matrix.ctypes.data, out.ctypes.data, matrix.size)
            return out.tobytes()
        self.lib.ggml_quantize_init(number)
        weights = (matrix * matrix).mean(0).astype(numpy.float32) + numpy.float32(1e-8)
        made = self.lib.ggml_quantize_chunk(number, matrix.ctypes.data, out.ctypes.data, 0, *matrix.shape,
                                            weights.ctypes.data)
        assert made == out.size, name
        return out.tobytes()


class Package:
    """Those of the package gguf."""

    def __init__(self):
        import gguf                             # ImportError where it is not installed
        self.gguf = gguf

    def knows(self, name):
        kind = getattr(self.gguf.GGMLQuantizationType, name, None)
        return kind is not None and self.gguf.GGML_QUANT_SIZES.get(kind) == BLOCKS[name][1:3]

    def quantize(self, name, matrix):
        """NotImplementedError for types that it only reads."""
        return self.gguf.quants.quantize(matrix, getattr(self.gguf.GGMLQuantizationType, name)).tobytes()

    def write(self, path, tensors, pairs=()):
        """The file as the package's writer makes it.  pairs: (key, text)."""
        import numpy
        writer = self.gguf.GGUFWriter(path, 'test')
        for key, value in pairs:
            writer.add_string(key, value)
        for name, shape, kind, values in tensors:
            number = getattr(self.gguf.GGMLQuantizationType, kind)
            rows = numpy.frombuffer(values, numpy.uint8).reshape(*shape[:-1], -1)
            writer.add_tensor(name, rows, raw_dtype=number)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def optional(kind):
    """One of the two, or None where it is not installed."""
    try:
        return kind()
    except (ImportError, OSError):
        return None


def safetensors_matrices(path):
    """(name, FP32 matrix) for each of a file's matrices of BF16, F16 or F32."""
    import numpy
    with open(path, 'rb') as f:
        data = f.read()
    size, = struct.unpack('<Q', data[:8])
    for name, tensor in json.loads(data[8:8 + size]).items():
        if name == '__metadata__' or len(tensor['shape']) != 2 or tensor['dtype'] not in ('BF16', 'F16', 'F32'):
            continue
        begin, end = tensor['data_offsets']
        raw = numpy.frombuffer(data, numpy.uint8, end - begin, 8 + size + begin)
        if tensor['dtype'] == 'BF16':
            values = (raw.view('<u2').astype('<u4') << 16).view('<f4')
        else:
            values = raw.view('<f2' if tensor['dtype'] == 'F16' else '<f4').astype('<f4')
        yield name, values.reshape(tensor['shape'])
