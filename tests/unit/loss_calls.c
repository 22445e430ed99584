/* Losses, SGD and the loops through the public calls: values by hand, what is refused, what may change
 * in between. */
#include "cpu/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/wick.h>

#include "context_fixture.h"

enum { COUNT = 21, SIDE = 4, CLASSES = 3 };

/* Fails unless the call gave that status with a message that has the word in it. */
static void expect(wick_context *context, wick_status got, wick_status wanted, const char *word)
{
    assert_string_equal(wick_status_name(got), wick_status_name(wanted));
    if (strstr(wick_context_message(context), word) == NULL)
        fail_msg("'%s' is not in the message '%s'", word, wick_context_message(context));
}

static wick_tensor *tensor(wick_context *context, wick_dtype dtype, int64_t rows, int64_t columns,
                           const void *data)
{
    const int64_t shape[2] = {rows, columns};
    wick_tensor *out;
    if (data == NULL)
        must(context, wick_tensor_new(context, dtype, columns == 0 ? 1 : 2, shape, &out));
    else
        must(context, wick_tensor_from(context, dtype, columns == 0 ? 1 : 2, shape, data, &out));
    return out;
}

/* COUNT images of noise, a third of each class. */
static wick_dataset *dataset(wick_context *context)
{
    static const char *const names[CLASSES] = {"a", "b", "c"};
    uint8_t pixels[COUNT * SIDE * SIDE];
    int64_t labels[COUNT];
    for (size_t i = 0; i < sizeof(pixels); i++)
        pixels[i] = (uint8_t)(i * i * 7 + i / 5);
    for (int i = 0; i < COUNT; i++)
        labels[i] = i % CLASSES;
    wick_dataset *out;
    must(context,
         wick_dataset_from(context, COUNT, 1, SIDE, SIDE, pixels, labels, CLASSES, names, &out));
    return out;
}

static wick_module *model(wick_context *context)
{
    wick_module *module;
    wick_manual_seed(context, 3);
    must(context, wick_fashion_mnist_model_v1(context, SIDE * SIDE, 5, CLASSES, &module));
    return module;
}

/* ---- cross entropy ---- */

static void test_cross_entropy_values(void **state)
{
    wick_context *context = *state;
    wick_loss *loss;
    float value;
    const float logits[6] = {1.0f, 2.0f, 3.0f, -1.0f, 0.5f, 0.0f};
    const int64_t targets[2] = {2, 0};
    wick_tensor *x = tensor(context, WICK_FLOAT32, 2, 3, logits),
                *y = tensor(context, WICK_INT64, 2, 0, targets), *g;
    must(context, wick_cross_entropy_loss(context, &loss));
    expect(context, wick_loss_gradient(loss, &g), WICK_EINVAL, "gradient");
    must(context, wick_loss_forward(loss, x, y, &value));
    double sum = 0.0;
    must(context, wick_loss_gradient(loss, &g));
    for (int r = 0; r < 2; r++) {
        double total = 0.0;
        for (int c = 0; c < 3; c++)
            total += exp((double)logits[r * 3 + c]);
        sum += log(total) - (double)logits[r * 3 + targets[r]];
        for (int c = 0; c < 3; c++) {
            double wanted = (exp((double)logits[r * 3 + c]) / total - (c == targets[r])) / 2.0;
            assert_true(fabs((double)wick_tensor_f32(g)[r * 3 + c] - wanted) < 1e-7);
        }
    }
    assert_true(fabs((double)value - sum / 2.0) < 1e-7 * sum);
    wick_tensor_free(g);
    wick_tensor_free(x);
    wick_tensor_free(y);
    wick_loss_free(loss);
    wick_loss_free(NULL);
}

