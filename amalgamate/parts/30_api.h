#ifndef WCODEC_H
#define WCODEC_H

#include <stddef.h>
#include <stdint.h>

#define WCODEC_VERSION_MAJOR 0
#define WCODEC_VERSION_MINOR 1
#define WCODEC_VERSION_PATCH 0
#define WCODEC_VERSION "0.1.0"
#define WCODEC_FORMAT_VERSION 1

#if defined(WCODEC_STATIC) && defined(__GNUC__)
#define WCODEC_API __attribute__((unused)) static    /* unused ones are dropped without a warning */
#elif defined(WCODEC_STATIC)
#define WCODEC_API static
#else
#define WCODEC_API extern
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------
 * Status, errors, allocation, I/O (public)
 * ---------------------------------------------------------------------------------------------- */

/* What a call came to.  0 is success, positive values mean "not finished", negative ones are errors.
 * The numbers never change. */
typedef enum wcodec_status {
    WCODEC_OK = 0,
    WCODEC_MORE_INPUT = 1,      /* push decoder: give more input */
    WCODEC_MORE_OUTPUT = 2,     /* push decoder: the output is full, take it and call again */
    WCODEC_ORIGINAL = 3,        /* push decoder: a new original begins, call again */
    WCODEC_END = 4,             /* push decoder: the container is complete and its checksums fit */
    WCODEC_E_ARGUMENT = -1,     /* the caller broke the contract of the function */
    WCODEC_E_NO_MEMORY = -2,    /* the allocator returned NULL, or a caller's block is too small */
    WCODEC_E_LIMIT = -3,        /* more memory needed than the limits allow */
    WCODEC_E_IO = -4,           /* a callback reported a failure */
    WCODEC_E_TRUNCATED = -5,    /* the container ends too early */
    WCODEC_E_MAGIC = -6,        /* not a wcodec container */
    WCODEC_E_VERSION = -7,      /* a format version that this library does not read */
    WCODEC_E_UNSUPPORTED = -8,  /* a feature, coder or record that this library does not know */
    WCODEC_E_CORRUPT = -9,      /* the container breaks a rule of the format */
    WCODEC_E_CHECKSUM = -10,    /* the container keeps the rules, but a checksum does not fit */
    WCODEC_E_CANCELLED = -11,   /* a progress callback asked to stop */
    WCODEC_E_NOT_FOUND = -12,   /* no segment of that name */
    WCODEC_E_NO_SPACE = -13,    /* the destination is too small */
    WCODEC_E_BASE = -14         /* the base is needed and was not given, or has another size */
} wcodec_status;

/* A short English text for a status; static memory, never NULL. */
WCODEC_API const char *wcodec_status_string(wcodec_status status);

/* Filled in by functions that take an `err` (which may be NULL) when they fail; untouched otherwise.
 * `offset` counts bytes of the container (of the original, for plans and for failures of a caller's
 * source while encoding).  `what` is static text: what was wrong there. */
typedef struct wcodec_error {
    wcodec_status status;
    uint64_t offset;
    const char *what;
} wcodec_error;

/* Where memory comes from.  `alloc_fn` returns memory aligned for any type, or NULL; `free_fn` gets
 * the size that was asked for, and never NULL.  Both are called only from the thread that calls the
 * library.  A NULL allocator means malloc and free (with WCODEC_NO_MALLOC: no memory at all). */
typedef struct wcodec_allocator {
    void *(*alloc_fn)(void *user, size_t size);
    void (*free_fn)(void *user, void *ptr, size_t size);
    void *user;
} wcodec_allocator;

/* Random access to bytes: of a container that is read, or of a file that is encoded.
 * Either `memory` points to all `size` bytes (then `read_at` is not used), or `read_at` stores up to
 * `size` bytes from `offset` in `dst` and their number in `*got`: fewer only at the end.  Anything but
 * WCODEC_OK is a failure and is handed on.  `read_at` is called from every thread that reads. */
typedef struct wcodec_source {
    const void *memory;
    wcodec_status (*read_at)(void *user, uint64_t offset, void *dst, size_t size, size_t *got);
    void *user;
    uint64_t size;
} wcodec_source;

/* A source over `size` bytes of memory, which must outlive every use of it. */
WCODEC_API wcodec_source wcodec_source_memory(const void *memory, size_t size);

/* A way back to bytes that have gone by: stores `size` bytes of the view (all originals, one after the other),
 * from `offset` on, in `dst`.  Called from the calling thread.  Anything but WCODEC_OK is a failure and is
 * handed on.  fn NULL: there is no way back. */
typedef struct wcodec_reread {
    wcodec_status (*fn)(void *user, uint64_t offset, void *dst, size_t size);
    void *user;
} wcodec_reread;

/* Where a container is written, in order, from the calling thread.  All `size` bytes are taken, or
 * the result is not WCODEC_OK, which ends the writer. */
typedef struct wcodec_sink {
    wcodec_status (*write)(void *user, const void *src, size_t size);
    void *user;
} wcodec_sink;

/* The caller's threads.  `run` calls task(arg, i, worker) once for each i below `count`, on any threads
 * in any order, with `worker` below `workers` and never the same one at the same time, and returns when
 * all are done.  A NULL `run` means: on the calling thread.  Results do not depend on it. */
typedef struct wcodec_parallel {
    void (*run)(void *user, size_t count, void (*task)(void *arg, size_t i, unsigned worker), void *arg);
    void *user;
    unsigned workers;
} wcodec_parallel;

/* Called from the calling thread after each batch of tiles with the bytes of the original done so
 * far and in all.  Anything but 0 stops the work (WCODEC_E_CANCELLED). */
typedef struct wcodec_progress {
    int (*fn)(void *user, uint64_t done, uint64_t total);
    void *user;
} wcodec_progress;

/* ------------------------------------------------------------------------------------------------
 * Kernels (public)
 * ---------------------------------------------------------------------------------------------- */

