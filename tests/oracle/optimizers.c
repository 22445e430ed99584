/* The optimizers' updates, step by step, against PyTorch's (optimizers/make.py). */
#include "nn/module_internal.h"
#include "optim/optimizer.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/wick.h>

/* Relative to the largest of a parameter's numbers: float32 over twenty steps. */
static const double tolerance = 1e-5;

enum { LINE = 512, PARAMETERS = 4, MOST_NUMBERS = 64, MOST_STEPS = 32 };

typedef struct fixture {
    wick_context *context;
    FILE *file;
    size_t sizes[PARAMETERS];
    float start[PARAMETERS][MOST_NUMBERS];
    float gradients[MOST_STEPS][PARAMETERS][MOST_NUMBERS];
    int steps;
} fixture;

static void must(wick_context *context, wick_status status)
{
    if (status != WICK_OK)
        fail_msg("%s: %s", wick_status_name(status), wick_context_message(context));
}

static void read_numbers(fixture *f, float numbers[PARAMETERS][MOST_NUMBERS])
{
    for (int p = 0; p < PARAMETERS; p++)
        for (size_t i = 0; i < f->sizes[p]; i++)
            assert_int_equal(fscanf(f->file, "%f ", &numbers[p][i]), 1);
}

static int open_fixture(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    char path[1024];
    const char *source = getenv("WICK_TEST_SOURCE");
    assert_non_null(f);
    snprintf(path, sizeof(path), "%s/oracle/optimizers/optimizers.txt", source == NULL ? "." : source);
    f->file = fopen(path, "r");
    if (f->file == NULL)
        fail_msg("%s cannot be opened", path);
    must(NULL, wick_context_new(&f->context));
    assert_int_equal(fscanf(f->file, "parameters %zu %zu %zu %zu ", &f->sizes[0], &f->sizes[1],
                            &f->sizes[2], &f->sizes[3]),
                     4);
    for (int p = 0; p < PARAMETERS; p++)
        assert_in_range(f->sizes[p], 1, MOST_NUMBERS);
    read_numbers(f, f->start);
    assert_int_equal(fscanf(f->file, "gradients %d ", &f->steps), 1);
    assert_in_range(f->steps, 1, MOST_STEPS);
    for (int step = 0; step < f->steps; step++)
        read_numbers(f, f->gradients[step]);
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    fixture *f = *state;
    fclose(f->file);
    wick_context_free(f->context);
    free(f);
    return 0;
}

/* Linear(7, 5); Linear(5, 3) with the fixture's numbers. */
static wick_module *make_module(fixture *f)
{
    wick_module *module, *layer;
    must(f->context, wick_sequential(f->context, &module));
    must(f->context, wick_linear(f->context, 7, 5, NULL, &layer));
    must(f->context, wick_sequential_append(module, NULL, layer));
    must(f->context, wick_linear(f->context, 5, 3, NULL, &layer));
    must(f->context, wick_sequential_append(module, NULL, layer));
    return module;
}

static wki_parameter *parameter(wick_module *module, int index)
{
    return &module->children[index / 2]->parameters[index % 2];
}

/* "lr=0.1 momentum=0.9": 0 if the name is not there, `zero` if it is there with 0. */
static double option(const char *words, const char *name, double zero)
{
    char key[32];
    snprintf(key, sizeof(key), " %s=", name);
    const char *at = strstr(words, key);
    double value = at == NULL ? 0.0 : strtod(at + strlen(key), NULL);
    return at != NULL && value == 0.0 ? zero : value;
}

static wick_optimizer *make_plain(fixture *f, const char *words, wick_module *module)
{
    wick_optimizer *optimizer;
    if (strncmp(words, "sgd ", 4) == 0) {
        const wick_sgd_options options = {.lr = option(words, "lr", 0),
                                          .momentum = option(words, "momentum", 0),
                                          .dampening = option(words, "dampening", 0),
                                          .weight_decay = option(words, "weight_decay", 0),
                                          .nesterov = option(words, "nesterov", 0) != 0,
                                          .no_decay_bias = option(words, "no_decay_bias", 0) != 0};
        must(f->context, wick_sgd(module, &options, &optimizer));
        return optimizer;
    }
    const wick_adam_options options = {.lr = option(words, "lr", 0),
                                       .beta1 = option(words, "beta1", WICK_ZERO),
                                       .beta2 = option(words, "beta2", WICK_ZERO),
                                       .eps = option(words, "eps", WICK_ZERO),
                                       .weight_decay = option(words, "weight_decay", WICK_ZERO),
                                       .no_decay_bias = option(words, "no_decay_bias", 0) != 0};
    bool decoupled = strncmp(words, "adamw ", 6) == 0;
    must(f->context, (decoupled ? wick_adamw : wick_adam)(module, &options, &optimizer));
    return optimizer;
}

