/* Layers read from text: what is taken, what is refused and with which words. */
#include "nn/module_internal.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static void check_print(wick_context *context, const char *text, const char *wanted)
{
    wick_module *layer = NULL;
    char *printed = NULL;
    if (wick_layer_parse(context, text, &layer) != WICK_OK)
        fail_msg("%s: %s", text, wick_context_message(context));
    assert_int_equal(wick_module_format(layer, &printed), WICK_OK);
    assert_string_equal(printed, wanted);
    wick_free(printed);
    wick_module_free(layer);
}

static void test_taken(void **state)
{
    wick_context *context = *state;
    check_print(context, "nn.Flatten()", "Flatten(start_dim=1, end_dim=-1)");
    check_print(context, "\t ReLU ( ) \r\n", "ReLU()");
    check_print(context, "Linear( 3 ,\n  4 ,\n)", "Linear(in_features=3, out_features=4, bias=True)");
    check_print(context, "Linear(3, out_features = 4)",
                "Linear(in_features=3, out_features=4, bias=True)");
    check_print(context, "torch.nn.Conv2d(3,4,(3),(1,2,))",
                "Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 2))");
    check_print(context, "Conv2d(3, 4, [ 3 , 1 ], padding=\"valid\")",
                "Conv2d(3, 4, kernel_size=(3, 1), stride=(1, 1), padding=valid)");
    check_print(context, "Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1), padding=same)",
                "Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1), padding=same)");
    check_print(context, "MaxPool2d((2, 2), (2, 2))",
                "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)");
    /* What PyTorch does not print is printed here, so that the text makes the same layer again. */
    check_print(context, "AvgPool2d(2, ceil_mode=True, count_include_pad=False, divisor_override=3)",
                "AvgPool2d(kernel_size=2, stride=2, padding=0, ceil_mode=True, "
                "count_include_pad=False, divisor_override=3)");
    check_print(context, "ReLU(inplace=True)", "ReLU()");
    check_print(context, "# what\nDropout(p=1e-1, # how often\n inplace=True)",
                "Dropout(p=0.1, inplace=False)");
    check_print(context, "BatchNorm2d(3, momentum=0, eps=0)",
                "BatchNorm2d(3, eps=0.0, momentum=0.0, affine=True, track_running_stats=True)");
    check_print(context, "MaxPool2d(3, None, (1, 0))",
                "MaxPool2d(kernel_size=3, stride=3, padding=(1, 0), dilation=1, ceil_mode=False)");
}

static void test_same_padding(void **state)
{
    wick_context *context = *state;
    wick_module *layer = NULL;
    assert_int_equal(
        wick_layer_parse(context, "Conv2d(1, 1, (3, 5), padding='same', dilation=(3, 2))", &layer),
        WICK_OK);
    assert_int_equal(layer->as.conv2d.padding.h, 3);
    assert_int_equal(layer->as.conv2d.padding.w, 4);
    int64_t out[WICK_MAX_DIMS];
    int ndim = 0;
    assert_int_equal(wick_module_output_shape(layer, 4, (const int64_t[]){2, 1, 9, 7}, &ndim, out),
                     WICK_OK);
    assert_memory_equal(out, ((const int64_t[]){2, 1, 9, 7}), 4 * sizeof(int64_t));
    wick_module_free(layer);
}

typedef struct refusal {
    const char *text;
    wick_status status;
    const char *message;
} refusal;

static void check_refusals(wick_context *context, const refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        wick_module *layer = NULL;
        wick_status status = wick_layer_parse(context, refusals[i].text, &layer);
        if (status != refusals[i].status)
            fail_msg("%s: %s, wanted %s", refusals[i].text, wick_status_name(status),
                     wick_status_name(refusals[i].status));
        assert_string_equal(wick_context_message(context), refusals[i].message);
        assert_null(layer);
    }
}

#define LAYERS                                                                                          \
    "Sequential, Flatten, Linear, LazyLinear, ReLU, Conv2d, LazyConv2d, MaxPool2d, BatchNorm2d, "       \
    "BatchNorm1d, LazyBatchNorm2d, LazyBatchNorm1d, Dropout, Dropout2d, AvgPool2d, "                    \
    "AdaptiveAvgPool2d, LeakyReLU, GELU, SiLU, Sigmoid, Tanh, Softmax, LogSoftmax, GroupNorm, "         \
    "LayerNorm, Identity, Residual"