/* The loops that matter have bodies for several instruction sets; all of them give the same bytes.  The best
 * one that the processor has is taken unless a mask `cpu_off` of an option or an argument switches it off: 0
 * uses everything, WCODEC_CPU_ALL leaves the scalar code alone.  AVX2 is used only with SSE41, AVX512 only
 * with AVX2, so that WCODEC_CPU_SSE41 switches all three off.  Checksums by the public functions below take the
 * best there is whatever the mask.  WCODEC_NO_SIMD compiles none of them. */
#define WCODEC_CPU_SSE41 1u         /* SSSE3, SSE4.1, POPCNT */
#define WCODEC_CPU_AVX2 2u          /* AVX2, BMI1, BMI2 */
#define WCODEC_CPU_AVX512 4u        /* AVX-512 F, DQ, BW, VL, VBMI, VBMI2 */
#define WCODEC_CPU_NEON 8u          /* AArch64 */
#define WCODEC_CPU_CLMUL 16u        /* for CRC-32: PCLMULQDQ; on AArch64 its CRC-32 instructions */
#define WCODEC_CPU_VCLMUL 32u       /* for CRC-32: VPCLMULQDQ with AVX-512 */
#define WCODEC_CPU_SHA 64u          /* for SHA-256: SHA-NI; on AArch64 its SHA-256 instructions */
#define WCODEC_CPU_ALL 0xFFFFFFFFu

/* What of these the processor has and this build can use.  Any thread. */
WCODEC_API unsigned wcodec_cpu_detect(void);
/* The kernels that `cpu_off` leaves: "scalar", "sse4.1", "avx2", "avx512" or "neon". */
WCODEC_API const char *wcodec_cpu_kernels(unsigned cpu_off);

/* ------------------------------------------------------------------------------------------------
 * Checksums (public): the ones the format uses, for callers that check whole files
 * ---------------------------------------------------------------------------------------------- */

/* CRC-32 as zlib's crc32(): begin with crc = 0, feed the result back in for more data. */
WCODEC_API uint32_t wcodec_crc32(uint32_t crc, const void *data, size_t size);

/* SHA-256 (FIPS 180-4).  The struct is the caller's; do not rely on its contents. */
typedef struct wcodec_sha256 {
    uint32_t state[8];
    uint64_t size;
    unsigned char block[64];
} wcodec_sha256;
WCODEC_API void wcodec_sha256_init(wcodec_sha256 *sha);
WCODEC_API void wcodec_sha256_update(wcodec_sha256 *sha, const void *data, size_t size);
WCODEC_API void wcodec_sha256_final(wcodec_sha256 *sha, unsigned char digest[32]);

/* ------------------------------------------------------------------------------------------------
 * Dtypes and segments (public)
 * ---------------------------------------------------------------------------------------------- */

/* The 22 dtypes of safetensors, packed 4-bit integers, BYTES for everything else, and the blocks of ggml, whose type
 * number t is the dtype 64 + t. */
typedef enum wcodec_dtype {
    WCODEC_BYTES = 0, WCODEC_BOOL = 1, WCODEC_F4 = 2, WCODEC_F6_E2M3 = 3, WCODEC_F6_E3M2 = 4,
    WCODEC_U8 = 5, WCODEC_I8 = 6, WCODEC_F8_E5M2 = 7, WCODEC_F8_E4M3 = 8, WCODEC_F8_E8M0 = 9,
    WCODEC_F8_E4M3FNUZ = 10, WCODEC_F8_E5M2FNUZ = 11, WCODEC_I16 = 12, WCODEC_U16 = 13,
    WCODEC_F16 = 14, WCODEC_BF16 = 15, WCODEC_I32 = 16, WCODEC_U32 = 17, WCODEC_F32 = 18,
    WCODEC_C64 = 19, WCODEC_F64 = 20, WCODEC_I64 = 21, WCODEC_U64 = 22, WCODEC_I4 = 23, WCODEC_U4 = 24,
    WCODEC_Q4_0 = 66, WCODEC_Q4_1 = 67, WCODEC_Q5_0 = 70, WCODEC_Q5_1 = 71, WCODEC_Q8_0 = 72, WCODEC_Q8_1 = 73,
    WCODEC_Q2_K = 74, WCODEC_Q3_K = 75, WCODEC_Q4_K = 76, WCODEC_Q5_K = 77, WCODEC_Q6_K = 78, WCODEC_Q8_K = 79,
    WCODEC_IQ2_XXS = 80, WCODEC_IQ2_XS = 81, WCODEC_IQ3_XXS = 82, WCODEC_IQ1_S = 83, WCODEC_IQ4_NL = 84,
    WCODEC_IQ3_S = 85, WCODEC_IQ2_S = 86, WCODEC_IQ4_XS = 87, WCODEC_IQ1_M = 93, WCODEC_TQ1_0 = 98,
    WCODEC_TQ2_0 = 99, WCODEC_MXFP4 = 103, WCODEC_NVFP4 = 104, WCODEC_Q1_0 = 105, WCODEC_Q2_0 = 106,
    WCODEC_DTYPE_END = 107      /* no dtype is as large; not all below it are there */
} wcodec_dtype;

/* The name as safetensors or ggml writes it ("BF16", "Q4_K"), or NULL for a number that is no dtype. */
WCODEC_API const char *wcodec_dtype_name(unsigned dtype);
/* The dtype of a name (exact case), or -1. */
WCODEC_API int wcodec_dtype_find(const char *name, size_t name_size);
/* Bits an element; 0 for BYTES, for blocks, and for a number that is no dtype. */
WCODEC_API unsigned wcodec_dtype_bits(unsigned dtype);
/* The fewest elements that fill whole bytes, and how many bytes: 1 and 2 for BF16, 32 and 18 for Q4_0.  Returns 1
 * for blocks, of which a tensor's rows are made, 0 for other dtypes; both are 0 for BYTES and for no dtype. */
WCODEC_API int wcodec_dtype_block(unsigned dtype, unsigned *elements, unsigned *bytes);

