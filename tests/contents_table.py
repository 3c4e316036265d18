#!/usr/bin/env python3
"""What tensors contain besides noise, and what comes of it: prints the table of README.md.

    python3 tests/contents_table.py [--profiles fast,best] [FOLDER]

FOLDER holds the real weights (../shared/data, or $WCODEC_DATA).  They are matrices of whisper-base-encoder, a million
numbers of BF16, and the weights of squeezenet in FP16, which are turned into each of the kinds below; WCODEC_BIN names the command (build/wcodec).
Every container is verified and decoded again; zstd -19 and xz -9 get the same file.  Exit code 1 if something does
not come back, or is larger than what stands beside its kind.  Where the weights or a compressor are absent it says so.
"""
import argparse
import array
import bisect
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = os.environ.get("WCODEC_BIN", ROOT / "build" / "wcodec")
DATA = pathlib.Path(os.environ.get("WCODEC_DATA", ROOT.parent / "shared" / "data"))
FILE = "whisper-base-encoder.bf16.safetensors"
FILE_F16 = "ncnn-squeezenet_v1.1.f16.safetensors"
ROW = 512
LEAST = 1 << 20                         # numbers


def read_f16(folder):
    """As many numbers as fill rows of 512, as bytes."""
    with open(folder / FILE_F16, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        begin, numbers = f.tell(), b""
        for tensor in header.values():
            if tensor.get("dtype") == "F16":
                f.seek(begin + tensor["data_offsets"][0])
                numbers += f.read(tensor["data_offsets"][1] - tensor["data_offsets"][0])
    return numbers[:len(numbers) // (2 * ROW) * (2 * ROW)]


def read_weights(folder):
    """Rows of 512 numbers, as floats that BF16 holds."""
    with open(folder / FILE, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        begin = f.tell()
        numbers = array.array("f")
        for tensor in header.values():
            if tensor.get("shape") != [ROW, ROW] or len(numbers) >= LEAST:
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


def kinds(rows, halves):
    """Name, dtype, bytes, and how much of them is the most that they may take.  `halves`: weights in FP16, or None."""
    rng = random.Random(3)
    flat = array.array("f", b"".join(row.tobytes() for row in rows))

    def sparse(zero):
        return [x if rng.random() < .01 else zero(x) for x in flat]

    yield "the weights themselves", "BF16", join(rows, bf16_bytes), .70
    yield "widened from BF16", "F32", join(rows, f32_bytes), .35
    yield "widened from BF16, one in 1000 a NaN of any payload", "F32", b"".join(
        struct.pack("<I", 0x7F800001 + rng.getrandbits(22)) if rng.random() < .001 else f32_bytes([x])
        for x in flat), .36
    if halves:
        yield "weights in FP16", "F16", halves, .86
        yield "widened from FP16", "F32", f32_bytes(struct.unpack("<%de" % (len(halves) // 2), halves)), .43
    yield "INT8, a scale a row", "F32", join(dequantised(rows, 127, ROW), f32_bytes), .23
    yield "INT8, one scale", "F32", join(dequantised([flat], 127, len(flat)), f32_bytes), .23
    yield "INT8, a scale for 128", "F32", join(dequantised(rows, 127, 128), f32_bytes), .23
    yield "INT8, a scale for 32", "F32", join(dequantised(rows, 127, 32), f32_bytes), .27
    yield "INT8, a scale a row", "BF16", join(dequantised(rows, 127, ROW), bf16_bytes), .46
    yield "INT8, a scale a row", "F16", join(dequantised(rows, 127, ROW), f16_bytes), .46
    yield "INT4, one scale", "BF16", join(dequantised([flat], 7, len(flat)), bf16_bytes), .30
    yield "INT4, a scale a row", "BF16", join(dequantised(rows, 7, ROW), bf16_bytes), .30
    for group in 128, 64, 32:
        yield "INT4, an FP32 scale for %d" % group, "BF16", join(dequantised(rows, 7, group), bf16_bytes), .30
    yield "INT4, a BF16 scale for 32", "BF16", join(dequantised(rows, 7, 32, bf16_value), bf16_bytes), .30
    yield "INT4, an FP16 scale for 32", "F16", join(dequantised(rows, 7, 32, f16_value), f16_bytes), .30
    yield "INT4 with zero points, a scale for 64", "BF16", join(dequantised(rows, 7, 64, zero_point=True),
                                                               bf16_bytes), .30
    yield "INT4, a scale for 64", "F32", join(dequantised(rows, 7, 64), f32_bytes), .15
    values = [struct.unpack("<f", struct.pack("<I", rng.getrandbits(30)))[0] for _ in range(16)]
    yield "16 random values", "F32", f32_bytes(rng.choices(values, k=len(flat))), .127
    book = sorted(flat[i * len(flat) // 199] for i in range(199))
    yield "the nearest of 199 values", "F32", f32_bytes([book[bisect.bisect(book, x, 0, 198)] for x in flat]), .25
    yield "ones", "F32", f32_bytes([1.0] * len(flat)), .001
    yield "99 % zero", "F32", f32_bytes(sparse(lambda x: 0.0)), .04
    yield "99 % zero, of either sign", "BF16", bf16_bytes(sparse(lambda x: -0.0 if x < 0 else 0.0)), .09


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


def coded(content, profile, folder):
    """Bytes of the container, which gives the content back."""
    original, packed, back = (os.path.join(folder, name) for name in ("in", "packed", "back"))
    pathlib.Path(original).write_bytes(content)
    subprocess.run([BIN, "encode", "-q", "-f", "--profile", profile, original, packed], check=True)
    subprocess.run([BIN, "verify", "-q", packed], check=True)
    subprocess.run([BIN, "decode", "-q", "-f", packed, back], check=True)
    if pathlib.Path(back).read_bytes() != content:
        raise SystemExit("does not come back: %s" % profile)
    return os.path.getsize(packed)


def piped(command, content):
    return len(subprocess.run(command, input=content, stdout=subprocess.PIPE, check=True).stdout)


def main(args):
    parser = argparse.ArgumentParser()
    parser.add_argument("--profiles", default="fast,best", type=lambda text: text.split(","))
    parser.add_argument("folder", nargs="?", default=DATA, type=pathlib.Path)
    args = parser.parse_args(args)
    if not (args.folder / FILE).exists():
        print("skipped: %s is not there" % (args.folder / FILE))
        return 0
    peers = [peer for peer in (["zstd", "-19", "-q", "-c"], ["xz", "-9", "-c"]) if shutil.which(peer[0])]
    for name in {"zstd", "xz"} - {peer[0] for peer in peers}:
        print("skipped: %s is not in PATH" % name, file=sys.stderr)
    columns = ["contents", "dtype", "bytes"] + ["`%s`" % p for p in args.profiles] + [" ".join(p[:2]) for p in peers]
    print("| %s |\n| --- | --- |%s" % (" | ".join(columns), " --: |" * (len(columns) - 2)))
    rows, halves, failed = read_weights(args.folder), None, 0
    if (args.folder / FILE_F16).exists():
        halves = read_f16(args.folder)
    else:
        print("skipped: %s is not there" % (args.folder / FILE_F16), file=sys.stderr)

    def line(name, dtype, size, most, ratios):
        print("| %s | %s | %d | %s |" % (name, dtype, size, " | ".join("%.4f" % r for r in ratios)), flush=True)
        over = max(ratios[:len(args.profiles)]) > most
        if over:
            print("more than %g: %s" % (most, name), file=sys.stderr)
        return over

    with tempfile.TemporaryDirectory() as temp:
        def sizes(content):
            return [coded(content, profile, temp) for profile in args.profiles] + [piped(p, content) for p in peers]

        for name, dtype, raw, most in kinds(rows, halves):
            content = safetensors([("w", dtype, raw)])
            failed += line(name, dtype, len(content), most, [n / len(content) for n in sizes(content)])
        raw = join(rows, bf16_bytes)
        one, two = (sizes(safetensors([("embed", "BF16", raw), ("head", "BF16", raw)][:n])) for n in (1, 2))
        failed += line("a second copy of a tensor", "BF16", len(raw), .01,
                       [(b - a) / len(raw) for a, b in zip(one, two)])
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
