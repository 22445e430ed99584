/* A model's speed: its kernels, its training, its inference. */
#include "bench/bench_internal.h"
#include "plan/plan_internal.h"
#include "tensor/tensor_internal.h"

#include <stdlib.h>
#include <string.h>
#include <wick/train.h>

/* Random images take at most so much. */
#define DATA_BYTES (INT64_C(64) << 20)
enum { SMALL_BATCH = 1, LARGE_BATCH = 256 };

/* Shares of the time. */
#define KERNELS_SHARE 0.4
#define WORK_SHARE    (0.6 / WICK_WORK_COUNT)

/* Everything that is trained and inferred with. */
typedef struct bench_setting {
    wki_bench bench;
    wick_module *module;
    int64_t shape[4]; /* of a training batch */
    wick_state_dict *before;
    wick_generator *generator;
    wick_dataset *dataset;
    wick_loader *loader;
    wick_loss *loss;
    wick_optimizer *optimizer;
    wick_pass pass;
} bench_setting;

/* ---- random images ---- */

static wick_status check_output(const bench_setting *s, int64_t *classes)
{
    int ndim;
    int64_t shape[WICK_MAX_DIMS];
    char text[WKI_SHAPE_TEXT];
    WKI_TRY(wick_module_output_shape(s->module, 4, s->shape, &ndim, shape));
    if (ndim != 2)
        return wki_fail(s->bench.context, WICK_ESHAPE,
                        "the model gives %s; it must give [count, classes]",
                        wki_shape_text(ndim, shape, text));
    *classes = shape[1];
    return WICK_OK;
}

static wick_status fill_dataset(bench_setting *s, int64_t count, int64_t classes, uint8_t *pixels,
                                int64_t *labels, const char **names)
{
    wick_generator *generator = s->generator;
    const int64_t *image = s->shape + 1;
    int64_t bytes = count * image[0] * image[1] * image[2];
    for (int64_t i = 0; i < bytes; i += (int64_t)sizeof(uint32_t)) {
        uint32_t bits = wick_generator_random(generator);
        memcpy(pixels + i, &bits, (size_t)WKI_MIN((int64_t)sizeof(bits), bytes - i));
    }
    for (int64_t i = 0; i < count; i++)
        labels[i] = wick_generator_random(generator) % classes;
    for (int64_t i = 0; i < classes; i++)
        names[i] = "?";
    return wick_dataset_from(s->bench.context, count, image[0], image[1], image[2], pixels, labels,
                             classes, names, &s->dataset);
}

static wick_status make_dataset(bench_setting *s)
{
    int64_t classes, bytes;
    WKI_TRY(check_output(s, &classes));
    if (!wki_mul_i64(s->shape[1], s->shape[2], &bytes) || !wki_mul_i64(bytes, s->shape[3], &bytes) ||
        bytes > DATA_BYTES || s->shape[0] > DATA_BYTES / bytes)
        return wki_fail(s->bench.context, WICK_ELIMIT,
                        "a batch of more than %lld bytes of pixels is too large", (long long)DATA_BYTES);
    int64_t count = WKI_MAX(s->shape[0], WKI_MIN(s->bench.options.images, DATA_BYTES / bytes));
    void *pixels = NULL, *labels = NULL, *names = NULL;
    wick_status status;
    WKI_GOTO_OUT(wki_alloc(s->bench.context, (size_t)count, (size_t)bytes, "random images", &pixels));
    WKI_GOTO_OUT(wki_alloc(s->bench.context, (size_t)count, sizeof(int64_t), "random labels", &labels));
    WKI_GOTO_OUT(wki_alloc(s->bench.context, (size_t)classes, sizeof(char *), "classes", &names));
    status = fill_dataset(s, count, classes, pixels, labels, names);
out:
    free(pixels);
    free(labels);
    free(names);
    return status;
}

/* ---- training and inference ---- */

