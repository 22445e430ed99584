/* A call's budget and progress, and timing something by rounds. */
#include "bench/bench_internal.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_ROUNDS = 200, LEAST_ROUNDS = 3 };
#define DEFAULT_SECONDS 2.0
#define DEFAULT_IMAGES  60000
#define DEFAULT_MEMORY  (INT64_C(256) << 20)
/* Long enough for the clock, if there is time for so many rounds. */
#define ROUND_SECONDS 2e-3
/* Before it counts, a tenth of the time goes to warming up: caches, the core's clock, the plan's trials
 * of threads. */
#define WARM_SHARE 0.1
enum { WARM_RUNS = 32 };

wick_status wki_bench_open(wick_context *context, const wick_bench_options *options, wki_bench *bench)
{
    *bench = (wki_bench){.context = context};
    wick_bench_options *o = &bench->options;
    if (options != NULL)
        *o = *options;
    if (!(o->seconds >= 0.0) || !isfinite(o->seconds))
        return wki_fail(context, WICK_EINVAL, "seconds is %g; it must be 0 or more", o->seconds);
    if (o->images < 0 || o->memory_bytes < 0)
        return wki_fail(context, WICK_EINVAL,
                        "images or memory_bytes is negative; it must be 0 or more");
    o->seconds = o->seconds == 0.0 ? DEFAULT_SECONDS : o->seconds;
    o->images = o->images == 0 ? DEFAULT_IMAGES : o->images;
    o->memory_bytes = o->memory_bytes == 0 ? DEFAULT_MEMORY : o->memory_bytes;
    return WICK_OK;
}

double wki_bench_begin(wki_bench *bench, const char *what, double share)
{
    if (bench->options.progress != NULL)
        bench->options.progress(bench->options.user, what, WKI_MIN(1.0, bench->spent));
    bench->spent += share;
    return bench->options.seconds * share;
}

wick_status wki_bench_check(const wki_bench *bench)
{
    if (wick_context_interrupted(bench->context))
        return wki_fail(bench->context, WICK_EINTR, "interrupted");
    return WICK_OK;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double wki_median(double *numbers, int count)
{
    qsort(numbers, (size_t)count, sizeof(*numbers), compare);
    return count % 2 == 1 ? numbers[count / 2] : 0.5 * (numbers[count / 2 - 1] + numbers[count / 2]);
}

/* Until it is warm; *once is then about how long it takes. */
static wick_status warm_up(const wki_bench *bench, double seconds, wki_bench_work *work, void *argument,
                           double *once)
{
    double start = wki_seconds();
    *once = INFINITY;
    for (int i = 0; i == 0 || (i < WARM_RUNS && wki_seconds() - start < seconds * WARM_SHARE); i++) {
        double before = wki_seconds();
        WKI_TRY(work(argument, 1));
        *once = WKI_MIN(*once, wki_seconds() - before);
        WKI_TRY(wki_bench_check(bench));
    }
    return WICK_OK;
}

wick_status wki_bench_time(const wki_bench *bench, double seconds, wki_bench_work *work, void *argument,
                           double *out)
{
    double rounds[MOST_ROUNDS], once, start = wki_seconds();
    int done = 0;
    WKI_TRY(warm_up(bench, seconds, work, argument, &once));
    double wanted = WKI_MAX(WKI_MIN(ROUND_SECONDS, seconds / LEAST_ROUNDS), seconds / MOST_ROUNDS);
    int64_t count = (int64_t)WKI_MAX(1.0, WKI_MIN(1e6, wanted / WKI_MAX(once, 1e-9)));
    while (done < MOST_ROUNDS && (done < LEAST_ROUNDS || wki_seconds() - start < seconds)) {
        double before = wki_seconds();
        WKI_TRY(work(argument, count));
        rounds[done++] = (wki_seconds() - before) / (double)count;
        WKI_TRY(wki_bench_check(bench));
    }
    *out = wki_median(rounds, done);
    return WICK_OK;
}
