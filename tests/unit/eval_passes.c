/* An evaluation, which may run several batches at once, against forward and loss batch by batch: every logit, every batch's
 * loss and the metrics have the same bits, whatever the batch size and the number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/wick.h>

#include "context_fixture.h"

enum { COUNT = 331, SIDE = 8, CLASSES = 4, MOST_BATCHES = COUNT };

static wick_dataset *make_data(wick_context *context)
{
    static const char *const names[CLASSES] = {"a", "b", "c", "d"};
    uint8_t *pixels = calloc(COUNT, SIDE * SIDE);
    int64_t labels[COUNT];
    wick_dataset *data;
    assert_non_null(pixels);
    srand(1);
    for (int i = 0; i < COUNT * SIDE * SIDE; i++)
        pixels[i] = (uint8_t)(rand() / 7);
    for (int i = 0; i < COUNT; i++)
        labels[i] = rand() / 7 % CLASSES;
    must(context,
         wick_dataset_from(context, COUNT, 1, SIDE, SIDE, pixels, labels, CLASSES, names, &data));
    free(pixels);
    return data;
}

/* Rows, lanes, statistics kept, and statistics of the batch in hand, which may not be that of several. */
static const char *const texts[] = {
    "Sequential(Flatten(), Linear(64, 10), ReLU(), Linear(10, 4))",
    "Sequential(Conv2d(1, 3, 3, padding=1), BatchNorm2d(3), ReLU(), MaxPool2d(2), Flatten(), Linear(48, "
    "4))",
    "Sequential(BatchNorm2d(1, track_running_stats=False), Flatten(), Linear(64, 4))",
};

/* What an evaluation says of its batches. */
typedef struct batch_losses {
    float losses[MOST_BATCHES];
    int64_t count;
} batch_losses;

static void keep_loss(void *user, int64_t batch, int64_t batches, float loss)
{
    batch_losses *kept = user;
    assert_int_equal(batch, kept->count);
    assert_true(batch < batches && batches <= MOST_BATCHES);
    kept->losses[kept->count++] = loss;
}

typedef struct setting {
    wick_context *context;
    wick_module *module;
    wick_loader *loader;
    wick_loss *loss;
} setting;

/* Batch by batch with what does one batch. */
static wick_metrics eval_singly(const setting *s, float *logits, batch_losses *kept)
{
    wick_tensor *images, *labels, *output, *places;
    wick_metrics metrics = {.count = COUNT};
    must(s->context, wick_loader_begin(s->loader));
    wick_module_eval(s->module);
    for (;;) {
        must(s->context, wick_loader_next(s->loader, &images, &labels));
        if (images == NULL)
            break;
        float *loss = &kept->losses[kept->count++];
        must(s->context, wick_module_forward(s->module, images, &output));
        must(s->context, wick_loss_forward(s->loss, output, labels, loss));
        must(s->context, wick_tensor_argmax(output, &places));
        memcpy(logits, wick_tensor_cdata(output), (size_t)wick_tensor_numel(output) * sizeof(float));
        logits += wick_tensor_numel(output);
        metrics.loss += *loss;
        metrics.accuracy += wick_accuracy(labels, places);
        wick_tensor_free(images);
        wick_tensor_free(labels);
        wick_tensor_free(output);
        wick_tensor_free(places);
    }
    metrics.loss /= (float)kept->count;
    metrics.accuracy /= (double)kept->count;
    return metrics;
}

static void compare(const setting *s, const char *text)
{
    static float right[COUNT * CLASSES];
    static batch_losses right_losses, losses;
    wick_tensor *logits, *labels;
    wick_metrics got;
    right_losses.count = losses.count = 0;
    const wick_metrics wanted = eval_singly(s, right, &right_losses);
    must(s->context, wick_eval_model(s->module, s->loader, s->loss, &(wick_progress){keep_loss, &losses},
                                     &got, &logits, &labels));
    const wick_dataset *data = wick_loader_dataset(s->loader);
    if (memcmp(wick_tensor_cdata(logits), right, sizeof(right)) != 0)
        fail_msg("%s: other logits with %d threads", text, wick_context_threads(s->context));
    assert_memory_equal(wick_tensor_i64(labels), wick_dataset_labels(data), COUNT * sizeof(int64_t));
    assert_int_equal(losses.count, right_losses.count);
    assert_memory_equal(losses.losses, right_losses.losses, (size_t)losses.count * sizeof(float));
    assert_memory_equal(&got.loss, &wanted.loss, sizeof(float));
    assert_memory_equal(&got.accuracy, &wanted.accuracy, sizeof(double));
    assert_int_equal(got.count, COUNT);
    wick_tensor_free(logits);
    wick_tensor_free(labels);
}

static void test_as_batch_by_batch(void **state)
{
    static const int64_t batch_sizes[] = {1, 16, 20, 32, 48, 400};
    setting s = {.context = *state};
    wick_dataset *data = make_data(s.context);
    must(s.context, wick_cross_entropy_loss(s.context, &s.loss));
    for (size_t t = 0; t < sizeof(texts) / sizeof(*texts); t++) {
        wick_manual_seed(s.context, 42);
        must(s.context, wick_model_parse(s.context, texts[t], NULL, &s.module));
        for (size_t b = 0; b < sizeof(batch_sizes) / sizeof(*batch_sizes); b++) {
            const wick_loader_options options = {.batch_size = batch_sizes[b]};
            must(s.context, wick_loader_new(data, &options, &s.loader));
            for (int threads = 1; threads <= 5; threads += 2) {
                must(s.context, wick_context_set_threads(s.context, threads));
                compare(&s, texts[t]);
            }
            wick_loader_free(s.loader);
        }
        wick_module_free(s.module);
    }
    wick_loss_free(s.loss);
    wick_dataset_free(data);
}

/* A progress that puts the model in training mode: its statistics are the batch's from the next run on. */
static void start_training(void *user, int64_t batch, int64_t batches, float loss)
{
    (void)batches;
    (void)loss;
    if (batch == 4)
        wick_module_train(user);
}

static void test_the_mode_changes(void **state)
{
    setting s = {.context = *state};
    wick_metrics metrics;
    wick_dataset *data = make_data(s.context);
    must(s.context, wick_context_set_threads(s.context, 2));
    must(s.context, wick_cross_entropy_loss(s.context, &s.loss));
    must(s.context,
         wick_model_parse(s.context,
                          "Sequential(BatchNorm2d(1), Flatten(), Linear(64, 1000), Linear(1000, 4))",
                          NULL, &s.module));
    must(s.context, wick_loader_new(data, &(wick_loader_options){.batch_size = 16}, &s.loader));
    must(s.context, wick_eval_model(s.module, s.loader, s.loss,
                                    &(wick_progress){start_training, s.module}, &metrics, NULL, NULL));
    assert_int_equal(metrics.count, COUNT);
    wick_loader_free(s.loader);
    wick_module_free(s.module);
    wick_loss_free(s.loss);
    wick_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_as_batch_by_batch, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_the_mode_changes, make_context, free_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
