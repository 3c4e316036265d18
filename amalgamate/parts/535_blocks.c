/* ------------------------------------------------------------------------------------------------
 * Blocks (private): a field of all blocks, gathered or put back
 * The usual sizes of a field are constants to the compiler, so that a copy is a load and a store.
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_MAX_BLOCK 4096      /* bytes */

#define WCODECI_FIELD_SIZES(copy) \
    switch (width) { \
    case 1: copy(1); break; \
    case 2: copy(2); break; \
    case 4: copy(4); break; \
    case 8: copy(8); break; \
    case 16: copy(16); break; \
    case 32: copy(32); break; \
    case 64: copy(64); break; \
    case 128: copy(128); break; \
    default: copy(width); break; \
    }

/* Puts a field of `width` bytes, n of them one after the other, into blocks that are `block` bytes apart. */
static void wcodeci_blocks_put(const wcodeci_byte *field, size_t width, wcodeci_byte *dst, size_t block, size_t n)
{
    size_t i;
#define WCODECI_FIELD_PUT(w) for (i = 0; i < n; i++) memcpy(dst + i * block, field + i * (w), w)
    WCODECI_FIELD_SIZES(WCODECI_FIELD_PUT)
}

#ifndef WCODEC_NO_ENCODER
static void wcodeci_blocks_take(const wcodeci_byte *src, size_t block, size_t width, wcodeci_byte *field, size_t n)
{
    size_t i;
#define WCODECI_FIELD_TAKE(w) for (i = 0; i < n; i++) memcpy(field + i * (w), src + i * block, w)
    WCODECI_FIELD_SIZES(WCODECI_FIELD_TAKE)
}
#endif
