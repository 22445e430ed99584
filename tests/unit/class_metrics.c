/* src/train/metrics.c: accuracy, confusion matrix, the report of a class. */
#include "tensor/tensor_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

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

static wick_tensor *make(wick_context *context, int64_t count, const int64_t *classes)
{
    wick_tensor *tensor;
    assert_int_equal(wick_tensor_from(context, WICK_INT64, 1, &count, classes, &tensor), WICK_OK);
    return tensor;
}

static const int64_t LABELS[] = {0, 0, 0, 1, 1, 2, 2, 2, 2};
static const int64_t PREDICTIONS[] = {0, 0, 1, 1, 0, 2, 2, 2, 0};

static void test_accuracy(void **state)
{
    wick_context *context = *state;
    wick_tensor *labels = make(context, 9, LABELS), *predictions = make(context, 9, PREDICTIONS);
    wick_tensor *shorter = make(context, 8, LABELS), *empty = make(context, 0, NULL), *floats, *square;
    assert_true(wick_accuracy(labels, predictions) == 6.0 / 9.0 * 100);
    assert_true(wick_accuracy(labels, labels) == 100);
    assert_true(wick_accuracy(labels, shorter) == 0);
    assert_true(wick_accuracy(empty, empty) == 0);
    const int64_t shape[] = {9, 1};
    assert_int_equal(wick_tensor_new(context, WICK_FLOAT32, 1, shape, &floats), WICK_OK);
    assert_int_equal(wick_tensor_from(context, WICK_INT64, 2, shape, LABELS, &square), WICK_OK);
    assert_true(wick_accuracy(floats, floats) == 0);
    assert_true(wick_accuracy(labels, square) == 0);
    wick_tensor_free(labels);
    wick_tensor_free(predictions);
    wick_tensor_free(shorter);
    wick_tensor_free(empty);
    wick_tensor_free(floats);
    wick_tensor_free(square);
}

static void test_confusion(void **state)
{
    static const int64_t wanted[] = {2, 1, 0, 0, 1, 1, 0, 0, 1, 0, 3, 0, 0, 0, 0, 0};
    wick_context *context = *state;
    wick_tensor *labels = make(context, 9, LABELS), *predictions = make(context, 9, PREDICTIONS),
                *confusion;
    assert_int_equal(wick_confusion_matrix(labels, predictions, 4, &confusion), WICK_OK);
    assert_int_equal(wick_tensor_ndim(confusion), 2);
    assert_int_equal(wick_tensor_numel(confusion), 16);
    assert_memory_equal(wick_tensor_i64(confusion), wanted, sizeof(wanted));
    int64_t trace = 0;
    for (int i = 0; i < 4; i++)
        trace += wick_tensor_i64(confusion)[5 * i];
    assert_true((double)trace / 9 * 100 == wick_accuracy(labels, predictions));

    wick_class_report reports[4];
    assert_int_equal(wick_classification_report(confusion, reports), WICK_OK);
    static const wick_class_report expected[] = {{2.0 / 4, 2.0 / 3, 4.0 / 7, 3},
                                                 {1.0 / 2, 1.0 / 2, 2.0 / 4, 2},
                                                 {1, 3.0 / 4, 6.0 / 7, 4},
                                                 {0, 0, 0, 0}};
    for (int i = 0; i < 4; i++) {
        assert_true(reports[i].precision == expected[i].precision);
        assert_true(reports[i].recall == expected[i].recall);
        assert_true(reports[i].f1 == expected[i].f1);
        assert_int_equal(reports[i].support, expected[i].support);
    }
    wick_tensor_free(confusion);
    wick_tensor_free(labels);
    wick_tensor_free(predictions);
}

static void assert_fails(wick_context *context, wick_status got, wick_status wanted, const char *message)
{
    assert_int_equal(got, wanted);
    assert_string_equal(wick_context_message(context), message);
}

static void test_refuses(void **state)
{
    static const int64_t negative[] = {0, -1, 0};
    wick_context *context = *state;
    wick_tensor *labels = make(context, 9, LABELS), *shorter = make(context, 3, negative), *out = NULL,
                *floats;
    const int64_t shape[] = {9};
    wick_class_report report;
    assert_int_equal(wick_tensor_new(context, WICK_FLOAT32, 1, shape, &floats), WICK_OK);
    assert_fails(context, wick_confusion_matrix(labels, labels, 2, &out), WICK_EINVAL,
                 "label 5 is 2; it must be 0 to 1");
    assert_fails(context, wick_confusion_matrix(shorter, shorter, 2, &out), WICK_EINVAL,
                 "label 1 is -1; it must be 0 to 1");
    assert_fails(context, wick_confusion_matrix(labels, shorter, 3, &out), WICK_ESHAPE,
                 "labels are [9] and predictions [3]; both must be of one dimension and one length");
    assert_fails(context, wick_confusion_matrix(labels, floats, 3, &out), WICK_EINVAL,
                 "labels are torch.int64 and predictions torch.float32; both must be torch.int64");
    assert_fails(context, wick_confusion_matrix(labels, labels, 0, &out), WICK_EINVAL,
                 "a confusion matrix of 0 classes; there must be 1 or more");
    assert_int_equal(wick_confusion_matrix(labels, labels, INT64_C(1) << 40, &out), WICK_EINVAL);
    assert_null(out);
    assert_fails(context, wick_classification_report(labels, &report), WICK_ESHAPE,
                 "a confusion matrix of torch.int64 [9]; it must be torch.int64 and square");
    wick_tensor_free(labels);
    wick_tensor_free(shorter);
    wick_tensor_free(floats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accuracy),
        cmocka_unit_test(test_confusion),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
