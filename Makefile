# wcodec: builds the command, the tests and the fuzzers.  The library itself is wcodec.h and needs no build.
#
#   make                    build/wcodec
#   make demo [MODEL=FILE]  make a checkpoint (or take FILE), encode, verify, decode, compare
#   make test               everything that can be tested here; the last line is "N passed, N failed"
#   make check              is wcodec.h what its parts say?
#   make figures            the tables of README.md, from the models in ../shared/data (zipnn: after make bench)
#   make bench [BENCH=..]   wcodec beside other codecs and memcpy; BENCH=--quick takes a minute
#   make examples           the example programs
#   make fuzz               the libFuzzer harnesses (needs clang); see fuzz/README.md
#   make fuzz-replay        the harnesses over their seeds, under any compiler
#   make clean
#
# CC, CFLAGS, LDFLAGS and JOBS can be given, as in: make CC=clang CFLAGS='-O3 -march=native'

CFLAGS ?= -O2
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

B := build
WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wcast-qual -Wundef -Wdouble-promotion \
        -Wmissing-prototypes -Wstrict-prototypes
POSIX := -D_DEFAULT_SOURCE -D_FILE_OFFSET_BITS=64
STRICT := -std=c99 $(WARN) $(POSIX)
SANITIZE := -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

# clang with its sanitizers where it is installed, the ordinary compiler where it is not.
SAN_CC := $(shell echo 'int main(void) { return 0; }' | \
    clang $(SANITIZE) -x c - -o /dev/null 2>/dev/null && echo clang || echo $(CC))
FUZZ_CC := $(shell echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | \
    clang -fsanitize=fuzzer -x c - -o /dev/null 2>/dev/null && echo clang)
ZLIB := $(shell printf '\043include <zlib.h>\nint main(void) { return crc32(0, 0, 0) != 0; }\n' | \
    $(CC) -x c - -o /dev/null -lz 2>/dev/null && echo -DHAVE_ZLIB)
PYTHON := $(shell command -v python3 2>/dev/null)
VALGRIND := $(shell command -v valgrind 2>/dev/null)

CLI_OBJECTS := $(patsubst examples/wcodec/%.c,$B/cli/%.o,$(wildcard examples/wcodec/*.c))
EXAMPLES := $(patsubst examples/%.c,$B/examples/%,$(wildcard examples/*.c))
TESTS := $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))
HARNESSES := $(patsubst fuzz/fuzz_%.c,%,$(wildcard fuzz/fuzz_*.c))
SHARED := wcodec.h $(wildcard tests/*.h fuzz/*.h)

.PHONY: all demo test check figures bench examples fuzz fuzz-replay clean test-programs
.DELETE_ON_ERROR:

all: $B/wcodec

# ---- the header ----
# Without python3 the wcodec.h that is there is used.

ifneq ($(PYTHON),)
wcodec.h: $(wildcard amalgamate/parts/*) amalgamate/manifest.txt amalgamate/amalgamate.py LICENSE
	$(PYTHON) amalgamate/amalgamate.py

check:
	$(PYTHON) amalgamate/amalgamate.py --check
else
check:
	@echo "skipped: python3 is not installed"
endif

# ---- the command ----

$B/wcodec: $(CLI_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -pthread -lm

$B/cli/%.o: examples/wcodec/%.c wcodec.h $(wildcard examples/wcodec/*.h)
	@mkdir -p $(@D)
	$(CC) $(STRICT) $(CFLAGS) -pthread -c -o $@ $<

demo: $B/wcodec
	@CC="$(CC)" sh examples/demo/demo.sh $B/wcodec $(if $(MODEL),"$(MODEL)")

figures: $B/wcodec
	@$(or $(wildcard $B/bench/venv/bin/python),$(PYTHON)) tests/figures.py

bench: $B/wcodec
	@CC="$(CC)" CFLAGS="$(CFLAGS)" "$$(sh tests/bench/setup.sh $B/bench/venv)" tests/bench/bench.py $(BENCH)

examples: $B/wcodec $(EXAMPLES)

$B/examples/%: examples/%.c wcodec.h
	@mkdir -p $(@D)
	$(CC) $(STRICT) $(CFLAGS) $(LDFLAGS) -o $@ $<

# ---- tests ----
# Each test program is built twice: optimised, and with sanitizers.  One that does not compile keeps none of
# the others from running (-k); tests/run.sh counts it as failed.

# Warnings end the optimised build alone, but for one whose findings change with the compiler; with sanitizers
# gcc warns of what it has put in itself.
FATAL := -Werror -Wno-unknown-warning-option -Wno-error=maybe-uninitialized

TEST_PROGRAMS := $(TESTS:%=$B/tests/%) $(TESTS:%=$B/tests/%.san)
REPLAY_PROGRAMS := $(HARNESSES:%=$B/fuzz/replay_%)
MEMCHECK_PROGRAMS := $(if $(VALGRIND),$(patsubst %,$B/fuzz/memcheck_%,$(HARNESSES)))

test:
	@$(MAKE) -k -j$(JOBS) --no-print-directory test-programs && built=yes || built=no; \
	    JOBS=$(JOBS) BUILT=$$built sh tests/run.sh $B "$(TESTS)" "$(HARNESSES)"

test-programs: $B/wcodec $(TEST_PROGRAMS) $(REPLAY_PROGRAMS) $(MEMCHECK_PROGRAMS)

$B/tests/%: tests/%.c $(SHARED)
	@mkdir -p $(@D)
	$(CC) $(STRICT) $(FATAL) -g $(CFLAGS) $(ZLIB) $(LDFLAGS) -o $@ $< -pthread -lm $(ZLIB:%=-lz)

$B/tests/%.san: tests/%.c $(SHARED)
	@mkdir -p $(@D)
	$(SAN_CC) $(STRICT) $(SANITIZE) $(ZLIB) -o $@ $< -pthread -lm $(ZLIB:%=-lz)

# ---- fuzzing ----

ifneq ($(FUZZ_CC),)
fuzz: $(HARNESSES:%=$B/fuzz/fuzz_%)

$B/fuzz/fuzz_%: fuzz/fuzz_%.c $(SHARED)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(STRICT) $(SANITIZE) -fsanitize=fuzzer -o $@ $<
else
fuzz:
	@echo "skipped: no clang with libFuzzer (Debian: clang and libclang-rt-14-dev)"
endif

fuzz-replay: $(REPLAY_PROGRAMS)
	@for h in $(HARNESSES); do echo "$$h:"; $B/fuzz/replay_$$h --mutate 200 fuzz/seeds/$$h || exit 1; done

$B/fuzz/replay_%: fuzz/fuzz_%.c fuzz/replay.c $(SHARED)
	@mkdir -p $(@D)
	$(SAN_CC) $(STRICT) $(SANITIZE) -o $@ $< fuzz/replay.c

# For valgrind, which finds what is used before it is set: no sanitizers.
$B/fuzz/memcheck_%: fuzz/fuzz_%.c fuzz/replay.c $(SHARED)
	@mkdir -p $(@D)
	$(CC) $(STRICT) -g -O1 -o $@ $< fuzz/replay.c

clean:
	rm -rf $B
