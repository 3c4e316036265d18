#!/usr/bin/env python3
"""Tests of the command: every command, every option, every way to fail.

Needs python3 and its standard library alone.  WCODEC_BIN names the command (build/wcodec), WCODEC_DATA the
folder of real weights (../shared/data); what needs it is skipped, saying so, where it is absent.
"""
import base64
import collections
import hashlib
import html.parser
import json
import math
import os
import pathlib
import pty
import random
import re
import resource
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile
import zlib

import gguf_make
import make_golden          # containers that encode does not make
from make_golden import Original, Segment

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = os.path.abspath(os.environ.get("WCODEC_BIN", ROOT / "build" / "wcodec"))
DATA = pathlib.Path(os.environ.get("WCODEC_DATA", ROOT.parent / "shared" / "data"))
MIB = 1 << 20
# Of what make_model writes without layers.
MODEL_SHA256 = "bb67f4467e8d980374c704ceca01810761cde4970cd3fe1c176db98815c89ad6"
DTYPE_BITS = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8,
    "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64}


# ---- files to work on -------------------------------------------------------------------------------------


def with_header(header, data=b""):
    """A safetensors file of this header text (bytes) and these data bytes."""
    return struct.pack("<Q", len(header)) + header + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def safetensors(tensors, metadata=None, pad=b" "):
    """tensors: (name, dtype, shape, bytes) in the order of their bytes."""
    header, data = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, dtype, shape, raw in tensors:
        header[name] = entry(dtype, shape, len(data), len(data) + len(raw))
        data += raw
    text = json.dumps(header).encode()
    return with_header(text + pad * (-len(text) % 8), data)


def gaussian_bf16(count, seed=1, scale=0.02):
    rng = random.Random(seed)
    return b"".join(struct.pack("<f", rng.gauss(0, scale))[2:] for _ in range(count))


def gaussian_f32(count, seed=2):
    rng = random.Random(seed)
    return struct.pack("<%df" % count, *(rng.gauss(0, 0.02) for _ in range(count)))


def small_model():
    """A few tensors of different kinds, small enough for Python and large enough for every coder."""
    rng = random.Random(3)
    return [
        ("embed.weight", "BF16", [200, 96], gaussian_bf16(200 * 96)),
        ("layer.0.weight", "F32", [40, 96], gaussian_f32(40 * 96)),
        ("layer.0.mask", "BOOL", [64, 64], bytes(int(r >= c) for r in range(64) for c in range(64))),
        ("layer.0.q", "I8", [96, 96], bytes(int(rng.gauss(0, 20)) & 255 for _ in range(96 * 96))),
        ("positions", "I64", [1000], struct.pack("<1000q", *range(1000))),
        ("packed", "F4", [3, 32], rng.randbytes(48)),
        ("scalar", "F16", [], b"\x00\x3c"),
        ("empty", "F32", [0, 7], b""),
        ("zeros", "F16", [50, 50], bytes(5000))]


def golden_folder():
    folder = pathlib.Path(make_golden.GOLDEN)
    assert any(folder.glob("good/*.wcodec")) and any(folder.glob("bad*/*.wcodec"))
    return folder


def random_bytes(size, seed=4):
    return random.Random(seed).randbytes(size)


def awkward_files():
    """What the world may hand to encode: (word, bytes).  Each comes back exactly."""
    ok = safetensors([("a", "BF16", [4, 4], gaussian_bf16(16)), ("b", "F32", [4], gaussian_f32(4))])
    i32 = '{"dtype":"I32","shape":[2,2],"data_offsets":%s}'
    yield "empty", b""
    yield "one byte", b"x"
    yield "seven bytes", b"1234567"
    yield "length only", struct.pack("<Q", 0)
    yield "length of a header that is not there", struct.pack("<Q", 60)
    yield "header too large", bytes([0x3C] + [0xFF] * 6 + [0]) + b"{}" * 20
    yield "header of 100,000,001 bytes", struct.pack("<Q", 100000001) + b"{}" * 20
    yield "header length 2^64-1", b"\xff" * 8 + b"{}" * 20
    yield "not UTF-8", with_header(b"\xff")
    yield "not UTF-8 in a name", with_header(b'{"a\xff":' + (i32 % "[0,16]").encode() + b"}", bytes(16))
    yield "not JSON", with_header(b"{")
    yield "JSON of another kind", with_header(b"[1, 2, 3]", bytes(9))
    yield "JSON number", with_header(b"12345678")
    yield "JSON nested deeply", with_header(b'{"a":' + b"[" * 100000 + b"]" * 100000 + b"}")
    yield "JSON not closed, nested deeply", with_header(b'{"a":' * 50000)
    yield "header only", with_header(b"{}")
    yield "header only, padded", with_header(b"{}      ")
    yield "metadata only", with_header(b'{"__metadata__":{"format":"pt"}}')
    yield "metadata of numbers", with_header(b'{"__metadata__":{"format":1}}')
    yield "metadata twice", with_header(b'{"__metadata__":{},"__metadata__":{}}')
    yield "leading white space", with_header(b" \t\n\r {}")
    yield "trailing white space", with_header(b"{} \t\n\r ")
    yield "leading white space, tensor", with_header(b'\n  {"a":%s}' % (i32 % "[0,16]").encode(), bytes(16))
    yield "byte order mark", with_header(b"\xef\xbb\xbf{}")
    yield "trailing bytes", ok + b"polyglot" * 9
    yield "two bytes missing", ok[:-2]
    yield "all data missing", ok[:-64 - 16 + 32]
    yield "extra bogus data", with_header(b'{"a":%s}' % (i32 % "[0,16]").encode(),
                                          bytes(16) + b"extra_bogus_data_for_polyglot_file")
    yield "ten tensors on the same bytes", with_header(
        ("{%s}" % ",".join('"%d":%s' % (i, i32 % "[0,16]") for i in range(10))).encode(), bytes(16))
    yield "20,000 tensors on the same bytes", with_header(
        ("{%s}" % ",".join('"%d":%s' % (i, i32 % "[0,16]") for i in range(20000))).encode(), bytes(16))
    yield "a shape that says more", with_header(b'{"a":%s}' % (i32 % "[0,4]").encode(), bytes(4))
    yield "a hole", with_header(b'{"a":%s}' % (i32 % "[8,24]").encode(), bytes(24))
    yield "backwards", with_header(b'{"a":%s}' % (i32 % "[16,0]").encode(), bytes(16))
    yield "negative offset", with_header(b'{"a":%s}' % (i32 % "[-16,0]").encode(), bytes(16))
    yield "fraction", with_header(b'{"a":%s}' % (i32 % "[0,16.5]").encode(), bytes(16))
    yield "exponent", with_header(b'{"a":%s}' % (i32 % "[0,1.6e1]").encode(), bytes(16))
    yield "out of the file", with_header(b'{"a":%s}' % (i32 % "[0,18446744073709551615]").encode(), bytes(16))
    yield "offset 2^64", with_header(b'{"a":%s}' % (i32 % "[0,18446744073709551616]").encode(), bytes(16))
    yield "three offsets", with_header(b'{"a":%s}' % (i32 % "[0,16,16]").encode(), bytes(16))
    for shape in ("[2,18446744073709551614]", "[2,9223372036854775807]", "[9223372036854775808,4,0]",
                  "[0,9223372036854775808,4]", "[4294967296,4294967296]", "[-2,-2]", '["2",2]', "2", "null"):
        yield "shape " + shape, with_header(
            b'{"a":{"dtype":"I32","shape":%s,"data_offsets":[0,16]}}' % shape.encode(), bytes(16))
    yield "F4, odd", with_header(b'{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}', b"ab")
    yield "F6", safetensors([("a", "F6_E2M3", [4, 2], b"abcdef")])
    yield "unknown dtype", safetensors([("a", "BF16", [2], b"abcd"), ("b", "F5_E2M2", [8], b"abcde")])
    yield "unknown dtype in lower case", safetensors([("a", "bf16", [2], b"abcd")])
    yield "dtype that is a number", with_header(b'{"a":{"dtype":7,"shape":[2],"data_offsets":[0,2]}}', b"ab")
    yield "unknown field", with_header(
        b'{"a":{"x":[{"y":null}],"dtype":"U8","shape":[2],"data_offsets":[0,2],"z":"w"}}', b"ab")
    yield "missing field", with_header(b'{"a":{"dtype":"U8","data_offsets":[0,2]}}', b"ab")
    yield "duplicate tensor", with_header(
        b'{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},'
        b'"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}',
        b"abcd")
    yield "duplicate tensor, same place", with_header(
        b'{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},'
        b'"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}',
        b"ab")
    yield "duplicate field", with_header(
        b'{"a":{"dtype":"U8","dtype":"I8","shape":[2],"data_offsets":[0,2]}}', b"ab")
    yield "rank 0", safetensors([("a", "F32", [], b"abcd")])
    yield "rank 300", safetensors([("a", "U8", [1] * 300, b"a")])
    yield "zero-size tensors", safetensors([("a", "F32", [2, 0], b""), ("b", "F64", [0], b""),
                                            ("c", "U8", [1], b"x"), ("d", "I64", [0, 3], b"")])
    yield "names", safetensors([("", "U8", [1], b"a"), ("a\"b\\c/d\n\t\x1b[31m", "U8", [1], b"b"),
                                ("\u00e4\u4e16\U0001f600", "U8", [1], b"c"), ("x" * 3000, "U8", [1], b"d")])
    yield "escapes in names", with_header(
        b'{"\\u0000\\u001b\\ud83d\\ude00\\ud800":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}', b"ab")
    yield "offsets in another order", with_header(json.dumps(
        {"b": entry("U8", [2], 2, 4), "a": entry("U8", [2], 0, 2)}).encode(), b"abcd")
    yield "odd alignment", safetensors([("a", "U8", [3], b"abc"), ("b", "F32", [50], gaussian_f32(50))],
                                       pad=b"")
    yield "a container", open_container_bytes()
    yield "zeros", bytes(300000)
    yield "random", random_bytes(300001)
    yield "text", b"The quick brown fox jumps over the lazy dog.\n" * 5000


def gguf_file(tensors=(), pairs=(), data=0, version=3, order="<", counts=None, magic=b"GGUF", alignment=32):
    """A GGUF file as wrong as is wanted.  tensors: (name, type's number, dimensions, offset); pairs: (key, type's
    number, the value's bytes); counts: what the head says there are."""
    def text(value):
        return struct.pack(order + "Q", len(value)) + value
    out = magic + struct.pack(order + "IQQ", version, *(counts or (len(tensors), len(pairs))))
    for key, kind, value in pairs:
        out += text(key) + struct.pack(order + "I", kind) + value
    for name, kind, dimensions, offset in tensors:
        out += text(name) + struct.pack(order + "I%dQ" % len(dimensions), len(dimensions), *dimensions)
        out += struct.pack(order + "IQ", kind, offset)
    return out + (bytes(-len(out) % alignment) if tensors else b"") + random_bytes(data)


def odd_ggufs():
    """The cases of ggml's own test, in its order, and then others: (word, bytes, the format that encode sees)."""
    top = 2 ** 64
    w = (b"w", 0, (8, 4), 0)
    aligned = (b"general.alignment", 4, struct.pack("<I", 64))
    yield "bad magic", gguf_file([w], data=128, magic=b"FUGG"), "raw"
    for version in (0, 1, 4, 5, 0x30000, 0x03000000, 2 ** 32 - 1):
        yield "version %d" % version, gguf_file([w], data=128, version=version), "raw"
    yield "n_tensors -1", gguf_file([w], data=128, counts=(top - 1, 0)), "raw"
    yield "n_kv -1", gguf_file([w], data=128, counts=(1, top - 1)), "raw"
    yield "empty", gguf_file(), "gguf"
    yield "key size -1", gguf_file(counts=(0, 1)) + struct.pack("<Q", top - 1) + bytes(99), "raw"
    yield "empty key", gguf_file(pairs=[(b"", 4, bytes(4))]), "raw"
    yield "value of type 13", gguf_file(pairs=[(b"k", 13, bytes(8))]), "raw"
    yield "duplicate key", gguf_file(pairs=[(b"k", 4, bytes(4))] * 2), "raw"
    yield "alignment 13", gguf_file([w], [(aligned[0], 4, struct.pack("<I", 13))], 128), "raw"
    yield "alignment INT32", gguf_file([w], [(aligned[0], 5, struct.pack("<i", 32))], 128), "raw"
    yield "pairs", gguf_file(pairs=[(b"k", 4, bytes(4)), (b"l", 8, struct.pack("<Q", 3) + b"abc")]), "gguf"
    yield "long name", gguf_file([(b"n" * 64, 0, (8, 4), 0)], data=128), "raw"
    yield "5 dimensions", gguf_file([(b"w", 0, (8, 4, 1, 1, 1), 0)], data=128), "raw"
    yield "dimension -1", gguf_file([(b"w", 0, (8, top - 1), 0)], data=128), "raw"
    yield "dimension 0", gguf_file([(b"v", 0, (8, 0), 0), w], data=128), "gguf"
    yield "4 INT32_MAX each", gguf_file([(b"w", 0, (4 * (2 ** 31 - 1),) * 4, 0)], data=128), "raw"
    yield "bytes above SIZE_MAX", gguf_file([(b"w", 0, (2 ** 30, 2 ** 31, 2), 0)], data=128), "raw"
    yield "type 43", gguf_file([(b"w", 43, (8, 4), 0)], data=128), "gguf"
    yield "offset -1", gguf_file([(b"w", 0, (8, 4), top - 1)], data=128), "raw"
    yield "duplicate name", gguf_file([w, (b"w", 0, (8, 4), 128)], data=256), "raw"
    yield "offset not aligned", gguf_file([(b"v", 24, (33,), 0), (b"w", 0, (8,), 33)], data=128), "raw"
    yield "alignment of its own", gguf_file([(b"v", 24, (33,), 0), (b"w", 0, (8,), 64)], data=128), "gguf"
    yield "offsets of another alignment", gguf_file([(b"v", 24, (33,), 0), (b"w", 0, (8,), 96)], data=128), "raw"
    yield "alignment 64", gguf_file([(b"v", 24, (33,), 0), (b"w", 0, (8,), 64)], [aligned], 128, alignment=64), "gguf"
    yield "a byte short", gguf_file([w], data=127), "raw"
    yield "sizes that add up to more", gguf_file([(b"v", 24, (0x7FFFFFFFFFFFFFC0,), 0),
                                                  (b"w", 24, (0x7FFFFFFFFFFFFFC0,), 0x7FFFFFFFFFFFFFC0)], data=128), "raw"
    yield "as it should be", gguf_file([w], data=128), "gguf"
    yield "trailing bytes", gguf_file([w], data=129), "gguf"
    for alignment in (0, 3, 48, 2 ** 31 + 1, 2 ** 31):
        yield "alignment %d" % alignment, gguf_file([w], [(aligned[0], 4, struct.pack("<I", alignment))], 128), "raw"
    yield "alignment 1", gguf_file([w], [(aligned[0], 4, struct.pack("<I", 1))], 128, alignment=1), "gguf"
    yield "alignment twice", gguf_file([w], [aligned] * 2, 128, alignment=64), "raw"
    for version in (2, 3):
        yield "big-endian, version %d" % version, gguf_file([w], [(b"k", 4, bytes(4))], 128, version, ">"), "raw"
    for count in (2 ** 31, 2 ** 62, 2 ** 63 - 1, 2 ** 63):
        yield "%d tensors" % count, gguf_file([w], data=128, counts=(count, 0)), "raw"
        yield "%d pairs" % count, gguf_file([w], data=128, counts=(1, count)), "raw"
        for kind in (0, 8, 9, 12):
            yield "%d values of type %d" % (count, kind), gguf_file(
                pairs=[(b"k", 9, struct.pack("<IQ", kind, count) + bytes(99))]), "raw"
        yield "a text of %d bytes" % count, gguf_file(pairs=[(b"k", 8, struct.pack("<Q", count) + bytes(99))]), "raw"
        yield "a dimension of %d" % count, gguf_file([(b"w", 0, (count,), 0)], data=128), "raw"
        yield "an offset of %d" % count, gguf_file([w, (b"v", 0, (8,), count)], data=128), "raw"
        yield "unknown, an offset of %d" % count, gguf_file([w, (b"v", 43, (8,), count)], data=128), "raw"
    yield "an array of arrays", gguf_file(
        pairs=[(b"k", 9, struct.pack("<IQIQI", 9, 1, 4, 1, 7))]), "raw"
    yield "overlapping tensors", gguf_file([w, (b"v", 0, (8, 4), 64)], data=256), "raw"
    yield "tensors on the same bytes", gguf_file([w, (b"v", 0, (8, 4), 0)], data=128), "raw"
    yield "tensors in another order", gguf_file([(b"v", 0, (8, 4), 128), w], data=256), "raw"
    yield "a hole", gguf_file([w, (b"v", 0, (8, 4), 160)], data=288), "raw"
    yield "part of a block", gguf_file([(b"w", 2, (31,), 0)], data=128), "raw"
    yield "types between known ones", gguf_file([(b"%d" % i, i, (8,), 32 * i) for i in (4, 5)], data=256), "raw"
    yield "unknown types alone", gguf_file([(b"%d" % i, 99 + i, (8,), 32 * i) for i in range(4)], data=120), "gguf"


