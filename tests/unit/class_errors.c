/* src/train/errors.c: wrong predictions in their order, and the pairs of classes that are mixed up. */
#include "tensor/tensor_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wick/train.h>

#include <cmocka.h>

static int make_context(void **state)
{
    return wick_context_new((wick_context **)state) == WICK_OK ? 0 : -1;
}

static int free_context(void **state)
{
    wick_context_free(*state);
    return 0;
}

static wick_tensor *make(wick_context *context, wick_dtype dtype, int ndim, int64_t a, int64_t b,
                         const void *data)
{
    const int64_t shape[2] = {a, b};
    wick_tensor *tensor;
    assert_int_equal(wick_tensor_from(context, dtype, ndim, shape, data, &tensor), WICK_OK);
    return tensor;
}

static void test_wrong_predictions(void **state)
{
    static const float rows[] = {
        0.9f, 0.1f,       0,    /* 0: right */
        0.6f, 0.4f,       0,    /* 1: wrong, as sure as 3 */
        0.1f, 0.1f,       0.8f, /* 2: wrong, the surest */
        0.2f, 0.2f,       0.6f, /* 3: wrong */
        0.4f, 0.4f,       0.2f, /* 4: the first of equals: right */
        0.5f, (float)NAN, 0.5f  /* 5: NaN counts as the largest: wrong, and the least sure */
    };
    static const int64_t labels[] = {0, 1, 0, 1, 0, 0};
    static const int64_t order[] = {2, 1, 3, 5}, predictions[] = {2, 0, 2, 1};
    wick_context *context = *state;
    wick_tensor *probabilities = make(context, WICK_FLOAT32, 2, 6, 3, rows);
    wick_tensor *truth = make(context, WICK_INT64, 1, 6, 0, labels);
    wick_error *errors;
    int64_t count;
    assert_int_equal(wick_wrong_predictions(probabilities, truth, &errors, &count), WICK_OK);
    assert_int_equal(count, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(errors[i].index, order[i]);
        assert_int_equal(errors[i].truth, labels[order[i]]);
        assert_int_equal(errors[i].prediction, predictions[i]);
        if (i < 3)
            assert_true(errors[i].probability == rows[3 * order[i] + predictions[i]]);
    }
    assert_true(isnan(errors[3].probability));
    wick_free(errors);
    wick_tensor_free(probabilities);
    wick_tensor_free(truth);
}

/* As many as the matrix has beside its diagonal, each surer than the next. */
static void test_random(void **state)
{
    enum { COUNT = 3000, CLASSES = 7 };
    static float rows[COUNT * CLASSES];
    static int64_t labels[COUNT];
    wick_context *context = *state;
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    for (int i = 0; i < COUNT; i++) {
        labels[i] = rand() % CLASSES;
        for (int c = 0; c < CLASSES; c++)
            rows[i * CLASSES + c] = (float)(rand() % 50) / 50;
    }
    wick_tensor *probabilities = make(context, WICK_FLOAT32, 2, COUNT, CLASSES, rows), *predictions,
                *confusion;
    wick_tensor *truth = make(context, WICK_INT64, 1, COUNT, 0, labels);
    wick_error *errors;
    wick_confused_pair *pairs;
    int64_t count, pair_count, sum = 0;
    assert_int_equal(wick_wrong_predictions(probabilities, truth, &errors, &count), WICK_OK);
    assert_int_equal(wick_tensor_argmax(probabilities, &predictions), WICK_OK);
    assert_int_equal(wick_confusion_matrix(truth, predictions, CLASSES, &confusion), WICK_OK);
    assert_int_equal(wick_confused_pairs(confusion, &pairs, &pair_count), WICK_OK);
    for (int64_t i = 0; i < pair_count; i++) {
        const int64_t *cells = wick_tensor_cdata(confusion);
        assert_true(pairs[i].a < pairs[i].b);
        assert_int_equal(pairs[i].a_as_b, cells[pairs[i].a * CLASSES + pairs[i].b]);
        assert_int_equal(pairs[i].b_as_a, cells[pairs[i].b * CLASSES + pairs[i].a]);
        sum += pairs[i].a_as_b + pairs[i].b_as_a;
        if (i > 0)
            assert_true(pairs[i - 1].a_as_b + pairs[i - 1].b_as_a >= pairs[i].a_as_b + pairs[i].b_as_a);
    }
    assert_int_equal(sum, count);
    for (int64_t i = 1; i < count; i++)
        assert_true(errors[i - 1].probability > errors[i].probability ||
                    (errors[i - 1].probability == errors[i].probability &&
                     errors[i - 1].index < errors[i].index));
    wick_free(errors);
    wick_free(pairs);
    wick_tensor_free(probabilities);
    wick_tensor_free(predictions);
    wick_tensor_free(confusion);
    wick_tensor_free(truth);
}

