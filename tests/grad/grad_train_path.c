/* wick_train_step against forward, loss, zero_grad, backward and step called one by one, and against
 * itself with other numbers of threads: every loss and every weight has the same bits. */
#include "reference.h"

#include "cpu/kernels.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../unit/context_fixture.h"

enum { COUNT = 230, SIDE = 8, CLASSES = 5, MOST_BATCHES = 50, EPOCHS = 2 };

static wick_dataset *make_images(wick_context *context, int channels, int height, int width)
{
    static const char *const names[CLASSES] = {"a", "b", "c", "d", "e"};
    const int size = channels * height * width;
    uint8_t *pixels = calloc(COUNT, (size_t)size);
    int64_t labels[COUNT];
    wick_dataset *data;
    assert_non_null(pixels);
    for (int i = 0; i < COUNT; i++) {
        labels[i] = ref_int(0, CLASSES - 1);
        for (int p = 0; p < size; p++)
            pixels[i * size + p] = (uint8_t)(ref_random() % (uint64_t)(100 + 30 * labels[i]));
    }
    must(context, wick_dataset_from(context, COUNT, channels, height, width, pixels, labels, CLASSES,
                                    names, &data));
    free(pixels);
    return data;
}

static wick_dataset *make_data(wick_context *context)
{
    return make_images(context, 1, SIDE, SIDE);
}

/* A training: its losses, the weights at its end, and the gradients of its last step. */
typedef struct training {
    float losses[EPOCHS * MOST_BATCHES];
    int count;
    wick_metrics metrics;
    wick_state_dict *weights, *gradients;
} training;

static void free_training(training *t)
{
    wick_state_dict_free(t->weights);
    wick_state_dict_free(t->gradients);
}

/* What all trainings of a comparison share. */
typedef struct setting {
    wick_context *context;
    const wick_dataset *data;
    const char *name;
    int64_t batch_size;
    wick_train_options how;
} setting;

typedef struct parts {
    wick_module *module;
    wick_loader *loader;
    wick_loss *loss;
    wick_optimizer *optimizer;
} parts;

static void open_parts(const setting *s, parts *p)
{
    const int64_t *size = wick_dataset_image_shape(s->data);
    const int64_t image[3] = {size[0], size[1], size[2]};
    wick_manual_seed(s->context, 42);
    must(s->context, wick_model_by_name(s->context, s->name, image, 4, CLASSES, &p->module));
    const wick_loader_options options = {.batch_size = s->batch_size, .shuffle = true};
    must(s->context, wick_loader_new(s->data, &options, &p->loader));
    must(s->context, wick_train_options_loss(&s->how, s->context, CLASSES, &p->loss));
    must(s->context, wick_train_options_optimizer(&s->how, p->module,
                                                  s->how.optimizer == NULL ? 0.1 : 0.01, &p->optimizer));
    must(s->context,
         wick_train_options_apply(&s->how, p->optimizer, EPOCHS, wick_loader_length(p->loader)));
    wick_manual_seed(s->context, 7);
}

/* The weights, or their average, at the end. */
static void keep_weights(const setting *s, parts *p, training *t)
{
    if (s->how.ema != 0.0)
        must(s->context, wick_optimizer_swap_average(p->optimizer));
    must(s->context, wick_module_state_dict(p->module, &t->weights));
    must(s->context, wick_module_gradients(p->module, &t->gradients));
}

static void close_parts(parts *p)
{
    wick_optimizer_free(p->optimizer);
    wick_loss_free(p->loss);
    wick_loader_free(p->loader);
    wick_module_free(p->module);
}

static void keep_loss(void *user, int64_t batch, int64_t batches, float loss)
{
    training *t = user;
    (void)batch;
    (void)batches;
    assert_true(t->count < EPOCHS * MOST_BATCHES);
    t->losses[t->count++] = loss;
}

static void train_fused(const setting *s, training *t)
{
    parts p;
    *t = (training){.count = 0};
    open_parts(s, &p);
    const wick_progress progress = {keep_loss, t};
    for (int epoch = 0; epoch < EPOCHS; epoch++)
        must(s->context,
             wick_train_step(p.module, p.loader, p.loss, p.optimizer, &progress, &t->metrics));
    keep_weights(s, &p, t);
    close_parts(&p);
}

