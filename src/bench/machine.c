/* The processor's and the memory's best. */
#include "bench/bench_internal.h"
#include "cpu/kernels.h"

#include <stdlib.h>
#include <string.h>

/* A trial of multiply-adds is about this long: longer than it takes the threads to meet, shorter than
 * the time between two other things that want a core. */
#define TRIAL_SECONDS 5e-3
enum { LEAST_TRIALS = 2 };

/* ---- the kernels of this build ---- */

extern const wki_peak wki_base_peak;
#if defined(__x86_64__)
extern const wki_peak wki_v3_peak, wki_v4_peak;
#endif

/* Best first. */
static const struct {
    const wki_peak *peak;
    const char *needs;
} builds[] = {
#if defined(__x86_64__)
    {&wki_v4_peak, "AVX-512 (F, BW, CD, DQ, VL)"},
    {&wki_v3_peak, "AVX2, FMA and BMI2"},
    {&wki_base_peak, "SSE2"},
#else
    {&wki_base_peak, "nothing more"},
#endif
};

wick_status wki_bench_peak(wick_context *context, const wki_peak **out)
{
    const wki_kernels *kernels;
    WKI_TRY(wki_context_kernels(context, &kernels));
    *out = builds[WKI_COUNT(builds) - 1].peak;
    for (size_t i = 0; i < WKI_COUNT(builds); i++)
        if (strcmp(builds[i].peak->name, kernels->name) == 0)
            *out = builds[i].peak;
    return WICK_OK;
}

static bool is_runnable(const char *name)
{
    const wki_kernels *kernels;
    for (int i = 0; (kernels = wki_kernels_runnable(i)) != NULL; i++)
        if (strcmp(kernels->name, name) == 0)
            return true;
    return false;
}

wick_status wick_bench_cpu(wick_context *context, int index, wick_cpu_kernels *out)
{
    const wki_kernels *kernels;
    if (context == NULL)
        return WICK_EINVAL;
    if (out == NULL)
        return wki_fail(context, WICK_EINVAL, "the place for the kernels is NULL");
    if (index < 0 || (size_t)index >= WKI_COUNT(builds))
        return wki_fail(context, WICK_ENOENT, "there are no kernels number %d", index);
    WKI_TRY(wki_context_kernels(context, &kernels));
    const char *name = builds[index].peak->name;
    *out = (wick_cpu_kernels){.name = name,
                              .needs = builds[index].needs,
                              .runs = is_runnable(name),
                              .used = strcmp(name, kernels->name) == 0};
    return WICK_OK;
}

/* ---- trials ---- */

typedef struct trial {
    const wki_peak *peak;
    wki_team *team; /* NULL: the caller alone */
    int threads;
    int64_t rounds;
    float *memory;
    size_t count; /* floats for each thread, a multiple of 2 * WKI_PEAK_CHUNK */
    float *sums;  /* [threads], so that the compiler must make them */
} trial;

static void multiply(void *argument, int thread, int threads)
{
    const trial *t = argument;
    (void)threads;
    t->sums[thread] = t->peak->multiply(t->rounds);
}

static void read_part(void *argument, int thread, int threads)
{
    const trial *t = argument;
    (void)threads;
    t->sums[thread] = t->peak->read(t->memory + (size_t)thread * t->count, t->count);
}

static void copy_part(void *argument, int thread, int threads)
{
    const trial *t = argument;
    (void)threads;
    float *part = t->memory + (size_t)thread * t->count;
    memcpy(part + t->count / 2, part, t->count / 2 * sizeof(float));
}

static double seconds_of(trial *t, wki_team_work *work)
{
    double start = wki_seconds();
    if (t->team == NULL)
        work(t, 0, 1);
    else
        wki_team_run(t->team, t->threads, work, t);
    return wki_seconds() - start;
}

/* The best rate of several trials, each of `amount`. */
static wick_status best_rate(const wki_bench *bench, double seconds, trial *t, wki_team_work *work,
                             double amount, double *out)
{
    double start = wki_seconds();
    *out = 0.0;
    for (int i = 0; i < LEAST_TRIALS || wki_seconds() - start < seconds; i++) {
        *out = WKI_MAX(*out, amount / seconds_of(t, work));
        WKI_TRY(wki_bench_check(bench));
    }
    return WICK_OK;
}

/* How many rounds a trial should have. */
static int64_t find_rounds(const wki_peak *peak)
{
    for (int64_t rounds = 1000;; rounds *= 2) {
        double shortest = TRIAL_SECONDS;
        for (int i = 0; i < 3; i++) {
            double start = wki_seconds();
            volatile float sum = peak->multiply(rounds);
            (void)sum;
            shortest = WKI_MIN(shortest, wki_seconds() - start);
        }
        if (shortest > 0.5 * TRIAL_SECONDS)
            return rounds;
    }
}

static wick_status measure(wki_bench *bench, trial *t, size_t floats, int which, wick_machine_speed *out)
{
    bool one = which == WICK_ONE_THREAD;
    t->rounds = find_rounds(t->peak);
    double operations = 2.0 * t->peak->multiply_adds * (double)t->rounds * t->threads;
    double seconds = wki_bench_begin(bench, one ? "peak, one thread" : "peak, all threads", 0.2);
    WKI_TRY(best_rate(bench, seconds, t, multiply, operations, &out->flops[which]));
    t->count = floats / (size_t)t->threads / (2 * WKI_PEAK_CHUNK) * (2 * WKI_PEAK_CHUNK);
    double bytes = (double)t->count * sizeof(float) * t->threads;
    seconds = wki_bench_begin(bench, one ? "memory, one thread" : "memory, all threads", 0.3);
    WKI_TRY(best_rate(bench, 0.5 * seconds, t, read_part, bytes, &out->read_bytes[which]));
    return best_rate(bench, 0.5 * seconds, t, copy_part, bytes, &out->copy_bytes[which]);
}

wick_status wick_bench_machine(wick_context *context, const wick_bench_options *options,
                               wick_machine_speed *out)
{
    wki_bench bench;
    wick_machine_speed speed = {0};
    trial t = {.threads = 1};
    void *memory;
    wki_team *team;
    if (context == NULL)
        return WICK_EINVAL;
    if (out == NULL)
        return wki_fail(context, WICK_EINVAL, "the place for the machine's speed is NULL");
    WKI_TRY(wki_bench_open(context, options, &bench));
    WKI_TRY(wki_bench_peak(context, &t.peak));
    WKI_TRY(wki_context_team(context, &team));
    speed.threads = wki_team_threads(team);
    size_t least = (size_t)speed.threads * 2 * WKI_PEAK_CHUNK;
    size_t floats = WKI_MAX(least, (size_t)bench.options.memory_bytes / sizeof(float));
    WKI_TRY(wki_alloc(context, floats + (size_t)speed.threads, sizeof(float), "the memory to measure",
                      &memory));
    t.memory = memory;
    t.sums = t.memory + floats;
    wick_status status = measure(&bench, &t, floats, WICK_ONE_THREAD, &speed);
    t.threads = speed.threads;
    t.team = team;
    if (status == WICK_OK)
        status = measure(&bench, &t, floats, WICK_ALL_THREADS, &speed);
    free(memory);
    if (status == WICK_OK)
        *out = speed;
    return status;
}