/* A run of an original.  In a plan and in a reader's answers all pointers belong to that object.
 * `name` is followed by a zero byte that `name_size` does not count; no name: size 0.
 * `size` is in bytes and must be what dtype and shape say; for BYTES it stands alone.
 * `row`: units (elements; bytes for blocks and dtypes below 8 bits) a row, 0: the last dimension.  A row that is
 * not 0 overrides the shape's, for typed data without one. */
typedef struct wcodec_segment {
    const char *name;
    size_t name_size;
    unsigned dtype;
    unsigned rank;
    const uint64_t *shape;
    uint64_t offset;    /* of its first byte in the original (reader: in the view, see wcodec_read) */
    uint64_t size;
    uint64_t row;
    int has_base;           /* for the writer: it may be coded as what it differs from `size` bytes of the base, */
    uint64_t base_offset;   /* from here on (reader: 0, for that is a matter of each tile) */
} wcodec_segment;

/* The base of a container: a file of which some tiles say only what is different in theirs.  Decoding those
 * takes the same file again; the others do without.  What tells it from others: */
typedef struct wcodec_base {
    const char *name;           /* of the file, without a path; for people alone */
    size_t name_size;
    uint64_t size;              /* in bytes */
    unsigned char sha256[32];
} wcodec_base;

/* ------------------------------------------------------------------------------------------------
 * Layer 1: a tile (public).  Pure functions: no allocation, no I/O, any thread.
 * ---------------------------------------------------------------------------------------------- */

#define WCODEC_MAX_TILE_BYTES ((size_t)1 << 24)   /* no tile decodes to more */
#define WCODEC_MAX_PLANES 8
#define WCODEC_MAX_FIELDS 16                      /* of a block */
#define WCODEC_TILE_HEAD 1024                     /* no tile record's fields before its payloads take more */

/* What the tiles of a container may need of their reader, as bits of its header. */
#define WCODEC_FEATURE_MIX 1u                     /* planes of the coder MIX: a megabyte of memory */
#define WCODEC_FEATURE_BASE 2u                    /* bytes of the base, which the container names */
#define WCODEC_FEATURE_BLOCKS 4u                  /* the split BLOCKS: memory for a tile more */

typedef enum wcodec_split {
    WCODEC_SPLIT_BYTE = 0, WCODEC_SPLIT_WORD16 = 1, WCODEC_SPLIT_WORD32 = 2, WCODEC_SPLIT_WORD64 = 3,
    WCODEC_SPLIT_BF16 = 4, WCODEC_SPLIT_F16 = 5, WCODEC_SPLIT_F32 = 6, WCODEC_SPLIT_F64 = 7,
    WCODEC_SPLIT_F8_E4M3 = 8, WCODEC_SPLIT_F8_E5M2 = 9, WCODEC_SPLIT_NIBBLES = 10,
    WCODEC_SPLIT_BF16_4 = 11, WCODEC_SPLIT_F16_4 = 12, WCODEC_SPLIT_F32_4 = 13, WCODEC_SPLIT_BLOCKS = 14,
    WCODEC_SPLIT_PALETTE16 = 15, WCODEC_SPLIT_PALETTE32 = 16, WCODEC_SPLIT_PALETTE64 = 17,
    WCODEC_SPLIT_LINEAR_BF16 = 18, WCODEC_SPLIT_LINEAR_F16 = 19, WCODEC_SPLIT_LINEAR_F32 = 20,
    WCODEC_SPLIT_COUNT = 21
} wcodec_split;

typedef enum wcodec_coder {
    WCODEC_CODER_RAW = 0, WCODEC_CODER_CONSTANT = 1, WCODEC_CODER_SPARSE = 2, WCODEC_CODER_HUFFMAN = 3,
    WCODEC_CODER_RANS16 = 4, WCODEC_CODER_RANS256 = 5, WCODEC_CODER_CLASSES = 6, WCODEC_CODER_MIX = 7,
    WCODEC_CODER_LZ = 8, WCODEC_CODER_PACKED = 9,
    WCODEC_CODER_COUNT = 10
} wcodec_coder;

typedef enum wcodec_predictor {
    WCODEC_PREDICT_NONE = 0, WCODEC_PREDICT_LEFT = 1, WCODEC_PREDICT_UP = 2, WCODEC_PREDICT_SCALE = 3,
    WCODEC_PREDICT_BASE_XOR = 4, WCODEC_PREDICT_BASE_DIFFERENCE = 5,
    WCODEC_PREDICT_COUNT = 6
} wcodec_predictor;

/* What a tile's record says of one of its planes, and of itself. */
typedef struct wcodec_plane_info {
    unsigned char width;            /* bits a value */
    unsigned char coder;            /* wcodec_coder */
    unsigned char predictor;        /* wcodec_predictor */
    size_t size;                    /* bytes of the payload */
    size_t offset;                  /* of the payload in the record */
} wcodec_plane_info;

typedef struct wcodec_tile_info {
    size_t record_size;             /* bytes of the record, padding included: a multiple of 8 */
    size_t decoded_size;            /* bytes */
    uint32_t crc;                   /* CRC-32 of the decoded bytes */
    unsigned split;                 /* wcodec_split */
    unsigned unit;                  /* bytes */
    unsigned predictor;             /* of whole units: wcodec_predictor */
    unsigned features;              /* that decoding it takes: WCODEC_FEATURE_... */
    unsigned fields, block;         /* BLOCKS: so many fields in blocks of so many bytes; else 0 */
    unsigned planes;                /* BLOCKS: 0, its fields have them */
    wcodec_plane_info plane[WCODEC_MAX_PLANES];
    int scaled;                     /* decoding takes the scales of its group's columns */
    wcodec_plane_info rows;         /* then: the scales of its rows */
    size_t table_size, table_offset;    /* of palettes and linear splits: units or scales, in the record */
    int based;                      /* decoding takes `decoded_size` bytes of the base, */
    uint64_t base_offset;           /* from here on */
} wcodec_tile_info;

