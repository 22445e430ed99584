/* Models as text against PyTorch: what they print, the weights that a seed gives them, the shape they give;
 * and the prints and shapes of the layers in them. */
#include "nn/module_internal.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/wick.h>

#include "text_fixture.h"

enum { TEXT = 4096 };

/* ---- models ---- */

static uint64_t fnv(const wick_tensor *tensor)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (int64_t i = 0; i < wick_tensor_numel(tensor); i++) {
        uint32_t word;
        if (wick_tensor_dtype(tensor) == WICK_INT64)
            word = (uint32_t)((const int64_t *)wick_tensor_cdata(tensor))[i];
        else
            memcpy(&word, (const float *)wick_tensor_cdata(tensor) + i, sizeof(word));
        h = (h ^ word) * UINT64_C(0x100000001b3);
    }
    return h;
}

/* The lines from this one on that begin with mark, as one text. */
static void read_marked(fixture *f, char mark, char out[TEXT])
{
    size_t length = 0;
    out[0] = '\0';
    for (; f->line[0] == mark && length < TEXT; next_line(f))
        length +=
            (size_t)snprintf(out + length, TEXT - length, "%s%s", length == 0 ? "" : "\n", f->line + 1);
    assert_in_range(length, 1, TEXT - 1);
}

/* "value KEY NDIM SIZES... HASH" against the state_dict's entry. */
static void check_value(fixture *f, wick_state_dict *dict, int64_t index)
{
    const char *key = strtok(f->line + strlen("value "), " ");
    wick_tensor *tensor = wick_state_dict_tensor(dict, index);
    assert_non_null(tensor);
    assert_string_equal(wick_state_dict_key(dict, index), key);
    assert_int_equal(wick_tensor_ndim(tensor), atoi(strtok(NULL, " ")));
    for (int i = 0; i < wick_tensor_ndim(tensor); i++)
        assert_int_equal(wick_tensor_size(tensor, i), atoll(strtok(NULL, " ")));
    if (fnv(tensor) != strtoull(strtok(NULL, " "), NULL, 16))
        fail_msg("%s:%d: %s differs", f->name, f->line_number, key);
}

/* "end NEXT PARAMETERS NDIM SIZES..." */
static void check_end(fixture *f, wick_context *context, const wick_module *model,
                      const int64_t image[3])
{
    unsigned next;
    int64_t parameters, out[WICK_MAX_DIMS];
    int ndim, ndim_out, at;
    wick_tensor *after = NULL;
    assert_int_equal(sscanf(f->line, "end %x %" SCNd64 " %d%n", &next, &parameters, &ndim, &at), 3);
    must(f, context, wick_rand(context, NULL, 1, (const int64_t[]){1}, &after));
    assert_memory_equal(wick_tensor_f32(after), &next, sizeof(next)); /* nothing more was drawn */
    wick_tensor_free(after);
    assert_int_equal(wick_module_parameter_count(model), parameters);
    const int64_t in[] = {3, image[0], image[1], image[2]};
    must(f, context, wick_module_output_shape(model, 4, in, &ndim_out, out));
    assert_int_equal(ndim_out, ndim);
    char *sizes = f->line + at;
    for (int i = 0; i < ndim; i++)
        assert_int_equal(out[i], strtoll(sizes, &sizes, 10));
}

static void check_prints(fixture *f, wick_context *context, const wick_module *model, const char *wanted)
{
    wick_module *again = NULL;
    char *print = NULL, *second = NULL;
    must(f, context, wick_module_format(model, &print));
    assert_string_equal(print, wanted);
    must(f, context, wick_model_parse(context, print, NULL, &again));
    must(f, context, wick_module_format(again, &second));
    assert_string_equal(second, wanted);
    wick_free(print);
    wick_free(second);
    wick_module_free(again);
}

