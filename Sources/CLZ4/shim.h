/* liblz4, as it is. */
#include <lz4.h>
