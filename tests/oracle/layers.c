/* Layers with odd options, cross entropy and SGD against what PyTorch computed (layers/make.py). */
#include "base/base.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/wick.h>

/* How far two float32 programs may be apart that add up in different orders, relative to the largest
 * number of a tensor: the longest sums here have some 500 terms, which may round off sqrt(500) 2^-24,
 * about 10^-6. */
static const double tolerance = 1e-5;

enum { LINE = 512 };

typedef struct fixture {
    wick_context *context;
    FILE *index, *numbers;
    int line_number;
    char line[LINE], title[LINE]; /* of the case */
} fixture;

static void must(wick_context *context, wick_status status)
{
    if (status != WICK_OK)
        fail_msg("%s: %s", wick_status_name(status), wick_context_message(context));
}

static FILE *open_file(const char *name)
{
    char path[1024];
    const char *source = getenv("WICK_TEST_SOURCE");
    snprintf(path, sizeof(path), "%s/oracle/layers/%s", source == NULL ? "." : source, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s cannot be opened", path);
    return file;
}

static int open_fixture(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->index = open_file("layers.txt");
    f->numbers = open_file("layers.bin");
    must(NULL, wick_context_new(&f->context));
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    fixture *f = *state;
    fclose(f->index);
    fclose(f->numbers);
    wick_context_free(f->context);
    free(f);
    return 0;
}

static bool next_line(fixture *f)
{
    if (fgets(f->line, sizeof(f->line), f->index) == NULL)
        return false;
    f->line_number++;
    f->line[strcspn(f->line, "\n")] = '\0';
    return true;
}

/* The next tensor, which must have that name. */
static wick_tensor *next_tensor(fixture *f, const char *name)
{
    assert_true(next_line(f));
    char *at = strchr(f->line, ' ');
    assert_non_null(at);
    *at++ = '\0';
    assert_string_equal(f->line, name);
    int64_t shape[WICK_MAX_DIMS];
    int ndim = (int)strtol(at, &at, 10);
    assert_in_range(ndim, 0, WICK_MAX_DIMS);
    for (int i = 0; i < ndim; i++)
        shape[i] = strtoll(at, &at, 10);
    wick_tensor *tensor;
    must(f->context, wick_tensor_new(f->context, WICK_FLOAT32, ndim, shape, &tensor));
    size_t count = (size_t)wick_tensor_numel(tensor);
    uint8_t bytes[4];
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fread(bytes, 1, 4, f->numbers), 4);
        uint32_t bits =
            bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
        memcpy(wick_tensor_f32(tensor) + i, &bits, sizeof(bits));
    }
    return tensor;
}

static void compare(const fixture *f, const char *name, const float *got, const float *right,
                    int64_t count)
{
    double largest = 0.0;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(right[i]))
            largest = fmax(largest, fabs((double)right[i]));
    for (int64_t i = 0; i < count; i++) {
        bool same = got[i] == right[i] || (isnan(got[i]) && isnan(right[i]));
        if (!same && !(fabs((double)got[i] - (double)right[i]) <= tolerance * largest))
            fail_msg("line %d: %s: number %lld of %s is %.9g, and PyTorch's %.9g", f->line_number,
                     f->title, (long long)i, name, (double)got[i], (double)right[i]);
    }
}

/* Compares with the fixture's next tensor, and frees the one given. */
static void check_next(fixture *f, const char *name, wick_tensor *got)
{
    wick_tensor *right = next_tensor(f, name);
    assert_int_equal(wick_tensor_ndim(got), wick_tensor_ndim(right));
    for (int i = 0; i < wick_tensor_ndim(right); i++)
        assert_int_equal(wick_tensor_size(got, i), wick_tensor_size(right, i));
    compare(f, name, wick_tensor_f32(got), wick_tensor_f32(right), wick_tensor_numel(right));
    wick_tensor_free(got);
    wick_tensor_free(right);
}

/* A Sequential of "TEXT; TEXT; ...". */
static wick_module *build(fixture *f, const char *texts)
{
    char copy[LINE];
    wick_module *module, *layer;
    snprintf(copy, sizeof(copy), "%s", texts);
    must(f->context, wick_sequential(f->context, &module));
    for (char *text = strtok(copy, ";"); text != NULL; text = strtok(NULL, ";")) {
        must(f->context, wick_layer_parse(f->context, text + strspn(text, " "), &layer));
        must(f->context, wick_sequential_append(module, NULL, layer));
    }
    return module;
}