/* What a tile may be coded with beside its own bytes, and is decoded with again; zeros: nothing.
 * scales: of the columns of the tile's group, one byte each: what its S record, which is a tile too, decodes to.
 * base: as many bytes as the tile has, from byte `base_offset` of the base on.
 * `phase` (the column of the tile's first unit) and `base_offset` are for the encoder; the record keeps them. */
typedef struct wcodec_tile_inputs {
    const unsigned char *scales;
    size_t columns, phase;
    const unsigned char *base;
    uint64_t base_offset;
} wcodec_tile_inputs;

/* Name of a split, a coder, a predictor; NULL for a number that is none. */
WCODEC_API const char *wcodec_split_name(unsigned split);
WCODEC_API const char *wcodec_coder_name(unsigned coder);
WCODEC_API const char *wcodec_predictor_name(unsigned predictor);

/* Bytes of scratch memory that decoding a tile of up to `decoded_size` bytes takes; scratch memory
 * needs no alignment and keeps nothing between calls.  `features`: what the tile needs (wcodec_tile_info), or what
 * any tile of its container may (wcodec_reader_info); WCODEC_FEATURE_ bits of which nothing is known are ignored. */
WCODEC_API size_t wcodec_tile_decode_scratch(size_t decoded_size, unsigned features);

/* Reads the fields of the tile record at `src`, of which `size` bytes are there: WCODEC_TILE_HEAD are
 * always enough.  WCODEC_OK, TRUNCATED, UNSUPPORTED or CORRUPT; `info` is filled in only if OK. */
WCODEC_API wcodec_status wcodec_tile_inspect(const void *src, size_t size, wcodec_tile_info *info,
                                             wcodec_error *err);
/* The same for field number `field` of a tile that is split as BLOCKS: what the record says of it, as if it were a
 * tile of its own; `decoded_size` is that of the field in all blocks, crc and record_size are the tile's.  ARGUMENT if
 * the tile has no such field. */
WCODEC_API wcodec_status wcodec_tile_inspect_field(const void *src, size_t size, unsigned field,
                                                   wcodec_tile_info *info, wcodec_error *err);

/* Decodes the tile record of `size` bytes at `src` into `dst`, which takes exactly the decoded size
 * (anything else is CORRUPT), and checks its CRC-32 unless `no_crc`.  `inputs`: NULL if the tile needs none
 * (wcodec_tile_inspect says); its base must not overlap `dst`.
 * `scratch`: as above; `cpu_off`: see WCODEC_CPU_ALL.  Bytes of `dst` are unspecified after a failure.  OK,
 * TRUNCATED, UNSUPPORTED, CORRUPT, CHECKSUM, BASE (it needs one), NO_SPACE (scratch too small, for what this tile
 * needs). */
WCODEC_API wcodec_status wcodec_tile_decode(const void *src, size_t size, const wcodec_tile_inputs *inputs,
                                            void *dst, size_t dst_size, void *scratch, size_t scratch_size,
                                            int no_crc, unsigned cpu_off, wcodec_error *err);

/* A record in the place of a tile's says that the tile is a copy: its bytes are those of a tile that begins
 * `distance` bytes before it in the view. */
typedef struct wcodec_copy_info {
    size_t record_size;             /* bytes of the record, padding included */
    size_t decoded_size;            /* of either tile */
    uint64_t distance;              /* at least decoded_size */
    uint32_t crc;                   /* CRC-32 of the bytes */
} wcodec_copy_info;

/* Reads such a record at `src`, of which `size` bytes are there (24 are always enough).  OK, NOT_FOUND (it is
 * another record: see wcodec_tile_inspect), TRUNCATED or CORRUPT; `info` is filled in only if OK. */
WCODEC_API wcodec_status wcodec_copy_inspect(const void *src, size_t size, wcodec_copy_info *info,
                                             wcodec_error *err);

#ifndef WCODEC_NO_ENCODER

/* What matters more. */
typedef enum wcodec_profile {
    WCODEC_PROFILE_FAST = 0,        /* decodes at about the speed of memory */
    WCODEC_PROFILE_DENSE = 1,       /* the mantissas' upper bits are coded too: half as fast */
    WCODEC_PROFILE_BEST = 2         /* the smallest: some megabytes a second either way, and a megabyte of memory
                                     * more for each thread.  Not with WCODEC_NO_MIX. */
} wcodec_profile;

/* What the encoder may choose from.  Masks hold 1 << id; a plane that nothing allowed can hold is raw. */
typedef struct wcodec_tile_options {
    unsigned splits;        /* wcodec_split; 0: those that suit the dtype */
    unsigned coders;        /* wcodec_coder */
    unsigned predictors;    /* wcodec_predictor */
    unsigned profile;       /* wcodec_profile */
    unsigned cpu_off;       /* WCODEC_CPU_...: kernels not to use; the bytes do not depend on it */
} wcodec_tile_options;

/* Bytes of scratch memory that encoding a tile of `size` bytes takes. */
WCODEC_API size_t wcodec_tile_encode_scratch(size_t size);
/* The same for WCODEC_PROFILE_BEST. */
WCODEC_API size_t wcodec_tile_encode_scratch_best(size_t size);
/* The most that a tile of `size` bytes can take as a record. */
WCODEC_API size_t wcodec_tile_bound(size_t size);
/* Fits scales to `columns` columns of a matrix of floating-point weights, `size` bytes of `dtype` at `src`, row by
 * row: a byte each, which tiles of these rows can be coded with.  `columns`: 8 to 1048576, and two rows at least.
 * Looks at 256 rows or fewer.  Returns 1 if the scales save more than they take, else 0, as for wrong arguments. */
WCODEC_API int wcodec_scales_fit(unsigned dtype, const void *src, size_t size, size_t columns,
                                 unsigned cpu_off, unsigned char *scales, void *scratch, size_t scratch_size);
WCODEC_API size_t wcodec_scales_fit_scratch(size_t columns);