static void test_cross_entropy_refuses(void **state)
{
    wick_context *context = *state;
    wick_loss *loss;
    const int64_t below[2] = {0, -1}, above[2] = {3, 0};
    float value = 7.0f;
    wick_tensor *x = tensor(context, WICK_FLOAT32, 2, 3, NULL),
                *y = tensor(context, WICK_INT64, 2, 0, NULL);
    wick_tensor *low = tensor(context, WICK_INT64, 2, 0, below),
                *high = tensor(context, WICK_INT64, 2, 0, above);
    wick_tensor *bytes = tensor(context, WICK_UINT8, 2, 0, NULL),
                *three = tensor(context, WICK_INT64, 3, 0, NULL);
    wick_tensor *square = tensor(context, WICK_INT64, 2, 2, NULL),
                *flat = tensor(context, WICK_FLOAT32, 2, 0, NULL);
    wick_tensor *no_x = tensor(context, WICK_FLOAT32, 0, 3, NULL),
                *no_y = tensor(context, WICK_INT64, 0, 0, NULL);
    assert_int_equal(wick_cross_entropy_loss(NULL, &loss), WICK_EINVAL);
    assert_int_equal(wick_cross_entropy_loss(context, NULL), WICK_EINVAL);
    must(context, wick_cross_entropy_loss(context, &loss));
    assert_int_equal(wick_loss_forward(NULL, x, y, &value), WICK_EINVAL);
    expect(context, wick_loss_forward(loss, NULL, y, &value), WICK_EINVAL, "NULL");
    expect(context, wick_loss_forward(loss, x, NULL, &value), WICK_EINVAL, "NULL");
    expect(context, wick_loss_forward(loss, x, y, NULL), WICK_EINVAL, "NULL");
    expect(context, wick_loss_forward(loss, x, low, &value), WICK_EINVAL,
           "target 1 is -1; it must be 0 to 2");
    expect(context, wick_loss_forward(loss, x, high, &value), WICK_EINVAL,
           "target 0 is 3; it must be 0 to 2");
    expect(context, wick_loss_forward(loss, x, bytes, &value), WICK_EINVAL, "torch.uint8");
    expect(context, wick_loss_forward(loss, x, three, &value), WICK_ESHAPE, "[3]");
    expect(context, wick_loss_forward(loss, x, square, &value), WICK_ESHAPE, "[2, 2]");
    expect(context, wick_loss_forward(loss, flat, y, &value), WICK_ESHAPE, "[N, C]");
    expect(context, wick_loss_forward(loss, no_x, no_y, &value), WICK_ESHAPE, "[0, 3]");
    assert_true(value == 7.0f);
    expect(context, wick_loss_backward(loss, NULL), WICK_EINVAL, "forward");
    must(context, wick_loss_forward(loss, x, y, &value));
    assert_int_equal(wick_loss_backward(loss, NULL), WICK_EINVAL);
    assert_int_equal(wick_loss_backward(NULL, NULL), WICK_EINVAL);
    assert_int_equal(wick_loss_gradient(loss, NULL), WICK_EINVAL);
    wick_tensor *all[] = {x, y, low, high, bytes, three, square, flat, no_x, no_y};
    for (size_t i = 0; i < WKI_COUNT(all); i++)
        wick_tensor_free(all[i]);
    wick_loss_free(loss);
}

/* The gradient goes to a module only if its output had that shape. */
static void test_loss_backward_wants_its_module(void **state)
{
    wick_context *context = *state;
    wick_module *module = model(context);
    wick_loss *loss;
    float value;
    const int64_t shape[4] = {2, 1, SIDE, SIDE};
    wick_tensor *x = tensor(context, WICK_FLOAT32, 3, CLASSES, NULL),
                *y = tensor(context, WICK_INT64, 3, 0, NULL);
    wick_tensor *images, *output;
    must(context, wick_cross_entropy_loss(context, &loss));
    must(context, wick_loss_forward(loss, x, y, &value));
    expect(context, wick_loss_backward(loss, module), WICK_EINVAL, "forward");
    must(context, wick_randn(context, NULL, 4, shape, &images));
    must(context, wick_module_forward(module, images, &output));
    expect(context, wick_loss_backward(loss, module), WICK_ESHAPE, "[3, 3]");
    wick_tensor_free(images);
    wick_tensor_free(output);
    wick_tensor_free(x);
    wick_tensor_free(y);
    wick_loss_free(loss);
    wick_module_free(module);
}