/* One batch as the chapter's loop has it; false when the epoch is over. */
static bool single_step(const setting *s, parts *p, training *t, int64_t *correct, double *accuracy)
{
    wick_tensor *images, *labels, *output, *places;
    must(s->context, wick_loader_next(p->loader, &images, &labels));
    if (images == NULL)
        return false;
    float *loss = &t->losses[t->count++];
    must(s->context, wick_module_forward(p->module, images, &output));
    must(s->context, wick_loss_forward(p->loss, output, labels, loss));
    must(s->context, wick_tensor_argmax(output, &places));
    wick_optimizer_zero_grad(p->optimizer);
    must(s->context, wick_loss_backward(p->loss, p->module));
    must(s->context, wick_optimizer_step(p->optimizer));
    *accuracy += wick_accuracy(labels, places);
    for (int64_t i = 0; i < wick_tensor_numel(labels); i++)
        *correct += wick_tensor_i64(labels)[i] == wick_tensor_i64(places)[i];
    wick_tensor_free(images);
    wick_tensor_free(labels);
    wick_tensor_free(output);
    wick_tensor_free(places);
    return true;
}

static void train_singly(const setting *s, training *t)
{
    parts p;
    *t = (training){.count = 0};
    open_parts(s, &p);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        int first = t->count;
        float total = 0.0f;
        t->metrics = (wick_metrics){.count = wick_dataset_count(s->data)};
        must(s->context, wick_loader_begin(p.loader));
        while (single_step(s, &p, t, &t->metrics.correct, &t->metrics.accuracy))
            total += t->losses[t->count - 1];
        t->metrics.loss = total / (float)(t->count - first);
        t->metrics.accuracy /= (double)(t->count - first);
    }
    keep_weights(s, &p, t);
    close_parts(&p);
}

static void assert_same_weights(const wick_state_dict *a, const wick_state_dict *b, const char *what)
{
    assert_int_equal(wick_state_dict_count(a), wick_state_dict_count(b));
    for (int64_t i = 0; i < wick_state_dict_count(a); i++) {
        wick_tensor *x = wick_state_dict_tensor(a, i), *y = wick_state_dict_tensor(b, i);
        if (memcmp(wick_tensor_data(x), wick_tensor_data(y),
                   (size_t)wick_tensor_numel(x) * sizeof(float)) != 0)
            fail_msg("%s: %s has other bits", what, wick_state_dict_key(a, i));
    }
}

/* As numbers: what is added to a zeroed gradient is never -0. */
static void assert_same_gradients(const wick_state_dict *a, const wick_state_dict *b, const char *what)
{
    for (int64_t i = 0; i < wick_state_dict_count(a); i++) {
        wick_tensor *x = wick_state_dict_tensor(a, i), *y = wick_state_dict_tensor(b, i);
        for (int64_t k = 0; k < wick_tensor_numel(x); k++)
            if (wick_tensor_f32(x)[k] != wick_tensor_f32(y)[k])
                fail_msg("%s: the last gradient of %s differs", what, wick_state_dict_key(a, i));
    }
}

static void assert_same(const setting *s, const training *a, const training *b, const char *what)
{
    char where[1200];
    snprintf(where, sizeof(where), "%s, batches of %lld, %s", s->name, (long long)s->batch_size, what);
    assert_int_equal(a->count, b->count);
    for (int i = 0; i < a->count; i++)
        if (memcmp(&a->losses[i], &b->losses[i], sizeof(float)) != 0)
            fail_msg("%s: the loss of step %d is %.9g and %.9g", where, i, (double)a->losses[i],
                     (double)b->losses[i]);
    assert_same_weights(a->weights, b->weights, where);
    assert_same_gradients(a->gradients, b->gradients, where);
    assert_true(a->metrics.loss == b->metrics.loss);
    assert_true(a->metrics.accuracy == b->metrics.accuracy);
    assert_int_equal(a->metrics.correct, b->metrics.correct);
    assert_int_equal(a->metrics.count, b->metrics.count);
}

