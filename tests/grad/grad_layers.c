/* Every layer's gradients, alone and after one another, against central differences in double. */
#include "reference.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct layers {
    const char *texts[9]; /* ended by NULL */
    int ndim;
    int64_t shape[4]; /* without the batch */
} layers;

static void check_all(const layers *cases, size_t count, int batches)
{
    for (size_t i = 0; i < count; i++) {
        for (int t = 0; cases[i].texts[t] != NULL; t++)
            printf("%s%s", t == 0 ? "" : ", ", cases[i].texts[t]);
        printf("\n");
        fflush(stdout);
        ref_check_layers(cases[i].texts, cases[i].ndim, cases[i].shape, batches);
    }
}

static void test_conv2d(void **state)
{
    (void)state;
    static const layers cases[] = {
        {{"Conv2d(1, 1, kernel_size=1)"}, 3, {1, 1, 1}},
        {{"Conv2d(3, 5, kernel_size=1, bias=False)"}, 3, {3, 4, 5}},
        {{"Conv2d(2, 3, kernel_size=3)"}, 3, {2, 3, 3}},
        {{"Conv2d(2, 7, kernel_size=3, padding=1)"}, 3, {2, 6, 5}},
        {{"Conv2d(1, 13, kernel_size=(2, 3), padding=(0, 2))"}, 3, {1, 5, 4}},
        {{"Conv2d(3, 2, kernel_size=3, stride=2)"}, 3, {3, 8, 7}},
        {{"Conv2d(2, 3, kernel_size=3, stride=(2, 3), padding=1)"}, 3, {2, 7, 9}},
        {{"Conv2d(2, 2, kernel_size=2, stride=3)"}, 3, {2, 8, 9}}, /* some inputs are read by nobody */
        {{"Conv2d(1, 2, kernel_size=1, stride=4, padding=3)"}, 3, {1, 3, 6}},
        {{"Conv2d(2, 3, kernel_size=3, dilation=2)"}, 3, {2, 7, 6}},
        {{"Conv2d(1, 2, kernel_size=(3, 2), dilation=(1, 4), stride=(1, 2), padding=(2, 3))"},
         3,
         {1, 4, 7}},
        {{"Conv2d(4, 6, kernel_size=3, groups=2, padding=1)"}, 3, {4, 5, 4}},
        {{"Conv2d(5, 5, kernel_size=3, groups=5, padding=1, stride=2)"}, 3, {5, 5, 6}},
        {{"Conv2d(3, 9, kernel_size=2, groups=3, bias=False, dilation=2)"}, 3, {3, 4, 4}},
        {{"Conv2d(1, 2, kernel_size=2, padding=5)"},
         3,
         {1, 2, 3}}, /* outputs that read nothing but zeros */
        {{"Conv2d(1, 1, kernel_size=1, padding=4, stride=3)"}, 3, {1, 2, 2}},
        {{"Conv2d(2, 2, kernel_size=(8, 5), padding=(2, 1))"},
         3,
         {2, 4, 3}}, /* as large as the padded image */
        {{"Conv2d(1, 3, kernel_size=(1, 4))"}, 3, {1, 1, 9}},
        {{"Conv2d(1, 2, kernel_size=3, stride=7, padding=1)"},
         3,
         {1, 5, 5}}, /* one output, a stride beyond the image */
        {{"Conv2d(2, 3, kernel_size=2, padding='same', dilation=2)"}, 3, {2, 4, 5}},
        {{"Conv2d(2, 3, kernel_size=3, padding='valid')"}, 3, {2, 4, 5}},
    };
    check_all(cases, WKI_COUNT(cases), 5);
}

