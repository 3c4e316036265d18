#!/usr/bin/env python3
"""Makes the table of cycles in amalgamate/parts/87_estimate.c: runs cycles.c and finds, for each set of kernels,
the costs, none below 0, that come nearest to what it measured (least squares of the relative errors).

    python3 tests/bench/cycles.py [-v]      (a minute; wants a quiet machine; -v: how near each comes)"""
import collections
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CODERS = 7
# The program's columns after the cycles: tiles, values of coders 0 to 8, units that are predicted, values that
# are predicted from the left, from above and by scales, bytes; bytes of tiles of several planes that kernels do not
# merge as they decode, and of all tiles of several planes.


def solve(features, cycles):
    """Costs x >= 0 of least sum of (features x / cycles - 1)^2, one coordinate at a time."""
    rows = [[f / c for f in row] for row, c in zip(features, cycles)]
    columns = list(zip(*rows))
    norms = [sum(v * v for v in column) for column in columns]
    x = [0.0] * len(columns)
    rest = [1.0] * len(rows)
    for _ in range(5000):
        for j, (column, norm) in enumerate(zip(columns, norms)):
            if norm:
                new = max(0.0, x[j] + sum(a * r for a, r in zip(column, rest)) / norm)
                rest = [r - a * (new - x[j]) for a, r in zip(column, rest)]
                x[j] = new
    return x, rest


def measured():
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, 'cycles')
        subprocess.run(['cc', '-std=gnu99', '-O2', '-o', program, os.path.join(HERE, 'cycles.c'), '-lm'],
                       check=True)
        text = subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout
    sets = collections.OrderedDict()
    for line in text.splitlines():
        kernels, crc, what, *numbers = line.split()
        if kernels == 'small':
            print('a plane of %-8s %.0f cycles beside its values' % (crc, 2 * float(numbers[0]) - float(numbers[1])))
            continue
        sets.setdefault((kernels, crc), []).append((what, [float(n) for n in numbers]))
    return sets


def main():
    sets = measured()
    plain = []
    for (kernels, crc), rows in sets.items():
        cycles = [row[0] for _, row in rows]
        if kernels == 'best':
            each = [(c - p) / row[-3] for c, p, (_, row) in zip(cycles, plain, rows)]
            print('%-7s CRC-32: %d a byte' % (crc, round(256 * statistics.median(each))))
            continue
        plain = cycles
        merged = -1 if kernels == 'scalar' else -2
        x, rest = solve([row[1:-2] + [row[merged]] for _, row in rows], cycles)
        x = [round(256 * v) for v in x]
        print('%-7s { %d, { %s }, { 0, %s }, %d, %d, %d }' % (
            kernels, x[0], ', '.join(map(str, x[1:1 + CODERS])), ', '.join(map(str, x[11:14])), x[10], x[14], x[15]))
        if '-v' in sys.argv:
            for (what, row), error in zip(rows, rest):
                print('    %-16s %6.3f cycles a byte, predicted %+.0f %%' % (what, row[0] / row[-3],
                                                                              -100 * error))


if __name__ == '__main__':
    main()