/* Encodes `size` bytes of elements of `dtype` (whole units, at least one, at most
 * WCODEC_MAX_TILE_BYTES; of blocks any bytes, but only whole ones are taken apart) as one tile record, out of what `options` allow (NULL: everything): coders by the
 * size that they take, splits and predictors too where the tile is small, else by a sample.  A plane stays
 * raw unless coding saves one part in 256 of it.
 * `row`: units a row, 0: unknown.  `inputs`: NULL: none; wcodec_tile_inspect says whether the tile came to need
 * them.  With a base the tile is never larger than without.  The same arguments give the same bytes on every
 * machine.
 * Returns the record's size, or 0 if an argument is wrong or `dst_size` is less than the bound. */
WCODEC_API size_t wcodec_tile_encode(unsigned dtype, uint64_t row, const void *src, size_t size,
                                     const wcodec_tile_inputs *inputs, const wcodec_tile_options *options,
                                     void *dst, size_t dst_size, void *scratch, size_t scratch_size);

#endif /* WCODEC_NO_ENCODER */

/* ------------------------------------------------------------------------------------------------
 * Layer 2: the reader (public)
 * ---------------------------------------------------------------------------------------------- */

/* Start from wcodec_reader_defaults(). */
typedef struct wcodec_reader_options {
    size_t struct_size;                 /* sizeof(wcodec_reader_options) */
    const wcodec_allocator *allocator;  /* copied; NULL: malloc and free */
    uint64_t max_memory;                /* bytes that the reader may hold; 0: 1 GiB */
    int no_crc;                         /* do not check the tiles' CRC-32 */
    unsigned cpu_off;                   /* WCODEC_CPU_...: kernels not to use */
    int no_mix;                         /* refuse (LIMIT) containers that may have planes of the coder MIX: for who
                                         * takes any file, and cannot wait some 50 us a byte of it, which is what
                                         * hostile ones can cost at most */
    wcodec_reread reread;               /* for the push decoder alone, which gave these bytes out in earlier
                                         * steps: where a tile is a copy, it asks for them */
    const wcodec_source *base;          /* copied; for a container that needs one; NULL: none.  Only its size is
                                         * compared: whether it is the right file, the caller has to know. */
    uint64_t stream_from;               /* a read of at least so many bytes goes past the caches (x86), which makes
                                         * large ones a fifth faster and leaves their bytes in memory alone; 0: 16
                                         * MiB, UINT64_MAX: never */
} wcodec_reader_options;
WCODEC_API wcodec_reader_options wcodec_reader_defaults(void);

typedef struct wcodec_reader wcodec_reader;

/* Opens a container: reads header, index and footer, no tile.  `source` and `options` (NULL: defaults)
 * are copied.  On success *out is a reader, to be freed with wcodec_reader_close; on failure it is NULL
 * and nothing is kept.  OK, ARGUMENT, NO_MEMORY, LIMIT, IO, TRUNCATED, MAGIC, VERSION, UNSUPPORTED,
 * CORRUPT, CHECKSUM, BASE (the options' base has another size than the one that is needed).
 * Without a base a container that needs one opens too: tiles that need it are then BASE, all others are read.
 * A reader never changes after this: any number of threads may use one, each with its own scratch. */
WCODEC_API wcodec_status wcodec_reader_open(wcodec_reader **out, const wcodec_source *source,
                                            const wcodec_reader_options *options, wcodec_error *err);

/* The same in one block of the caller's memory, with no allocator: `need` gives the block's size
 * after reading header and footer.  The block must be aligned as malloc's; the reader lies in it, needs no
 * closing, and has gone when the block goes.  The options' max_memory does not count here. */
WCODEC_API wcodec_status wcodec_reader_need(const wcodec_source *source, size_t *size, wcodec_error *err);
WCODEC_API wcodec_status wcodec_reader_open_in(wcodec_reader **out, const wcodec_source *source,
                                               const wcodec_reader_options *options, void *block,
                                               size_t block_size, wcodec_error *err);

WCODEC_API void wcodec_reader_close(wcodec_reader *reader);     /* NULL is fine */

/* Bytes of scratch memory that each thread needs for the calls below.  No alignment needed. */
WCODEC_API size_t wcodec_reader_scratch(const wcodec_reader *reader);

/* Facts about a container. */
typedef struct wcodec_reader_info {
    uint64_t container_size;
    uint64_t view_size;         /* bytes of all originals, one after the other */
    size_t originals, segments, tiles;
    size_t header_size;
    size_t index_size;          /* bytes that the index takes in the container */
    uint32_t max_tile_bytes;
    unsigned features;          /* that its tiles may need: WCODEC_FEATURE_... */
    const char *metadata;       /* JSON text, not zero-terminated, not checked to be JSON */
    size_t metadata_size;
    int needs_base;             /* some tiles may need the base, which is: */
    wcodec_base base;           /* its name is followed by a zero byte */
} wcodec_reader_info;
WCODEC_API void wcodec_reader_get_info(const wcodec_reader *reader, wcodec_reader_info *info);

/* Original number i: a file that went in. */
typedef struct wcodec_original {
    const char *name;           /* zero-terminated; whatever the container says: not to be taken for a safe path */
    size_t name_size;
    uint64_t offset, size;      /* in the view */
    size_t first_segment, segments;
    int from_parts;             /* it was put together from tensors and was never a file */
    int has_sha256;
    unsigned char sha256[32];
} wcodec_original;
WCODEC_API wcodec_status wcodec_reader_original(const wcodec_reader *reader, size_t i,
                                                wcodec_original *original);

/* Segment number i.  ARGUMENT if there is none.  For tensors `row` is what the format derives. */
WCODEC_API wcodec_status wcodec_reader_segment(const wcodec_reader *reader, size_t i,
                                               wcodec_segment *segment);

/* The number of the first segment of a name.  OK or NOT_FOUND. */
WCODEC_API wcodec_status wcodec_reader_find(const wcodec_reader *reader, const char *name, size_t name_size,
                                            size_t *i);

