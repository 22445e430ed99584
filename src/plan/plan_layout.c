/* What brings a batch in, changes layouts, and the ReLU that no other op could take on. */
#include "plan/plan_internal.h"

#include <string.h>

static wki_layout_call call_for(const wki_value *lanes, const wki_buffer *buffer, float *data, const wki_task *task)
{
    return (wki_layout_call){.lanes = data,
                             .plane = buffer->plane,
                             .images = task->images,
                             .channels = lanes->channels,
                             .height = lanes->height,
                             .width = lanes->width};
}

/* ---- input ------------------------------------------------------------------------------------------ */

static void input_forward(const wki_op *op, const wki_task *task)
{
    const wki_value *value = &task->plan->values[op->out];
    const wki_kernels *kernels = task->plan->kernels;
    const wki_batch *batch = task->batch;
    float *data = wki_data(task, op->out);
    wki_layout_call call = call_for(value, &value->data, data, task);
    if (!value->lanes) {
        call = (wki_layout_call){.rows = data, .pitch = value->numel, .images = task->images, .width = (int)value->numel,
                                 .channels = 1, .height = 1};
    }
    if (batch->pixels != NULL) {
        call.pixels = batch->pixels + task->first;
        (value->lanes ? kernels->pixels_to_lanes : kernels->pixels_to_rows)(&call);
    } else if (value->lanes) {
        call.rows = (float *)batch->images + task->first * value->numel;
        call.pitch = value->numel;
        kernels->rows_to_lanes(&call);
    } else {
        memcpy(data, batch->images + task->first * value->numel,
               (size_t)(task->images * value->numel) * sizeof(float));
    }
}

static void input_backward(const wki_op *op, const wki_task *task)
{
    (void)op;
    (void)task;
}

const wki_op_kind wki_op_input = {.name = "input", .forward = input_forward, .backward = input_backward};

/* ---- rows <-> lanes --------------------------------------------------------------------------------- */

static void layout_forward(const wki_op *op, const wki_task *task)
{
    const wki_value *in = &task->plan->values[op->in], *out = &task->plan->values[op->out];
    bool to_rows = in->lanes;
    wki_layout_call call = to_rows ? call_for(in, &in->data, wki_data(task, op->in), task)
                                   : call_for(out, &out->data, wki_data(task, op->out), task);
    call.rows = wki_data(task, to_rows ? op->out : op->in);
    call.pitch = in->numel;
    (to_rows ? task->plan->kernels->lanes_to_rows : task->plan->kernels->rows_to_lanes)(&call);
}

static void layout_backward(const wki_op *op, const wki_task *task)
{
    const wki_value *in = &task->plan->values[op->in], *out = &task->plan->values[op->out];
    const wki_kernels *kernels = task->plan->kernels;
    if (!wki_wants_gradient(op, task))
        return;
    if (in->lanes) {
        wki_layout_call call = call_for(in, &in->gradient, wki_gradient(task, op->in), task);
        call.rows = wki_gradient(task, op->out);
        call.pitch = in->numel;
        call.mask = wki_mask(task, op->in);
        call.mask_plane = in->data.plane;
        kernels->rows_to_lanes(&call);
        return;
    }
    wki_layout_call call = call_for(out, &out->gradient, wki_gradient(task, op->out), task);
    call.rows = wki_gradient(task, op->in);
    call.pitch = in->numel;
    kernels->lanes_to_rows(&call);
    if (in->relu)
        kernels->relu_backward(wki_data(task, op->in), call.rows, (size_t)(task->images * in->numel));
}

const wki_op_kind wki_op_layout = {.name = "layout", .forward = layout_forward, .backward = layout_backward};

/* ---- ReLU in place: whatever makes this value's gradient masks it ------------------------------------ */

static void relu_forward(const wki_op *op, const wki_task *task)
{
    const wki_buffer *buffer = &task->plan->values[op->in].data;
    const wki_value *value = &task->plan->values[op->in];
    float *data = wki_data(task, op->in);
    if (value->lanes) /* the halo's zeros stay zeros */
        data -= buffer->halo.top * buffer->plane.row + buffer->halo.left * buffer->plane.column;
    task->plan->kernels->relu(data, value->lanes ? buffer->floats : (size_t)(task->images * value->numel));
}

static void relu_backward(const wki_op *op, const wki_task *task)
{
    (void)op;
    (void)task;
}

const wki_op_kind wki_op_relu = {.name = "relu", .forward = relu_forward, .backward = relu_backward};
