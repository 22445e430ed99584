/* Group and layer normalisation in a plan. */
#include "plan/plan_internal.h"

/* ---- GroupNorm, and LayerNorm over whole images ---- */

/* How many groups there are; a LayerNorm in lanes is one. */
static int64_t group_count(const wki_op *op)
{
    return op->layer->kind == WKI_LAYER_NORM ? 1 : op->layer->as.group_norm.groups;
}

static wki_group_norm_call group_call(const wki_op *op, const wki_task *task)
{
    const bool layer_norm = op->layer->kind == WKI_LAYER_NORM;
    const wki_value *in = &task->plan->values[op->in], *out = &task->plan->values[op->out];
    const int groups = (int)group_count(op);
    wki_group_norm_call call = {
        .grid = wki_grid_of(task, in),
        .input = wki_data(task, op->in),
        .output = wki_data(task, op->out),
        .in = in->data.plane,
        .out = out->data.plane,
        .weight = op->weight,
        .bias = op->bias,
        .statistics = task->slot + op->slot_at,
        .channels = in->channels / groups,
        .count = in->numel / groups,
        .eps = (float)(layer_norm ? op->layer->as.layer_norm.eps : op->layer->as.group_norm.eps),
        .one_image = task->plan->columns,
        .each_number = layer_norm,
        .relu = op->relu,
    };
    wki_part(task, groups, &call.group_begin, &call.group_end);
    return call;
}

static void group_forward(const wki_op *op, const wki_task *task)
{
    wki_group_norm_call call = group_call(op, task);
    task->plan->kernels->group_norm(&call);
}

static void group_backward(const wki_op *op, const wki_task *task)
{
    wki_group_norm_call call = group_call(op, task);
    const wki_value *in = &task->plan->values[op->in], *out = &task->plan->values[op->out];
    call.delta = wki_gradient(task, op->out);
    call.delta_plane = out->gradient.plane;
    call.weight_gradient = op->weight == NULL ? NULL : task->gradients + op->weight_at;
    call.bias_gradient = op->bias == NULL ? NULL : task->gradients + op->bias_at;
    call.accumulate = task->accumulate;
    call.mask = in->relu;
    if (wki_wants_gradient(op, task)) {
        call.input_gradient = wki_gradient(task, op->in);
        call.gradient_plane = in->gradient.plane;
    }
    task->plan->kernels->group_norm_backward(&call);
}

static void group_need(wki_op *op, wki_plan *plan)
{
    op->slot_at = wki_need_slot_floats(plan, (size_t)group_count(op) * 2 * WKI_LANES);
}

const wki_op_kind wki_op_group_norm = {.name = "group_norm",
                                       .splits = true,
                                       .fuses_relu = true,
                                       .forward = group_forward,
                                       .backward = group_backward,
                                       .need = group_need};

/* ---- LayerNorm over rows ---- */

static wki_layer_norm_call layer_call(const wki_op *op, const wki_task *task)
{
    const wki_layer_norm *norm = &op->layer->as.layer_norm;
    const wki_value *in = &task->plan->values[op->in];
    return (wki_layer_norm_call){
        .input = wki_data(task, op->in),
        .output = wki_data(task, op->out),
        .weight = op->weight,
        .bias = op->bias,
        .statistics = task->slot + op->slot_at,
        .rows = task->images * (int)(in->numel / norm->numel),
        .features = (int)norm->numel,
        .eps = (float)norm->eps,
        .relu = op->relu,
    };
}

static void layer_forward(const wki_op *op, const wki_task *task)
{
    wki_layer_norm_call call = layer_call(op, task);
    task->plan->kernels->layer_norm(&call);
}

static void layer_backward(const wki_op *op, const wki_task *task)
{
    wki_layer_norm_call call = layer_call(op, task);
    call.delta = wki_gradient(task, op->out);
    call.weight_gradient = op->weight == NULL ? NULL : task->gradients + op->weight_at;
    call.bias_gradient = op->bias == NULL ? NULL : task->gradients + op->bias_at;
    call.accumulate = task->accumulate;
    call.mask = task->plan->values[op->in].relu;
    if (wki_wants_gradient(op, task))
        call.input_gradient = wki_gradient(task, op->in);
    task->plan->kernels->layer_norm_backward(&call);
}

static void layer_need(wki_op *op, wki_plan *plan)
{
    const wki_value *in = &plan->values[op->in];
    int64_t rows = in->numel / op->layer->as.layer_norm.numel * plan->block_images;
    op->slot_at = wki_need_slot_floats(plan, (size_t)rows * 2);
}

const wki_op_kind wki_op_layer_norm = {.name = "layer_norm",
                                       .fuses_relu = true,
                                       .forward = layer_forward,
                                       .backward = layer_backward,
                                       .need = layer_need};