/* Where a tile lies: bytes of the container, and what they stand for in the view. */
typedef struct wcodec_tile_span {
    size_t segment, tile;       /* its number in the segment */
    uint64_t container_offset, offset;
    size_t container_size, size;
    uint64_t scales_offset;     /* the S record of its group, which gives the scales of `columns` columns; */
    size_t scales_size, columns;    /* 0: none */
} wcodec_tile_span;
/* The tile that holds the view's byte `offset`: OK or ARGUMENT (beyond the end).  The next tile is
 * found with offset = span.offset + span.size; so one can fetch a range's compressed bytes alone.  Where
 * wcodec_copy_inspect finds that the record is a copy, the tile at span.offset - info.distance, which begins
 * there and is no copy, has the bytes. */
WCODEC_API wcodec_status wcodec_reader_tile(const wcodec_reader *reader, uint64_t offset,
                                            wcodec_tile_span *span);

/* Reads bytes `offset` to `offset + size` of the view, which is all originals one after the other (of
 * a container with one original: that file), decoding just the tiles that hold them.  A range that does
 * not lie inside the view is ARGUMENT.  Bytes of `dst` are unspecified after a failure.
 * OK, ARGUMENT, IO, TRUNCATED, UNSUPPORTED, CORRUPT, CHECKSUM, BASE, NO_SPACE (scratch). */
WCODEC_API wcodec_status wcodec_read(const wcodec_reader *reader, uint64_t offset, void *dst, size_t size,
                                     void *scratch, size_t scratch_size, wcodec_error *err);

/* The same with tiles spread over the caller's threads.  `scratch` holds `parallel->workers` times
 * wcodec_reader_scratch bytes (NULL parallel: once).  `progress` may be NULL. */
WCODEC_API wcodec_status wcodec_read_parallel(const wcodec_reader *reader, uint64_t offset, void *dst,
                                              size_t size, void *scratch, size_t scratch_size,
                                              const wcodec_parallel *parallel,
                                              const wcodec_progress *progress, wcodec_error *err);

/* Segment number i as a whole: `dst_size` must be its size, else NO_SPACE (smaller) or ARGUMENT. */
WCODEC_API wcodec_status wcodec_read_segment(const wcodec_reader *reader, size_t i, void *dst,
                                             size_t dst_size, void *scratch, size_t scratch_size,
                                             wcodec_error *err);

/* Indices `begin` to `end` of the first dimension of segment i (a tensor of rank 1 or more).  The bytes,
 * `dst_size` of them, must be whole: ARGUMENT where a slice of a packed dtype begins inside a byte. */
WCODEC_API wcodec_status wcodec_read_rows(const wcodec_reader *reader, size_t i, uint64_t begin, uint64_t end,
                                          void *dst, size_t dst_size, void *scratch, size_t scratch_size,
                                          wcodec_error *err);
/* The byte range of such a slice inside the segment. */
WCODEC_API wcodec_status wcodec_rows_range(const wcodec_segment *segment, uint64_t begin, uint64_t end,
                                           uint64_t *offset, uint64_t *size);

/* ------------------------------------------------------------------------------------------------
 * The view (public): for code that reads a file bit by bit
 *
 * wcodec_read decodes the tiles that it needs and forgets them, which suits reads of many bytes.  A view keeps
 * the last tile, so that a million reads of 8 bytes, one after the other, decode each tile once.  It lies in the
 * caller's memory; one thread uses it at a time, and others may have their own of the same reader.
 * ---------------------------------------------------------------------------------------------- */

#define WCODEC_ALL_ORIGINALS ((size_t)-1)

/* Do not rely on its contents. */
typedef struct wcodec_view {
    const wcodec_reader *reader;
    unsigned char *tile, *scratch;
    size_t scratch_size, tile_size;     /* tile_size 0: none is kept */
    uint64_t tile_offset;
    uint64_t begin, size;
    wcodec_error error;
} wcodec_view;

/* Bytes of memory that a view of this reader takes: its largest tile, and scratch memory.  No alignment needed. */
WCODEC_API size_t wcodec_view_need(const wcodec_reader *reader);
/* Makes a view of original number `original` (WCODEC_ALL_ORIGINALS: of all, one after the other), whose size is
 * then `view->size`.  `reader` and `memory` must outlive it; there is nothing to close.  OK, ARGUMENT, NO_SPACE. */
WCODEC_API wcodec_status wcodec_view_open(wcodec_view *view, const wcodec_reader *reader, size_t original,
                                          void *memory, size_t memory_size);

/* Reads up to `size` bytes from `offset` and returns how many: fewer only at the end.  Whole tiles are decoded
 * straight into `dst`.  Bytes of `dst` that are not read become 0.  After an error (see wcodec_read) it returns
 * 0, and from then on always: so a caller who looks at nothing gets zeros, and one who looks once, at the end, by
 * wcodec_view_status, knows. */
WCODEC_API size_t wcodec_view_read(wcodec_view *view, uint64_t offset, void *dst, size_t size);
/* The first error, or OK; `err` is filled in if it is one. */
WCODEC_API wcodec_status wcodec_view_status(const wcodec_view *view, wcodec_error *err);

/* ------------------------------------------------------------------------------------------------
 * The push decoder (public): a container in chunks of any size in, the originals' bytes out
 * ---------------------------------------------------------------------------------------------- */

typedef struct wcodec_push wcodec_push;

/* `options` as for a reader; max_memory 0: 256 MiB.  On failure *out is NULL.  A container that holds copies of
 * tiles is UNSUPPORTED without options->reread.  A base of another size than the container's is BASE as soon as the
 * container says which it needs, a missing one where a tile needs it. */
WCODEC_API wcodec_status wcodec_push_open(wcodec_push **out, const wcodec_reader_options *options,
                                          wcodec_error *err);