static void check_setting(const setting *s)
{
    static const int threads[] = {1, 2, 3, 4, 5, 8};
    training first, other;
    must(s->context, wick_context_set_threads(s->context, 1));
    train_singly(s, &first);
    for (int i = 0; i < first.count; i++)
        assert_true(first.losses[i] > 0.0f && first.losses[i] < 10.0f);
    for (size_t i = 0; i < WKI_COUNT(threads); i++) {
        char what[32];
        snprintf(what, sizeof(what), "%d threads", threads[i]);
        must(s->context, wick_context_set_threads(s->context, threads[i]));
        train_fused(s, &other);
        assert_same(s, &first, &other, what);
        free_training(&other);
        if (threads[i] > 1) /* else nothing was compared */
            assert_int_equal(wki_team_threads(s->context->team), threads[i]);
        if (s->batch_size > 1 && threads[i] == 8) {
            train_singly(s, &other);
            assert_same(s, &first, &other, what);
            free_training(&other);
        }
    }
    free_training(&first);
}

static void test_the_same_bits(void **state)
{
    wick_context *context = *state;
    static const char *const names[] = {"v0", "v1", "v2"};
    static const int64_t batch_sizes[] = {1, 7, 16, 32, 100, 200};
    wick_dataset *data = make_data(context), *few;
    must(context, wick_dataset_head(data, 25, &few));
    for (size_t n = 0; n < WKI_COUNT(names); n++)
        for (size_t b = 0; b < WKI_COUNT(batch_sizes); b++) {
            const setting s = {context, batch_sizes[b] == 1 ? few : data, names[n], batch_sizes[b], {0}};
            check_setting(&s);
        }
    wick_dataset_free(few);
    wick_dataset_free(data);
}

/* Threads that share a block share a Linear's rows and outputs, and the channels that are turned between rows and lanes, with
 * the mask of a ReLU on either side. */
static void test_shared_blocks(void **state)
{
    static const char *const models[] = {
        "Sequential(Conv2d(1, 8, 3, padding=1), ReLU(), Linear(8, 11), ReLU(), Conv2d(8, 8, 3, "
        "padding=1), "
        "ReLU(), Flatten(), LazyLinear(5))",
        "Sequential(Linear(8, 9), ReLU(), Conv2d(1, 3, 3), ReLU(), Flatten(), LazyLinear(3), ReLU(), "
        "Linear(3, 5))",
    };
    static const int64_t batch_sizes[] = {1, 6, 12, 16};
    wick_context *context = *state;
    wick_dataset *data = make_data(context), *few;
    must(context, wick_dataset_head(data, 48, &few));
    for (size_t m = 0; m < WKI_COUNT(models); m++)
        for (size_t b = 0; b < WKI_COUNT(batch_sizes); b++) {
            const setting s = {context, few, models[m], batch_sizes[b], {0}};
            check_setting(&s);
        }
    wick_dataset_free(few);
    wick_dataset_free(data);
}

/* Each with small and large batches, most of which have blocks that are not full. */
static void check_models(wick_context *context, const char *const *models, size_t count)
{
    static const int64_t batch_sizes[] = {7, 16, 32, 100};
    wick_dataset *data = make_data(context);
    for (size_t m = 0; m < count; m++)
        for (size_t b = 0; b < WKI_COUNT(batch_sizes); b++) {
            const setting s = {context, data, models[m], batch_sizes[b], {0}};
            check_setting(&s);
        }
    wick_dataset_free(data);
}

/* In a step the gradient of what a convolution or a pooling reads takes the place of that, where nobody needs it any more;
 * with forward and backward on their own it does not. Also what rules that out: a row that no window of a pooling reaches,
 * windows that overlap, sums of products that go through memory, a residual's input, which has two names. */
static void test_gradients_in_place(void **state)
{
#define HEAD "Flatten(), LazyLinear(5))"
    static const char *const models[] = {
        "Sequential(Conv2d(1, 8, 3, padding=1), ReLU(), Conv2d(8, 9, 3, padding=1), ReLU(), "
        "MaxPool2d(2), "
        "Conv2d(9, 8, 3, padding=1), MaxPool2d(2), " HEAD,
        "Sequential(Conv2d(1, 8, 2), ReLU(), MaxPool2d(2), Conv2d(8, 8, 3, padding=2), ReLU(), " HEAD,
        "Sequential(Conv2d(1, 8, 3), MaxPool2d(3, 2, 1), Conv2d(8, 12, 3, padding=1), Sigmoid(), " HEAD,
        "Sequential(Conv2d(1, 8, 3), ReLU(), Conv2d(8, 8, 7, padding=3), ReLU(), " HEAD,
        "Sequential(Conv2d(1, 16, 3), BatchNorm2d(16), ReLU(), Conv2d(16, 16, 3, padding=1), "
        "BatchNorm2d(16), ReLU(), MaxPool2d(2), " HEAD,
        "Sequential(Conv2d(1, 8, 3), GroupNorm(2, 8), Conv2d(8, 8, 3, padding=1), Dropout(0.2), "
        "Conv2d(8, 8, 3, padding=1), AvgPool2d(2), Conv2d(8, 8, 3, padding=1), LeakyReLU(), " HEAD,
        "Sequential(Conv2d(1, 8, 3), ReLU(), Residual(Conv2d(8, 8, 3, padding=1), ReLU()), "
        "Conv2d(8, 8, 3, padding=1), Tanh(), Conv2d(8, 8, 3), GELU(), MaxPool2d(2), " HEAD,
    };
#undef HEAD
    check_models(*state, models, WKI_COUNT(models));
}