/* A loss made before the kernels were chosen runs those that are chosen. */
static void test_the_kernels_change(void **state)
{
    wick_context *context = *state;
    enum { ROWS = 40 };
    wick_loss *old;
    wick_tensor *x, *y = tensor(context, WICK_INT64, ROWS, 0, NULL);
    const int64_t shape[2] = {ROWS, 11};
    must(context, wick_randn(context, NULL, 2, shape, &x));
    must(context, wick_cross_entropy_loss(context, &old));
    for (int i = 0; wki_kernels_runnable(i) != NULL; i++) {
        wick_loss *fresh;
        wick_tensor *a, *b;
        float value, wanted;
        must(context, wick_context_set_cpu(context, wki_kernels_runnable(i)->name));
        must(context, wick_cross_entropy_loss(context, &fresh));
        must(context, wick_loss_forward(old, x, y, &value));
        must(context, wick_loss_forward(fresh, x, y, &wanted));
        must(context, wick_loss_gradient(old, &a));
        must(context, wick_loss_gradient(fresh, &b));
        assert_memory_equal(&value, &wanted, sizeof(value));
        assert_memory_equal(wick_tensor_data(a), wick_tensor_data(b), sizeof(float) * ROWS * 11);
        wick_tensor_free(a);
        wick_tensor_free(b);
        wick_loss_free(fresh);
    }
    wick_tensor_free(x);
    wick_tensor_free(y);
    wick_loss_free(old);
}

/* ---- SGD ---- */

static void test_sgd_refuses(void **state)
{
    wick_context *context = *state;
    wick_module *module = model(context);
    wick_optimizer *optimizer = NULL;
    const double bad[] = {-0.1, NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < WKI_COUNT(bad); i++)
        expect(context, wick_sgd(module, &(wick_sgd_options){.lr = bad[i]}, &optimizer), WICK_EINVAL,
               "lr is");
    assert_int_equal(wick_sgd(NULL, NULL, &optimizer), WICK_EINVAL);
    assert_int_equal(wick_sgd(module, NULL, NULL), WICK_EINVAL);
    assert_null(optimizer);
    wick_optimizer_free(NULL);
    wick_optimizer_zero_grad(NULL);
    assert_int_equal(wick_optimizer_step(NULL), WICK_EINVAL);
    wick_module_free(module);
}

static void test_sgd_steps(void **state)
{
    wick_context *context = *state;
    const double rates[] = {0.0, 0.1, 0.5, 1e-8};
    for (size_t i = 0; i < WKI_COUNT(rates); i++) {
        wick_module *module = model(context);
        wick_optimizer *optimizer;
        const int64_t shape[4] = {17, 1, SIDE, SIDE};
        wick_tensor *images, *output;
        wick_state_dict *before, *after, *gradients;
        must(context, wick_randn(context, NULL, 4, shape, &images));
        must(context, wick_sgd(module, &(wick_sgd_options){.lr = rates[i]}, &optimizer));
        must(context, wick_module_forward(module, images, &output));
        must(context, wick_module_backward(module, output, NULL));
        must(context, wick_module_state_dict(module, &before));
        must(context, wick_module_gradients(module, &gradients));
        must(context, wick_optimizer_step(optimizer));
        must(context, wick_module_state_dict(module, &after));
        double lr = rates[i] == 0.0 ? 1e-3 : rates[i];
        for (int64_t p = 0; p < wick_state_dict_count(before); p++) {
            const float *w = wick_tensor_f32(wick_state_dict_tensor(before, p));
            const float *g = wick_tensor_f32(wick_state_dict_tensor(gradients, p));
            const float *v = wick_tensor_f32(wick_state_dict_tensor(after, p));
            int64_t count = wick_tensor_numel(wick_state_dict_tensor(before, p));
            /* One rounding with a multiply-add, two without, of numbers no larger than these. */
            for (int64_t k = 0; k < count; k++)
                assert_true(fabs((double)v[k] - ((double)w[k] - (double)(float)lr * (double)g[k])) <=
                            1.2e-7 * (fabs((double)w[k]) + lr * fabs((double)g[k])));
        }
        wick_optimizer_zero_grad(optimizer);
        wick_state_dict_free(gradients);
        must(context, wick_module_gradients(module, &gradients));
        for (int64_t p = 0; p < wick_state_dict_count(gradients); p++)
            for (int64_t k = 0; k < wick_tensor_numel(wick_state_dict_tensor(gradients, p)); k++)
                assert_true(wick_tensor_f32(wick_state_dict_tensor(gradients, p))[k] == 0.0f);
        wick_state_dict_free(before);
        wick_state_dict_free(after);
        wick_state_dict_free(gradients);
        wick_tensor_free(images);
        wick_tensor_free(output);
        wick_optimizer_free(optimizer);
        wick_module_free(module);
    }
}

