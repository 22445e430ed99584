/* Modules against PyTorch: weights bit for bit, print(), shapes and refusals, the chapter's printed
 * text. */
#include "nn/module_internal.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/wick.h>

#include "text_fixture.h"

/* ---- weights ---- */

static uint32_t bits_of(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof(bits));
    return bits;
}

static uint64_t fnv(const float *numbers, int64_t count)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (int64_t i = 0; i < count; i++)
        h = (h ^ bits_of(numbers[i])) * UINT64_C(0x100000001b3);
    return h;
}

/* "layer SEED TEXT" or "model SEED NAME C H W HIDDEN CLASSES". */
static wick_module *make_case(fixture *f, wick_context *context)
{
    uint64_t seed;
    int at = 0;
    wick_module *module = NULL;
    if (sscanf(f->line, "layer %" SCNu64 " %n", &seed, &at) == 1 && at > 0) {
        wick_manual_seed(context, seed);
        must(f, context, wick_layer_parse(context, f->line + at, &module));
        return module;
    }
    char name[64];
    int64_t image[3], hidden, classes;
    int found = sscanf(f->line,
                       "model %" SCNu64 " %63s %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64,
                       &seed, name, &image[0], &image[1], &image[2], &hidden, &classes);
    assert_int_equal(found, 7);
    wick_manual_seed(context, seed);
    must(f, context, wick_model_by_name(context, name, image, hidden, classes, &module));
    return module;
}

/* "param KEY NDIM SIZES... HASH FIRST LAST" against the state_dict's entry. */
static void check_parameter(fixture *f, wick_state_dict *dict, int64_t index)
{
    const char *key = strtok(f->line + strlen("param "), " ");
    wick_tensor *tensor = wick_state_dict_tensor(dict, index);
    assert_non_null(tensor);
    assert_string_equal(wick_state_dict_key(dict, index), key);
    assert_int_equal(wick_tensor_ndim(tensor), atoi(strtok(NULL, " ")));
    for (int i = 0; i < wick_tensor_ndim(tensor); i++)
        assert_int_equal(wick_tensor_size(tensor, i), atoll(strtok(NULL, " ")));
    uint64_t hash = strtoull(strtok(NULL, " "), NULL, 16);
    uint64_t first = strtoull(strtok(NULL, " "), NULL, 16), last = strtoull(strtok(NULL, " "), NULL, 16);
    const float *numbers = wick_tensor_f32(tensor);
    int64_t count = wick_tensor_numel(tensor);
    if (bits_of(numbers[0]) != first || bits_of(numbers[count - 1]) != last ||
        fnv(numbers, count) != hash)
        fail_msg("%s:%d: %s differs: first %08x (wanted %08x), last %08x (wanted %08x)", f->name,
                 f->line_number, key, bits_of(numbers[0]), (unsigned)first, bits_of(numbers[count - 1]),
                 (unsigned)last);
}

static void test_weights(void **state)
{
    wick_context *context = *state;
    fixture f;
    int cases = 0;
    open_fixture(&f, "nn_modules", "weights.txt");
    while (next_line(&f)) {
        wick_module *module = make_case(&f, context);
        wick_state_dict *dict = NULL;
        must(&f, context, wick_module_state_dict(module, &dict));
        int64_t index = 0;
        for (; next_line(&f) && strncmp(f.line, "param ", 6) == 0; index++)
            check_parameter(&f, dict, index);
        assert_int_equal(wick_state_dict_count(dict), index);
        /* Nothing more and nothing less was drawn. */
        wick_tensor *after = NULL;
        must(&f, context, wick_rand(context, NULL, 1, (const int64_t[]){1}, &after));
        assert_int_equal(strncmp(f.line, "next ", 5), 0);
        assert_int_equal(bits_of(wick_tensor_f32(after)[0]), strtoull(f.line + 5, NULL, 16));
        wick_tensor_free(after);
        wick_state_dict_free(dict);
        wick_module_free(module);
        cases++;
    }
    fclose(f.file);
    assert_int_equal(cases, 105);
}

/* ---- print ---- */

static void check_text(fixture *f, wick_context *context, const char *from, const char *wanted)
{
    wick_module *layer = NULL;
    char *text = NULL;
    must(f, context, wick_layer_parse(context, from, &layer));
    must(f, context, wick_module_format(layer, &text));
    assert_string_equal(text, wanted);
    wick_free(text);
    wick_module_free(layer);
}

static void test_print(void **state)
{
    wick_context *context = *state;
    fixture f;
    char from[LINE];
    int cases = 0;
    open_fixture(&f, "nn_modules", "reprs.txt");
    while (next_line(&f)) {
        strcpy(from, f.line);
        assert_true(next_line(&f));
        check_text(&f, context, from, f.line);
        check_text(&f, context, f.line, f.line);
        cases++;
    }
    fclose(f.file);
    assert_int_equal(cases, 45);
}