static void test_max_pool2d(void **state)
{
    (void)state;
    static const layers cases[] = {
        {{"MaxPool2d(2)"}, 3, {2, 4, 6}},
        {{"MaxPool2d(2)"}, 3, {2, 5, 7}}, /* a row and a column that no window has */
        {{"MaxPool2d(1)"}, 3, {1, 2, 3}},
        {{"MaxPool2d(3, stride=1)"}, 3, {2, 5, 4}},
        {{"MaxPool2d(3, stride=2, padding=1)"}, 3, {3, 6, 7}},
        {{"MaxPool2d((2, 3), stride=(1, 2), padding=(1, 1))"}, 3, {1, 4, 6}},
        {{"MaxPool2d(2, stride=3)"}, 3, {1, 8, 7}},
        {{"MaxPool2d(2, dilation=2, stride=1)"}, 3, {2, 5, 6}},
        {{"MaxPool2d(3, stride=2, dilation=(2, 1), padding=1)"}, 3, {2, 7, 6}},
        {{"MaxPool2d(2, ceil_mode=True)"}, 3, {2, 5, 7}},
        {{"MaxPool2d(3, stride=2, padding=1, ceil_mode=True)"}, 3, {1, 4, 6}},
        {{"MaxPool2d((4, 5))"}, 3, {2, 4, 5}},
        {{"MaxPool2d(2, stride=(2, 1), padding=(1, 0), dilation=(3, 1), ceil_mode=True)"}, 3, {2, 6, 4}},
    };
    check_all(cases, WKI_COUNT(cases), 5);
}

static void test_linear(void **state)
{
    (void)state;
    static const layers cases[] = {
        {{"Linear(1, 1)"}, 1, {1}},
        {{"Linear(7, 3)"}, 1, {7}},
        {{"Linear(16, 5, bias=False)"}, 1, {16}},
        {{"Linear(50, 13)"}, 1, {50}},
        {{"Linear(33, 10)"}, 1, {33}},
        {{"Linear(5, 4)"}, 2, {3, 5}},
        {{"Linear(5, 4)"}, 3, {2, 3, 5}},
        {{"Linear(4, 3, bias=False)"}, 4, {2, 1, 3, 4}},
        {{"Linear(17, 6)", "Linear(6, 3)"}, 1, {17}},
        {{"Flatten()", "Linear(24, 6)"}, 3, {2, 3, 4}},
    };
    check_all(cases, WKI_COUNT(cases), 5);
}

static void test_relu(void **state)
{
    (void)state;
    static const layers cases[] = {
        {{"ReLU()"}, 1, {9}},
        {{"ReLU()"}, 3, {2, 3, 4}},
        {{"ReLU()", "ReLU()", "Flatten()"}, 3, {2, 3, 4}},
        {{"Flatten()"}, 3, {2, 3, 4}},
        {{"ReLU()", "Linear(8, 5)"}, 1, {8}},
        {{"ReLU()", "Conv2d(2, 3, kernel_size=3, padding=1)"}, 3, {2, 4, 5}},
        {{"ReLU()", "Conv2d(2, 3, kernel_size=2, stride=2)"}, 3, {2, 5, 5}},
        {{"ReLU()", "MaxPool2d(2)"}, 3, {2, 4, 4}},
        {{"ReLU()", "MaxPool2d(3, stride=1, padding=1)"}, 3, {2, 4, 4}},
        {{"Conv2d(2, 3, kernel_size=3)", "ReLU()"}, 3, {2, 5, 5}},
        {{"Conv2d(2, 3, kernel_size=3)", "ReLU()", "ReLU()"}, 3, {2, 5, 5}},
        {{"Linear(9, 6)", "ReLU()"}, 1, {9}},
        {{"Linear(9, 6)", "ReLU()", "ReLU()", "Linear(6, 4)", "ReLU()"}, 1, {9}},
        {{"MaxPool2d(2)", "ReLU()"}, 3, {2, 4, 6}},
        {{"MaxPool2d(2, stride=1)", "ReLU()", "Conv2d(2, 2, kernel_size=2)"}, 3, {2, 4, 4}},
        {{"Flatten()", "ReLU()", "Linear(12, 4)"}, 3, {2, 2, 3}},
        {{"ReLU()", "Flatten()", "ReLU()", "Linear(12, 4)"}, 3, {2, 2, 3}},
        {{"Conv2d(1, 3, kernel_size=2)", "Flatten()", "ReLU()", "Linear(18, 4)"}, 3, {1, 3, 4}},
        {{"Conv2d(1, 3, kernel_size=2)", "ReLU()", "Flatten()", "ReLU()"}, 3, {1, 3, 4}},
    };
    check_all(cases, WKI_COUNT(cases), 5);
}

