/* Models read from text: what is taken, where a message points, what a walk tells of a Residual, and that
 * what is printed is read back. */
#include "nn/module_internal.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const int64_t image[] = {1, 28, 28};

static int make_context(void **state)
{
    return wick_context_new((wick_context **)state) == WICK_OK ? 0 : -1;
}

static int free_context(void **state)
{
    wick_context_free(*state);
    return 0;
}

static wick_module *parse(wick_context *context, const char *text)
{
    wick_module *model = NULL;
    if (wick_model_parse(context, text, image, &model) != WICK_OK)
        fail_msg("%s: %s", text, wick_context_message(context));
    return model;
}

static void check_print(wick_context *context, const char *text, const char *wanted)
{
    wick_module *model = parse(context, text);
    char *printed = NULL;
    assert_int_equal(wick_module_format(model, &printed), WICK_OK);
    assert_string_equal(printed, wanted);
    wick_free(printed);
    wick_module_free(model);
}

static void test_taken(void **state)
{
    wick_context *context = *state;
    const char *two = "Sequential(\n  (0): ReLU()\n  (1): Tanh()\n)";
    const char *named = "Sequential(\n  (a): ReLU()\n  (b_2): Tanh()\n)";
    check_print(context, "Sequential(ReLU(), Tanh())", two);
    check_print(context, "\n# mine\ntorch.nn.Sequential( # two\n  nn.ReLU(),\n  nn.Tanh(), ) # end",
                two);
    check_print(context, two, two);
    check_print(context, "Sequential(a=ReLU(), b_2 = Tanh())", named);
    check_print(context, "nn.Sequential(OrderedDict([('a', nn.ReLU()), (\"b_2\", Tanh(),),],),)", named);
    check_print(context, "Sequential(collections.OrderedDict([('a', ReLU()), ('b_2', Tanh())]))", named);
    check_print(context, named, named);
    check_print(context, "Sequential()", "Sequential()");
    check_print(context, "Sequential(OrderedDict([]))", "Sequential()");
    check_print(context, "Sequential(ReLU(), last=Tanh())",
                "Sequential(\n  (0): ReLU()\n  (last): Tanh()\n)");
    check_print(context, "Tiny(\n  (body): Block(\n    (0): ReLU()\n  )\n)",
                "Tiny(\n  (body): Block(\n    (0): ReLU()\n  )\n)");
    check_print(context, "ResidualNet((a): ReLU())", "ResidualNet(\n  (a): ReLU()\n)");
    check_print(context, "Sequential(Flatten(), LazyLinear(3))",
                "Sequential(\n  (0): Flatten(start_dim=1, end_dim=-1)\n"
                "  (1): Linear(in_features=784, out_features=3, bias=True)\n)");
    check_print(context, "ReLU()", "ReLU()");
    /* Too far from a container's name for a slip of the pen. */
    check_print(context, "Sequenti((a): ReLU())", "Sequenti(\n  (a): ReLU()\n)");
    check_print(context, "Sequentially((a): ReLU())", "Sequentially(\n  (a): ReLU()\n)");
}

typedef struct refusal {
    const char *text;
    wick_status status;
    const char *message;
} refusal;

static void check_refusals(wick_context *context, const refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        wick_module *model = NULL;
        wick_status status = wick_model_parse(context, refusals[i].text, image, &model);
        if (status != refusals[i].status)
            fail_msg("%s: %s, wanted %s", refusals[i].text, wick_status_name(status),
                     wick_status_name(refusals[i].status));
        assert_string_equal(wick_context_message(context), refusals[i].message);
        assert_null(model);
    }
}

