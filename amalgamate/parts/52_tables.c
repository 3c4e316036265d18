/* ------------------------------------------------------------------------------------------------
 * Tables (private, and the public names): dtypes, splits, coders, predictors, statuses
 * Adding a dtype or a split is a row here; the container code knows neither.
 * ---------------------------------------------------------------------------------------------- */

typedef struct wcodeci_dtype_row {
    const char *name;
    unsigned char bits;         /* an element; 0: BYTES */
    unsigned char unit;         /* bytes */
    unsigned char integer;      /* differences of neighbouring units are worth a try */
    unsigned char splits[2];    /* that suit it, the likeliest first; the same one twice: just one */
    unsigned char classes[2];   /* the one whose planes classes suit, for speed and for size; BYTE: none */
} wcodeci_dtype_row;

static const wcodeci_dtype_row wcodeci_dtypes[] = {
    { "BYTES",        0, 1, 0, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE }, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE } },
    { "BOOL",         8, 1, 0, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE }, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE } },
    { "F4",           4, 1, 0, { WCODEC_SPLIT_NIBBLES, WCODEC_SPLIT_BYTE }, { WCODEC_SPLIT_NIBBLES, WCODEC_SPLIT_NIBBLES } },
    { "F6_E2M3",      6, 1, 0, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE }, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE } },
    { "F6_E3M2",      6, 1, 0, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE }, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE } },
    { "U8",           8, 1, 0, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_NIBBLES }, { WCODEC_SPLIT_NIBBLES, WCODEC_SPLIT_NIBBLES } },
    { "I8",           8, 1, 0, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_NIBBLES }, { WCODEC_SPLIT_NIBBLES, WCODEC_SPLIT_NIBBLES } },
    { "F8_E5M2",      8, 1, 0, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_F8_E5M2 }, { WCODEC_SPLIT_F8_E5M2, WCODEC_SPLIT_F8_E5M2 } },
    { "F8_E4M3",      8, 1, 0, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_F8_E4M3 }, { WCODEC_SPLIT_F8_E4M3, WCODEC_SPLIT_F8_E4M3 } },
    { "F8_E8M0",      8, 1, 0, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE }, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE } },
    { "F8_E4M3FNUZ",  8, 1, 0, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_F8_E4M3 }, { WCODEC_SPLIT_F8_E4M3, WCODEC_SPLIT_F8_E4M3 } },
    { "F8_E5M2FNUZ",  8, 1, 0, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_F8_E5M2 }, { WCODEC_SPLIT_F8_E5M2, WCODEC_SPLIT_F8_E5M2 } },
    { "I16",         16, 2, 1, { WCODEC_SPLIT_WORD16, WCODEC_SPLIT_WORD16 }, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE } },
    { "U16",         16, 2, 1, { WCODEC_SPLIT_WORD16, WCODEC_SPLIT_WORD16 }, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE } },
    { "F16",         16, 2, 0, { WCODEC_SPLIT_F16, WCODEC_SPLIT_WORD16 }, { WCODEC_SPLIT_F16, WCODEC_SPLIT_F16_4 } },
    { "BF16",        16, 2, 0, { WCODEC_SPLIT_BF16, WCODEC_SPLIT_WORD16 }, { WCODEC_SPLIT_BF16, WCODEC_SPLIT_BF16_4 } },
    { "I32",         32, 4, 1, { WCODEC_SPLIT_WORD32, WCODEC_SPLIT_WORD32 }, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE } },
    { "U32",         32, 4, 1, { WCODEC_SPLIT_WORD32, WCODEC_SPLIT_WORD32 }, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE } },
    { "F32",         32, 4, 0, { WCODEC_SPLIT_F32, WCODEC_SPLIT_WORD32 }, { WCODEC_SPLIT_F32, WCODEC_SPLIT_F32_4 } },
    { "C64",         64, 4, 0, { WCODEC_SPLIT_F32, WCODEC_SPLIT_WORD32 }, { WCODEC_SPLIT_F32, WCODEC_SPLIT_F32_4 } },
    { "F64",         64, 8, 0, { WCODEC_SPLIT_F64, WCODEC_SPLIT_WORD64 }, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE } },
    { "I64",         64, 8, 1, { WCODEC_SPLIT_WORD64, WCODEC_SPLIT_WORD64 }, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE } },
    { "U64",         64, 8, 1, { WCODEC_SPLIT_WORD64, WCODEC_SPLIT_WORD64 }, { WCODEC_SPLIT_BYTE, WCODEC_SPLIT_BYTE } },
    { "I4",           4, 1, 0, { WCODEC_SPLIT_NIBBLES, WCODEC_SPLIT_BYTE }, { WCODEC_SPLIT_NIBBLES, WCODEC_SPLIT_NIBBLES } },
    { "U4",           4, 1, 0, { WCODEC_SPLIT_NIBBLES, WCODEC_SPLIT_BYTE }, { WCODEC_SPLIT_NIBBLES, WCODEC_SPLIT_NIBBLES } }
};
#define WCODECI_DTYPES (sizeof wcodeci_dtypes / sizeof wcodeci_dtypes[0])

