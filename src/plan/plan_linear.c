/* The fully connected layer in a plan. Over more than one dimension before the last, each is a row. */
#include "plan/plan_internal.h"

static wki_linear_call call_for(const wki_op *op, const wki_task *task)
{
    const wki_linear *linear = &op->layer->as.linear;
    const wki_value *in = &task->plan->values[op->in];
    return (wki_linear_call){
        .input = wki_data(task, op->in),
        .output = wki_data(task, op->out),
        .weight = op->weight,
        .bias = op->bias,
        .rows = task->images * (int)(in->numel / linear->in_features),
        .in_features = (int)linear->in_features,
        .out_features = (int)linear->out_features,
        .in_pitch = linear->in_features,
        .out_pitch = linear->out_features,
        .relu = op->relu,
    };
}

/* A first layer that has an image as one row reads each pixel once, and may as well make a number of it then. */
static void need(wki_op *op, wki_plan *plan)
{
    const wki_linear *linear = &op->layer->as.linear;
    const wki_value *in = &plan->values[op->in];
    plan->late_input |= op == &plan->ops[1] && op->in == 0 && !in->lanes &&
                        in->numel == linear->in_features && in->numel > WKI_LANES;
}

static void forward(const wki_op *op, const wki_task *task)
{
    wki_linear_call call = call_for(op, task);
    call.pixels = op->in == 0 ? wki_late_pixels(task) : NULL;
    task->plan->kernels->linear(&call);
}

static void backward(const wki_op *op, const wki_task *task)
{
    wki_linear_call call = call_for(op, task);
    call.delta = wki_gradient(task, op->out);
    call.weight_gradient = task->gradients + op->weight_at;
    call.bias_gradient = op->bias == NULL ? NULL : task->gradients + op->bias_at;
    call.accumulate = task->accumulate;
    task->plan->kernels->linear_weight(&call);
    if (!wki_wants_gradient(op, task))
        return;
    call.input_gradient = wki_gradient(task, op->in);
    call.mask = wki_mask(task, op->in);
    task->plan->kernels->linear_input(&call);
}

const wki_op_kind wki_op_linear = {
    .name = "linear", .fuses_relu = true, .forward = forward, .backward = backward, .need = need};
