"""zipnn: its C core, called as its Python class calls it, but without that class, which needs torch.

The core allocates what it returns.  So that it is not charged for fresh pages in every round, malloc is told
to keep those that it has (no mmap, no trimming), and the result is freed outside the clock.  The core also
reorders the bits of its input in place: each encoding gets a copy of the buffer, made outside the clock."""
import ctypes
import importlib.metadata
import time

import numpy

try:
    import zipnn_core
except ImportError:
    zipnn_core = None

PACKAGE = 'zipnn (PyPI, pip install --no-deps)'
HEADER = 32                             # bytes that the class puts before what the core makes
CHUNK = 256 << 10                       # its default
THRESHOLD, PERCENT = 0.95, 10           # its defaults
# dtype: buffers, bit reorder, byte reorder
MODES = {'BF16': (2, 1, 10), 'F16': (2, 0, 10), 'F32': (4, 1, 220), 'F8_E4M3': (1, 1, 10)}
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4



def version():
    return importlib.metadata.version('zipnn') if zipnn_core else None


def keep_pages():
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_MAX, 0)
    libc.mallopt(M_TRIM_THRESHOLD, 0x7FFFFFFF)


class Zipnn:
    """The same calls as native.Job has.  `block`: bytes compressed by themselves, 0: the whole."""
    note = 'allocates its output; no checksum; input reordered in place'

    def __init__(self, data, dtype, block, threads):
        self.data, self.threads = data, threads
        self.buffers, self.bits, self.bytes = MODES[dtype]
        self.chunk = CHUNK if self.buffers > 1 else CHUNK // 2
        block = min(block, len(data)) or len(data)
        self.pieces = [data[at:at + block] for at in range(0, len(data), block)]
        self.blocks = []
        for piece in self.pieces:
            self.blocks.append(bytes(self.encode_piece(piece.copy())[HEADER:]))

    def encode_piece(self, piece):
        return zipnn_core.zipnn_core(bytearray(HEADER), piece, self.buffers, self.bits, self.bytes, 0,
                                     self.chunk, THRESHOLD, PERCENT, self.threads)

    def decode_piece(self, i):
        return zipnn_core.combine_dtype(self.blocks[i], self.buffers, self.bits, self.bytes, self.chunk,
                                        len(self.pieces[i]), self.threads)

    def good(self):
        for i, piece in enumerate(self.pieces):
            if not numpy.array_equal(numpy.frombuffer(self.decode_piece(i), 'u1'), piece):
                return False
        return True

    def packed(self):
        return HEADER + sum(len(block) for block in self.blocks)

    def timed(self, call, *args):
        start = time.perf_counter()
        result = call(*args)
        taken = time.perf_counter() - start
        del result
        return taken

    def seconds(self, op, repeat):
        taken = 0
        if op == 'random':              # the same pieces as bench_random's
            x = 1
            for _ in range(repeat):
                x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
                taken += self.timed(self.decode_piece, (x >> 8) % len(self.pieces))
            return taken
        for _ in range(repeat):
            for i, piece in enumerate(self.pieces):
                if op == 'encode':
                    taken += self.timed(self.encode_piece, piece.copy())
                else:
                    taken += self.timed(self.decode_piece, i)
        return taken

    def close(self):
        self.blocks = []