static void test_refused_texts(void **state)
{
    static const refusal refusals[] = {
        {"", WICK_EINVAL,
         "column 1: expected a layer such as Conv2d(3, 10, kernel_size=3), but there is the end of the "
         "text"},
        {"Sequential(\n  Conv2d(1, 8, 3),\n  RelU()\n)", WICK_EINVAL,
         "line 3, column 3: there is no layer 'RelU'; did you mean ReLU?"},
        {"Sequential(\n  (0): Conv2d(1, 8, kernal_size=3)\n)", WICK_EINVAL,
         "line 2, column 21: Conv2d has no argument 'kernal_size'; did you mean 'kernel_size'?"},
        {"Sequental(ReLU())", WICK_EINVAL,
         "column 1: there is no layer 'Sequental'; did you mean Sequential?"},
        {"Sequental(\n  (0): ReLU()\n)", WICK_EINVAL,
         "line 1, column 1: there is no layer 'Sequental'; did you mean Sequential?"},
        {"Residal((0): ReLU())", WICK_EINVAL,
         "column 1: there is no layer 'Residal'; did you mean Residual?"},
        {"Sequential", WICK_EINVAL,
         "column 11: expected ( after Sequential, but there is the end of the text"},
        {"Sequential(ReLU()", WICK_EINVAL,
         "column 18: expected , or ), but there is the end of the text"},
        {"Sequential(ReLU() Tanh())", WICK_EINVAL, "column 19: expected , or ), but there is 'T'"},
        {"Sequential(a=ReLU(), Tanh())", WICK_EINVAL,
         "column 22: a positional argument follows a keyword argument"},
        {"Sequential(a=ReLU(), a=Tanh())", WICK_EEXIST,
         "column 22: Sequential has a child named 'a' already"},
        {"Sequential(a.b=ReLU())", WICK_EINVAL,
         "column 12: a name is made of letters, digits and _, but there is a.b"},
        {"Sequential(OrderedDict([('a b', ReLU())]))", WICK_EINVAL,
         "column 27: a name is made of letters, digits and _, but there is 'a b'"},
        {"Sequential(OrderedDict([(3, ReLU())]))", WICK_EINVAL,
         "column 26: expected a name in quotes, but there is 3"},
        {"Sequential(OrderedDict([('a', ReLU()) ('b', ReLU())]))", WICK_EINVAL,
         "column 39: expected , or ], but there is '('"},
        {"Sequential(('a'): ReLU())", WICK_EINVAL,
         "column 13: a name is made of letters, digits and _, but there is '''"},
        {"Sequential(OrderedDict([('', ReLU())]))", WICK_EINVAL,
         "column 27: a name is made of letters, digits and _, but there is ''"},
        {"Sequential((0 ReLU())", WICK_EINVAL,
         "column 15: expected ) after the child's name, but there is 'R'"},
        {"Sequential(OrderedDict([('a' ReLU())]))", WICK_EINVAL,
         "column 30: expected , after the child's name, but there is 'R'"},
        {"Sequential(OrderedDict(('a', ReLU())))", WICK_EINVAL,
         "column 24: expected [ after OrderedDict(, but there is '('"},
        {"Sequential(OrderedDict [('a', ReLU())])", WICK_EINVAL,
         "column 24: expected ( after OrderedDict, but there is '['"},
        {"Sequential(OrderedDict([('a', ReLU())]", WICK_EINVAL,
         "column 39: expected ) after OrderedDict([...], but there is the end of the text"},
        {"Sequential(OrderedDict([('a', ReLU())]) 3)", WICK_EINVAL,
         "column 41: expected ) after OrderedDict([...]), but there is '3'"},
        {"Sequential(OrderedDict([(,ReLU())]))", WICK_EINVAL,
         "column 26: expected a value, but there is ','"},
        {"Sequential(OrderedDict([('a', ReLU()])", WICK_EINVAL,
         "column 37: expected ) after the child, but there is ']'"},
        {"Sequential((0) ReLU())", WICK_EINVAL,
         "column 16: expected : after the child's name, but there is 'R'"},
        {"Sequential((0): ReLU(), (1): ReLU())", WICK_EINVAL,
         "column 23: expected ( after a child, but there is ','"},
        {"Residual(shortcut=ReLU(), a=ReLU())", WICK_EINVAL,
         "column 27: the shortcut must be the last child of a Residual, but 'a' comes after it"},
        {"Sequential(ReLU()) x", WICK_EINVAL,
         "column 20: expected the end of the text after the model, but there is 'x'"},
        {"Sequential(ReLU(),\n  # Tanh()\n  Tanh[])", WICK_EINVAL,
         "line 3, column 7: expected ( after Tanh, but there is '['"},
    };
    check_refusals(*state, refusals, WKI_COUNT(refusals));
}

static void test_refused_shapes(void **state)
{
    static const refusal refusals[] = {
        {"Sequential(\n  Flatten(),\n  Linear(783, 10)\n)", WICK_ESHAPE,
         "line 3, column 3: Linear wants [..., 783] but got [1, 784]"},
        {"Sequential(Residual(Conv2d(1, 2, 3)))", WICK_ESHAPE,
         "column 12: Residual adds two of one shape, but its body gives [1, 2, 26, 26] and its input is "
         "[1, 1, 28, 28]"},
        {"Residual(Conv2d(1, 2, 3), shortcut=Conv2d(1, 2, 1))", WICK_ESHAPE,
         "column 1: Residual adds two of one shape, but its body gives [1, 2, 26, 26] and its shortcut "
         "gives [1, 2, 28, 28]"},
        {"Sequential(Flatten(), LazyConv2d(3, 3))", WICK_ESHAPE,
         "column 23: LazyConv2d cannot take its in_channels from [1, 784]"},
        {"Sequential(Conv2d(1, 3, 3), Softmax(1))", WICK_ESHAPE,
         "column 29: Softmax wants [N, C] but got [1, 3, 26, 26]"},
        {"Sequential(BatchNorm1d(1))", WICK_ESHAPE,
         "column 12: BatchNorm1d wants [N, 1] or [N, 1, L] but got [1, 1, 28, 28]"},
    };
    check_refusals(*state, refusals, WKI_COUNT(refusals));
    wick_module *model = NULL;
    assert_int_equal(wick_model_parse(*state, "Sequential(LazyLinear(3))", NULL, &model), WICK_EINVAL);
    assert_string_equal(wick_context_message(*state),
                        "column 12: LazyLinear takes its in_features from what comes into it, which is "
                        "not known here");
    const int64_t none[] = {1, 0, 28};
    assert_int_equal(wick_model_parse(*state, "ReLU()", none, &model), WICK_ESHAPE);
    assert_int_equal(wick_model_parse(*state, NULL, image, &model), WICK_EINVAL);
    assert_int_equal(wick_model_parse(*state, "ReLU()", image, NULL), WICK_EINVAL);
    assert_int_equal(wick_model_parse(NULL, "ReLU()", image, &model), WICK_EINVAL);
    assert_null(model);
}