static wick_optimizer *make_optimizer(fixture *f, const char *words, wick_module *module)
{
    wick_optimizer *optimizer = make_plain(f, words, module);
    const wick_ema_options ema = {.decay = option(words, "ema", 0),
                                  .no_warmup = option(words, "ema_warmup", 0) == 0};
    const wick_schedule cycle = {.kind = WICK_SCHEDULE_ONECYCLE,
                                 .total_steps = f->steps,
                                 .base_momentum = option(words, "base_momentum", 0),
                                 .max_momentum = option(words, "max_momentum", 0)};
    must(f->context, wick_optimizer_set_schedule(optimizer, cycle.max_momentum != 0.0 ? &cycle : NULL));
    must(f->context, wick_optimizer_set_clip(optimizer, option(words, "clip", 0)));
    must(f->context, wick_optimizer_set_ema(optimizer, ema.decay != 0.0 ? &ema : NULL));
    return optimizer;
}

static void compare(fixture *f, const char *words, int step, wick_module *module)
{
    float right[PARAMETERS][MOST_NUMBERS];
    read_numbers(f, right);
    for (int p = 0; p < PARAMETERS; p++) {
        const float *got = parameter(module, p)->value->data;
        double largest = 0.0;
        for (size_t i = 0; i < f->sizes[p]; i++)
            largest = fmax(largest, fabs((double)right[p][i]));
        for (size_t i = 0; i < f->sizes[p]; i++)
            if (!(fabs((double)got[i] - (double)right[p][i]) <= tolerance * largest))
                fail_msg("%s: step %d: number %zu of parameter %d is %.9g, and PyTorch's %.9g", words,
                         step, i, p, (double)got[i], (double)right[p][i]);
    }
}

/* The training loop's way: ranges of a parameter, in any order. */
static void step_in_parts(wick_optimizer *optimizer, wick_module *module)
{
    const wki_updater updater = wki_optimizer_updater(optimizer);
    wki_optimizer_begin_step(optimizer);
    if (updater.clip != NULL)
        wki_clip_gradients(optimizer->context->kernels, updater.clip, optimizer->parameters);
    for (int p = PARAMETERS - 1; p >= 0; p--) {
        wki_parameter *at = parameter(module, p);
        size_t count = (size_t)at->value->numel, middle = count / 3;
        wki_optimizer_update(optimizer, p, at->value->data, at->grad->data, middle, count);
        wki_optimizer_update(optimizer, p, at->value->data, at->grad->data, 0, middle);
    }
    wki_optimizer_end_step(optimizer);
}

/* Saves the optimizer's state and loads it into another one, which goes on. */
static wick_optimizer *save_and_load(fixture *f, const char *words, wick_module *module,
                                     wick_optimizer *old)
{
    wick_state_dict *dict;
    must(f->context, wick_optimizer_state_dict(old, &dict));
    wick_optimizer_free(old);
    wick_optimizer *optimizer = make_optimizer(f, words, module);
    must(f->context, wick_optimizer_load_state_dict(optimizer, dict));
    wick_state_dict_free(dict);
    return optimizer;
}

static void check_case(fixture *f, const char *words, const char *kept)
{
    wick_module *module = make_module(f);
    wick_optimizer *optimizer = make_optimizer(f, words, module);
    for (int p = 0; p < PARAMETERS; p++)
        memcpy(parameter(module, p)->value->data, f->start[p], f->sizes[p] * sizeof(float));
    int done = 0, used;
    for (int step; sscanf(kept, "%d%n", &step, &used) == 1; kept += used) {
        for (; done < step; done++) {
            for (int p = 0; p < PARAMETERS; p++)
                memcpy(parameter(module, p)->grad->data, f->gradients[done][p],
                       f->sizes[p] * sizeof(float));
            if (done % 2 == 0)
                must(f->context, wick_optimizer_step(optimizer));
            else
                step_in_parts(optimizer, module);
            if (done == 4)
                optimizer = save_and_load(f, words, module, optimizer);
        }
        bool average = option(words, "ema", 0) != 0.0;
        if (average)
            must(f->context, wick_optimizer_swap_average(optimizer));
        compare(f, words, step, module);
        if (average) {
            wick_state_dict *dict = NULL;
            assert_int_equal(wick_optimizer_step(optimizer), WICK_EINVAL);
            assert_int_equal(wick_optimizer_state_dict(optimizer, &dict), WICK_EINVAL);
            must(f->context, wick_optimizer_swap_average(optimizer));
        }
    }
    assert_int_equal(done, f->steps);
    wick_optimizer_free(optimizer);
    wick_module_free(module);
}

