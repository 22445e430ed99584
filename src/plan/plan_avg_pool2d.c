/* Average pooling in a plan: AvgPool2d and AdaptiveAvgPool2d are tables of windows. */
#include "plan/plan_internal.h"

#include <stdlib.h>

static wki_avg_pool2d_call call_for(const wki_op *op, const wki_task *task)
{
    const wki_value *in = &task->plan->values[op->in], *out = &task->plan->values[op->out];
    const wki_avg_pool2d_plan *p = &op->as.avg_pool2d;
    wki_avg_pool2d_call call = {
        .input = wki_data(task, op->in),
        .output = wki_data(task, op->out),
        .delta = wki_gradient(task, op->out),
        .input_gradient = wki_gradient(task, op->in),
        .in = in->data.plane,
        .out = out->data.plane,
        .delta_plane = out->gradient.plane,
        .gradient_plane = in->gradient.plane,
        .rows = p->windows,
        .columns = p->windows + 2 * (ptrdiff_t)out->height,
        .scale = p->scale,
        .in_h = in->height,
        .in_w = in->width,
        .out_h = out->height,
        .out_w = out->width,
        .one_image = task->plan->columns,
        .relu = op->relu,
        .mask = in->relu,
    };
    wki_part(task, in->channels, &call.channel_begin, &call.channel_end);
    return call;
}

static void forward(const wki_op *op, const wki_task *task)
{
    wki_avg_pool2d_call call = call_for(op, task);
    task->plan->kernels->avg_pool2d(&call);
}

static void backward(const wki_op *op, const wki_task *task)
{
    wki_avg_pool2d_call call = call_for(op, task);
    if (wki_wants_gradient(op, task))
        task->plan->kernels->avg_pool2d_backward(&call);
}

/* ---- windows ---- */

/* Window o of a direction: from begin to end, clipped to the image; returns its size before that was
 * clipped, padding included. */
static int64_t window(const wick_module *layer, bool rows, int64_t o, int64_t in, int64_t out,
                      int32_t span[2])
{
    int64_t begin, end;
    if (layer->kind == WKI_ADAPTIVE_AVG_POOL2D) {
        begin = o * in / out;
        end = ((o + 1) * in + out - 1) / out;
    } else {
        const wki_avg_pool2d *pool = &layer->as.avg_pool2d;
        int64_t padding = rows ? pool->padding.h : pool->padding.w;
        begin = o * (rows ? pool->stride.h : pool->stride.w) - padding;
        end = WKI_MIN(begin + (rows ? pool->kernel.h : pool->kernel.w), in + padding);
    }
    span[0] = (int32_t)WKI_MAX(begin, 0);
    span[1] = (int32_t)WKI_MIN(end, in);
    return end - begin;
}

static float scale_of(const wick_module *layer, int64_t whole, const int32_t rows[2],
                      const int32_t columns[2])
{
    int64_t inside = (int64_t)(rows[1] - rows[0]) * (columns[1] - columns[0]), divisor = inside;
    const wki_avg_pool2d *pool = &layer->as.avg_pool2d;
    if (layer->kind == WKI_AVG_POOL2D)
        divisor = pool->divisor_override != 0 ? pool->divisor_override
                  : pool->count_include_pad   ? whole
                                              : inside;
    return 1.0f / (float)divisor;
}

static void fill_windows(const wki_op *op, const wki_value *in, const wki_value *out)
{
    const wki_avg_pool2d_plan *p = &op->as.avg_pool2d;
    int32_t *rows = p->windows, *columns = p->windows + 2 * (ptrdiff_t)out->height;
    for (int y = 0; y < out->height; y++) {
        int64_t high = window(op->layer, true, y, in->height, out->height, rows + 2 * y);
        for (int x = 0; x < out->width; x++) {
            int64_t wide = window(op->layer, false, x, in->width, out->width, columns + 2 * x);
            p->scale[y * out->width + x] =
                scale_of(op->layer, high * wide, rows + 2 * y, columns + 2 * x);
        }
    }
}

static wick_status layout(wki_op *op, wki_plan *plan)
{
    const wki_value *in = &plan->values[op->in], *out = &plan->values[op->out];
    wki_avg_pool2d_plan *p = &op->as.avg_pool2d;
    void *memory;
    WKI_TRY(wki_alloc(plan->context, (size_t)out->height + (size_t)out->width, 2 * sizeof(int32_t),
                      "a plan", &memory));
    p->windows = memory;
    WKI_TRY(wki_alloc(plan->context, (size_t)out->height * (size_t)out->width, sizeof(float), "a plan",
                      &memory));
    p->scale = memory;
    fill_windows(op, in, out);
    return WICK_OK;
}

static void release(wki_op *op)
{
    free(op->as.avg_pool2d.windows);
    free(op->as.avg_pool2d.scale);
}

const wki_op_kind wki_op_avg_pool2d = {.name = "avg_pool2d",
                                       .splits = true,
                                       .fuses_relu = true,
                                       .forward = forward,
                                       .backward = backward,
                                       .layout = layout,
                                       .release = release};