#define WCODECI_BLOCK_FIELDS 7      /* of any block below, at most */

/* A field of a block: so many bytes, and the dtype as whose elements the encoder looks at them.  BYTES: bits that are
 * packed in some way. */
typedef struct wcodeci_field_row {
    unsigned short bytes;               /* 0: no such field */
    unsigned char kind;
} wcodeci_field_row;

/* A block of ggml.  What its fields are is told by every tile, so a decoder needs no row here. */
typedef struct wcodeci_block_row {
    const char *name;
    unsigned char dtype;
    unsigned short elements, bytes;
    wcodeci_field_row field[WCODECI_BLOCK_FIELDS];
} wcodeci_block_row;

static const wcodeci_block_row wcodeci_blocks[] = {
    { "Q4_0", WCODEC_Q4_0, 32, 18, { { 2, WCODEC_F16 }, { 16, WCODEC_U4 } } },
    { "Q4_1", WCODEC_Q4_1, 32, 20, { { 2, WCODEC_F16 }, { 2, WCODEC_F16 }, { 16, WCODEC_U4 } } },
    { "Q5_0", WCODEC_Q5_0, 32, 22, { { 2, WCODEC_F16 }, { 4, WCODEC_BYTES }, { 16, WCODEC_U4 } } },
    { "Q5_1", WCODEC_Q5_1, 32, 24, { { 2, WCODEC_F16 }, { 2, WCODEC_F16 }, { 4, WCODEC_BYTES }, { 16, WCODEC_U4 } } },
    { "Q8_0", WCODEC_Q8_0, 32, 34, { { 2, WCODEC_F16 }, { 32, WCODEC_I8 } } },
    { "Q8_1", WCODEC_Q8_1, 32, 36, { { 2, WCODEC_F16 }, { 2, WCODEC_F16 }, { 32, WCODEC_I8 } } },
    /* scales and mins of 4 bits, quants of 2, their scales' scales */
    { "Q2_K", WCODEC_Q2_K, 256, 84, { { 16, WCODEC_U8 }, { 64, WCODEC_BYTES }, { 2, WCODEC_F16 }, { 2, WCODEC_F16 } } },
    /* high bits, lower two, scales of 6 bits: the lower four, the upper two */
    { "Q3_K", WCODEC_Q3_K, 256, 110, { { 32, WCODEC_BYTES }, { 64, WCODEC_BYTES }, { 8, WCODEC_U4 }, { 4, WCODEC_BYTES },
                                       { 2, WCODEC_F16 } } },
    /* scales of 6 bits: four scales, four mins, each with two bits of the four others, whose lower bits follow */
    { "Q4_K", WCODEC_Q4_K, 256, 144, { { 2, WCODEC_F16 }, { 2, WCODEC_F16 }, { 4, WCODEC_U8 }, { 4, WCODEC_U8 },
                                       { 4, WCODEC_U8 }, { 128, WCODEC_U4 } } },
    { "Q5_K", WCODEC_Q5_K, 256, 176, { { 2, WCODEC_F16 }, { 2, WCODEC_F16 }, { 4, WCODEC_U8 }, { 4, WCODEC_U8 },
                                       { 4, WCODEC_U8 }, { 32, WCODEC_BYTES }, { 128, WCODEC_U4 } } },
    { "Q6_K", WCODEC_Q6_K, 256, 210, { { 128, WCODEC_U4 }, { 64, WCODEC_BYTES }, { 16, WCODEC_I8 }, { 2, WCODEC_F16 } } },
    { "Q8_K", WCODEC_Q8_K, 256, 292, { { 4, WCODEC_F32 }, { 256, WCODEC_I8 }, { 32, WCODEC_I16 } } },
    /* numbers of grid points and signs */
    { "IQ2_XXS", WCODEC_IQ2_XXS, 256, 66, { { 2, WCODEC_F16 }, { 64, WCODEC_U64 } } },
    { "IQ2_XS", WCODEC_IQ2_XS, 256, 74, { { 2, WCODEC_F16 }, { 64, WCODEC_U16 }, { 8, WCODEC_U8 } } },
    { "IQ3_XXS", WCODEC_IQ3_XXS, 256, 98, { { 2, WCODEC_F16 }, { 64, WCODEC_U8 }, { 32, WCODEC_U32 } } },
    { "IQ1_S", WCODEC_IQ1_S, 256, 50, { { 2, WCODEC_F16 }, { 32, WCODEC_U8 }, { 16, WCODEC_U16 } } },
    { "IQ4_NL", WCODEC_IQ4_NL, 32, 18, { { 2, WCODEC_F16 }, { 16, WCODEC_U4 } } },
    { "IQ3_S", WCODEC_IQ3_S, 256, 110, { { 2, WCODEC_F16 }, { 64, WCODEC_U8 }, { 8, WCODEC_BYTES }, { 32, WCODEC_BYTES },
                                         { 4, WCODEC_U8 } } },
    { "IQ2_S", WCODEC_IQ2_S, 256, 82, { { 2, WCODEC_F16 }, { 32, WCODEC_U8 }, { 32, WCODEC_BYTES }, { 8, WCODEC_BYTES },
                                        { 8, WCODEC_U8 } } },
    { "IQ4_XS", WCODEC_IQ4_XS, 256, 136, { { 2, WCODEC_F16 }, { 2, WCODEC_BYTES }, { 4, WCODEC_U8 }, { 128, WCODEC_U4 } } },
    /* the scales' scale lies in the upper bits of four of 16 */
    { "IQ1_M", WCODEC_IQ1_M, 256, 56, { { 32, WCODEC_U8 }, { 16, WCODEC_U8 }, { 8, WCODEC_U64 } } },
    /* five trits a byte, four, a scale */
    { "TQ1_0", WCODEC_TQ1_0, 256, 54, { { 48, WCODEC_U8 }, { 4, WCODEC_U8 }, { 2, WCODEC_F16 } } },
    { "TQ2_0", WCODEC_TQ2_0, 256, 66, { { 64, WCODEC_U8 }, { 2, WCODEC_F16 } } },
    { "MXFP4", WCODEC_MXFP4, 32, 17, { { 1, WCODEC_F8_E8M0 }, { 16, WCODEC_F4 } } },
    { "NVFP4", WCODEC_NVFP4, 64, 36, { { 4, WCODEC_F8_E4M3 }, { 32, WCODEC_F4 } } },
    { "Q1_0", WCODEC_Q1_0, 128, 18, { { 2, WCODEC_F16 }, { 16, WCODEC_BYTES } } },
    { "Q2_0", WCODEC_Q2_0, 64, 18, { { 2, WCODEC_F16 }, { 16, WCODEC_BYTES } } }
};