static void check_all(fixture *f)
{
    char line[LINE];
    int cases = 0;
    while (fgets(line, sizeof(line), f->file) != NULL) {
        assert_int_equal(strncmp(line, "case ", 5), 0);
        char *kept = strstr(line, " : ");
        assert_non_null(kept);
        *kept = '\0';
        check_case(f, line + 5, kept + 3);
        cases++;
    }
    assert_true(cases >= 23);
}

static void test_against_pytorch(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"x86-64", "x86-64-v3", "x86-64-v4", "auto"};
    long begin = ftell(f->file);
    for (size_t i = 0; i < WKI_COUNT(names); i++)
        if (wick_context_set_cpu(f->context, names[i]) == WICK_OK) {
            fseek(f->file, begin, SEEK_SET);
            check_all(f);
        }
}

/* Of a large module: the norm, and that it is what the optimizer's clip has. */
static void test_clip_grad_norm(void **state)
{
    fixture *f = *state;
    wick_module *module;
    double before, after, squares = 0.0;
    must(f->context, wick_linear(f->context, 150, 70, NULL, &module));
    wki_parameter *weight = &module->parameters[0], *bias = &module->parameters[1];
    for (int64_t i = 0; i < weight->grad->numel; i++) {
        ((float *)weight->grad->data)[i] = (float)(i % 13 - 6);
        squares += (double)(i % 13 - 6) * (double)(i % 13 - 6);
    }
    for (int64_t i = 0; i < bias->grad->numel; i++)
        ((float *)bias->grad->data)[i] = 0.5f;
    squares += 0.25 * (double)bias->grad->numel;
    must(f->context, wick_clip_grad_norm(module, 1e6, &before));
    assert_true(fabs(before - sqrt(squares)) <= 1e-9 * before);
    assert_true(((float *)weight->grad->data)[0] == -6.0f); /* within the norm: as it was */
    must(f->context, wick_clip_grad_norm(module, 2.0, &after));
    assert_true(after == before);
    must(f->context, wick_clip_grad_norm(module, 2.0, &after));
    assert_true(fabs(after - 2.0) <= 1e-5);
    assert_int_equal(wick_clip_grad_norm(module, 0.0, NULL), WICK_EINVAL);
    assert_int_equal(wick_clip_grad_norm(module, (double)NAN, NULL), WICK_EINVAL);
    assert_int_equal(wick_clip_grad_norm(NULL, 1.0, NULL), WICK_EINVAL);
    wick_module_free(module);
}

/* The average of what is learned and of what is not. */
static void test_average_of_buffers(void **state)
{
    fixture *f = *state;
    wick_module *module;
    wick_optimizer *optimizer;
    const wick_ema_options ema = {.decay = 0.75, .no_warmup = true};
    must(f->context, wick_batch_norm2d(f->context, 3, NULL, &module));
    must(f->context, wick_sgd(module, NULL, &optimizer));
    assert_int_equal(wick_optimizer_swap_average(optimizer), WICK_EINVAL);
    assert_int_equal(wick_optimizer_set_ema(optimizer, &(wick_ema_options){.decay = 1.0}), WICK_EINVAL);
    must(f->context, wick_optimizer_set_ema(optimizer, &ema));
    float *mean = module->buffers[0].value->data;
    int64_t *batches = module->buffers[2].value->data;
    must(f->context, wick_optimizer_step(optimizer));
    mean[1] = 8.0f;
    *batches = 5;
    must(f->context, wick_optimizer_step(optimizer));
    must(f->context, wick_optimizer_swap_average(optimizer));
    assert_true(mean[1] == 2.0f && *batches == 5);
    must(f->context, wick_optimizer_swap_average(optimizer));
    assert_true(mean[1] == 8.0f && *batches == 5);
    wick_optimizer_free(optimizer);
    wick_module_free(module);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_clip_grad_norm, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_average_of_buffers, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_against_pytorch, open_fixture, close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
