/* The bench's calls: that they measure what they say they do, and what they refuse. Nothing here depends
 * on how fast anything is. */
#include "base/base.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/wick.h>

#include "context_fixture.h"

enum { SIDE = 12, CLASSES = 4, BATCH = 20 };
static const int64_t image[3] = {2, SIDE, SIDE};
static const int64_t shape[4] = {BATCH, 2, SIDE, SIDE};
/* As short as can be: everything is measured once or a few times. */
static const wick_bench_options quick = {.seconds = 1e-6, .images = 50, .memory_bytes = 1 << 16};

static int make_context_of_three(void **state)
{
    if (make_context(state) != 0)
        return -1;
    return wick_context_set_threads(*state, 3) == WICK_OK ? 0 : -1;
}

static void expect(wick_context *context, wick_status got, wick_status wanted, const char *word)
{
    assert_string_equal(wick_status_name(got), wick_status_name(wanted));
    if (strstr(wick_context_message(context), word) == NULL)
        fail_msg("'%s' is not in the message '%s'", word, wick_context_message(context));
}

static void is_a_rate(double rate)
{
    assert_true(isfinite(rate) && rate > 0.0);
}

static void test_machine(void **state)
{
    wick_context *context = *state;
    wick_machine_speed speed;
    must(context, wick_bench_machine(context, &quick, &speed));
    assert_int_equal(speed.threads, 3);
    for (int i = 0; i < 2; i++) {
        is_a_rate(speed.flops[i]);
        is_a_rate(speed.read_bytes[i]);
        is_a_rate(speed.copy_bytes[i]);
    }
}

static void test_cpu(void **state)
{
    wick_context *context = *state;
    wick_cpu_kernels kernels;
    const char *cpu;
    int used = 0, runnable = 0, i = 0;
    must(context, wick_context_cpu(context, &cpu));
    for (; wick_bench_cpu(context, i, &kernels) == WICK_OK; i++) {
        assert_int_equal(kernels.used, strcmp(kernels.name, cpu) == 0);
        used += kernels.used;
        runnable += kernels.runs;
        /* What runs can be chosen, and what does not cannot. */
        wick_status status = wick_context_set_cpu(context, kernels.name);
        assert_int_equal(status, kernels.runs ? WICK_OK : WICK_EDEVICE);
        must(context, wick_context_set_cpu(context, cpu));
    }
    assert_int_equal(used, 1);
    assert_true(runnable >= 1 && i >= runnable);
    expect(context, wick_bench_cpu(context, i, &kernels), WICK_ENOENT, "no kernels number");
    expect(context, wick_bench_cpu(context, -1, &kernels), WICK_ENOENT, "no kernels number -1");
    expect(context, wick_bench_cpu(context, 0, NULL), WICK_EINVAL, "NULL");
}

/* Each set of kernels that runs here can be measured. */
static void test_every_cpu(void **state)
{
    wick_context *context = *state;
    wick_cpu_kernels kernels;
    for (int i = 0; wick_bench_cpu(context, i, &kernels) == WICK_OK; i++) {
        wick_machine_speed speed;
        if (!kernels.runs)
            continue;
        must(context, wick_context_set_cpu(context, kernels.name));
        must(context, wick_bench_machine(context, &quick, &speed));
        is_a_rate(speed.flops[WICK_ALL_THREADS]);
    }
    must(context, wick_context_set_cpu(context, "auto"));
}

typedef struct progress_log {
    int calls;
    double done;
    bool monotone, named;
} progress_log;

static void log_progress(void *user, const char *what, double done)
{
    progress_log *log = user;
    log->monotone = log->monotone && done >= log->done && done <= 1.0;
    log->named = log->named && what[0] != '\0';
    log->done = done;
    log->calls++;
}

/* Multiply-adds of the model's layers of a kind, in all passes or one. */
static int64_t sum_of(const wick_model_speed *speed, const char *kind, int pass, int *lines)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < speed->kernel_count; i++) {
        const wick_kernel_speed *k = &speed->kernels[i];
        if (strcmp(k->kind, kind) != 0 || (int)k->pass != pass)
            continue;
        sum += k->multiply_adds;
        ++*lines;
    }
    return sum;
}