/* The block of a dtype, or NULL if it is of another kind, or none. */
static const wcodeci_block_row *wcodeci_block_of(unsigned dtype)
{
    size_t i;
    for (i = 0; i < sizeof wcodeci_blocks / sizeof wcodeci_blocks[0]; i++)
        if (wcodeci_blocks[i].dtype == dtype) return &wcodeci_blocks[i];
    return NULL;
}

/* A plane is up to three bit fields of the unit, the upper ones put above the lower ones. */
typedef struct wcodeci_plane_row {
    unsigned char width;                        /* bits in all; 0: no such plane */
    unsigned char low_shift, low_width;         /* the lower field */
    unsigned char high_shift, high_width;       /* the upper field, or width 0 */
    unsigned char top_shift, top_width;         /* one more above it, or width 0 */
} wcodeci_plane_row;

typedef struct wcodeci_split_row {
    const char *name;
    unsigned char unit, planes;
    wcodeci_plane_row plane[WCODEC_MAX_PLANES];
} wcodeci_split_row;

#define WCODECI_FIELD(shift, width) { width, shift, width, 0, 0, 0, 0 }
#define WCODECI_FIELDS(hs, hw, ls, lw) { (hw) + (lw), ls, lw, hs, hw, 0, 0 }

static const wcodeci_split_row wcodeci_splits[WCODEC_SPLIT_COUNT] = {
    { "BYTE", 1, 1,
      { WCODECI_FIELD(0, 8) } },
    { "WORD16", 2, 2,
      { WCODECI_FIELD(8, 8), WCODECI_FIELD(0, 8) } },
    { "WORD32", 4, 4,
      { WCODECI_FIELD(24, 8), WCODECI_FIELD(16, 8), WCODECI_FIELD(8, 8), WCODECI_FIELD(0, 8) } },
    { "WORD64", 8, 8,
      { WCODECI_FIELD(56, 8), WCODECI_FIELD(48, 8), WCODECI_FIELD(40, 8), WCODECI_FIELD(32, 8),
        WCODECI_FIELD(24, 8), WCODECI_FIELD(16, 8), WCODECI_FIELD(8, 8), WCODECI_FIELD(0, 8) } },
    { "BF16", 2, 2,
      { WCODECI_FIELD(7, 8), WCODECI_FIELDS(15, 1, 0, 7) } },
    { "F16", 2, 3,
      { WCODECI_FIELD(10, 5), WCODECI_FIELDS(15, 1, 8, 2), WCODECI_FIELD(0, 8) } },
    { "F32", 4, 4,
      { WCODECI_FIELD(23, 8), WCODECI_FIELDS(31, 1, 16, 7), WCODECI_FIELD(8, 8), WCODECI_FIELD(0, 8) } },
    { "F64", 8, 8,
      { WCODECI_FIELD(52, 8), { 8, 48, 4, 60, 3, 63, 1 }, WCODECI_FIELD(40, 8), WCODECI_FIELD(32, 8),
        WCODECI_FIELD(24, 8), WCODECI_FIELD(16, 8), WCODECI_FIELD(8, 8), WCODECI_FIELD(0, 8) } },
    { "F8_E4M3", 1, 2,
      { WCODECI_FIELD(3, 4), WCODECI_FIELDS(7, 1, 0, 3) } },
    { "F8_E5M2", 1, 2,
      { WCODECI_FIELD(2, 5), WCODECI_FIELDS(7, 1, 0, 2) } },
    { "NIBBLES", 1, 2,
      { WCODECI_FIELD(4, 4), WCODECI_FIELD(0, 4) } },
    { "BF16_4", 2, 3,
      { WCODECI_FIELD(7, 8), WCODECI_FIELD(3, 4), WCODECI_FIELDS(15, 1, 0, 3) } },
    { "F16_4", 2, 3,
      { WCODECI_FIELD(10, 5), WCODECI_FIELD(6, 4), WCODECI_FIELDS(15, 1, 0, 6) } },
    { "F32_4", 4, 5,
      { WCODECI_FIELD(23, 8), WCODECI_FIELD(19, 4), WCODECI_FIELDS(31, 1, 16, 3), WCODECI_FIELD(8, 8),
        WCODECI_FIELD(0, 8) } },
    { "BLOCKS", 1, 0, { WCODECI_FIELD(0, 0) } },        /* its fields have splits of their own */
    /* One plane of indices, whose width is the tile's: see 598_palette.c. */
    { "PALETTE16", 2, 1, { WCODECI_FIELD(0, 8) } },
    { "PALETTE32", 4, 1, { WCODECI_FIELD(0, 8) } },
    { "PALETTE64", 8, 1, { WCODECI_FIELD(0, 8) } },
    { "LINEAR_BF16", 2, 1, { WCODECI_FIELD(0, 8) } },
    { "LINEAR_F16", 2, 1, { WCODECI_FIELD(0, 8) } },
    { "LINEAR_F32", 4, 1, { WCODECI_FIELD(0, 8) } }
};

