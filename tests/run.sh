#!/bin/sh
# Runs every test program and adds their results up; `make test` builds them and calls this.
#
#   tests/run.sh BUILD "TEST ..." "HARNESS ..."
#
# Each program ends with a line "N passed, N failed[, N skipped]".  One that ends otherwise, that did nothing,
# or that says that nothing failed and yet exits with another code than 0, counts as one failed.  The output
# of programs that failed is printed, that of all is kept in BUILD/log.  JOBS programs run at a time.
# BUILT=no says that something did not compile, which is a failure too.  The last line is the total.
set -u

# Runs one program: $1 is "NAME|COMMAND", $2 the folder for the log.  Prints its line.
run_one() {
    name=${1%%|*}
    log=$2/$name.log
    begin=$(date +%s)
    sh -c "${1#*|}" >"$log" 2>&1 </dev/null
    code=$?
    seconds=$(($(date +%s) - begin))
    result=$(tail -n 1 "$log" | grep -aE '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$')
    set -- $(echo "$result" | tr -d ',')
    passed=${1:-0} failed=${3:-1} skipped=${5:-0}
    if [ "$failed" -eq 0 ] && { [ $code -ne 0 ] || [ $((passed + skipped)) -eq 0 ]; }; then failed=1; fi
    echo "$passed $failed $skipped" >"${log%.log}.result"
    word=ok
    [ "$failed" -eq 0 ] || word=FAILED
    printf '%-6s %-28s %6s passed %4s failed %4s skipped %4s s\n' \
        "$word" "$name" "$passed" "$failed" "$skipped" "$seconds"
    grep -aE '^ *skipped' "$log" | sort | uniq | sed 's/^ */         /' | head -n 10
    if [ "$failed" -ne 0 ]; then
        echo "---- the last lines of $log (exit code $code):"
        tail -n 40 "$log" | LC_ALL=C tr -c '\n -~' '?'
        echo "----"
    fi
}

if [ "$1" = --one ]; then
    run_one "$3" "$2"
    exit 0
fi

build=$1 tests=$2 harnesses=$3
log=$build/log
rm -rf "$log"
mkdir -p "$log"

# What runs, the long ones first: NAME|COMMAND.
list_programs() {
    echo "compile|BUILD=$build sh tests/compile.sh"
    echo "cross|BUILD=$build sh tests/cross.sh"
    if command -v python3 >/dev/null 2>&1; then
        for file in tests/test_*.py; do
            file=${file#tests/}
            echo "${file%.py}.py|python3 tests/$file"
        done
    fi
    for test in $tests; do
        echo "$test.san|$build/tests/$test.san"
        echo "$test|$build/tests/$test"
    done
    for harness in $harnesses; do
        echo "replay_$harness|$build/fuzz/replay_$harness --mutate 200 fuzz/seeds/$harness"
        if command -v valgrind >/dev/null 2>&1; then
            echo "memcheck_$harness|valgrind -q --error-exitcode=9" \
                "$build/fuzz/memcheck_$harness fuzz/seeds/$harness"
        fi
    done
}

list_programs | xargs -d '\n' -n 1 -P "${JOBS:-2}" sh "$0" --one "$log"

skipped_parts=0
for tool in python3 valgrind; do
    command -v $tool >/dev/null 2>&1 && continue
    echo "skipped: $tool is not installed, so the tests that need it did not run"
    skipped_parts=$((skipped_parts + 1))
done

cat "$log"/*.result | awk -v built="${BUILT:-yes}" -v parts=$skipped_parts '
    { passed += $1; failed += $2; skipped += $3 }
    END {
        if (built != "yes") { print "FAILED build: see the compiler messages above"; failed++ }
        skipped += parts
        if (skipped) printf "%d tests were skipped, for the reasons given above\n", skipped
        printf "%d passed, %d failed\n", passed, failed
        exit failed != 0
    }'
