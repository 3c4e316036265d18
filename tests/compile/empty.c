/* What the header's own includes define, to be compared with what it leaves defined. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int nothing_else;