/* Convolutions that pool as well, and the gradients that are read through that: each way to the weights' gradient, a ReLU
 * before and behind the pooling or none, paddings and kernels that only pool, groups, blocks of few images, statistics of
 * the batch. And what rules it out: a dilation, rows that no window reaches. */
static void test_pooling_convolutions(void **state)
{
#define TAIL "Flatten(), LazyLinear(5))"
    static const char *const models[] = {
        "Sequential(Conv2d(1, 8, 3, padding=7), ReLU(), Conv2d(8, 12, 3, padding=1), ReLU(), "
        "MaxPool2d(2), Conv2d(12, 9, 3, padding=1), ReLU(), MaxPool2d(2), " TAIL,
        "Sequential(Conv2d(1, 16, 3, padding=7), ReLU(), Conv2d(16, 18, 3, padding=1), MaxPool2d(2), "
        "ReLU(), Dropout(0.1), " TAIL,
        "Sequential(Conv2d(1, 16, 3, padding=2), Conv2d(16, 17, 3, padding=1), MaxPool2d(2), " TAIL,
        "Sequential(Conv2d(1, 16, 3, padding=7), ReLU(), Conv2d(16, 16, 3, padding=2), ReLU(), "
        "MaxPool2d(2), Conv2d(16, 16, 3), ReLU(), MaxPool2d(2), " TAIL,
        "Sequential(Conv2d(1, 12, 3, padding=2), ReLU(), Conv2d(12, 13, 5, padding=2), ReLU(), "
        "MaxPool2d(2), " TAIL,
        "Sequential(Conv2d(1, 8, 3, padding=5), Conv2d(8, 9, 3, padding=2, dilation=2), ReLU(), "
        "MaxPool2d(2), " TAIL,
        "Sequential(Conv2d(1, 16, 3, padding=7), ReLU(), Conv2d(16, 24, 3, padding=1, groups=2), "
        "ReLU(), "
        "MaxPool2d(2), " TAIL,
        "Sequential(Conv2d(1, 8, 3, padding=1), BatchNorm2d(8), ReLU(), Conv2d(8, 8, 3, padding=1), "
        "ReLU(), MaxPool2d(2), BatchNorm2d(8), " TAIL,
        "Sequential(Conv2d(1, 8, 3, padding=2), ReLU(), Conv2d(8, 8, 2), ReLU(), Conv2d(8, 8, 3, "
        "padding=1), MaxPool2d(2), " TAIL,
    };
#undef TAIL
    check_models(*state, models, WKI_COUNT(models));
}

/* ---- models that nobody thought of ---- */

typedef struct text {
    char at[1024];
    size_t length;
} text;

/* `%` is a number. */
static void add_text(text *t, const char *format, int number)
{
    for (; *format != '\0'; format++) {
        const size_t room = sizeof(t->at) - t->length;
        const int written = *format == '%' ? snprintf(t->at + t->length, room, "%d", number)
                                           : snprintf(t->at + t->length, room, "%c", *format);
        t->length += (size_t)written;
        assert_true(t->length < sizeof(t->at));
    }
}

#define ADD_ONE_OF(t, number, ...)                                                                      \
    do {                                                                                                \
        static const char *const choices[] = {__VA_ARGS__};                                             \
        add_text(t, choices[ref_int(0, (int)WKI_COUNT(choices) - 1)], number);                          \
    } while (0)

