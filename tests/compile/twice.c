/* The header twice, then its implementation later in the same file, then all of it once more. */
#include "../../wcodec.h"
#include "../../wcodec.h"

static uint32_t before(void)
{
    return wcodec_crc32(0, "a", 1);
}

#define WCODEC_IMPLEMENTATION
#include "../../wcodec.h"
#include "../../wcodec.h"

int main(void)
{
    return before() == 0xE8B7BE43u ? 0 : 1;
}
