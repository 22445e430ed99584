/* Learning rates, step by step, against torch.optim.lr_scheduler's (schedules/make.py). */
#include "base/base.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/wick.h>

/* Of the schedule's own learning rate: PyTorch makes each rate from the one before, and rounds each time. */
static const double tolerance = 1e-12;

enum { LINE = 256 };

static void must(wick_context *context, wick_status status)
{
    if (status != WICK_OK)
        fail_msg("%s: %s", wick_status_name(status), wick_context_message(context));
}

static double number(const char *words, const char *name)
{
    char key[32];
    snprintf(key, sizeof(key), " %s=", name);
    const char *at = strstr(words, key);
    return at == NULL ? 0.0 : strtod(at + strlen(key), NULL);
}

static wick_schedule read_schedule(const char *line, double *lr)
{
    static const char *const names[] = {"constant", "step", "multistep", "cosine", "onecycle"};
    char kind[32];
    int total;
    wick_schedule s = {.warmup_steps = (int64_t)number(line, "warmup_steps"),
                       .warmup_factor = number(line, "warmup_factor"),
                       .step_size = (int64_t)number(line, "step_size"),
                       .gamma = number(line, "gamma"),
                       .min_lr = number(line, "min_lr"),
                       .pct_start = number(line, "pct_start"),
                       .div_factor = number(line, "div_factor"),
                       .final_div_factor = number(line, "final_div_factor")};
    assert_int_equal(sscanf(line, "case %31s %lf %d", kind, lr, &total), 3);
    s.total_steps = total;
    for (size_t i = 0; i < WKI_COUNT(names); i++)
        if (strcmp(kind, names[i]) == 0)
            s.kind = (wick_schedule_kind)i;
    const char *at = strstr(line, " milestones=");
    for (char *end = at == NULL ? NULL : (char *)at + 11; end != NULL && (*end == '=' || *end == ',');)
        s.milestones[s.milestone_count++] = strtoll(end + 1, &end, 10);
    return s;
}

static void check_case(wick_context *context, const char *line, FILE *file)
{
    double lr, right;
    wick_schedule schedule = read_schedule(line, &lr);
    wick_module *module;
    wick_optimizer *optimizer;
    must(context, wick_linear(context, 2, 2, NULL, &module));
    must(context, wick_sgd(module, &(wick_sgd_options){.lr = lr}, &optimizer));
    must(context, wick_optimizer_set_schedule(optimizer, &schedule));
    for (int64_t step = 0; step < schedule.total_steps; step++) {
        assert_int_equal(fscanf(file, "%lf ", &right), 1);
        double got = wick_optimizer_lr(optimizer);
        if (!(fabs(got - right) <= tolerance * lr))
            fail_msg("%sstep %lld: the learning rate is %.17g, and PyTorch's %.17g", line,
                     (long long)step, got, right);
        must(context, wick_optimizer_step(optimizer));
    }
    /* Behind the end it stays where it is. */
    assert_true(wick_optimizer_lr(optimizer) <= lr && wick_optimizer_lr(optimizer) >= 0.0);
    wick_optimizer_free(optimizer);
    wick_module_free(module);
}

static void test_against_pytorch(void **state)
{
    (void)state;
    char path[1024], line[LINE];
    wick_context *context;
    const char *source = getenv("WICK_TEST_SOURCE");
    snprintf(path, sizeof(path), "%s/oracle/schedules/schedules.txt", source == NULL ? "." : source);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s cannot be opened", path);
    must(NULL, wick_context_new(&context));
    int cases = 0;
    for (; fgets(line, sizeof(line), file) != NULL; cases++)
        check_case(context, line, file);
    assert_int_equal(cases, 14);
    fclose(file);
    wick_context_free(context);
}

#define CYCLE(base, max)                                                                                \
    .kind = WICK_SCHEDULE_ONECYCLE, .total_steps = 5, .base_momentum = (base), .max_momentum = (max)

static void test_refuses(void **state)
{
    (void)state;
    const struct {
        wick_schedule schedule;
        const char *words;
    } bad[] = {
        {{.kind = WICK_SCHEDULE_STEP}, "step_size is 0"},
        {{.kind = WICK_SCHEDULE_MULTISTEP}, "0 milestones"},
        {{.kind = WICK_SCHEDULE_MULTISTEP, .milestones = {5, 3}, .milestone_count = 2}, "must go up"},
        {{.kind = WICK_SCHEDULE_COSINE}, "over 0 steps"},
        {{.kind = WICK_SCHEDULE_COSINE, .total_steps = 5, .warmup_steps = 5}, "5 of them a warm-up"},
        {{.kind = WICK_SCHEDULE_ONECYCLE, .total_steps = 5, .pct_start = 1.0}, "pct_start is 1"},
        {{.kind = WICK_SCHEDULE_ONECYCLE, .total_steps = 5, .div_factor = -2.0}, "div_factor is -2"},
        {{CYCLE(0.9, 0.8)}, "max_momentum is 0.8"},
        {{CYCLE(0.9, 1.0)}, "max_momentum is 1"},
        {{CYCLE(-0.5, 0.9)}, "base_momentum is -0.5"},
        {{CYCLE(0.0, 0.9)}, "base_momentum is 0;"},
        {{CYCLE(0.8, 0.9)}, "SGD was made without one"},
        {{.base_momentum = 0.8, .max_momentum = 0.9}, "only a one-cycle schedule"},
        {{.warmup_steps = -1}, "-1 steps"},
        {{.warmup_factor = 2.0}, "factor is 2"},
        {{.min_lr = -1.0}, "min_lr is -1"},
        {{.gamma = (double)NAN}, "gamma is"},
    };
    wick_context *context;
    wick_module *module;
    wick_optimizer *optimizer;
    must(NULL, wick_context_new(&context));
    must(context, wick_linear(context, 2, 2, NULL, &module));
    must(context, wick_sgd(module, NULL, &optimizer));
    for (size_t i = 0; i < WKI_COUNT(bad); i++) {
        assert_int_equal(wick_optimizer_set_schedule(optimizer, &bad[i].schedule), WICK_EINVAL);
        if (strstr(wick_context_message(context), bad[i].words) == NULL)
            fail_msg("'%s' does not say '%s'", wick_context_message(context), bad[i].words);
        assert_true(wick_optimizer_lr(optimizer) == 1e-3);
    }
    wick_optimizer_free(optimizer);
    wick_module_free(module);
    wick_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_pytorch),
                                       cmocka_unit_test(test_refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