/* ---- shapes ---- */

typedef struct shape {
    int64_t ndim, sizes[WICK_MAX_DIMS];
} shape;

/* "3 4 5 6" */
static char *read_shape(char *text, shape *out)
{
    *out = (shape){.ndim = strtoll(text, &text, 10)};
    for (int64_t i = 0; i < out->ndim; i++)
        out->sizes[i] = strtoll(text, &text, 10);
    return text;
}

static void check_summary(fixture *f, wick_context *context, const wick_module *layer, const shape *in,
                          char *wanted)
{
    wick_layer_summary *lines = NULL;
    int64_t count = 0;
    int64_t multiply_adds = strtoll(wanted, &wanted, 10);
    shape out;
    read_shape(wanted, &out);
    must(f, context, wick_module_summary(layer, (int)in->ndim, in->sizes, &lines, &count));
    assert_int_equal(count, 1);
    assert_int_equal(lines->ndim, out.ndim);
    assert_memory_equal(lines->shape, out.sizes, (size_t)out.ndim * sizeof(int64_t));
    assert_int_equal(lines->multiply_adds, multiply_adds);
    assert_int_equal(lines->parameters, wick_module_parameter_count(layer));
    wick_free(lines);
}

/* A layer and a shape, which PyTorch takes or refuses, when the layer is made or when it is called. */
static void check_shape(fixture *f, wick_context *context, const char *layer_text)
{
    wick_module *layer = NULL;
    shape in, out = {0};
    int ndim = 0;
    char *result = read_shape(f->line, &in);
    assert_int_equal(strncmp(result, " -> ", 4), 0);
    result += 4;
    wick_status status = wick_layer_parse(context, layer_text, &layer);
    if (status == WICK_OK)
        status = wick_module_output_shape(layer, (int)in.ndim, in.sizes, &ndim, out.sizes);
    if (strcmp(result, "error") == 0) {
        if (status != WICK_EINVAL && status != WICK_ESHAPE)
            fail_msg("%s:%d: %s takes %s", f->name, f->line_number, layer_text, f->line);
    } else {
        must(f, context, status);
        check_summary(f, context, layer, &in, result);
    }
    wick_module_free(layer);
}

static void test_shapes(void **state)
{
    wick_context *context = *state;
    fixture f;
    char layer[LINE];
    int cases = 0;
    open_fixture(&f, "nn_modules", "shapes.txt");
    while (next_line(&f)) {
        strcpy(layer, f.line);
        assert_true(next_line(&f));
        check_shape(&f, context, layer);
        cases++;
    }
    fclose(f.file);
    assert_int_equal(cases, 900);
}

/* ---- the chapter ---- */

/* Reads lines up to an empty one, or to the end, as one text. */
static void read_paragraph(fixture *f, char *out, size_t size)
{
    size_t length = 0;
    while (next_line(f) && f->line[0] != '\0')
        length += (size_t)snprintf(out + length, size - length, "%s\n", f->line);
    assert_in_range(length, 1, size - 1);
}

/* The next paragraph is text, which is freed. */
static void check_paragraph(fixture *f, char *text)
{
    char wanted[8192];
    read_paragraph(f, wanted, sizeof(wanted));
    wanted[strlen(wanted) - 1] = '\0';
    assert_string_equal(text, wanted);
    wick_free(text);
}

static void check_print(fixture *f, wick_context *context, const wick_module *model)
{
    char *text = NULL;
    must(f, context, wick_module_format(model, &text));
    check_paragraph(f, text);
}

static void check_state_dict(fixture *f, wick_context *context, const wick_module *model)
{
    wick_state_dict *dict = NULL;
    char *text = NULL;
    must(f, context, wick_module_state_dict(model, &dict));
    must(f, context, wick_state_dict_format(dict, &text));
    check_paragraph(f, text);
    wick_state_dict_free(dict);
}

static void test_chapter(void **state)
{
    wick_context *context = *state;
    fixture f;
    wick_module *model = NULL;
    open_fixture(&f, "nn_modules", "chapter.txt");
    wick_manual_seed(context, 42);
    must(&f, context, wick_fashion_mnist_model_v0(context, 784, 10, 10, &model));
    check_print(&f, context, model);
    check_state_dict(&f, context, model);
    wick_module_free(model);
    must(&f, context, wick_fashion_mnist_model_v1(context, 784, 10, 10, &model));
    check_print(&f, context, model);
    wick_module_free(model);
    must(&f, context, wick_fashion_mnist_model_v2(context, 1, 10, 10, &model));
    check_print(&f, context, model);
    wick_module_free(model);
    assert_false(next_line(&f));
    fclose(f.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_weights, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_print, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_shapes, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_chapter, make_context, free_context),
    };
    return cmocka_run_group_tests_name("nn_modules", tests, NULL, NULL);
}
