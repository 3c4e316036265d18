#!/usr/bin/env python3
"""What tensors contain besides noise, and what comes of it: prints the table of README.md.

    python3 tests/contents_table.py [FOLDER]

FOLDER holds the real weights (../shared/data, or $WCODEC_DATA).  They are the matrices of whisper-base-encoder,
about two million numbers of BF16, which are turned into each of the kinds below; WCODEC_BIN names the command
(build/wcodec).  Every container is verified and decoded again.
"""
import array
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = os.environ.get("WCODEC_BIN", ROOT / "build" / "wcodec")
DATA = pathlib.Path(os.environ.get("WCODEC_DATA", ROOT.parent / "shared" / "data"))
FILE = "whisper-base-encoder.bf16.safetensors"
ROW = 512
LEAST = 2 << 20                         # numbers


def read_weights(folder):
    """Rows of 512 numbers, as floats that BF16 holds."""
    with open(folder / FILE, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        begin = f.tell()
        numbers = array.array("f")
        for tensor in header.values():
            if tensor.get("shape", [])[-1:] != [ROW] or len(tensor["shape"]) != 2 or len(numbers) >= LEAST:
                continue
            f.seek(begin + tensor["data_offsets"][0])
            halves = array.array("H", f.read(tensor["data_offsets"][1] - tensor["data_offsets"][0]))
            numbers += array.array("f", array.array("I", [x << 16 for x in halves]).tobytes())
    return [numbers[i:i + ROW] for i in range(0, len(numbers), ROW)]


# -- numbers to bytes ----------------------------------------------------------------------------------

def f32(values):
    return array.array("f", values)


def f32_bytes(values):
    return f32(values).tobytes()


def bf16_bytes(values):
    """FP32 rounded to BF16, to nearest, ties to even."""
    bits = array.array("I", f32(values).tobytes())
    return array.array("H", [(x + 0x7FFF + (x >> 16 & 1)) >> 16 for x in bits]).tobytes()


def f16_bytes(values):
    return struct.pack("<%de" % len(values), *values)


def quantise(values, most, scale_of=lambda s: s):
    """Integers -most ... most and their scale, by the largest of the values."""
    scale = scale_of(f32([max(map(abs, values)) / most])[0]) or 1.0
    return [max(-most - (most < 8), min(most, round(v / scale))) for v in values], scale


def dequantised(rows, most, group, scale_of=lambda s: s, zero_point=False):
    """Each group's integers times its scale, as FP32 multiplies."""
    for row in rows:
        out = array.array("f")
        for i in range(0, len(row), group):
            part = row[i:i + group]
            if zero_point:
                low, high = min(0, min(part)), max(0, max(part))
                scale = scale_of(f32([(high - low) / (2 * most + 1)])[0]) or 1.0
                zero = round(-low / scale)
                q = [max(0, min(2 * most + 1, round(v / scale) + zero)) - zero for v in part]
            else:
                q, scale = quantise(part, most, scale_of)
            out += f32([k * scale for k in q])
        yield out


def bf16_value(x):
    return struct.unpack("<f", b"\0\0" + bf16_bytes([x]))[0]


def f16_value(x):
    return struct.unpack("<e", struct.pack("<e", x))[0]


# -- kinds ---------------------------------------------------------------------------------------------

def join(rows, to_bytes):
    return b"".join(to_bytes(row) for row in rows)


def kinds(rows):
    """name, dtype, bytes"""
    flat = array.array("f", b"".join(row.tobytes() for row in rows))
    yield "the weights themselves", "BF16", join(rows, bf16_bytes)
    yield "widened from BF16", "F32", join(rows, f32_bytes)
    yield "times 1.2345, rounded to FP16, then widened", "F32", b"".join(f32_bytes([f16_value(x * 1.2345) for x in row])
                                                                  for row in rows)
    yield "INT8, a scale a row", "F32", join(dequantised(rows, 127, ROW), f32_bytes)
    yield "INT8, one scale", "F32", join(dequantised([flat], 127, len(flat)), f32_bytes)
    yield "INT8, a scale a row", "BF16", join(dequantised(rows, 127, ROW), bf16_bytes)
    yield "INT8, a scale a row", "F16", join(dequantised(rows, 127, ROW), f16_bytes)
    for group in 32, 64, 128:
        yield "INT4, an FP32 scale for %d" % group, "BF16", join(dequantised(rows, 7, group), bf16_bytes)
    yield "INT4, a BF16 scale for 128", "BF16", join(dequantised(rows, 7, 128, bf16_value), bf16_bytes)
    yield "INT4, an FP16 scale for 128", "F16", join(dequantised(rows, 7, 128, f16_value), f16_bytes)
    yield "INT4 with zero points, a scale for 64", "BF16", join(dequantised(rows, 7, 64, zero_point=True), bf16_bytes)
    yield "INT4, a scale for 64", "F32", join(dequantised(rows, 7, 64), f32_bytes)
    book = sorted(flat[i * len(flat) // 199] for i in range(199))
    yield "200 values, drawn from the weights", "F32", \
        f32_bytes([book[int(abs(x) * 1e6) * 2654435761 % 199] for x in flat])
    yield "16 values", "BF16", bf16_bytes([book[int(abs(x) * 1e6) * 2654435761 % 16 * 12] for x in flat])
    yield "ones", "F32", f32_bytes([1.0] * len(flat))
    yield "zero but for 1 %", "F32", f32_bytes([x if i * 2654435761 % 4294967296 < 42949672 else 0
                                                for i, x in enumerate(flat)])
    yield "zero but for 1 %, zeros of both signs", "BF16", \
        bf16_bytes([x if i * 2654435761 % 4294967296 < 42949672 else (-0.0 if x < 0 else 0.0)
                    for i, x in enumerate(flat)])


WIDTH = {"F32": 4, "BF16": 2, "F16": 2}


def safetensors(tensors):
    header, data = {}, b""
    for name, dtype, raw in tensors:
        header[name] = {"dtype": dtype, "shape": [len(raw) // WIDTH[dtype] // ROW, ROW],
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def ratio(content, profile, folder):
    original, packed, back = (os.path.join(folder, name) for name in ("in", "packed", "back"))
    pathlib.Path(original).write_bytes(content)
    subprocess.run([BIN, "encode", "-q", "-f", "--profile", profile, original, packed], check=True)
    subprocess.run([BIN, "verify", "-q", packed], check=True)
    subprocess.run([BIN, "decode", "-q", "-f", packed, back], check=True)
    assert pathlib.Path(back).read_bytes() == content
    return os.path.getsize(packed) / len(content)


def main(args):
    folder = pathlib.Path(args[0]) if args else DATA
    if not (folder / FILE).exists():
        print("skipped: %s is not there" % (folder / FILE))
        return 0
    rows = read_weights(folder)
    print("| contents | dtype | fast | dense |\n| --- | --- | --: | --: |")
    with tempfile.TemporaryDirectory() as temp:
        for name, dtype, raw in kinds(rows):
            content = safetensors([("w", dtype, raw)])
            print("| %s | %s | %.4f | %.4f |" % (name, dtype, ratio(content, "fast", temp),
                                               ratio(content, "dense", temp)), flush=True)
        raw = join(rows, bf16_bytes)
        one, two = (safetensors([("embed", "BF16", raw), ("head", "BF16", raw)][:n]) for n in (1, 2))
        costs = [(ratio(two, profile, temp) * len(two) - ratio(one, profile, temp) * len(one)) / len(raw)
                 for profile in ("fast", "dense")]
        print("| a second copy of a tensor | BF16 | %.4f | %.4f |" % tuple(costs))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