static void test_refused_layers(void **state)
{
    static const refusal refusals[] = {
        {"", WICK_EINVAL,
         "column 1: expected a layer such as Conv2d(3, 10, kernel_size=3), but there is the end of the "
         "text"},
        {"(3)", WICK_EINVAL,
         "column 1: expected a layer such as Conv2d(3, 10, kernel_size=3), but there is '('"},
        {" nn.Conv3d(1, 2, 3)", WICK_EINVAL,
         "column 5: there is no layer 'Conv3d'; did you mean Conv2d?"},
        {"Transformer()", WICK_EINVAL, "column 1: there is no layer 'Transformer'; there are " LAYERS},
        {"nn.(3)", WICK_EINVAL, "column 1: there is no layer 'nn.'; there are " LAYERS},
        {"Sequential(ReLU())", WICK_EINVAL,
         "column 1: Sequential is no layer but a container of layers"},
        {"nn.LazyLinear(3)", WICK_EINVAL,
         "column 4: LazyLinear takes its in_features from what comes into it, which is not known here"},
        {"ReLU", WICK_EINVAL, "column 5: expected ( after ReLU, but there is the end of the text"},
        {"ReLU() x", WICK_EINVAL,
         "column 8: expected the end of the text after the layer, but there is 'x'"},
        {"ReLU()\x80", WICK_EINVAL,
         "column 7: expected the end of the text after the layer, but there is the byte 0x80"},
        {"ReLU(", WICK_EINVAL, "column 6: expected a value, but there is the end of the text"},
    };
    check_refusals(*state, refusals, WKI_COUNT(refusals));
}

static void test_refused_arguments(void **state)
{
    static const refusal refusals[] = {
        {"Conv2d(3, 4, kernal_size=3)", WICK_EINVAL,
         "column 14: Conv2d has no argument 'kernal_size'; did you mean 'kernel_size'?"},
        {"Linear(3, 4, xyz=1)", WICK_EINVAL, "column 14: Linear has no argument 'xyz'"},
        {"Conv2d(3, 4, 3, kernel_size=3)", WICK_EINVAL,
         "column 17: Conv2d got multiple values for argument 'kernel_size'"},
        {"Conv2d(3, 4)", WICK_EINVAL, "column 12: Conv2d is missing its argument 'kernel_size'"},
        {"Linear()", WICK_EINVAL, "column 8: Linear is missing its argument 'in_features'"},
        {"ReLU(False, False)", WICK_EINVAL, "column 13: ReLU takes at most 1 argument"},
        {"MaxPool2d(2, 2, 0, 1, False, False, 3)", WICK_EINVAL,
         "column 37: MaxPool2d takes at most 6 arguments"},
        {"Linear(in_features=3, 4)", WICK_EINVAL,
         "column 23: a positional argument follows a keyword argument"},
        {"Linear(3 4)", WICK_EINVAL, "column 10: expected , or ), but there is '4'"},
        {"Linear(3,,4)", WICK_EINVAL, "column 10: expected a value, but there is ','"},
        {"Linear(,3)", WICK_EINVAL, "column 8: expected a value, but there is ','"},
        {"Linear(3, bias=)", WICK_EINVAL, "column 16: expected a value, but there is ')'"},
        {"Linear(3, bias==True)", WICK_EINVAL, "column 16: expected a value, but there is '='"},
        {"Linear(3, 4", WICK_EINVAL, "column 12: expected , or ), but there is the end of the text"},
        {"ReLU(inplace=1)", WICK_EINVAL, "column 14: inplace wants True or False, but got 1"},
        {"Flatten(0)", WICK_EINVAL, "column 9: start_dim=0 is not supported here; only 1 is"},
        {"Conv2d(1, 1, 1, padding_mode='reflect')", WICK_EINVAL,
         "column 31: padding_mode='reflect' is not supported here; only 'zeros' is"},
        {"Conv2d(1, 1, 1, padding_mode=zeros)", WICK_EINVAL,
         "column 30: padding_mode=zeros is not supported here; only 'zeros' is"},
        {"Linear(1, 1, device='None')", WICK_EINVAL,
         "column 22: device='None' is not supported here; only None is"},
        {"Linear(1, 1, dtype=torch.float64)", WICK_EINVAL,
         "column 20: dtype=torch.float64 is not supported here; only None is"},
        {"MaxPool2d(2, return_indices=True)", WICK_EINVAL,
         "column 29: return_indices=True is not supported here; only False is"},
    };
    check_refusals(*state, refusals, WKI_COUNT(refusals));
}

