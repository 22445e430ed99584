/* What the kernel tests share: random numbers, buffers between guard pages, and the tables to run. */
#ifndef KERNEL_SUPPORT_H
#define KERNEL_SUPPORT_H

#include "cpu/kernels.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- random numbers: the test's own, so that the library's cannot hide anything ---- */

/* Seeds from WICK_TEST_SEED or the clock, and prints it. A cmocka group setup. */
int kt_seed(void **state);
uint64_t kt_random(void);
/* low .. high, both included. */
int kt_int(int low, int high);
/* True once in `times`. */
bool kt_once_in(int times);
/* -2 .. 2. */
float kt_float(void);
/* Now and then a NaN, an infinity, a zero of either sign or a number seen before, else kt_float(). */
float kt_odd_float(void);

/* ---- buffers ---- */

/* Memory between two pages that cannot be touched, flush against one of them (by chance), so that a read
 * or write beside it faults or is seen by kt_release(). Floats are NaNs that nothing computes. */
void *kt_bytes(size_t count);
float *kt_floats(size_t count);
/* Filled with kt_float(), or kt_odd_float(). */
float *kt_random_floats(size_t count, bool odd);
/* Strides of [channels][rows][columns][lanes], with gaps by chance; the floats it takes. */
size_t kt_plane(wki_plane *plane, int channels, int rows, int columns);
/* [channels][each] to add to: a copy of `before` in channels begin .. end if `copy`, else nothing that may be read. */
float *kt_gradient_like(const float *before, int channels, int each, int begin, int end, bool copy);
/* Frees all of it; fails if a byte beside a buffer was written. */
void kt_release(void);

/* The NaN that buffers are filled with. */
bool kt_is_poison(float number);
uint32_t kt_bits(float number);
/* 1 + the index of the first number that differs in its bits; 0: none. NaNs are all one (the processor
 * takes either operand's), but for the poison. */
size_t kt_first_difference(const float *a, const float *b, size_t count);

/* ---- what is right ---- */

/* Fails unless the channels outside begin .. end of [channels][each] are as kt_gradient_like() left them. */
void kt_others_untouched(const float *gradient, int channels, int each, int begin, int end,
                         const char *name);
/* Keeps the first of a group and fails if one that comes later has other bits. */
void kt_same_bits(float **first, float *now, size_t count, const char *name, const char *what);

/* Half an ulp of 1: the most that rounding changes a number, relatively. */
#define KT_EPS 0x1p-24

/* Whether a number is `right` within `error`; NaN and infinities must be the same. */
bool kt_near(float number, double right, double error);

/* ---- tables ---- */

/* Every table to test: those that this processor runs, and those that only the tests have, with the
 * tiles of AVX-512 and of NEON. NULL from the end on. */
const wki_kernels *kt_table(int index);
/* Tables of one group give the same bits: those with multiply-adds, and those without. */
int kt_group(const wki_kernels *kernels);
enum { KT_GROUPS = 2 };

/* Images in lanes: random numbers for so many of them. Lanes beyond hold what a buffer holds, NaN; with zeros they hold 0,
 * as gradients do whose sum over all lanes is taken. */
float *kt_images(wki_plane *plane, int channels, int rows, int columns, int images, bool zeros);
/* The gradient of bias o as the sum over such a delta, and what was there before (or NULL). */
void kt_check_bias(const char *name, int o, float bias_gradient, const float *before, const float *delta,
                   const wki_plane *plane, int rows, int columns, int images);

#endif