static wick_status setting_open(bench_setting *s)
{
    wick_context *context = s->bench.context;
    WKI_TRY(wick_module_state_dict(s->module, &s->before));
    WKI_TRY(wick_generator_new(context, &s->generator));
    WKI_TRY(make_dataset(s));
    wick_loader_options options = {
        .batch_size = s->shape[0], .shuffle = true, .generator = s->generator};
    WKI_TRY(wick_loader_new(s->dataset, &options, &s->loader));
    WKI_TRY(wick_cross_entropy_loss(context, &s->loss));
    return wick_sgd(s->module, NULL, &s->optimizer);
}

static void setting_release(bench_setting *s)
{
    wick_optimizer_free(s->optimizer);
    wick_loss_free(s->loss);
    wick_loader_free(s->loader);
    wick_dataset_free(s->dataset);
    wick_generator_free(s->generator);
    wick_state_dict_free(s->before);
}

static wick_status train(void *argument, int64_t count)
{
    bench_setting *s = argument;
    while (count > 0) {
        int64_t length = wick_loader_length(s->loader);
        if (s->pass.batches == length)
            s->pass = (wick_pass){0};
        int64_t most = WKI_MIN(count, length - s->pass.batches);
        WKI_TRY(wick_train_part(s->module, s->loader, s->loss, s->optimizer, NULL, most, &s->pass));
        count -= most;
    }
    return WICK_OK;
}

typedef struct inference {
    wick_module *module;
    const wick_tensor *images;
} inference;

static wick_status infer(void *argument, int64_t count)
{
    const inference *work = argument;
    for (int64_t i = 0; i < count; i++) {
        wick_tensor *output;
        WKI_TRY(wick_module_forward(work->module, work->images, &output));
        wick_tensor_free(output);
    }
    return WICK_OK;
}

static wick_status time_inference(bench_setting *s, double seconds, const int64_t shape[4],
                                  wick_work_speed *out)
{
    wick_tensor *images;
    WKI_TRY(wick_rand(s->bench.context, s->generator, 4, shape, &images));
    inference work = {s->module, images};
    wick_module_eval(s->module);
    wick_status status = wki_bench_time(&s->bench, seconds, infer, &work, &out->seconds);
    wick_tensor_free(images);
    return status;
}

/* The layers' multiply-adds for a batch; for training also those of the gradients, of which the input
 * has none. */
static wick_status count_work(const bench_setting *s, wick_work_speed *out)
{
    const int64_t shape[4] = {out->batch, s->shape[1], s->shape[2], s->shape[3]};
    wick_layer_summary *layers;
    int64_t count;
    bool first = true;
    WKI_TRY(wick_module_summary(s->module, 4, shape, &layers, &count));
    for (int64_t i = 0; i < count; i++) {
        int64_t passes = !out->training ? 1 : first ? 2 : 3;
        out->multiply_adds += passes * layers[i].multiply_adds;
        first = first && layers[i].parameters == 0;
    }
    wick_free(layers);
    return WICK_OK;
}

static wick_status time_work(bench_setting *s, int threads, wick_work_speed *out)
{
    char what[64];
    wki_plan *plan;
    const int64_t shape[4] = {out->batch, s->shape[1], s->shape[2], s->shape[3]};
    WKI_TRY(wick_context_set_threads(s->bench.context, threads));
    WKI_TRY(count_work(s, out));
    snprintf(what, sizeof(what), "%s, batch %lld, %d thread%s", out->training ? "training" : "inference",
             (long long)out->batch, threads, threads == 1 ? "" : "s");
    double seconds = wki_bench_begin(&s->bench, what, WORK_SHARE);
    if (out->training)
        WKI_TRY(wki_bench_time(&s->bench, seconds, train, s, &out->seconds));
    else
        WKI_TRY(time_inference(s, seconds, shape, out));
    WKI_TRY(wki_module_plan(s->module, 4, shape, &plan));
    out->threads = threads;
    out->used = wki_bench_threads(plan, out->batch, out->training, &out->tried_out);
    return WICK_OK;
}

