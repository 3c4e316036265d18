"""The coder mix, for refdecode.py: written from section 9.7 of the format's text alone."""

KNOT = [24, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768, 40793,
        47911, 53581, 57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65512]
SCORE = [-228, -227, -227, -226, -226, -225, -223, -222, -221, -219, -217, -214, -211, -207, -203, -198,
         -192, -185, -177, -167, -156, -142, -126, -108, -87, -63, -35, -3, 33, 73, 118, 168,
         222, 280, 343, 408, 476, 545, 615, 684, 752, 817, 879, 937, 991, 1040, 1084, 1124,
         1159, 1191, 1218, 1242, 1263, 1280, 1296, 1309, 1320, 1330, 1338, 1345, 1351, 1356, 1360, 1363]
INPUTS = [5, 3, 5, 7]           # of a kind
SUM = [1207959552, 1207959552, 1476395008, 1207959552]
DELAY = [25, 25, 20, 16]
FLOOR = [12, 3, 64, 14]
COLUMNS = 16384
G = 2654435761
K = 789269575
M32 = 0xFFFFFFFF


class Broken(Exception):
    """The plane breaks a rule."""


def div(a, b):
    """Division that drops the fraction."""
    return a // b if a >= 0 else -(-a // b)


def clamp(x, low, high):
    return max(low, min(x, high))


def class_of(x, start, size, count):
    return clamp(x - start, 0, size * count - 1) // size


