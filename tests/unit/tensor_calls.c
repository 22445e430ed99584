/* src/tensor: tensors and what is done with them. */
#include "tensor/tensor_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

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

static wick_tensor *make(wick_context *context, wick_dtype dtype, int ndim, const int64_t *shape,
                         const void *data)
{
    wick_tensor *tensor;
    assert_int_equal(wick_tensor_from(context, dtype, ndim, shape, data, &tensor), WICK_OK);
    return tensor;
}

#define SHAPE(...)                                                                                      \
    (const int64_t[])                                                                                   \
    {                                                                                                   \
        __VA_ARGS__                                                                                     \
    }

static void assert_shape(const wick_tensor *tensor, int ndim, const int64_t *shape)
{
    char got[WKI_SHAPE_TEXT], wanted[WKI_SHAPE_TEXT];
    wki_shape_text(wick_tensor_ndim(tensor), wick_tensor_shape(tensor), got);
    wki_shape_text(ndim, shape, wanted);
    assert_string_equal(got, wanted);
}

/* The call fails with that status, and the message has the words in it. */
static void assert_fails(wick_context *context, wick_status got, wick_status wanted, const char *words)
{
    assert_int_equal(got, wanted);
    if (strstr(wick_context_message(context), words) == NULL)
        fail_msg("'%s' is not in '%s'", words, wick_context_message(context));
}

/* ---- making ---- */

static void test_dtypes(void **state)
{
    (void)state;
    assert_int_equal(wick_dtype_size(WICK_FLOAT32), 4);
    assert_int_equal(wick_dtype_size(WICK_UINT8), 1);
    assert_int_equal(wick_dtype_size(WICK_INT64), 8);
    assert_string_equal(wick_dtype_name(WICK_FLOAT32), "torch.float32");
    assert_string_equal(wick_dtype_name(WICK_UINT8), "torch.uint8");
    assert_string_equal(wick_dtype_name(WICK_INT64), "torch.int64");
}

static void test_new(void **state)
{
    wick_tensor *tensor;
    assert_int_equal(wick_tensor_new(*state, WICK_INT64, 3, SHAPE(2, 3, 4), &tensor), WICK_OK);
    assert_int_equal(wick_tensor_dtype(tensor), WICK_INT64);
    assert_shape(tensor, 3, SHAPE(2, 3, 4));
    assert_int_equal(wick_tensor_numel(tensor), 24);
    assert_int_equal(wick_tensor_size(tensor, 0), 2);
    assert_int_equal(wick_tensor_size(tensor, -1), 4);
    assert_int_equal(wick_tensor_size(tensor, -3), 2);
    assert_int_equal(wick_tensor_size(tensor, 3), 0);
    assert_int_equal(wick_tensor_size(tensor, -4), 0);
    assert_int_equal((uintptr_t)wick_tensor_data(tensor) % 64, 0);
    assert_ptr_equal(wick_tensor_data(tensor), wick_tensor_cdata(tensor));
    assert_ptr_equal(wick_tensor_i64(tensor), wick_tensor_data(tensor));
    assert_null(wick_tensor_f32(tensor));
    assert_null(wick_tensor_u8(tensor));
    for (int i = 0; i < 24; i++)
        assert_int_equal(wick_tensor_i64(tensor)[i], 0);
    wick_tensor_free(tensor);
    wick_tensor_free(NULL);

    assert_int_equal(wick_tensor_new(*state, WICK_FLOAT32, 0, NULL, &tensor), WICK_OK);
    assert_int_equal(wick_tensor_ndim(tensor), 0);
    assert_int_equal(wick_tensor_numel(tensor), 1);
    wick_tensor_free(tensor);

    assert_int_equal(wick_tensor_new(*state, WICK_UINT8, 2, SHAPE(5, 0), &tensor), WICK_OK);
    assert_int_equal(wick_tensor_numel(tensor), 0);
    assert_non_null(wick_tensor_u8(tensor));
    wick_tensor_free(tensor);
}