static void test_pairs(void **state)
{
    static const int64_t cells[16] = {9, 1, 2, 0, 1, 9, 0, 0, 3, 0, 9, 2, 0, 0, 0, 9};
    static const wick_confused_pair wanted[3] = {{0, 2, 2, 3}, {0, 1, 1, 1}, {2, 3, 2, 0}};
    wick_context *context = *state;
    wick_tensor *confusion = make(context, WICK_INT64, 2, 4, 4, cells);
    wick_confused_pair *pairs;
    int64_t count;
    assert_int_equal(wick_confused_pairs(confusion, &pairs, &count), WICK_OK);
    assert_int_equal(count, 3);
    assert_memory_equal(pairs, wanted, sizeof(wanted));
    wick_free(pairs);
    wick_tensor_free(confusion);
}

static void test_none(void **state)
{
    static const float rows[2] = {1, 0};
    static const int64_t label[1] = {0}, cells[4] = {1, 0, 0, 0};
    wick_context *context = *state;
    wick_tensor *probabilities = make(context, WICK_FLOAT32, 2, 1, 2, rows);
    wick_tensor *truth = make(context, WICK_INT64, 1, 1, 0, label);
    wick_tensor *confusion = make(context, WICK_INT64, 2, 2, 2, cells);
    wick_error *errors;
    wick_confused_pair *pairs;
    int64_t count;
    assert_int_equal(wick_wrong_predictions(probabilities, truth, &errors, &count), WICK_OK);
    assert_int_equal(count, 0);
    assert_int_equal(wick_confused_pairs(confusion, &pairs, &count), WICK_OK);
    assert_int_equal(count, 0);
    wick_free(errors);
    wick_free(pairs);
    wick_tensor_free(probabilities);
    wick_tensor_free(truth);
    wick_tensor_free(confusion);
}

static void assert_fails(wick_context *context, wick_status got, wick_status wanted, const char *message)
{
    assert_int_equal(got, wanted);
    assert_string_equal(wick_context_message(context), message);
}

static void test_refuses(void **state)
{
    static const float rows[4] = {1, 0, 0, 1};
    static const int64_t labels[2] = {0, 2};
    wick_context *context = *state;
    wick_tensor *probabilities = make(context, WICK_FLOAT32, 2, 2, 2, rows);
    wick_tensor *truth = make(context, WICK_INT64, 1, 2, 0, labels),
                *one = make(context, WICK_INT64, 1, 1, 0, labels);
    wick_error *errors = NULL;
    wick_confused_pair *pairs = NULL;
    int64_t count;
    assert_fails(context, wick_wrong_predictions(probabilities, truth, &errors, &count), WICK_EINVAL,
                 "label 1 is 2; it must be 0 to 1");
    assert_fails(context, wick_wrong_predictions(probabilities, one, &errors, &count), WICK_ESHAPE,
                 "probabilities are torch.float32 [2, 2] and labels torch.int64 [1]; they must be "
                 "torch.float32 [N, "
                 "classes] and torch.int64 [N]");
    assert_int_equal(wick_wrong_predictions(truth, truth, &errors, &count), WICK_ESHAPE);
    assert_int_equal(wick_wrong_predictions(NULL, truth, &errors, &count), WICK_EINVAL);
    assert_fails(context, wick_confused_pairs(probabilities, &pairs, &count), WICK_ESHAPE,
                 "a confusion matrix of torch.float32 [2, 2]; it must be torch.int64 and square");
    assert_null(errors);
    assert_null(pairs);
    wick_tensor_free(probabilities);
    wick_tensor_free(truth);
    wick_tensor_free(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_predictions),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