static void check_kernels(const wick_model_speed *speed)
{
    /* V2 with 3 hidden units on 2x12x12: 12x12 twice, 6x6 twice, then 3 * 3 * 3 features. */
    const int64_t first = INT64_C(2) * 3 * 9 * 144, others = INT64_C(3) * 3 * 9 * (144 + 36 + 36);
    int lines = 0;
    assert_int_equal(sum_of(speed, "Conv2d", WICK_FORWARD, &lines), BATCH * (first + others));
    assert_int_equal(lines, 4);
    assert_int_equal(sum_of(speed, "Conv2d", WICK_TO_WEIGHTS, &lines), BATCH * (first + others));
    assert_int_equal(lines, 8);
    /* Nobody wants the images' gradient. */
    assert_int_equal(sum_of(speed, "Conv2d", WICK_TO_INPUT, &lines), BATCH * others);
    assert_int_equal(lines, 11);
    lines = 0;
    for (int pass = WICK_FORWARD; pass <= WICK_TO_WEIGHTS; pass++)
        assert_int_equal(sum_of(speed, "Linear", pass, &lines), BATCH * 27 * CLASSES);
    assert_int_equal(lines, 3);
    assert_int_equal(sum_of(speed, "MaxPool2d", WICK_TO_INPUT, &lines), 0);
    assert_int_equal(lines, 5);
    double seconds = 0.0;
    for (int64_t i = 0; i < speed->kernel_count; i++) {
        assert_true(isfinite(speed->kernels[i].seconds) && speed->kernels[i].seconds >= 0.0);
        seconds += speed->kernels[i].seconds;
    }
    assert_true(seconds > 0.0);
    assert_string_equal(speed->kernels[0].path, "");
    assert_string_equal(speed->kernels[1].path, "conv_block_1.0");
}

static void check_work(const wick_model_speed *speed)
{
    const int64_t first = INT64_C(2) * 3 * 9 * 144;
    const int64_t forward = first + INT64_C(3) * 3 * 9 * (144 + 36 + 36) + 27 * CLASSES;
    const int64_t batches[] = {BATCH, 1, 256};
    for (int i = 0; i < WICK_WORK_COUNT; i++) {
        const wick_work_speed *work = &speed->work[i];
        int64_t batch = batches[i / 2];
        assert_int_equal(work->training, i < 2);
        assert_int_equal(work->batch, batch);
        assert_int_equal(work->multiply_adds, batch * (work->training ? 3 * forward - first : forward));
        assert_int_equal(work->threads, i % 2 == 0 ? 1 : 3);
        assert_true(work->used >= 1 && work->used <= work->threads);
        is_a_rate(work->seconds);
    }
}

static void must_be_equal(const wick_state_dict *a, const wick_state_dict *b)
{
    assert_int_equal(wick_state_dict_count(a), wick_state_dict_count(b));
    for (int64_t i = 0; i < wick_state_dict_count(a); i++) {
        const wick_tensor *x = wick_state_dict_tensor(a, i), *y = wick_state_dict_tensor(b, i);
        assert_memory_equal(wick_tensor_cdata(x), wick_tensor_cdata(y),
                            (size_t)wick_tensor_numel(x) * sizeof(float));
    }
}

static void test_model(void **state)
{
    wick_context *context = *state;
    wick_module *module;
    wick_model_speed *speed;
    wick_state_dict *before, *after;
    progress_log log = {.monotone = true, .named = true};
    wick_bench_options options = quick;
    options.progress = log_progress;
    options.user = &log;
    must(context, wick_model_by_name(context, "v2", image, 3, CLASSES, &module));
    must(context, wick_module_state_dict(module, &before));
    uint8_t drawn[2][WICK_GENERATOR_STATE_SIZE];
    wick_generator_get_state(wick_default_generator(context), drawn[0]);
    must(context, wick_bench_model(module, shape, &options, &speed));
    check_kernels(speed);
    check_work(speed);
    assert_true(log.calls == 1 + WICK_WORK_COUNT && log.monotone && log.named);
    /* Nothing of it is left in the model or the context. */
    must(context, wick_module_state_dict(module, &after));
    must_be_equal(before, after);
    assert_true(wick_module_training(module));
    assert_int_equal(wick_context_threads(context), 3);
    wick_generator_get_state(wick_default_generator(context), drawn[1]);
    assert_memory_equal(drawn[0], drawn[1], sizeof(drawn[0]));
    wick_state_dict_free(after);
    wick_state_dict_free(before);
    wick_free(speed);
    wick_module_free(module);
}

