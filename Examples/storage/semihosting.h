/* A ticklog_storage over ARM semihosting: the files of the host that debugs (or emulates) the chip. */
#ifndef SEMIHOSTING_STORAGE_H
#define SEMIHOSTING_STORAGE_H

#include <ticklog.h>

extern const ticklog_storage semihosting_storage;

#endif
