#!/usr/bin/env python3
"""Tests of amalgamate/amalgamate.py, on copies with small parts of their own: what it writes, what
--check finds, and every fault that it must refuse."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOOL = Path(__file__).resolve().parent.parent / "amalgamate" / "amalgamate.py"

PARTS = {
    "00_identity.txt": "demo - v1\nGenerated.\n",
    "10_doc.txt": "What it is.\n",
    "30_api.h": "#ifndef WCODEC_H\n#define WCODEC_H\nint wcodec_one(void);\n#endif\n",
    "39_impl_begin.h": "#ifdef WCODEC_IMPLEMENTATION\n",
    "40_a.h": "#define WCODECI_B 1\n#define WCODECI_A 2\n"
              "typedef struct wcodeci_t {\n    int x;\n} wcodeci_t;\n",
    "50_b.c": "#if 1\n#define WCODECI_A 3\n#endif\n/* static int other(void) { } */\n"
              "static int wcodeci_one(int a,\n                       int b)\n{\n    return a + b;\n}\n",
    "95_impl_end.h": "/* amalgamate.py: #undef of every WCODECI_ macro */\n#endif\n",
    "99_licence.txt": "Do as you like.\n",
}

EXPECTED = """\
/* demo - v1
   Generated. */

/* ---- part: amalgamate/parts/10_doc.txt ----

What it is.
*/

/* ---- part: amalgamate/parts/30_api.h ---- */

#ifndef WCODEC_H
#define WCODEC_H
int wcodec_one(void);
#endif

/* ---- part: amalgamate/parts/39_impl_begin.h ---- */

#ifdef WCODEC_IMPLEMENTATION

/* ---- part: amalgamate/parts/40_a.h ---- */

#define WCODECI_B 1
#define WCODECI_A 2
typedef struct wcodeci_t {
    int x;
} wcodeci_t;

/* ---- part: amalgamate/parts/50_b.c ---- */

#if 1
#define WCODECI_A 3
#endif
/* static int other(void) { } */
static int wcodeci_one(int a,
                       int b)
{
    return a + b;
}

/* ---- part: amalgamate/parts/95_impl_end.h ---- */

#undef WCODECI_B
#undef WCODECI_A
#endif

/* ---- part: amalgamate/parts/99_licence.txt ----

Do as you like.
*/
"""

# What is appended to (or, with None, done to) a part, and what the tool must then say.
REFUSED = (
    ("10_doc.txt", "a */ b\n", "10_doc.txt:2: */ inside a text part"),
    ("10_doc.txt", "a /* b\n", "10_doc.txt:2: /* inside a text part"),
    ("10_doc.txt", "tab\there\n", "10_doc.txt:2: a tab"),
    ("10_doc.txt", "return\r\n", "10_doc.txt:2: a tab, a control character"),
    ("10_doc.txt", "space \n", "10_doc.txt:2: trailing white space"),
    ("10_doc.txt", "caf\u00e9\n", "10_doc.txt:2: a tab, a control character or not ASCII"),
    ("10_doc.txt", "no end", "10_doc.txt:2: no newline at the end"),
    ("99_licence.txt", "Not quite.\n", "is not the text of LICENSE"),
    ("50_b.c", '#include "x.h"\n', '50_b.c:10: local #include "'),
    ("50_b.c", '# include "x.h"\n', '50_b.c:10: local #include "'),
    ("50_b.c", "static int two(void)\n{\n    return 2;\n}\n", "50_b.c:10: function two lacks"),
    ("50_b.c", "void *two(void) { return 0; }\n", "50_b.c:10: function two lacks"),
    ("50_b.c", "static const char *const names[] = { 0 };\n", "50_b.c:10: object names lacks"),
    ("50_b.c", "static int counter;\n", "50_b.c:10: object counter lacks"),
    ("50_b.c", "struct pair { int a, b; };\n", "50_b.c:10: tag pair lacks"),
    ("50_b.c", "typedef struct { int a; } pair;\n", "50_b.c:10: type pair lacks"),
    ("50_b.c", "typedef struct wcodeci_p {\n    int a;\n} pair;\n", "50_b.c:12: type pair lacks"),
    ("50_b.c", "typedef unsigned char u8;\n", "50_b.c:10: type u8 lacks"),
    ("50_b.c", "typedef int (*call)(int);\n", "50_b.c:10: type call lacks"),
    ("50_b.c", "enum { WCODECI_X = 1, OTHER };\n", "50_b.c:10: constant OTHER lacks"),
    ("50_b.c", "#define MIN(a, b) 0\n", "50_b.c:10: macro MIN lacks"),
    ("50_b.c", "#  define MIN 0\n", "50_b.c:10: macro MIN lacks"),
    ("40_a.h", "static int wcodeci_one(int a) { return a; }\n", "wcodeci_one is defined in 40_a.h too"),
    ("30_api.h", "#define WCODECI_LATER 1\n", "WCODECI_LATER is defined outside the implementation"),
    ("95_impl_end.h", None, "the line /* amalgamate.py: #undef of every WCODECI_ macro */ is missing"),
    ("40_a.h", None, "parts/40_a.h: is in manifest.txt but does not exist"),
    ("41_new.h", "int wcodeci_new;\n", "parts/41_new.h: is not in manifest.txt"),
)


class Tests:
    """Counts checks, prints those that fail."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, holds, what):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"  does not hold: {what}")