def files_of_others():
    """The beginnings of formats that encode does not take apart, and bodies of some kind."""
    for word, start in (("ggml", b"lmgg"), ("ggjt", b"tjgg\3\0\0\0"), ("ggmf", b"fmgg\1\0\0\0"), ("tflite", b"\x1c\0\0\0TFL3"),
                        ("nnue", struct.pack("<I", 0x7AF32F20)), ("llama2.c", struct.pack("<7i", 288, 768, 6, 6, 6, -1, 256)),
                        ("pickle", b"\x80\x02}q\0."), ("hdf5", b"\x89HDF\r\n\x1a\n"), ("onnx", b"\x08\x07\x12\x07pytorch"),
                        ("gzip", b"\x1f\x8b\x08\0"), ("zstd", b"\x28\xb5\x2f\xfd"), ("xz", b"\xfd7zXZ\0"), ("7z", b"7z\xbc\xaf\x27\x1c"),
                        ("tar", b"weights.bin".ljust(257, b"\0") + b"ustar\0"), ("zip, empty", b"PK\5\6" + bytes(18)),
                        ("zip, no directory", b"PK\3\4"), ("npy, no dictionary", b"\x93NUMPY\1\0\xff\xff"),
                        ("npy of 2 GiB of text", b"\x93NUMPY\2\0\0\0\0\x80"), ("wcodec", b"WCDC\1\0")):
        yield word, start
        yield word + ", floats", start + gaussian_f32(5000)
        yield word + ", zeros", start + bytes(5000)


# ---- the machinery ----------------------------------------------------------------------------------------


def wcodec(*args, data=None, **options):
    """Runs the command to its end."""
    return subprocess.run([BIN, *args], input=data, stdin=None if data is not None else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, **options)


_container = []


def open_container_bytes():
    """A container of small_model, made once."""
    if not _container:
        _container.append(wcodec("encode", "--name", "model.safetensors", "-", "-",
                                 data=safetensors(small_model(), {"format": "pt"})).stdout)
    return _container[0]