/* ---- the loops ---- */

typedef struct bench {
    wick_context *context;
    wick_dataset *data;
    wick_loader *loader;
    wick_module *module;
    wick_loss *loss;
    wick_optimizer *optimizer;
    int calls;
    int interrupt_at; /* the batch after which the loop is asked to stop; -1: never */
    wick_tensor *wide;
} bench;

static void open_bench(bench *b, wick_context *context, bool drop_last)
{
    *b = (bench){
        .context = context, .data = dataset(context), .module = model(context), .interrupt_at = -1};
    const wick_loader_options options = {.batch_size = 4, .shuffle = true, .drop_last = drop_last};
    must(context, wick_loader_new(b->data, &options, &b->loader));
    must(context, wick_cross_entropy_loss(context, &b->loss));
    must(context, wick_sgd(b->module, &(wick_sgd_options){.lr = 0.1}, &b->optimizer));
}

static void close_bench(bench *b)
{
    wick_tensor_free(b->wide);
    wick_optimizer_free(b->optimizer);
    wick_loss_free(b->loss);
    wick_module_free(b->module);
    wick_loader_free(b->loader);
    wick_dataset_free(b->data);
}

static void test_the_loops_refuse(void **state)
{
    wick_context *context = *state;
    bench b, other;
    wick_metrics metrics = {.count = 77};
    wick_tensor *logits = NULL, *labels = NULL;
    open_bench(&b, context, false);
    open_bench(&other, context, false);
    wick_module *small, *rows, *big;
    must(context, wick_fashion_mnist_model_v0(context, SIDE * SIDE, 5, CLASSES - 1, &small));
    must(context, wick_linear(context, SIDE, CLASSES, NULL, &rows));
    must(context, wick_fashion_mnist_model_v0(context, 784, 5, CLASSES, &big));
    assert_int_equal(wick_train_step(NULL, b.loader, b.loss, b.optimizer, NULL, &metrics), WICK_EINVAL);
    assert_int_equal(wick_train_step(b.module, NULL, b.loss, b.optimizer, NULL, &metrics), WICK_EINVAL);
    assert_int_equal(wick_train_step(b.module, b.loader, NULL, b.optimizer, NULL, &metrics),
                     WICK_EINVAL);
    assert_int_equal(wick_train_step(b.module, b.loader, b.loss, NULL, NULL, &metrics), WICK_EINVAL);
    expect(context, wick_train_step(b.module, b.loader, b.loss, other.optimizer, NULL, &metrics),
           WICK_EINVAL, "optimizer");
    assert_int_equal(wick_test_step(NULL, b.loader, b.loss, NULL, &metrics), WICK_EINVAL);
    assert_int_equal(wick_test_step(b.module, NULL, b.loss, NULL, &metrics), WICK_EINVAL);
    assert_int_equal(wick_test_step(b.module, b.loader, NULL, NULL, &metrics), WICK_EINVAL);
    expect(context, wick_test_step(small, b.loader, b.loss, NULL, &metrics), WICK_ESHAPE, "3 classes");
    expect(context, wick_test_step(rows, b.loader, b.loss, NULL, &metrics), WICK_ESHAPE, "3 classes");
    expect(context, wick_eval_model(rows, b.loader, b.loss, NULL, &metrics, &logits, &labels),
           WICK_ESHAPE, "3 classes");
    expect(context, wick_test_step(big, b.loader, b.loss, NULL, &metrics), WICK_ESHAPE, "784");
    expect(context, wick_eval_model(big, b.loader, b.loss, NULL, &metrics, &logits, &labels),
           WICK_ESHAPE, "784");
    assert_null(logits);
    assert_null(labels);
    assert_int_equal(metrics.count, 77);
    wick_module_free(small);
    wick_module_free(rows);
    wick_module_free(big);
    close_bench(&other);
    close_bench(&b);
}

