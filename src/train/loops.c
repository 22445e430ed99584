/* The chapter's loops: train_step, test_step, eval_model, make_predictions. */
#include "data/data_internal.h"
#include "optim/optimizer.h"
#include "plan/plan.h"
#include "tensor/tensor_internal.h"
#include "train/loss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PREDICT_BATCH = 32 };

double wick_timer(void)
{
    return wki_seconds();
}

/* A pass over a loader, under way. */
typedef struct open_pass {
    wick_context *context;
    wick_loader *loader;
    const wick_dataset *dataset;
    wick_module *model;
    int64_t shape[4]; /* of the batch in hand */
    wki_plan *plan;
    const wick_loss *loss;
    wick_optimizer *optimizer; /* NULL: evaluation */
    const wick_progress *progress;
    wick_pass *at; /* how far it has come */
    int64_t image_bytes, classes;
    int64_t most_at_once; /* batches in a run of the plan: 1 in training */

    wki_fetcher fetcher; /* of a loader whose images have to be fetched */
    bool fetches;

    const uint8_t **pixels; /* of the batches in hand; these five in one allocation */
    const uint8_t **ahead;  /* of the batch after them */
    int64_t *targets;
    int64_t *predictions;
    float *losses;
    int64_t ahead_count;
} open_pass;

static wick_status check_model(const open_pass *p)
{
    const int64_t *shape;
    int ndim = wki_plan_output_shape(p->plan, &shape);
    int64_t classes = wick_dataset_class_count(p->dataset);
    if (ndim == 1 && shape[0] >= classes)
        return wki_loss_check_classes(p->loss, shape[0]);
    int64_t whole[WICK_MAX_DIMS];
    memcpy(whole, shape, (size_t)ndim * sizeof(*shape));
    char text[WKI_SHAPE_TEXT];
    return wki_fail(p->context, WICK_ESHAPE, "the model gives %s for an image; %lld classes want [%lld]",
                    wki_shape_text(ndim, whole, text), (long long)classes, (long long)classes);
}

/* The loader's shortest batch must be long enough to be trained on. */
static wick_status check_last_batch(const open_pass *p)
{
    int64_t count = wick_dataset_count(p->dataset), batch = wick_loader_batch_size(p->loader);
    int64_t last = count - (wick_loader_length(p->loader) - 1) * batch;
    if (p->optimizer == NULL || wick_loader_length(p->loader) < 1)
        return WICK_OK;
    return wki_plan_check_batch(p->plan, WKI_MIN(last, batch));
}

static wick_status pass_open(open_pass *p)
{
    const int64_t *image = wick_dataset_image_shape(p->dataset);
    int64_t batch =
        WKI_MIN(wick_loader_batch_size(p->loader), WKI_MAX(1, wick_dataset_count(p->dataset)));
    p->shape[0] = batch;
    memcpy(p->shape + 1, image, 3 * sizeof(*image));
    p->image_bytes = image[0] * image[1] * image[2];
    WKI_TRY(wki_module_plan(p->model, 4, p->shape, &p->plan));
    WKI_TRY(check_model(p));
    WKI_TRY(check_last_batch(p));
    p->classes = wki_plan_output_numel(p->plan);
    p->fetches = wki_loader_fetches(p->loader);
    if (p->optimizer == NULL && !p->fetches)
        p->most_at_once =
            WKI_MIN(wki_plan_batches_at_once(p->plan, batch), wick_loader_length(p->loader));
    p->most_at_once = WKI_MAX(1, p->most_at_once);
    void *memory;
    size_t rows = ((size_t)(batch * p->most_at_once) + WKI_LANES - 1) / WKI_LANES * WKI_LANES;
    WKI_TRY(wki_alloc(p->context, rows, 2 * sizeof(int64_t) + 2 * sizeof(*p->pixels) + sizeof(float),
                      "a batch", &memory));
    p->pixels = memory;
    p->ahead = p->pixels + rows;
    p->targets = (int64_t *)(p->ahead + rows);
    p->predictions = p->targets + rows;
    p->losses = (float *)(p->predictions + rows);
    p->fetcher.loader = p->loader;
    if (wki_loader_spare_bytes(p->loader) > 0) {
        WKI_TRY(
            wki_alloc(p->context, (size_t)batch, wki_loader_spare_bytes(p->loader), "a batch", &memory));
        p->fetcher.spare = memory;
    }
    return p->at->batches == 0 ? wick_loader_begin(p->loader) : WICK_OK;
}

