/* Making a plan's values and ops from the layers, in the order they run. */
#include "plan/plan_internal.h"
#include "tensor/tensor_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- values and ops ---- */

/* A lanes value's channels, height and width: [C], [C, L], [C, H, W], or more between C and W. */
static wick_status set_lanes(wki_plan *plan, wki_value *value)
{
    int64_t height = 1;
    for (int i = 1; i < value->ndim - 1; i++)
        height *= value->shape[i];
    int64_t width = value->ndim > 1 ? value->shape[value->ndim - 1] : 1;
    if (value->ndim < 1)
        return wki_fail(plan->context, WICK_ESHAPE, "an image without a dimension has no channels");
    value->channels = (int)value->shape[0];
    value->height = (int)height;
    value->width = (int)width;
    return WICK_OK;
}

static wick_status add_value(wki_plan *plan, int ndim, const int64_t *shape, bool lanes, bool input_only,
                             int *out)
{
    WKI_TRY(wki_grow(plan->context, (void **)&plan->values, &plan->value_capacity,
                     (size_t)plan->value_count + 1, sizeof(*plan->values), "a plan"));
    wki_value *value = &plan->values[plan->value_count];
    *value =
        (wki_value){.ndim = ndim, .numel = 1, .lanes = lanes, .input_only = input_only, .alias_of = -1};
    for (int i = 0; i < ndim; i++) {
        value->shape[i] = shape[i];
        if (!wki_mul_i64(value->numel, shape[i], &value->numel) ||
            value->numel > WKI_BLOCK_LIMIT / WKI_LANES)
            return wki_fail(plan->context, WICK_ELIMIT,
                            "an activation of more than %lld numbers an image is too large",
                            (long long)(WKI_BLOCK_LIMIT / WKI_LANES));
    }
    if (lanes)
        WKI_TRY(set_lanes(plan, value));
    *out = plan->value_count++;
    return WICK_OK;
}

static wick_status add_op(wki_plan *plan, const wki_op_kind *kind, const wick_module *layer, int in,
                          int out)
{
    WKI_TRY(wki_grow(plan->context, (void **)&plan->ops, &plan->op_capacity, (size_t)plan->op_count + 1,
                     sizeof(*plan->ops), "a plan"));
    plan->ops[plan->op_count++] = (wki_op){.kind = kind, .layer = layer, .in = in, .out = out};
    return WICK_OK;
}

/* Makes a value's layout what the next op wants. */
static wick_status want_layout(wki_plan *plan, bool lanes, int *value)
{
    const wki_value now = plan->values[*value];
    int in = *value;
    if (now.lanes == lanes)
        return WICK_OK;
    WKI_TRY(add_value(plan, now.ndim, now.shape, lanes, now.input_only, value));
    return add_op(plan, &wki_op_layout, NULL, in, *value);
}

/* ---- what runs a layer ---- */

typedef enum layout_wish { ANY, ROWS, LANES } layout_wish;

static const struct layer_op {
    const wki_op_kind *op; /* NULL: none of its own */
    layout_wish layout;
} layer_ops[WKI_KIND_COUNT] = {
    [WKI_FLATTEN] = {NULL, ROWS},
    [WKI_LINEAR] = {&wki_op_linear, ROWS},
    [WKI_CONV2D] = {&wki_op_conv2d, LANES},
    [WKI_MAX_POOL2D] = {&wki_op_max_pool2d, LANES},
    [WKI_BATCH_NORM] = {&wki_op_batch_map, LANES},
    [WKI_DROPOUT] = {&wki_op_dropout, ANY},
    [WKI_AVG_POOL2D] = {&wki_op_avg_pool2d, LANES},
    [WKI_ADAPTIVE_AVG_POOL2D] = {&wki_op_avg_pool2d, LANES},
    [WKI_LEAKY_RELU] = {&wki_op_activation, ANY},
    [WKI_GELU] = {&wki_op_activation, ANY},
    [WKI_SILU] = {&wki_op_activation, ANY},
    [WKI_SIGMOID] = {&wki_op_activation, ANY},
    [WKI_TANH] = {&wki_op_activation, ANY},
    [WKI_SOFTMAX] = {&wki_op_softmax, ROWS},
    [WKI_LOG_SOFTMAX] = {&wki_op_softmax, ROWS},
    [WKI_GROUP_NORM] = {&wki_op_group_norm, LANES},
    [WKI_LAYER_NORM] = {&wki_op_layer_norm, ROWS},
};

