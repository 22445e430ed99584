/* Batch normalisation in a plan: two ops, between which all blocks of the batch meet. The first takes
 * each block's moments; once they are put together the second maps the numbers. Backward the second
 * sums up, and the first, which then knows the sums of the batch, makes the gradient of the input.
 * In evaluation the running statistics take the place of the batch's, and nobody meets. */
#include "plan/plan_internal.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdlib.h>

/* What the arrays in a thread's memory are, [channels] each. */
enum { MEAN, RSTD, SCALE, SHIFT, LEVEL, SLOPE, FINALS };

bool wki_uses_batch(const wki_op *op)
{
    return op->kind == &wki_op_batch_map && (op->layer->training || !op->layer->as.batch_norm.track);
}

static float *final_of(const wki_op *map, const wki_plan *plan, int thread, int what)
{
    const wki_value *in = &plan->values[map->in];
    return wki_scratch(plan, thread) + map->thread_at + (ptrdiff_t)what * in->channels;
}

static int64_t numbers_of(const wki_value *in, int64_t images)
{
    return images * in->height * in->width;
}

wick_status wki_plan_check_batch(const wki_plan *plan, int64_t count)
{
    for (int i = 0; i < plan->op_count; i++) {
        const wki_op *op = &plan->ops[i];
        if (op->kind == &wki_op_batch_map && op->layer->training &&
            numbers_of(&plan->values[op->in], count) < 2)
            return wki_fail(plan->context, WICK_EINVAL,
                            "%s in training mode has one number of each channel in a batch of one; it "
                            "needs two or more: larger batches, or drop the last one (--drop-last)",
                            op->layer->class_name);
    }
    return WICK_OK;
}

/* ---- what all blocks came to ---- */

static void join_moments(const wki_op *map, const wki_settle *s, int c, double *mean, double *squares)
{
    const wki_value *in = &s->plan->values[map->in];
    const float *sums = map->as.batch_norm->moments;
    double total = 0.0, n = (double)numbers_of(in, s->count);
    for (int b = 0; b < s->blocks; b++)
        total +=
            (double)wki_block_images(s->plan, s->count, b) * (double)sums[2 * (b * in->channels + c)];
    *mean = total / (double)s->count;
    *squares = 0.0;
    for (int b = 0; b < s->blocks; b++) {
        const float *block = sums + 2 * (ptrdiff_t)(b * in->channels + c);
        double off = (double)block[0] - *mean;
        double part = n * (double)wki_block_images(s->plan, s->count, b) / (double)s->count;
        *squares += (double)block[1] + part * off * off;
    }
}

/* running = (1 - momentum) running + momentum batch, with the unbiased variance. */
static void update_running(const wki_op *map, int c, double mean, double squares, double n)
{
    const wki_batch_norm *norm = &map->layer->as.batch_norm;
    const wki_parameter *buffers = map->layer->buffers;
    double seen = (double)*(const int64_t *)buffers[2].value->data;
    double momentum = norm->cumulative ? 1.0 / (seen + 1.0) : norm->momentum;
    float *running_mean = buffers[0].value->data, *running_var = buffers[1].value->data;
    double variance = squares / (n > 1.0 ? n - 1.0 : 1.0);
    running_mean[c] = (float)((1.0 - momentum) * (double)running_mean[c] + momentum * mean);
    running_var[c] = (float)((1.0 - momentum) * (double)running_var[c] + momentum * variance);
}

/* The map's numbers for this thread: of the batch, or the running ones. */
static void settle_map(const wki_op *map, const wki_settle *s)
{
    const wick_module *layer = map->layer;
    const wki_value *in = &s->plan->values[map->in];
    float *mean = final_of(map, s->plan, s->thread, MEAN);
    float *rstd = final_of(map, s->plan, s->thread, RSTD);
    float *scale = final_of(map, s->plan, s->thread, SCALE);
    float *shift = final_of(map, s->plan, s->thread, SHIFT);
    bool batch = wki_uses_batch(map), running = batch && s->update && layer->as.batch_norm.track;
    double n = (double)numbers_of(in, s->count);
    for (int c = 0; c < in->channels; c++) {
        double m, squares = 0.0, variance;
        if (batch) {
            join_moments(map, s, c, &m, &squares);
            variance = squares / n;
        } else {
            m = (double)((const float *)layer->buffers[0].value->data)[c];
            variance = (double)((const float *)layer->buffers[1].value->data)[c];
        }
        if (running)
            update_running(map, c, m, squares, n);
        double r = 1.0 / sqrt(variance + layer->as.batch_norm.eps);
        mean[c] = (float)m;
        rstd[c] = (float)r;
        scale[c] = (float)(map->weight == NULL ? r : r * (double)map->weight[c]);
        shift[c] = map->bias == NULL ? 0.0f : map->bias[c];
        final_of(map, s->plan, s->thread, LEVEL)[c] = 0.0f;
        final_of(map, s->plan, s->thread, SLOPE)[c] = 0.0f;
    }
    if (running)
        ++*(int64_t *)layer->buffers[2].value->data;
}