static void test_refused_values(void **state)
{
    static const refusal refusals[] = {
        {"Linear(3.0, 4)", WICK_EINVAL, "column 8: in_features wants a whole number, but got 3.0"},
        {"Linear(True, 4)", WICK_EINVAL, "column 8: in_features wants a whole number, but got True"},
        {"Linear(0, 4)", WICK_EINVAL, "column 8: in_features must be at least 1, but got 0"},
        {"Linear(4, -4)", WICK_EINVAL, "column 11: out_features must be at least 1, but got -4"},
        {"Linear(-, 4)", WICK_EINVAL, "column 8: expected a value, but there is '-'"},
        {"Linear(3, 4, 1)", WICK_EINVAL, "column 14: bias wants True or False, but got 1"},
        {"Linear(3, 4, None)", WICK_EINVAL, "column 14: bias wants True or False, but got None"},
        {"Linear((3, 4), 1)", WICK_EINVAL, "column 8: in_features wants a whole number, but got (3, 4)"},
        {"Conv2d(1, 1, (3,))", WICK_EINVAL,
         "column 14: kernel_size wants a whole number or two, (height, width), but got (3,)"},
        {"Conv2d(1, 1, [3])", WICK_EINVAL,
         "column 14: kernel_size wants a whole number or two, (height, width), but got [3]"},
        {"Conv2d(1, 1, ())", WICK_EINVAL,
         "column 14: kernel_size wants a whole number or two, (height, width), but got ()"},
        {"Conv2d(1, 1, (3,\n3, 3))", WICK_EINVAL,
         "line 1, column 14: kernel_size wants a whole number or two, (height, width), but got (3, "
         "3, 3)"},
        {"Conv2d(1, 1, (3, 0))", WICK_EINVAL, "column 14: kernel_size must be at least 1, but got 0"},
        {"Conv2d(1, 1, 3, 0)", WICK_EINVAL, "column 17: stride must be at least 1, but got 0"},
        {"Conv2d(1, 1, 3, None)", WICK_EINVAL,
         "column 17: stride wants a whole number or two, (height, width), but got None"},
        {"Conv2d(1, 1, 3, padding=-1)", WICK_EINVAL,
         "column 25: padding must be at least 0, but got -1"},
        {"Conv2d(1, 1, 3, padding='full')", WICK_EINVAL,
         "column 26: padding wants a whole number or two, 'same' or 'valid', but got 'full'"},
        {"MaxPool2d(2, padding='same')", WICK_EINVAL,
         "column 23: padding wants a whole number or two, (height, width), but got 'same'"},
        {"Conv2d(1, 1, 3, padding='same)", WICK_EINVAL,
         "column 31: the string must end with ', but there is the end of the text"},
        {"Conv2d(1, 1, 3, padding='sa\\x6de')", WICK_EINVAL,
         "column 28: the string must end with ', but there is '\\'"},
        {"Conv2d(1, 1, 3, padding='a\nb')", WICK_EINVAL,
         "line 1, column 27: the string must end with ', but there is the byte 0x0a"},
        {"Conv2d(1, 1, (3, (3)))", WICK_EINVAL, "column 18: expected a value, but there is '('"},
        {"Conv2d(1, 1, (3 3))", WICK_EINVAL, "column 17: expected , or ), but there is '3'"},
        {"Conv2d(1, 1, (3, x))", WICK_EINVAL, "column 18: expected a whole number, but there is x"},
        {"Dropout('0.5')", WICK_EINVAL, "column 10: p wants a number, but got '0.5'"},
        {"Dropout(1e999)", WICK_ELIMIT, "column 9: the number is larger than a float holds"},
        {"Dropout(0.5.5)", WICK_EINVAL, "column 9: p wants a number, but got 0.5.5"},
        {"Dropout(.)", WICK_EINVAL, "column 9: p wants a number, but got ."},
        {"Dropout(None)", WICK_EINVAL, "column 9: p wants a number, but got None"},
        {"BatchNorm2d(3, momentum='x')", WICK_EINVAL, "column 26: momentum wants a number, but got 'x'"},
        {"GELU('erf')", WICK_EINVAL, "column 7: approximate wants 'none' or 'tanh', but got 'erf'"},
        {"GELU(tanh)", WICK_EINVAL, "column 6: approximate wants 'none' or 'tanh', but got tanh"},
        {"AdaptiveAvgPool2d((None, 0))", WICK_EINVAL,
         "column 19: output_size must be at least 1, but got 0"},
        {"AdaptiveAvgPool2d((None, None, 3))", WICK_EINVAL,
         "column 19: output_size wants a whole number or two, (height, width), of which each may be "
         "None, but got (None, None, 3)"},
        {"AdaptiveAvgPool2d((0, None))", WICK_EINVAL,
         "column 19: output_size must be at least 1, but got 0"},
        {"AdaptiveAvgPool2d((3,))", WICK_EINVAL,
         "column 19: output_size wants a whole number or two, (height, width), of which each may be "
         "None, but got (3,)"},
        {"AdaptiveAvgPool2d('3')", WICK_EINVAL,
         "column 20: output_size wants a whole number or two, (height, width), of which each may be "
         "None, but got '3'"},
        {"LayerNorm('x')", WICK_EINVAL,
         "column 12: normalized_shape wants a whole number or a shape such as (3, 28, 28), but got 'x'"},
        {"LayerNorm((3, 0))", WICK_EINVAL, "column 11: normalized_shape must be at least 1, but got 0"},
        {"Dropout(0.000000000000000000000000000000000000000000000000001)", WICK_ELIMIT,
         "column 9: the number has more than 47 digits"},
        {"Dropout(1e)", WICK_EINVAL, "column 9: p wants a number, but got 1e"},
        {"Dropout(1e-)", WICK_EINVAL, "column 9: p wants a number, but got 1e"},
        {"Conv2d(1, 1, (3, 1e2))", WICK_EINVAL, "column 18: expected a whole number, but there is 1e2"},
        {"MaxPool2d((None, 3))", WICK_EINVAL,
         "column 11: kernel_size wants a whole number or two, (height, width), but got (None, 3)"},
        {"LayerNorm(())", WICK_EINVAL,
         "column 11: normalized_shape wants a whole number or a shape such as (3, 28, 28), but got ()"},
        {"LayerNorm((1, 2, 3, 4, 5, 6, 7, 8, 9))", WICK_EINVAL,
         "column 11: normalized_shape wants a whole number or a shape such as (3, 28, 28), but got "
         "(1, 2, 3, 4, 5, 6, 7, 8, 9)"},
        {"LayerNorm((3, None))", WICK_EINVAL,
         "column 11: normalized_shape wants a whole number or a shape such as (3, 28, 28), but got "
         "(3, None)"},
        {"Conv2d(1, 1, (3, 3])", WICK_EINVAL, "column 19: expected , or ), but there is ']'"},
        {"Conv2d(1, 1, (3", WICK_EINVAL, "column 16: expected , or ), but there is the end of the text"},
    };
    check_refusals(*state, refusals, WKI_COUNT(refusals));
}

