/* See static_a.c. */
#define WCODEC_STATIC
#define WCODEC_IMPLEMENTATION
#include "../../wcodec.h"

uint32_t static_b(const void *data, size_t size);

uint32_t static_b(const void *data, size_t size)
{
    return wcodec_crc32(0, data, size);
}