/* Takes up to `in_size` bytes, stores how many in *in_used, puts up to `out_size` decoded bytes in
 * `out`, stores how many in *out_used.  MORE_INPUT: everything given was taken (with in_size 0: the
 * container is not complete, so at the end of the input it means it is truncated).  MORE_OUTPUT: `out` is
 * full.  ORIGINAL: the bytes that follow belong to a new original (see wcodec_push_original).  END: all
 * checksums of tiles, index and container fit; bytes after the container are not taken.  An error
 * is final: every later call gives it again.  Bytes come out only after their tile's CRC-32 was checked
 * (unless `no_crc`).  The bytes and the final result do not depend on how the input is cut.
 * Whether tiles are missing is known at the END only: keep nothing of a container that does not come to it. */
WCODEC_API wcodec_status wcodec_push_step(wcodec_push *push, const void *in, size_t in_size, size_t *in_used,
                                          void *out, size_t out_size, size_t *out_used, wcodec_error *err);

/* The current original's number and name (valid until the next step); NULL outputs are fine. */
WCODEC_API void wcodec_push_original(const wcodec_push *push, size_t *number, const char **name,
                                     size_t *name_size, int *from_parts);
/* The base that the container needs; its name is valid until close.  0: it needs none, or has not come so far. */
WCODEC_API int wcodec_push_base(const wcodec_push *push, wcodec_base *base);
WCODEC_API void wcodec_push_close(wcodec_push *push);           /* NULL is fine */

/* ------------------------------------------------------------------------------------------------
 * Layer 3: the writer (public)
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

/* Start from wcodec_writer_defaults(). */
typedef struct wcodec_writer_options {
    size_t struct_size;                 /* sizeof(wcodec_writer_options) */
    const wcodec_allocator *allocator;  /* copied; NULL: malloc and free */
    uint64_t max_memory;                /* bytes that the writer may hold; 0: 1 GiB */
    const wcodec_parallel *parallel;    /* copied; NULL: the calling thread */
    wcodec_tile_options tile;           /* what the encoder may choose from; zeros: everything */
    uint32_t tile_units;                /* units a tile, about; 0: 65536, of one byte each 131072, of other
                                         * profiles than FAST and of opaque bytes 262144; at most 2097152 */
    const char *metadata;               /* JSON for the header, copied; NULL: a line that names the library */
    size_t metadata_size;
    int no_sha256;                      /* leave the originals' SHA-256 out */
    int no_copies;                      /* code every tile, so that who takes the container in order need keep
                                         * nothing; 0: a tile that was there before is stored as a copy, where
                                         * it can be compared: wcodec_writer_file reads its file again, */
    wcodec_reread reread;               /* for all else this gives back what the writer was given; fn NULL: no
                                         * copies there */
    unsigned cpu_off;                   /* WCODEC_CPU_...: kernels not to use; the bytes do not depend on it */
    unsigned features;                  /* WCODEC_FEATURE_BLOCKS (see wcodec_plan): segments of blocks may come, which
                                         * without it are coded as bytes; others are ignored */
    const wcodec_source *base;          /* copied; NULL: none.  What segments with has_base are coded against; read
                                         * from the threads that encode. */
    const wcodec_base *base_facts;      /* of it, copied; with a base, not NULL */
} wcodec_writer_options;
WCODEC_API wcodec_writer_options wcodec_writer_defaults(void);

typedef struct wcodec_writer wcodec_writer;

/* Begins a container and writes its header.  On failure *out is NULL.  A writer is used by one thread at
 * a time.  After an error every call but close returns it again; ARGUMENT is no such error: the call had no
 * effect (but wcodec_writer_file, which may have written part of an original, keeps that too). */
WCODEC_API wcodec_status wcodec_writer_open(wcodec_writer **out, const wcodec_sink *sink,
                                            const wcodec_writer_options *options, wcodec_error *err);

/* Begins an original; what follows belongs to it.  `from_parts`: there is no such file, the tensors are
 * all there is. */
WCODEC_API wcodec_status wcodec_writer_original(wcodec_writer *writer, const char *name, size_t name_size,
                                                int from_parts, wcodec_error *err);

/* Begins a segment, whose bytes follow through wcodec_writer_data in pieces of any size, exactly
 * `segment->size` in all (`segment->offset` is ignored: segments follow each other).  ARGUMENT if the
 * last segment is not complete, if dtype, shape and size disagree, or if it does not lie in the base. */
WCODEC_API wcodec_status wcodec_writer_segment(wcodec_writer *writer, const wcodec_segment *segment,
                                               wcodec_error *err);
WCODEC_API wcodec_status wcodec_writer_data(wcodec_writer *writer, const void *data, size_t size,
                                            wcodec_error *err);

/* Writes the index and the footer; after it the container is complete. */
WCODEC_API wcodec_status wcodec_writer_finish(wcodec_writer *writer, wcodec_error *err);
/* Bytes written so far. */
WCODEC_API uint64_t wcodec_writer_size(const wcodec_writer *writer);
WCODEC_API void wcodec_writer_close(wcodec_writer *writer);     /* NULL is fine; does not finish */

/* ------------------------------------------------------------------------------------------------
 * Layer 4: plans (public): how a file falls into segments
 * ---------------------------------------------------------------------------------------------- */

/* Segments that tile a file without holes, in order. */
typedef struct wcodec_plan {
    const wcodec_segment *segments;
    size_t count;
    uint64_t size;              /* of the file */
    const char *format;         /* "safetensors", "gguf", "npy", "zip", "raw"; of wcodec_plan_from: "plan" */
    unsigned features;          /* for the options of a writer: WCODEC_FEATURE_BLOCKS if there are blocks, or 0 */
} wcodec_plan;

/* Start from wcodec_plan_defaults(). */
typedef struct wcodec_plan_options {
    size_t struct_size;                 /* sizeof(wcodec_plan_options) */
    const wcodec_allocator *allocator;  /* copied; NULL: malloc and free */
    uint64_t max_memory;                /* 0: 1 GiB */
    unsigned dtype;                     /* BYTES: look at the file; else: it is all of this dtype */
    uint64_t row;                       /* with a dtype: elements a row; 0, or not whole rows: none */
} wcodec_plan_options;
WCODEC_API wcodec_plan_options wcodec_plan_defaults(void);