static wick_tensor *as_integers(fixture *f, wick_tensor *numbers)
{
    wick_tensor *integers;
    must(f->context, wick_tensor_new(f->context, WICK_INT64, wick_tensor_ndim(numbers),
                                     wick_tensor_shape(numbers), &integers));
    for (int64_t i = 0; i < wick_tensor_numel(numbers); i++)
        wick_tensor_i64(integers)[i] = (int64_t)wick_tensor_f32(numbers)[i];
    wick_tensor_free(numbers);
    return integers;
}

/* Loads the parameters, and buffers, that come next. */
static void load_parameters(fixture *f, wick_module *module)
{
    wick_state_dict *own, *given;
    must(f->context, wick_module_state_dict(module, &own));
    must(f->context, wick_state_dict_new(f->context, &given));
    for (int64_t i = 0; i < wick_state_dict_count(own); i++) {
        const char *key = wick_state_dict_key(own, i);
        wick_tensor *tensor = next_tensor(f, key);
        if (wick_tensor_dtype(wick_state_dict_tensor(own, i)) == WICK_INT64)
            tensor = as_integers(f, tensor);
        must(f->context, wick_state_dict_add(given, key, tensor));
    }
    must(f->context, wick_module_load_state_dict(module, given));
    wick_state_dict_free(own);
    wick_state_dict_free(given);
}

static void check_dict(fixture *f, const wick_state_dict *dict, const char *suffix)
{
    for (int64_t i = 0; i < wick_state_dict_count(dict); i++) {
        char name[128];
        wick_tensor *copy;
        snprintf(name, sizeof(name), "%s%s", wick_state_dict_key(dict, i), suffix);
        must(f->context, wick_tensor_clone(wick_state_dict_tensor(dict, i), &copy));
        check_next(f, name, copy);
    }
}

static bool is_buffer(const char *key)
{
    return strstr(key, "running_") != NULL || strstr(key, "num_batches_tracked") != NULL;
}

/* The buffers after a forward pass in training, and the output in evaluation. */
static void check_states(fixture *f, wick_module *module, const wick_tensor *input)
{
    wick_state_dict *after;
    wick_tensor *output;
    must(f->context, wick_module_state_dict(module, &after));
    for (int64_t i = 0; i < wick_state_dict_count(after); i++) {
        const wick_tensor *tensor = wick_state_dict_tensor(after, i);
        char name[128];
        snprintf(name, sizeof(name), "%s.after", wick_state_dict_key(after, i));
        if (!is_buffer(name))
            continue;
        wick_tensor *right = next_tensor(f, name);
        float count = wick_tensor_dtype(tensor) == WICK_INT64
                          ? (float)*(const int64_t *)wick_tensor_cdata(tensor)
                          : 0.0f;
        compare(f, name, wick_tensor_dtype(tensor) == WICK_INT64 ? &count : wick_tensor_cdata(tensor),
                wick_tensor_f32(right), wick_tensor_numel(right));
        wick_tensor_free(right);
    }
    wick_module_eval(module);
    must(f->context, wick_module_forward(module, input, &output));
    check_next(f, "evaluated", output);
    wick_state_dict_free(after);
}

static void check_layers(fixture *f, const char *texts, bool states)
{
    wick_module *module = build(f, texts);
    wick_tensor *input = next_tensor(f, "input"), *gradient = next_tensor(f, "gradient"), *output, *back;
    wick_state_dict *gradients;
    load_parameters(f, module);
    must(f->context, wick_module_forward(module, input, &output));
    must(f->context, wick_module_backward(module, gradient, &back));
    must(f->context, wick_module_gradients(module, &gradients));
    check_next(f, "output", output);
    check_next(f, "input.grad", back);
    check_dict(f, gradients, ".grad");
    if (states)
        check_states(f, module, input);
    wick_state_dict_free(gradients);
    wick_tensor_free(input);
    wick_tensor_free(gradient);
    wick_module_free(module);
}