static void test_refused_by_the_constructor(void **state)
{
    static const refusal refusals[] = {
        {"Conv2d(3, 4, 3, groups=2)", WICK_EINVAL,
         "column 1: in_channels must be divisible by groups, but they are 3 and 2"},
        {"nn.Conv2d(4, 3, 3, groups=2)", WICK_EINVAL,
         "column 4: out_channels must be divisible by groups, but they are 3 and 2"},
        {" Conv2d(3, 4, 3, stride=2, padding='same')", WICK_EINVAL,
         "column 2: padding='same' is not supported for strided convolutions"},
        {"Conv2d(3, 4, (3, 2), padding='same')", WICK_EINVAL,
         "column 1: padding='same' would pad one side more than the other, which is not supported: "
         "dilation * (kernel_size - 1) is (2, 1); it must be even"},
        {"MaxPool2d(3, padding=(1, 2))", WICK_EINVAL,
         "column 1: padding must be at most half of kernel_size, but they are (1, 2) and (3, 3)"},
        {"Linear(99999999999999999999, 1)", WICK_ELIMIT,
         "column 8: the number is larger than 64 bits hold"},
        {"Linear(9223372036854775807*2, 2)", WICK_ELIMIT,
         "column 8: the product is larger than 64 bits hold"},
        {"Linear(4*, 2)", WICK_EINVAL, "column 10: expected a whole number after *, but there is ','"},
        {"Linear(9223372036854775807, 1)", WICK_ELIMIT,
         "column 1: in_features must be at most 2147483647, but it is 9223372036854775807"},
        {"Linear(65536, 32768)", WICK_ELIMIT,
         "column 1: Linear would have more than 2147483648 parameters"},
        {"Conv2d(2147483647, 2147483647, 2147483647)", WICK_ELIMIT,
         "column 1: Conv2d would have more than 2147483648 parameters"},
        {"MaxPool2d((1, 2147483648))", WICK_ELIMIT,
         "column 1: kernel_size must be at most 2147483647, but it is (1, 2147483648)"},
        {"MaxPool2d(2147483648)", WICK_ELIMIT,
         "column 1: kernel_size must be at most 2147483647, but it is (2147483648, 2147483648)"},
        {"Dropout(-0.5)", WICK_EINVAL, "column 1: p must be at least 0.0, but it is -0.5"},
        {"Dropout2d(2)", WICK_EINVAL, "column 1: p must be at most 1.0, but it is 2.0"},
        {"BatchNorm1d(3, eps=-1)", WICK_EINVAL, "column 1: eps must be at least 0.0, but it is -1.0"},
        {"BatchNorm2d(3, momentum=1.5)", WICK_EINVAL,
         "column 1: momentum must be at most 1.0, but it is 1.5"},
        {"GroupNorm(2, 3)", WICK_EINVAL,
         "column 1: num_channels must be divisible by num_groups, but they are 3 and 2"},
        {"LayerNorm((1, 2, 3, 4, 5, 6, 7, 8))", WICK_EINVAL,
         "column 1: normalized_shape must have 1 to 7 sizes, not 8"},
        {"LayerNorm((65536, 65536))", WICK_ELIMIT,
         "column 1: LayerNorm would have more than 2147483648 parameters"},
        {"Softmax(dim=0)", WICK_EINVAL,
         "column 1: dim must be 1 or -1, the classes of [N, C], but it is 0"},
        {"AvgPool2d(2, padding=2)", WICK_EINVAL,
         "column 1: padding must be at most half of kernel_size, but they are (2, 2) and (2, 2)"},
    };
    check_refusals(*state, refusals, WKI_COUNT(refusals));
}

