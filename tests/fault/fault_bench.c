/* The bench: the machine's speed and a model's. */
#include "fault.h"

#include <math.h>

static const wick_bench_options quick = {.seconds = 1e-9, .images = 20, .memory_bytes = 1 << 15};

static wick_status run_model(wick_context *context, const char *folder)
{
    (void)folder;
    static const int64_t image[3] = {1, 8, 8}, shape[4] = {18, 1, 8, 8};
    wick_module *module = NULL;
    wick_model_speed *speed = NULL;
    wick_status status;
    FAULT_TRY(wick_model_by_name(context, "v2", image, 2, 3, &module));
    FAULT_TRY(wick_bench_model(module, shape, &quick, &speed));
    FAULT_CHECK(speed->kernel_count > 10 && speed->work[0].seconds > 0);
out:
    FAULT_CHECK(wick_context_threads(context) >= 1);
    wick_free(speed);
    wick_module_free(module);
    return status;
}

static wick_status run_machine(wick_context *context, const char *folder)
{
    (void)folder;
    wick_machine_speed speed = {0};
    wick_status status = wick_bench_machine(context, &quick, &speed);
    FAULT_CHECK((status == WICK_OK) == (speed.flops[WICK_ALL_THREADS] > 0));
    return status;
}

const fault_scenario fault_scenarios[] = {
    {.name = "machine", .run = run_machine},
    {.name = "model", .run = run_model},
    {0},
};
