/* The two loops in which PyTorch on x86-64 fuses multiplications and additions, to the bit as it does.
 *
 * Uniform numbers are scaled with one fused step. Normal numbers are Box and Muller's transform of 16
 * uniform ones, 8 lanes at once, with Cephes' single precision logarithm and sine, some steps of which
 * PyTorch's compilers fuse. Written out with those very steps, the numbers are the same on every
 * processor; where it fuses in hardware the loops become vector code.
 */
#include "tensor/random_internal.h"

#include <math.h>
#include <string.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

enum { LANES = 8, GROUP = 2 * LANES };

#define INLINE static inline __attribute__((always_inline))

INLINE uint32_t to_bits(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof(bits));
    return bits;
}

INLINE float from_bits(uint32_t bits)
{
    float number;
    memcpy(&number, &bits, sizeof(number));
    return number;
}

/* All bits set where the condition holds: choices are made without branches, for the vectoriser. */
INLINE uint32_t mask(bool condition)
{
    return -(uint32_t)condition;
}

/* Cephes' logf for 2^-24 <= x <= 1. */
INLINE float log_unit(float x)
{
    float exponent = (float)((int32_t)(to_bits(x) >> 23) - 126);
    x = from_bits((to_bits(x) & 0x007fffff) | 0x3f000000); /* in [0.5, 1) */
    uint32_t below = mask(x < 0.707106781186547524f);
    exponent -= from_bits(below & to_bits(1.0f));
    x = (x - 1.0f) + from_bits(below & to_bits(x));

    float square = x * x;
    float y = 7.0376836292e-2f;
    y = fmaf(y, x, -1.1514610310e-1f);
    y = fmaf(y, x, 1.1676998740e-1f);
    y = fmaf(y, x, -1.2420140846e-1f);
    y = fmaf(y, x, 1.4249322787e-1f);
    y = fmaf(y, x, -1.6668057665e-1f);
    y = fmaf(y, x, 2.0000714765e-1f);
    y = fmaf(y, x, -2.4999993993e-1f);
    y = fmaf(y, x, 3.3333331174e-1f);
    y = y * x;
    y = fmaf(y, square, exponent * -2.12194440e-4f);
    y = fmaf(-0.5f, square, y);
    return fmaf(exponent, 0.693359375f, x + y);
}

/* Cephes' sinf and cosf for 0 <= x < 8192. */
INLINE void sine_cosine(float x, float *sine, float *cosine)
{
    int32_t octant = ((int32_t)(x * 1.27323954473516f) + 1) & ~1;
    float turns = (float)octant;
    x = fmaf(turns, -0.78515625f, x);
    x = fmaf(turns, -2.4187564849853515625e-4f, x);
    x = fmaf(turns, -3.77489497744594108e-8f, x);

    float square = x * x;
    float even = 2.443315711809948e-5f;
    even = fmaf(even, square, -1.388731625493765e-3f);
    even = fmaf(even, square, 4.166664568298827e-2f);
    even = even * square;
    even = fmaf(even, square, -(square * 0.5f));
    even = even + 1.0f;

    float odd = -1.9515295891e-4f;
    odd = fmaf(odd, square, 8.3321608736e-3f);
    odd = fmaf(odd, square, -1.6666654611e-1f);
    odd = odd * square;
    odd = fmaf(odd, x, x);

    uint32_t swapped = mask((octant & 2) != 0);
    uint32_t s = (swapped & to_bits(even)) | (~swapped & to_bits(odd));
    uint32_t c = (swapped & to_bits(odd)) | (~swapped & to_bits(even));
    *sine = from_bits(s ^ (uint32_t)(octant & 4) << 29);
    *cosine = from_bits(c ^ (uint32_t)(~(octant - 2) & 4) << 29);
}

INLINE void transform(float *numbers, size_t groups, float mean, float std)
{
    for (size_t g = 0; g < groups; g++) {
        float *group = numbers + g * GROUP;
        float radius[LANES], sine[LANES], cosine[LANES];
        for (int i = 0; i < LANES; i++) {
            radius[i] = sqrtf(-2.0f * log_unit(1.0f - group[i]));
            sine_cosine(6.283185307179586f * group[LANES + i], &sine[i], &cosine[i]);
        }
        for (int i = 0; i < LANES; i++) {
            group[i] = fmaf(radius[i] * cosine[i], std, mean);
            group[LANES + i] = fmaf(radius[i] * sine[i], std, mean);
        }
    }
}

INLINE void scale(float *numbers, size_t count, float low, float high)
{
    for (size_t i = 0; i < count; i++) {
        float number = fmaf(numbers[i], high - low, low);
        numbers[i] = number == high ? low : number; /* rounded up to the end that is not of the range */
    }
}

void wki_normal_from_uniform_plain(float *numbers, size_t groups, float mean, float std)
{
    transform(numbers, groups, mean, std);
}

void wki_uniform_scale_plain(float *numbers, size_t count, float low, float high)
{
    scale(numbers, count, low, high);
}

#if defined(__x86_64__)
#define FUSED __attribute__((target("avx2,fma")))

FUSED static void transform_fused(float *numbers, size_t groups, float mean, float std)
{
    transform(numbers, groups, mean, std);
}

FUSED static void scale_fused(float *numbers, size_t count, float low, float high)
{
    scale(numbers, count, low, high);
}

static bool can_fuse(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

void wki_normal_from_uniform(float *numbers, size_t groups, float mean, float std)
{
#if defined(__x86_64__)
    if (can_fuse()) {
        transform_fused(numbers, groups, mean, std);
        return;
    }
#endif
    wki_normal_from_uniform_plain(numbers, groups, mean, std);
}

void wki_uniform_scale(float *numbers, size_t count, float low, float high)
{
#if defined(__x86_64__)
    if (can_fuse()) {
        scale_fused(numbers, count, low, high);
        return;
    }
#endif
    wki_uniform_scale_plain(numbers, count, low, high);
}