def make_tree(root):
    """A copy of the tool with the small parts."""
    parts = root / "amalgamate" / "parts"
    parts.mkdir(parents=True)
    shutil.copy(TOOL, root / "amalgamate")
    for name, text in PARTS.items():
        (parts / name).write_text(text, encoding="utf-8")
    (root / "LICENSE").write_text(PARTS["99_licence.txt"], encoding="utf-8")
    (root / "amalgamate" / "manifest.txt").write_text("# parts\n" + "\n".join(PARTS) + "\n", encoding="utf-8")


def run(root, *args):
    """(exit code, what it printed)"""
    done = subprocess.run([sys.executable, root / "amalgamate" / "amalgamate.py", *args], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def test_output(tests, root):
    make_tree(root)
    header, dev = root / "wcodec.h", root / "amalgamate" / "wcodec_dev.c"
    code, said = run(root, "--check")
    remedy = "wcodec.h is missing; this writes it: python3 amalgamate/amalgamate.py"
    tests.check(code == 1 and remedy in said, f"missing: {said}")
    tests.check(not header.exists() and not dev.exists(), "--check writes nothing")
    tests.check(run(root) == (0, ""), "it writes without a word")
    tests.check(header.read_bytes() == EXPECTED.encode(), "wcodec.h is as expected")
    includes = [line for line in dev.read_text(encoding="ascii").splitlines() if line.startswith("#include")]
    tests.check(includes == [f'#include "parts/{name}"' for name in ("30_api.h", "40_a.h", "50_b.c")],
                f"wcodec_dev.c includes the code parts: {includes}")
    tests.check(run(root, "--check") == (0, ""), "--check is content with it")
    listed = "".join(f"amalgamate/parts/{name}\n" for name in PARTS)
    tests.check(run(root, "--list") == (0, listed), "--list prints the parts")
    for path in (header, dev):
        good = path.read_bytes()
        path.write_bytes(good + b"\n")
        code, said = run(root, "--check")
        tests.check(code == 1 and f"{path.name} is stale; this writes it" in said, f"stale: {said}")
        path.write_bytes(good)


def test_refused(tests, root, case):
    name, addition, message = case
    make_tree(root)
    path = root / "amalgamate" / "parts" / name
    if addition is not None:
        before = path.read_bytes() if path.exists() else b""
        path.write_bytes(before + addition.encode())
    elif name == "95_impl_end.h":
        path.write_text("#endif\n", encoding="ascii")
    else:
        path.unlink()
    for args in ((), ("--check",)):
        code, said = run(root, *args)
        tests.check(code == 1 and message in said, f"{name} + {addition!r} {args} says {message!r}: {said}")
    tests.check(not (root / "wcodec.h").exists(), f"{name} + {addition!r}: nothing is written")


def test_listed_twice(tests, root):
    make_tree(root)
    manifest = root / "amalgamate" / "manifest.txt"
    manifest.write_text(manifest.read_text(encoding="ascii") + "40_a.h\n", encoding="ascii")
    code, said = run(root)
    tests.check(code == 1 and "40_a.h is listed twice" in said, f"listed twice: {said}")


def main():
    tests = Tests()
    with tempfile.TemporaryDirectory() as temporary:
        test_output(tests, Path(temporary) / "output")
        test_listed_twice(tests, Path(temporary) / "twice")
        for number, case in enumerate(REFUSED):
            test_refused(tests, Path(temporary) / f"refused{number}", case)
    print(f"{tests.passed} passed, {tests.failed} failed")
    return tests.failed != 0


if __name__ == "__main__":
    sys.exit(main())