static void test_long_words_are_cut(void **state)
{
    wick_context *context = *state;
    char text[4096];
    wick_module *layer = NULL;
    memset(text, 'A', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(wick_layer_parse(context, text, &layer), WICK_EINVAL);
    assert_in_range(strlen(wick_context_message(context)), 1, 500);
    memcpy(text, "Linear(", 7);
    assert_int_equal(wick_layer_parse(context, text, &layer), WICK_EINVAL);
    assert_in_range(strlen(wick_context_message(context)), 1, 200);
    assert_int_equal(wick_layer_parse(context, NULL, &layer), WICK_EINVAL);
    assert_int_equal(wick_layer_parse(context, "ReLU()", NULL), WICK_EINVAL);
    assert_int_equal(wick_layer_parse(NULL, "ReLU()", &layer), WICK_EINVAL);
    assert_null(layer);
}

/* ---- random bytes, and random pieces ---- */

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* What parses prints, and that parses back to the same print. */
static bool round_trip(wick_context *context, const char *text)
{
    wick_module *layer = NULL, *again = NULL;
    char *first = NULL, *second = NULL;
    if (wick_layer_parse(context, text, &layer) != WICK_OK) {
        assert_null(layer);
        const char *message = wick_context_message(context);
        assert_true(strncmp(message, "column ", 7) == 0 || strncmp(message, "line ", 5) == 0);
        assert_null(strpbrk(wick_context_message(context), "\r\n"));
        return false;
    }
    assert_int_equal(wick_module_format(layer, &first), WICK_OK);
    assert_int_equal(wick_layer_parse(context, first, &again), WICK_OK);
    assert_int_equal(wick_module_format(again, &second), WICK_OK);
    assert_string_equal(first, second);
    wick_free(first);
    wick_free(second);
    wick_module_free(layer);
    wick_module_free(again);
    return true;
}

static void test_random_texts(void **state)
{
    static const char *const pieces[] = {
        "Conv2d(",    "Linear(", "MaxPool2d(",  "Flatten(", "ReLU(",
        "nn.",        ")",       ",",           ", ",       "1",
        "2",          "3",       "(2, 3)",      "[1, 1]",   "True",
        "False",      "None",    "=",           "padding=", "kernel_size=",
        "ceil_mode=", "stride=", "groups=",     "bias=",    "'same'",
        "'",          "(",       "valid",       "-1",       "in_channels",
        "dilation=1", " ",       "start_dim=1", "0",        "\n",
        "5)",
    };
    uint64_t seed = (uint64_t)time(NULL), random = seed;
    size_t taken = 0;
    print_message("seed %" PRIu64 "\n", seed);
    for (int i = 0; i < 30000; i++) {
        char text[512] = "";
        strcat(text, pieces[next_random(&random) % 5]);
        for (uint64_t n = next_random(&random) % 8; n > 0; n--)
            strcat(text, pieces[next_random(&random) % WKI_COUNT(pieces)]);
        if (next_random(&random) % 2 == 0)
            strcat(text, ")");
        taken += round_trip(*state, text);
    }
    assert_in_range(taken, 100, 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_taken, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_same_padding, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_refused_layers, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_refused_arguments, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_refused_values, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_refused_by_the_constructor, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_long_words_are_cut, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_random_texts, make_context, free_context),
    };
    return cmocka_run_group_tests_name("nn_layer_text", tests, NULL, NULL);
}