class CliTest(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="wcodec-test-"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.model = safetensors(small_model(), {"format": "pt"})

    def path(self, name, content=None):
        path = self.dir / name
        if content is not None:
            path.write_bytes(content)
        return str(path)

    def ok(self, *args, data=None, **options):
        result = wcodec(*args, data=data, **options)
        self.assertEqual((result.returncode, result.stderr), (0, b""), args)
        return result.stdout

    def fails(self, code, *args, data=None, says="", **options):
        """Exit status and one line on standard error; nothing on standard output."""
        result = wcodec(*args, data=data, **options)
        text = result.stderr.decode()
        self.assertEqual(result.returncode, code, (args, text))
        self.assertRegex(text, r"\Awcodec: [^\n]+\n\Z", args)
        self.assertIn(says, text)
        self.assertEqual(result.stdout, b"")
        return text

    def files(self):
        return sorted(p.name for p in self.dir.iterdir())

    def container(self, content=None, name="model.wcodec"):
        """The path of a container of `content`, or of the model."""
        if content is None:
            return self.path(name, open_container_bytes())
        path = self.path(name)
        self.ok("encode", "-q", "-f", self.path("original", content), path)
        return path

    def round_trip(self, content, *options):
        original, packed, back = self.path("in", content), self.path("packed"), self.path("back")
        self.ok("encode", "-q", "-f", *options, original, packed)
        self.ok("verify", "-q", packed)
        self.ok("decode", "-q", "-f", packed, back)
        self.assertEqual(pathlib.Path(back).read_bytes(), content)
        return pathlib.Path(packed).read_bytes()

    def metadata(self, packed):
        return json.loads(self.inspect(packed)["header"]["metadata"])

    def inspect(self, packed):
        return json.loads(self.ok("inspect", "--json", packed))


# ---- usage ------------------------------------------------------------------------------------------------


COMMANDS = ("encode", "decode", "verify", "inspect", "extract", "analyze", "bench")


class Usage(CliTest):
    def test_help_and_version(self):
        self.assertIn(b"usage:", self.ok("--help"))
        self.assertRegex(self.ok("--version"), rb"\Awcodec \d+\.\d+\.\d+ .*\n\Z")
        for command in COMMANDS:
            self.assertIn(command.encode(), self.ok("--help"))
            self.assertIn(b"usage: wcodec " + command.encode(), self.ok(command, "--help"))
            self.assertEqual(self.ok(command, "-h"), self.ok(command, "--help"))

    def test_every_option_in_the_help_is_known(self):
        for command in COMMANDS:
            for option in re.findall(r"^  (?:-\w, )?(--[a-z-]+)", self.ok(command, "--help").decode(), re.M):
                result = wcodec(command, option)
                self.assertNotIn(b"unknown option", result.stderr, (command, option))

    def test_wrong_usage(self):
        a, b = self.path("a", b"hello"), self.path("b")
        for args in ([], ["frobnicate"], ["--frobnicate"], ["encode"], ["encode", a],
                     ["encode", "--frobnicate", a, b], ["encode", "-x", a, b], ["encode", "--tile"],
                     ["encode", a, b, "--threads"], ["encode", "--force=1", a, b],
                     ["encode", "--profile", "slow", a, b], ["encode", "--coder", "lz", a, b],
                     ["encode", "--tile", "0", a, b], ["encode", "--tile", "many", a, b],
                     ["encode", "--tile=", a, b],
                     ["encode", "--tile", "-1", a, b], ["encode", "--tile", "99999999999999999999", a, b],
                     ["encode", "--tile", "99999999", a, b], ["encode", "--tile", "1", "--tile", "2", a, b],
                     ["encode", "--threads", "0", a, b], ["encode", "--threads", "65", a, b],
                     ["encode", "--dtype", "BF17", a, b], ["encode", "--dtype", "BYTES", a, b],
                     ["encode", "--row", "4", a, b], ["encode", "--json", a, "-"],
                     ["encode", a, "-", b], ["encode", "--name", "n", a, a, b], ["encode", "--only", "a", a, b],
                     ["decode", a], ["decode", a, b, "c"], ["decode", "--alone", a, b], ["decode", "--coder", "raw", a, b], ["decode", "--json", a, b],
                     ["verify"], ["verify", a, b], ["verify", "-f", a], ["inspect"], ["inspect", "-q", a],
                     ["extract", a], ["extract", a, "-o", b], ["extract", a, "--range", "0:1"],
                     ["extract", a, "--range", "0:1", "--tensor", "t", "-o", b],
                     ["extract", a, "--range", "0:1", "--rows", "0:1", "-o", b],
                     ["extract", a, "--range", "1", "-o", b], ["extract", a, "--range", "2:1", "-o", b],
                     ["extract", a, "--range", "0:x", "-o", b], ["extract", a, "--range", "-1:3", "-o", b],
                     ["analyze"], ["analyze", "-f", a], ["analyze", "--peers", "1", a],
                     ["analyze", "--profile", "slow", a], ["analyze", "--disk", "0", a], ["analyze", "--html"],
                     ["analyze", "--html", b, "--peers", "x", a], ["analyze", "--html", "-", "--json", a],
                     ["analyze", "-q", "--html", b, a], ["bench"], ["bench", "--threads", "2", a]):
            with self.subTest(args=args):
                self.fails(2, *args)
        self.assertEqual(self.files(), ["a"])

    def test_options_anywhere(self):
        a = self.path("a", self.model)
        self.ok("encode", a, self.path("1"), "-q", "--coder", "huffman", "--tile=4096")
        self.ok("encode", "--tile", "4096", "-q", a, "--coder=huffman", self.path("2"))
        self.ok("encode", "--quiet", "--coder", "huffman", "--tile", "4096", "--", a, self.path("3"))
        first = (self.dir / "1").read_bytes()
        self.assertEqual(first, (self.dir / "2").read_bytes())
        self.assertEqual(first, (self.dir / "3").read_bytes())
        self.ok("extract", self.path("1"), "--range=0:5", "-o" + self.path("4"))
        self.assertEqual((self.dir / "4").read_bytes(), self.model[:5])

    def test_names_that_look_like_options(self):
        (self.dir / "-f").write_bytes(self.model)
        self.ok("encode", "-q", "--", "-f", "--json", cwd=self.dir)
        self.ok("decode", "-q", "--", "--json", "-q", cwd=self.dir)
        self.assertEqual((self.dir / "-q").read_bytes(), self.model)

    def test_messages_are_one_line_whatever_the_name(self):
        self.fails(1, "decode", self.path("no\nsuch\x1b[31mfile"), self.path("out"), says="no?such?[31mfile")
        self.fails(1, "decode", b"/nowhere/\xff\xfe", self.path("out"), says="/nowhere/??: No such file")


# ---- encode and decode ------------------------------------------------------------------------------------


class EncodeDecode(CliTest):
    def test_round_trip_and_summary(self):
        a, b, c = self.path("a.safetensors", self.model), self.path("b.wcodec"), self.path("c")
        line = self.ok("encode", a, b).decode()
        size = os.path.getsize(b)
        self.assertRegex(line, r"\A\S*a\.safetensors: %d -> %d bytes \(0\.\d{4}\), [\d.]+ s\n\Z"
                         % (len(self.model), size))
        self.assertAlmostEqual(float(line.split("(")[1].split(")")[0]), size / len(self.model), places=4)
        line = self.ok("decode", b, c).decode()
        self.assertRegex(line, r"\A\S*b\.wcodec: %d -> %d bytes, [\d.]+ s\n\Z" % (size, len(self.model)))
        self.assertEqual((self.dir / "c").read_bytes(), self.model)
        self.assertEqual(self.files(), ["a.safetensors", "b.wcodec", "c"])

    def test_quiet(self):
        self.assertEqual(self.ok("encode", "-q", self.path("a", self.model), self.path("b")), b"")
        self.assertEqual(self.ok("decode", "-q", self.path("b"), self.path("c")), b"")
        self.assertEqual(self.ok("verify", "-q", self.path("b")), b"")

    def test_json(self):
        a, b = self.path("a", self.model), self.path("b")
        got = json.loads(self.ok("encode", "--json", a, b))
        self.assertEqual(got["original_bytes"], len(self.model))
        self.assertEqual(got["container_bytes"], os.path.getsize(b))
        self.assertAlmostEqual(got["ratio"], got["container_bytes"] / got["original_bytes"], places=4)
        self.assertGreaterEqual(got["seconds"], 0)
        got = json.loads(self.ok("encode", "--json", self.path("empty", b""), self.path("c")))
        self.assertEqual((got["original_bytes"], got["ratio"]), (0, None))

    def test_pipes(self):
        packed = wcodec("encode", "--name", "model.safetensors", "-", "-", data=self.model)
        self.assertEqual(packed.returncode, 0)
        self.assertRegex(packed.stderr, rb"\Astandard input: \d+ -> %d bytes" % len(packed.stdout))
        self.assertEqual(packed.stdout, open_container_bytes())
        back = wcodec("decode", "-", "-", data=packed.stdout)
        self.assertEqual((back.returncode, back.stdout), (0, self.model))
        self.assertEqual(len(back.stderr.splitlines()), 1)
        # From a pipe to a file, from a file to a pipe.
        self.ok("encode", "-q", "-", self.path("b"), data=self.model)
        self.assertEqual(self.ok("decode", "-q", self.path("b"), "-"), self.model)
        self.ok("decode", "-q", "-", self.path("c"), data=packed.stdout)
        self.assertEqual((self.dir / "c").read_bytes(), self.model)

    def test_a_file_and_a_pipe_give_the_same_container(self):
        a = self.path("m", self.model)
        self.ok("encode", "-q", a, self.path("b"))
        piped = self.ok("encode", "-q", "--name", "m", "-", "-", data=self.model)
        self.assertEqual((self.dir / "b").read_bytes(), piped)

    def test_named_pipes(self):
        a, b = self.path("fifo-a"), self.path("b")
        os.mkfifo(a)
        feeder = subprocess.Popen(["sh", "-c", 'cat "$0" > "$1"', self.path("m", self.model), a])
        self.ok("encode", "-q", a, b)
        self.assertEqual(feeder.wait(), 0)
        feeder = subprocess.Popen(["sh", "-c", 'cat "$0" > "$1"', b, a])
        self.assertEqual(self.ok("decode", "-q", a, "-"), self.model)
        self.assertEqual(feeder.wait(), 0)

    def test_the_spool_file_is_in_tmpdir_and_gone(self):
        spool = self.dir / "spool"
        spool.mkdir()
        env = dict(os.environ, TMPDIR=str(spool))
        self.ok("encode", "-q", "-", self.path("b"), data=self.model, env=env)
        self.assertEqual(list(spool.iterdir()), [])
        env["TMPDIR"] = str(self.dir / "absent")
        self.fails(1, "encode", "-q", "-", self.path("c"), data=self.model, env=env, says="absent")
        self.assertEqual(self.files(), ["b", "spool"])

    def test_existing_file_is_kept(self):
        a, b = self.path("a", self.model), self.path("b", b"precious")
        packed = self.container()
        self.fails(1, "encode", a, b, says="b: exists (use -f)")
        self.fails(1, "decode", packed, b, says="b: exists (use -f)")
        self.fails(1, "extract", packed, "--range", "0:5", "-o", b, says="b: exists (use -f)")
        self.assertEqual((self.dir / "b").read_bytes(), b"precious")
        self.ok("extract", packed, "--range", "0:5", "-f", "-o", b)
        self.assertEqual((self.dir / "b").read_bytes(), self.model[:5])
        self.ok("encode", "-q", "-f", a, b)
        self.ok("decode", "-q", "--force", b, b + "2")
        self.assertEqual((self.dir / "b2").read_bytes(), self.model)
        self.assertEqual(self.files(), ["a", "b", "b2", "model.wcodec"])

    def test_a_link_to_nowhere_is_a_name_that_is_taken(self):
        os.symlink("nowhere", self.dir / "link")
        self.fails(1, "encode", "-q", self.path("a", self.model), self.path("link"), says="exists (use -f)")
        self.assertEqual(self.files(), ["a", "link"])

    def test_input_is_not_overwritten(self):
        a = self.path("a", self.model)
        self.fails(2, "encode", "-f", a, a, says="is the input")
        self.fails(2, "encode", "-f", a, str(self.dir) + "/./a", says="is the input")
        self.assertEqual((self.dir / "a").read_bytes(), self.model)

    def test_mode_follows_umask(self):
        self.ok("encode", "-q", self.path("a", self.model), self.path("b"),
                preexec_fn=lambda: os.umask(0o027))
        self.assertEqual(stat.S_IMODE(os.stat(self.path("b")).st_mode), 0o640)

    def test_long_names(self):
        name = "n" * 255
        self.ok("encode", "-q", self.path(name, self.model), self.path("m" * 255))
        self.assertEqual(self.metadata(self.path("m" * 255))["original"], name)

    def test_name_of_the_original(self):
        a = self.path("a name.safetensors", self.model)
        for options, name in (([], "a name.safetensors"), (["--name", "other"], "other"), (["--name="], "")):
            self.ok("encode", "-q", "-f", *options, a, self.path("b"))
            self.assertEqual(self.inspect(self.path("b"))["originals"][0]["name"], name)
            self.assertEqual(self.metadata(self.path("b"))["original"], name)
        self.ok("encode", "-q", "-f", "-", self.path("b"), data=self.model)
        self.assertEqual(self.inspect(self.path("b"))["originals"][0]["name"], "")

    def test_metadata(self):
        got = self.metadata(self.container())
        sizes = collections.Counter()
        for _, dtype, _, raw in small_model():
            sizes[dtype] += len(raw)
        sizes["BYTES"] = len(self.model) - sum(sizes.values())
        self.assertEqual(got["original_bytes"], len(self.model))
        self.assertEqual(got["format"], "safetensors")
        self.assertEqual(got["tensors"], len(small_model()))
        self.assertEqual(got["dtypes"], {k: v for k, v in sizes.items() if v})
        self.assertEqual(got["recipe"], {"profile": "fast", "coder": "auto", "tile": 65536})
        self.assertRegex(got["creator"], r"\Awcodec \d")

    def test_threads_do_not_change_the_bytes(self):
        content = safetensors([("w", "BF16", [1500, 512], gaussian_bf16(512 * 100) * 15)])
        a = self.path("a", content)
        for threads in ("1", "2", "3", "64"):
            self.ok("encode", "-q", "--threads", threads, a, self.path("b" + threads))
            self.assertEqual((self.dir / ("b" + threads)).read_bytes(), (self.dir / "b1").read_bytes())
            self.assertEqual(self.ok("decode", "-q", "--threads", threads, self.path("b1"), "-"), content)

    def test_coders(self):
        allowed = {"auto": None, "rans": {"raw", "constant", "rans16", "rans256"},
                   "huffman": {"raw", "constant", "huffman"}, "raw": {"raw"}}
        sizes = {}
        for coder, names in allowed.items():
            sizes[coder] = len(self.round_trip(self.model, "--coder", coder))
            got = {c["coder"] for c in self.inspect(self.path("packed"))["coders"]}
            if names is not None:
                self.assertLessEqual(got, names)
            self.assertEqual(self.metadata(self.path("packed"))["recipe"]["coder"], coder)
        self.assertLessEqual(sizes["auto"], min(sizes.values()))
        self.assertLess(max(sizes["rans"], sizes["huffman"]), sizes["raw"])

    def test_profiles(self):
        for profile, tile in (("fast", 65536), ("dense", 262144)):
            self.round_trip(self.model, "--profile", profile)
            recipe = self.metadata(self.path("packed"))["recipe"]
            self.assertEqual((recipe["profile"], recipe["tile"]), (profile, tile))

    def test_tiles(self):
        count = {}
        for tile in ("1000", "65536", "2097152"):
            self.round_trip(safetensors([("w", "BF16", [100, 800], gaussian_bf16(80000))]), "--tile", tile)
            count[tile] = self.inspect(self.path("packed"))["segments"][-1]["tiles"]
        self.assertGreater(count["1000"], count["65536"])
        self.assertEqual(count["2097152"], 1)
        self.round_trip(self.model, "--tile", "1")

    def test_typed_data(self):
        data = gaussian_bf16(60000)
        opaque = self.round_trip(data)
        typed = self.round_trip(data, "--dtype", "BF16", "--row", "200")
        segment = self.inspect(self.path("packed"))["segments"][0]
        self.assertEqual((segment["dtype"], segment["original_bytes"]), ("BF16", len(data)))
        self.assertLessEqual(len(typed), len(opaque) + 64)
        for dtype in DTYPE_BITS:
            self.round_trip(random_bytes(24 * 500), "--dtype", dtype, "--row", "24")

    def test_typed_data_that_is_not_whole(self):
        # Either an error, which leaves nothing behind, or a container that gives back every byte.
        result = wcodec("encode", "-q", "--dtype", "F32", self.path("a", b"abcde" * 1001), self.path("b"))
        if result.returncode == 0:
            self.assertEqual(self.ok("decode", "-q", self.path("b"), "-"), b"abcde" * 1001)
        else:
            self.assertEqual((result.returncode, len(result.stderr.splitlines())), (1, 1))
            self.assertEqual(self.files(), ["a"])

    def test_every_dtype(self):
        for dtype, bits in DTYPE_BITS.items():
            size = 48 * 64 * bits // 8
            self.round_trip(safetensors([
                ("random", dtype, [64, 48], random_bytes(size)), ("zero", dtype, [64, 48], bytes(size)),
                ("ones", dtype, [64, 48], b"\xff" * size),
                ("few", dtype, [48 * 64], bytes(size - 8) + b"\x7f" * 8)]))

    def test_standard_output_closed(self):
        # Whoever closes it must not find a message inside the container.
        for redirect in (">&-", "2>&-", "<&-", ">&- 2>&- <&-"):
            subprocess.run(["sh", "-c", 'exec "$0" encode -f "$1" "$2" ' + redirect, BIN,
                            self.path("a", self.model), self.path("b")],
                           stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            self.ok("decode", "-q", "-f", self.path("b"), self.path("c"))
            self.assertEqual((self.dir / "c").read_bytes(), self.model)

    def test_memory_stays_bounded(self):
        # 192 MiB of weights; a small Python measures, whose own memory does not hide that of the command.
        block = gaussian_bf16(MIB // 4)
        with open(self.path("a"), "wb") as file:
            for i in range(384):
                file.write(block[2 * i:] + block[:2 * i])
        measure = ("import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]);"
                   "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)")
        for args in (["encode", "-q", "--dtype", "BF16", "--row", "1024", self.path("a"), self.path("b")],
                     ["decode", "-q", self.path("b"), self.path("c")],
                     ["verify", "-q", self.path("b")],
                     ["decode", "-q", "-f", "-", self.path("c")]):
            with open(self.path("b") if "-" in args else os.devnull, "rb") as stdin:
                got = subprocess.run([sys.executable, "-S", "-c", measure, BIN, *args, "--threads", "2"],
                                     stdin=stdin, stdout=subprocess.PIPE, check=True).stdout
            print("  peak memory of %s: %.1f MiB" % (args[0], int(got) / 1024))
            self.assertLess(int(got), 64 * 1024, args)
        self.assertEqual(subprocess.call(["cmp", self.path("a"), self.path("c")]), 0)


class AwkwardFiles(CliTest):
    def test_each_comes_back(self):
        for word, content in awkward_files():
            with self.subTest(word=word):
                self.round_trip(content)
                packed = (self.dir / "packed").read_bytes()
                self.assertEqual(self.ok("decode", "-q", "-", "-", data=packed), content)
                self.segments_tile_the_file(content)

    def segments_tile_the_file(self, content):
        got, at = self.inspect(self.path("packed")), 0
        for segment in got["segments"]:
            self.assertEqual(segment["offset"], at)
            at += segment["original_bytes"]
        self.assertEqual((at, got["original_bytes"]), (len(content), len(content)))
        got = json.loads(self.ok("analyze", "--json", self.path("in")))
        self.assertEqual(got["original_bytes"], len(content))

    def test_which_of_them_are_checkpoints(self):
        want = {"empty": "raw", "one byte": "raw", "not JSON": "raw", "header too large": "raw",
                "ten tensors on the same bytes": "raw", "a shape that says more": "raw", "not UTF-8": "raw",
                "shape [2,9223372036854775807]": "raw", "out of the file": "raw", "random": "raw",
                "header only": "safetensors", "leading white space, tensor": "safetensors",
                "rank 0": "safetensors", "zero-size tensors": "safetensors", "unknown dtype": "safetensors",
                "unknown field": "safetensors", "offsets in another order": "safetensors",
                "names": "safetensors"}
        for word, content in awkward_files():
            if word in want:
                self.ok("encode", "-q", "-f", "-", self.path("b"), data=content)
                self.assertEqual(self.metadata(self.path("b"))["format"], want.pop(word), word)
        self.assertEqual(want, {})

    def test_files_of_other_formats(self):
        for word, content in files_of_others():
            with self.subTest(word=word):
                self.round_trip(content)
                self.assertEqual(self.metadata(self.path("packed"))["format"], "raw")

    def test_100000_tensors(self):
        header, data, at = [], bytearray(), 0
        for i in range(100000):
            size = 2 * (i % 5)
            header.append('"model.layers.%d.weight_%d":{"dtype":"BF16","shape":[%d],"data_offsets":[%d,%d]}'
                          % (i // 100, i, size // 2, at, at + size))
            at += size
        content = with_header(("{%s}" % ",".join(header)).encode(), random_bytes(at))
        packed = self.round_trip(content)
        print("  100,000 tensors: %d -> %d bytes (%.4f)"
              % (len(content), len(packed), len(packed) / len(content)))
        got = self.inspect(self.path("packed"))
        names = [s["name"] for s in got["segments"] if s["name"]]
        self.assertEqual(len(names), 100000)
        out = self.ok("extract", self.path("packed"), "--tensor", "model.layers.999.weight_99999", "-o", "-")
        self.assertEqual(out, content[-8:])


class RealWeights(CliTest):
    LIMITS = (("whisper-base-encoder.bf16", .675), ("tiny-rwkv-7v0-834K.f32", .36),
              ("stories15M-blocks.f32", .840), ("waifu2x", .88), ("coral", .83), ("mlperf-vww", .27),
              ("", 1.01))

    def test_all_of_them(self):
        if not DATA.is_dir():
            self.skipTest("no folder of real weights (WCODEC_DATA)")
        back = self.path("back")
        for path in sorted(DATA.iterdir()):
            if path.suffix not in (".safetensors", ".gguf"):
                continue
            with self.subTest(file=path.name):
                got = json.loads(self.ok("encode", "-f", "--json", str(path), self.path("packed")))
                self.assertRegex(self.ok("verify", self.path("packed")), rb"\AOK  ")
                self.ok("decode", "-q", "-f", self.path("packed"), back)
                self.assertEqual(subprocess.call(["cmp", str(path), back]), 0)
                limit = next(limit for start, limit in self.LIMITS if path.name.startswith(start))
                print("  %-58s %9d -> %9d  %.4f (at most %.3f)"
                      % (path.name, got["original_bytes"], got["container_bytes"], got["ratio"], limit))
                self.assertLessEqual(got["container_bytes"], limit * got["original_bytes"])


# ---- GGUF ---------------------------------------------------------------------------------------------------


def small_gguf(**how):
    """A matrix of every type, a vector and a vocabulary."""
    tensors = [("blk.%s" % name, [4, 1024], name, gguf_make.synthetic(name, 4 * 1024 // elements))
               for name, (_, elements, _, _) in gguf_make.BLOCKS.items()]
    tensors += [("norm", [768], "F32", gaussian_f32(768)), ("bias", [1000], "F16", gaussian_bf16(1000)),
                ("scalar", [], "I64", b"12345678"), ("none", [0, 256], "Q4_K", b"")]
    pairs = [gguf_make.text_pair("general.architecture", "test"),
             gguf_make.texts_pair("tokenizer.ggml.tokens", ["token%d" % i for i in range(3000)])]
    return tensors, gguf_make.write(tensors, pairs, **how)


class Gguf(CliTest):
    def test_what_is_in_it(self):
        tensors, content = small_gguf()
        self.round_trip(content)
        got = self.inspect(self.path("packed"))
        self.assertEqual([(s["name"], s["dtype"], s["shape"], s["original_bytes"])
                          for s in got["segments"] if s["name"]],
                         [(n, k, s, len(raw)) for n, s, k, raw in tensors])
        self.assertEqual(sum(p["bytes"] for p in got["planes"]), sum(c["bytes"] for c in got["coders"]))
        self.assertGreater(sum(p["bytes"] for p in got["planes"]), got["tile_bytes"] * 3 // 4)
        for plane in got["planes"]:
            self.assertIn(plane["width"], range(1, 9))
        metadata = self.metadata(self.path("packed"))
        self.assertEqual((metadata["format"], metadata["tensors"]), ("gguf", len(tensors)))
        for name, (_, elements, size, _) in gguf_make.BLOCKS.items():
            self.assertEqual(metadata["dtypes"][name], 4096 // elements * size)
        self.assertIn(b"Q4_K", self.ok("inspect", self.path("packed")))

    def test_parts_of_it(self):
        tensors, content = small_gguf(alignment=8, version=2, trailing=b"more")
        packed = self.container(content)
        for name, shape, kind, raw in tensors:
            self.assertEqual(self.ok("extract", packed, "--tensor", name, "-o", "-"), raw, name)
            if len(shape) == 2:
                got = self.ok("extract", packed, "--tensor", name, "--rows", "1:3", "-o", "-")
                self.assertEqual(got, raw[len(raw) // 4:len(raw) // 4 * 3] if raw else b"", name)
                break
        self.assertEqual(self.ok("extract", packed, "--range", "5:100000", "-o", "-"), content[5:100000])

    def test_profiles_and_coders(self):
        _, content = small_gguf()
        for options in (["--profile", "dense"], ["--profile", "best"], ["--coder", "huffman"], ["--coder", "raw"]):
            self.assertLess(len(self.round_trip(content, *options)), 1.03 * len(content), options)
        for tile in ("1", "10", "100"):
            self.round_trip(content, "--tile", tile)

    def test_analyze(self):
        tensors, content = small_gguf()
        got = json.loads(self.ok("analyze", "--json", self.path("a", content)))
        self.assertEqual([(t["name"], t["dtype"]) for t in got["tensors"] if t["name"]],
                         [(n, k) for n, _, k, _ in tensors])
        self.ok("analyze", "-f", "--html", self.path("page.html"), "--peers", "0", self.path("a"))
        self.assertIn(b"IQ4_XS", (self.dir / "page.html").read_bytes())

    def test_typed_data(self):
        data = gguf_make.synthetic("Q5_K", 60)
        self.round_trip(data + b"rest", "--dtype", "Q5_K", "--row", "512")
        self.assertEqual([(s["dtype"], s["shape"]) for s in self.inspect(self.path("packed"))["segments"]],
                         [("Q5_K", [30, 512]), ("BYTES", [])])

    def test_odd_files(self):
        tensors, content = small_gguf()
        self.round_trip(gguf_make.write([("w", [33], "I8", bytes(33))])[:-31])     # its padding may be missing
        self.assertEqual(self.metadata(self.path("packed"))["format"], "gguf")
        for broken in (content[:5000], content[:4] + struct.pack(">I", 3) + content[8:], content[:-100000]):
            self.round_trip(broken)
            self.assertEqual(self.metadata(self.path("packed"))["format"], "raw")

    def test_odd_headers(self):
        for word, content, seen in odd_ggufs():
            with self.subTest(word=word):
                self.round_trip(content)
                self.assertEqual(self.metadata(self.path("packed"))["format"], seen)
                packed = (self.dir / "packed").read_bytes()
                self.assertEqual(self.ok("decode", "-q", "-", "-", data=packed), content)

    def test_quantized_by_others(self):
        """Real weights, or random ones, by the quantizers that are installed; files by their writer."""
        package = gguf_make.optional(gguf_make.Package)
        if package is None:
            self.skipTest("no package gguf (pip install gguf)")
        import numpy
        makers = [maker for maker in (gguf_make.optional(gguf_make.Ggml), package) if maker]
        matrix = numpy.random.default_rng(1).normal(0, .02, (128, 1024)).astype(numpy.float32)
        model = DATA / "whisper-base-encoder.bf16.safetensors"
        if model.exists():
            matrix = next(m for name, m in gguf_make.safetensors_matrices(str(model)) if "fc1" in name)[:128]
        done = []
        for name in gguf_make.BLOCKS:
            for maker in makers:
                try:
                    if not (maker.knows(name) and package.knows(name)):
                        continue
                    values = maker.quantize(name, matrix)
                except NotImplementedError:
                    continue
                package.write(self.path("q.gguf"), [("w", matrix.shape, name, values)], [("a.b", "text")])
                content = (self.dir / "q.gguf").read_bytes()
                ratio = len(self.round_trip(content)) / len(content)
                self.assertEqual([(s["dtype"], s["shape"]) for s in self.inspect(self.path("packed"))["segments"]
                                  if s["name"]], [(name, list(matrix.shape))])
                self.assertLess(ratio, .995, name)
                done.append("%s %.4f" % (name, ratio))
                break
        print("  by %s: %s" % (", ".join(type(m).__name__ for m in makers), ", ".join(done)))
        self.assertGreater(len(done), 7)


# ---- failures ---------------------------------------------------------------------------------------------


class Failures(CliTest):
    def test_files_that_cannot_be_read(self):
        out = self.path("out")
        for command in ("encode", "decode"):
            self.fails(1, command, self.path("absent"), out, says="absent: No such file")
            self.fails(1, command, str(self.dir), out, says="is a directory")
        for command in ("verify", "inspect", "analyze", "bench"):
            self.fails(1, command, self.path("absent"), says="absent: No such file")
        self.fails(1, "extract", self.path("absent"), "--range", "0:1", "-o", out,
                   says="absent: No such file")
        self.assertEqual(self.files(), [])

    def test_places_that_cannot_be_written(self):
        a, packed = self.path("a", self.model), self.container()
        for out in (self.path("absent/out"), str(self.dir), self.path("a/out"), self.path("new") + "/", ""):
            self.fails(1, "encode", a, out)
            self.fails(1, "decode", packed, out)
        self.assertEqual(self.files(), ["a", "model.wcodec"])

    def test_full_disk(self):
        a, packed = self.path("a", random_bytes(600000)), self.container(random_bytes(600000))
        self.fails(1, "encode", a, "/dev/full", says="/dev/full: offset 0: No space left")
        self.fails(1, "decode", packed, "/dev/full", says="/dev/full: offset 0: No space left")
        self.fails(1, "extract", packed, "--range", ":", "-o", "/dev/full",
                   says="/dev/full: offset 0: No space left")
        with open("/dev/full", "wb") as full:
            for args in (["encode", a, "-"], ["decode", packed, "-"], ["verify", packed], ["inspect", packed],
                         ["inspect", "--json", packed], ["analyze", a], ["--help"], ["--version"]):
                result = subprocess.run([BIN, *args], stdout=full, stderr=subprocess.PIPE)
                self.assertEqual(result.returncode, 1, args)
                self.assertRegex(result.stderr,
                                 rb"\Awcodec: standard output: [^\n]*No space left[^\n]*\n\Z", args)

    def test_a_file_that_may_not_grow_leaves_nothing_behind(self):
        a, packed = self.path("a", random_bytes(600000)), self.container(random_bytes(600000))
        before = self.files()
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000))
        for command, source in (("encode", a), ("decode", packed)):
            self.fails(1, command, source, self.path("b"), preexec_fn=limit,
                       says="b: offset 300000: File too large")
        self.fails(1, "encode", "-f", a, packed, preexec_fn=limit, says="File too large")
        self.assertEqual(self.files(), before)
        self.ok("verify", "-q", packed)

    def test_not_a_container(self):
        for content in (b"", b"W", b"WCDC", self.model, random_bytes(5000), bytes(5000)):
            a = self.path("a", content)
            for args in (["decode", a, self.path("b")], ["verify", a], ["inspect", a],
                         ["extract", a, "--range", "0:0", "-o", self.path("b")]):
                self.assertRegex(self.fails(1, *args), r"a: offset \d+: ")
            self.fails(1, "decode", "-", self.path("b"), data=content, says="standard input: offset ")
        self.assertEqual(self.files(), ["a"])

    def test_truncated(self):
        whole = open_container_bytes()
        cuts = {0, 1, 31, 32, 33, len(whole) - 1, len(whole) - 47, len(whole) - 48, len(whole) - 49}
        cuts.update(range(100, len(whole), len(whole) // 12))
        for cut in sorted(cuts):
            a = self.path("a", whole[:cut])
            self.assertRegex(self.fails(1, "decode", a, self.path("b")), r"a: offset \d+: ")
            self.assertRegex(self.fails(1, "verify", a), r"a: offset \d+: ")
            self.fails(1, "decode", "-", self.path("b"), data=whole[:cut], says="standard input: offset ")
            self.assertEqual(self.files(), ["a"])

    def test_bytes_that_follow(self):
        for extra in (b"\x00", b"x" * 4096, open_container_bytes()):
            content = open_container_bytes() + extra
            a = self.path("a", content)
            self.fails(1, "verify", a, says="offset ")
            self.fails(1, "decode", "-", self.path("b"), data=content, says="offset ")
            # A reader finds the footer at the end, and there another container's may stand.
            self.fails(1, "decode", a, self.path("b"), says="offset ")
            self.assertEqual(self.files(), ["a"])

    def test_verify_finds_every_flip(self):
        whole = bytearray(open_container_bytes())
        places = set(range(0, 64)) | set(range(len(whole) - 64, len(whole)))
        places |= set(random.Random(5).sample(range(len(whole)), 250))
        for place in sorted(places):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << place % 8
            a = self.path("a", bytes(flipped))
            self.assertRegex(self.fails(1, "verify", a), r"a: (offset \d+|original .*): ", place)

    def test_decode_gives_the_original_or_nothing(self):
        whole = open_container_bytes()
        for place in random.Random(6).sample(range(len(whole)), 120):
            flipped = bytearray(whole)
            flipped[place] ^= 0xFF
            for source, data in (("-", bytes(flipped)), (self.path("a", bytes(flipped)), None)):
                result = wcodec("decode", "-q", source, self.path("b"), data=data)
                if result.returncode == 0:
                    self.assertEqual((self.dir / "b").read_bytes(), self.model)
                    os.unlink(self.path("b"))
                self.assertIn(result.returncode, (0, 1))
                self.assertEqual(self.files(), ["a"] if "a" in self.files() else [])

    def test_containers_of_another_kind(self):
        def original(name, data, **how):
            return Original(name, [Segment(data)] if data else [], sha=False, **how)

        cases = (("no original", []),
                 ("never were one file", [original(b"p", b"abc", from_parts=True)]))
        for says, originals in cases:
            content = make_golden.container(originals)
            a = self.path("a", content)
            self.fails(1, "decode", a, self.path("b"), says=says)
            self.fails(1, "decode", "-", self.path("b"), data=content, says=says)
            self.assertEqual(self.files(), ["a"])
            self.assertEqual(len(self.ok("verify", a).splitlines()), len(originals))
            got = self.inspect(a)
            self.assertEqual([o["name"].encode() for o in got["originals"]], [o.name for o in originals])
            self.assertEqual([o["sha256"] for o in got["originals"]], [None] * len(originals))
            self.ok("inspect", a)
            self.assertEqual(self.ok("extract", a, "--range", ":", "-o", "-"),
                             b"".join(o.data for o in originals))
        for data in (b"hello", b""):
            one = make_golden.container([original(b"one", data)])
            self.assertEqual(self.ok("decode", "-q", "-", "-", data=one), data)
            self.assertEqual(self.ok("decode", "-q", self.path("a", one), "-"), data)

    def test_golden_containers(self):
        base = "--base", str(golden_folder() / "base.bin")
        for path in sorted(golden_folder().glob("*/*.wcodec")):
            with self.subTest(file=path.name):
                if path.parent.name == "good":
                    self.ok("verify", str(path), *base)
                    self.ok("inspect", "--json", str(path))
                elif path.parent.name == "bad_both":    # some of these no function of the library shows
                    self.assertIn(wcodec("verify", str(path), *base).returncode, (0, 1))
                else:
                    self.fails(1, "verify", str(path), *base)

    def test_file_that_becomes_shorter(self):
        # The command stops while it waits for its output to be taken; then the file is cut.
        packed = self.container(random_bytes(40 * MIB))
        child = subprocess.Popen([BIN, "decode", packed, "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(len(child.stdout.read(65536)), 65536)
        os.truncate(packed, 1000)
        rest, message = child.communicate()
        self.assertEqual(child.returncode, 1)
        self.assertRegex(message, rb"\Awcodec: [^\n]*model.wcodec: offset \d+: [^\n]+\n\Z")
        self.assertLess(len(rest), 40 * MIB)


class Signals(CliTest):
    def start(self, *args, **options):
        """A command that waits for its standard input, when its temporary file is there."""
        child = subprocess.Popen([BIN, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, **options)
        for _ in range(3000):
            if any(name.startswith(".out.") for name in self.files()):
                return child
            time.sleep(0.01)
        child.kill()
        child.communicate()
        self.fail("no temporary file appeared")

    def test_nothing_is_left_behind(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for command, content in (("encode", self.model), ("decode", open_container_bytes())):
                child = self.start(command, "-", self.path("out"))
                child.stdin.write(content[:len(content) // 2])
                child.stdin.flush()
                child.send_signal(number)
                self.assertEqual(child.wait(), -number)
                self.assertEqual(self.files(), [])
                child.communicate()

    def test_existing_file_survives(self):
        out = self.path("out", b"precious")
        child = self.start("encode", "-f", "-", out)
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(), -signal.SIGINT)
        self.assertEqual((self.files(), (self.dir / "out").read_bytes()), (["out"], b"precious"))
        child.communicate()

    def test_in_the_middle_of_the_work(self):
        # Stopped by a full pipe, whatever the speed of the machine.
        packed = self.container(random_bytes(8 * MIB))
        child = subprocess.Popen([BIN, "decode", packed, "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.stdout.read(1000)
        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.wait(), -signal.SIGTERM)
        child.communicate()

    def test_ignored_signals_stay_ignored(self):
        child = self.start("encode", "-q", "-", self.path("out"),
                           preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        child.send_signal(signal.SIGHUP)
        child.communicate(self.model)
        self.assertEqual(child.returncode, 0)
        self.assertEqual(self.ok("decode", "-q", self.path("out"), "-"), self.model)

    def test_broken_pipe(self):
        packed = self.container(random_bytes(4 * MIB))
        for restore in (True, False):
            child = subprocess.Popen([BIN, "decode", "-q", packed, "-"], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, restore_signals=restore)
            child.stdout.read(10)
            child.stdout.close()
            message = child.stderr.read()
            child.stderr.close()
            if restore:
                self.assertEqual((child.wait(), message), (-signal.SIGPIPE, b""))
            else:
                self.assertEqual(child.wait(), 1)
                self.assertRegex(message, rb"\Awcodec: standard output: offset \d+: Broken pipe\n\Z")

    def test_name_taken_meanwhile(self):
        child = self.start("encode", "-q", "-", self.path("out"))
        self.path("out", b"somebody else's")
        _, message = child.communicate(self.model)
        self.assertEqual((child.returncode, (self.dir / "out").read_bytes()), (1, b"somebody else's"))
        self.assertIn(b"exists (use -f)", message)
        self.assertEqual(self.files(), ["out"])


class Terminal(CliTest):
    def in_terminal(self, args, stream):
        """Runs with `stream` as a terminal; its output there and the exit status."""
        master, slave = pty.openpty()
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: slave}
        child = subprocess.Popen([BIN, *args], stdin=subprocess.DEVNULL, **pipes)
        os.close(slave)
        text = b""
        while True:
            try:
                piece = os.read(master, 4096)
            except OSError:     # the other end is closed
                break
            if not piece:
                break
            text += piece
        os.close(master)
        child.communicate()
        return text, child.returncode

    def test_no_container_on_a_terminal(self):
        for args in (["encode", self.path("a", self.model), "-"], ["decode", self.container(), "-"],
                     ["extract", self.container(), "--range", ":", "-o", "-"]):
            text, status = self.in_terminal(args, "stdout")
            self.assertEqual((text, status), (b"", 2))

    def test_the_bar_goes_away(self):
        a = self.path("a", random_bytes(48 * MIB))
        text, status = self.in_terminal(["encode", "--threads", "1", a, self.path("b")], "stderr")
        self.assertEqual(status, 0)
        self.assertNotIn(b"\n", text)
        if text:        # the machine was slow enough for one
            self.assertIn(b"%", text)
            self.assertEqual(text.split(b"\r")[-2].strip(b" ") + text.split(b"\r")[-1], b"")
        text, status = self.in_terminal(["encode", "-q", "-f", a, self.path("b")], "stderr")
        self.assertEqual((text, status), (b"", 0))
        result = wcodec("encode", "-f", a, self.path("b"))
        self.assertEqual(result.stderr, b"")


# ---- the other commands -----------------------------------------------------------------------------------


class Verify(CliTest):
    def test_clean(self):
        digest = hashlib.sha256(self.model).hexdigest()
        want = "OK  model.safetensors  %d  %s\n" % (len(self.model), digest)
        self.assertEqual(self.ok("verify", self.container()).decode(), want)
        self.assertEqual(self.ok("verify", "-", data=open_container_bytes()).decode(), want)
        self.assertEqual(self.ok("verify", "--threads", "1", self.container()).decode(), want)

    def test_wrong_sha256(self):
        # Every CRC-32 fits; only the SHA-256 is that of something else.
        originals = [Original(b"a", [Segment(b"hello")])]
        wrong = make_golden.container(originals, edit={"index.o0.sha": hashlib.sha256(b"other").digest()})
        self.fails(1, "verify", self.path("a", wrong), says="original 'a': the SHA-256 differs")
        self.assertEqual(self.ok("decode", "-q", self.path("a"), "-"), b"hello")
        self.ok("verify", self.path("a", make_golden.container(originals)))


class Inspect(CliTest):
    def test_json(self):
        packed = self.container()
        got = self.inspect(packed)
        self.assertEqual(got["container_bytes"], os.path.getsize(packed))
        self.assertEqual(got["original_bytes"], len(self.model))
        self.assertEqual(got["header"]["version"], 1)
        segments = [s for s in got["segments"] if s["name"]]
        self.assertEqual([(s["name"], s["dtype"], s["shape"], s["original_bytes"]) for s in segments],
                         [(n, d, s, len(raw)) for n, d, s, raw in small_model()])
        self.assertEqual(sum(s["original_bytes"] for s in got["segments"]), len(self.model))
        self.assertEqual(sum(s["container_bytes"] for s in got["segments"]), got["tile_bytes"])
        self.assertEqual(sum(s["tiles"] for s in got["segments"]), got["tiles"])
        self.assertLess(got["tile_bytes"] + got["header"]["bytes"] + got["index_bytes"],
                        got["container_bytes"])
        self.assertEqual(got["originals"][0]["name"], "model.safetensors")
        self.assertEqual(sum(c["bytes"] for c in got["coders"]), sum(p["bytes"] for p in got["planes"]))
        for plane in got["planes"]:
            self.assertEqual(sum(plane["coders"].values()), plane["tiles"])
            self.assertAlmostEqual(plane["bits_per_value"], 8 * plane["bytes"] / plane["values"], places=3)
            self.assertIn(plane["width"], range(1, 9))
        piped = json.loads(self.ok("inspect", "--json", "-", data=open_container_bytes()))
        self.assertEqual(piped["segments"], got["segments"])

    def test_table(self):
        text = self.ok("inspect", self.container()).decode()
        for word in ("embed.weight", "[200, 96]", "BF16", "sha256", "model.safetensors", "bits/value",
                     "BF16.0"):
            self.assertIn(word, text)
        self.assertLess(max(map(len, text.splitlines())), 400)

    def test_names_that_harm_terminals(self):
        content = safetensors([("a\x1b[2J\u009b\n" + "long" * 100, "U8", [3], b"abc")])
        self.ok("encode", "-q", "--name", b"bad\xff\x1b\"\\name", self.path("a", content), self.path("b"))
        text = self.ok("inspect", self.path("b")).decode()
        self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text))
        self.assertIn("...", text)
        got = self.inspect(self.path("b"))
        self.assertEqual(got["originals"][0]["name"], "bad\ufffd\x1b\"\\name")
        self.assertEqual(json.loads(got["header"]["metadata"])["original"], "bad\ufffd\x1b\"\\name")
        self.assertIn("a\x1b[2J\u009b\n" + "long" * 100, [s["name"] for s in got["segments"]])
        self.assertRegex(self.ok("verify", self.path("b")), rb"\AOK  bad\?\?\"\\name  ")


class Bases(CliTest):
    """encode --base, and what takes the same base again."""

    def setUp(self):
        super().setUp()
        rng = random.Random(12)
        changed = []
        for name, dtype, shape, raw in small_model():
            raw = bytearray(raw)
            for i in range(0, len(raw), 400):
                raw[i] = rng.randrange(256)
            changed.append((name, dtype, shape, bytes(raw)))
        self.tuned = safetensors(list(reversed(changed)))
        self.a, self.b = self.path("tuned", self.tuned), self.path("base.safetensors", self.model)
        self.packed = self.path("packed")
        self.sha = hashlib.sha256(self.model).hexdigest()

    def encode(self, *options):
        return json.loads(self.ok("encode", "--json", self.a, self.packed, "--base", self.b, *options))

    def test_round_trips(self):
        self.ok("encode", "-q", self.a, self.path("alone"))
        alone = os.path.getsize(self.path("alone"))
        for options in [], ["--profile", "dense"], ["--profile", "best"], ["--coder", "rans"], ["--tile", "1000"]:
            with self.subTest(options=options):
                got = self.encode(*options, "-f")
                self.assertLess(got["container_bytes"] * 3, alone)
                self.assertGreater(got["base_twins"], 5)
                self.assertGreater(got["base_tensors"], 3)
                self.ok("decode", self.packed, self.path("out"), "-f", "-q", "--base", self.b)
                self.assertEqual((self.dir / "out").read_bytes(), self.tuned)
                self.ok("verify", self.packed, "--base", self.b)
        self.ok("decode", "-", self.path("piped"), "-q", "--base", self.b, data=(self.dir / "packed").read_bytes())
        self.assertEqual((self.dir / "piped").read_bytes(), self.tuned)

    def test_threads_do_not_change_the_bytes(self):
        self.encode("--threads", "1")
        first = (self.dir / "packed").read_bytes()
        self.encode("--threads", "5", "-f")
        self.assertEqual((self.dir / "packed").read_bytes(), first)

    def test_container_as_base(self):
        self.encode()
        of_file = (self.dir / "packed").read_bytes()
        self.ok("encode", "-q", self.b, self.path("base.wcodec"))
        self.b = self.path("base.wcodec")
        self.encode("-f")
        self.assertEqual((self.dir / "packed").read_bytes(), of_file)
        for base in self.path("base.wcodec"), self.path("base.safetensors"):
            self.ok("decode", self.packed, self.path("out"), "-q", "-f", "--base", base)
            self.assertEqual((self.dir / "out").read_bytes(), self.tuned)
        self.ok("verify", self.packed, "--base", self.b)

    def test_inspect(self):
        self.encode()
        base = self.inspect(self.packed)["base"]
        self.assertEqual(base, {"name": "base.safetensors", "bytes": len(self.model), "sha256": self.sha})
        text = self.ok("inspect", self.packed).decode()
        self.assertIn("base.safetensors, %d bytes, as its base" % len(self.model), text)
        self.assertIn(self.sha, text)
        self.assertIn("base xor", text)
        self.ok("encode", "-q", self.a, self.path("alone"))
        self.assertIsNone(self.inspect(self.path("alone"))["base"])

    def test_missing(self):
        self.encode()
        out = self.path("out")
        for args in (["decode", self.packed, out], ["verify", self.packed],
                     ["extract", self.packed, "--tensor", "embed.weight", "-o", out]):
            with self.subTest(args=args):
                message = self.fails(1, *args, says="needs its base (--base): base.safetensors")
                self.assertIn(self.sha, message)
        self.fails(1, "decode", "-", out, data=(self.dir / "packed").read_bytes(), says="needs its base")
        self.assertFalse(os.path.exists(out))

    def test_another(self):
        self.encode()
        out = self.path("out")
        same_size = bytearray(self.model)
        same_size[-1] ^= 1
        for word, data in ("SHA-256", bytes(same_size)), ("bytes", self.model + b"x"), ("bytes", b""):
            other = self.path("other", data)
            for args in (["decode", self.packed, out], ["verify", self.packed],
                         ["extract", self.packed, "--range", "0:100", "-o", out]):
                with self.subTest(word=word, args=args):
                    message = self.fails(1, *args, "--base", other, says="is not the base that")
                    self.assertIn(word, message)
            self.fails(1, "decode", "-", "-", "--base", other, data=(self.dir / "packed").read_bytes(),
                       says="is not the base that")
        self.assertFalse(os.path.exists(out))

    def test_extract(self):
        self.encode()
        out = self.path("out")
        raw = gaussian_bf16(200 * 96)
        self.ok("extract", self.packed, "--tensor", "embed.weight", "-o", out, "--base", self.b)
        self.assertEqual(len((self.dir / "out").read_bytes()), len(raw))
        self.ok("extract", self.packed, "--range", "1000:9000", "-f", "-o", out, "--base", self.b)
        self.assertEqual((self.dir / "out").read_bytes(), self.tuned[1000:9000])
        # What does not need the base is there without it.
        self.ok("extract", self.packed, "--range", "0:20", "-f", "-o", out)
        self.assertEqual((self.dir / "out").read_bytes(), self.tuned[:20])

    def test_a_base_that_is_of_no_use(self):
        self.ok("encode", "-q", self.a, self.path("alone"))
        for data in random_bytes(5000), safetensors([("other", "BF16", [4], bytes(8))]), b"":
            self.b = self.path("useless", data)
            got = self.encode("-f")
            self.assertEqual(got["base_tensors"], 0)
            self.assertEqual((self.dir / "packed").read_bytes(), (self.dir / "alone").read_bytes())
            self.ok("decode", self.packed, self.path("out"), "-f", "-q")
        line = self.ok("encode", "-f", self.a, self.packed, "--base", self.b).decode()
        self.assertIn("the container does not need it", line)
        # A base that is not needed does no harm.
        self.ok("decode", self.packed, self.path("out"), "-f", "-q", "--base", self.b)

    def test_bases_that_are_refused(self):
        self.encode()
        out = self.path("out")
        self.fails(1, "encode", self.a, out, "--base", self.packed, says="needs a base itself")
        self.fails(1, "encode", self.a, out, "--base", self.path("nothing"), says="No such file")
        self.fails(2, "encode", self.a, out, "--base", "-", says="not standard input")
        two = make_golden.container([Original(b"a", [Segment(b"x")]), Original(b"b", [Segment(b"y")])])
        self.fails(1, "encode", self.a, out, "--base", self.path("two", two), says="one original")
        parts = make_golden.container([Original(b"a", [Segment(b"x")], from_parts=True)])
        self.fails(1, "encode", self.a, out, "--base", self.path("parts", parts), says="never were one file")
        self.fails(1, "encode", self.a, out, "--base", self.path("cut", two[:-9]))
        self.assertFalse(os.path.exists(out))

    def test_several_files_against_one_base(self):
        tensors = list(reversed(small_model()))
        files = {"1.safetensors": safetensors(tensors[::2]), "2.safetensors": safetensors(tensors[1::2])}
        paths = [self.path(name, content) for name, content in files.items()]
        got = json.loads(self.ok("encode", "--json", *paths, self.packed, "--base", self.b))
        self.assertGreater(got["base_tensors"], 3)
        self.assertLess(got["container_bytes"] * 3, sum(map(len, files.values())))
        self.fails(1, "decode", self.packed, self.path("out"), says="needs its base")
        self.assertFalse(os.path.exists(self.path("out")))
        self.ok("decode", "-q", self.packed, self.path("out"), "--base", self.b)
        for name, content in files.items():
            self.assertEqual((self.dir / "out" / name).read_bytes(), content)
        self.ok("decode", "-q", self.packed, self.path("one"), "--only", "2.safetensors", "--base", self.b)
        self.assertEqual((self.dir / "one").read_bytes(), files["2.safetensors"])
        self.ok("verify", "-q", self.packed, "--base", self.b)

    def test_copies_of_tiles_that_need_the_base(self):
        rng = random.Random(5)
        old = random_bytes(MIB, 9)
        new = bytearray(old)
        for i in range(0, MIB, 8):
            new[i] = rng.randrange(256)
        new = bytes(new)
        shape = [1024, 512]
        self.b = self.path("old", safetensors([("a", "BF16", shape, old), ("b", "BF16", shape, old)]))
        tied = safetensors([("a", "BF16", shape, new), ("b", "BF16", shape, new)])
        self.a = self.path("new", tied)
        got = self.encode()
        self.assertEqual(got["base_tensors"], 2)
        self.assertGreater(self.inspect(self.packed)["copies"], 3)
        self.assertLess(got["container_bytes"], MIB // 2)
        self.ok("verify", self.packed, "--base", self.b)
        self.ok("decode", "-q", self.packed, self.path("out"), "--base", self.b)
        self.assertEqual((self.dir / "out").read_bytes(), tied)
        self.ok("decode", "-q", "-f", "-", self.path("out"), "--base", self.b,
                data=(self.dir / "packed").read_bytes())
        self.assertEqual((self.dir / "out").read_bytes(), tied)

    def test_names_that_harm_terminals(self):
        name = self.path("ba\x1b[31mse", self.model)
        self.ok("encode", "-q", self.a, self.packed, "--base", name)
        message = self.fails(1, "decode", self.packed, self.path("out"), says="ba?[31mse")
        self.assertNotIn("\x1b", message)
        self.assertNotIn(b"\x1b", self.ok("inspect", self.packed))

    def test_related_checkpoints(self):
        pair = [DATA / ("waifu2x-cunet-%sscale2.0x.f16.safetensors" % word) for word in ("", "noise0_")]
        if not all(path.exists() for path in pair):
            self.skipTest("no %s" % pair[0])
        for a, b in pair, pair[::-1]:
            for profile in "fast", "dense":
                self.ok("encode", "-q", "-f", a, self.path("alone"), "--profile", profile)
                self.ok("encode", "-q", "-f", a, self.packed, "--profile", profile, "--base", b)
                self.assertLessEqual(os.path.getsize(self.packed), os.path.getsize(self.path("alone")))
                self.ok("verify", self.packed, "--base", b)
# ---- several files ----------------------------------------------------------------------------------------


class Several(CliTest):
    SHARDS = {"model-00001-of-00003.safetensors": ["embed.weight", "positions"],
              "model-00002-of-00003.safetensors": ["layer.0.weight", "layer.0.q"],
              "model-00003-of-00003.safetensors": ["layer.0.mask", "packed", "scalar", "empty", "zeros"]}

    def checkpoint(self, folder="in"):
        """A checkpoint of three shards and its index: {name: content}, written into a folder."""
        tensors = {t[0]: t for t in small_model()}
        files = {shard: safetensors([tensors[name] for name in names]) for shard, names in self.SHARDS.items()}
        where = {name: shard for shard, names in self.SHARDS.items() for name in names}
        files["model.safetensors.index.json"] = json.dumps(
            {"metadata": {"total_size": 1, "x": [None, {"y": -1.5e3}]},
             "weight_map": {t[0]: where[t[0]] for t in small_model()}}, indent=1).encode()
        (self.dir / folder).mkdir()
        for name, content in files.items():
            (self.dir / folder / name).write_bytes(content)
        return files

    def folder(self, name):
        return {p.name: p.read_bytes() for p in (self.dir / name).iterdir()}

    def check(self, packed, files):
        """All there is to a container of these files, in this order."""
        self.ok("verify", "-q", packed)
        self.assertEqual([o["name"] for o in self.inspect(packed)["originals"]], list(files))
        self.ok("decode", "-q", packed, self.path("out"))
        self.assertEqual(self.folder("out"), files)
        shutil.rmtree(self.dir / "out")
        for name, content in files.items():
            self.ok("decode", "-q", "--only", name, packed, self.path("one"))
            self.assertEqual((self.dir / "one").read_bytes(), content)
            self.assertEqual(self.ok("decode", "-q", "--only", name, "-", "-",
                                     data=pathlib.Path(packed).read_bytes()), content)
            (self.dir / "one").unlink()
        self.assertEqual(self.ok("extract", packed, "--range", ":", "-o", "-"), b"".join(files.values()))

    def test_files(self):
        files = self.checkpoint()
        files["empty"] = b""
        files["tokenizer.json"] = b'{"a":"b"}' * 999
        for name in ("empty", "tokenizer.json"):
            (self.dir / "in" / name).write_bytes(files[name])
        packed = self.path("packed")
        said = self.ok("encode", *(self.path("in/" + name) for name in files), packed).decode()
        self.assertIn("6 files: %d -> %d bytes" % (sum(map(len, files.values())), os.path.getsize(packed)), said)
        self.check(packed, files)
        self.assertEqual(self.metadata(packed)["originals"], 6)
        got = json.loads(self.ok("encode", "--json", "-f", self.path("in/empty"), self.path("in/tokenizer.json"),
                                 packed))
        self.assertEqual(got["files"], [self.path("in/empty"), self.path("in/tokenizer.json")])
        self.assertEqual(got["original_bytes"], len(files["tokenizer.json"]))

    def test_a_checkpoint_by_its_index(self):
        files = self.checkpoint()
        packed = self.path("packed")
        self.assertIn(b"4 files: ", self.ok("encode", self.path("in/model.safetensors.index.json"), packed))
        self.check(packed, files)
        for name, _, _, raw in small_model():
            self.assertEqual(self.ok("extract", packed, "--tensor", name, "-o", "-"), raw)
        self.assertEqual(self.ok("extract", packed, "--tensor", "layer.0.q", "--rows", "7:9", "-o", "-"),
                         dict((t[0], t[3]) for t in small_model())["layer.0.q"][7 * 96:9 * 96])
        # The same bytes with any number of threads, and by the files' names from within their folder.
        self.ok("encode", "-q", "--threads", "3", "model.safetensors.index.json", "../other", cwd=self.dir / "in")
        self.assertEqual((self.dir / "other").read_bytes(), pathlib.Path(packed).read_bytes())

    def test_copies_reach_over_files(self):
        noise = random_bytes(MIB)
        files = {"a": noise, "b": b"other", "c": noise[:MIB // 2] + b"end"}
        packed = self.path("packed")
        self.ok("encode", "-q", *(self.path(name, content) for name, content in files.items()), packed)
        self.assertLess(os.path.getsize(packed), MIB + 5000)
        self.check(packed, files)

    def test_an_index_alone(self):
        index = self.checkpoint()["model.safetensors.index.json"]
        (self.dir / "in" / "model-00002-of-00003.safetensors").unlink()
        name, packed = self.path("in/model.safetensors.index.json"), self.path("packed")
        says = self.fails(1, "encode", name, packed, says="'model-00002-of-00003.safetensors' is not beside it")
        self.assertIn("--alone", says)
        self.ok("encode", "-q", "--alone", name, packed)
        self.ok("decode", "-q", packed, self.path("out"))
        self.assertEqual((self.dir / "out").read_bytes(), index)
        # One of several files is nothing but a file, and so is one of another name.
        self.ok("encode", "-q", "-f", name, self.path("x", b"x"), packed)
        self.ok("encode", "-q", "-f", self.path("index.json", index), packed)

    def test_odd_indices(self):
        cases = (("", "not the JSON expected"), ("[]", "not the JSON expected"), ("{", "not the JSON expected"),
                 ("{} x", "not the JSON expected"), ("{}", "no weight_map"), ('{"weight_map":[]}', "no object"),
                 ('{"weight_map":"a"}', "no object"), ('{"weight_map":{}}', "names no file"),
                 ('{"weight_map":{"t":{"file":"a"}}}', "'t' is no text"), ('{"weight_map":{"t":1}}', "'t' is no text"),
                 ('{"weight_map":{"t":null}}', "'t' is no text"), ('{"weight_map":{"t":"a",}}', "not the JSON"),
                 ('{"weight_map":{"t":"a"},"weight_map":{"t":"a"}}', "two weight_maps"),
                 ('{"weight_map":{"t":"a\\u0000"}}', "control character"), ('{"weight_map":{"t":""}}', "is empty"),
                 ('{"weight_map":{"t":"../a"}}', "path separator"), ('{"weight_map":{"t":"/a"}}', "path separator"),
                 ('{"weight_map":{"t":".."}}', "names a folder"), ('{"weight_map":{"t":"b"}}', "'b' is not beside it"),
                 ('{"weight_map":{"t":"a"},"x":' + "[" * 99 + "]" * 99 + "}", "not the JSON expected"),
                 ('{"weight_map":{"t":"a","u":"A"}}', "is not beside it"),
                 ('{"weight_map":{"t":"a","u":"..\\\\b"}}', "path separator"),
                 ('{"weight_map":{"t":"\\\\\\\\host\\\\a"}}', "path separator"),
                 ('{"weight_map":{"t":"\\u002e\\u002e\\u002fa"}}', "path separator"),
                 ('{"weight_map":{"t":"."}}', "names a folder"), ('{"weight_map":{"t":"C:a"}}', "colon"),
                 ('{"weight_map":{"t":"C:\\\\a"}}', "colon"), ('{"weight_map":{"t":"nul.safetensors"}}', "device"),
                 ('{"weight_map":{"t":"a ","u":"a"}}', "dot or a space"))
        self.path("a", b"a")
        for text, says in cases:
            with self.subTest(text=text):
                name = self.path("m.safetensors.index.json", text.encode())
                self.assertIn("--alone", self.fails(1, "encode", name, self.path("packed"), says=says))
                self.ok("encode", "-q", "-f", "--alone", name, self.path("packed"))
                (self.dir / "packed").unlink()
        name = self.path("m.safetensors.index.json",
                         b'{"x":{"weight_map":1},"weight_map":{"t":"\\u0061","u":"a"},"y":[true]}')
        self.ok("encode", "-q", name, self.path("packed"))
        self.assertEqual([o["name"] for o in self.inspect(self.path("packed"))["originals"]],
                         ["a", "m.safetensors.index.json"])

    BAD_NAMES = ((b"", "is empty"), (b"a/b", "path separator"), (b"/a", "path separator"), (b"a\\b", "path separator"),
                 (b"..", "names a folder"), (b".", "names a folder"), (b"../a", "path separator"),
                 (b"C:a", "colon"), (b"a:b", "colon"), (b"a\x00b", "control"), (b"a\nb", "control"),
                 (b"a\x7f", "control"), (b"a\xc2\x9bb", "control"), (b"a.", "dot or a space"), (b"a ", "dot or a space"),
                 (b"NUL", "device"), (b"con", "device"), (b"Com1.txt", "device"), (b"lpt9 .x.y", "device"),
                 (b"CONIN$", "device"), (b"n" * 256, "longer"), (b"..\\a", "path separator"), (b"\\a", "path separator"),
                 (b"\\\\?\\C:\\a", "path separator"), (b"a/", "path separator"), (b"a/../b", "path separator"),
                 (b"C:\\a", "colon"), (b"C:", "colon"), (b"a::$DATA", "colon"), (b"...", "dot or a space"),
                 (b".. ", "dot or a space"), (b"..\x00", "control"), (b"COM\xc2\xb9", "device"),
                 (b"lpt\xc2\xb3.bin", "device"))
    GOOD_NAMES = (b"a", b".a", b"...a", b"a b", b"com", b"lpt", b"com0", b"com10", b"nul1", b"null", b"conin",
                  b"com\xc2\xb4", b"..a", b"a..b", b"com\xb9",
                  b"\xc3\xa4", b"\xff", b"n" * 255, b"-f", b"~")

    def test_names_in_a_container(self):
        for name, says in self.BAD_NAMES:
            with self.subTest(name=name):
                packed = self.path("packed", make_golden.container(
                    [Original(b"ok", [Segment(b"1")]), Original(name, [Segment(b"222")])]))
                self.fails(1, "decode", packed, self.path("out"), says=says)
                self.fails(1, "decode", "-f", packed, str(self.dir), says=says)
                self.assertEqual(self.files(), ["packed"])
                self.ok("decode", "-q", "--only", "ok", packed, self.path("one"))
                (self.dir / "one").unlink()
                self.ok("verify", "-q", packed)
                # Of a container of one the name means nothing.
                self.path("packed", make_golden.container([Original(name, [Segment(b"222")])]))
                self.ok("decode", "-q", packed, self.path("one"))
                (self.dir / "one").unlink()
        files = {name: b"data of " + name for name in self.GOOD_NAMES}
        packed = self.path("packed", make_golden.container(
            [Original(name, [Segment(data)]) for name, data in files.items()]))
        self.ok("decode", "-q", packed, self.path("out"))
        self.assertEqual({os.fsencode(p.name): p.read_bytes() for p in (self.dir / "out").iterdir()}, files)

    def test_names_of_files(self):
        good = self.path("good", b"1")
        for name, says in self.BAD_NAMES:
            if b"/" in name or b"\x00" in name or name in (b"", b".", b"..") or len(name) > 255:
                continue
            with self.subTest(name=name):
                path = os.fsencode(str(self.dir)) + b"/" + name
                with open(path, "wb") as file:
                    file.write(b"x")
                self.fails(1, "encode", good, path, self.path("packed"), says=says)
                self.ok("encode", "-q", path, self.path("packed"))
                os.unlink(path)
                (self.dir / "packed").unlink()

    def test_the_same_name_twice(self):
        os.mkdir(self.path("d"))
        a, b = self.path("model", b"1"), self.path("d/model", b"2")
        self.fails(1, "encode", a, b, self.path("packed"), says="two files of the same name")
        self.fails(1, "encode", a, a, self.path("packed"), says="two files of the same name")
        self.fails(1, "encode", a, self.path("d/MODEL", b"3"), self.path("packed"), says="upper and lower case")
        self.assertEqual(self.files(), ["d", "model"])
        for name in (b"one", b"One"):
            packed = self.path("packed", make_golden.container(
                [Original(b"one", [Segment(b"1")]), Original(b"two", []), Original(name, [Segment(b"222")])]))
            self.fails(1, "decode", packed, self.path("out"), says="two files of the same name")
            self.assertEqual(self.files(), ["d", "model", "packed"])
        self.assertEqual(self.ok("decode", "-q", "--only", "one", packed, "-"), b"1")

    def test_where_they_go(self):
        packed = self.path("packed", make_golden.container(
            [Original(b"one", [Segment(b"1")]), Original(b"two", [Segment(b"222")])]))
        both, content = {"one": b"1", "two": b"222"}, pathlib.Path(packed).read_bytes()
        self.assertIn(b" bytes in 2 files,", self.ok("decode", packed, self.path("out")))
        self.assertEqual(self.folder("out"), both)
        # What is there is kept, all of it.
        (self.dir / "out" / "one").unlink()
        (self.dir / "out" / "two").write_bytes(b"mine")
        self.fails(1, "decode", packed, self.path("out"), says="two: exists (use -f)")
        self.assertEqual(self.folder("out"), {"two": b"mine"})
        self.ok("decode", "-q", "-f", packed, self.path("out") + "/")
        self.assertEqual(self.folder("out"), both)
        # A pipe: into a folder, or one of the two.
        self.ok("decode", "-q", "-f", "-", self.path("out"), data=content)
        self.ok("decode", "-q", "-", self.path("new") + "/", data=content)
        self.assertEqual(self.folder("new"), both)
        for out in (self.path("b"), "-"):
            self.fails(1, "decode", "-", out, data=content, says="several originals")
        self.fails(1, "decode", packed, "-", says="several originals")
        self.fails(1, "decode", packed, self.path("file", b"x"), says="is no folder")
        self.fails(1, "decode", packed, self.path("absent/b"), says="No such file")
        for source in (packed, "-"):
            self.fails(1, "decode", "--only", "three", source, self.path("b"), data=content,
                       says="holds no original 'three'")
            self.fails(1, "decode", "--only", "one", source, self.path("out"), data=content, says="is a directory")
            self.fails(1, "decode", "--only", "one", source, self.path("file"), data=content, says="exists")
        self.assertEqual(self.files(), ["file", "new", "out", "packed"])
        # A container of one is no folder's.
        self.fails(1, "decode", "-", self.path("out"), data=open_container_bytes(), says="is a directory")

    def test_nothing_half_done(self):
        part = make_golden.container([Original(b"one", [Segment(b"1")]),
                                      Original(b"t", [Segment(b"222")], from_parts=True)])
        packed = self.path("packed", part)
        self.fails(1, "decode", packed, self.path("out"), says="never were one file")
        self.ok("decode", "-q", "--only", "one", packed, self.path("one"))
        self.fails(1, "decode", "--only", "t", packed, self.path("t"), says="never were one file")
        self.assertEqual(self.files(), ["one", "packed"])
        # A tile of the first file damaged: no folder stays, of the second: no second file.
        files = {"one": random_bytes(3000, 8), "two": random_bytes(3000, 9)}
        for name, content in files.items():
            self.path(name, content)
        self.ok("encode", "-q", "-f", self.path("one"), self.path("two"), packed)
        whole = pathlib.Path(packed).read_bytes()
        for name, left in (("one", None), ("two", {"one": files["one"]})):
            at = whole.index(files[name][1000:1100])
            self.path("packed", whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
            self.fails(1, "decode", packed, self.path("out"), says="CRC-32")
            self.assertEqual(self.folder("out") if os.path.exists(self.path("out")) else None, left)
            self.fails(1, "verify", packed)
        self.assertEqual(self.files(), ["one", "out", "packed", "two"])

    def test_the_container_is_no_input(self):
        files = [self.path(name, name.encode()) for name in "abc"]
        for target in files:
            self.fails(2, "encode", "-f", *files, target, says="would be lost")
        self.fails(1, "encode", *files, says="c: exists")
        self.fails(1, "encode", *files[:2], self.path("absent"), self.path("packed"), says="absent: No such file")
        self.assertEqual([(self.dir / name).read_bytes() for name in "abc"], [b"a", b"b", b"c"])
        self.assertEqual(self.files(), ["a", "b", "c"])

    def test_many_files(self):
        files = {"%04d" % i: b"%d" % i for i in range(1500)}
        os.mkdir(self.path("in"))
        for name, content in files.items():
            self.path("in/" + name, content)
        self.ok("encode", "-q", *(self.path("in/" + name) for name in files), self.path("packed"))
        self.ok("decode", "-q", self.path("packed"), self.path("out"))
        self.assertEqual(self.folder("out"), files)


# ---- plans ------------------------------------------------------------------------------------------------


class Plans(CliTest):
    def plan(self, plan):
        return self.path("plan.json", (plan if isinstance(plan, str) else json.dumps(plan)).encode())

    def segments(self, packed):
        return [(s["name"], s["dtype"], s["shape"], s["offset"], s["original_bytes"])
                for s in self.inspect(packed)["segments"]]

    def test_a_file_by_its_plan(self):
        head, a, b = random_bytes(28, 1), gaussian_f32(60 * 50), gaussian_bf16(4096)
        content = head + a + b"...." + b + b"end"
        original, packed = self.path("model.bin", content), self.path("packed")
        tensors = [{"offset": 28, "shape": [60, 50], "dtype": "F32", "name": "a"},
                   {"name": "b \u00e9\n", "offset": 28 + 12000 + 4, "length": 8192, "dtype": "BF16", "row": 512},
                   {"offset": 28 + 12000, "length": 4, "name": "dots", "row": 2}]
        for plan in (tensors, tensors[::-1], {t["name"]: dict((k, v) for k, v in t.items() if k != "name")
                                              for t in tensors}):
            self.ok("encode", "-q", "-f", "--plan", self.plan(plan), original, packed)
            self.ok("verify", "-q", packed)
            self.assertEqual(self.ok("decode", "-q", packed, "-"), content)
            self.assertEqual(self.segments(packed), [
                ("", "BYTES", [], 0, 28), ("a", "F32", [60, 50], 28, 12000), ("dots", "BYTES", [], 12028, 4),
                ("b \u00e9\n", "BF16", [8, 512], 12032, 8192), ("", "BYTES", [], 20224, 3)])
            self.assertEqual(self.ok("extract", packed, "--tensor", "a", "--rows", "2:4", "-o", "-"), a[400:800])
        self.assertEqual(self.metadata(packed)["format"], "plan")
        # Better than without one, and as a pipe too.
        plain = len(self.round_trip(content))
        self.ok("encode", "-q", "-f", "--plan", self.plan(tensors), "-", packed, data=content)
        self.assertLess(os.path.getsize(packed), plain)
        for nothing in ([], {}, [{"offset": 9, "length": 0, "name": "empty"}]):
            self.ok("encode", "-q", "-f", "--plan", self.plan(nothing), original, packed)
            self.assertEqual(self.ok("decode", "-q", packed, "-"), content)

    def test_wrong_plans(self):
        original = self.path("in", bytes(1000))
        fine = {"offset": 0, "length": 100}
        cases = (("", "not the JSON expected"), ("[{}", "entry 1: has no offset"), ("[1]", "entry 1: is no object"),
                 ('{"a":[]}', "entry 1: is no object"), ("[] x", "not the JSON expected"),
                 ('[{"offset":0,"length":1},]', "entry 2: is no object"), ('[{"offset":0,"length":1', "not the JSON"),
                 ([fine, {"offset": 99, "length": 2}], "entry 2, of 2 bytes at 99: a segment overlaps"),
                 ([{"offset": 99, "length": 2}, fine], "entry 1, of 2 bytes at 99: a segment overlaps"),
                 ([fine, {"offset": 100, "length": 901}], "passes the file's end (%s has 1000 bytes)" % original),
                 ([{"offset": 2 ** 64 - 1, "length": 2}], "passes the file's end"),
                 ([{"offset": 2 ** 64, "length": 2}], "'offset' takes a whole number"),
                 ([{"offset": -1, "length": 2}], "'offset' takes a whole number"),
                 ([{"offset": 1.5, "length": 2}], "'offset' takes a whole number"),
                 ([{"offset": "1", "length": 2}], "'offset' takes a whole number"),
                 ([{"offset": 1, "length": 2, "name": 7}], "'name' takes a text"),
                 ([fine, dict(fine, ofset=1)], "entry 2: 'ofset' is none of"),
                 ('[{"offset":1,"offset":2,"length":1}]', "entry 1: 'offset' stands twice"),
                 ('{"a":{"name":"b","offset":2,"length":1}}', "'name' stands twice"),
                 ([{"offset": 1}], "has no length"), ([{"length": 1}], "has no offset"),
                 ([dict(fine, dtype="F33")], "'F33' is no dtype"), ([dict(fine, dtype=7)], "dtype takes a name"),
                 ([dict(fine, dtype="F64", length=99)], "not whole elements"),
                 ([dict(fine, dtype="F32", row=7)], "not whole rows"), ([dict(fine, dtype="F32", row=0)], "from 1 on"),
                 ([dict(fine, dtype="F32", row=5, shape=[25])], "and a row too"),
                 ([dict(fine, dtype="F32", shape=[24])], "disagree"), ([dict(fine, shape=7)], "a list of numbers"),
                 ([dict(fine, shape=[-7])], "a list of numbers"), ([dict(fine, shape=[1] * 256)], "255 dimensions"),
                 ([{"offset": 0, "dtype": "F32", "shape": [2 ** 40, 2 ** 40]}], "too large"),
                 ([{"offset": 0, "dtype": "F4", "shape": [3]}], "not whole bytes"),
                 ([{"offset": 0, "dtype": "F4", "shape": [3], "length": 2}], "not whole bytes"),
                 ([{"offset": 0, "length": 4, "name": "n" * 65001}], "name of a segment is too long"))
        for plan, says in cases:
            with self.subTest(says=says):
                self.fails(1, "encode", "--plan", self.plan(plan), original, self.path("packed"), says=says)
        plan = self.plan([fine])
        self.fails(1, "encode", "--plan", self.path("absent"), original, self.path("packed"), says="No such file")
        for args in (["--dtype", "F32", original], [original, original]):
            self.fails(2, "encode", "--plan", plan, *args, self.path("packed"))
        self.assertEqual(self.files(), ["in", "plan.json"])

    def test_arrays_of_numpy(self):
        data = gaussian_f32(1200)
        text = b"{'descr': '<f4', 'fortran_order': True, 'shape': (40, 30), }"
        text += b" " * (63 - (10 + len(text)) % 64) + b"\n"
        content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data
        packed = self.path("packed")
        self.round_trip(content)
        self.assertEqual(self.segments(packed), [("", "BYTES", [], 0, len(content) - 4800),
                                                 ("array", "F32", [30, 40], len(content) - 4800, 4800)])
        self.assertEqual(self.ok("extract", packed, "--tensor", "array", "-o", "-"), data)
        self.assertEqual(self.metadata(packed)["format"], "npy")

    def test_zip_archives(self):
        entries = {"archive/data.pkl": b"\x80\x02.", "archive/data/0": gaussian_f32(3000),
                   "archive/data/1": gaussian_bf16(3000)}
        for big in (False, True):
            with open(self.path("in.pt"), "wb") as file, zipfile.ZipFile(file, "w") as archive:
                for name, content in entries.items():
                    with archive.open(zipfile.ZipInfo(name), "w", force_zip64=big) as entry:
                        entry.write(content)
                archive.writestr("deflated", bytes(5000), zipfile.ZIP_DEFLATED)
                archive.comment = b"a comment" * big
            content = (self.dir / "in.pt").read_bytes()
            packed = self.path("packed")
            self.assertLess(len(self.round_trip(content)), .9 * len(content))
            self.assertEqual([s[0] for s in self.segments(packed) if s[0]], list(entries))
            for name, data in entries.items():
                self.assertEqual(self.ok("extract", packed, "--tensor", name, "-o", "-"), data)
            self.assertEqual(self.metadata(packed)["format"], "zip")


    def test_files_of_no_known_format(self):
        """Numbers are found in bytes: each file is much smaller than its bytes' entropy."""
        def entropy(content):
            counts = collections.Counter(content).values()
            return -sum(n * math.log2(n / len(content)) for n in counts) / 8

        rng = random.Random(12)
        llama2c = struct.pack("<7i", 288, 768, 6, 6, 6, 32000, 256) + gaussian_f32(100000)
        # Longer than some tiles: one that holds tensors of more than one phase shows less.
        f16 = [struct.pack("<480000e", *(rng.gauss(0, .02) for _ in range(480000))) for _ in range(2)]
        ggml = b"lmgg" + rng.randbytes(37)          # tensors begin where their names end
        for i in range(4):
            name = b"encoder.blocks.%d.mlp%s.weight" % (i, b"x" * (i % 4))
            ggml += struct.pack("<5i", 2, len(name), 1, 1200, 400) + name + f16[i % 2]
            ggml += struct.pack("<4i", 1, len(name), 0, 200) + name + gaussian_f32(200)
        nnue = struct.pack("<III", 0x7AF32F20, 1, 9) + b"Features" + struct.pack(
            "<150000h", *(int(rng.gauss(0, 40)) for _ in range(150000))) + rng.randbytes(4096)
        for content, less in ((llama2c, .92), (ggml, .95), (nnue, .9)):
            packed = self.round_trip(content)
            self.assertLess(len(packed), less * entropy(content))
            self.assertEqual([s[1] for s in self.segments(self.path("packed"))], ["BYTES"])
        for content in (random_bytes(100000), json.dumps(list(range(20000))).encode()):
            self.assertLess(len(self.round_trip(content)), 1.002 * entropy(content) + 700)


class Copies(CliTest):
    def setUp(self):
        super().setUp()
        embed = random_bytes(3 * MIB // 2)
        self.tied = safetensors([("embed", "BF16", [1024, 768], embed), ("norm", "BF16", [768], embed[:1536]),
                                 ("lm_head", "BF16", [1024, 768], embed)])

    def test_second_copy_costs_next_to_nothing(self):
        packed = self.round_trip(self.tied)
        self.assertLess(len(packed), 1.01 * 3 * MIB / 2)
        got = self.inspect(self.path("packed"))
        self.assertGreater(got["copies"], 10)
        self.assertEqual([s["copies"] for s in got["segments"][1:3]], [0, 0])
        self.assertEqual(got["segments"][3]["copies"], got["copies"])
        self.assertEqual(got["segments"][3]["tiles"], got["copies"])
        self.assertIn("%d tiles are copies" % got["copies"], self.ok("inspect", self.path("packed")).decode())
        tensor = self.path("t")
        self.ok("extract", self.path("packed"), "--tensor", "lm_head", "--rows", "100:300", "-o", tensor)
        self.assertEqual((self.dir / "t").read_bytes(), self.tied[-1024 * 1536:][100 * 1536:300 * 1536])

    def test_pipes(self):
        packed = self.container(self.tied)
        data = (self.dir / "model.wcodec").read_bytes()
        self.ok("decode", "-q", "-", self.path("a"), data=data)
        self.assertEqual((self.dir / "a").read_bytes(), self.tied)
        self.assertEqual(self.ok("decode", "-q", packed, "-"), self.tied)
        back = wcodec("decode", "-", "-", data=data)
        self.assertEqual(back.returncode, 1)
        self.assertIn(b"--no-copies", back.stderr)
        self.ok("verify", "-q", "-", data=data)
        self.ok("encode", "-q", "-f", "--no-copies", self.path("original"), packed)
        data = (self.dir / "model.wcodec").read_bytes()
        self.assertEqual(self.ok("decode", "-q", "-", "-", data=data), self.tied)
        self.assertEqual(self.inspect(packed)["copies"], 0)
        self.assertTrue(self.metadata(packed)["recipe"]["no_copies"])

    def test_where_copies_have_bytes_of_their_own(self):
        # Both checksums of a tile fit, and the copy says another one's.
        a, b = bytes(range(40)), bytes(range(40, 80))
        for distance, code in (40, 1), (80, 0):
            tiles = [make_golden.tile(a), make_golden.tile(b), make_golden.copy(a, distance)]
            path = self.path("c", make_golden.container([Original(b"a", [Segment(a + b + a, T=40, tiles=tiles)])]))
            if code == 0:
                self.ok("verify", path)
            else:
                self.fails(1, "verify", path, says="CRC-32")


class Extract(CliTest):
    def test_tensors(self):
        packed = self.container()
        for name, _, _, raw in small_model():
            self.assertEqual(self.ok("extract", packed, "--tensor", name, "-o", "-"), raw, name)
        self.ok("extract", packed, "--tensor", "layer.0.q", "--output", self.path("q"))
        want = next(raw for name, _, _, raw in small_model() if name == "layer.0.q")
        self.assertEqual((self.dir / "q").read_bytes(), want)
        piped = self.ok("extract", "-", "--tensor", "scalar", "-o", "-", data=open_container_bytes())
        self.assertEqual(piped, b"\x00\x3c")

    def test_rows(self):
        packed = self.container()
        for name, _, shape, raw in small_model():
            args = ["extract", packed, "-o", "-", "--tensor", name, "--rows"]
            if not shape:
                self.fails(1, *args, "0:1", says="no rows")
                continue
            stride = len(raw) // shape[0] if shape[0] else 0
            for begin, end in ((0, shape[0]), (0, 0), (shape[0], shape[0]), (shape[0] // 3, shape[0] // 2)):
                got = self.ok(*args, "%d:%d" % (begin, end))
                self.assertEqual(got, raw[begin * stride:end * stride], (name, begin, end))
            self.assertEqual(self.ok(*args, ":"), raw)
            self.fails(1, *args, "0:%d" % (shape[0] + 1), says="rows")
            self.fails(1, *args, "%d:" % (shape[0] + 1), says="rows")

    def test_rows_inside_bytes(self):
        content = safetensors([("a", "F4", [4, 3], b"abcdef")])
        packed = self.container(content)
        self.assertEqual(self.ok("extract", packed, "--tensor", "a", "--rows", "2:4", "-o", "-"), b"def")
        self.fails(1, "extract", packed, "--tensor", "a", "--rows", "1:2", "-o", "-", says="not whole bytes")

    def test_ranges(self):
        packed, size = self.container(), len(self.model)
        rng = random.Random(7)
        spans = [(0, 0), (0, 1), (0, size), (size, size), (size - 1, size)]
        spans += [tuple(sorted((rng.randrange(size + 1), rng.randrange(size + 1)))) for _ in range(40)]
        for begin, end in spans:
            got = self.ok("extract", packed, "--range", "%d:%d" % (begin, end), "-o", "-")
            self.assertEqual(got, self.model[begin:end], (begin, end))
        self.assertEqual(self.ok("extract", packed, "--range", "100:", "-o", "-"), self.model[100:])
        self.assertEqual(self.ok("extract", packed, "--range", ":100", "-o", "-"), self.model[:100])
        self.fails(1, "extract", packed, "--range", "0:%d" % (size + 1), "-o", "-", says="not inside")
        self.fails(1, "extract", packed, "--range", "%d:" % (size + 1), "-o", "-", says="not inside")

    def test_large_ranges_come_in_windows(self):
        content = random_bytes(20 * MIB + 12345)
        packed = self.container(content)
        for begin, end in ((0, len(content)), (3, 17 * MIB), (9 * MIB + 1, len(content) - 1)):
            got = self.ok("extract", packed, "--range", "%d:%d" % (begin, end), "-o", "-")
            self.assertTrue(got == content[begin:end], (begin, end))

    def test_no_such_tensor(self):
        self.fails(1, "extract", self.container(), "--tensor", "absent", "-o", self.path("b"),
                   says="no tensor 'absent'")
        self.assertEqual(self.files(), ["model.wcodec"])


def entropy(values):
    count = collections.Counter(values)
    total = sum(count.values())
    return -sum(n / total * math.log2(n / total) for n in count.values()) if total else None


def conditional(data):
    groups = collections.defaultdict(list)
    for before, byte in zip(data, data[1:]):
        groups[before].append(byte)
    return sum(len(g) * entropy(g) for g in groups.values()) / (len(data) - 1)


class Analyze(CliTest):
    def analyze(self, content, *options):
        return json.loads(self.ok("analyze", "--json", *options, self.path("a", content)))

    def test_entropies(self):
        raw = gaussian_bf16(5000)
        got = self.analyze(safetensors([("w", "BF16", [50, 100], raw)]))["tensors"][-1]["entropy"]
        values = struct.unpack("<5000H", raw)
        high, exponent = [v >> 8 for v in values], [v >> 7 & 255 for v in values]
        want = {"global": entropy(raw), "conditional": conditional(raw), "high_byte": entropy(high),
                "low_byte": entropy(v & 255 for v in values), "exponent": entropy(exponent),
                "residual": entropy((b - a) & 255 for a, b in zip(high, high[1:])),
                "residual_exponent": entropy((b - a) & 255 for a, b in zip(exponent, exponent[1:]))}
        self.assertEqual(set(got), set(want))
        for key, value in want.items():
            self.assertAlmostEqual(got[key], value, places=4, msg=key)

    def test_where_there_is_no_exponent(self):
        got = {t["name"]: t["entropy"] for t in self.analyze(self.model)["tensors"]}
        self.assertIsNone(got["layer.0.q"]["exponent"])
        self.assertIsNone(got["layer.0.q"]["high_byte"])
        self.assertIsNone(got["positions"]["residual_exponent"])
        self.assertEqual(got["positions"]["high_byte"], 0)
        self.assertIsNone(got["empty"]["global"])
        self.assertEqual(got["zeros"]["global"], 0)
        f64 = struct.pack("<4d", 1, 2, 4, 8)
        got = self.analyze(f64, "--dtype", "F64")["tensors"][0]["entropy"]
        self.assertEqual((got["exponent"], got["residual_exponent"]), (2, 0))
        f16 = struct.pack("<4e", 1, -2, 4, -8)
        self.assertEqual(self.analyze(f16, "--dtype", "F16")["tensors"][0]["entropy"]["exponent"], 2)
        f8 = bytes(e << 3 for e in range(16))
        self.assertEqual(self.analyze(f8, "--dtype", "F8_E4M3")["tensors"][0]["entropy"]["exponent"], 4)

    def test_costs_are_what_encode_pays(self):
        got = self.analyze(self.model)
        paid = {s["name"]: s["container_bytes"] for s in self.inspect(self.container())["segments"]}
        for tensor in got["tensors"]:
            cost = tensor["cost"]
            self.assertEqual(cost["auto_predicted"], paid[tensor["name"]], tensor)
            self.assertFalse(tensor["sampled"])
            for key in ("raw", "huffman", "rans"):      # what decodes slowly must save a part in 48
                self.assertLessEqual(cost["auto"], cost[key] + cost["raw"] // 48)
            for key in ("huffman", "rans", "auto"):
                self.assertLessEqual(cost[key + "_predicted"], cost[key])
        self.assertEqual(got["total_cost"]["auto_predicted"], sum(paid.values()))
        positions = next(t["cost"] for t in got["tensors"] if t["name"] == "positions")
        self.assertLess(positions["auto_predicted"], positions["auto"])

    def test_rows_longer_than_a_tile(self):
        content = safetensors([("w", "BF16", [3, 150000], gaussian_bf16(45000) * 10)])
        segment = next(s for s in self.inspect(self.container(content))["segments"] if s["name"] == "w")
        cost = self.analyze(content)["tensors"][-1]["cost"]
        self.assertEqual(cost["auto_predicted"], segment["container_bytes"])

    def test_estimates(self):
        weights = safetensors([("w", "BF16", [400, 500], gaussian_bf16(200000)),
                               ("noise", "U8", [1000], random.Random(1).randbytes(1000))])
        for profile in ("fast", "dense"):
            self.ok("encode", "-q", "-f", "--profile", profile, self.path("a", weights), self.path("p"))
            coded = {s["name"]: s["container_bytes"] for s in self.inspect(self.path("p"))["segments"]}
            got = self.analyze(weights, "--profile", profile)
            for tensor in got["tensors"]:
                estimate = tensor["estimate"]
                self.assertTrue(estimate["exact"])
                self.assertTrue(coded[tensor["name"]] < estimate["bytes"] < coded[tensor["name"]] + 200)
                self.assertNotIn("raw_load_seconds", estimate)
            self.assertEqual([t["compress"] for t in got["tensors"][1:]], [True, False])
        slow, fast = (self.analyze(weights, "--disk", disk) for disk in ("10", "1000000"))
        self.assertEqual([t["compress"] for t in slow["tensors"][1:]], [True, False])
        self.assertEqual([t["compress"] for t in fast["tensors"][1:]], [False, False])
        self.assertAlmostEqual(slow["total_estimate"]["raw_load_seconds"], len(weights) / 1e7, places=5)
        self.assertEqual(slow["compress"], sum(t["compress"] for t in slow["tensors"]))
        text = self.ok("analyze", "--disk", "10", self.path("a", weights)).decode().splitlines()
        self.assertEqual([line.split()[-1] for line in text[2:4]], ["coded", "raw"])
        self.assertTrue(text[-1].startswith("at 10 MB/s: raw "))

    def test_large_tensors_are_sampled(self):
        content = safetensors([("w", "BF16", [3000, 2048], (gaussian_bf16(2048 * 50 - 1) * 61)[:2 * 3000 * 2048])])
        tensor = self.analyze(content)["tensors"][-1]
        self.assertTrue(tensor["sampled"])
        segment = self.inspect(self.container(content))["segments"][-1]
        self.assertAlmostEqual(tensor["cost"]["auto_predicted"] / segment["container_bytes"], 1, places=1)

    def test_table(self):
        text = self.ok("analyze", self.path("a", self.model)).decode()
        self.assertEqual(len(text.splitlines()), 2 + 1 + len(small_model()))
        self.assertIn("embed.weight", text)
        self.assertEqual(self.ok("analyze", "-", data=self.model).decode(), text)

class Page(html.parser.HTMLParser):
    """A page, checked while it is parsed: every tag is closed, in order, and nothing lies elsewhere."""
    VOID = {"meta", "br", "wbr"}

    def __init__(self, test, content):
        super().__init__()
        self.test, self.open, self.seen = test, [], collections.Counter()
        self.words, self.titles, self.rows, self.style, self.script, self.parts = "", [], [], "", "", []
        test.assertEqual(content.count(b"\r") + content.count(b"\0"), 0)
        self.feed(content.decode())         # it is UTF-8
        self.close()
        test.assertEqual(self.open, [])
        test.assertEqual([self.seen[tag] for tag in ("html", "head", "body", "main", "h1", "style")], [1] * 6)

    def handle_decl(self, decl):
        self.test.assertEqual((decl, self.open), ("DOCTYPE html", []))

    def handle_starttag(self, tag, attrs):
        self.test.assertEqual(len(attrs), len(dict(attrs)), (tag, attrs))
        for name, value in attrs:
            self.test.assertRegex(name, r"\A[a-zA-Z-]+\Z")
            self.test.assertFalse(name.startswith("on") or name in ("src", "href", "srcset", "action"), name)
            self.test.assertNotIn("url(", value)
        self.seen[tag] += 1
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "title":
            self.titles.append("")
        if tag == "svg":
            self.parts.append(dict(attrs))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.test.assertIn("svg", self.open, tag)
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        self.test.assertEqual(tag, self.open.pop())

    def handle_data(self, data):
        where = self.open[-1] if self.open else None
        if where == "style":
            self.style += data
        elif where == "script":
            self.script += data
        elif where == "title":
            self.titles[-1] += data
        else:
            self.words += data
            if "td" in self.open or "th" in self.open:
                self.rows[-1][-1] += data

    def handle_comment(self, data):
        self.test.fail("a comment: " + data)

    unknown_decl = handle_pi = handle_comment

    def tensors(self):
        """The rows of the table of all tensors, by its heads."""
        begin = next(i for i, row in enumerate(self.rows) if row[:1] == ["tensor"])
        return [dict(zip(self.rows[begin], row)) for row in self.rows[begin + 1:] if len(row) == 20]


class Html(CliTest):
    def page(self, content, *options, peers="0", **more):
        self.ok("analyze", "-f", "--peers", peers, "--html", self.path("page.html"), *options,
                self.path("a.safetensors", content), **more)
        raw = (self.dir / "page.html").read_bytes()
        page = Page(self, raw)
        self.assertNotIn(b"http:", raw)
        self.assertNotIn(b"https:", raw)
        self.assertNotIn(b"@import", raw)
        return page

    def test_numbers_are_those_of_the_text(self):
        path = self.path("a.safetensors", self.model)
        table, as_json = self.ok("analyze", path), json.loads(self.ok("analyze", "--json", path))
        page = self.page(self.model)
        # The text is the same with a page, and so is the page with JSON.
        self.assertEqual(self.ok("analyze", "-f", "--peers", "0", "--html", self.path("b"), path), table)
        self.assertEqual(json.loads(self.ok("analyze", "-f", "--json", "--peers", "0", "--html",
                                            self.path("c"), path)), as_json)
        self.assertEqual((self.dir / "b").read_bytes(), (self.dir / "c").read_bytes())
        self.assertEqual(self.ok("analyze", "--peers", "0", "--html", "-", path), (self.dir / "b").read_bytes())

        def number(value, digits):
            return "-" if value is None else "%.*f" % (digits, value)
        rows = page.tensors()
        want = sorted(as_json["tensors"], key=lambda t: -t["bytes"])
        self.assertEqual(len(rows), len(want))
        heads = {"H": "global", "H|prev": "conditional", "high": "high_byte", "low": "low_byte",
                 "exp": "exponent", "d high": "residual", "d exp": "residual_exponent"}
        choices = {"raw": "raw", "huff": "huffman", "rans": "rans", "auto": "auto", "pred": "auto_predicted"}
        for row, tensor in zip(rows, want):
            size = tensor["bytes"]
            self.assertEqual(row["tensor"], tensor["name"] or "(header)")
            self.assertEqual(row["bytes"].replace(",", ""), str(size))
            for head, name in heads.items():
                # The JSON has six digits of what both print with three.
                if tensor["entropy"][name] is None:
                    self.assertEqual(row[head], "-")
                else:
                    self.assertAlmostEqual(float(row[head]), tensor["entropy"][name], delta=0.00051)
            for head, name in choices.items():
                self.assertEqual(row[head], number(tensor["cost"][name] / size if size else None, 4))
            # In the container, exactly; and the text's own line has the same words.
            self.assertEqual(row["coded"].replace(",", ""), str(tensor["cost"]["auto_predicted"]))
            line = next(x for x in table.decode().splitlines()
                        if x.startswith((tensor["name"] or "-") + " "))
            self.assertEqual(line.split()[-14:], [row[h] for h in (*heads, *choices, "est", "ms")])
            self.assertEqual(row["est"], number(tensor["estimate"]["ratio"], 4))
        self.assertIn("%s bytes" % format(len(self.model), ","), page.words)

    def test_container_is_the_one_that_encode_makes(self):
        page = self.page(self.model)
        self.ok("encode", "-q", self.path("a.safetensors"), self.path("out.wcodec"))
        info = self.inspect(self.path("out.wcodec"))
        self.assertIn(format(info["container_bytes"], ",") + " bytes", page.words)
        self.assertIn("%.4f" % (info["container_bytes"] / len(self.model)), page.words)
        coded = {s["name"]: s["container_bytes"] for s in info["segments"]}
        for row in page.tensors():
            name = "" if row["tensor"] == "(header)" else row["tensor"]
            self.assertEqual(row["coded"], format(coded[name], ","))
        for plane in info["planes"]:
            row = next(r for r in page.rows if r[:1] == ["%s.%d" % (plane["split"], plane["plane"])])
            self.assertEqual(row[1:5], [str(plane["width"]), format(plane["values"], ","),
                                        format(plane["bytes"], ","), "%.3f" % plane["bits_per_value"]])
        for coder in info["coders"]:
            self.assertTrue(any(t.startswith(coder["coder"] + ":") and t.endswith(str(coder["bytes"]))
                                for t in page.titles), coder)

    def test_planes(self):
        raw = gaussian_f32(3000)
        content = safetensors([("w", "F32", [30, 100], raw)])
        got = json.loads(self.ok("analyze", "--json", self.path("in", content)))["tensors"][-1]["planes"]
        values = struct.unpack("<3000I", raw)
        want = [(8, [v >> 23 & 255 for v in values]), (8, [v >> 24 & 128 | v >> 16 & 127 for v in values]),
                (8, [v >> 8 & 255 for v in values]), (8, [v & 255 for v in values])]
        page = self.page(content)
        self.assertEqual(len(got), 4)
        for plane, (width, numbers) in zip(got, want):
            self.assertEqual(plane["width"], width)
            self.assertAlmostEqual(plane["entropy"], entropy(numbers), places=4)
            self.assertIn("F32, %s: entropy %.3f of %d bits" % (plane["plane"], entropy(numbers), width),
                          page.titles)
        f64 = struct.pack("<4d", 1, -2, 4, 8)
        got = json.loads(self.ok("analyze", "--json", "--dtype", "F64", self.path("in", f64)))["tensors"][0]
        values = struct.unpack("<4Q", f64)
        second = [v >> 63 << 7 | (v >> 60 & 7) << 4 | v >> 48 & 15 for v in values]
        self.assertAlmostEqual(got["planes"][1]["entropy"], entropy(second), places=4)
        f8 = bytes(range(256))
        got = json.loads(self.ok("analyze", "--json", "--dtype", "F8_E5M2", self.path("in", f8)))["tensors"][0]
        self.assertEqual([(p["width"], p["entropy"]) for p in got["planes"]], [(5, 5), (3, 3)])
        # Widths and order are those of the container.
        info = self.inspect(self.container(content))
        self.assertEqual([p["width"] for p in info["planes"] if p["split"] == "F32"], [8, 8, 8, 8])

    def test_every_dtype(self):
        for dtype, bits in DTYPE_BITS.items():
            raw = random_bytes(bits * 60 * 4 // 8)
            page = self.page(safetensors([("w", dtype, [60, 4], raw)]))
            self.assertIn(dtype, page.words)
            self.assertNotIn("nan", page.words.lower().replace("infinities and nan", ""))

    def test_hostile_names(self):
        names = ["<script>alert(1)</script>", "a\"onload=\"x", "it's", "a&amp;b&lt;", "</title></svg><p>",
                 "<!--", "]]>", "</table></style>", "%s%n%d", "javascript:alert(1)", "\u202egnp.exe",
                 "line\nbreak\ttab", "esc\x1b[31m", "c1\x85", "\ufffe\uffff\ufdd0", "\U0001f600 \u4e16",
                 "x" * 3000, "${x}`", ""]
        page = self.page(safetensors([(n, "BF16", [4, 8 + i], gaussian_bf16(32 + 4 * i))
                                      for i, n in enumerate(names)]))
        want = {re.sub("[\x00-\x1f\x7f-\x9f\u202a-\u202e\ufffe\uffff\ufdd0]", "\ufffd", n) for n in names}
        got = {row["tensor"] for row in page.tensors()}
        self.assertLessEqual(want - {""}, got)
        self.assertTrue(any(page.parts))
        self.assertEqual(page.seen["script"], 1)
        raw = (self.dir / "page.html").read_bytes()
        self.assertNotIn(b"<script>alert", raw)
        self.assertIn(b"&lt;script&gt;alert(1)&lt;/script&gt;", raw)
        # A lone surrogate is no UTF-8.
        self.page(with_header(b'{"\\ud800\\u0000":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}', b"ab"))
        # Nor is the name of the file any good.
        name = os.fsencode(self.dir) + b"/<b>\xff&\x01.bin"
        pathlib.Path(os.fsdecode(name)).write_bytes(b"hello")
        self.ok("analyze", "--peers", "0", "--html", self.path("named.html"), name)
        page = Page(self, (self.dir / "named.html").read_bytes())
        self.assertIn("<b>\ufffd&\ufffd.bin", page.titles[0])
        self.assertIn("<b>\ufffd&\ufffd.bin", page.words)

    def test_policy_names_the_script(self):
        page = self.page(self.model)
        digest = base64.b64encode(hashlib.sha256(page.script.encode()).digest()).decode()
        raw = (self.dir / "page.html").read_text()
        self.assertIn("script-src 'sha256-%s'" % digest, raw)
        self.assertIn("default-src 'none'", raw)
        self.assertNotIn("url(", page.style)

    def test_odd_files(self):
        page = self.page(b"")
        self.assertIn("The file is empty", page.words)
        for word, content in awkward_files():
            if word != "20,000 tensors on the same bytes":
                with self.subTest(word):
                    self.page(content)
        self.page(with_header(b"{}"))
        page = self.page(safetensors([("a", "F32", [0, 4], b""), ("b", "BF16", [0], b"")]))
        self.assertEqual(len(page.tensors()), 3)
        page = self.page(bytes(5000), "--dtype", "F16", "--row", "50")
        self.assertIn("nothing but zeros or infinities", page.words)
        page = self.page(struct.pack("<2e", float("inf"), float("nan")) * 800, "--dtype", "F16")
        self.assertIn("infinities and NaN", page.words)

    def test_ten_thousand_tensors(self):
        raw = gaussian_bf16(16)
        page = self.page(safetensors([("layer.%d.weight" % i, "BF16", [2, 8], raw) for i in range(10000)]))
        self.assertEqual(len(page.tensors()), 10001)
        self.assertLess(page.seen["svg"], 200)
        self.assertIn("The 20 largest of 10,001", page.words)
        page = self.page(safetensors([("t%d" % i, "U8", [1], b"x") for i in range(21000)]))
        self.assertEqual(len(page.tensors()), 20000)
        self.assertIn("the other 1,001, together 1,001 bytes, are left out", page.words)

    def test_map(self):
        rows = [struct.pack("<f", 2.0 ** (r // 16))[2:] * 96 for r in range(64)]
        page = self.page(safetensors([("w", "BF16", [64, 96], b"".join(rows))]))
        self.assertIn("Mean exponent, 64 by 64, from 0.0 to 3.0, of w", page.titles)
        self.assertIn("Mean exponent, 64 by 1, from 0.0 to 3.0, of w", page.titles)
        self.assertIn("Mean exponent, 1 by 96, from 0.0 to 3.0, of w", page.titles)
        raw = (self.dir / "page.html").read_text()
        down = raw[raw.index('class="down"'):]
        shades = re.findall(r'<path class="s(\d+)" d="([^"]*)"', down[:down.index("</svg>")])
        self.assertEqual([(s, d.count("M")) for s, d in shades], [("0", 16), ("5", 16), ("10", 16), ("15", 16)])
        # Rows that are passed over, in a large tensor, leave no cell empty.
        content = safetensors([("w", "BF16", [4100, 4096], gaussian_bf16(4096 * 2) * 2050)])
        page = self.page(content)
        self.assertIn("one row in 3", page.words)

    def test_peers(self):
        content = self.path("a.bin", gaussian_bf16(60000))
        there = [p for p in ("gzip", "bzip2", "xz", "zstd") if shutil.which(p)]
        page = self.page(pathlib.Path(content).read_bytes(), peers="1")
        option = {"zstd": "-19"}
        for program in there:
            packed = subprocess.run([program, option.get(program, "-9"), "-c"], stdout=subprocess.PIPE,
                                    input=pathlib.Path(content).read_bytes(), check=True).stdout
            self.assertIn("%s %s: ratio %.4f" % (program, option.get(program, "-9"), len(packed) / 120000),
                          page.titles)
        # The same program takes the options that it is given, and none from the environment.
        again = self.page(pathlib.Path(content).read_bytes(), peers="1",
                          env={**os.environ, "GZIP": "-1", "XZ_OPT": "-0", "ZSTD_CLEVEL": "1"})
        self.assertEqual(page.titles, again.titles)
        self.assertIn("All got the whole file", page.words)
        page = self.page(gaussian_bf16(5000) * 240, peers="1")
        if there:
            self.assertIn("16 slices of 64.0 KiB", page.words)

    def test_no_peers(self):
        for path in ("", None, "/nowhere", ":.:relative"):
            env = {k: v for k, v in os.environ.items() if k != "PATH"}
            if path is not None:
                env["PATH"] = path
            for name in ("gzip", "xz"):         # not to be run
                script = pathlib.Path(self.path(name, b"#!/bin/sh\ntouch %s/ran\n" % os.fsencode(self.dir)))
                script.chmod(0o755)
            page = self.page(self.model, peers="1", env=env, cwd=self.dir)
            self.assertIn("Not found in PATH: gzip -9, bzip2 -9, xz -9, zstd -19.", page.words)
        self.assertNotIn("ran", self.files())
        self.assertIn("Not run: gzip -9, bzip2 -9, xz -9, zstd -19.", self.page(self.model).words)

    def test_peers_that_fail(self):
        folder = self.dir / "bin"
        folder.mkdir()
        for name, script in (("gzip", "exit 3"), ("bzip2", "kill -9 $$"), ("xz", ":"),
                             ("zstd", "printf abc")):
            (folder / name).write_text("#!/bin/sh\n%s\n" % script)
            (folder / name).chmod(0o755)
        page = self.page(random_bytes(400000), peers="1", env={**os.environ, "PATH": str(folder)})
        self.assertIn("Failed: gzip -9, bzip2 -9, xz -9.", page.words)      # xz wrote nothing
        self.assertIn("zstd -19: ratio 0.0000", page.titles)

    def test_what_cannot_be_written(self):
        path = self.path("a.safetensors", self.model)
        args = ["analyze", "--peers", "0", path, "--html"]
        self.fails(1, *args, self.path("no/such.html"), says="No such file")
        self.fails(1, *args, str(self.dir), says="is a directory")
        self.path("there.html", b"mine")
        self.fails(1, *args, self.path("there.html"), says="exists (use -f)")
        self.assertEqual((self.dir / "there.html").read_bytes(), b"mine")
        self.fails(2, "analyze", "-f", "--html", path, path, says="is the input")
        self.fails(1, "analyze", "--html", self.path("x.html"), self.path("missing"), says="No such file")
        for env in ({**os.environ, "TMPDIR": "/nowhere"},):
            result = wcodec(*args, self.path("x.html"), env=env)
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stderr, rb"\Awcodec: /nowhere: cannot make a container there: [^\n]+\n\Z")
        if os.path.exists("/dev/full"):
            result = wcodec(*args, "/dev/full")
            self.assertEqual(result.returncode, 1)
            self.assertIn(b"No space left", result.stderr)
        if os.getuid() != 0:
            (self.dir / "closed").mkdir(0o500)
            self.fails(1, *args, self.path("closed/x.html"), says="Permission denied")
        self.assertEqual(self.files(), ["a.safetensors", "there.html"] + (["closed"] if os.getuid() else []))

    def test_memory_does_not_grow_with_the_file(self):
        def peak(megabytes):
            path = self.path("big", bytes(range(256)) * 4096 * megabytes)
            program = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, "
                       "stdout=subprocess.DEVNULL); "
                       "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
            return int(subprocess.run(
                [sys.executable, "-c", program, BIN, "analyze", "-f", "--threads", "1", "--peers", "0",
                 "--dtype", "BF16", "--row", "4096", "--html", self.path("p.html"), path],
                stdout=subprocess.PIPE, check=True).stdout)
        self.assertLess(peak(40), peak(4) + 2048)


class Bench(CliTest):
    def test_json(self):
        got = json.loads(self.ok("bench", "--json", self.path("a", self.model)))
        self.assertEqual(got["original_bytes"], len(self.model))
        self.assertLess(got["container_bytes"], len(self.model))
        self.assertTrue(got["kernel"])
        for key in ("encode_mbps", "encode_sha256_mbps", "decode_mbps", "decode_nocrc_mbps", "memcpy_mbps"):
            self.assertGreater(got[key], 0)
            self.assertGreaterEqual(got[key], got["median"][key])
            self.assertGreaterEqual(got["rounds"][key], 5)
        self.assertAlmostEqual(got["decode_over_memcpy"], got["decode_mbps"] / got["memcpy_mbps"], places=3)

    def test_table_and_options(self):
        a = self.path("a", gaussian_bf16(3000))
        text = self.ok("bench", "--coder", "raw", "--dtype", "BF16", "--tile", "512", a).decode()
        for word in ("memcpy", "encode", "decode", "MB/s"):
            self.assertIn(word, text)

    def test_empty(self):
        self.fails(1, "bench", self.path("a", b""), says="empty")


# ---- the other examples -----------------------------------------------------------------------------------


@unittest.skipUnless(shutil.which(os.environ.get("CC", "cc")), "no C compiler")
class Examples(CliTest):
    def build(self, source):
        program = self.path(pathlib.Path(source).stem)
        subprocess.run([os.environ.get("CC", "cc"), "-std=c99", "-O1", "-o", program,
                        str(ROOT / "examples" / source)], check=True)
        return program

    def run_example(self, *args, data=None):
        result = subprocess.run(args, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(len(result.stderr.splitlines()), result.returncode)
        return result.stdout if result.returncode == 0 else None

    def test_load_tensor(self):
        program, packed = self.build("load_tensor.c"), self.container()
        raw = small_model()[0][3]
        values = struct.unpack("<8f", b"".join(b"\0\0" + raw[i:i + 2] for i in range(0, 16, 2)))
        self.assertEqual(self.run_example(program, packed, "embed.weight").decode(),
                         "embed.weight: BF16, 38400 bytes:%s ...\n" % "".join(" %g" % v for v in values))
        self.assertIsNone(self.run_example(program, packed, "absent"))

    def test_no_malloc(self):
        program, packed = self.build("no_malloc.c"), self.container()
        self.assertEqual(int(self.run_example(program, packed), 16), zlib.crc32(self.model))
        self.assertIsNone(self.run_example(program, self.path("cut", open_container_bytes()[:-9])))

    def test_stream(self):
        program, packed = self.build("stream.c"), open_container_bytes()
        self.assertEqual(self.run_example(program, data=packed), self.model)
        self.assertIsNone(self.run_example(program, data=packed[:-1]))

    def test_file_view(self):
        program, packed = self.build("file_view.c"), self.container()
        lines = self.run_example(program, packed).decode().splitlines()
        self.assertRegex(lines[0], r"\A1000000 reads of 8 bytes, one after the other: [\d.]+ s\Z")
        self.assertRegex(lines[1], r"\A1000000 reads of 8 bytes, at random in a tile of \d+: [\d.]+ s\Z")
        self.assertEqual(lines[2], "through the callback: %08x" % zlib.crc32(self.model))
        self.assertIn(lines[3], ("through a FILE *: %08x" % zlib.crc32(self.model),
                                 "through a FILE *: not on this system"))
        noise = random_bytes(3000)
        damaged = bytearray(pathlib.Path(self.container(noise, "noise")).read_bytes())
        damaged[damaged.index(noise[1000:1100])] ^= 1
        self.assertIsNone(self.run_example(program, self.path("damaged", bytes(damaged))))
        # What went in through a pipe has no name, and a container of nothing no file.
        self.assertEqual(len(self.run_example(program, self.container(b"", "nothing")).splitlines()), 3)
        self.assertIsNone(self.run_example(program, self.path("none", make_golden.container([]))))

    def test_choose(self):
        weights = safetensors([("w", "BF16", [400, 500], gaussian_bf16(200000))])
        program, model = self.build("choose.c"), self.path("model", weights)
        for disk, choice in (("10", "coded"), ("1000000", "raw")):
            lines = self.run_example(program, model, disk).decode().splitlines()
            self.assertEqual(lines[1].split()[0], choice)
            self.assertTrue(lines[1].endswith(", w") and lines[2].startswith("all raw "))
        self.assertIsNone(self.run_example(program, self.path("absent"), "10"))

    def test_make_model_is_the_same_everywhere(self):
        program, model = self.build("demo/make_model.c"), self.path("model")
        subprocess.run([program, model, "0"], check=True)
        content = (self.dir / "model").read_bytes()
        self.assertEqual(hashlib.sha256(content).hexdigest(), MODEL_SHA256)
        self.round_trip(content)
        self.assertEqual(self.metadata(self.path("packed"))["format"], "safetensors")

    def test_demo(self):
        model = self.path("model", self.model)
        env = dict(os.environ, TMPDIR=str(self.dir))
        got = subprocess.run(["sh", str(ROOT / "examples" / "demo" / "demo.sh"), BIN, model], check=True,
                             stdout=subprocess.PIPE, env=env).stdout.decode()
        for word in ("identical", "ratio", "memcpy", "wcodec, threads: 2"):
            self.assertIn(word, got)
        self.assertEqual((self.files(), (self.dir / "model").read_bytes()), (["model"], self.model))


def main():
    if not os.access(BIN, os.X_OK):
        print("%s is not there: build it first (make)" % BIN)
        print("0 passed, 1 failed")
        return 1
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    if len(sys.argv) > 1:       # names of tests, or parts of them
        tests = [t for group in suite for t in group if any(word in t.id() for word in sys.argv[1:])]
        suite = unittest.TestSuite(tests)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    bad = {case.id().split(" ")[0] for case, _ in result.failures + result.errors}
    for case, reason in result.skipped:
        print("skipped: %s: %s" % (case.id().split(".", 1)[1], reason))
    print("%d passed, %d failed" % (result.testsRun - len(result.skipped) - len(bad), len(bad)))
    return 1 if bad else 0


if __name__ == "__main__":
    # A shell's background job ignores Ctrl-C, and its children would.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
