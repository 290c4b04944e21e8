/* liblz4, as it is. */
#ifndef TICKLOG_CLZ4_SHIM_H
#define TICKLOG_CLZ4_SHIM_H

#include <lz4.h>
#ifndef BARE_METAL
#include <lz4hc.h>
#endif
#include "tables.h"

#endif