static void test_new_refuses(void **state)
{
    wick_context *context = *state;
    wick_tensor *tensor = NULL;
    assert_fails(context, wick_tensor_new(context, WICK_UINT8, 2, SHAPE(3, -1), &tensor), WICK_EINVAL,
                 "size -1 of dimension 1 in [3, -1] is negative");
    assert_fails(context,
                 wick_tensor_new(context, WICK_UINT8, 9, SHAPE(1, 1, 1, 1, 1, 1, 1, 1, 1), &tensor),
                 WICK_EINVAL, "9 dimensions");
    assert_fails(context, wick_tensor_new(context, WICK_UINT8, -1, NULL, &tensor), WICK_EINVAL,
                 "-1 dimensions");
    assert_fails(context, wick_tensor_new(context, WICK_UINT8, 1, NULL, &tensor), WICK_EINVAL,
                 "the shape is NULL");
    assert_fails(context, wick_tensor_new(context, (wick_dtype)7, 0, NULL, &tensor), WICK_EINVAL,
                 "7 is no dtype");
    assert_fails(context, wick_tensor_new(context, WICK_INT64, 1, SHAPE(INT64_C(1) << 60), &tensor),
                 WICK_EINVAL, "larger than can be addressed");
    assert_fails(
        context,
        wick_tensor_new(context, WICK_UINT8, 3, SHAPE(INT64_C(1) << 32, INT64_C(1) << 32, 2), &tensor),
        WICK_EINVAL, "larger than can be addressed");
    /* An empty one too: what multiplies some of its sizes must not overflow. */
    assert_fails(
        context,
        wick_tensor_new(context, WICK_UINT8, 3, SHAPE(0, INT64_C(1) << 32, INT64_C(1) << 32), &tensor),
        WICK_EINVAL, "larger than can be addressed");
    assert_int_equal(wick_tensor_new(NULL, WICK_UINT8, 0, NULL, &tensor), WICK_EINVAL);
    assert_int_equal(wick_tensor_new(context, WICK_UINT8, 0, NULL, NULL), WICK_EINVAL);
    assert_fails(context, wick_tensor_from(context, WICK_UINT8, 1, SHAPE(2), NULL, &tensor), WICK_EINVAL,
                 "the data is NULL");
    assert_null(tensor);
    assert_int_equal(wick_tensor_from(context, WICK_UINT8, 1, SHAPE(0), NULL, &tensor), WICK_OK);
    wick_tensor_free(tensor);
}

static void test_clone(void **state)
{
    const float numbers[] = {1, 2, 3, 4};
    wick_tensor *tensor = make(*state, WICK_FLOAT32, 2, SHAPE(2, 2), numbers), *copy;
    assert_int_equal(wick_tensor_clone(tensor, &copy), WICK_OK);
    wick_tensor_f32(tensor)[0] = 9;
    assert_memory_equal(wick_tensor_f32(copy), numbers, sizeof(numbers));
    assert_shape(copy, 2, SHAPE(2, 2));
    assert_ptr_equal(wki_tensor_context(copy), *state);
    wick_tensor_free(copy);
    wick_tensor_free(tensor);
}

static void test_shape_text(void **state)
{
    (void)state;
    char text[WKI_SHAPE_TEXT];
    assert_string_equal(wki_shape_text(0, NULL, text), "[]");
    assert_string_equal(wki_shape_text(4, SHAPE(32, 1, 28, 28), text), "[32, 1, 28, 28]");
    int64_t longest[WICK_MAX_DIMS];
    for (int i = 0; i < WICK_MAX_DIMS; i++)
        longest[i] = INT64_MIN;
    assert_int_equal(strlen(wki_shape_text(WICK_MAX_DIMS, longest, text)), 8 * 20 + 7 * 2 + 2);
}

/* ---- shapes ---- */