def score(d):
    return SCORE[clamp(d + 1024, 0, 2047) // 32]


def recip(k):
    return 65536 // k


def make_squash():
    table = []
    for i in range(4096):
        k, f = divmod(i, 128)
        table.append(KNOT[k] + ((KNOT[k + 1] - KNOT[k]) * f + 64) // 128)
    return table


def make_stretch(squash):
    table, x = [], 0
    for i in range(4096):
        while x < 4095 and squash[x] >> 4 < i:
            x += 1
        table.append(x - 2048)
    return table


SQUASH = make_squash()
STRETCH = make_stretch(SQUASH)


class Coder:
    """The decoder of bits: section 9.7.2.  Slots, weight sets and refinements are made when they are named."""

    def __init__(self, data, kind):
        self.data, self.at, self.past = data, 0, 0
        self.low, self.high, self.code = 0, M32, 0
        self.weight, self.floor = SUM[kind] // INPUTS[kind], FLOOR[kind]
        self.step = [655360 // (10 * c + DELAY[kind]) for c in range(1024)]
        self.slots, self.weights, self.refinements = {}, {}, {}
        for _ in range(4):
            self.next_byte()

    def next_byte(self):
        byte = 0
        if self.at < len(self.data):
            byte = self.data[self.at]
            self.at += 1
        else:
            self.past += 1
        self.code = (self.code << 8 | byte) & M32

    def take(self, middle):
        bit = int(self.code <= middle)
        if bit:
            self.high = middle
        else:
            self.low = middle + 1
        while self.low >> 24 == self.high >> 24:
            self.low = self.low << 8 & M32
            self.high = (self.high << 8 | 255) & M32
            self.next_byte()
        return bit

    def coin(self):
        return self.take(self.low + (self.high - self.low) // 2)

    def slot(self, name):
        return self.slots.setdefault(name, [1 << 21, 0])

    def learn(self, slot, y):
        g = (1 << 22) - 1 - slot[0] if y else slot[0]
        g -= (1024 * g + slot[1]) * self.step[slot[1]] >> 26
        slot[0] = (1 << 22) - 1 - g if y else g
        slot[1] = min(slot[1] + 1, 1023)

    def plain(self, name):
        slot = self.slot(name)
        y = self.take(self.low + ((self.high - self.low) * clamp(slot[0] >> 6, 32, 65503) >> 16))
        self.learn(slot, y)
        return y

    def bit(self, names, weight_set, refinement, i):
        """`names`: the slots' by the numbers of the inputs."""
        rate = self.floor + (9600 // (16 + i) if i < 9600 else 0)
        slots = {k: self.slot((k, name)) for k, name in names.items()}
        w = self.weights.setdefault(weight_set, {})
        a = self.refinements.setdefault(refinement, [SQUASH[128 * h + 64] for h in range(32)])
        s = {k: STRETCH[slot[0] >> 10] for k, slot in slots.items()}
        total = (1 << 41) + sum(w.setdefault(k, self.weight) * s[k] for k in s)
        t = max(1, min(total >> 30, 4095))
        m, h = SQUASH[t], t // 128
        y = self.take(self.low + ((self.high - self.low) * ((m + a[h]) // 2) >> 16))
        e = ((65536 * (y + 1) - m) * rate >> 10) - 64 * rate
        for k, slot in slots.items():
            w[k] += e * s[k]
            self.learn(slot, y)
        d = 32 if i < 16384 else 64
        a[h] = a[h] + (65535 - a[h]) // d if y else a[h] - a[h] // d
        return y

    def finish(self, least):
        """`least`: bytes that stand here at least, the last ones for nothing but that."""
        for k in range(4):
            unit = 1 << (32 - 8 * k)
            x = (self.low + unit - 1) // unit * unit
            if x <= self.high and x < 1 << 32:
                break
        else:
            k, x = 4, self.low
        size = self.at + self.past - (4 - k)
        if self.code != x or len(self.data) != max(size, least) or any(self.data[size:]):
            raise Broken("a mix plane does not end where it must")


class Scales:
    """Section 9.7.3."""

    def __init__(self, plane):
        self.plane, self.row, self.column = plane, 0, {}

    def col(self, j):
        return self.column.get(j % COLUMNS, 0)

    def learn(self, number, i, j, r):
        c = self.col(j)
        g = score(number - (self.plane + self.row + c))
        self.plane += div(g * recip(4 + min(i, 512)), 65536)
        self.row += div(g * recip(16 + min(j, 512)), 65536)
        self.column[j % COLUMNS] = c + div(g * recip(16 + min(r, 1023)), 65536)


class Match:
    """Section 9.7.8."""

    def __init__(self, least, forget):
        self.at = self.length = self.hash = 0
        self.place = {}
        self.least, self.forget = least, forget

    def strength(self):
        n = self.length
        return n if n < 16 else 15 if n < 32 else 16 + n // 32 if n < 480 else 31

    def update(self, v, i):
        if self.length and v[self.at] == v[i]:
            self.at += 1
            self.length = min(self.length + 1, 65535)
        else:
            self.length = 0
        self.hash = ((self.hash << self.forget) * K + (v[i] + 1) * G) & M32
        if i + 1 < self.least:
            return
        h = self.hash >> 18
        if self.length == 0 and self.place.get(h, 0):
            self.at, n = self.place[h], 0
            while n < 400 and n < self.at and v[self.at - 1 - n] == v[i - n]:
                n += 1
            self.length = n if n >= self.least else 0
        self.place[h] = i + 1


def exponents(data, width, n, row, v):
    c = data[0] if data else 256
    if c >> width:
        raise Broken("the centre of a mix plane")
    coder, z = Coder(data[1:], 0), 256 * c
    s = Scales(z + 256)
    mcol, mrow, near, last = {}, z, z, z
    for i in range(n):
        r, j = divmod(i, row)
        up = 256 * v[i - row] if r else z
        col, mc = s.col(j), mcol.get(j % COLUMNS, z)
        big = s.plane + s.row + col - z
        q = class_of(big, -1408, 64, 64)
        contexts = [class_of(big, -1408, 16, 256),
                    class_of(s.row, -512, 32, 32) * 32 + class_of(col, -512, 32, 32),
                    class_of(near - z, -1024, 32, 64) * 8 + q // 4 % 8,
                    class_of(mc + mrow - 2 * z, -2048, 32, 128),
                    class_of(last - z, -2048, 256, 16) * 16 + class_of(up - z, -2048, 256, 16)]

        def node(number):
            return coder.bit({k: (x, number) for k, x in enumerate(contexts)}, (q // 4, number), (q, number), i)

        value = None
        if node(0):
            for d in range(1, 11):
                if not node(20 + d):
                    value = c + d
                    break
        else:
            for d in range(19):
                if not node(1 + d):
                    value = c - d
                    break
        if value is None:
            u = 1
            for _ in range(8):
                u = 2 * u + coder.bit({0: ("escape", u)}, "escape", "escape", i)
            value = u & 255
        value &= (1 << width) - 1
        v.append(value)
        number = 256 * value
        s.learn(number, i, j, r)
        mcol[j % COLUMNS] = mc + div((number - mc) * recip(8 + min(r, 64)), 65536)
        mrow += div((number - mrow) * recip(8 + min(j, 128)), 65536)
        near += div(number - near, 16)
        last = number
        if j == row - 1:
            s.row = div(s.row, 2)
            mrow = div(mrow + 3 * (s.plane - 256), 4)
    return coder


def fit(s, e, start, count):
    s.row = 0
    for _ in range(2):
        s.row += div(sum(score(256 * e[start + j] - (s.plane + s.row + s.col(j))) for j in range(count)), count + 16)


def mantissas(data, width, n, row, e, v):
    if e is None or not data:
        raise Broken("a mix plane without exponents")
    top, sign = data[0] & 7, data[0] >> 3
    if sign > 1 or top + sign == 0 or top >= width:
        raise Broken("the parameter of a mix plane")
    b = width - top - sign
    size = (n * b + 7) // 8
    if len(data) - 1 < size:
        raise Broken("a mix plane ends too early")
    raw = int.from_bytes(data[1:1 + size], "little")
    if raw >> (n * b):
        raise Broken("filling bits")
    coder = Coder(data[1 + size:], 1)
    s = Scales(256 * sum(e) // n + 256)
    if row < n:
        for start in range(0, n, row):
            count = min(row, n - start)
            fit(s, e, start, count)
            for j in range(count):
                c = s.col(j)
                g = score(256 * e[start + j] - (s.plane + s.row + c))
                s.column[j % COLUMNS] = c + div(g * recip(16 + min(start // row, 1023)), 65536)
    for i in range(n):
        r, j = divmod(i, row)
        if j == 0:
            fit(s, e, i, min(row, n - i))
        big = class_of(256 * e[i] - (s.plane + s.row + s.col(j)), -2048, 32, 128)
        in_row = class_of(256 * e[i] - (s.plane + s.row), -2048, 32, 128)
        u = 1
        for _ in range(top):
            u = 2 * u + coder.bit({0: (big, u), 1: (e[i], u), 2: (in_row, u)}, (big // 4, u % 16), u, i)
        bits = raw >> (b * i) & ((1 << b) - 1)
        low = width - 1 - top
        value = (u - (1 << top)) << low | (bits & ((1 << low) - 1))
        if sign:
            left = v[i - 1] >> (width - 1) if j else 2
            up = v[i - row] >> (width - 1) if r else 2
            negative = coder.bit({0: ("sign", left, up), 1: ("sign", e[i]), 2: ("sign", j % 4096)},
                                 ("sign", left, up), "sign", i)
        else:
            negative = bits >> low
        v.append(value | negative << (width - 1))
    return coder


def size_of(x):
    return abs(x).bit_length()


def integers(data, width, n, row, v):
    if len(data) < 2 or data[0] >> width or data[1] > 7:
        raise Broken("the parameters of a mix plane")
    zero, top, half = data[0], data[1], 1 << (width - 1)
    coder, s, match = Coder(data[2:], 2), Scales(1280), Match(6, 6)
    mcol, mrow, run = {}, 0, 0

    def number(at):
        return (v[at] - zero + half) % (2 * half) - half

    def signed_size(x):
        return 2 * size_of(x) - (x > 0)

    for i in range(n):
        r, j = divmod(i, row)
        left = number(i - 1) if j else 0
        up = number(i - row) if r else 0
        up2 = number(i - 2 * row) if r > 1 else 0
        mc, log = mcol.get(j % COLUMNS, 0), s.plane + s.row + s.col(j)
        q = class_of(log, -256, 40, 64)
        centre = class_of(log + 110, 0, 256, width)
        contexts = [signed_size(left) * 17 + signed_size(up),
                    class_of(div(mc, 16), -256, 32, 16) * 8 + q // 2 % 8,
                    class_of(div(mrow, 16), -256, 32, 16) * 8 + q // 2 % 8,
                    (up == 0) * 32 + (up2 == 0) * 16 + run]
        state = {"on": match.length > 0, "x": number(match.at) if match.length else 0}
        expected = state["x"]

        def decide(slots, node, name, kind, guess):
            """`slots`: those of the inputs from 1 on."""
            n_match, strength, slots = match.length, 0, {k + 1: slot for k, slot in enumerate(slots)}
            if state["on"]:
                slots[0] = (2 * match.strength() + int(guess), kind)
                strength = 1 if n_match < 16 else 2 if n_match < 32 else 3
            bit = coder.bit(slots, (strength,) + name, node, i)
            if bit != int(guess):
                state["on"] = False
            return bit

        def of_size(k, kind, inputs, guess, *name):
            node = 4 * k + kind
            return decide([(x, node) for x in contexts[:inputs]], node, name or (node,), kind, guess)

        k = centre
        if of_size(centre, 0, 4, size_of(expected) > k, "first", run):
            k += 1
            while k < width and of_size(k, 1, 4, size_of(expected) > k):
                k += 1
        else:
            while k > 0 and of_size(k, 2, 4, size_of(expected) < k):
                k -= 1
        if k == 0:
            x = 0
        elif k == width:
            x = -half
        else:
            negative = of_size(k, 3, 2, expected < 0)
            a, rest, depth = 1, k - 1, 0
            while rest and depth < top:
                rest -= 1
                slot, d = ("bits", q // 8, (1 << (k - 1)) + a), min(depth, 3)
                a = 2 * a + (decide([slot], 32 + d, (32 + d,), 4 + d, abs(expected) >> rest & 1) if state["on"]
                             else coder.plain((1, slot)))
                depth += 1
            for _ in range(rest):
                a = 2 * a + coder.coin()
            x = -a if negative else a
        v.append((x + zero) % (2 * half))
        run = 0 if x else min(run + 1, 15)
        match.update(v, i)
        a, k = abs(x), size_of(x) - 1
        s.learn((256 * k + (a * 256 >> k) - 256 if a else -256) - 140, i, j, r)
        mcol[j % COLUMNS] = mc + div((64 * x - mc) * recip(4 + min(r, 60)), 65536)
        mrow += div((64 * x - mrow) * recip(8 + min(j, 120)), 65536)
        if j == row - 1:
            s.row, mrow = div(s.row, 2), div(mrow, 2)
    return coder


def text(data, width, n, v):
    if width != 8:
        raise Broken("a mix plane of text that is no bytes")
    coder, match = Coder(data, 3), Match(4, 8)
    hashes, word, before, log = [0] * 6, 0, 0, 8
    while log < 15 and 1 << log < 8 * n:
        log += 1
    for i in range(n):
        u, x = 1, v[match.at] if match.length else 0
        for b in range(8, 0, -1):
            m = 0
            if match.length and (x + 256) >> b == u:
                m = 2 * match.strength() + (x >> (b - 1) & 1)
            names = [((h ^ (u * G & M32)) * G & M32) >> (32 - log) for h in hashes]
            names.append((m, b))
            u = 2 * u + coder.bit(dict(enumerate(names)), m // 2, u, i)
        c = u & 255
        v.append(c)
        match.update(v, i)
        h = 0
        for k in range(1, 7):
            if k > i + 1:
                break
            h = (h + v[i - k + 1] + 1) * K & M32
            if k <= 4:
                hashes[k - 1] = (h + k) & M32
            elif k == 6:
                hashes[4] = (h + 6) & M32
        if 97 <= c | 32 <= 122:
            word = (word + c) * G & M32
        elif not 48 <= c <= 57:
            before, word = word, c
        hashes[5] = (word * 31 + before + (c == 58)) & M32
    return coder


def decode(data, width, n, row, first):
    """The n values of a plane.  `row`: 0: not given; `first`: the first plane's values, None for the first."""
    if len(data) < 2 or data[0] > 3:
        raise Broken("the head of a mix plane")
    if not 0 < row < n:
        row = n
    if len(data) < n // 128:
        raise Broken("a mix plane is too small for its values")
    v = []
    if data[0] == 0:
        coder = exponents(data[1:], width, n, row, v)
    elif data[0] == 1:
        coder = mantissas(data[1:], width, n, row, first, v)
    elif data[0] == 2:
        coder = integers(data[1:], width, n, row, v)
    else:
        coder = text(data[1:], width, n, v)
    coder.finish(n // 128 - (len(data) - len(coder.data)))
    return v
