#!/bin/sh
# Compiles wcodec.h in every way that it promises to compile, and looks at what comes of it.
# Each thing tried is a test; what is missing on this machine is skipped.  Prints "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1

out=${BUILD:-build}/compile
rm -rf "$out"
mkdir -p "$out"
src=tests/compile
passed=0 failed=0 skipped=0

WARN="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wcast-align -Wundef
      -Wdouble-promotion -Wstrict-aliasing -Wvla -Wmissing-field-initializers -Wmissing-declarations -Werror"
WARN_C="$WARN -Wmissing-prototypes -Wstrict-prototypes"
POSIX="-D_DEFAULT_SOURCE -D_FILE_OFFSET_BITS=64"

# try NAME COMMAND ...: a test that passes if the command succeeds.
try() {
    name=$1
    shift
    if "$@" >"$out/try.log" 2>&1; then
        passed=$((passed + 1))
        return 0
    fi
    failed=$((failed + 1))
    echo "FAILED $name"
    echo "  $*"
    head -n 20 "$out/try.log" | sed 's/^/    /'
    return 1
}

skip() {
    echo "skipped: $1"
    skipped=$((skipped + 1))
}

# same NAME WANTED FOUND: a test that passes if the two texts are equal.
same() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $1"
        printf '%s\n' "$2" >"$out/wanted"
        printf '%s\n' "$3" >"$out/found"
        diff "$out/wanted" "$out/found" | head -n 20 | sed 's/^/    /'
    fi
}

has() { command -v "$1" >/dev/null 2>&1; }

# The C++ compiler that belongs to a C compiler.
cxx_of() { case $1 in gcc) echo g++ ;; *) echo clang++ ;; esac; }

# compile_c COMPILER OPTIONS ...: a test that the file compiles without a warning.  Warnings as for C; C++
# has no prototypes to miss.
compile_c() { tool=$1; shift; try "$tool $*" "$tool" $WARN_C "$@"; }
compile_cxx() { tool=$1; shift; try "$tool $*" "$tool" $WARN "$@"; }

# ---- languages and optimisation levels ----

standards() {
    for level in -O0 -O3; do
        for std in c99 c11; do
            compile_c "$1" -std=$std $level -c -o "$out/$1-$std$level.o" $src/impl.c
        done
        for std in c++11 c++17 c++20; do
            has "$(cxx_of "$1")" || continue
            compile_cxx "$(cxx_of "$1")" -x c++ -std=$std $level -c -o "$out/$1-$std$level.o" $src/impl.c
        done
    done
    has "$(cxx_of "$1")" || skip "$(cxx_of "$1") is not installed"
}

# C and C++ users of an implementation in the one or the other language.
mixed() {
    cxx=$(cxx_of "$1")
    compile_c "$1" -std=c99 -O1 -c -o "$out/user-c.o" $src/user.c
    try "$1: C uses C" "$1" -o "$out/user" "$out/user-c.o" "$out/$1-c99-O3.o" && try "$1: it runs" "$out/user"
    has "$cxx" || return
    compile_cxx "$cxx" -x c++ -std=c++11 -O1 -c -o "$out/user-cxx.o" $src/user.c
    for user in c cxx; do
        for impl in c99 c++11; do
            [ $user$impl = cc99 ] && continue
            try "$1: $user uses $impl" "$cxx" -o "$out/user" "$out/user-$user.o" "$out/$1-$impl-O3.o" \
                && try "$1: $user with $impl runs" "$out/user"
        done
    done
}

thirty_two_bits() {
    if ! printf '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n' \
            | "$1" -m32 -x c -o "$out/m32" - 2>/dev/null || ! "$out/m32" >/dev/null; then
        skip "$1 -m32 does not work here (Debian: gcc-multilib)"
        return
    fi
    for level in -O0 -O3; do
        compile_c "$1" -m32 -std=c99 $level -c -o "$out/m32$level.o" $src/impl.c
    done
    compile_c "$1" -m32 -std=c99 -O2 -o "$out/m32" $src/user.c "$out/m32-O3.o" \
        && try "$1 -m32: runs" "$out/m32"
}

# ---- configuration ----

configurations() {
    for options in -DWCODEC_NO_MIX "-DWCODEC_NO_MIX -DWCODEC_NO_ENCODER" -DWCODEC_NO_SIMD \
            -DWCODEC_NO_LZ "-DWCODEC_NO_LZ -DWCODEC_NO_ENCODER" "-DWCODEC_NO_LZ -DWCODEC_NO_MIX" \
            "-DWCODEC_NO_SIMD -DWCODEC_NO_ENCODER" -DWCODEC_NO_MALLOC \
            -DWCODEC_NO_ENCODER "-DWCODEC_NO_MALLOC -DWCODEC_NO_ENCODER" \
            -DWCODEC_STATIC "-DWCODEC_STATIC -DWCODEC_NO_MALLOC -DWCODEC_NO_ENCODER"; do
        compile_c "$1" -std=c99 -O2 $options -c -o "$out/config.o" $src/impl.c
    done
    compile_c "$1" -std=c99 -O2 -c -o "$out/static_b.o" $src/static_b.c
    compile_c "$1" -std=c99 -O2 -o "$out/static" $src/static_a.c "$out/static_b.o" \
        && try "$1: static in two files runs" "$out/static"
    compile_c "$1" -std=c99 -O2 -o "$out/twice" $src/twice.c && try "$1: included twice runs" "$out/twice"
    # The debugger's variant shows the parts' own names.
    compile_c "$1" -std=c99 -O0 -c -o "$out/dev.o" amalgamate/wcodec_dev.c
    # What the guarantees say of the stack.
    for level in -O1 -Os -O2 -O3; do
        compile_c "$1" -std=c99 $level -DWCODEC_NO_ENCODER -Wframe-larger-than=2048 \
            -c -o "$out/frame.o" $src/impl.c
    done
}