static void test_reshape(void **state)
{
    wick_context *context = *state;
    wick_tensor *tensor;
    assert_int_equal(wick_tensor_new(context, WICK_FLOAT32, 2, SHAPE(4, 6), &tensor), WICK_OK);
    assert_int_equal(wick_tensor_reshape(tensor, 3, SHAPE(2, 3, 4)), WICK_OK);
    assert_shape(tensor, 3, SHAPE(2, 3, 4));
    assert_int_equal(wick_tensor_reshape(tensor, 2, SHAPE(3, -1)), WICK_OK);
    assert_shape(tensor, 2, SHAPE(3, 8));
    assert_int_equal(wick_tensor_reshape(tensor, 1, SHAPE(-1)), WICK_OK);
    assert_shape(tensor, 1, SHAPE(24));
    assert_int_equal(wick_tensor_reshape(tensor, 1, wick_tensor_shape(tensor)), WICK_OK);

    assert_fails(context, wick_tensor_reshape(tensor, 2, SHAPE(5, 5)), WICK_ESHAPE,
                 "24 elements do not fit into shape [5, 5]");
    assert_fails(context, wick_tensor_reshape(tensor, 2, SHAPE(5, -1)), WICK_ESHAPE,
                 "do not fit into shape [5, -1]");
    assert_fails(context, wick_tensor_reshape(tensor, 2, SHAPE(-1, -1)), WICK_ESHAPE,
                 "more than one size -1");
    assert_fails(context, wick_tensor_reshape(tensor, 2, SHAPE(0, -1)), WICK_ESHAPE, "could be any");
    assert_fails(context, wick_tensor_reshape(tensor, 2, SHAPE(-12, -2)), WICK_ESHAPE, "negative");
    assert_fails(context, wick_tensor_reshape(tensor, 9, SHAPE(24, 1, 1, 1, 1, 1, 1, 1, 1)), WICK_ESHAPE,
                 "9 sizes");
    assert_fails(context, wick_tensor_reshape(tensor, 2, SHAPE(INT64_MAX, -1)), WICK_ESHAPE,
                 "larger than");
    assert_fails(context, wick_tensor_reshape(tensor, 0, NULL), WICK_ESHAPE, "[]");
    assert_shape(tensor, 1, SHAPE(24));
    wick_tensor_free(tensor);

    assert_int_equal(wick_tensor_new(context, WICK_FLOAT32, 1, SHAPE(1), &tensor), WICK_OK);
    assert_int_equal(wick_tensor_reshape(tensor, 0, NULL), WICK_OK);
    assert_int_equal(wick_tensor_ndim(tensor), 0);
    wick_tensor_free(tensor);
}

static void test_select(void **state)
{
    wick_context *context = *state;
    const int64_t numbers[] = {0, 1, 2, 3, 4, 5};
    wick_tensor *tensor = make(context, WICK_INT64, 2, SHAPE(3, 2), numbers), *row, *one = NULL;
    assert_int_equal(wick_tensor_select(tensor, 1, &row), WICK_OK);
    assert_shape(row, 1, SHAPE(2));
    assert_memory_equal(wick_tensor_i64(row), numbers + 2, 16);
    assert_int_equal(wick_tensor_select(row, -1, &one), WICK_OK);
    assert_int_equal(wick_tensor_ndim(one), 0);
    assert_int_equal(wick_tensor_i64(one)[0], 3);
    wick_tensor_free(row);
    assert_fails(context, wick_tensor_select(one, 0, &row), WICK_EINVAL, "no dimensions");
    assert_fails(context, wick_tensor_select(tensor, 3, &row), WICK_EINVAL, "index 3 is out of range");
    assert_fails(context, wick_tensor_select(tensor, -4, &row), WICK_EINVAL, "index -4 is out of range");
    assert_int_equal(wick_tensor_select(tensor, -3, &row), WICK_OK);
    assert_memory_equal(wick_tensor_i64(row), numbers, 16);
    wick_tensor_free(row);
    wick_tensor_free(one);
    wick_tensor_free(tensor);

    tensor = make(context, WICK_UINT8, 2, SHAPE(0, 3), NULL);
    assert_fails(context, wick_tensor_select(tensor, 0, &row), WICK_EINVAL, "out of range");
    wick_tensor_free(tensor);
    tensor = make(context, WICK_UINT8, 2, SHAPE(3, 0), NULL);
    assert_int_equal(wick_tensor_select(tensor, 2, &row), WICK_OK);
    assert_shape(row, 1, SHAPE(0));
    wick_tensor_free(row);
    wick_tensor_free(tensor);
}

