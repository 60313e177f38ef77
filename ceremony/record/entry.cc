#include "ceremony/record/entry.h"