static wick_status time_all_work(bench_setting *s, wick_work_speed work[WICK_WORK_COUNT])
{
    const int64_t batches[WICK_WORK_COUNT / 2] = {s->shape[0], SMALL_BATCH, LARGE_BATCH};
    int all = wick_context_threads(s->bench.context);
    wick_status status = WICK_OK;
    for (int i = 0; i < WICK_WORK_COUNT && status == WICK_OK; i++) {
        work[i] = (wick_work_speed){.training = i < 2, .batch = batches[i / 2]};
        status = time_work(s, i % 2 == 0 ? 1 : all, &work[i]);
    }
    wick_status restored = wick_context_set_threads(s->bench.context, all);
    return status != WICK_OK ? status : restored;
}

/* ---- kernels ---- */

static wick_status time_kernels(bench_setting *s, wick_kernel_speed **kernels, int64_t *count)
{
    int64_t images = s->shape[0], bytes = s->shape[1] * s->shape[2] * s->shape[3];
    void *memory;
    WKI_TRY(wki_alloc(s->bench.context, (size_t)images, sizeof(uint8_t *), "a batch", &memory));
    const uint8_t **pixels = memory;
    for (int64_t i = 0; i < images; i++)
        pixels[i] = wick_dataset_pixels(s->dataset) + i * bytes;
    wki_batch batch = {.pixels = pixels, .count = images};
    double seconds = wki_bench_begin(&s->bench, "kernels", KERNELS_SHARE);
    wick_status status = wki_bench_ops(&s->bench, seconds, s->module, s->shape, &batch, kernels, count);
    free(memory);
    return status;
}

/* In one piece, so that it is freed as one. */
static wick_status make_result(const bench_setting *s, const wick_work_speed *work,
                               const wick_kernel_speed *kernels, int64_t count, wick_model_speed **out)
{
    void *memory;
    size_t lines = (size_t)count * sizeof(*kernels);
    WKI_TRY(
        wki_alloc(s->bench.context, 1, sizeof(wick_model_speed) + lines, "a model's speed", &memory));
    wick_model_speed *speed = memory;
    wick_kernel_speed *copy = (wick_kernel_speed *)(speed + 1);
    memcpy(speed->work, work, sizeof(speed->work));
    memcpy(copy, kernels, lines);
    speed->kernel_count = count;
    speed->kernels = copy;
    *out = speed;
    return WICK_OK;
}

static wick_status check_arguments(wick_module *module, const int64_t *shape, wick_model_speed **out)
{
    if (shape == NULL || out == NULL)
        return wki_fail(module->context, WICK_EINVAL,
                        "the shape or the place for the model's speed is NULL");
    for (int i = 0; i < 4; i++)
        if (shape[i] < 1)
            return wki_fail(module->context, WICK_EINVAL,
                            "size %d of the shape is %lld; it must be 1 or more", i,
                            (long long)shape[i]);
    return WICK_OK;
}

wick_status wick_bench_model(wick_module *module, const int64_t shape[4],
                             const wick_bench_options *options, wick_model_speed **out)
{
    if (module == NULL)
        return WICK_EINVAL;
    WKI_TRY(check_arguments(module, shape, out));
    bench_setting s = {.module = module};
    wick_work_speed work[WICK_WORK_COUNT];
    wick_kernel_speed *kernels = NULL;
    int64_t count;
    bool training = module->training;
    memcpy(s.shape, shape, sizeof(s.shape));
    WKI_TRY(wki_bench_open(module->context, options, &s.bench));
    wick_status status;
    WKI_GOTO_OUT(setting_open(&s));
    WKI_GOTO_OUT(time_kernels(&s, &kernels, &count));
    WKI_GOTO_OUT(time_all_work(&s, work));
    WKI_GOTO_OUT(wick_module_load_state_dict(module, s.before));
    status = make_result(&s, work, kernels, count, out);
out:
    if (status != WICK_OK && s.before != NULL)
        (void)wick_module_load_state_dict(module, s.before);
    module->training = training;
    free(kernels);
    setting_release(&s);
    return status;
}
