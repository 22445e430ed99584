/* Activations, dropout and softmax in a plan. */
#include "plan/plan_internal.h"

/* ---- number by number ---- */

static wki_activation_kind kind_of(const wick_module *layer)
{
    switch (layer->kind) {
    case WKI_LEAKY_RELU:
        return WKI_ACT_LEAKY_RELU;
    case WKI_GELU:
        return layer->as.activation.tanh_approximation ? WKI_ACT_GELU_TANH : WKI_ACT_GELU;
    case WKI_SILU:
        return WKI_ACT_SILU;
    case WKI_SIGMOID:
        return WKI_ACT_SIGMOID;
    case WKI_TANH:
        return WKI_ACT_TANH;
    default:
        return WKI_ACT_RELU;
    }
}

static wki_activation_call activation_call(const wki_op *op, const wki_task *task)
{
    const wki_value *in = &task->plan->values[op->in], *out = &task->plan->values[op->out];
    return (wki_activation_call){
        .grid = wki_grid_of(task, in),
        .kind = kind_of(op->layer),
        .slope = op->layer->kind == WKI_LEAKY_RELU ? (float)op->layer->as.activation.slope : 0.0f,
        .input = wki_data(task, op->in),
        .output = wki_data(task, op->out),
        .in = in->data.plane,
        .out = out->data.plane,
        .delta = wki_gradient(task, op->out),
        .input_gradient = wki_gradient(task, op->in),
        .delta_plane = out->gradient.plane,
        .gradient_plane = in->gradient.plane,
        .mask = in->relu,
    };
}

static void activation_forward(const wki_op *op, const wki_task *task)
{
    wki_activation_call call = activation_call(op, task);
    task->plan->kernels->activation(&call);
}

static void activation_backward(const wki_op *op, const wki_task *task)
{
    wki_activation_call call = activation_call(op, task);
    if (wki_wants_gradient(op, task))
        task->plan->kernels->activation_backward(&call);
}

const wki_op_kind wki_op_activation = {.name = "activation",
                                       .splits = true,
                                       .forward = activation_forward,
                                       .backward = activation_backward};

/* ---- dropout ---- */

bool wki_drops(const wki_op *op)
{
    return op->kind == &wki_op_dropout && op->layer->training && op->layer->as.dropout.p > 0.0;
}

/* Where the numbers are in the batch: [image][channel][row][column], or [image][channel] if whole
 * channels are dropped. */
static void place_numbers(const wki_op *op, const wki_task *task, wki_dropout_call *call)
{
    const wki_value *in = &task->plan->values[op->in];
    bool columns = task->plan->columns, channels = op->layer->as.dropout.channels;
    uint32_t image = (uint32_t)(channels ? in->channels : in->numel);
    call->first = (uint32_t)task->first * image;
    if (!in->lanes) {
        call->lane_step = 1;
        call->group_step = WKI_LANES;
        return;
    }
    call->lane_step = columns ? (channels ? 0 : 1) : image;
    call->group_step = channels ? 0 : columns ? WKI_LANES : 1;
    call->row_step = channels ? 0 : (uint32_t)in->width;
    call->channel_step = channels ? 1 : (uint32_t)(in->height * in->width);
}

static wki_dropout_call dropout_call(const wki_op *op, const wki_task *task)
{
    const wki_value *in = &task->plan->values[op->in];
    double p = wki_drops(op) ? op->layer->as.dropout.p : 0.0;
    wki_dropout_call call = {
        .grid = wki_grid_of(task, in),
        .seed =
            task->plan->dropout_seed + (uint64_t)(op - task->plan->ops) * UINT64_C(0x9e3779b97f4a7c15),
        .threshold = (uint32_t)(p * 0x1p32 < 0x1p32 ? p * 0x1p32 : 0x1p32 - 1.0),
        .scale = p < 1.0 ? (float)(1.0 / (1.0 - p)) : 0.0f,
    };
    place_numbers(op, task, &call);
    return call;
}

static void dropout_forward(const wki_op *op, const wki_task *task)
{
    wki_dropout_call call = dropout_call(op, task);
    call.input = wki_data(task, op->in);
    call.in = task->plan->values[op->in].data.plane;
    call.output = wki_data(task, op->out);
    call.out = task->plan->values[op->out].data.plane;
    task->plan->kernels->dropout(&call);
}

static void dropout_backward(const wki_op *op, const wki_task *task)
{
    wki_dropout_call call = dropout_call(op, task);
    const wki_value *in = &task->plan->values[op->in];
    if (!wki_wants_gradient(op, task))
        return;
    call.input = wki_gradient(task, op->out);
    call.in = task->plan->values[op->out].gradient.plane;
    call.output = wki_gradient(task, op->in);
    call.out = in->gradient.plane;
    call.mask = wki_mask(task, op->in);
    call.mask_plane = in->data.plane;
    task->plan->kernels->dropout(&call);
}

const wki_op_kind wki_op_dropout = {
    .name = "dropout", .splits = true, .forward = dropout_forward, .backward = dropout_backward};

/* ---- softmax ---- */

static wki_softmax_call softmax_call(const wki_op *op, const wki_task *task)
{
    const wki_value *in = &task->plan->values[op->in];
    return (wki_softmax_call){
        .input = wki_data(task, op->in),
        .output = wki_data(task, op->out),
        .delta = wki_gradient(task, op->out),
        .input_gradient = wki_gradient(task, op->in),
        .rows = task->images * (int)(in->numel / in->shape[in->ndim - 1]),
        .classes = (int)in->shape[in->ndim - 1],
        .log = op->layer->kind == WKI_LOG_SOFTMAX,
        .mask = in->relu,
    };
}

static void softmax_forward(const wki_op *op, const wki_task *task)
{
    wki_softmax_call call = softmax_call(op, task);
    task->plan->kernels->softmax(&call);
}

static void softmax_backward(const wki_op *op, const wki_task *task)
{
    wki_softmax_call call = softmax_call(op, task);
    if (wki_wants_gradient(op, task))
        task->plan->kernels->softmax_backward(&call);
}

const wki_op_kind wki_op_softmax = {
    .name = "softmax", .forward = softmax_forward, .backward = softmax_backward};
