/* With static_b.c: two files that each have the whole library to themselves, in one program. */
#define WCODEC_STATIC
#define WCODEC_IMPLEMENTATION
#include "../../wcodec.h"

uint32_t static_b(const void *data, size_t size);

int main(void)
{
    return wcodec_crc32(0, "123456789", 9) == 0xCBF43926u && static_b("123456789", 9) == 0xCBF43926u ? 0 : 1;
}