static void test_unsqueeze(void **state)
{
    wick_context *context = *state;
    const float numbers[] = {1, 2, 3, 4, 5, 6};
    wick_tensor *tensor = make(context, WICK_FLOAT32, 2, SHAPE(2, 3), numbers), *out;
    const struct {
        int dim;
        int64_t shape[3];
    } cases[] = {{0, {1, 2, 3}},  {1, {2, 1, 3}},  {2, {2, 3, 1}},
                 {-1, {2, 3, 1}}, {-2, {2, 1, 3}}, {-3, {1, 2, 3}}};
    for (size_t i = 0; i < WKI_COUNT(cases); i++) {
        assert_int_equal(wick_tensor_unsqueeze(tensor, cases[i].dim, &out), WICK_OK);
        assert_shape(out, 3, cases[i].shape);
        assert_memory_equal(wick_tensor_f32(out), numbers, sizeof(numbers));
        wick_tensor_free(out);
    }
    assert_fails(context, wick_tensor_unsqueeze(tensor, 3, &out), WICK_EINVAL, "must be -3 to 2");
    assert_fails(context, wick_tensor_unsqueeze(tensor, -4, &out), WICK_EINVAL, "must be -3 to 2");
    wick_tensor_free(tensor);
    tensor = make(context, WICK_FLOAT32, 8, SHAPE(1, 1, 1, 1, 1, 1, 1, 1), numbers);
    assert_fails(context, wick_tensor_unsqueeze(tensor, 0, &out), WICK_EINVAL, "at most 8 dimensions");
    wick_tensor_free(tensor);
}

static void test_stack(void **state)
{
    wick_context *context = *state;
    const uint8_t numbers[] = {1, 2, 3, 4, 5, 6};
    const float number = 1;
    wick_tensor *a = make(context, WICK_UINT8, 1, SHAPE(3), numbers);
    wick_tensor *b = make(context, WICK_UINT8, 1, SHAPE(3), numbers + 3);
    wick_tensor *shorter = make(context, WICK_UINT8, 1, SHAPE(2), numbers);
    wick_tensor *scalar = make(context, WICK_FLOAT32, 0, NULL, &number), *out;
    assert_int_equal(wick_tensor_stack((wick_tensor *[]){a, b}, 2, &out), WICK_OK);
    assert_shape(out, 2, SHAPE(2, 3));
    assert_memory_equal(wick_tensor_u8(out), numbers, sizeof(numbers));
    wick_tensor_free(out);
    assert_int_equal(wick_tensor_stack((wick_tensor *[]){scalar}, 1, &out), WICK_OK);
    assert_shape(out, 1, SHAPE(1));
    wick_tensor_free(out);
    assert_fails(context, wick_tensor_stack((wick_tensor *[]){a, shorter}, 2, &out), WICK_ESHAPE,
                 "tensor 1 to stack is torch.uint8 [2], the first torch.uint8 [3]");
    assert_fails(context, wick_tensor_stack((wick_tensor *[]){a, b, scalar}, 3, &out), WICK_ESHAPE,
                 "tensor 2 to stack");
    assert_fails(context, wick_tensor_stack((wick_tensor *[]){a, NULL}, 2, &out), WICK_EINVAL,
                 "is NULL");
    assert_int_equal(wick_tensor_stack((wick_tensor *[]){a}, 0, &out), WICK_EINVAL);
    wick_tensor_free(a);
    wick_tensor_free(b);
    wick_tensor_free(shorter);
    wick_tensor_free(scalar);
}

/* ---- numbers ---- */

static void test_softmax(void **state)
{
    wick_context *context = *state;
    const float logits[] = {1, 2,         3,         1000,      1000, -1000, -INFINITY, 0,
                            0, -INFINITY, -INFINITY, -INFINITY, 1,    NAN,   2};
    /* torch.softmax(…, dim=-1) */
    const float wanted[] = {
        0x1.70c3e6p-4f, 0x1.f53434p-3f, 0x1.549a76p-1f, 0.5f, 0.5f, 0, 0, 0.5f, 0.5f};
    wick_tensor *tensor = make(context, WICK_FLOAT32, 3, SHAPE(5, 1, 3), logits), *out;
    assert_int_equal(wick_tensor_softmax(tensor, &out), WICK_OK);
    assert_shape(out, 3, SHAPE(5, 1, 3));
    const float *got = wick_tensor_f32(out);
    for (size_t i = 0; i < WKI_COUNT(wanted); i++)
        if (fabsf(got[i] - wanted[i]) > 0x1p-24f * wanted[i])
            fail_msg("probability %zu is %a; it should be %a", i, (double)got[i], (double)wanted[i]);
    for (size_t i = WKI_COUNT(wanted); i < WKI_COUNT(logits); i++)
        assert_true(isnan(got[i]));
    wick_tensor_free(out);
    wick_tensor_free(tensor);

    tensor = make(context, WICK_FLOAT32, 2, SHAPE(3, 0), NULL);
    assert_int_equal(wick_tensor_softmax(tensor, &out), WICK_OK);
    assert_shape(out, 2, SHAPE(3, 0));
    wick_tensor_free(out);
    wick_tensor_free(tensor);
    tensor = make(context, WICK_FLOAT32, 0, NULL, logits);
    assert_fails(context, wick_tensor_softmax(tensor, &out), WICK_ESHAPE, "no dimensions");
    wick_tensor_free(tensor);
    tensor = make(context, WICK_UINT8, 1, SHAPE(1), logits);
    assert_fails(context, wick_tensor_softmax(tensor, &out), WICK_EINVAL, "must be torch.float32");
    wick_tensor_free(tensor);
}