static char *repeated(const char *first, const char *piece, size_t count, const char *last)
{
    size_t length = strlen(piece);
    char *text = malloc(strlen(first) + count * length + strlen(last) + 1);
    assert_non_null(text);
    char *at = stpcpy(text, first);
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, piece);
    strcpy(at, last);
    return text;
}

static wick_status parse_repeated(wick_context *context, const char *first, const char *piece,
                                  size_t count, const char *last)
{
    wick_module *model = NULL;
    char *text = repeated(first, piece, count, last);
    wick_status status = wick_model_parse(context, text, NULL, &model);
    wick_module_free(model);
    free(text);
    return status;
}

static void test_limits(void **state)
{
    wick_context *context = *state;
    assert_int_equal(parse_repeated(context, "", "Sequential(", 1000000, ""), WICK_ELIMIT);
    assert_string_equal(wick_context_message(context),
                        "column 705: the model is nested more than 64 deep");
    assert_int_equal(parse_repeated(context, "", "X(\n(a): ", 1000000, ""), WICK_ELIMIT);
    assert_int_equal(parse_repeated(context, "", "Residual(", 1000000, ""), WICK_ELIMIT);
    char *open = repeated("", "Residual(", 64, "ReLU()");
    assert_int_equal(parse_repeated(context, open, ")", 64, ""), WICK_OK);
    free(open);
    assert_int_equal(parse_repeated(context, "Sequential(", "ReLU(),", 9999, ")"), WICK_OK);
    assert_int_equal(parse_repeated(context, "Sequential(", "ReLU(),", 10000, ")"), WICK_ELIMIT);
    assert_string_equal(wick_context_message(context),
                        "column 70005: the model has more than 10000 layers");
    assert_int_equal(parse_repeated(context, "Sequential(", "Sequential(),", 10000, ")"), WICK_ELIMIT);
    assert_int_equal(parse_repeated(context, "Sequential(", "a", 200, "=ReLU())"), WICK_ELIMIT);
    assert_int_equal(parse_repeated(context, "", "a", 200, "((a): ReLU())"), WICK_EINVAL);
}

/* ---- walks ---- */

static wick_status note(void *user, wki_visit_event event, wick_module *module, const char *path)
{
    static const char *const events[] = {
        [WKI_VISIT_LAYER] = "layer",
        [WKI_VISIT_RESIDUAL] = "residual",
        [WKI_VISIT_SHORTCUT] = "shortcut",
        [WKI_VISIT_SUM] = "sum",
    };
    char *all = user;
    assert_true((event == WKI_VISIT_LAYER) == (module->kind != WKI_RESIDUAL));
    sprintf(all + strlen(all), "%s %s\n", events[event], path);
    return WICK_OK;
}

static void test_walk(void **state)
{
    wick_module *model = parse(*state, "Sequential(Residual(ReLU(), r=Residual()), Residual(Tanh(), "
                                       "shortcut=Sequential(a=ReLU(), b=SiLU())), Flatten())");
    char all[1024] = "";
    assert_int_equal(wki_module_walk(model, note, all), WICK_OK);
    assert_string_equal(all, "residual 0\nlayer 0.0\nresidual 0.r\nshortcut 0.r\nsum 0.r\nshortcut 0\n"
                             "sum 0\nresidual 1\nlayer 1.0\nshortcut 1\nlayer 1.shortcut.a\n"
                             "layer 1.shortcut.b\nsum 1\nlayer 2\n");
    wick_module_free(model);
}

