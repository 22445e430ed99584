/* Making a plan once its values and ops are there: parameters, the buffers' layout, memory. */
#include "plan/plan_internal.h"
#include "tensor/tensor_internal.h"

#include <stdlib.h>
#include <string.h>

/* Parts of the batch. An image of its own, with columns in the lanes, is little work beside the gradients of a large Linear,
 * which are written and read for each part. */
enum { MAX_PARTS_OF_COLUMNS = 4, ALIGN_FLOATS = 16 };

static size_t round_up(size_t floats)
{
    return (floats + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

/* ---- parameters ---- */

/* Collects the parameters in state_dict order and tells each op where its gradients are. */
static wick_status bind_parameters(wki_plan *plan)
{
    size_t most = (size_t)plan->op_count * WKI_MAX_PARAMETERS;
    void *memory;
    WKI_TRY(wki_alloc(plan->context, most, sizeof(*plan->parameters), "a plan", &memory));
    plan->parameters = memory;
    WKI_TRY(wki_alloc(plan->context, most, sizeof(*plan->parameter_at), "a plan", &memory));
    plan->parameter_at = memory;
    for (int i = 0; i < plan->op_count; i++) {
        wki_op *op = &plan->ops[i];
        for (int p = 0; op->layer != NULL && p < WKI_MAX_PARAMETERS; p++) {
            wki_parameter *parameter = (wki_parameter *)&op->layer->parameters[p];
            if (parameter->value == NULL)
                continue;
            *(p == 0 ? &op->weight_at : &op->bias_at) = plan->parameter_floats;
            *(p == 0 ? &op->weight : &op->bias) = parameter->value->data;
            plan->parameters[plan->parameter_count] = parameter;
            plan->parameter_at[plan->parameter_count++] = plan->parameter_floats;
            plan->parameter_floats += round_up((size_t)parameter->value->numel);
        }
    }
    return WICK_OK;
}

/* ---- buffers ---- */

void wki_need_halo(wki_buffer *buffer, wki_halo halo)
{
    wki_halo *h = &buffer->halo;
    *h = (wki_halo){WKI_MAX(h->top, halo.top), WKI_MAX(h->left, halo.left),
                    WKI_MAX(h->bottom, halo.bottom), WKI_MAX(h->right, halo.right)};
}

void wki_need_scratch(wki_plan *plan, size_t floats)
{
    plan->scratch_floats = WKI_MAX(plan->scratch_floats, round_up(floats));
}

size_t wki_need_thread_floats(wki_plan *plan, size_t floats)
{
    size_t at = plan->thread_floats;
    plan->thread_floats += round_up(floats);
    return at;
}

size_t wki_need_shared_floats(wki_plan *plan, size_t floats)
{
    size_t at = plan->shared_floats;
    plan->shared_floats += round_up(floats);
    return at;
}

size_t wki_need_slot_floats(wki_plan *plan, size_t floats)
{
    size_t at = plan->slot_floats;
    plan->slot_floats += round_up(floats);
    return at;
}

/* How wide a row of a lanes buffer is. With columns in the lanes the kernels read and write whole
 * vectors, and what they write behind the last column is zeroed again: it is part of the halo. */
static int64_t row_width(const wki_plan *plan, const wki_value *value, wki_halo halo)
{
    int64_t behind = value->width + halo.right;
    if (plan->columns)
        behind = WKI_MAX(behind, (int64_t)wki_steps(plan, value->width) * WKI_LANES);
    return halo.left + behind;
}

static wick_status place_buffer(wki_plan *plan, const wki_value *value, wki_buffer *buffer)
{
    int64_t lanes = plan->columns ? 1 : WKI_LANES;
    int64_t floats = value->numel * plan->block_images, origin = 0;
    if (value->lanes) {
        const wki_halo h = buffer->halo;
        int64_t width = row_width(plan, value, h), height = value->height + h.top + h.bottom;
        if (!wki_mul_i64(width, height, &floats) ||
            !wki_mul_i64(floats, value->channels * lanes, &floats))
            floats = INT64_MAX;
        if (floats <= WKI_BLOCK_LIMIT) {
            buffer->plane = (wki_plane){width * height * lanes, width * lanes, lanes};
            origin = h.top * buffer->plane.row + h.left * buffer->plane.column;
            /* The last vectors of the last row may be read past its end. */
            floats += plan->columns ? width + WKI_LANES : 0;
        }
    }
    if (floats > WKI_BLOCK_LIMIT)
        return wki_fail(plan->context, WICK_ELIMIT,
                        "an activation of %lld numbers for %d images is too large", (long long)floats,
                        plan->block_images);
    buffer->floats = round_up((size_t)floats);
    buffer->at = plan->slot_floats + (size_t)origin;
    plan->slot_floats += buffer->floats;
    return WICK_OK;
}

/* Fewer than 16 floats become 0, without a call: there are some hundred such places in one image. */
static inline void clear_few(float *at, size_t count)
{
    enum { ONE = sizeof(float), TWO = 2 * ONE, FOUR = 4 * ONE, EIGHT = 8 * ONE };
    if (count >= 8) {
        memset(at, 0, EIGHT);
        memset(at + count - 8, 0, EIGHT);
    } else if (count >= 4) {
        memset(at, 0, FOUR);
        memset(at + count - 4, 0, FOUR);
    } else if (count >= 2) {
        memset(at, 0, TWO);
        memset(at + count - 2, 0, TWO);
    } else if (count == 1) {
        memset(at, 0, ONE);
    }
}

void wki_clear_behind(const wki_plan *plan, float *data, wki_plane plane, int channels, int begin,
                      int end, int step, int width)
{
    size_t behind = (size_t)(wki_steps(plan, width) * WKI_LANES - width);
    if (!plan->columns || behind == 0)
        return;
    for (int c = 0; c < channels; c++)
        for (int y = begin; y < end; y++)
            clear_few(data + c * plane.channel + (ptrdiff_t)y * step * plane.row + width, behind);
}

/* The op that reads a value; a ReLU in place does not. NULL: there is none. */
static const wki_op *find_reader(const wki_plan *plan, int value)
{
    for (int i = 0; i < plan->op_count; i++)
        if (plan->ops[i].in == value && plan->ops[i].kind != &wki_op_relu)
            return &plan->ops[i];
    return NULL;
}

/* Whether a gradient may take the place of a value's data, which are in the cache when it is made: the op that reads the value
 * has no more use for a number once it has made that one's gradient, they have no other name, and no op in the lanes looks at
 * its output again. */
static bool suits_in_place(const wki_plan *plan, int value)
{
    const wki_op *reader = find_reader(plan, value);
    const wki_value *v = &plan->values[value];
    if (value == 0 || plan->columns || !v->lanes || v->alias_of >= 0 || reader == NULL)
        return false;
    return reader->kind == &wki_op_conv2d ? wki_winograd_tile(reader, plan) != 0
                                          : wki_is_plain_pool(reader, plan);
}

static void choose_in_place(wki_plan *plan)
{
    for (int i = 0; i < plan->value_count; i++) {
        wki_value *value = &plan->values[i];
        value->in_place = suits_in_place(plan, i);
        if (!value->in_place)
            continue;
        wki_need_halo(&value->data, value->gradient.halo);
        wki_need_halo(&value->gradient, value->data.halo);
    }
}

/* Convolutions by Winograd's way, whose tiles are of whole windows, do a plain pooling right behind them: what is between them
 * need not be stored, in the forward pass, nor read. A dilation's grids have other windows. */
static void choose_fused_pools(wki_plan *plan)
{
    for (int i = 0; i + 1 < plan->op_count; i++) {
        wki_op *op = &plan->ops[i], *next = op + 1;
        if (op->kind != &wki_op_conv2d || plan->columns || next->in != op->out ||
            !wki_is_plain_pool(next, plan) || wki_winograd_tile(op, plan) == 0 ||
            op->layer->as.conv2d.dilation.h != 1 || op->layer->as.conv2d.dilation.w != 1)
            continue;
        op->as.conv2d.pool = next;
        next->as.max_pool2d.conv2d = op;
    }
}

/* An alias is after the value whose data it is: that has the largest halo of all its names. */
static wick_status place_buffers(wki_plan *plan)
{
    for (int i = plan->value_count - 1; i >= 0; i--) {
        const wki_value *value = &plan->values[i];
        if (value->alias_of >= 0)
            wki_need_halo(&plan->values[value->alias_of].data, value->data.halo);
    }
    for (int i = 0; i < plan->value_count; i++) {
        wki_value *value = &plan->values[i];
        if (value->alias_of >= 0)
            value->data = plan->values[value->alias_of].data;
        else
            WKI_TRY(place_buffer(plan, value, &value->data));
        WKI_TRY(place_buffer(plan, value, &value->gradient));
    }
    return WICK_OK;
}

static wick_status lay_out(wki_plan *plan)
{
    choose_fused_pools(plan);
    for (int i = 0; i < plan->op_count; i++)
        if (plan->ops[i].kind->need != NULL)
            plan->ops[i].kind->need(&plan->ops[i], plan);
    choose_in_place(plan);
    WKI_TRY(place_buffers(plan));
    for (int i = 0; i < plan->op_count; i++)
        if (plan->ops[i].kind->layout != NULL)
            WKI_TRY(plan->ops[i].kind->layout(&plan->ops[i], plan));
    wki_plan_need_flips(plan);
    /* Scratch comes first in a thread's memory; what the ops asked for of their own comes after it. */
    for (int i = 0; i < plan->op_count; i++)
        plan->ops[i].thread_at += plan->scratch_floats;
    plan->thread_floats = round_up(plan->thread_floats + plan->scratch_floats);
    return WICK_OK;
}

/* Where several threads work, what each has of its own begins at a large page, if it is as large as `from`: with cores that
 * are far from each other, a thread's memory in the same page as another's took it up to four times as long to get. */
static size_t apart(const wki_plan *plan, size_t floats, size_t from)
{
    enum { PAGE_FLOATS = WKI_LARGE_PAGE / sizeof(float) };
    if (plan->threads == 1 || floats < from / sizeof(float))
        return floats;
    return (floats + PAGE_FLOATS - 1) / PAGE_FLOATS * PAGE_FLOATS;
}

static wick_status take_memory(wki_plan *plan)
{
    void *memory;
    /* There are as many slots as blocks, but few threads. */
    plan->slot_floats = apart(plan, plan->slot_floats, WKI_LARGE_PAGE);
    plan->thread_floats = apart(plan, plan->thread_floats, WKI_LARGE_PAGE / 4);
    WKI_TRY(wki_alloc(plan->context, (size_t)plan->slots, plan->slot_floats * sizeof(float),
                      "activations", &memory));
    plan->memory = memory;
    WKI_TRY(wki_alloc(plan->context, (size_t)plan->parts, plan->parameter_floats * sizeof(float),
                      "gradients", &memory));
    plan->gradients = memory;
    WKI_TRY(wki_alloc(plan->context, (size_t)plan->threads, plan->thread_floats * sizeof(float),
                      "scratch", &memory));
    plan->thread_memory = memory;
    WKI_TRY(wki_alloc(plan->context, 1, plan->shared_floats * sizeof(float), "packed weights", &memory));
    plan->shared = memory;
    return WICK_OK;
}

/* ---- the whole ---- */

static void plan_free(void *pointer)
{
    wki_plan *plan = pointer;
    if (plan == NULL)
        return;
    plan_free(plan->next);
    for (int i = 0; i < plan->op_count; i++)
        if (plan->ops[i].kind->release != NULL)
            plan->ops[i].kind->release(&plan->ops[i]);
    free(plan->ops);
    free(plan->values);
    free(plan->stage_begin);
    free(plan->parameters);
    free(plan->parameter_at);
    free(plan->memory);
    free(plan->gradients);
    free(plan->thread_memory);
    free(plan->shared);
    free(plan);
}

/* What a training step of a convolution takes by Winograd's way with few images, of what it takes directly: TinyVGG with
 * 10 hidden units takes 0.7 ms for up to 8 images, 0.19 ms for each with columns in the lanes; with 64, 17.5 and 5.5 ms. */
#define WINOGRAD_TIME 0.3

/* For how few images it pays to have columns in the lanes: then the last vector of a row is not full, and Winograd's
 * way is not open, while with images in the lanes half a block is the least there is, not all of which can be left out, and
 * threads have to share it. A stride along the rows rules it out. */
static int find_columns_below(const wki_plan *plan)
{
    double useful = 0.0, done = 0.0;
    for (int i = 0; i < plan->op_count; i++) {
        if (plan->ops[i].kind != &wki_op_conv2d)
            continue;
        const wki_conv2d *c = &plan->ops[i].layer->as.conv2d;
        const wki_value *out = &plan->values[plan->ops[i].out];
        double taps = (double)(c->in_channels / c->groups * c->kernel.h * c->kernel.w * out->channels *
                               out->height);
        if (c->stride.w != 1)
            return 0;
        useful +=
            taps * out->width * (wki_winograd_tile(&plan->ops[i], plan) != 0 ? WINOGRAD_TIME : 1.0);
        done += taps * ((out->width + WKI_LANES - 1) / WKI_LANES * WKI_LANES);
    }
    return done == 0.0 ? 0 : (int)(0.9 * WKI_LANES * useful / done + 0.5);
}

static void choose_lanes(wki_plan *plan)
{
    plan->columns_below = find_columns_below(plan);
    plan->columns = plan->capacity < plan->columns_below;
    plan->block_images = plan->columns ? 1 : WKI_LANES;
    plan->blocks = (int)((plan->capacity + plan->block_images - 1) / plan->block_images);
    plan->parts = WKI_MIN(plan->blocks, plan->columns ? MAX_PARTS_OF_COLUMNS : WKI_MAX_PARTS);
    plan->slots = plan->blocks;
}

static wick_status count_work(wki_plan *plan, int ndim, const int64_t *shape)
{
    int64_t one[WICK_MAX_DIMS], count;
    wick_layer_summary *layers;
    memcpy(one, shape, (size_t)ndim * sizeof(*shape));
    one[0] = 1;
    WKI_TRY(wick_module_summary(plan->module, ndim, one, &layers, &count));
    for (int64_t i = 0; i < count; i++)
        plan->multiply_adds += layers[i].multiply_adds;
    free(layers);
    return WICK_OK;
}

static wick_status plan_build(wki_plan *plan, int ndim, const int64_t *shape)
{
    WKI_TRY(wki_context_kernels(plan->context, &plan->kernels));
    WKI_TRY(count_work(plan, ndim, shape));
    WKI_TRY(wki_plan_build_ops(plan, ndim, shape));
    choose_lanes(plan);
    WKI_TRY(bind_parameters(plan));
    WKI_TRY(lay_out(plan));
    return take_memory(plan);
}

static bool same_input(const wki_plan *plan, int ndim, const int64_t *shape)
{
    return ndim == plan->input_ndim + 1 &&
           memcmp(plan->input_shape, shape + 1, (size_t)plan->input_ndim * sizeof(*shape)) == 0 &&
           plan->threads == plan->context->threads && plan->kernels == plan->context->kernels;
}

/* Which plan runs a batch depends on its size alone, never on the plans there are: the two kinds
 * add up the weights' gradients in another order. */
static bool plan_fits(const wki_plan *plan, int ndim, const int64_t *shape)
{
    return same_input(plan, ndim, shape) && shape[0] >= 1 && shape[0] <= plan->capacity &&
           plan->columns == (shape[0] < plan->columns_below);
}

/* Puts a plan in front of the module's others and frees those that it replaces: all but one of the
 * other kind. */
static void adopt(wick_module *module, wki_plan *plan, int ndim, const int64_t *shape)
{
    wki_plan *old = module->plan, *kept = NULL;
    while (old != NULL) {
        wki_plan *next = old->next;
        old->next = NULL;
        if (kept == NULL && same_input(old, ndim, shape) && old->columns != plan->columns)
            kept = old;
        else
            plan_free(old);
        old = next;
    }
    plan->next = kept;
    module->plan = plan;
    module->plan_free = plan_free;
}

/* The module's plan for that input, brought to the front; NULL if there is none. */
static wki_plan *find_plan(wick_module *module, int ndim, const int64_t *shape)
{
    wki_plan *first = module->plan;
    if (first == NULL || plan_fits(first, ndim, shape))
        return first;
    wki_plan *second = first->next;
    if (second == NULL || !plan_fits(second, ndim, shape))
        return NULL;
    second->next = first;
    first->next = NULL;
    first->forward_valid = false;
    module->plan = second;
    return second;
}

wick_status wki_module_plan(wick_module *module, int ndim, const int64_t *shape, wki_plan **out)
{
    *out = ndim < 2 ? NULL : find_plan(module, ndim, shape);
    if (*out != NULL)
        return wki_plan_check_flips(*out);
    wick_context *context = module->context;
    int64_t numel;
    if (ndim < 2)
        return wki_fail(context, WICK_ESHAPE,
                        "the input has %d dimensions; it needs two or more, the batch first", ndim);
    WKI_TRY(wki_shape_numel(context, WICK_FLOAT32, ndim, shape, &numel));
    if (shape[0] < 1 || shape[0] > INT32_MAX / 2)
        return wki_fail(context, WICK_EINVAL, "a batch of %lld images; it must be 1 or more",
                        (long long)shape[0]);
    void *memory;
    WKI_TRY(wki_alloc(context, 1, sizeof(wki_plan), "a plan", &memory));
    wki_plan *plan = memory;
    plan->context = context;
    plan->module = module;
    plan->threads = context->threads;
    plan->input_ndim = ndim - 1;
    memcpy(plan->input_shape, shape + 1, (size_t)plan->input_ndim * sizeof(*shape));
    plan->capacity = shape[0];
    wick_status status = plan_build(plan, ndim, shape);
    if (status != WICK_OK) {
        plan_free(plan);
        return status;
    }
    adopt(module, plan, ndim, shape);
    *out = plan;
    return wki_plan_check_flips(plan);
}

int wki_plan_output_shape(const wki_plan *plan, const int64_t **shape)
{
    const wki_value *output = &plan->values[plan->value_count - 1];
    *shape = output->shape;
    return output->ndim;
}

int64_t wki_plan_output_numel(const wki_plan *plan)
{
    return plan->values[plan->value_count - 1].numel;
}

int wki_plan_parameter_count(const wki_plan *plan)
{
    return plan->parameter_count;
}

wki_parameter *wki_plan_parameter(const wki_plan *plan, int index)
{
    return plan->parameters[index];
}
