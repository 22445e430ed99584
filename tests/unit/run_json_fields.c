/* args.json, results.json and results.csv with every field in turn left out or made into something else. */
#include "train/run_internal.h"
#include "train/train_options.h"

#include <jansson.h>
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

static json_t *parsed(const char *text)
{
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    return root;
}

/* ---- the two files ---- */

/* Reads the text and, if that goes well, writes it (*again, owned) and reads that. */
typedef wick_status reader(wick_context *context, const char *text, char **again);

static wick_status read_args(wick_context *context, const char *text, char **again)
{
    wick_run_args args;
    wick_status status = wki_run_args_parse(context, "input", text, strlen(text), &args);
    if (status == WICK_OK)
        assert_int_equal(wki_run_args_format(context, &args, again), WICK_OK);
    wki_run_args_release(&args);
    return status;
}

static wick_status read_results(wick_context *context, const char *text, char **again)
{
    wick_results results;
    wick_status status = wki_results_parse(context, "input", text, strlen(text), &results);
    if (status == WICK_OK)
        assert_int_equal(wick_results_format(context, &results, again), WICK_OK);
    wki_results_release(&results);
    return status;
}

static void add_option(json_t *root, const wki_train_option *option)
{
    switch (option->kind) {
    case WKI_OPTION_TEXT:
        json_object_set_new(root, option->key, json_string("text"));
        break;
    case WKI_OPTION_NUMBER:
        json_object_set_new(root, option->key, json_real(0.5));
        break;
    case WKI_OPTION_COUNT:
        json_object_set_new(root, option->key, json_integer(3));
        break;
    case WKI_OPTION_FLAG:
        json_object_set_new(root, option->key, json_true());
        break;
    }
}

/* With everything that may be there. */
static json_t *whole_args(void)
{
    json_t *root =
        parsed("{\"model\": \"v1\", \"hidden_units\": 10, \"data\": \"./tiny\", \"data_dir\": null,"
               "\"limit\": 0, \"image_shape\": [1, 28, 28], \"classes\": [\"a\", \"b\\\"\\\\\"],"
               "\"epochs\": 3, \"batch_size\": 32, \"lr\": 0.1, \"seed\": \"18446744073709551615\","
               "\"device\": \"cpu\", \"threads\": 2, \"augment\": \"flip\", \"mean\": [0.5],"
               "\"std\": [0.25], \"test_fraction\": 0.25, \"skip_broken\": true, \"resized\": true}");
    for (const wki_train_option *option = wki_train_options; option->key != NULL; option++)
        add_option(root, option);
    return root;
}

static json_t *whole_results(void)
{
    return parsed(
        "{\"model_name\": \"V1\", \"model_loss\": 0.5, \"model_acc\": null, \"accuracy\": 80,"
        "\"train_time\": 1.5, \"device\": \"cpu\", \"threads\": 2, \"seed\": 42,"
        "\"parameters\": 7960, \"epochs\": ["
        "{\"epoch\": 0, \"train_loss\": 1, \"train_acc\": 2, \"test_loss\": 3, \"test_acc\": 4,"
        "\"seconds\": 5},"
        "{\"epoch\": 1, \"train_loss\": 1.5, \"train_acc\": 2, \"test_loss\": 3, \"test_acc\": 4,"
        "\"seconds\": null}]}");
}

/* ---- other values ---- */

static json_t *other_value(int which)
{
    static char long_text[6000];
    memset(long_text, 'x', sizeof(long_text) - 1);
    switch (which) {
    case 0:
        return json_null();
    case 1:
        return json_false();
    case 2:
        return json_string("");
    case 3:
        return json_string("a\nb\x1b");
    case 4:
        return json_string(long_text);
    case 5:
        return json_integer(-1);
    case 6:
        return json_integer(INT64_MAX);
    case 7:
        return json_real(1.5);
    case 8:
        return json_real(-1e300);
    case 9:
        return json_array();
    case 10:
        return json_object();
    case 11:
        return json_string("18446744073709551616");
    case 12:
        return json_pack("[s, i, [], {s: [n, {}]}]", "text", 1, "key");
    case 13:
        return json_integer(0);
    default:
        return NULL;
    }
}

/* Reads the changed file, laid out in two ways; what is refused is so in one line that names a field. */
static bool is_read(wick_context *context, reader *read, const json_t *root)
{
    static const size_t layouts[] = {JSON_INDENT(2), JSON_COMPACT};
    bool good = false;
    for (size_t i = 0; i < WKI_COUNT(layouts); i++) {
        char *text = json_dumps(root, layouts[i] | JSON_ENSURE_ASCII), *again = NULL, *twice = NULL;
        wick_status status = read(context, text, &again);
        good = status == WICK_OK;
        if (good) {
            assert_int_equal(read(context, again, &twice), WICK_OK);
            assert_string_equal(again, twice);
        } else {
            const char *message = wick_context_message(context);
            assert_int_equal(status, WICK_EFORMAT);
            assert_memory_equal(message, "input: ", 7);
            assert_non_null(strchr(message, '"'));
            assert_null(strchr(message, '\n'));
        }
        free(text);
        free(again);
        free(twice);
    }
    return good;
}

typedef struct counts {
    int read, refused;
} counts;

static void add(counts *tally, bool good)
{
    if (good)
        tally->read++;
    else
        tally->refused++;
}