/* LayerNorm over whole pictures, which are in lanes before it or after it. */
static bool is_picture_norm(const wick_module *layer, int image_ndim)
{
    return layer->kind == WKI_LAYER_NORM && layer->as.layer_norm.ndim == 3 && image_ndim == 3;
}

/* Dropout of whole channels has to know where they are. */
static layout_wish wish_of(const wick_module *layer, int image_ndim)
{
    if (layer->kind == WKI_DROPOUT && layer->as.dropout.channels)
        return LANES;
    return is_picture_norm(layer, image_ndim) ? LANES : layer_ops[layer->kind].layout;
}

/* ---- along the walk ---- */

/* A Residual whose sum is still to come: the input under its second name, later the body's output. */
typedef struct open_residual {
    int skip, body;
} open_residual;

typedef struct builder {
    wki_plan *plan;
    wki_shape_walk shape;
    int value; /* the last value */
    layout_wish first;
    open_residual *residuals;
    size_t residual_count, residual_capacity;
} builder;

/* The input takes the layout of the first layer that cares. */
static wick_status find_first_layout(void *user, wki_visit_event event, wick_module *layer,
                                     const char *path)
{
    (void)path;
    builder *b = user;
    if (event == WKI_VISIT_LAYER && b->first == ANY)
        b->first = wish_of(layer, b->plan->input_ndim);
    return WICK_OK;
}

/* A ReLU is done by the op before it, as the gradient is masked wherever it is made; else it is an op in
 * place, but where another name of the same numbers needs them as they were. */
static wick_status add_relu(builder *b, const wick_module *layer)
{
    wki_plan *plan = b->plan;
    wki_op *last = &plan->ops[plan->op_count - 1];
    const wki_value now = plan->values[b->value];
    if (now.alias_of >= 0) {
        int in = b->value;
        WKI_TRY(add_value(plan, now.ndim, now.shape, now.lanes, now.input_only, &b->value));
        return add_op(plan, &wki_op_activation, layer, in, b->value);
    }
    if (last->kind->fuses_relu && last->out == b->value)
        last->relu = true;
    else
        WKI_TRY(add_op(plan, &wki_op_relu, NULL, b->value, b->value));
    plan->values[b->value].relu = true;
    return WICK_OK;
}

/* Other sizes for the same numbers. */
static wick_status add_flatten(builder *b, int ndim, const int64_t *shape)
{
    WKI_TRY(want_layout(b->plan, false, &b->value));
    wki_value *value = &b->plan->values[b->value];
    value->ndim = ndim - 1;
    memcpy(value->shape, shape + 1, (size_t)(ndim - 1) * sizeof(*shape));
    return WICK_OK;
}

static wick_status add_layer_op(builder *b, const wick_module *layer)
{
    wki_plan *plan = b->plan;
    const wki_shape_at *shape = &b->shape.now;
    const int image_ndim = shape->ndim - 1;
    const wki_op_kind *kind =
        is_picture_norm(layer, image_ndim) ? &wki_op_group_norm : layer_ops[layer->kind].op;
    layout_wish wish = wish_of(layer, image_ndim);
    if (wish != ANY)
        WKI_TRY(want_layout(plan, wish == LANES, &b->value));
    int in = b->value;
    bool lanes = plan->values[in].lanes;
    bool input_only = plan->values[in].input_only && layer->parameters[0].value == NULL;
    if (kind == &wki_op_batch_map)
        WKI_TRY(add_op(plan, &wki_op_batch_moments, NULL, in, in));
    WKI_TRY(add_value(plan, shape->ndim - 1, shape->sizes + 1, lanes, input_only, &b->value));
    return add_op(plan, kind, layer, in, b->value);
}