static void test_predictions(void **state)
{
    wick_context *context = *state;
    wick_module *module = model(context);
    enum { IMAGES = 70 };
    const int64_t shape[4] = {IMAGES, 1, SIDE, SIDE}, none[4] = {0, 1, SIDE, SIDE};
    wick_tensor *images, *empty, *logits, *wanted, *got = NULL,
                                                   *bytes = tensor(context, WICK_UINT8, 2, 16, NULL);
    must(context, wick_randn(context, NULL, 4, shape, &images));
    must(context, wick_tensor_new(context, WICK_FLOAT32, 4, none, &empty));
    assert_int_equal(wick_make_predictions(NULL, images, &got), WICK_EINVAL);
    assert_int_equal(wick_make_predictions(module, NULL, &got), WICK_EINVAL);
    assert_int_equal(wick_make_predictions(module, images, NULL), WICK_EINVAL);
    assert_int_equal(wick_make_predictions(module, bytes, &got), WICK_EINVAL);
    assert_int_equal(wick_make_predictions(module, empty, &got), WICK_EINVAL);
    assert_null(got);
    must(context, wick_make_predictions(module, images, &got));
    assert_false(wick_module_training(module));
    must(context, wick_module_forward(module, images, &logits));
    must(context, wick_tensor_softmax(logits, &wanted));
    assert_int_equal(wick_tensor_numel(got), IMAGES * CLASSES);
    assert_memory_equal(wick_tensor_data(got), wick_tensor_data(wanted),
                        sizeof(float) * IMAGES * CLASSES);
    wick_tensor *all[] = {images, empty, logits, wanted, got, bytes};
    for (size_t i = 0; i < WKI_COUNT(all); i++)
        wick_tensor_free(all[i]);
    wick_module_free(module);
}

/* eval_model's logits are the model's, in the loader's order, and its figures come from them. */
static void test_evaluation(void **state)
{
    wick_context *context = *state;
    for (int drop_last = 0; drop_last < 2; drop_last++) {
        bench b;
        wick_metrics metrics, again;
        wick_tensor *logits, *labels, *images, *targets, *output;
        open_bench(&b, context, drop_last != 0);
        wick_manual_seed(context, 8);
        must(context, wick_eval_model(b.module, b.loader, b.loss, NULL, &metrics, &logits, &labels));
        assert_false(wick_module_training(b.module));
        wick_manual_seed(context, 8);
        must(context, wick_test_step(b.module, b.loader, b.loss, NULL, &again));
        assert_true(metrics.loss == again.loss && metrics.accuracy == again.accuracy);
        wick_manual_seed(context, 8);
        must(context, wick_loader_begin(b.loader));
        int64_t at = 0, correct = 0, batches = 0;
        float total = 0.0f;
        double accuracy = 0.0;
        for (;; batches++) {
            must(context, wick_loader_next(b.loader, &images, &targets));
            if (images == NULL)
                break;
            must(context, wick_module_forward(b.module, images, &output));
            int64_t rows = wick_tensor_size(images, 0), right = 0;
            float value;
            must(context, wick_loss_forward(b.loss, output, targets, &value));
            total += value;
            assert_memory_equal(wick_tensor_f32(logits) + at * CLASSES, wick_tensor_f32(output),
                                (size_t)rows * CLASSES * sizeof(float));
            assert_memory_equal(wick_tensor_i64(labels) + at, wick_tensor_i64(targets),
                                (size_t)rows * sizeof(int64_t));
            wick_tensor *places;
            must(context, wick_tensor_argmax(output, &places));
            for (int64_t i = 0; i < rows; i++)
                right += wick_tensor_i64(places)[i] == wick_tensor_i64(targets)[i];
            accuracy += wick_accuracy(targets, places);
            correct += right;
            at += rows;
            wick_tensor_free(places);
            wick_tensor_free(output);
            wick_tensor_free(images);
            wick_tensor_free(targets);
        }
        assert_int_equal(at, drop_last ? 20 : 21);
        assert_int_equal(wick_tensor_size(logits, 0), at);
        assert_int_equal(wick_tensor_size(labels, 0), at);
        assert_int_equal(metrics.count, at);
        assert_int_equal(metrics.correct, correct);
        assert_true(metrics.loss == total / (float)batches);
        assert_true(metrics.accuracy == accuracy / (double)batches);
        wick_tensor_free(logits);
        wick_tensor_free(labels);
        close_bench(&b);
    }
}