static void test_residual_shapes(void **state)
{
    wick_context *context = *state;
    wick_module *model = parse(
        context, "Sequential(Residual(Conv2d(1, 4, 3), ReLU(), shortcut=Sequential(Conv2d(1, 4, 1), "
                 "AvgPool2d(3, stride=1))), Flatten())");
    wick_layer_summary *lines;
    int64_t count, other[] = {2, 1, 5, 6};
    assert_int_equal(wick_module_summary(model, 4, other, &lines, &count), WICK_OK);
    assert_int_equal(count, 5);
    assert_string_equal(lines[2].path, "0.shortcut.0");
    assert_memory_equal(lines[2].shape, ((int64_t[]){2, 4, 5, 6}), 4 * sizeof(int64_t));
    assert_string_equal(lines[3].kind, "AvgPool2d");
    assert_memory_equal(lines[3].shape, ((int64_t[]){2, 4, 3, 4}), 4 * sizeof(int64_t));
    assert_memory_equal(lines[4].shape, ((int64_t[]){2, 48}), 2 * sizeof(int64_t));
    wick_free(lines);
    wick_module_free(model);
}

/* ---- buffers ---- */

static void test_buffers(void **state)
{
    wick_context *context = *state;
    wick_module *model = parse(context, "Sequential(norm=BatchNorm2d(1), flat=Flatten())");
    wick_state_dict *dict, *gradients;
    assert_int_equal(wick_module_state_dict(model, &dict), WICK_OK);
    assert_int_equal(wick_module_gradients(model, &gradients), WICK_OK);
    assert_int_equal(wick_module_parameter_count(model), 2);
    assert_int_equal(wick_state_dict_count(dict), 5);
    assert_int_equal(wick_state_dict_count(gradients), 2);
    wick_tensor *steps = wick_state_dict_get(dict, "norm.num_batches_tracked");
    assert_int_equal(wick_tensor_dtype(steps), WICK_INT64);
    *(int64_t *)wick_tensor_data(steps) = 7;
    wick_tensor_f32(wick_state_dict_get(dict, "norm.running_var"))[0] = 3.0f;
    assert_int_equal(wick_module_load_state_dict(model, dict), WICK_OK);
    const wick_module *norm = wick_module_child(model, 0);
    assert_int_equal(*(const int64_t *)wick_tensor_cdata(norm->buffers[2].value), 7);
    assert_true(wick_tensor_f32(norm->buffers[1].value)[0] == 3.0f);
    wick_state_dict_free(dict);
    wick_state_dict_free(gradients);
    wick_module_free(model);
}

/* ---- random pieces ---- */

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* What parses prints, and that parses back to the same print. */
static bool round_trip(wick_context *context, const char *text)
{
    wick_module *model = NULL, *again = NULL;
    char *first = NULL, *second = NULL;
    if (wick_model_parse(context, text, image, &model) != WICK_OK) {
        const char *message = wick_context_message(context);
        assert_null(model);
        assert_true(strncmp(message, "column ", 7) == 0 || strncmp(message, "line ", 5) == 0);
        assert_null(strpbrk(message, "\r\n"));
        return false;
    }
    assert_int_equal(wick_module_format(model, &first), WICK_OK);
    if (wick_model_parse(context, first, image, &again) != WICK_OK)
        fail_msg("%s: %s", first, wick_context_message(context));
    assert_int_equal(wick_module_format(again, &second), WICK_OK);
    assert_string_equal(first, second);
    wick_free(first);
    wick_free(second);
    wick_module_free(model);
    wick_module_free(again);
    return true;
}

static void test_random_texts(void **state)
{
    static const char *const pieces[] = {
        "Sequential(",
        "Residual(",
        "OrderedDict([",
        "('a', ",
        "Sequential(\n(x): ",
        "ReLU()",
        "Tanh(),",
        "SiLU(), ",
        "Conv2d(1, 1, 1)",
        "Dropout(0.5)",
        ")",
        "))",
        "), ",
        "])",
        "a=",
        "shortcut=",
        "(b): ",
        "\n",
        "nn.",
        "LazyLinear(2)",
        "Flatten()",
        "# x\n",
        ",",
        "Net((c): ",
    };
    uint64_t seed = (uint64_t)time(NULL), random = seed;
    size_t taken = 0;
    print_message("seed %" PRIu64 "\n", seed);
    for (int i = 0; i < 30000; i++) {
        char text[512] = "";
        strcat(text, pieces[next_random(&random) % 2]);
        for (uint64_t n = next_random(&random) % 9; n > 0; n--)
            strcat(text, pieces[next_random(&random) % WKI_COUNT(pieces)]);
        if (next_random(&random) % 4 != 0)
            strcat(text, ")");
        taken += round_trip(*state, text);
    }
    assert_in_range(taken, 100, 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_taken, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_refused_texts, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_refused_shapes, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_limits, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_walk, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_residual_shapes, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_buffers, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_random_texts, make_context, free_context),
    };
    return cmocka_run_group_tests_name("nn_model_text", tests, NULL, NULL);
}
