/* The implementation in a file of its own, as C and as C++. */
#define WCODEC_IMPLEMENTATION
#include "../../wcodec.h"

typedef int nothing_else;   /* the name is free: what the header leaves behind begins with wcodec */
