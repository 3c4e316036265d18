#!/bin/sh
# Runs tests on other processors, under qemu's user mode: the golden containers decode and the encoder makes the
# same bytes on big-endian and on 32-bit machines.  What is not installed is skipped.
#
#   tests/cross.sh          BUILD: the folder for what is built (default: build)
#
# Debian: gcc-s390x-linux-gnu, gcc-aarch64-linux-gnu, libc6-dev-s390x-cross, libc6-dev-arm64-cross, gcc-multilib,
# qemu-user-static.  The last line is "N passed, N failed[, N skipped]".
set -u
build=${BUILD:-build}/cross
mkdir -p "$build"
passed=0 failed=0 skipped=0

# cross NAME COMPILER... -- EMULATOR
cross() {
    name=$1
    shift
    compiler=
    while [ "$1" != -- ]; do
        compiler="$compiler $1"
        shift
    done
    emulator=${2:-}
    if ! echo 'int main(void) { return 0; }' | $compiler -static -x c -o "$build/probe" - 2>/dev/null \
        || ! $emulator "$build/probe" 2>/dev/null; then
        echo "skipped: $name: no compiler, C library or emulator"
        skipped=$((skipped + 1))
        return
    fi
    for test in test_same_bytes test_golden test_format_example test_crc test_sha256 test_kernels; do
        if $compiler -static -std=c99 -O1 -D_DEFAULT_SOURCE -o "$build/$name-$test" "tests/$test.c" -pthread \
            && $emulator "$build/$name-$test" >"$build/$name-$test.log" 2>&1; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "FAILED $name $test"
            tail -n 20 "$build/$name-$test.log"
        fi
    done
}

cross s390x s390x-linux-gnu-gcc -- qemu-s390x-static
cross aarch64 aarch64-linux-gnu-gcc -- qemu-aarch64-static
cross i386 gcc -m32 --

[ $skipped -eq 0 ] && echo "$passed passed, $failed failed" || echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
