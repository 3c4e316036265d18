/* The library's implementation, in a translation unit of its own: every other file includes wcodec.h
 * for its declarations only. */
#define WCODEC_IMPLEMENTATION
#include "../../wcodec.h"
