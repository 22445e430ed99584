/* Max pooling in a plan. */
#include "plan/plan_internal.h"

static wki_max_pool2d_call call_for(const wki_op *op, const wki_task *task)
{
    const wki_max_pool2d *pool = &op->layer->as.max_pool2d;
    const wki_value *in = &task->plan->values[op->in], *out = &task->plan->values[op->out];
    wki_max_pool2d_call call = {
        .input = wki_data(task, op->in),
        .output = wki_data(task, op->out),
        .in = in->data.plane,
        .out = out->data.plane,
        .in_h = in->height,
        .in_w = in->width,
        .out_h = out->height,
        .out_w = out->width,
        .kernel_h = (int)pool->kernel.h,
        .kernel_w = (int)pool->kernel.w,
        .stride_h = (int)pool->stride.h,
        .stride_w = (int)pool->stride.w,
        .padding_h = (int)pool->padding.h,
        .padding_w = (int)pool->padding.w,
        .dilation_h = (int)pool->dilation.h,
        .dilation_w = (int)pool->dilation.w,
        .relu = op->relu,
    };
    wki_part(task, in->channels, &call.channel_begin, &call.channel_end);
    return call;
}

/* The kernel's is_plain_2x2(): other windows are cleared before they are read. */
bool wki_is_plain_pool(const wki_op *op, const wki_plan *plan)
{
    if (op->kind != &wki_op_max_pool2d)
        return false;
    const wki_max_pool2d *p = &op->layer->as.max_pool2d;
    const wki_value *in = &plan->values[op->in], *out = &plan->values[op->out];
    return p->kernel.h == 2 && p->kernel.w == 2 && p->stride.h == 2 && p->stride.w == 2 &&
           p->padding.h == 0 && p->padding.w == 0 && p->dilation.h == 1 && p->dilation.w == 1 &&
           in->height == 2 * out->height && in->width == 2 * out->width;
}

static void forward(const wki_op *op, const wki_task *task)
{
    if (task->fused && op->as.max_pool2d.conv2d != NULL)
        return;
    wki_max_pool2d_call call = call_for(op, task);
    const wki_kernels *kernels = task->plan->kernels;
    (task->plan->columns ? kernels->max_pool2d_columns : kernels->max_pool2d)(&call);
}

static void unpool(const wki_op *op, const wki_task *task)
{
    const wki_op *conv2d = op->as.max_pool2d.conv2d;
    const wki_value *in = &task->plan->values[op->in], *out = &task->plan->values[op->out];
    wki_max_unpool2d_call call = {
        .delta = wki_gradient(task, op->out),
        .taken = wki_conv2d_taken(conv2d, task),
        .gradient = wki_gradient(task, op->in),
        .delta_plane = out->gradient.plane,
        .taken_plane = conv2d->as.conv2d.taken_plane,
        .gradient_plane = in->gradient.plane,
        .tile = conv2d->as.conv2d.tile,
        .channel_end = in->channels,
        .height = out->height,
        .width = out->width,
    };
    task->plan->kernels->max_unpool2d(&call);
}

static void backward(const wki_op *op, const wki_task *task)
{
    if (!wki_wants_gradient(op, task))
        return;
    const wki_op *conv2d = op->as.max_pool2d.conv2d;
    if (task->fused && conv2d != NULL) {
        if (!wki_conv2d_unpools(conv2d, task))
            unpool(op, task);
        return;
    }
    wki_max_pool2d_call call = call_for(op, task);
    call.delta = wki_gradient(task, op->out);
    call.delta_plane = task->plan->values[op->out].gradient.plane;
    call.input_gradient = wki_gradient(task, op->in);
    call.gradient_plane = task->plan->values[op->in].gradient.plane;
    call.mask = task->plan->values[op->in].relu;
    const wki_kernels *kernels = task->plan->kernels;
    (task->plan->columns ? kernels->max_pool2d_columns_backward : kernels->max_pool2d_backward)(&call);
}

const wki_op_kind wki_op_max_pool2d = {
    .name = "max_pool2d", .splits = true, .fuses_relu = true, .forward = forward, .backward = backward};
