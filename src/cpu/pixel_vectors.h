/* From pixels to numbers: pixel / 255, as torchvision's ToTensor() has it. */
#ifndef WKI_PIXEL_VECTORS_H
#define WKI_PIXEL_VECTORS_H

#include "cpu/kernel_vector.h"

#include <string.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

/* Rounded as a division rounds: with a fused multiply-add the product with the reciprocal in two parts is
 * just that (all 256 are tested), at a fraction of a division's cost. */
#define RECIPROCAL      0x1.010102p-8f
#define RECIPROCAL_REST -0x1.fdfdfep-33f

ALWAYS_INLINE float pixel_float(uint8_t pixel)
{
    float value = (float)pixel;
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fmaf(value, RECIPROCAL, value * RECIPROCAL_REST);
#else
    return value / 255.0f;
#endif
}

/* Whether a vector of pixels becomes numbers beside the multiply-adds, in units that these leave idle: then whoever wants
 * numbers may as well read pixels. The tests set it where that is not so. */
#if defined(READS_PIXELS)
#elif defined(__AVX512F__) && VW == 16
#define READS_PIXELS 1
#else
#define READS_PIXELS 0
#endif

/* A vector of pixels. gcc 12 widens bytes in two steps and by quarters of a vector where one instruction does it. */
ALWAYS_INLINE vec load_pixels(const uint8_t *pixels)
{
#if defined(__AVX512F__) && VW == 16
    /* p / 255 is 0.pppp... in base 256. Of the first four digits, as an integer, those that a float has no place for are half
     * a unit or more, which is rounded up; an exponent less by 32, where it is not 0, divides by 2^32. None of it is work for
     * the units that multiply. */
    const __m512i four_times = _mm512_set_epi32(
        0x0f0f0f0f, 0x0e0e0e0e, 0x0d0d0d0d, 0x0c0c0c0c, 0x0b0b0b0b, 0x0a0a0a0a, 0x09090909, 0x08080808,
        0x07070707, 0x06060606, 0x05050505, 0x04040404, 0x03030303, 0x02020202, 0x01010101, 0x00000000);
    const __m512i digits =
        _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128((const void *)pixels)), four_times);
    const __m512 value = _mm512_cvt_roundepu32_ps(digits, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
    return (vec)_mm512_subs_epu16((__m512i)value, _mm512_set1_epi32(32 << 23));
#elif defined(__AVX2__) && defined(__FMA__) && VW == 8
    __m256 value = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)pixels)));
    __m256 rest = _mm256_mul_ps(value, _mm256_set1_ps(RECIPROCAL_REST));
    return (vec)_mm256_fmadd_ps(value, _mm256_set1_ps(RECIPROCAL), rest);
#elif VW == 4
    /* Between zeros twice. */
    typedef uint8_t bytes __attribute__((vector_size(16)));
    typedef uint16_t words __attribute__((vector_size(16)));
    uint32_t four;
    memcpy(&four, pixels, sizeof(four));
    const bytes b = (bytes)(ivec){(int32_t)four};
    const words w = (words)__builtin_shufflevector(b, (bytes){0}, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5,
                                                   21, 6, 22, 7, 23);
    const vec value = __builtin_convertvector(
        (ivec)__builtin_shufflevector(w, (words){0}, 0, 8, 1, 9, 2, 10, 3, 11), vec);
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    vec rest = value * RECIPROCAL_REST;
    KEEP_IN_REGISTER(rest); /* lest this product is the one that is added without rounding */
    return rest + value * RECIPROCAL;
#else
    return value / 255.0f;
#endif
#else
    vec value;
    for (int i = 0; i < VW; i++)
        value[i] = pixel_float(pixels[i]);
    return value;
#endif
}

#endif