/* Makes a plan for any file: a safetensors or GGUF file becomes its header, its tensors and what lies between
 * them; an array of NumPy (.npy) the tensor "array" and what is around it; a zip archive, which is what PyTorch
 * writes, one segment for each entry that is stored as it is, under its name ("archive/data/0"), whose dtype is
 * known only if it is a .npy file.  A file that is none of these, or that breaks a rule of its format, becomes one
 * opaque segment: no file is refused for what is in it.  On success free *out with wcodec_plan_close; on failure
 * it is NULL.
 * OK, ARGUMENT, NO_MEMORY, LIMIT, IO. */
WCODEC_API wcodec_status wcodec_plan_open(wcodec_plan **out, const wcodec_source *file,
                                          const wcodec_plan_options *options, wcodec_error *err);

/* Makes a plan of what the caller knows of a file of `size` bytes: `count` segments in any order, which are copied
 * with names and shapes; where they leave bytes out, opaque ones are added.  Of the options, dtype and row mean
 * nothing here.
 * OK, ARGUMENT (also if a segment overlaps another, passes the file's end, or contradicts itself: then *wrong,
 * which may be NULL, is its number, and `count` otherwise), NO_MEMORY, LIMIT. */
WCODEC_API wcodec_status wcodec_plan_from(wcodec_plan **out, const wcodec_segment *segments, size_t count,
                                          uint64_t size, const wcodec_plan_options *options, size_t *wrong,
                                          wcodec_error *err);
WCODEC_API void wcodec_plan_close(wcodec_plan *plan);           /* NULL is fine */

/* Writes all segments of `plan` from `file` as one original named `name`: wcodec_writer_original,
 * _segment and _data in one call.  `progress` may be NULL.  A file in memory is encoded where it lies; nothing of it
 * is needed when this has returned. */
WCODEC_API wcodec_status wcodec_writer_file(wcodec_writer *writer, const char *name, size_t name_size,
                                            const wcodec_source *file, const wcodec_plan *plan,
                                            const wcodec_progress *progress, wcodec_error *err);

/* ------------------------------------------------------------------------------------------------
 * Layer 4: estimates (public): is a tensor worth compressing?
 * ---------------------------------------------------------------------------------------------- */

/* Start from wcodec_estimate_defaults(). */
typedef struct wcodec_estimate_options {
    size_t struct_size;                 /* sizeof(wcodec_estimate_options) */
    const wcodec_allocator *allocator;  /* copied; NULL: malloc and free */
    uint64_t max_memory;                /* bytes held meanwhile; 0: 1 GiB */
    wcodec_tile_options tile;           /* as for the writer, */
    uint32_t tile_units;                /* and this too: 0: the profile's own */
    unsigned cpu_off;                   /* WCODEC_CPU_...: kernels that will not decode it */
    int no_crc;                         /* it will be decoded without CRC-32 */
    unsigned threads;                   /* that will decode it; 0: one */
    uint64_t cpu_hz;                    /* of these, cycles a second; 0: 3 GHz */
    uint64_t disk_bytes_per_s;          /* speed of reading the file; 0: unknown */
    const wcodec_source *base;          /* for segments with has_base; NULL: they are taken for others */
} wcodec_estimate_options;
WCODEC_API wcodec_estimate_options wcodec_estimate_defaults(void);

/* `exact`: the sample was the whole segment, so that `records` is what the writer makes, to the byte.
 * Times are in nanoseconds, and at most UINT64_MAX. */
typedef struct wcodec_estimate {
    uint64_t size;                      /* of the segment */
    uint64_t records;                   /* that its tiles and their scales take in a container, */
    uint64_t coded;                     /* with its entry in the index, before that is coded */
    int exact;
    uint64_t decode_ns;                 /* for decoding it from memory to memory */
    uint64_t raw_load_ns;               /* for reading it as it is; disk speed unknown: 0 */
    uint64_t coded_load_ns;             /* for reading it coded while what has come is decoded: the longer of the two */
    int compress;                       /* it is smaller coded, and (disk speed known) loads sooner */
} wcodec_estimate;

/* What the writer would make of a segment of `file`, which begins at segment->offset: up to 262144 units in 256
 * tiles are encoded as the writer does it, of a larger segment a sample of so many from all over it; and how
 * long decoding would take, by a table of cycles that was measured on one machine (`cpu_hz` corrects it: give the
 * clock that makes a known tensor's time come out).  The sizes do not depend on the machine.
 * Reads at most 2 Mi units and encodes a quarter Mi, whatever the segment's size (of blocks a Mi of bytes).
 * OK, ARGUMENT (also if dtype, shape and size disagree), NO_MEMORY, LIMIT, IO, TRUNCATED (the segment does not
 * lie in the file), or what `read_at` returned; *out is filled in only if OK.  Any thread. */
WCODEC_API wcodec_status wcodec_estimate_segment(const wcodec_segment *segment, const wcodec_source *file,
                                                 const wcodec_estimate_options *options, wcodec_estimate *out,
                                                 wcodec_error *err);

/* Finds for each segment of `plan`, a plan of `file` as wcodec_plan_open gives it, the segment of `base` with the
 * same name, dtype and shape (the first of several; not for segments without a name), and makes it its base if an
 * estimate says that this saves something: has_base and base_offset are set anew in all segments.  `base` may be a
 * plan, or any list of segments with offsets in options->base, such as a reader's.  `found`, `used`: how many have
 * such a twin, and a base now; NULL is fine.  A writer that needs a base for none does better without one.
 * OK, and what wcodec_estimate_segment gives; then the plan is as if without a base. */
WCODEC_API wcodec_status wcodec_plan_base(wcodec_plan *plan, const wcodec_source *file, const wcodec_segment *base,
                                          size_t base_count, const wcodec_estimate_options *options,
                                          size_t *found, size_t *used, wcodec_error *err);

#endif /* WCODEC_NO_ENCODER */

#ifdef __cplusplus
}
#endif

#endif /* WCODEC_H */
