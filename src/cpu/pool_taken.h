/* A max pooling with windows of 2x2 side by side that a convolution by Winograd's way does as well, and what it keeps for the
 * gradient in the place of its input: for each tile and lane a number whose bit y * tile + x says that output (y, x) of the
 * tile was taken, so that the window's gradient goes there. Where a ReLU made a window's largest 0 none is. */
#ifndef WKI_POOL_TAKEN_H
#define WKI_POOL_TAKEN_H

#include "cpu/kernel_vector.h"

ALWAYS_INLINE ivec load_taken(const int32_t *from)
{
    return *(const ivec_unaligned *)from;
}

ALWAYS_INLINE void store_taken(int32_t *to, ivec taken)
{
    *(ivec_unaligned *)to = taken;
}

/* Whether `value` takes the place of `most`, as PyTorch has it: the first of equals stays, but the last NaN is taken. */
ALWAYS_INLINE ivec takes(vec value, vec most)
{
    return (value > most) | (value != value);
}

/* The largest of a window's four numbers, and bits[] of which it was. */
ALWAYS_INLINE vec pool_four(const vec four[4], const int bits[4], ivec *taken)
{
    vec most = four[0];
    *taken = (ivec){0} + bits[0];
    UNROLL for (int n = 1; n < 4; n++)
    {
        const ivec take = takes(four[n], most);
        most = select_vec(take, four[n], most);
        *taken = (take & bits[n]) | (~take & *taken);
    }
    return most;
}

/* A window's gradient where one of these bits is set, else 0. gcc must not see that: it would multiply first and choose
 * then, and round the product that else is added to something in one go. */
ALWAYS_INLINE vec unpooled(vec delta, ivec taken, const int bits)
{
#if VW == 16 && defined(__AVX512F__)
    /* Two instructions for four; there are 84 in a Winograd window, which takes 29 ns with them and 33 without. */
    const __mmask16 here = _mm512_test_epi32_mask((__m512i)taken, _mm512_set1_epi32(bits));
    vec gradient = (vec)_mm512_maskz_mov_ps(here, (__m512)delta);
#else
    vec gradient = (vec)(((taken & bits) != 0) & (ivec)delta);
#endif
    KEEP_IN_REGISTER(gradient);
    return gradient;
}

#endif
