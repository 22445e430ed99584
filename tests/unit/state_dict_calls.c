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

/* The vectors of SipHash's authors: the key 00 01 ... 0f, the bytes 00 01 ... */
static void test_hash(void **state)
{
    (void)state;
    static const struct {
        size_t length;
        uint64_t hash;
    } cases[] = {{0, UINT64_C(0x726fdb47dd0e0e31)},
                 {1, UINT64_C(0x74f839c593dc67fd)},
                 {8, UINT64_C(0x93f5f5799a932462)},
                 {15, UINT64_C(0xa129ca6149be45e5)}};
    const wki_hash_key key = {{UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};
    const uint8_t bytes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    for (size_t i = 0; i < WKI_COUNT(cases); i++)
        assert_true(wki_hash(&key, bytes, cases[i].length) == cases[i].hash);
}

static uint64_t fnv_1a(const char *key)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *key != '\0'; key++)
        h = (h ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
    return h;
}

/* Keys that somebody chose for all to begin in one slot, under a hash that he can know: FNV-1a, plain and
 * folded, and the hash under another dict's secret. They are found as fast as others. */
static void test_chosen_keys(void **state)
{
    enum { KEYS = 2000, SLOTS = 4096, LONGEST = 64, WAYS = 3 };
    wki_hash_key known;
    wki_hash_key_new(&known);
    for (int way = 0; way < WAYS; way++) {
        wick_state_dict *dict = make_dict(*state);
        char key[32];
        for (unsigned i = 0; wick_state_dict_count(dict) < KEYS; i++) {
            snprintf(key, sizeof(key), "%x", i);
            uint64_t hash = way < 2 ? fnv_1a(key) : wki_hash(&known, key, strlen(key));
            if (way == 1)
                hash ^= hash >> 32;
            if (hash % SLOTS == 0)
                assert_int_equal(wick_state_dict_add(dict, key, make_number(*state, i)), WICK_OK);
        }
        assert_in_range(wki_state_dict_longest_way(dict), 1, LONGEST);
        wick_state_dict_free(dict);
    }
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
        cmocka_unit_test(test_order), cmocka_unit_test(test_refuses),     cmocka_unit_test(test_many),
        cmocka_unit_test(test_hash),  cmocka_unit_test(test_chosen_keys), cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