static wick_status add_layer(builder *b, const wick_module *layer)
{
    switch (layer->kind) {
    case WKI_RELU:
        return add_relu(b, layer);
    case WKI_FLATTEN:
        return add_flatten(b, b->shape.now.ndim, b->shape.now.sizes);
    case WKI_IDENTITY:
        return WICK_OK;
    default:
        return add_layer_op(b, layer);
    }
}

static wick_status add_name(wki_plan *plan, int of, int *out)
{
    const wki_value value = plan->values[of];
    WKI_TRY(add_value(plan, value.ndim, value.shape, value.lanes, value.input_only, out));
    plan->values[*out].alias_of = of;
    return WICK_OK;
}

static wick_status open_fork(builder *b)
{
    wki_plan *plan = b->plan;
    int in = b->value, skip;
    WKI_TRY(wki_grow(plan->context, (void **)&b->residuals, &b->residual_capacity, b->residual_count + 1,
                     sizeof(*b->residuals), "a plan"));
    WKI_TRY(add_name(plan, in, &b->value));
    WKI_TRY(add_name(plan, in, &skip));
    WKI_TRY(add_op(plan, &wki_op_fork, NULL, in, b->value));
    plan->ops[plan->op_count - 1].other = skip;
    b->residuals[b->residual_count++] = (open_residual){.skip = skip};
    return WICK_OK;
}

static wick_status close_sum(builder *b)
{
    wki_plan *plan = b->plan;
    open_residual residual = b->residuals[--b->residual_count];
    int skip = b->value;
    WKI_TRY(want_layout(plan, plan->values[residual.body].lanes, &skip));
    const wki_value body = plan->values[residual.body];
    bool input_only = body.input_only && plan->values[skip].input_only;
    WKI_TRY(add_value(plan, body.ndim, body.shape, body.lanes, input_only, &b->value));
    WKI_TRY(add_op(plan, &wki_op_sum, NULL, residual.body, b->value));
    plan->ops[plan->op_count - 1].other = skip;
    return WICK_OK;
}

static wick_status visit(void *user, wki_visit_event event, wick_module *module, const char *path)
{
    builder *b = user;
    WKI_TRY(wki_shape_walk_visit(&b->shape, event, module, path));
    switch (event) {
    case WKI_VISIT_LAYER:
        return add_layer(b, module);
    case WKI_VISIT_RESIDUAL:
        return open_fork(b);
    case WKI_VISIT_SHORTCUT:
        b->residuals[b->residual_count - 1].body = b->value;
        b->value = b->residuals[b->residual_count - 1].skip;
        return WICK_OK;
    case WKI_VISIT_SUM:
        break;
    }
    return close_sum(b);
}

static wick_status add_all(builder *b, int ndim, const int64_t *shape)
{
    wki_plan *plan = b->plan;
    WKI_TRY(wki_module_walk(plan->module, find_first_layout, b));
    WKI_TRY(wki_shape_walk_init(&b->shape, plan->module, ndim, shape));
    WKI_TRY(add_value(plan, ndim - 1, shape + 1, b->first == LANES, true, &b->value));
    WKI_TRY(add_op(plan, &wki_op_input, NULL, b->value, b->value));
    WKI_TRY(wki_module_walk(plan->module, visit, b));
    WKI_TRY(want_layout(plan, false, &b->value));
    assert(b->value == plan->value_count - 1); /* the last value is the output */
    return WICK_OK;
}

/* A stage begins with each op that waits for all blocks. */
static wick_status find_stages(wki_plan *plan)
{
    void *memory;
    WKI_TRY(wki_alloc(plan->context, (size_t)plan->op_count + 2, sizeof(int), "a plan", &memory));
    plan->stage_begin = memory;
    plan->stage_count = 1;
    for (int i = 0; i < plan->op_count; i++)
        if (plan->ops[i].kind == &wki_op_batch_map)
            plan->stage_begin[plan->stage_count++] = i;
    plan->stage_begin[plan->stage_count] = plan->op_count;
    return WICK_OK;
}

wick_status wki_plan_build_ops(wki_plan *plan, int ndim, const int64_t *shape)
{
    builder b = {.plan = plan};
    wick_status status = add_all(&b, ndim, shape);
    wki_shape_walk_release(&b.shape);
    free(b.residuals);
    return status == WICK_OK ? find_stages(plan) : status;
}
