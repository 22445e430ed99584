/* The fully connected layer in a plan. Over more than one dimension before the last, each is a row. Threads that share a block
 * do some of its rows each, and the weights' gradients of some outputs. */
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

/* This task's share of the rows: where it begins. */
static int take_rows(const wki_task *task, wki_linear_call *call)
{
    int begin, end;
    wki_part(task, call->rows, &begin, &end);
    call->rows = end - begin;
    call->input += begin * call->in_pitch;
    call->output += begin * call->out_pitch;
    return begin;
}

/* Its share of the outputs. */
static void take_outputs(const wki_task *task, wki_linear_call *call)
{
    int begin, end;
    wki_part(task, call->out_features, &begin, &end);
    call->out_features = end - begin;
    call->delta += begin;
    call->weight_gradient += (ptrdiff_t)begin * call->in_features;
    if (call->bias_gradient != NULL)
        call->bias_gradient += begin;
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
    const int first = take_rows(task, &call);
    if (op->in == 0 && wki_late_pixels(task) != NULL)
        call.pixels = wki_late_pixels(task) + first;
    task->plan->kernels->linear(&call);
}

static void backward_weight(const wki_op *op, const wki_task *task)
{
    wki_linear_call call = call_for(op, task);
    call.delta = wki_gradient(task, op->out);
    call.weight_gradient = task->gradients + op->weight_at;
    call.bias_gradient = op->bias == NULL ? NULL : task->gradients + op->bias_at;
    call.accumulate = task->accumulate;
    take_outputs(task, &call);
    task->plan->kernels->linear_weight(&call);
}

static void backward(const wki_op *op, const wki_task *task)
{
    backward_weight(op, task);
    if (!wki_wants_gradient(op, task))
        return;
    wki_linear_call call = call_for(op, task);
    const int first = take_rows(task, &call);
    call.delta = wki_gradient(task, op->out) + first * call.out_pitch;
    call.input_gradient = wki_gradient(task, op->in) + first * call.in_pitch;
    call.mask = wki_mask(task, op->in);
    if (call.mask != NULL)
        call.mask += first * call.in_pitch;
    task->plan->kernels->linear_input(&call);
}

const wki_op_kind wki_op_linear = {.name = "linear",
                                   .splits = true,
                                   .fuses_relu = true,
                                   .forward = forward,
                                   .backward = backward,
                                   .need = need};