/* Convolutions, and what may come between and behind them. */
static void make_random_model(text *t, int channels)
{
    t->length = 0;
    add_text(t, "Sequential(Conv2d(%, ", channels);
    channels = ref_int(8, 18);
    add_text(t, "%, 3, padding=", channels);
    ADD_ONE_OF(t, channels, "0), ", "1), ReLU(), ", "2), BatchNorm2d(%), ReLU(), ", "3), Tanh(), ");
    for (int layers = ref_int(1, 3); layers > 0; layers--) {
        add_text(t, "Conv2d(%, ", channels);
        channels = 2 * ref_int(4, 10);
        add_text(t, "%, ", channels);
        ADD_ONE_OF(t, 0, "3, padding=1), ", "3, padding=1), ", "3, padding=1, bias=False), ",
                   "3, padding=0), ", "3, padding=2), ", "5, padding=2), ",
                   "3, padding=2, dilation=2), ");
        ADD_ONE_OF(t, 0, "ReLU(), ", "ReLU(), ", "", "Identity(), ", "GELU(), ");
        ADD_ONE_OF(t, 0, "MaxPool2d(2), ", "MaxPool2d(2), ", "MaxPool2d(3, 2), ", "",
                   "Residual(Identity(), MaxPool2d(1)), MaxPool2d(2), ",
                   "Residual(MaxPool2d(2), MaxPool2d(2)), ");
        ADD_ONE_OF(t, channels, "", "ReLU(), ", "Dropout2d(0.2), ", "BatchNorm2d(%), ",
                   "GroupNorm(1, %), ReLU(), ",
                   "Conv2d(%, %, 3, padding=1, groups=2), ReLU(), MaxPool2d(2), ",
                   "Residual(Conv2d(%, %, 3, padding=1), ReLU()), ", "AvgPool2d(2), ");
    }
    add_text(t, "Flatten(), LazyLinear(5))", 0);
}

static void test_random_models(void **state)
{
    enum { MODELS = 40, IMAGES = 96 };
    static const int64_t batch_sizes[] = {8, 16, 24, 32, 48}; /* none is short */
    wick_context *context = *state;
    for (int models = 0; models < MODELS;) {
        const int64_t image[3] = {ref_int(0, 1) == 0 ? 1 : 3, ref_int(4, 27), ref_int(4, 27)};
        text model;
        wick_module *module;
        make_random_model(&model, (int)image[0]);
        if (wick_model_by_name(context, model.at, image, 4, CLASSES, &module) != WICK_OK)
            continue; /* the images are too small for it */
        wick_module_free(module);
        wick_dataset *data = make_images(context, (int)image[0], (int)image[1], (int)image[2]), *few;
        must(context, wick_dataset_head(data, IMAGES, &few));
        const setting s = {
            context, few, model.at, batch_sizes[models % WKI_COUNT(batch_sizes)], {.clip_grad = 0.1}};
        check_setting(&s);
        wick_dataset_free(few);
        wick_dataset_free(data);
        models++;
    }
}

/* A first layer that reads pixels, with its weights updated as their gradients are made, where it may be: images of which
 * vectors are full, and one that are not; more outputs than go at a time; more blocks than parts; and updaters that do more
 * than SGD alone. */
static void test_first_layers_of_pixels(void **state)
{
    static const int64_t images[][3] = {{1, 8, 8}, {1, 4, 12}, {3, 8, 8}, {1, 7, 7}, {1, 4, 4}};
    static const char *const models[] = {
        "Sequential(Flatten(), LazyLinear(23), ReLU(), Linear(23, 5))",
        "Sequential(Flatten(), LazyLinear(5, bias=False))",
        "Sequential(Flatten(), LazyLinear(9), BatchNorm1d(9), ReLU(), Linear(9, 5))",
        "Sequential(Flatten(), LazyLinear(12), ReLU(), Residual(Linear(12, 12)), Dropout(0.3), "
        "Linear(12, 5))",
    };
    static const wick_train_options ways[] = {{0}, {.momentum = 0.9}, {.ema = 0.9}, {.clip_grad = 0.1}};
    static const int64_t batch_sizes[] = {16, 30, 100, 150};
    wick_context *context = *state;
    for (size_t i = 0; i < WKI_COUNT(images); i++) {
        wick_dataset *data =
            make_images(context, (int)images[i][0], (int)images[i][1], (int)images[i][2]);
        for (size_t k = 0; k < WKI_COUNT(ways) * WKI_COUNT(batch_sizes); k++) {
            const setting s = {context, data, models[(i + k) % WKI_COUNT(models)],
                               batch_sizes[k / WKI_COUNT(ways)], ways[k % WKI_COUNT(ways)]};
            check_setting(&s);
        }
        wick_dataset_free(data);
    }
}

