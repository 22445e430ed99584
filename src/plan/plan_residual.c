/* Residuals in a plan: a fork, whose two outputs are its input under two names, each with a gradient of
 * its own, and a sum. */
#include "plan/plan_internal.h"

static wki_grid_sum_call call_for(const wki_task *task, const wki_value *value)
{
    return (wki_grid_sum_call){.grid = wki_grid_of(task, value)};
}

static void fork_forward(const wki_op *op, const wki_task *task)
{
    (void)op;
    (void)task;
}

static void fork_backward(const wki_op *op, const wki_task *task)
{
    const wki_plan *plan = task->plan;
    const wki_value *in = &plan->values[op->in];
    wki_grid_sum_call call = call_for(task, in);
    if (!wki_wants_gradient(op, task))
        return;
    call.a = wki_gradient(task, op->out);
    call.a_plane = plan->values[op->out].gradient.plane;
    call.b = wki_gradient(task, op->other);
    call.b_plane = plan->values[op->other].gradient.plane;
    call.mask = wki_mask(task, op->in);
    call.mask_plane = in->data.plane;
    call.output = wki_gradient(task, op->in);
    call.out = in->gradient.plane;
    plan->kernels->grid_sum(&call);
}

const wki_op_kind wki_op_fork = {
    .name = "fork", .splits = true, .forward = fork_forward, .backward = fork_backward};

static void sum_forward(const wki_op *op, const wki_task *task)
{
    const wki_plan *plan = task->plan;
    wki_grid_sum_call call = call_for(task, &plan->values[op->in]);
    call.a = wki_data(task, op->in);
    call.a_plane = plan->values[op->in].data.plane;
    call.b = wki_data(task, op->other);
    call.b_plane = plan->values[op->other].data.plane;
    call.relu = op->relu;
    call.output = wki_data(task, op->out);
    call.out = plan->values[op->out].data.plane;
    plan->kernels->grid_sum(&call);
}

static void pass_gradient(const wki_op *op, const wki_task *task, int to)
{
    const wki_plan *plan = task->plan;
    const wki_value *value = &plan->values[to];
    wki_grid_sum_call call = call_for(task, value);
    if (value->input_only && !task->input_gradient)
        return;
    call.a = wki_gradient(task, op->out);
    call.a_plane = plan->values[op->out].gradient.plane;
    call.mask = wki_mask(task, to);
    call.mask_plane = value->data.plane;
    call.output = wki_gradient(task, to);
    call.out = value->gradient.plane;
    plan->kernels->grid_sum(&call);
}

static void sum_backward(const wki_op *op, const wki_task *task)
{
    pass_gradient(op, task, op->in);
    pass_gradient(op, task, op->other);
}

const wki_op_kind wki_op_sum = {
    .name = "sum", .splits = true, .fuses_relu = true, .forward = sum_forward, .backward = sum_backward};