/* Every value in `at`, which is within root, replaced by every other one. */
static void change_all(wick_context *context, reader *read, json_t *root, json_t *at, counts *tally)
{
    const char *key;
    json_t *value, *other;
    void *next;
    size_t index;
    json_object_foreach_safe(at, next, key, value)
    {
        json_t *kept = json_incref(value);
        for (int i = 0; (other = other_value(i)) != NULL; i++) {
            json_object_set_new(at, key, other);
            add(tally, is_read(context, read, root));
        }
        json_object_set_new(at, key, kept);
        change_all(context, read, root, kept, tally);
    }
    json_array_foreach(at, index, value)
    {
        json_t *kept = json_incref(value);
        for (int i = 0; (other = other_value(i)) != NULL; i++) {
            json_array_set_new(at, index, other);
            add(tally, is_read(context, read, root));
        }
        json_array_set_new(at, index, kept);
        change_all(context, read, root, kept, tally);
    }
}

static void test_changed(wick_context *context, reader *read, json_t *root)
{
    counts tally = {0, 0};
    assert_true(is_read(context, read, root));
    change_all(context, read, root, root, &tally);
    print_message("%d read, %d refused\n", tally.read, tally.refused);
    assert_true(tally.refused > 100 && tally.read > 10);
    assert_true(is_read(context, read, root));
    json_decref(root);
}

static void changed_args(void **state)
{
    test_changed(*state, read_args, whole_args());
}

static void changed_results(void **state)
{
    test_changed(*state, read_results, whole_results());
}

/* ---- what is left out ---- */

static void test_missing(wick_context *context, reader *read, json_t *root, json_t *at,
                         const char *const *needed)
{
    char part[64];
    for (; *needed != NULL; needed++) {
        json_t *kept = json_incref(json_object_get(at, *needed));
        assert_non_null(kept);
        json_object_del(at, *needed);
        assert_false(is_read(context, read, root));
        snprintf(part, sizeof(part), "\"%s\" is missing", *needed);
        assert_non_null(strstr(wick_context_message(context), part));
        json_object_set_new(at, *needed, kept);
    }
    assert_true(is_read(context, read, root));
}

static void missing_args(void **state)
{
    static const char *const needed[] = {"model",       "hidden_units", "data",    "data_dir",   "limit",
                                         "image_shape", "classes",      "epochs",  "batch_size", "lr",
                                         "seed",        "device",       "threads", "std",        NULL};
    json_t *root = whole_args();
    test_missing(*state, read_args, root, root, needed);
    json_decref(root);
}

static void missing_results(void **state)
{
    static const char *const needed[] = {"model_name", "model_loss", "model_acc", "accuracy",
                                         "train_time", "device",     "threads",   "seed",
                                         "parameters", "epochs",     NULL};
    static const char *const of_epoch[] = {"epoch",    "train_loss", "train_acc", "test_loss",
                                           "test_acc", "seconds",    NULL};
    json_t *root = whole_results();
    test_missing(*state, read_results, root, root, needed);
    test_missing(*state, read_results, root, json_array_get(json_object_get(root, "epochs"), 1),
                 of_epoch);
    json_decref(root);
}

/* ---- what is no JSON object, and results.csv ---- */

static void other_texts(void **state)
{
    static const char *const texts[] = {"",          "1",
                                        "[]",        "null",
                                        "{",         "{\"a\": 1, \"a\": 2}",
                                        "{\"a\": }", "{\"a\": \"\xff\"}",
                                        "{} {}",     "{\"seed\": 1e999}"};
    for (size_t i = 0; i < WKI_COUNT(texts); i++) {
        char *again;
        assert_int_equal(read_args(*state, texts[i], &again), WICK_EFORMAT);
        assert_memory_equal(wick_context_message(*state), "input: ", 7);
    }
}

#define HEADING "epoch,train_loss,train_acc,test_loss,test_acc,seconds\n"

static void rows(void **state)
{
    static const char *const wrong[] = {"",
                                        "epoch\n",
                                        HEADING "\n",
                                        HEADING "0,1,2,3,4\n",
                                        HEADING "0,1,2,3,4,5",
                                        HEADING "0,1,2,3,4,5,6\n",
                                        HEADING "0,1,2,3,4,5\n0,1, 2,3,4,5\n",
                                        HEADING "-1,1,2,3,4,5\n",
                                        HEADING "0.5,1,2,3,4,5\n",
                                        HEADING "1e9,1,2,3,4,5\n",
                                        HEADING "NaN,1,2,3,4,5\n",
                                        HEADING "0,1,2,x,4,5\n"};
    wick_epoch *epochs = NULL;
    size_t count = 99;
    for (size_t i = 0; i < WKI_COUNT(wrong); i++)
        assert_int_equal(wki_rows_parse(*state, "input", wrong[i], &epochs, &count), WICK_EFORMAT);
    assert_null(epochs);
    assert_int_equal(count, 99);
    assert_int_equal(wki_rows_parse(*state, "input", HEADING, &epochs, &count), WICK_OK);
    assert_int_equal(count, 0);
    assert_int_equal(
        wki_rows_parse(*state, "input", HEADING "0,1,2,3,4,5\n1,1,2,3,4,NaN\n", &epochs, &count),
        WICK_OK);
    assert_int_equal(count, 2);
    assert_int_equal(epochs[1].epoch, 1);
    assert_true(epochs[0].seconds == 5);
    free(epochs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_args), cmocka_unit_test(changed_results),
        cmocka_unit_test(missing_args), cmocka_unit_test(missing_results),
        cmocka_unit_test(other_texts),  cmocka_unit_test(rows),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