static void stop_there(void *user, int64_t batch, int64_t batches, float loss)
{
    bench *b = user;
    assert_int_equal(batch, b->calls);
    assert_int_equal(batches, 6);
    assert_true(isfinite(loss));
    if (b->calls++ == b->interrupt_at)
        wick_context_interrupt(b->context);
}

static void test_an_interrupt_ends_the_step_in_hand(void **state)
{
    wick_context *context = *state;
    bench b;
    wick_metrics metrics = {.count = 77};
    open_bench(&b, context, false);
    b.interrupt_at = 2;
    wick_progress progress = {stop_there, &b};
    expect(context, wick_train_step(b.module, b.loader, b.loss, b.optimizer, &progress, &metrics),
           WICK_EINTR, "batch 3 of 6");
    assert_int_equal(b.calls, 3);
    assert_int_equal(metrics.count, 77);
    wick_context_clear_interrupt(context);
    b.calls = 0;
    b.interrupt_at = -1;
    must(context, wick_train_step(b.module, b.loader, b.loss, b.optimizer, &progress, &metrics));
    assert_int_equal(b.calls, 6);
    assert_int_equal(metrics.count, COUNT);
    close_bench(&b);
}

/* Between two batches the caller may use the model for something else, of another shape, and change the
 * threads. */
static void meddle(void *user, int64_t batch, int64_t batches, float loss)
{
    bench *b = user;
    (void)batches;
    (void)loss;
    wick_tensor *output;
    must(b->context, wick_module_forward(b->module, b->wide, &output));
    wick_tensor_free(output);
    must(b->context, wick_context_set_threads(b->context, 1 + (int)batch % 3));
}

static void test_the_model_is_used_between_batches(void **state)
{
    wick_context *context = *state;
    wick_state_dict *dicts[2];
    wick_metrics metrics[2];
    for (int i = 0; i < 2; i++) {
        bench b;
        const int64_t shape[2] = {50, SIDE * SIDE};
        open_bench(&b, context, false);
        must(context, wick_randn(context, NULL, 2, shape, &b.wide));
        wick_progress progress = {meddle, &b};
        wick_manual_seed(context, 5);
        for (int epoch = 0; epoch < 2; epoch++)
            must(context, wick_train_step(b.module, b.loader, b.loss, b.optimizer,
                                          i == 0 ? NULL : &progress, &metrics[i]));
        must(context, wick_module_state_dict(b.module, &dicts[i]));
        close_bench(&b);
    }
    assert_memory_equal(&metrics[0].loss, &metrics[1].loss, sizeof(float));
    for (int64_t p = 0; p < wick_state_dict_count(dicts[0]); p++) {
        wick_tensor *a = wick_state_dict_tensor(dicts[0], p), *b = wick_state_dict_tensor(dicts[1], p);
        assert_memory_equal(wick_tensor_data(a), wick_tensor_data(b),
                            (size_t)wick_tensor_numel(a) * sizeof(float));
    }
    wick_state_dict_free(dicts[0]);
    wick_state_dict_free(dicts[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_context, free_context)
        TEST(test_cross_entropy_values),
        TEST(test_cross_entropy_refuses),
        TEST(test_loss_backward_wants_its_module),
        TEST(test_the_kernels_change),
        TEST(test_sgd_refuses),
        TEST(test_sgd_steps),
        TEST(test_the_loops_refuse),
        TEST(test_predictions),
        TEST(test_evaluation),
        TEST(test_an_interrupt_ends_the_step_in_hand),
        TEST(test_the_model_is_used_between_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