# ---- what is left behind: symbols and macros ----

# The functions that the header declares, and the symbols that an object defines or needs.
declared() { sed -n 's/^WCODEC_API [^(]*[ *]\(wcodec_[a-z0-9_]*\)(.*/\1/p' wcodec.h | sort -u; }
defined() { nm -g --defined-only "$1" | awk 'NF == 3 { print $3 }' | sort -u; }
needed() { nm -u "$1" | awk '{ print $NF }' | sort -u | without '_GLOBAL_OFFSET_TABLE_|__stack_chk_fail'; }
without() { grep -vxE "$1" || true; }

symbols() {
    library="mem(cpy|set|move|cmp)|strlen|bcmp"     # bcmp: what clang makes of memcmp(...) == 0
    "$1" -std=c99 -O2 -c -o "$out/sym.o" $src/impl.c
    same "$1: the object defines what the header declares" "$(declared)" "$(defined "$out/sym.o")"
    same "$1: the object needs malloc and free" "free
malloc" "$(needed "$out/sym.o" | without "$library")"
    "$1" -std=c99 -O2 -DWCODEC_NO_MALLOC -c -o "$out/sym.o" $src/impl.c
    same "$1: WCODEC_NO_MALLOC needs nothing" "" "$(needed "$out/sym.o" | without "$library")"
    "$1" -std=c99 -O2 -DWCODEC_NO_ENCODER -c -o "$out/sym.o" $src/impl.c
    same "$1: WCODEC_NO_ENCODER has no writer" "" "$(defined "$out/sym.o" | grep -E 'writer|plan|encode')"
    "$1" -std=c99 -O2 -DWCODEC_STATIC -c -o "$out/sym.o" $src/impl.c
    same "$1: WCODEC_STATIC defines nothing" "" "$(defined "$out/sym.o")"
}

macros() { "$1" -std=c99 -dM -E "$2" | awk '{ print $2 }' | sed 's/(.*//' | sort -u; }

macros_left() {
    macros "$1" $src/empty.c >"$out/before"
    macros "$1" $src/impl.c >"$out/after"
    left=$(comm -13 "$out/before" "$out/after")
    same "$1: macros left defined begin with WCODEC_" "" "$(echo "$left" | without 'WCODEC_[A-Z0-9_]*')"
    same "$1: the public ones are there" "WCODEC_VERSION" "$(echo "$left" | grep -x WCODEC_VERSION)"
}

# ---- snippets and examples ----

# The lines of the quick start in the header (indented by four), and of the first C block of the README.
header_snippet() {
    awk '/^    #define WCODEC_IMPLEMENTATION/ { on = 1 } on && /^[^ ]/ { exit } on' wcodec.h | sed 's/^    //'
}
readme_snippet() { awk '/^```c$/ { on = 1; next } /^```$/ { if (on) exit } on' README.md; }

snippets() {
    header_snippet >"$out/header_snippet.c"
    readme_snippet >"$out/readme_snippet.c"
    same "README.md shows the header's quick start" \
        "$(cat "$out/header_snippet.c")" "$(cat "$out/readme_snippet.c")"
    for which in header readme; do
        cat "$out/${which}_snippet.c" $src/quickstart_main.c >"$out/$which.c"
        compile_c "$1" -std=c99 -O1 -I. -o "$out/$which" "$out/$which.c" \
            && try "$which snippet runs" "$out/$which"
        if has "$(cxx_of "$1")"; then
            compile_cxx "$(cxx_of "$1")" -x c++ -std=c++11 -O1 -I. -o "$out/$which" "$out/$which.c" \
                && try "$which snippet runs as C++" "$out/$which"
        fi
    done
}

examples() {
    for file in examples/*.c examples/*/*.c; do
        [ -f "$file" ] || continue
        compile_c "$1" -std=c99 -O2 $POSIX -Wno-sign-conversion -c -o "$out/example.o" "$file"
    done
}

for compiler in gcc clang; do
    if ! has $compiler; then
        skip "$compiler is not installed"
        continue
    fi
    standards $compiler
    mixed $compiler
    thirty_two_bits $compiler
    configurations $compiler
    symbols $compiler
    macros_left $compiler
    snippets $compiler
    examples $compiler
done
if has clang; then
    for option in "" -DWCODEC_STATIC; do
        try "clang -Wreserved-identifier $option" \
            clang -std=c99 -Wreserved-identifier -Werror $option -fsyntax-only $src/impl.c
    done
fi

printf '%d passed, %d failed' $passed $failed
[ $skipped -eq 0 ] || printf ', %d skipped' $skipped
printf '\n'
[ $failed -eq 0 ]