static void test_one_after_another(void **state)
{
    (void)state;
    static const layers cases[] = {
        {{"Conv2d(1, 4, kernel_size=3, padding=1)", "Conv2d(4, 3, kernel_size=3, stride=2)"},
         3,
         {1, 7, 8}},
        {{"Conv2d(2, 3, kernel_size=3, stride=2, padding=2)",
          "Conv2d(3, 2, kernel_size=2, dilation=2, padding=1)"},
         3,
         {2, 7, 6}},
        {{"MaxPool2d(2)", "Conv2d(2, 3, kernel_size=2)", "MaxPool2d(2, stride=1)"}, 3, {2, 8, 8}},
        {{"MaxPool2d(3, stride=1)", "MaxPool2d(2, padding=1)"}, 3, {2, 7, 6}},
        /* From rows to lanes and back. */
        {{"Linear(5, 6)", "Conv2d(2, 3, kernel_size=3, padding=1)", "Linear(6, 4)"}, 3, {2, 4, 5}},
        {{"Linear(5, 6)", "ReLU()", "MaxPool2d(2)", "Linear(3, 4)", "ReLU()"}, 3, {2, 4, 5}},
        {{"ReLU()", "Linear(5, 6)", "ReLU()", "Conv2d(2, 2, kernel_size=2)", "ReLU()"}, 3, {2, 4, 5}},
        {{"Conv2d(2, 3, kernel_size=3, padding=1)", "ReLU()", "Linear(5, 2)", "ReLU()",
          "Conv2d(3, 1, kernel_size=1)", "Flatten()"},
         3,
         {2, 4, 5}},
        {{"Flatten()", "Flatten()", "Linear(6, 3)"}, 3, {1, 2, 3}},
        {{"Conv2d(4, 4, kernel_size=3, groups=4, padding=1)", "ReLU()",
          "Conv2d(4, 6, kernel_size=1, groups=2)", "ReLU()", "MaxPool2d(3, stride=2, padding=1)",
          "Flatten()", "Linear(24, 5)"},
         3,
         {4, 4, 4}},
    };
    check_all(cases, WKI_COUNT(cases), 5);
}

/* A convolution by chance: anything that fits. */
static void random_conv2d(char text[160], layers *one)
{
    for (;;) {
        int groups = ref_int(1, 3), in = groups * ref_int(1, 3), out = groups * ref_int(1, 4);
        int k[2], s[2], p[2], d[2];
        bool fits = true;
        one->shape[0] = in;
        for (int i = 0; i < 2; i++) {
            k[i] = ref_int(1, 4);
            s[i] = ref_int(1, 4);
            p[i] = ref_int(0, 4);
            d[i] = ref_int(1, 3);
            one->shape[1 + i] = ref_int(1, 8);
            fits = fits && one->shape[1 + i] + 2 * p[i] >= d[i] * (k[i] - 1) + 1;
        }
        if (!fits)
            continue;
        snprintf(text, 160,
                 "Conv2d(%d, %d, kernel_size=(%d, %d), stride=(%d, %d), padding=(%d, %d), dilation=(%d, "
                 "%d), groups=%d%s)",
                 in, out, k[0], k[1], s[0], s[1], p[0], p[1], d[0], d[1], groups,
                 ref_int(0, 1) ? "" : ", bias=False");
        return;
    }
}

/* With other layers on either side, as they go on from its buffers. */
static void test_random_conv2d(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        char text[160], second[160];
        layers one = {.ndim = 3};
        random_conv2d(text, &one);
        snprintf(second, sizeof(second), "Conv2d(%lld, %lld, kernel_size=%d, padding=2, stride=%d)",
                 (long long)one.shape[0], (long long)one.shape[0], ref_int(1, 3), ref_int(1, 2));
        int at = 0;
        if (i % 4 == 1)
            one.texts[at++] = "ReLU()";
        if (i % 4 == 2) {
            one.texts[at++] = second;
            one.texts[at++] = "ReLU()";
            /* The second one's output must be large enough for the first. */
            one.shape[1] += 12;
            one.shape[2] += 12;
        }
        one.texts[at++] = text;
        if (i % 3 == 1)
            one.texts[at++] = "ReLU()";
        if (i % 3 == 2)
            one.texts[at++] = "MaxPool2d(2, stride=1, padding=1)";
        check_all(&one, 1, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv2d),
        cmocka_unit_test(test_max_pool2d),
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_relu),
        cmocka_unit_test(test_one_after_another),
        cmocka_unit_test(test_random_conv2d),
    };
    return cmocka_run_group_tests(tests, ref_seed, NULL);
}