/* The plane whose values are merged as they are decoded, where there is a kernel for that. */
WCODECI_INLINE unsigned wcodeci_split_fused(unsigned split) { return split >= WCODEC_SPLIT_BF16_4; }

WCODEC_API const char *wcodec_dtype_name(unsigned dtype)
{
    const wcodeci_block_row *block = wcodeci_block_of(dtype);
    return dtype < WCODECI_DTYPES ? wcodeci_dtypes[dtype].name : block ? block->name : NULL;
}

static int wcodeci_text_is(const char *text, size_t size, const char *word)
{
    size_t i;
    for (i = 0; i < size; i++)
        if (!word[i] || word[i] != text[i]) return 0;
    return !word[i];
}

WCODEC_API int wcodec_dtype_find(const char *name, size_t name_size)
{
    size_t i;
    for (i = 0; i < WCODECI_DTYPES; i++)
        if (wcodeci_text_is(name, name_size, wcodeci_dtypes[i].name)) return (int)i;
    for (i = 0; i < sizeof wcodeci_blocks / sizeof wcodeci_blocks[0]; i++)
        if (wcodeci_text_is(name, name_size, wcodeci_blocks[i].name)) return wcodeci_blocks[i].dtype;
    return -1;
}

WCODEC_API unsigned wcodec_dtype_bits(unsigned dtype)
{
    return dtype < WCODECI_DTYPES ? wcodeci_dtypes[dtype].bits : 0;
}