static void test_argmax(void **state)
{
    wick_context *context = *state;
    const float floats[] = {1,         3,         3,         2,         5,  NAN, 7,  NAN,
                            -INFINITY, -INFINITY, -INFINITY, -INFINITY, -3, -2,  -1, INFINITY};
    const int64_t wanted[] = {1, 1, 0, 3};
    wick_tensor *tensor = make(context, WICK_FLOAT32, 2, SHAPE(4, 4), floats), *out;
    assert_int_equal(wick_tensor_argmax(tensor, &out), WICK_OK);
    assert_int_equal(wick_tensor_dtype(out), WICK_INT64);
    assert_shape(out, 1, SHAPE(4));
    assert_memory_equal(wick_tensor_i64(out), wanted, sizeof(wanted));
    wick_tensor_free(out);
    wick_tensor_free(tensor);

    const uint8_t bytes[] = {0, 200, 255, 255};
    tensor = make(context, WICK_UINT8, 1, SHAPE(4), bytes);
    assert_int_equal(wick_tensor_argmax(tensor, &out), WICK_OK);
    assert_int_equal(wick_tensor_ndim(out), 0);
    assert_int_equal(wick_tensor_i64(out)[0], 2);
    wick_tensor_free(out);
    wick_tensor_free(tensor);

    const int64_t numbers[] = {INT64_MIN, -1, INT64_MAX, 3};
    tensor = make(context, WICK_INT64, 2, SHAPE(2, 2), numbers);
    assert_int_equal(wick_tensor_argmax(tensor, &out), WICK_OK);
    assert_int_equal(wick_tensor_i64(out)[0], 1);
    assert_int_equal(wick_tensor_i64(out)[1], 0);
    wick_tensor_free(out);
    wick_tensor_free(tensor);

    tensor = make(context, WICK_INT64, 2, SHAPE(2, 0), NULL);
    assert_fails(context, wick_tensor_argmax(tensor, &out), WICK_ESHAPE, "no elements");
    wick_tensor_free(tensor);
    tensor = make(context, WICK_INT64, 2, SHAPE(0, 2), NULL);
    assert_int_equal(wick_tensor_argmax(tensor, &out), WICK_OK);
    assert_shape(out, 1, SHAPE(0));
    wick_tensor_free(out);
    wick_tensor_free(tensor);
}

static void test_isclose(void **state)
{
    (void)state;
    assert_true(wick_isclose(1, 1, 0, 0));
    assert_true(wick_isclose(1, 1.00001, 1e-5, 1e-8));
    assert_false(wick_isclose(1, 1.0001, 1e-5, 1e-8));
    assert_true(wick_isclose(1, 1.0001, 0, 1e-2));
    assert_true(wick_isclose(-100, -101, 0.01, 0)); /* within 1.01 of b, not of a */
    assert_false(wick_isclose(-101, -100, 0.0099, 0));
    assert_true(wick_isclose(INFINITY, INFINITY, 0, 0));
    assert_false(wick_isclose(INFINITY, -INFINITY, 1, 1));
    assert_false(wick_isclose(1, INFINITY, 1, 1));
    assert_false(wick_isclose(NAN, NAN, 1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dtypes),      cmocka_unit_test(test_new),
        cmocka_unit_test(test_new_refuses), cmocka_unit_test(test_clone),
        cmocka_unit_test(test_shape_text),  cmocka_unit_test(test_reshape),
        cmocka_unit_test(test_select),      cmocka_unit_test(test_unsqueeze),
        cmocka_unit_test(test_stack),       cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_argmax),      cmocka_unit_test(test_isclose),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
