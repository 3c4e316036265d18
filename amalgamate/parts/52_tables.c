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

#define WCODECI_PLAIN_SPLITS 14     /* so many are nothing but bit fields */

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
    { NULL, 1, 0, { WCODECI_FIELD(0, 8) } },
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
    return dtype < WCODECI_DTYPES ? wcodeci_dtypes[dtype].name : NULL;
}

WCODEC_API int wcodec_dtype_find(const char *name, size_t name_size)
{
    size_t i;
    for (i = 0; i < WCODECI_DTYPES; i++) {
        const char *known = wcodeci_dtypes[i].name;
        size_t k = 0;
        while (k < name_size && known[k] && known[k] == name[k]) k++;
        if (k == name_size && !known[k]) return (int)i;
    }
    return -1;
}

WCODEC_API unsigned wcodec_dtype_bits(unsigned dtype)
{
    return dtype < WCODECI_DTYPES ? wcodeci_dtypes[dtype].bits : 0;
}

WCODEC_API const char *wcodec_split_name(unsigned split)
{
    return split < WCODEC_SPLIT_COUNT ? wcodeci_splits[split].name : NULL;
}

WCODEC_API const char *wcodec_coder_name(unsigned coder)
{
    static const char *const names[WCODEC_CODER_COUNT] = {
        "raw", "constant", "sparse", "huffman", "rans16", "rans256", "classes",
        "mix"
    };
    return coder < WCODEC_CODER_COUNT ? names[coder] : NULL;
}

WCODEC_API const char *wcodec_predictor_name(unsigned predictor)
{
    static const char *const names[WCODEC_PREDICT_COUNT] = { "none", "left", "up", "scale" };
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
    }
    return "unknown status";
}
