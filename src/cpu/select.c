/* Which kernels a context uses. */
#include "cpu/kernels.h"

#include <stdlib.h>
#include <string.h>

size_t wki_conv2d_weight_scratch(int channels, int taps)
{
    return (size_t)channels * ((size_t)taps + 1) * WKI_LANES;
}

size_t wki_conv2d_turned_scratch(int in_channels, int channels, int area, int span)
{
    size_t blocks = ((size_t)in_channels + WKI_LANES - 1) / WKI_LANES;
    return blocks * WKI_LANES * ((size_t)area * (size_t)channels + (size_t)span * WKI_LANES);
}

/* One where the weights are in the cache anyway. */
int wki_winograd_slots(int side, int in_channels, int channels)
{
    enum { CACHED_FLOATS = 16 * 1024, SLOTS = 4 };
    return (int64_t)side * side * in_channels * channels <= CACHED_FLOATS ? 1 : SLOTS;
}

size_t wki_winograd_scratch(int side, int in_channels, int channels)
{
    int64_t slots = WKI_MAX(WKI_WINOGRAD_FEWEST, wki_winograd_slots(side, in_channels, channels));
    int64_t lines = slots * ((int64_t)in_channels + channels) + 2;
    return (size_t)((int64_t)side * side * lines * WKI_LANES);
}

/* So many tiles that what is transformed about fits the L2 cache, but more where the sums do not fit it either, so
 * that they come by less often. */
int wki_winograd_gradient_tiles(int side, int in_channels, int channels, int tiles)
{
    enum { FEWEST_FLOATS = 64 * 1024, MOST_FLOATS = 1024 * 1024 };
    int64_t blocks = (in_channels + WKI_LANES - 1) / WKI_LANES, places = (int64_t)side * side;
    int64_t one = places * WKI_LANES * (blocks * WKI_LANES + channels);
    int64_t sums = places * WKI_LANES * blocks * channels;
    int64_t floats = WKI_MIN(MOST_FLOATS, WKI_MAX(FEWEST_FLOATS, 2 * sums));
    return (int)WKI_MAX(1, WKI_MIN(tiles, floats / one));
}

size_t wki_winograd_gradient_scratch(int side, int in_channels, int channels, int tiles)
{
    size_t most = (size_t)wki_winograd_gradient_tiles(side, in_channels, channels, tiles) * WKI_LANES;
    size_t blocks = ((size_t)in_channels + WKI_LANES - 1) / WKI_LANES, outs = (size_t)channels;
    size_t window = WKI_LANES * WKI_LANES, sums = blocks * outs * WKI_LANES;
    size_t free_lines = 2 * WKI_LANES;
    return (size_t)(side * side) *
           (window + sums + blocks * most * WKI_LANES + outs * most + free_lines);
}

int wki_winograd_few_tiles(int side, int in_channels, int channels)
{
    enum { MOST_FLOATS = 84 * 1024 }; /* beside the sums, of an L2 cache */
    return WKI_MAX(1, MOST_FLOATS / (side * side * WKI_LANES * (in_channels + channels)));
}

size_t wki_winograd_few_scratch(int side, int in_channels, int channels)
{
    const size_t tiles = (size_t)wki_winograd_few_tiles(side, in_channels, channels);
    const size_t ins = (size_t)in_channels, outs = (size_t)channels;
    return (size_t)(side * side) * WKI_LANES * (ins * outs + tiles * (ins + outs) + 2);
}

#if defined(__x86_64__)
extern const wki_kernels wki_v4_kernels, wki_v3_kernels;

/* clang does not know the levels by name; no processor has these features without the rest of the
 * level. */
static bool runs_v3(void)
{
#if defined(__clang__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
#else
    return __builtin_cpu_supports("x86-64-v3");
#endif
}

static bool runs_v4(void)
{
#if defined(__clang__)
    return runs_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
#else
    return __builtin_cpu_supports("x86-64-v4");
#endif
}
#endif
extern const wki_kernels wki_base_kernels;

static bool runs_always(void)
{
    return true;
}

/* Best first. */
static const struct {
    const wki_kernels *kernels;
    bool (*runs)(void);
} tables[] = {
#if defined(__x86_64__)
    {&wki_v4_kernels, runs_v4},
    {&wki_v3_kernels, runs_v3},
#endif
    {&wki_base_kernels, runs_always},
};

const wki_kernels *wki_kernels_runnable(int index)
{
    for (size_t i = 0; i < WKI_COUNT(tables); i++)
        if (tables[i].runs() && index-- == 0)
            return tables[i].kernels;
    return NULL;
}

static wick_status choose(wick_context *context, const char *cpu, const char *who,
                          const wki_kernels **out)
{
    if (strcmp(cpu, "auto") == 0) {
        *out = wki_kernels_runnable(0);
        return WICK_OK;
    }
    char names[128] = "";
    for (int i = 0; wki_kernels_runnable(i) != NULL; i++) {
        const wki_kernels *kernels = wki_kernels_runnable(i);
        if (strcmp(cpu, kernels->name) == 0) {
            *out = kernels;
            return WICK_OK;
        }
        strcat(strcat(names, i == 0 ? "" : ", "), kernels->name);
    }
    return wki_fail(context, WICK_EDEVICE, "%s '%s': this processor has no such kernels; it has: %s",
                    who, cpu, names);
}

wick_status wick_context_set_cpu(wick_context *context, const char *cpu)
{
    const wki_kernels *kernels;
    if (cpu == NULL)
        return wki_fail(context, WICK_EINVAL, "the processor's name is NULL; it must be auto or a name");
    WKI_TRY(choose(context, cpu, "cpu", &kernels));
    context->kernels = kernels;
    return WICK_OK;
}

wick_status wki_context_kernels(wick_context *context, const wki_kernels **out)
{
    if (context->kernels == NULL) {
        const wki_kernels *kernels;
        const char *wanted = getenv("WICK_CPU");
        WKI_TRY(choose(context, wanted != NULL && wanted[0] != '\0' ? wanted : "auto", "WICK_CPU",
                       &kernels));
        context->kernels = kernels;
    }
    *out = context->kernels;
    return WICK_OK;
}

wick_status wick_context_cpu(wick_context *context, const char **out)
{
    const wki_kernels *kernels;
    WKI_TRY(wki_context_kernels(context, &kernels));
    *out = kernels->name;
    return WICK_OK;
}
