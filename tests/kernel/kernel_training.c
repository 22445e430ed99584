/* Whole trainings with every table of kernels and several numbers of threads: the saved weights and every
 * step's loss are the same to the bit for all with fused multiply-add (AVX2, AVX-512 and, on a machine
 * without it, its tiles on narrower registers), and the same for all without. */
#include "kernel_support.h"

#include <wick/wick.h>

#include "tensor/tensor_internal.h"

enum { IMAGES = 70, SIDE = 12, PIXELS = SIDE * SIDE, CLASSES = 10, STEPS = 8, BATCH = 33, EPOCHS = 2 };

typedef struct outcome {
    int steps;
    uint32_t loss_bits[STEPS];
    wick_state_dict *weights;
} outcome;

static void keep_loss(void *user, int64_t batch, int64_t batches, float loss)
{
    outcome *kept = user;
    (void)batch;
    (void)batches;
    assert_true(kept->steps < STEPS);
    kept->loss_bits[kept->steps++] = kt_bits(loss);
}

static uint8_t pixels[IMAGES * PIXELS];
static int64_t labels[IMAGES];

static int make_images(void **state)
{
    kt_seed(state);
    for (size_t i = 0; i < sizeof(pixels); i++)
        pixels[i] = (uint8_t)kt_random();
    for (size_t i = 0; i < IMAGES; i++)
        labels[i] = kt_int(0, CLASSES - 1);
    return 0;
}

static wick_dataset *open_images(wick_context *context)
{
    static const char *const classes[CLASSES] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    wick_dataset *dataset;
    assert_int_equal(
        wick_dataset_from(context, IMAGES, 1, SIDE, SIDE, pixels, labels, CLASSES, classes, &dataset),
        WICK_OK);
    return dataset;
}

/* A training of STEPS steps, the last of an epoch on a part of a batch. */
static void train(wick_context *context, const char *name, outcome *out)
{
    const int64_t shape[3] = {1, SIDE, SIDE};
    const wick_loader_options options = {.batch_size = BATCH, .shuffle = true};
    wick_dataset *dataset = open_images(context);
    wick_loader *loader;
    wick_module *model;
    wick_loss *loss;
    wick_optimizer *optimizer;
    wick_metrics metrics;
    *out = (outcome){.steps = 0};
    wick_manual_seed(context, 42);
    assert_int_equal(wick_model_by_name(context, name, shape, 10, CLASSES, &model), WICK_OK);
    assert_int_equal(wick_loader_new(dataset, &options, &loader), WICK_OK);
    assert_int_equal(wick_cross_entropy_loss(context, &loss), WICK_OK);
    assert_int_equal(wick_sgd(model, &(wick_sgd_options){.lr = 0.1}, &optimizer), WICK_OK);
    for (int epoch = 0; epoch < EPOCHS; epoch++)
        assert_int_equal(
            wick_train_step(model, loader, loss, optimizer, &(wick_progress){keep_loss, out}, &metrics),
            WICK_OK);
    assert_int_equal(out->steps, EPOCHS * ((IMAGES + BATCH - 1) / BATCH));
    assert_int_equal(wick_module_state_dict(model, &out->weights), WICK_OK);
    wick_optimizer_free(optimizer);
    wick_loss_free(loss);
    wick_module_free(model);
    wick_loader_free(loader);
    wick_dataset_free(dataset);
}

static void assert_same(const outcome *a, const outcome *b, const char *what)
{
    int64_t count = wick_state_dict_count(a->weights);
    if (memcmp(a->loss_bits, b->loss_bits, sizeof(a->loss_bits)) != 0)
        fail_msg("%s: other losses", what);
    assert_int_equal(count, wick_state_dict_count(b->weights));
    for (int64_t i = 0; i < count; i++) {
        const wick_tensor *x = wick_state_dict_tensor(a->weights, i),
                          *y = wick_state_dict_tensor(b->weights, i);
        if (memcmp(x->data, y->data, (size_t)x->numel * sizeof(float)) != 0)
            fail_msg("%s: another %s", what, wick_state_dict_key(a->weights, i));
    }
}

/* Trains with a table and 1, 2, 3, 4 and 8 threads; the first of a group is kept in *right. */
static void train_with(const wki_kernels *kernels, const char *name, outcome *right)
{
    static const int threads[] = {1, 2, 3, 4, 8};
    for (size_t i = 0; i < WKI_COUNT(threads); i++) {
        wick_context *context;
        outcome got;
        char what[96];
        assert_int_equal(wick_context_new(&context), WICK_OK);
        assert_int_equal(wick_context_set_threads(context, threads[i]), WICK_OK);
        context->kernels = kernels;
        context->work_per_thread = 1; /* so that several threads take part in these small steps */
        train(context, name, &got);
        snprintf(what, sizeof(what), "%s, %s, %d threads", name, kernels->name, threads[i]);
        if (right->weights == NULL) {
            *right = got;
            got.weights = NULL; /* its context lives on with it */
            continue;
        }
        assert_same(right, &got, what);
        wick_state_dict_free(got.weights);
        wick_context_free(context);
    }
}

static void test_model(const char *name)
{
    outcome right[KT_GROUPS] = {{.steps = 0}};
    for (int i = 0; kt_table(i) != NULL; i++)
        train_with(kt_table(i), name, &right[kt_group(kt_table(i))]);
    for (int group = 0; group < KT_GROUPS; group++) {
        if (right[group].weights == NULL)
            continue;
        wick_context *context = wki_state_dict_context(right[group].weights);
        wick_state_dict_free(right[group].weights);
        wick_context_free(context);
    }
}

static void test_v0(void **state)
{
    (void)state;
    test_model("v0");
}

static void test_v1(void **state)
{
    (void)state;
    test_model("v1");
}

static void test_v2(void **state)
{
    (void)state;
    test_model("v2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_v0), cmocka_unit_test(test_v1),
                                       cmocka_unit_test(test_v2)};
    return cmocka_run_group_tests_name("kernel_training", tests, make_images, NULL);
}
