/* What the parts of the bench share. */
#ifndef WKI_BENCH_INTERNAL_H
#define WKI_BENCH_INTERNAL_H

#include "plan/plan.h"

#include <wick/bench.h>

/* How much of a call's time is spent, for its progress. */
typedef struct wki_bench {
    wick_context *context;
    wick_bench_options options; /* with the defaults filled in */
    double spent;               /* of the shares that were begun: 0 to 1 */
} wki_bench;

wick_status wki_bench_open(wick_context *context, const wick_bench_options *options, wki_bench *bench);
/* Tells that something is measured next which takes this share of the call; returns the seconds that
 * are. */
double wki_bench_begin(wki_bench *bench, const char *what, double share);
/* WICK_EINTR once the context is asked to stop. */
wick_status wki_bench_check(const wki_bench *bench);

/* Does something `count` times. */
typedef wick_status wki_bench_work(void *argument, int64_t count);
/* Does it for about so many seconds, in rounds long enough for the clock, and gives one's time: the
 * median round's. */
wick_status wki_bench_time(const wki_bench *bench, double seconds, wki_bench_work *work, void *argument,
                           double *out);
/* The median of count numbers, which are sorted for it. */
double wki_median(double *numbers, int count);

/* ---- what is compiled once an instruction set: peak.c ---- */

typedef struct wki_peak {
    const char *name;     /* of the kernels that it goes with */
    double multiply_adds; /* in a round of multiply */
    /* Multiply-adds on registers alone, as many at once as the processor can have under way. */
    float (*multiply)(int64_t rounds);
    /* The sum of count numbers, a multiple of WKI_PEAK_CHUNK. */
    float (*read)(const float *numbers, size_t count);
} wki_peak;

enum { WKI_PEAK_CHUNK = 1024 };

/* The one of the context's kernels. */
wick_status wki_bench_peak(wick_context *context, const wki_peak **out);

/* ---- the kernels of a step: bench_ops.c ---- */

/* Runs steps of training, op by op, for about so many seconds. *out is owned, count long: free(). A path
 * is "" and multiply_adds 0 where the op is of no layer. */
wick_status wki_bench_ops(const wki_bench *bench, double seconds, wick_module *module,
                          const int64_t shape[4], const wki_batch *batch, wick_kernel_speed **out,
                          int64_t *count);
/* How many threads the plan uses for a batch, and whether that is tried out. */
int wki_bench_threads(const wki_plan *plan, int64_t count, bool training, bool *tried_out);

#endif
