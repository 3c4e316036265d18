"""Ratio against decoding speed, one panel a dtype, as SVG: white behind, so that it reads in any theme."""
import matplotlib

matplotlib.use('Agg')
matplotlib.rcParams.update({'font.size': 9, 'font.family': 'DejaVu Sans', 'svg.hashsalt': 'wcodec',
                            'svg.fonttype': 'path', 'axes.unicode_minus': False})
from matplotlib import pyplot

PANELS = ('BF16', 'F32')
COLOURS = {'wcodec': '#c1121f', 'zstd': '#1d4ed8', 'lz4': '#0f766e', 'zlib': '#7c6f00', 'bzip2': '#7c6f00',
           'xz': '#7c6f00', 'blosc2': '#7e22ce', 'zfp': '#475569', 'fpzip': '#475569', 'zipnn': '#b45309'}
MARKS = {'wcodec': 'o', 'zstd': 's', 'blosc2': 'D', 'lz4': '^', 'zipnn': 'P', 'zfp': 'v', 'fpzip': 'v'}
BEHIND = {'facecolor': 'white', 'edgecolor': 'none', 'alpha': 0.75, 'pad': 0.3}
RADIUS = 5                      # points around a mark that no label may touch


def overlap(box, other):
    return box.x0 < other.x1 and other.x0 < box.x1 and box.y0 < other.y1 and other.y0 < box.y1


def candidates():
    """Offsets of a label from its mark, in points: near before far, right before left."""
    for far in (7, 12, 18, 26, 36, 48, 62, 78, 96):
        for dx, dy, ha in ((1, 0, 'left'), (-1, 0, 'right'), (0.8, 0.6, 'left'), (0.8, -0.6, 'left'),
                           (-0.8, 0.6, 'right'), (-0.8, -0.6, 'right'), (0, 1, 'center'), (0, -1, 'center')):
            yield far * dx, far * dy, ha


def place(axes, renderer, point, text, colour, weight, taken):
    """Puts a label where it overlaps nothing, with a line to its mark where it had to go far."""
    inside = axes.get_window_extent(renderer)
    for dx, dy, ha in candidates():
        label = axes.annotate(text, point, (dx, dy), textcoords='offset points', ha=ha, va='center',
                              color=colour, fontsize=7.5, fontweight=weight, zorder=5, bbox=BEHIND)
        label.update_positions(renderer)
        box = label.get_window_extent(renderer).expanded(1.02, 1.0)
        fits = inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1
        if fits and not any(overlap(box, other) for other in taken):
            break
        label.remove()
    else:
        return
    taken.append(box)
    if abs(dx) + abs(dy) > 16:
        axes.annotate('', point, (dx, dy), textcoords='offset points',
                      arrowprops={'arrowstyle': '-', 'color': colour, 'lw': 0.5, 'shrinkA': 1, 'shrinkB': 3})


def mark_box(axes, point):
    x, y = axes.transData.transform(point)
    reach = RADIUS * axes.figure.dpi / 72
    return matplotlib.transforms.Bbox([[x - reach, y - reach], [x + reach, y + reach]])


def short(name):
    return name.replace('blosc2 zstd', 'blosc2').replace(' (widened to FP32)', '').replace('exponent', 'exp.')


def profile(row):
    """What stands between "wcodec" and the kernels."""
    return row['contender'].split(',')[0].split(' ')[1:-1]


def alike(row, last):
    return (row['codec'] == last['codec'] == 'wcodec' and profile(row) == profile(last)
            and row['x_median'] > 0.92 * last['x_median']
            and ('no CRC' in row['contender']) == ('no CRC' in last['contender']))


def labels(rows):
    """(row, text): wcodec's kernels that lie on each other share one label."""
    found = []
    for row in rows:
        text = short(row['contender'])
        last = found[-1][0] if found else None
        if last is not None and alike(row, last):
            found[-1][1] = join(found[-1][1], text)
        else:
            found.append([row, text])
    return found


def join(text, more):
    """wcodec avx512, no CRC + wcodec avx2, no CRC: wcodec avx512/avx2, no CRC"""
    return '/'.join([text.split(',')[0], more.split(',')[0].split(' ')[-1]]) + text[len(text.split(',')[0]):]


def panel(axes, rows, dtype):
    rows = sorted(rows, key=lambda row: (row['codec'] != 'wcodec', 'no CRC' in row['contender'],
                                         -row['x_median']))
    points = [(row['ratio'], row['x_median']) for row in rows]
    for row, point in zip(rows, points):
        hollow = 'no CRC' in row['contender']
        colour = COLOURS.get(row['codec'], '#333333')
        mark = MARKS.get(row['codec'], 'o')
        if row['codec'] == 'wcodec' and profile(row):
            mark = 'h' if profile(row) == ['dense'] else '*'
        axes.plot(*point, mark, ms=6.5 if row['codec'] == 'wcodec' else 5,
                  mec=colour, mfc='white' if hollow else colour, zorder=3)
    axes.set_yscale('log')
    axes.set_title('%s, one thread' % dtype, fontsize=10, fontweight='bold')
    axes.set_xlabel('packed size / original (left is smaller)')
    axes.grid(True, which='major', color='#e5e7eb', lw=0.7)
    axes.grid(True, which='minor', axis='y', color='#f3f4f6', lw=0.5)
    axes.set_axisbelow(True)
    low, high = min(x for x, _ in points), max(x for x, _ in points)
    axes.set_xlim(low - 0.16 * (high - low + 0.05), high + 0.10 * (high - low + 0.05))
    axes.set_ylim(min(y for _, y in points) / 1.7, max(max(y for _, y in points), 1) * 1.5)
    axes.axhline(1, color='#9ca3af', lw=0.9, ls='--')
    axes.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter('%g'))
    return rows, points


def draw(results, path, machine):
    """Writes the plot, and nothing if no panel has anything in it."""
    found = [(dtype, [row for row in results if row['dtype'] == dtype and row['setting'] == 'whole'
                      and row['op'] == 'decode' and row['threads'] == 1 and row['codec'] != 'memcpy'])
             for dtype in PANELS]
    found = [(dtype, rows) for dtype, rows in found if rows]
    if not found:
        return False
    figure, grid = pyplot.subplots(1, len(found), figsize=(5.6 * len(found), 5.4), squeeze=False)
    figure.patch.set_facecolor('white')
    drawn = [(axes, *panel(axes, rows, dtype)) for axes, (dtype, rows) in zip(grid[0], found)]
    grid[0][0].set_ylabel('decoding speed / memcpy, median (higher is faster)')
    figure.text(0.01, 0.012, 'Filled wcodec marks check each tile\'s CRC-32, hollow ones do not; a zstd with '
                'planes packs each by itself.  %s' % machine, fontsize=7, color='#4b5563')
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    for axes, rows, points in drawn:
        taken = [mark_box(axes, point) for point in points]
        for row, text in labels(rows):
            place(axes, renderer, (row['ratio'], row['x_median']), text, COLOURS.get(row['codec'], '#333333'),
                  'bold' if row['codec'] == 'wcodec' else 'normal', taken)
    figure.savefig(path, metadata={'Date': None})
    figure.savefig(path[:-4] + '.png', dpi=110)
    return True
