/* The text of tensors and state_dicts against PyTorch's and IPython's; tensor_text/make.py says how the
 * cases are written. */
#include "base/base.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <wick/random.h>

#include <cmocka.h>

static char *read_fixture(wick_context *context, const char *name)
{
    char path[4096];
    uint8_t *bytes;
    size_t length;
    const char *root = getenv("WICK_TEST_SOURCE");
    assert_non_null(root);
    snprintf(path, sizeof(path), "%s/oracle/tensor_text/%s", root, name);
    if (wki_file_read(context, path, 1 << 20, &bytes, &length) != WICK_OK)
        fail_msg("%s", wick_context_message(context));
    return (char *)bytes;
}

static void check_text(char *got, const char *wanted, int line)
{
    if (strcmp(got, wanted) != 0)
        fail_msg("the case that ends at line %d: PyTorch writes\n%s\nwick writes\n%s", line, wanted,
                 got);
    wick_free(got);
}

/* ---- the cases ---- */

typedef struct reader {
    wick_context *context;
    wick_dtype dtype;
    int ndim, indent;
    int64_t shape[WICK_MAX_DIMS];
    char *key;             /* of the tensor to come */
    wick_tensor *tensor;   /* a tensor alone */
    wick_state_dict *dict; /* or a dict */
    wki_text wanted;
    int lines, cases;
} reader;

/* "= float32 2,3 0" */
static void read_header(reader *r, const char *line)
{
    char dtype[16], shape[128];
    assert_int_equal(sscanf(line, "= %15s %127s %d", dtype, shape, &r->indent), 3);
    r->dtype = strcmp(dtype, "float32") == 0 ? WICK_FLOAT32
               : strcmp(dtype, "uint8") == 0 ? WICK_UINT8
                                             : WICK_INT64;
    r->ndim = 0;
    for (char *size = strtok(shape, ","); size != NULL && strcmp(size, "-") != 0;
         size = strtok(NULL, ","))
        r->shape[r->ndim++] = strtoll(size, NULL, 10);
}

/* One element from its text. */
static void set_element(wick_tensor *tensor, int64_t place, const char *word)
{
    uint32_t bits;
    switch (wick_tensor_dtype(tensor)) {
    case WICK_FLOAT32:
        bits = (uint32_t)strtoul(word, NULL, 16);
        memcpy(wick_tensor_f32(tensor) + place, &bits, sizeof(bits));
        break;
    case WICK_UINT8:
        wick_tensor_u8(tensor)[place] = (uint8_t)strtol(word, NULL, 10);
        break;
    case WICK_INT64:
        wick_tensor_i64(tensor)[place] = strtoll(word, NULL, 10);
        break;
    }
}

/* ": 3f800000 40000000" */
static void read_elements(reader *r, char *line)
{
    wick_tensor *tensor;
    int64_t count = 0;
    assert_int_equal(wick_tensor_new(r->context, r->dtype, r->ndim, r->shape, &tensor), WICK_OK);
    int64_t numel = wick_tensor_numel(tensor);
    for (char *word = strtok(line, ": "); word != NULL && count < numel; word = strtok(NULL, " "))
        set_element(tensor, count++, word);
    size_t size = wick_dtype_size(r->dtype);
    char *data = wick_tensor_data(tensor);
    assert_true(count > 0 || numel == 0);
    for (int64_t i = count; i < numel; i++)
        memcpy(data + (size_t)i * size, data + (size_t)(i - count) * size, size);
    if (r->dict == NULL) {
        r->tensor = tensor;
        return;
    }
    assert_int_equal(wick_state_dict_add(r->dict, r->key, tensor), WICK_OK);
}

static void finish_case(reader *r)
{
    char *got, *wanted;
    wick_status status = r->dict != NULL ? wick_state_dict_format(r->dict, &got)
                                         : wick_tensor_format(r->tensor, r->indent, &got);
    assert_int_equal(status, WICK_OK);
    assert_int_equal(wki_text_finish(&r->wanted, &wanted), WICK_OK);
    check_text(got, wanted, r->lines);
    free(wanted);
    wick_tensor_free(r->tensor);
    wick_state_dict_free(r->dict);
    r->tensor = NULL;
    r->dict = NULL;
    r->cases++;
}

