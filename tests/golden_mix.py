"""The coder mix, for make_golden.py: an encoder, written from section 9.7 of the format's text alone.  It shares no
code with refmix.py, the decoder."""
import bisect

MASK = 0xFFFFFFFF
MULTIPLIER = 2654435761
KNOTS = (24, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768, 40793, 47911,
         53581, 57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65512)
SCORES = (
    -228, -227, -227, -226, -226, -225, -223, -222, -221, -219, -217, -214, -211, -207, -203, -198, -192, -185, -177,
    -167, -156, -142, -126, -108, -87, -63, -35, -3, 33, 73, 118, 168, 222, 280, 343, 408, 476, 545, 615, 684, 752, 817,
    879, 937, 991, 1040, 1084, 1124, 1159, 1191, 1218, 1242, 1263, 1280, 1296, 1309, 1320, 1330, 1338, 1345, 1351, 1356,
    1360, 1363)
KINDS = ('exponents', 'mantissas', 'integers', 'text')


def cut(a, b):
    """a / b without its fraction."""
    return -(-a // b) if a < 0 else a // b


def clip(x, low, high):
    return low if x < low else high if x > high else x


def cell(x, start, size, count):
    """class(x, start, size, count) of the text."""
    return clip(x - start, 0, size * count - 1) // size


def over(k):
    return 65536 // k


def score_of(d):
    return SCORES[clip(d + 1024, 0, 2047) // 32]


SQUASH = [KNOTS[i // 128] + ((KNOTS[i // 128 + 1] - KNOTS[i // 128]) * (i % 128) + 64) // 128 for i in range(4096)]
STRETCH = [min(bisect.bisect_left(SQUASH, 16 * i), 4095) - 2048 for i in range(4096)]      # SQUASH rises


class Slot:
    def __init__(self):
        self.p, self.count = 1 << 21, 0

    def learn(self, y, delay):
        gap = (1 << 22) - 1 - self.p if y else self.p
        gap -= (1024 * gap + self.count) * (655360 // (10 * self.count + delay)) // (1 << 26)
        self.p = (1 << 22) - 1 - gap if y else gap
        self.count = min(self.count + 1, 1023)


class Encoder:
    """Section 9.7.2.  Whatever learns is made when it is first named; `i`: the number of the value."""

    def __init__(self, inputs, floor, delay, eighths=9):
        self.weight, self.floor, self.delay = eighths * (1 << 27) // inputs, floor, delay
        self.slots, self.sets, self.refinements = {}, {}, {}
        self.low, self.high, self.out, self.i = 0, MASK, bytearray(), 0

    def write(self, y, middle):
        if y:
            self.high = middle
        else:
            self.low = middle + 1
        while self.low >> 24 == self.high >> 24:
            self.out.append(self.high >> 24)
            self.low, self.high = self.low << 8 & MASK, (self.high << 8 | 255) & MASK

    def coin(self, y):
        self.write(y, self.low + (self.high - self.low) // 2)

    def slot(self, *name):
        if name not in self.slots:
            self.slots[name] = Slot()
        return self.slots[name]

    def plain(self, y, *name):
        slot = self.slot(*name)
        p = clip(slot.p >> 6, 32, 65503)
        self.write(y, self.low + ((self.high - self.low) * p >> 16))
        slot.learn(y, self.delay)

    def bit(self, y, names, weight_set, refinement):
        """Codes y by the slots of these names, input by input, None for an input that is left out; returns it."""
        y = int(y)
        rate = self.floor + (9600 // (16 + self.i) if self.i < 9600 else 0)
        inputs = [(k, self.slot(k, name)) for k, name in enumerate(names) if name is not None]
        weights = self.sets.setdefault(weight_set, [self.weight] * 8)
        cells = self.refinements.setdefault(refinement, SQUASH[64::128])
        total = 1 << 41
        s = {}
        for k, slot in inputs:
            s[k] = STRETCH[slot.p >> 10]
            total += weights[k] * s[k]
        t = clip(total // (1 << 30), 1, 4095)
        mixed, h = SQUASH[t], t // 128
        self.write(y, self.low + ((self.high - self.low) * ((mixed + cells[h]) // 2) >> 16))
        error = (65536 * (y + 1) - mixed) * rate // 1024 - 64 * rate
        for k, slot in inputs:
            weights[k] += error * s[k]
            slot.learn(y, self.delay)
        d = 32 if self.i < 16384 else 64
        cells[h] += (65535 - cells[h]) // d if y else -(cells[h] // d)
        return y

    def finish(self):
        for k in range(5):
            unit = 1 << 32 - 8 * k
            x = (self.low + unit - 1) // unit * unit
            if x <= min(self.high, MASK):
                return bytes(self.out) + x.to_bytes(4, 'big')[:k]
        raise AssertionError


class Field:
    """The scales of section 9.7.3, and whatever else is kept for a row and its columns."""

    def __init__(self, plane, row):
        self.plane, self.row, self.columns, self.length = plane, 0, [0] * min(row, 16384), row

    def place(self, i):
        return i // self.length, i % self.length

    def column(self, j):
        return self.columns[j % 16384]

    def sum(self, j):
        return self.plane + self.row + self.column(j)

    def learn(self, i, number):
        r, j = self.place(i)
        g = score_of(number - self.sum(j))
        self.plane += cut(g * over(4 + min(i, 512)), 65536)
        self.row += cut(g * over(16 + min(j, 512)), 65536)
        self.columns[j % 16384] += cut(g * over(16 + min(r, 1023)), 65536)

    def ends(self, i):
        """Is value i the last one of its row?  Then the row's scale goes down by half."""
        if i % self.length != self.length - 1:
            return False
        self.row = cut(self.row, 2)
        return True


def exponents(v, w, row, centre):
    code, z = Encoder(5, 12, 25), 256 * centre
    s = Field(z + 256, row)
    mcol, mrow, near, last = [z] * min(row, 16384), z, z, z
    for i, value in enumerate(v):
        code.i, (r, j) = i, s.place(i)
        up, col = 256 * v[i - row] if r else z, j % 16384
        e = s.sum(j) - z
        q = cell(e, -1408, 64, 64)
        contexts = (cell(e, -1408, 16, 256), cell(s.row, -512, 32, 32) * 32 + cell(s.column(j), -512, 32, 32),
                    cell(near - z, -1024, 32, 64) * 8 + q // 4 % 8, cell(mcol[col] + mrow - 2 * z, -2048, 32, 128),
                    cell(last - z, -2048, 256, 16) * 16 + cell(up - z, -2048, 256, 16))

        def node(number, y):
            return code.bit(y, [(number, c) for c in contexts], (q // 4, number), (q, number))

        if node(0, value > centre):
            found = any(not node(20 + d, value > centre + d) for d in range(1, 11))
        else:
            found = any(not node(1 + d, value < centre - d) for d in range(19))
        if not found:
            u = 1
            for b in reversed(range(8)):
                u = 2 * u + code.bit(value >> b & 1, [('escape', u)], 'escape', 'escape')
        number = 256 * value
        s.learn(i, number)
        mcol[col] += cut((number - mcol[col]) * over(8 + min(r, 64)), 65536)
        mrow += cut((number - mrow) * over(8 + min(j, 128)), 65536)
        near += cut(number - near, 16)
        last = number
        if s.ends(i):
            mrow = cut(mrow + 3 * (s.plane - 256), 4)
    return code.finish()


def fit_row(s, numbers):
    """The scale of the row, from all its values; they are kept in `numbers`."""
    s.row = 0
    for _ in range(2):
        s.row += cut(sum(score_of(x - s.sum(j)) for j, x in enumerate(numbers)), len(numbers) + 16)


def mantissas(v, w, row, first, top, sign):
    """Raw bits and code bytes."""
    width = w - top - sign
    low = w - 1 - top
    raw = 0
    for i, value in enumerate(v):
        bits = value & (1 << low) - 1
        if not sign:
            bits |= value >> w - 1 << low
        raw |= bits << width * i
    raw = raw.to_bytes((len(v) * width + 7) // 8, 'little')

    code, numbers = Encoder(3, 3, 25), [256 * e for e in first]
    s = Field(sum(numbers) // len(v) + 256, row)
    rows = [numbers[a:a + row] for a in range(0, len(v), row)]
    if row < len(v):
        for r, one in enumerate(rows):
            fit_row(s, one)
            for j, x in enumerate(one):
                s.columns[j % 16384] += cut(score_of(x - s.sum(j)) * over(16 + min(r, 1023)), 65536)
    for i, value in enumerate(v):
        code.i, (r, j), e = i, s.place(i), first[i]
        if j == 0:
            fit_row(s, rows[r])
        a = cell(256 * e - s.sum(j), -2048, 32, 128)
        b = cell(256 * e - s.plane - s.row, -2048, 32, 128)
        u = 1
        for d in range(top):
            u = 2 * u + code.bit(value >> w - 2 - d & 1, [(u, a), (u, e), (u, b)], (a // 4, u % 16), u)
        if sign:
            left, above = v[i - 1] >> w - 1 if j else 2, v[i - row] >> w - 1 if r else 2
            code.bit(value >> w - 1, [('s', left, above), ('s', e), ('s', j % 4096)], ('s', left, above), 's')
    return raw, code.finish()


class Match:
    """Section 9.7.8: `at` and `length` say what is expected."""

    def __init__(self, v, least, forget):
        self.v, self.least, self.forget = v, least, forget
        self.at = self.length = self.hash = 0
        self.places = [0] * 16384

    def strength(self):
        if self.length < 16:
            return self.length
        return 15 if self.length < 32 else min(16 + self.length // 32, 31) if self.length < 480 else 31

    def update(self, i):
        v = self.v
        if self.length and v[self.at] == v[i]:
            self.at += 1
            self.length = min(self.length + 1, 65535)
        else:
            self.length = 0
        self.hash = ((self.hash << self.forget) * 789269575 + (v[i] + 1) * MULTIPLIER) & MASK
        if i + 1 >= self.least:
            h = self.hash >> 18
            if not self.length and self.places[h]:
                self.at = self.places[h]
                while self.length < min(400, self.at) and v[self.at - 1 - self.length] == v[i - self.length]:
                    self.length += 1
                if self.length < self.least:
                    self.length = 0
            self.places[h] = i + 1


def bits_of(x):
    return abs(x).bit_length()


def integers(v, w, row, zero, top):
    half = 1 << w - 1
    x = [(value - zero + half) % (2 * half) - half for value in v]
    code, s, match = Encoder(5, 64, 20, 11), Field(1280, row), Match(v, 6, 6)
    mcol, mrow, run = [0] * min(row, 16384), 0, 0
    for i, number in enumerate(x):
        code.i, (r, j) = i, s.place(i)
        left, up, up2 = x[i - 1] if j else 0, x[i - row] if r else 0, x[i - 2 * row] if r > 1 else 0
        e, col = s.sum(j), j % 16384
        q, c = cell(e, -256, 40, 64), cell(e + 110, 0, 256, w)
        contexts = ((2 * bits_of(left) - (left > 0)) * 17 + 2 * bits_of(up) - (up > 0),
                    cell(cut(mcol[col], 16), -256, 32, 16) * 8 + q // 2 % 8,
                    cell(cut(mrow, 16), -256, 32, 16) * 8 + q // 2 % 8, (up == 0) * 32 + (up2 == 0) * 16 + run)
        on, guess = match.length > 0, x[match.at] if match.length else 0

        def decide(y, node, kind, names, expected, name=None):
            nonlocal on
            first = (2 * match.strength() + int(expected), kind) if on else None
            s_ = (1 if match.length < 16 else 2 if match.length < 32 else 3) if on else 0
            code.bit(y, [first] + names, (s_, name or node), node)
            on = on and bool(y) == bool(expected)
            return y

        def about(k, kind, y, expected, inputs=4, name=None):
            return decide(y, 4 * k + kind, kind, [(4 * k + kind, one) for one in contexts[:inputs]], expected, name)

        size, wanted = bits_of(number), bits_of(guess)
        if about(c, 0, size > c, wanted > c, name=('run', run)):
            for k in range(c + 1, w):
                if not about(k, 1, size > k, wanted > k):
                    break
        else:
            for k in range(c, 0, -1):
                if not about(k, 2, size < k, wanted < k):
                    break
        if 0 < size < w:
            about(size, 3, number < 0, guess < 0, 2)
            u = 1
            for d, b in enumerate(reversed(range(size - 1))):
                y, slot = abs(number) >> b & 1, ('bits', q // 8, (1 << size - 1) + u)
                if d >= top:
                    code.coin(y)
                elif on:
                    decide(y, 32 + min(d, 3), 4 + min(d, 3), [slot], abs(guess) >> b & 1)
                else:
                    code.plain(y, 1, slot)
                u = 2 * u + y
        match.update(i)
        run = 0 if number else min(run + 1, 15)
        a, k = abs(number), size - 1
        s.learn(i, (256 * k + (a * 256 >> k) - 256 if a else -256) - 140)
        mcol[col] += cut((64 * number - mcol[col]) * over(4 + min(r, 60)), 65536)
        mrow += cut((64 * number - mrow) * over(8 + min(j, 120)), 65536)
        if s.ends(i):
            mrow = cut(mrow, 2)
    return code.finish()


def text(v, w):
    code, match = Encoder(7, 14, 16), Match(v, 4, 8)
    hashes, word, before = [0] * 6, 0, 0
    log = next(k for k in range(8, 16) if k == 15 or 1 << k >= 8 * len(v))
    for i, value in enumerate(v):
        code.i = i
        u = 1
        for b in range(8, 0, -1):
            m = 0
            if match.length and v[match.at] + 256 >> b == u:
                m = 2 * match.strength() + (v[match.at] >> b - 1 & 1)
            names = [('h', ((h ^ u * MULTIPLIER & MASK) * MULTIPLIER & MASK) >> 32 - log) for h in hashes] + [(m, b)]
            u = 2 * u + code.bit(value >> b - 1 & 1, names, m // 2, u)
        match.update(i)
        h = 0
        for k in range(1, min(6, i + 1) + 1):
            h = (h + v[i - k + 1] + 1) * 789269575 & MASK
            if k != 5:
                hashes[4 if k == 6 else k - 1] = h + k & MASK
        if 97 <= (value | 32) <= 122:
            word = (word + value) * MULTIPLIER & MASK
        elif not 48 <= value <= 57:
            before, word = word, value
        hashes[5] = word * 31 + before + (value == 58) & MASK
    return code.finish()


def fields(v, w, kind, row, first, centre, top, sign, zero):
    head = [('kind', bytes([KINDS.index(kind)]))]
    if kind == 'exponents':
        return head + [('parameter', bytes([centre])), ('code', exponents(v, w, row, centre))]
    if kind == 'mantissas':
        raw, code = mantissas(v, w, row, first, top, sign)
        return head + [('parameter', bytes([top | sign << 3])), ('raw', raw), ('code', code)]
    if kind == 'integers':
        return head + [('parameter', bytes([zero])), ('top', bytes([top])), ('code', integers(v, w, row, zero, top))]
    return head + [('code', text(v, w))]


def pieces(values, w, kind, row=None, first=None, centre=0, top=3, sign=0, zero=0):
    """The fields of a payload: (name, bytes).  `row`: the tile's, if it has one; `first`: the first plane's values."""
    v = list(values)
    made = fields(v, w, kind, row if row and row < len(v) else len(v), first, centre, top, sign, zero)
    return made + [('fill', bytes(max(0, len(v) // 128 - sum(len(one) for _, one in made))))]
