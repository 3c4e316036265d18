#!/bin/sh
# demo.sh WCODEC [MODEL] - the whole way of a checkpoint, and what it costs beside gzip and zstd.
#
# WCODEC is the command; MODEL any file.  Without one, a realistic BF16 checkpoint is made (42 MB).
# Everything happens in a temporary directory that is removed in the end.
set -eu

[ $# -eq 1 ] || [ $# -eq 2 ] || { echo "usage: demo.sh WCODEC [MODEL]" >&2; exit 2; }
wcodec=$1
model=${2:-}
here=$(dirname "$0")
case $wcodec in /*) ;; *) wcodec=$PWD/$wcodec ;; esac
case $model in /* | "") ;; *) model=$PWD/$model ;; esac

work=$(mktemp -d "${TMPDIR:-/tmp}/wcodec-demo.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Nanoseconds; whole seconds where date knows no better.
now() {
    t=$(date +%s%N)
    case $t in *[!0-9]*) t=$(date +%s)000000000 ;; esac
    echo "$t"
}

size_of() { wc -c < "$1" | tr -d ' '; }

# mbps BYTES BEGIN END
mbps() {
    awk -v n="$1" -v a="$2" -v b="$3" \
        'BEGIN { d = (b - a) / 1e9; printf "%.1f", n / 1e6 / (d > 0 ? d : 1e-9) }'
}

# row LABEL ENCODE DECODE: shell commands, from $MODEL and from $PACKED to standard output.
row() {
    t0=$(now)
    sh -c "$2" > "$PACKED"
    t1=$(now)
    sh -c "$3" > .rows/unpacked
    t2=$(now)
    cmp "$MODEL" .rows/unpacked
    packed=$(size_of "$PACKED")
    printf '  %-20s %12s %8s %13s %13s\n' "$1" "$packed" \
        "$(awk -v a="$packed" -v b="$bytes" 'BEGIN { printf "%.4f", a / b }')" \
        "$(mbps "$bytes" "$t0" "$t1")" "$(mbps "$bytes" "$t1" "$t2")"
}

if [ -z "$model" ]; then
    echo "Making a BF16 checkpoint ..."
    model=$work/model.safetensors
    ${CC:-cc} -O2 -o "$work/make_model" "$here/make_model.c"
    "$work/make_model" "$model"
fi
bytes=$(size_of "$model")
[ "$bytes" -gt 0 ] || { echo "demo.sh: $model is empty" >&2; exit 1; }
name=$(basename "$model")
cd "$work"
mkdir .rows     # apart, so that nothing is ever written through the link to MODEL
[ "$model" = "$work/$name" ] || ln -s "$model" "$name"
WCODEC=$wcodec MODEL=$name PACKED=.rows/packed
export WCODEC MODEL PACKED

# show COMMAND ...: prints it and runs it.
show() {
    echo "\$ $*"
    case $1 in wcodec) shift; "$wcodec" "$@" ;; *) "$@" ;; esac
}

echo
show wcodec encode "$name" packed.wcodec
show wcodec verify packed.wcodec
show wcodec decode packed.wcodec restored
show cmp "$name" restored
echo "identical"

echo
printf '  %-20s %12s %8s %13s %13s\n' "" bytes ratio "encode MB/s" "decode MB/s"
printf '  %-20s %12s %8s\n' original "$bytes" 1.0000
for threads in 1 2; do
    row "wcodec, threads: $threads" "\"\$WCODEC\" encode -q --threads $threads \"\$MODEL\" -" \
        "\"\$WCODEC\" decode -q --threads $threads \"\$PACKED\" -"
done
if command -v gzip > /dev/null; then row "gzip -6" 'gzip -6 -c < "$MODEL"' 'gzip -d -c < "$PACKED"'; fi
if command -v zstd > /dev/null; then
    row "zstd -3" 'zstd -3 -q -c --single-thread < "$MODEL"' 'zstd -d -q -c < "$PACKED"'
    if [ "$bytes" -lt 100000000 ]; then
        row "zstd -19" 'zstd -19 -q -c --single-thread < "$MODEL"' 'zstd -d -q -c < "$PACKED"'
    fi
fi
echo "  (files, reading and writing included; each result was decoded and compared)"

echo
show wcodec bench "$name"