static void read_line(reader *r, char *line)
{
    switch (line[0]) {
    case '-':
        r->key = line + 2;
        if (r->dict == NULL)
            assert_int_equal(wick_state_dict_new(r->context, &r->dict), WICK_OK);
        break;
    case '=':
        read_header(r, line);
        break;
    case ':':
        read_elements(r, line);
        break;
    case '|':
        if (r->wanted.length > 0)
            wki_text_puts(&r->wanted, "\n");
        wki_text_puts(&r->wanted, line[1] == '\0' ? "" : line + 2);
        break;
    case '.':
        finish_case(r);
        break;
    default:
        fail_msg("line %d of the fixture is '%s'", r->lines, line);
    }
}

static void test_cases(void **state)
{
    reader r = {.context = *state};
    char *fixture = read_fixture(r.context, "tensor_text.txt");
    wki_text_init(&r.wanted, r.context);
    for (char *line = fixture, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        r.lines++;
        read_line(&r, line);
    }
    assert_true(r.cases > 200);
    free(fixture);
}

/* ---- what the chapter prints of what needs no layer ---- */

/* The file's text without its last newline. */
static char *read_chapter(wick_context *context, const char *name)
{
    char *text = read_fixture(context, name);
    size_t length = strlen(text);
    assert_true(length > 0 && text[length - 1] == '\n');
    text[length - 1] = '\0';
    return text;
}

/* torch.manual_seed(42); torch.randn(32, 3, 64, 64)[0] */
static void test_chapter_image(void **state)
{
    wick_context *context = *state;
    const int64_t shape[] = {32, 3, 64, 64};
    wick_tensor *images, *image;
    char *got, *wanted = read_chapter(context, "chapter_image.txt");
    wick_manual_seed(context, 42);
    assert_int_equal(wick_randn(context, NULL, 4, shape, &images), WICK_OK);
    assert_int_equal(wick_tensor_select(images, 0, &image), WICK_OK);
    assert_int_equal(wick_tensor_format(image, 0, &got), WICK_OK);
    check_text(got, wanted, 0);
    free(wanted);
    wick_tensor_free(image);
    wick_tensor_free(images);
}

/* torch.manual_seed(42); torch.randn(1, 1, 2, 2) */
static void test_chapter_small(void **state)
{
    wick_context *context = *state;
    const int64_t shape[] = {1, 1, 2, 2};
    wick_tensor *tensor;
    char *got;
    wick_manual_seed(context, 42);
    assert_int_equal(wick_randn(context, NULL, 4, shape, &tensor), WICK_OK);
    assert_int_equal(wick_tensor_format(tensor, 0, &got), WICK_OK);
    check_text(got, "tensor([[[[0.3367, 0.1288],\n          [0.2345, 0.2303]]]])", 0);
    wick_tensor_free(tensor);
}

/* Uniform within 1 / sqrt(fan_in), as nn.Linear draws its weight and its bias. */
static void add_linear(wick_state_dict *dict, wick_context *context, const char *name, int64_t in,
                       int64_t out)
{
    char key[64];
    const int64_t shape[] = {out, in};
    double bound = 1 / sqrt((double)in);
    for (int i = 0; i < 2; i++) {
        wick_tensor *tensor;
        snprintf(key, sizeof(key), "%s.%s", name, i == 0 ? "weight" : "bias");
        assert_int_equal(wick_tensor_new(context, WICK_FLOAT32, 2 - i, shape, &tensor), WICK_OK);
        assert_int_equal(wick_tensor_uniform(tensor, NULL, -bound, bound), WICK_OK);
        assert_int_equal(wick_state_dict_add(dict, key, tensor), WICK_OK);
    }
}

/* torch.manual_seed(42); FashionMNISTModelV0(784, 10, 10).state_dict() */
static void test_chapter_state_dict(void **state)
{
    wick_context *context = *state;
    wick_state_dict *dict;
    char *got, *wanted = read_chapter(context, "chapter_state_dict.txt");
    wick_manual_seed(context, 42);
    assert_int_equal(wick_state_dict_new(context, &dict), WICK_OK);
    add_linear(dict, context, "layer_stack.1", 784, 10);
    add_linear(dict, context, "layer_stack.2", 10, 10);
    assert_int_equal(wick_state_dict_format(dict, &got), WICK_OK);
    check_text(got, wanted, 0);
    free(wanted);
    wick_state_dict_free(dict);
}

static int make_context(void **state)
{
    return wick_context_new((wick_context **)state) == WICK_OK ? 0 : -1;
}

static int free_context(void **state)
{
    wick_context_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_chapter_image),
        cmocka_unit_test(test_chapter_small),
        cmocka_unit_test(test_chapter_state_dict),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