/* Gathers the next batch behind the `at` examples that are in hand; count is 0 at the end. */
static wick_status pass_gather(open_pass *p, int64_t at, int64_t *count)
{
    const int64_t *indices;
    WKI_TRY(wick_loader_next_indices(p->loader, &indices, count));
    const uint8_t *pixels = p->fetches ? NULL : wick_dataset_pixels(p->dataset);
    const int64_t *labels = wick_dataset_labels(p->dataset);
    for (int64_t i = 0; i < *count; i++) {
        p->pixels[at + i] = p->fetches ? NULL : pixels + indices[i] * p->image_bytes;
        p->targets[at + i] = labels[indices[i]];
    }
    /* Several batches at once are asked for block by block: see pass_gather_run(). */
    const bool asks = !p->fetches && p->most_at_once == 1;
    p->ahead_count = asks ? WKI_MIN(*count, wki_loader_examples_ahead(p->loader)) : 0;
    for (int64_t i = 0; i < p->ahead_count; i++)
        p->ahead[i] = pixels + indices[*count + i] * p->image_bytes;
    p->fetcher.indices = indices;
    return WICK_OK;
}

/* Gathers the batches of a run; its count is 0 at the end. How many, the plan is asked each time: the progress may have changed
 * the module's mode. */
static wick_status pass_gather_run(open_pass *p, wki_batch *run)
{
    const int64_t now = p->most_at_once == 1 ? 1 : wki_plan_batches_at_once(p->plan, p->shape[0]);
    const int64_t batches = WKI_MIN(p->most_at_once, now);
    int64_t total = 0, count = 1;
    for (int64_t i = 0; i < batches && count > 0; i++, total += count)
        WKI_TRY(pass_gather(p, total, &count));
    *run = (wki_batch){.pixels = p->pixels,
                       .ahead = p->ahead,
                       .ahead_count = p->ahead_count,
                       .mean = wki_loader_mean(p->loader),
                       .std = wki_loader_std(p->loader),
                       .targets = p->targets,
                       .count = total,
                       .class_weights = p->loss->weights,
                       .smoothing = p->loss->smoothing,
                       .scale = total == 0 ? 0.0f : wki_loss_scale(p->loss, p->targets, total)};
    if (batches > 1) { /* a thread goes from a block to the next */
        run->ahead = p->pixels + WKI_LANES;
        run->ahead_count = WKI_MAX(0, total - WKI_LANES);
    }
    if (p->fetches) {
        run->fetch = wki_fetch;
        run->user = &p->fetcher;
    }
    return WICK_OK;
}

/* Runs the batches in hand. */
static wick_status pass_step(open_pass *p, const wki_batch *run, float *logits)
{
    wki_updater updater = {0};
    if (p->optimizer != NULL) {
        wki_optimizer_begin_step(p->optimizer);
        updater = wki_optimizer_updater(p->optimizer);
    }
    wki_plan_step(p->plan, run, p->optimizer != NULL ? &updater : NULL, p->losses, p->predictions,
                  logits == NULL ? NULL : logits + p->at->count * p->classes);
    if (p->fetches)
        WKI_TRY(wki_fetch_check(&p->fetcher));
    if (p->optimizer != NULL)
        wki_optimizer_end_step(p->optimizer);
    return WICK_OK;
}

/* Adds a batch, examples first .. first + count of those in hand, to what the pass has come to. The sums are the
 * chapter's: the loss in float32, batch by batch, the accuracy in double. */
static wick_status pass_count(open_pass *p, int64_t first, int64_t count, int64_t *labels)
{
    wick_pass *at = p->at;
    const int64_t *targets = p->targets + first, *predictions = p->predictions + first;
    int64_t correct = 0;
    for (int64_t i = 0; i < count; i++)
        correct += predictions[i] == targets[i];
    if (labels != NULL)
        memcpy(labels + at->count, targets, (size_t)count * sizeof(*labels));
    float loss = wki_loss_mean(p->loss, p->losses + first, targets, count);
    at->loss += loss;
    at->accuracy += (double)correct / (double)count * 100.0;
    at->correct += correct;
    at->count += count;
    at->batches++;
    if (p->progress != NULL && p->progress->batch != NULL)
        p->progress->batch(p->progress->user, at->batches - 1, wick_loader_length(p->loader), loss);
    if (p->optimizer != NULL && !isfinite(loss))
        return wki_fail(p->context, WICK_EDIVERGED,
                        "the loss of batch %lld of %lld is %s: the training has diverged",
                        (long long)at->batches, (long long)wick_loader_length(p->loader),
                        isnan(loss) ? "nan" : "inf");
    if (wick_context_interrupted(p->context))
        return wki_fail(p->context, WICK_EINTR, "interrupted after batch %lld of %lld",
                        (long long)at->batches, (long long)wick_loader_length(p->loader));
    return WICK_OK;
}