static void check_model(fixture *f, wick_context *context)
{
    uint64_t seed;
    int64_t image[3], index = 0;
    char text[TEXT], print[TEXT];
    wick_module *model = NULL;
    wick_state_dict *dict = NULL;
    assert_int_equal(sscanf(f->line, "model %" SCNu64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &seed,
                            &image[0], &image[1], &image[2]),
                     4);
    assert_true(next_line(f));
    read_marked(f, '|', text);
    read_marked(f, '>', print);
    wick_manual_seed(context, seed);
    must(f, context, wick_model_parse(context, text, image, &model));
    must(f, context, wick_module_state_dict(model, &dict));
    for (; strncmp(f->line, "value ", 6) == 0; index++, assert_true(next_line(f)))
        check_value(f, dict, index);
    assert_int_equal(wick_state_dict_count(dict), index);
    check_end(f, context, model, image);
    check_prints(f, context, model, print);
    wick_state_dict_free(dict);
    wick_module_free(model);
}

static void test_models(void **state)
{
    fixture f;
    int cases = 0;
    open_fixture(&f, "model_text", "models.txt");
    for (; next_line(&f); cases++)
        check_model(&f, *state);
    fclose(f.file);
    assert_int_equal(cases, 16);
}

/* ---- layers ---- */

static void check_layer(fixture *f, wick_context *context, const char *from, const char *wanted)
{
    wick_module *layer = NULL;
    char *text = NULL;
    must(f, context, wick_layer_parse(context, from, &layer));
    must(f, context, wick_module_format(layer, &text));
    assert_string_equal(text, wanted);
    wick_free(text);
    wick_module_free(layer);
}

static void test_prints(void **state)
{
    fixture f;
    char from[LINE];
    int cases = 0;
    open_fixture(&f, "model_text", "layer_prints.txt");
    for (; next_line(&f); cases++) {
        strcpy(from, f.line);
        assert_true(next_line(&f));
        check_layer(&f, *state, from, f.line);
        check_layer(&f, *state, f.line, f.line);
    }
    fclose(f.file);
    assert_int_equal(cases, 50);
}

/* "3 4 5 6" */
static char *read_shape(char *text, int *ndim, int64_t *sizes)
{
    *ndim = (int)strtol(text, &text, 10);
    for (int i = 0; i < *ndim; i++)
        sizes[i] = strtoll(text, &text, 10);
    return text;
}

/* A layer and a shape, which PyTorch takes or refuses, when the layer is made or when it is called. */
static void check_shape(fixture *f, wick_context *context, const char *text)
{
    wick_module *layer = NULL;
    int64_t in[WICK_MAX_DIMS], out[WICK_MAX_DIMS], wanted[WICK_MAX_DIMS];
    int ndim_in, ndim_out = 0, ndim_wanted;
    char *result = read_shape(f->line, &ndim_in, in);
    assert_int_equal(strncmp(result, " -> ", 4), 0);
    wick_status status = wick_layer_parse(context, text, &layer);
    if (status == WICK_OK)
        status = wick_module_output_shape(layer, ndim_in, in, &ndim_out, out);
    if (strcmp(result, " -> error") == 0) {
        if (status != WICK_EINVAL && status != WICK_ESHAPE)
            fail_msg("%s:%d: %s takes %s", f->name, f->line_number, text, f->line);
    } else {
        must(f, context, status);
        read_shape(result + 4, &ndim_wanted, wanted);
        assert_int_equal(ndim_out, ndim_wanted);
        assert_memory_equal(out, wanted, (size_t)ndim_out * sizeof(int64_t));
    }
    wick_module_free(layer);
}

static void test_shapes(void **state)
{
    fixture f;
    char layer[LINE];
    int cases = 0;
    open_fixture(&f, "model_text", "layer_shapes.txt");
    for (; next_line(&f); cases++) {
        strcpy(layer, f.line);
        assert_true(next_line(&f));
        check_shape(&f, *state, layer);
    }
    fclose(f.file);
    assert_int_equal(cases, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_models, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_prints, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_shapes, make_context, free_context),
    };
    return cmocka_run_group_tests_name("model_text", tests, NULL, NULL);
}
