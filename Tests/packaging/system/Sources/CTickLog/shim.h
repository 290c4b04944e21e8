#include <ticklog.h>
