/* How the gradients of the fully connected layer go: two vectors of features at a time, and rows or outputs, whose sums are in
 * registers, in as few tiles as there can be, of about the same size. */
#ifndef WKI_LINEAR_TILES_H
#define WKI_LINEAR_TILES_H

#include "cpu/kernel_vector.h"

#if REGISTERS == 32
enum { MANY = 10 };
#define FOR_MANY(F) FOR_1_TO_10(F)
#else
enum { MANY = 5 };
#define FOR_MANY(F) FOR_1_TO_5(F)
#endif

static inline int tile_count(int count)
{
    return (count + MANY - 1) / MANY;
}

/* Where tile `tile` of those begins. */
static inline int tile_begin(int count, int tile)
{
    return (int)((int64_t)count * tile / tile_count(count));
}

#endif