static void test_ways_to_train(void **state)
{
    wick_context *context = *state;
    static const wick_train_options ways[] = {
        {.momentum = 0.9, .weight_decay = 1e-3, .nesterov = true},
        {.optimizer = "adam", .label_smoothing = 0.1},
        {.optimizer = "adamw",
         .weight_decay = 0.1,
         .no_decay_bias = true,
         .class_weights = "1,0.5,2,1,0"},
        {.clip_grad = 0.3},
        {.optimizer = "adamw", .clip_grad = 0.1, .ema = 0.9, .warmup = 0.5, .schedule = "cosine"},
        {.momentum = 0.5, .dampening = 0.1, .label_smoothing = 0.2, .class_weights = "1,2,3,4,5"},
    };
    static const int64_t batch_sizes[] = {7, 32, 100};
    wick_dataset *data = make_data(context);
    for (size_t w = 0; w < WKI_COUNT(ways); w++) {
        const setting s = {context, data, w % 2 == 0 ? "v2" : "v1",
                           batch_sizes[w % WKI_COUNT(batch_sizes)], ways[w]};
        check_setting(&s);
    }
    wick_dataset_free(data);
}

/* Each instruction set gives fused and single steps the same bits; those with multiply-adds give one
 * another's. */
static void test_every_instruction_set(void **state)
{
    wick_context *context = *state;
    wick_dataset *data = make_data(context);
    const setting s = {context, data, "v2", 32, {0}};
    training fused, singly, best = {.count = 0};
    must(context, wick_context_set_threads(context, 2));
    for (int i = 0; wki_kernels_runnable(i) != NULL; i++) {
        const char *name = wki_kernels_runnable(i)->name;
        must(context, wick_context_set_cpu(context, name));
        train_fused(&s, &fused);
        train_singly(&s, &singly);
        assert_same(&s, &fused, &singly, name);
        free_training(&singly);
        if (best.weights != NULL && strcmp(name, "x86-64") != 0)
            assert_same(&s, &best, &fused, name);
        if (best.weights == NULL)
            best = fused;
        else
            free_training(&fused);
    }
    free_training(&best);
    wick_dataset_free(data);
}

/* Trained, saved, loaded into a new model and trained on: as if it had been trained on at once. */
static void test_trained_loaded_trained_again(void **state)
{
    wick_context *context = *state;
    wick_dataset *data = make_data(context);
    const setting s = {context, data, "v2", 32, {0}};
    training whole;
    train_fused(&s, &whole);
    parts a, b;
    wick_state_dict *between, *end;
    wick_metrics metrics;
    uint8_t generator[WICK_GENERATOR_STATE_SIZE];
    open_parts(&s, &a);
    must(context, wick_train_step(a.module, a.loader, a.loss, a.optimizer, NULL, &metrics));
    must(context, wick_module_state_dict(a.module, &between));
    wick_generator_get_state(wick_default_generator(context), generator);
    open_parts(&s, &b);
    /* Into a model that was trained already, so that its plan is there. */
    must(context, wick_train_step(b.module, b.loader, b.loss, b.optimizer, NULL, &metrics));
    must(context, wick_test_step(b.module, b.loader, b.loss, NULL, &metrics));
    must(context, wick_module_load_state_dict(b.module, between));
    must(context, wick_generator_set_state(wick_default_generator(context), generator));
    must(context, wick_train_step(b.module, b.loader, b.loss, b.optimizer, NULL, &metrics));
    must(context, wick_module_state_dict(b.module, &end));
    assert_same_weights(end, whole.weights, "trained, loaded, trained again");
    wick_state_dict_free(between);
    wick_state_dict_free(end);
    free_training(&whole);
    close_parts(&a);
    close_parts(&b);
    wick_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_context, free_context)
        TEST(test_the_same_bits),
        TEST(test_shared_blocks),
        TEST(test_gradients_in_place),
        TEST(test_pooling_convolutions),
        TEST(test_random_models),
        TEST(test_first_layers_of_pixels),
        TEST(test_ways_to_train),
        TEST(test_every_instruction_set),
        TEST(test_trained_loaded_trained_again),
    };
    return cmocka_run_group_tests(tests, ref_seed, NULL);
}