static wick_tensor *next_targets(fixture *f)
{
    return as_integers(f, next_tensor(f, "targets"));
}

static void check_loss(fixture *f, float got)
{
    wick_tensor *right = next_tensor(f, "loss");
    compare(f, "loss", &got, wick_tensor_f32(right), 1);
    wick_tensor_free(right);
}

static void check_cross_entropy(fixture *f)
{
    wick_tensor *logits = next_tensor(f, "logits"), *targets = next_targets(f), *gradient;
    wick_loss *loss;
    float value;
    must(f->context, wick_cross_entropy_loss(f->context, &loss));
    must(f->context, wick_loss_forward(loss, logits, targets, &value));
    must(f->context, wick_loss_gradient(loss, &gradient));
    check_loss(f, value);
    check_next(f, "logits.grad", gradient);
    wick_loss_free(loss);
    wick_tensor_free(logits);
    wick_tensor_free(targets);
}

static void sgd_step(fixture *f, wick_module *module, wick_loss *loss, wick_optimizer *optimizer)
{
    wick_tensor *input = next_tensor(f, "input"), *targets = next_targets(f), *output;
    float value;
    must(f->context, wick_module_forward(module, input, &output));
    must(f->context, wick_loss_forward(loss, output, targets, &value));
    wick_optimizer_zero_grad(optimizer);
    must(f->context, wick_loss_backward(loss, module));
    must(f->context, wick_optimizer_step(optimizer));
    check_loss(f, value);
    wick_tensor_free(input);
    wick_tensor_free(targets);
    wick_tensor_free(output);
}

static void check_sgd(fixture *f, const char *what)
{
    double lr;
    int steps, at;
    assert_int_equal(sscanf(what, "%lf %d %n", &lr, &steps, &at), 2);
    wick_module *module = build(f, what + at);
    wick_optimizer *optimizer;
    wick_loss *loss;
    wick_state_dict *weights;
    must(f->context, wick_sgd(module, &(wick_sgd_options){.lr = lr}, &optimizer));
    must(f->context, wick_cross_entropy_loss(f->context, &loss));
    load_parameters(f, module);
    for (int i = 0; i < steps; i++)
        sgd_step(f, module, loss, optimizer);
    must(f->context, wick_module_state_dict(module, &weights));
    check_dict(f, weights, "");
    wick_state_dict_free(weights);
    wick_loss_free(loss);
    wick_optimizer_free(optimizer);
    wick_module_free(module);
}

static void check_all(fixture *f, const char *cpu)
{
    int layers = 0, states = 0, losses = 0, trainings = 0;
    rewind(f->index);
    rewind(f->numbers);
    f->line_number = 0;
    must(f->context, wick_context_set_cpu(f->context, cpu));
    while (next_line(f)) {
        memcpy(f->title, f->line, sizeof(f->title));
        if (strncmp(f->title, "layers ", 7) == 0) {
            check_layers(f, f->title + 7, false);
            layers++;
        } else if (strncmp(f->title, "states ", 7) == 0) {
            check_layers(f, f->title + 7, true);
            states++;
        } else if (strncmp(f->title, "cross_entropy ", 14) == 0) {
            check_cross_entropy(f);
            losses++;
        } else if (strncmp(f->title, "sgd ", 4) == 0) {
            check_sgd(f, f->title + 4);
            trainings++;
        } else {
            fail_msg("line %d: what is '%s'?", f->line_number, f->title);
        }
    }
    assert_int_equal(fgetc(f->numbers), EOF);
    assert_true(layers >= 70 && states >= 29 && losses >= 9 && trainings >= 4);
}

static void test_against_pytorch(void **state)
{
    fixture *f = *state;
    /* With the kernels that every processor of this kind runs, and with the best of this one's. */
    static const char *const names[] = {"x86-64", "x86-64-v3", "x86-64-v4", "auto"};
    int ran = 0;
    for (size_t i = 0; i < WKI_COUNT(names); i++)
        if (wick_context_set_cpu(f->context, names[i]) == WICK_OK) {
            check_all(f, names[i]);
            ran++;
        }
    assert_true(ran >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_against_pytorch, open_fixture, close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
