// shim: liblzf, under a header that Swift's importer finds wherever pkg-config says it is.
#pragma once
#include <lzf.h>
