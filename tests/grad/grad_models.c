/* The chapter's models against central differences in double, and cross entropy's gradient through
 * them. */
#include "reference.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../unit/context_fixture.h"

static int make_seeded_context(void **state)
{
    int status = make_context(state);
    if (status == 0)
        wick_manual_seed(*state, ref_random());
    return status;
}

static wick_module *model(wick_context *context, const char *name, const int64_t *image, int64_t classes)
{
    wick_module *module;
    must(context, wick_model_by_name(context, name, image, 3, classes, &module));
    return module;
}

static void test_models(void **state)
{
    wick_context *context = *state;
    static const char *const names[] = {"v0", "v1", "v2"};
    static const int64_t batches[] = {1, 5, 16, 17, 33}, shapes[][3] = {{1, 8, 8}, {3, 9, 6}};
    for (size_t n = 0; n < WKI_COUNT(names); n++)
        for (size_t s = 0; s < WKI_COUNT(shapes); s++) {
            wick_module *module = model(context, names[n], shapes[s], 5);
            for (size_t b = 0; b < WKI_COUNT(batches); b++) {
                must(context, wick_context_set_threads(context, ref_int(1, 5)));
                ref_check_module(context, module, batches[b], 3, shapes[s]);
            }
            wick_module_free(module);
        }
}

/* As the chapter has it: 28 x 28, the classifier's 7 x 7. */
static void test_v2_of_the_chapter(void **state)
{
    wick_context *context = *state;
    wick_module *module;
    const int64_t shape[3] = {1, 28, 28};
    must(context, wick_fashion_mnist_model_v2(context, 1, 3, 10, &module));
    ref_check_module(context, module, 2, 3, shape);
    wick_module_free(module);
}

/* The mean cross entropy of the reference's outputs. */
static double loss_of(const ref_model *reference, const double *images, int64_t batch,
                      const int64_t *image, const int64_t *targets, uint64_t *hash, double *margin)
{
    double loss = 0.0;
    ref_decisions decisions = {.margin = INFINITY};
    for (int64_t n = 0; n < batch; n++) {
        int64_t shape[WICK_MAX_DIMS] = {image[0], image[1], image[2]};
        int ndim = 3;
        double *y = ref_forward(reference, images + n * image[0] * image[1] * image[2], 1, &ndim, shape,
                                &decisions);
        double most = y[0], sum = 0.0;
        for (int64_t c = 1; c < shape[0]; c++)
            most = fmax(most, y[c]);
        for (int64_t c = 0; c < shape[0]; c++)
            sum += exp(y[c] - most);
        loss += (log(sum) + most - y[targets[n]]) / (double)batch;
        free(y);
    }
    *hash = decisions.hash;
    *margin = decisions.margin;
    return loss;
}

/* Central differences of a smooth function: off by the third derivative times step^2, some 1e-10. */
static void check_parameters(const ref_model *reference, const double *images, int64_t batch,
                             const int64_t *image, const int64_t *targets, uint64_t hash)
{
    const double step = 1e-5;
    for (int i = 0; i < reference->count; i++)
        for (int p = 0; p < WKI_MAX_PARAMETERS; p++) {
            double *numbers = reference->layers[i].parameters[p], right[20], largest = 0.0;
            const wick_tensor *grad = reference->layers[i].layer->parameters[p].grad;
            int64_t at[20];
            int checked = 0;
            for (int k = 0; numbers != NULL && k < 20; k++) {
                uint64_t up_hash, down_hash;
                double margin,
                    *number = &numbers[at[checked] =
                                           (int64_t)(ref_random() % (uint64_t)wick_tensor_numel(grad))];
                double was = *number;
                *number = was + step;
                double up = loss_of(reference, images, batch, image, targets, &up_hash, &margin);
                *number = was - step;
                double down = loss_of(reference, images, batch, image, targets, &down_hash, &margin);
                *number = was;
                right[checked] = (up - down) / (2.0 * step);
                if (up_hash == hash && down_hash == hash)
                    largest = fmax(largest, fabs(right[checked++]));
            }
            for (int k = 0; k < checked; k++) {
                float got = ((const float *)wick_tensor_cdata(grad))[at[k]];
                if (!(fabs((double)got - right[k]) <= 2e-5 * largest + 1e-7))
                    fail_msg("a batch of %lld: %s parameter %d: number %lld is %.9g, not %.9g",
                             (long long)batch, reference->layers[i].path, p, (long long)at[k],
                             (double)got, right[k]);
            }
        }
}

static void check_loss(wick_context *context, const char *name, int64_t batch)
{
    const int64_t image[3] = {1, 6, 6}, shape[4] = {batch, 1, 6, 6}, classes = 4;
    int64_t numel = batch * 36;
    double *images = calloc((size_t)numel, sizeof(double)), margin;
    int64_t *targets = calloc((size_t)batch, sizeof(int64_t));
    assert_true(images != NULL && targets != NULL);
    wick_module *module = model(context, name, image, classes);
    ref_model reference;
    ref_open(&reference, module);
    wick_tensor *input, *output, *labels;
    uint64_t hash;
    double right;
    for (int64_t n = 0; n < batch; n++)
        targets[n] = ref_int(0, (int)classes - 1);
    do {
        input = ref_tensor(context, 4, shape);
        for (int64_t i = 0; i < numel; i++)
            images[i] = (double)wick_tensor_f32(input)[i];
        right = loss_of(&reference, images, batch, image, targets, &hash, &margin);
        if (margin <= 3e-6)
            wick_tensor_free(input);
    } while (margin <= 3e-6);
    must(context, wick_tensor_from(context, WICK_INT64, 1, &batch, targets, &labels));
    wick_loss *loss;
    float value;
    must(context, wick_cross_entropy_loss(context, &loss));
    must(context, wick_module_forward(module, input, &output));
    must(context, wick_loss_forward(loss, output, labels, &value));
    assert_true(fabs((double)value - right) <= 2e-6 * right);
    must(context, wick_loss_backward(loss, module));
    check_parameters(&reference, images, batch, image, targets, hash);
    wick_tensor_free(input);
    wick_tensor_free(output);
    wick_tensor_free(labels);
    wick_loss_free(loss);
    ref_close(&reference);
    wick_module_free(module);
    free(images);
    free(targets);
}

static void test_cross_entropy(void **state)
{
    static const char *const names[] = {"v0", "v1", "v2"};
    static const int64_t batches[] = {1, 5, 16, 17, 33};
    for (size_t n = 0; n < WKI_COUNT(names); n++)
        for (size_t b = 0; b < WKI_COUNT(batches); b++)
            check_loss(*state, names[n], batches[b]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_seeded_context, free_context)
        TEST(test_models),
        TEST(test_v2_of_the_chapter),
        TEST(test_cross_entropy),
    };
    return cmocka_run_group_tests(tests, ref_seed, NULL);
}
