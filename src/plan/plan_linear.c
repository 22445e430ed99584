/* The fully connected layer in a plan. Over more than one dimension before the last, each is a row. Threads that share a block
 * do some of its rows each, and the weights' gradients of some outputs. */
#include "plan/plan_internal.h"
#include "tensor/tensor_internal.h"

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
    if (call->weight_gradient != NULL)
        call->weight_gradient += (ptrdiff_t)begin * call->in_features;
    if (call->bias_gradient != NULL)
        call->bias_gradient += begin;
}

/* A first layer that has an image as one row reads each pixel once, and may as well make a number of it then. */
static void need(wki_op *op, wki_plan *plan)
{
    const wki_linear *linear = &op->layer->as.linear;
    const wki_value *in = &plan->values[op->in];
    const bool fits = !plan->kernels->reads_pixels || in->numel % WKI_LANES == 0;
    plan->late_input |= op == &plan->ops[1] && op->in == 0 && !in->lanes &&
                        in->numel == linear->in_features && in->numel > WKI_LANES && fits;
}

/* The pixels of the task's rows, or NULL. */
static const uint8_t *const *find_pixels(const wki_op *op, const wki_task *task, int first_row)
{
    const uint8_t *const *pixels = op->in == 0 ? wki_late_pixels(task) : NULL;
    return pixels == NULL ? NULL : pixels + first_row;
}

static void forward(const wki_op *op, const wki_task *task)
{
    wki_linear_call call = call_for(op, task);
    const int first = take_rows(task, &call);
    call.pixels = find_pixels(op, task, first);
    const uint8_t *const *ahead = call.pixels != NULL ? wki_late_ahead(task) : NULL;
    call.ahead = ahead != NULL ? ahead + first : NULL;
    task->plan->kernels->linear(&call);
}

static void backward_weight(const wki_op *op, const wki_task *task)
{
    wki_linear_call call = call_for(op, task);
    call.pixels = find_pixels(op, task, 0);
    call.delta = wki_gradient(task, op->out);
    const bool late = task->late && op == &task->plan->ops[1];
    call.weight_gradient = late ? NULL : task->gradients + op->weight_at;
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

bool wki_updates_late(wki_plan *plan, const wki_batch *batch)
{
    const wki_task task = {.plan = plan, .batch = batch};
    return plan->kernels->reads_pixels && wki_late_pixels(&task) != NULL;
}

void wki_linear_update(const wki_update *u)
{
    const wki_plan *plan = u->plan;
    const wki_op *op = &plan->ops[1];
    const wki_parameter *parameter = plan->parameters[WKI_FIRST_WEIGHTS];
    const int64_t blocks = op->layer->as.linear.in_features / WKI_LANES;
    wki_linear_call parts[WKI_MAX_PARTS];
    for (int i = 0; i < u->parts; i++) {
        parts[i] = call_for(op, &u->late[i]);
        parts[i].pixels = find_pixels(op, &u->late[i], 0);
        parts[i].delta = wki_gradient(&u->late[i], op->out);
    }
    plan->kernels->linear_update(
        &(wki_linear_update_call){.parts = parts,
                                  .part_count = u->parts,
                                  .weight = parameter->value->data,
                                  .gradient = parameter->grad->data,
                                  .begin = (int)(blocks * u->thread / u->threads) * WKI_LANES,
                                  .end = (int)(blocks * (u->thread + 1) / u->threads) * WKI_LANES,
                                  .lr = *u->updater->sgd_lr});
}

const wki_op_kind wki_op_linear = {.name = "linear",
                                   .splits = true,
                                   .fuses_relu = true,
                                   .forward = forward,
                                   .backward = backward,
                                   .need = need};