/* Batches of less than a block, of several, and with more blocks than threads. */
static void test_batches(void **state)
{
    wick_context *context = *state;
    static const int64_t counts[] = {1, 3, 16, 33, 150};
    for (size_t i = 0; i < WKI_COUNT(counts); i++) {
        for (int v = 0; v < 3; v++) {
            const char *const names[] = {"v0", "v1", "v2"};
            const int64_t sizes[4] = {counts[i], 2, SIDE, SIDE};
            wick_module *module;
            wick_model_speed *speed;
            must(context, wick_model_by_name(context, names[v], image, 2, CLASSES, &module));
            must(context, wick_bench_model(module, sizes, &quick, &speed));
            assert_int_equal(speed->work[0].batch, counts[i]);
            wick_free(speed);
            wick_module_free(module);
        }
    }
}

static void test_refused(void **state)
{
    wick_context *context = *state;
    wick_module *module, *layer;
    wick_machine_speed machine;
    wick_model_speed *speed = NULL;
    const int64_t none[4] = {0, 2, SIDE, SIDE}, other[4] = {BATCH, 3, SIDE, SIDE},
                  large[4] = {1 << 20, 2, SIDE, SIDE};
    wick_bench_options wrong = {.seconds = -1};
    must(context, wick_model_by_name(context, "v2", image, 3, CLASSES, &module));
    must(context, wick_layer_parse(context, "Conv2d(2, 3, 3)", &layer));
    assert_int_equal(wick_bench_machine(NULL, NULL, &machine), WICK_EINVAL);
    assert_int_equal(wick_bench_model(NULL, shape, NULL, &speed), WICK_EINVAL);
    assert_int_equal(wick_bench_cpu(NULL, 0, NULL), WICK_EINVAL);
    expect(context, wick_bench_machine(context, &quick, NULL), WICK_EINVAL, "NULL");
    expect(context, wick_bench_machine(context, &wrong, &machine), WICK_EINVAL, "seconds is -1");
    wrong = (wick_bench_options){.seconds = NAN};
    expect(context, wick_bench_model(module, shape, &wrong, &speed), WICK_EINVAL, "seconds is");
    wrong = (wick_bench_options){.images = -1};
    expect(context, wick_bench_model(module, shape, &wrong, &speed), WICK_EINVAL,
           "images or memory_bytes");
    expect(context, wick_bench_model(module, NULL, &quick, &speed), WICK_EINVAL, "NULL");
    expect(context, wick_bench_model(module, shape, &quick, NULL), WICK_EINVAL, "NULL");
    expect(context, wick_bench_model(module, none, &quick, &speed), WICK_EINVAL,
           "size 0 of the shape is 0");
    expect(context, wick_bench_model(module, other, &quick, &speed), WICK_ESHAPE, "conv_block_1.0");
    expect(context, wick_bench_model(module, large, &quick, &speed), WICK_ELIMIT, "too large");
    expect(context, wick_bench_model(layer, shape, &quick, &speed), WICK_ESHAPE, "[count, classes]");
    wick_context_interrupt(context);
    expect(context, wick_bench_machine(context, &quick, &machine), WICK_EINTR, "interrupted");
    expect(context, wick_bench_model(module, shape, &quick, &speed), WICK_EINTR, "interrupted");
    wick_context_clear_interrupt(context);
    assert_null(speed);
    wick_module_free(layer);
    wick_module_free(module);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machine), cmocka_unit_test(test_cpu),     cmocka_unit_test(test_every_cpu),
        cmocka_unit_test(test_model),   cmocka_unit_test(test_batches), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make_context_of_three, free_context);
}