/* After the last batch the loader is asked once more, as Python's loop does: it may draw numbers
 * then. */
static bool part_is_over(const open_pass *p, int64_t done, int64_t most)
{
    return most != 0 && done >= most && p->at->batches < wick_loader_length(p->loader);
}

/* At most `most` batches, in training; 0: all. There nothing fails between a batch's leaving the loader and its being
 * counted. */
static wick_status pass_run(open_pass *p, int64_t most, float *logits, int64_t *labels)
{
    wki_batch run;
    for (int64_t done = 0; !part_is_over(p, done, most); done++) {
        /* Again for every run: the progress may have run the model on something else. */
        WKI_TRY(wki_module_plan(p->model, 4, p->shape, &p->plan));
        WKI_TRY(pass_gather_run(p, &run));
        if (run.count == 0)
            break;
        WKI_TRY(pass_step(p, &run, logits));
        for (int64_t i = 0; i < run.count; i += p->shape[0])
            WKI_TRY(pass_count(p, i, WKI_MIN(p->shape[0], run.count - i), labels));
    }
    return WICK_OK;
}

static wick_status run_pass(wick_module *model, wick_loader *loader, const wick_loss *loss,
                            wick_optimizer *optimizer, const wick_progress *progress, int64_t most,
                            wick_pass *at, float *logits, int64_t *labels)
{
    double start = wki_seconds();
    open_pass p = {.context = wki_loader_context(loader),
                   .loader = loader,
                   .dataset = wick_loader_dataset(loader),
                   .model = model,
                   .loss = loss,
                   .optimizer = optimizer,
                   .progress = progress,
                   .at = at};
    wick_status status = pass_open(&p);
    if (status == WICK_OK)
        status = pass_run(&p, most, logits, labels);
    at->seconds += wki_seconds() - start;
    free(p.pixels);
    free(p.fetcher.spare);
    return status;
}

wick_metrics wick_pass_metrics(const wick_pass *pass)
{
    wick_metrics metrics = {.correct = pass->correct, .count = pass->count, .seconds = pass->seconds};
    if (pass->batches > 0) {
        metrics.loss = pass->loss / (float)pass->batches;
        metrics.accuracy = pass->accuracy / (double)pass->batches;
    }
    return metrics;
}

wick_status wick_train_part(wick_module *model, wick_loader *loader, wick_loss *loss_fn,
                            wick_optimizer *optimizer, const wick_progress *progress, int64_t batches,
                            wick_pass *pass)
{
    if (model == NULL || loader == NULL)
        return WICK_EINVAL;
    wick_context *context = wki_loader_context(loader);
    if (optimizer == NULL || loss_fn == NULL || optimizer->module != model)
        return wki_fail(context, WICK_EINVAL,
                        "train_step needs a loss and an optimizer that was made for this model");
    if (pass == NULL || batches < 0)
        return wki_fail(context, WICK_EINVAL, "the pass is NULL, or fewer than 0 batches are asked for");
    if (pass->batches != 0 && pass->batches != wki_loader_batches_given(loader))
        return wki_fail(context, WICK_EINVAL, "the pass is at batch %lld, and the loader at batch %lld",
                        (long long)pass->batches, (long long)wki_loader_batches_given(loader));
    WKI_TRY(wki_optimizer_check_weights(optimizer));
    wick_module_train(model);
    return run_pass(model, loader, loss_fn, optimizer, progress, batches, pass, NULL, NULL);
}

wick_status wick_train_step(wick_module *model, wick_loader *loader, wick_loss *loss_fn,
                            wick_optimizer *optimizer, const wick_progress *progress, wick_metrics *out)
{
    wick_pass at = {0};
    WKI_TRY(wick_train_part(model, loader, loss_fn, optimizer, progress, 0, &at));
    if (out != NULL)
        *out = wick_pass_metrics(&at);
    return WICK_OK;
}