static void settle_moments(const wki_op *moments, const wki_settle *s)
{
    const wki_op *map = moments + 1;
    const wki_value *in = &s->plan->values[map->in];
    double n = (double)numbers_of(in, s->count);
    for (int c = 0; c < in->channels && wki_uses_batch(map); c++) {
        double sum = 0.0, product = 0.0;
        double rstd = (double)final_of(map, s->plan, s->thread, RSTD)[c];
        for (int b = 0; b < s->blocks; b++) {
            const float *block = map->as.batch_norm->sums + 2 * (ptrdiff_t)(b * in->channels + c);
            sum += (double)block[0];
            product += (double)block[1];
        }
        final_of(map, s->plan, s->thread, LEVEL)[c] = (float)(sum / n);
        final_of(map, s->plan, s->thread, SLOPE)[c] = (float)(product / n * rstd * rstd);
    }
}

/* ---- a block ---- */

static wki_channel_call call_for(const wki_op *map, const wki_task *task)
{
    const wki_plan *plan = task->plan;
    const wki_value *in = &plan->values[map->in], *out = &plan->values[map->out];
    return (wki_channel_call){
        .grid = wki_grid_of(task, in),
        .input = wki_data(task, map->in),
        .output = wki_data(task, map->out),
        .delta = wki_gradient(task, map->out),
        .input_gradient = wki_gradient(task, map->in),
        .in = in->data.plane,
        .out = out->data.plane,
        .delta_plane = out->gradient.plane,
        .gradient_plane = in->gradient.plane,
        .count = numbers_of(in, task->images),
        .mean = final_of(map, plan, task->thread, MEAN),
        .scale = final_of(map, plan, task->thread, SCALE),
        .shift = final_of(map, plan, task->thread, SHIFT),
        .level = final_of(map, plan, task->thread, LEVEL),
        .slope = final_of(map, plan, task->thread, SLOPE),
        .relu = map->relu,
        .mask = in->relu,
    };
}

static float *block_sums(const wki_task *task, const wki_op *map, float *all)
{
    return all + 2 * (ptrdiff_t)(task->first / task->plan->block_images) *
                     task->plan->values[map->in].channels;
}

static void moments_forward(const wki_op *op, const wki_task *task)
{
    const wki_op *map = op + 1;
    if (!wki_uses_batch(map))
        return;
    wki_channel_call call = call_for(map, task);
    call.sums = block_sums(task, map, map->as.batch_norm->moments);
    task->plan->kernels->channel_moments(&call);
}

static void moments_backward(const wki_op *op, const wki_task *task)
{
    wki_channel_call call = call_for(op + 1, task);
    if (wki_wants_gradient(op, task))
        task->plan->kernels->channel_affine_backward(&call);
}

static void map_forward(const wki_op *op, const wki_task *task)
{
    wki_channel_call call = call_for(op, task);
    task->plan->kernels->channel_affine(&call);
}

static void add_to(float *gradient, float value, bool accumulate)
{
    *gradient = accumulate ? *gradient + value : value;
}

static void map_backward(const wki_op *op, const wki_task *task)
{
    wki_channel_call call = call_for(op, task);
    call.sums = block_sums(task, op, op->as.batch_norm->sums);
    task->plan->kernels->channel_gradient_sums(&call);
    for (int c = call.grid.channel_begin; c < call.grid.channel_end && op->weight != NULL; c++) {
        float rstd = final_of(op, task->plan, task->thread, RSTD)[c];
        add_to(task->gradients + op->weight_at + c, call.sums[2 * c + 1] * rstd, task->accumulate);
        if (op->bias != NULL)
            add_to(task->gradients + op->bias_at + c, call.sums[2 * c], task->accumulate);
    }
}

/* ---- making it ---- */

static void need(wki_op *op, wki_plan *plan)
{
    op->thread_at = wki_need_thread_floats(plan, (size_t)plan->values[op->in].channels * FINALS);
}

static wick_status layout(wki_op *op, wki_plan *plan)
{
    void *memory;
    size_t numbers = 2 * (size_t)plan->blocks * (size_t)plan->values[op->in].channels;
    WKI_TRY(wki_alloc(plan->context, 1, sizeof(*op->as.batch_norm), "a plan", &memory));
    op->as.batch_norm = memory;
    WKI_TRY(wki_alloc(plan->context, numbers, 2 * sizeof(float), "a plan", &memory));
    op->as.batch_norm->moments = memory;
    op->as.batch_norm->sums = op->as.batch_norm->moments + numbers;
    return WICK_OK;
}

static void release(wki_op *op)
{
    if (op->as.batch_norm != NULL)
        free(op->as.batch_norm->moments);
    free(op->as.batch_norm);
}

const wki_op_kind wki_op_batch_moments = {.name = "batch_norm moments",
                                          .splits = true,
                                          .forward = moments_forward,
                                          .backward = moments_backward,
                                          .settle = settle_moments};
const wki_op_kind wki_op_batch_map = {.name = "batch_norm",
                                      .splits = true,
                                      .fuses_relu = true,
                                      .forward = map_forward,
                                      .backward = map_backward,
                                      .settle = settle_map,
                                      .need = need,
                                      .layout = layout,
                                      .release = release};
