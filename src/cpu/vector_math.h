/* Functions of vectors, to a few units in the last place and the same on every instruction set that
 * has fused multiply-adds. The polynomials are minimax fits over the intervals named. */
#ifndef WKI_VECTOR_MATH_H
#define WKI_VECTOR_MATH_H

#include "cpu/kernel_vector.h"

/* e^x: x = n ln 2 + r with |r| <= ln 2 / 2, e^r by its Taylor series to the 7th power. 0 below -87.3
 * rather than a denormal, about 2.4e38 from 88 on. A NaN gives a NaN. */
ALWAYS_INLINE vec exp_vec(vec x)
{
    const float shift = 0x1.8p23f; /* adding and taking it away rounds to an integer */
    vec clipped = select_vec(x < -87.3f, splat(-87.3f), x);
    clipped = select_vec(clipped > 88.0f, splat(88.0f), clipped);
    vec n = (clipped * 0x1.715476p0f + shift) - shift;
    vec r = clipped - n * 0x1.62e4p-1f; /* ln 2 in two parts, the first with few bits */
    r = r - n * 0x1.7f7d1cp-20f;
    vec p = splat(1.0f / 5040.0f);
    p = p * r + 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    ivec power = (__builtin_convertvector(select_vec(x != x, splat(0.0f), n), ivec) + 127) << 23;
    return select_vec(x < -87.3f, splat(0.0f), p * (vec)power);
}

ALWAYS_INLINE vec abs_vec(vec x)
{
    return (vec)((ivec)x & INT32_MAX);
}

ALWAYS_INLINE vec sigmoid_vec(vec x)
{
    return 1.0f / (1.0f + exp_vec(-x));
}

ALWAYS_INLINE vec tanh_vec(vec x)
{
    vec t = abs_vec(x), s = x * x;
    vec p = splat(0x1.9d2aacp-10f); /* tanh(x) / x in x^2, |x| <= 0.8 */
    p = p * s - 0x1.e45548p-8f;
    p = p * s + 0x1.5cc1dep-6f;
    p = p * s - 0x1.b91a1ap-5f;
    p = p * s + 0x1.110a80p-3f;
    p = p * s - 0x1.555534p-2f;
    p = p * s + 1.0f;
    vec large = 1.0f - 2.0f / (exp_vec(2.0f * t) + 1.0f);
    large = select_vec(x < 0.0f, -large, large);
    return select_vec(t <= 0.8f, p * x, large);
}

/* The normal distribution's cumulative function, (1 + erf(x / sqrt(2))) / 2, without the cancellation
 * of that formula: erfc keeps its relative precision where it is small. *bell is e^(-x^2 / 2), which it
 * is made with and which, but for a factor, is its derivative. */
ALWAYS_INLINE vec normal_cdf_vec(vec x, vec *bell)
{
    *bell = exp_vec(-0.5f * x * x);
    vec z = x * 0x1.6a09e6p-1f, t = abs_vec(z), s = z * z;
    vec p = splat(-0x1.44cfc4p-17f); /* erf(z) / z in z^2, |z| <= 1 */
    p = p * s + 0x1.d8b890p-14f;
    p = p * s - 0x1.bcd7e0p-11f;
    p = p * s + 0x1.562b1ap-8f;
    p = p * s - 0x1.b829d8p-6f;
    p = p * s + 0x1.ce2f0ap-4f;
    p = p * s - 0x1.812746p-2f;
    p = p * s + 0x1.20dd76p+0f;
    vec near = 0.5f + 0.5f * p * z;
    vec u = 1.0f / (t + 2.0f);
    vec q = splat(0x1.4b547cp+4f); /* erfc(t) e^(t^2) in 1 / (t + 2), 1 <= t <= 10 */
    q = q * u - 0x1.7af676p+4f;
    q = q * u + 0x1.9a94bcp+0f;
    q = q * u + 0x1.af7c26p+1f;
    q = q * u + 0x1.43ab18p+1f;
    q = q * u + 0x1.0309e4p+1f;
    q = q * u + 0x1.1fbc0ap+0f;
    q = q * u + 0x1.20f8e2p-1f;
    q = q * u - 0x1.136050p-18f;
    vec tail = 0.5f * q * *bell;
    vec far = select_vec(z < 0.0f, tail, 1.0f - tail);
    return select_vec(t <= 1.0f, near, far);
}

#endif