WCODEC_API int wcodec_dtype_block(unsigned dtype, unsigned *elements, unsigned *bytes)
{
    const wcodeci_block_row *block = wcodeci_block_of(dtype);
    const unsigned bits = wcodec_dtype_bits(dtype);
    *elements = block ? block->elements : bits == 6 ? 4 : bits == 4 ? 2 : bits != 0;
    *bytes = block ? block->bytes : *elements * bits / 8;
    return block != NULL;
}

WCODEC_API const char *wcodec_split_name(unsigned split)
{
    return split < WCODEC_SPLIT_COUNT ? wcodeci_splits[split].name : NULL;
}

WCODEC_API const char *wcodec_coder_name(unsigned coder)
{
    static const char *const names[WCODEC_CODER_COUNT] = {
        "raw", "constant", "sparse", "huffman", "rans16", "rans256", "classes",
        "mix", "lz", "packed"
    };
    return coder < WCODEC_CODER_COUNT ? names[coder] : NULL;
}

WCODEC_API const char *wcodec_predictor_name(unsigned predictor)
{
    static const char *const names[WCODEC_PREDICT_COUNT] = { "none", "left", "up", "scale", "base xor",
                                                            "base difference" };
    return predictor < WCODEC_PREDICT_COUNT ? names[predictor] : NULL;
}

WCODEC_API const char *wcodec_status_string(wcodec_status status)
{
    switch (status) {
    case WCODEC_OK: return "success";
    case WCODEC_MORE_INPUT: return "more input is needed";
    case WCODEC_MORE_OUTPUT: return "more room for output is needed";
    case WCODEC_ORIGINAL: return "a new original begins";
    case WCODEC_END: return "the container is complete";
    case WCODEC_E_ARGUMENT: return "wrong argument";
    case WCODEC_E_NO_MEMORY: return "out of memory";
    case WCODEC_E_LIMIT: return "a limit was reached";
    case WCODEC_E_IO: return "input or output failed";
    case WCODEC_E_TRUNCATED: return "the data ends too early";
    case WCODEC_E_MAGIC: return "not a wcodec container";
    case WCODEC_E_VERSION: return "unknown format version";
    case WCODEC_E_UNSUPPORTED: return "a feature that this version does not know";
    case WCODEC_E_CORRUPT: return "corrupt data";
    case WCODEC_E_CHECKSUM: return "checksum mismatch";
    case WCODEC_E_CANCELLED: return "cancelled";
    case WCODEC_E_NOT_FOUND: return "not found";
    case WCODEC_E_NO_SPACE: return "the destination is too small";
    case WCODEC_E_BASE: return "the base is missing, or is another one";
    }
    return "unknown status";
}
