/* src/tensor/state_dict.c: tensors by name. */
#include "tensor/tensor_internal.h"

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

static wick_state_dict *make_dict(wick_context *context)
{
    wick_state_dict *dict;
    assert_int_equal(wick_state_dict_new(context, &dict), WICK_OK);
    return dict;
}

static wick_tensor *make_number(wick_context *context, int64_t number)
{
    wick_tensor *tensor;
    assert_int_equal(wick_tensor_from(context, WICK_INT64, 0, NULL, &number, &tensor), WICK_OK);
    return tensor;
}

static void test_order(void **state)
{
    static const char *const keys[] = {"layer_stack.1.weight", "b", "a", ""};
    wick_state_dict *dict = make_dict(*state);
    assert_int_equal(wick_state_dict_count(dict), 0);
    assert_null(wick_state_dict_get(dict, "b"));
    assert_ptr_equal(wki_state_dict_context(dict), *state);
    for (int i = 0; i < 4; i++)
        assert_int_equal(wick_state_dict_add(dict, keys[i], make_number(*state, i)), WICK_OK);
    assert_int_equal(wick_state_dict_count(dict), 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(wick_state_dict_key(dict, i), keys[i]);
        assert_int_equal(wick_tensor_i64(wick_state_dict_tensor(dict, i))[0], i);
        assert_ptr_equal(wick_state_dict_get(dict, keys[i]), wick_state_dict_tensor(dict, i));
    }
    assert_null(wick_state_dict_get(dict, "c"));
    assert_null(wick_state_dict_get(dict, NULL));
    assert_null(wick_state_dict_key(dict, 4));
    assert_null(wick_state_dict_key(dict, -1));
    assert_null(wick_state_dict_tensor(dict, 4));
    assert_null(wick_state_dict_tensor(dict, -1));
    wick_state_dict_free(dict);
    wick_state_dict_free(NULL);
}

static void test_refuses(void **state)
{
    wick_context *context = *state;
    wick_state_dict *dict = make_dict(context);
    wick_tensor *first = make_number(context, 1), *second = make_number(context, 2);
    assert_int_equal(wick_state_dict_add(dict, "a", first), WICK_OK);
    assert_int_equal(wick_state_dict_add(dict, "a", second), WICK_EEXIST);
    assert_string_equal(wick_context_message(context), "the state_dict has a tensor 'a' already");
    assert_int_equal(wick_state_dict_add(dict, NULL, second), WICK_EINVAL);
    assert_int_equal(wick_state_dict_add(dict, "b", NULL), WICK_EINVAL);
    assert_int_equal(wick_state_dict_count(dict), 1);
    assert_ptr_equal(wick_state_dict_get(dict, "a"), first);
    wick_tensor_free(second);
    wick_state_dict_free(dict);
}

/* Through many growths of the table, and in a time that a table of so many keys may take. */
static void test_many(void **state)
{
    enum { MANY = 50000 };
    char key[32];
    wick_state_dict *dict = make_dict(*state);
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof(key), "layer.%d.weight", i);
        assert_int_equal(wick_state_dict_add(dict, key, make_number(*state, i)), WICK_OK);
    }
    assert_int_equal(wick_state_dict_count(dict), MANY);
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof(key), "layer.%d.weight", i);
        wick_tensor *tensor = wick_state_dict_get(dict, key);
        assert_non_null(tensor);
        assert_int_equal(wick_tensor_i64(tensor)[0], i);
    }
    assert_null(wick_state_dict_get(dict, "layer.50000.weight"));
    wick_state_dict_free(dict);
}

static void test_format(void **state)
{
    char *text;
    wick_state_dict *dict = make_dict(*state);
    assert_int_equal(wick_state_dict_format(dict, &text), WICK_OK);
    assert_string_equal(text, "OrderedDict()");
    wick_free(text);
    assert_int_equal(wick_state_dict_add(dict, "tab\t", make_number(*state, 7)), WICK_OK);
    assert_int_equal(wick_state_dict_format(dict, &text), WICK_OK);
    assert_string_equal(text, "OrderedDict([('tab\\t', tensor(7))])");
    wick_free(text);
    wick_state_dict_free(dict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