wick_status wick_test_step(wick_module *model, wick_loader *loader, wick_loss *loss_fn,
                           const wick_progress *progress, wick_metrics *out)
{
    return wick_eval_model(model, loader, loss_fn, progress, out, NULL, NULL);
}

wick_status wick_eval_model(wick_module *model, wick_loader *loader, wick_loss *loss_fn,
                            const wick_progress *progress, wick_metrics *out, wick_tensor **logits,
                            wick_tensor **labels)
{
    if (model == NULL || loader == NULL)
        return WICK_EINVAL;
    wick_context *context = wki_loader_context(loader);
    wick_status status = WICK_OK;
    wick_tensor *all_logits = NULL, *all_labels = NULL;
    wick_pass at = {0};
    if (loss_fn == NULL)
        return wki_fail(context, WICK_EINVAL, "an evaluation needs a loss");
    wick_module_eval(model);
    const int64_t *image = wick_dataset_image_shape(wick_loader_dataset(loader));
    int64_t count = WKI_MIN(wick_dataset_count(wick_loader_dataset(loader)),
                            wick_loader_length(loader) * wick_loader_batch_size(loader));
    int64_t shape[WICK_MAX_DIMS] = {WKI_MAX(1, count), image[0], image[1], image[2]};
    if (logits != NULL) {
        int ndim;
        WKI_GOTO_OUT(wick_module_output_shape(model, 4, shape, &ndim, shape));
        shape[0] = count;
        WKI_GOTO_OUT(wick_tensor_new(context, WICK_FLOAT32, ndim, shape, &all_logits));
    }
    if (labels != NULL)
        WKI_GOTO_OUT(wick_tensor_new(context, WICK_INT64, 1, &count, &all_labels));
    WKI_GOTO_OUT(run_pass(model, loader, loss_fn, NULL, progress, 0, &at,
                          all_logits == NULL ? NULL : all_logits->data,
                          all_labels == NULL ? NULL : all_labels->data));
    if (out != NULL)
        *out = wick_pass_metrics(&at);
    if (logits != NULL)
        *logits = all_logits;
    if (labels != NULL)
        *labels = all_labels;
    return WICK_OK;
out:
    wick_tensor_free(all_logits);
    wick_tensor_free(all_labels);
    return status;
}

static wick_status predict_rows(wick_module *model, const wick_tensor *images, int ndim,
                                const int64_t *shape, wick_tensor **logits)
{
    wki_plan *plan;
    int64_t in_shape[WICK_MAX_DIMS], count = images->shape[0], numel = 1;
    memcpy(in_shape, images->shape, sizeof(in_shape));
    WKI_TRY(wick_tensor_new(images->context, WICK_FLOAT32, ndim, shape, logits));
    for (int i = 1; i < ndim; i++)
        numel *= shape[i];
    for (int64_t done = 0; done < count; done += in_shape[0]) {
        in_shape[0] = WKI_MIN(PREDICT_BATCH, count - done);
        WKI_TRY(wki_module_plan(model, images->ndim, in_shape, &plan));
        wki_batch batch = {.images = (const float *)images->data + done * (images->numel / count),
                           .count = in_shape[0]};
        wki_plan_forward(plan, &batch, (float *)(*logits)->data + done * numel);
    }
    return WICK_OK;
}

wick_status wick_make_predictions(wick_module *model, const wick_tensor *images,
                                  wick_tensor **probabilities)
{
    if (model == NULL)
        return WICK_EINVAL;
    if (probabilities == NULL)
        return wki_fail(model->context, WICK_EINVAL, "the place for the probabilities is NULL");
    if (images == NULL || images->dtype != WICK_FLOAT32 || images->ndim < 2 || images->numel == 0)
        return wki_fail(model->context, WICK_EINVAL,
                        "the images must be one or more, in torch.float32, the batch first");
    int ndim;
    int64_t shape[WICK_MAX_DIMS];
    wick_tensor *logits = NULL;
    WKI_TRY(wick_module_output_shape(model, images->ndim, images->shape, &ndim, shape));
    wick_module_eval(model);
    wick_status status = predict_rows(model, images, ndim, shape, &logits);
    if (status == WICK_OK)
        status = wick_tensor_softmax(logits, probabilities);
    wick_tensor_free(logits);
    return status;
}
