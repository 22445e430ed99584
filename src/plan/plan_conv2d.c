/* The convolution in a plan: tables of taps, and the kernel's calls. */
#include "plan/plan_winograd.h"

#include <stdlib.h>

static const wick_size2 one = {1, 1};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* ---- halos ---- */

/* How far a convolution reads before and behind `in` positions of its input to make `out` positions. */
static void input_reach(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding,
                        int64_t dilation, int64_t *before, int64_t *behind)
{
    int64_t last = (out - 1) * stride + (kernel - 1) * dilation - padding;
    *before = padding;
    *behind = WKI_MAX(0, last - (in - 1));
}

/* The same for the gradient of the input, which reads the output's gradient at (i + padding - k *
 * dilation) / stride. */
static void gradient_reach(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding,
                           int64_t dilation, int64_t *before, int64_t *behind)
{
    *before = WKI_MAX(0, -floor_div(padding - (kernel - 1) * dilation, stride));
    *behind = WKI_MAX(0, floor_div(in - 1 + padding, stride) - (out - 1));
}

/* As much more of a halo as whole tiles reach beyond what there is. */
static void add_tiles(wki_halo *halo, const wki_value *value, int tile, wick_size2 dilation)
{
    if (tile == 0)
        return;
    halo->bottom += wki_reach_of_tiles(value->height, tile, dilation.h);
    halo->right += wki_reach_of_tiles(value->width, tile, dilation.w);
}

/* So many rows or columns of windows of 2x2 reach as far: the gradients may be read through a pooling, see
 * wki_conv2d_unpools(). */
static int64_t half(int64_t reach)
{
    return (reach + 1) / 2;
}

static void need(wki_op *op, wki_plan *plan)
{
    const wki_conv2d *c = &op->layer->as.conv2d;
    wki_value *in = &plan->values[op->in], *out = &plan->values[op->out];
    wki_halo h;
    input_reach(in->height, out->height, c->kernel.h, c->stride.h, c->padding.h, c->dilation.h, &h.top,
                &h.bottom);
    input_reach(in->width, out->width, c->kernel.w, c->stride.w, c->padding.w, c->dilation.w, &h.left,
                &h.right);
    add_tiles(&h, out, wki_conv2d_tile(op, plan), c->dilation);
    wki_need_halo(&in->data, h);
    gradient_reach(in->height, out->height, c->kernel.h, c->stride.h, c->padding.h, c->dilation.h,
                   &h.top, &h.bottom);
    gradient_reach(in->width, out->width, c->kernel.w, c->stride.w, c->padding.w, c->dilation.w, &h.left,
                   &h.right);
    add_tiles(&h, in, wki_conv2d_tile(op, plan), c->dilation);
    wki_need_halo(&out->gradient, h);
    if (op->as.conv2d.pool != NULL)
        wki_need_halo(&plan->values[op->as.conv2d.pool->out].gradient,
                      (wki_halo){half(h.top), half(h.left), half(h.bottom), half(h.right)});
}

/* ---- tables ---- */

static wick_status make_offsets(wick_context *context, size_t count, int32_t **out)
{
    void *memory;
    WKI_TRY(wki_alloc(context, count, sizeof(int32_t), "a convolution's taps", &memory));
    *out = memory;
    return WICK_OK;
}

static wick_status forward_table(wki_op *op, wki_plan *plan)
{
    const wki_conv2d *c = &op->layer->as.conv2d;
    const wki_plane plane = plan->values[op->in].data.plane;
    wki_conv2d_plan *p = &op->as.conv2d;
    WKI_TRY(make_offsets(plan->context, (size_t)p->taps, &p->offset));
    int t = 0;
    for (int64_t i = 0; i < p->in_channels; i++)
        for (int64_t y = 0; y < c->kernel.h; y++)
            for (int64_t x = 0; x < c->kernel.w; x++)
                p->offset[t++] =
                    (int32_t)(i * plane.channel + (y * c->dilation.h - c->padding.h) * plane.row +
                              (x * c->dilation.w - c->padding.w) * plane.column);
    return WICK_OK;
}

/* The taps that meet rows row, row + stride, ... and the columns likewise. */
static wick_status phase_table(wki_op *op, wki_plan *plan, wki_conv2d_phase *phase)
{
    const wki_conv2d *c = &op->layer->as.conv2d;
    const wki_plane plane = plan->values[op->out].gradient.plane;
    wki_conv2d_plan *p = &op->as.conv2d;
    size_t most = (size_t)p->out_channels * (size_t)(c->kernel.h * c->kernel.w);
    WKI_TRY(make_offsets(plan->context, most, &phase->offset));
    WKI_TRY(make_offsets(plan->context, most, &phase->source));
    int t = 0;
    for (int64_t o = 0; o < p->out_channels; o++) {
        for (int64_t y = 0; y < c->kernel.h; y++) {
            int64_t row = phase->row + c->padding.h - y * c->dilation.h;
            if (row != floor_div(row, c->stride.h) * c->stride.h)
                continue;
            for (int64_t x = 0; x < c->kernel.w; x++) {
                int64_t column = phase->column + c->padding.w - x * c->dilation.w;
                if (column != floor_div(column, c->stride.w) * c->stride.w)
                    continue;
                phase->offset[t] =
                    (int32_t)(o * plane.channel + floor_div(row, c->stride.h) * plane.row +
                              floor_div(column, c->stride.w) * plane.column);
                phase->source[t++] = (int32_t)(o * p->taps + y * c->kernel.w + x);
            }
        }
    }
    phase->taps = t;
    return WICK_OK;
}

static wick_status phase_tables(wki_op *op, wki_plan *plan)
{
    const wki_conv2d *c = &op->layer->as.conv2d;
    const wki_value *in = &plan->values[op->in];
    wki_conv2d_plan *p = &op->as.conv2d;
    int rows = (int)WKI_MIN(c->stride.h, in->height), columns = (int)WKI_MIN(c->stride.w, in->width);
    void *memory;
    WKI_TRY(wki_alloc(plan->context, (size_t)rows * (size_t)columns, sizeof(*p->phases),
                      "a convolution's taps", &memory));
    p->phases = memory;
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            wki_conv2d_phase *phase = &p->phases[p->phase_count++];
            *phase =
                (wki_conv2d_phase){.row = row,
                                   .column = column,
                                   .rows = (int)wki_positions_from(row, in->height, c->stride.h),
                                   .columns = (int)wki_positions_from(column, in->width, c->stride.w),
                                   .packed_at = p->packed_floats};
            WKI_TRY(phase_table(op, plan, phase));
            p->packed_floats += (size_t)p->groups * (size_t)p->in_channels * (size_t)phase->taps;
        }
    }
    return WICK_OK;
}

/* The two other ways to the gradient of the weights work on 16 input channels at a time. */
int64_t wki_whole_channels(const wki_conv2d_plan *p)
{
    return (p->in_channels + WKI_LANES - 1) / WKI_LANES * WKI_LANES;
}

/* In percent of the peak, as measured: the direct way is slow where it reads much for few products, and where the
 * channels are too many for the L1 cache. */
static bool gradient_suits_turned(const wki_conv2d_plan *p, const wki_conv2d *c, bool columns)
{
    bool few_products = c->stride.w > 1 || c->kernel.h * c->kernel.w == 1;
    double direct = columns ? 30.0 : few_products ? 40.0 : p->in_channels < 48 ? 86.0 : 66.0;
    double turned = 78.0 * p->in_channels / (double)wki_whole_channels(p);
    return turned * p->out_channels > direct * (p->out_channels + 2);
}

static void choose_gradient(wki_op *op, wki_plan *plan)
{
    const wki_conv2d *c = &op->layer->as.conv2d;
    const wki_value *out = &plan->values[op->out];
    wki_conv2d_plan *p = &op->as.conv2d;
    p->span = (int)((out->width - 1) * c->stride.w + (c->kernel.w - 1) * c->dilation.w + 1);
    if (wki_gradient_suits_winograd(p, c, out)) {
        p->gradient = WKI_GRADIENT_WINOGRAD;
        wki_need_scratch(plan, wki_winograd_gradient_scratch(wki_window_side(p, c), p->in_channels,
                                                             p->out_channels,
                                                             (int)wki_tile_count(out, p->tile, one)));
    } else if (wki_gradient_suits_few(p, c, out)) {
        p->gradient = WKI_GRADIENT_WINOGRAD_FEW;
        wki_need_scratch(
            plan, wki_winograd_few_scratch(wki_window_side(p, c), p->in_channels, p->out_channels));
    } else if (gradient_suits_turned(p, c, plan->columns)) {
        p->gradient = WKI_GRADIENT_TURNED;
        wki_need_scratch(plan, wki_conv2d_turned_scratch(p->in_channels, p->out_channels,
                                                         (int)(c->kernel.h * c->kernel.w), p->span));
    } else {
        wki_need_scratch(plan, wki_conv2d_weight_scratch(p->out_channels, p->taps));
    }
}

/* So many floats, those of 16 to 16 channels by Winograd's way, each thread packs for itself: that takes less than to meet and
 * to get another's share of them from its cache. */
enum { MOST_OWN_FLOATS = 20 * 1024 };

static wick_status layout(wki_op *op, wki_plan *plan)
{
    const wki_conv2d *c = &op->layer->as.conv2d;
    wki_conv2d_plan *p = &op->as.conv2d;
    p->groups = (int)c->groups;
    p->in_channels = (int)(c->in_channels / c->groups);
    p->out_channels = (int)(c->out_channels / c->groups);
    p->taps = (int)(p->in_channels * c->kernel.h * c->kernel.w);
    WKI_TRY(forward_table(op, plan));
    WKI_TRY(phase_tables(op, plan));
    p->tile = wki_conv2d_tile(op, plan);
    if (p->tile != 0) {
        const int side = wki_window_side(p, c);
        p->transformed_floats =
            (size_t)(side * side) * (size_t)p->groups * (size_t)p->in_channels * (size_t)p->out_channels;
        p->packed_floats = 2 * p->transformed_floats;
        wki_need_scratch(plan, wki_winograd_scratch(side, p->in_channels, p->out_channels));
    }
    choose_gradient(op, plan);
    wki_lay_out_taken(op, plan);
    p->shares_packed = p->packed_floats > MOST_OWN_FLOATS;
    if (p->shares_packed)
        op->shared_at = wki_need_shared_floats(plan, p->packed_floats);
    else
        op->thread_at = wki_need_thread_floats(plan, p->packed_floats);
    return WICK_OK;
}

static void release(wki_op *op)
{
    wki_conv2d_plan *p = &op->as.conv2d;
    for (int i = 0; i < p->phase_count; i++) {
        free(p->phases[i].offset);
        free(p->phases[i].source);
    }
    free(p->phases);
    free(p->offset);
}

/* ---- running ---- */

static int lanes_that_count(const wki_task *task)
{
    return task->plan->columns ? WKI_LANES : task->images;
}

float *wki_packed_weights(const wki_op *op, const wki_plan *plan, int thread)
{
    return op->as.conv2d.shares_packed ? plan->shared + op->shared_at
                                       : wki_scratch(plan, thread) + op->thread_at;
}

/* For each phase and group, the weights as the gradient of the input wants them: [in channel][out
 * channel, tap]. */
static void prepare_phases(const wki_op *op, const wki_prepare *what, float *to)
{
    const wki_conv2d_plan *p = &op->as.conv2d;
    const int area = p->taps / p->in_channels, channels = p->groups * p->in_channels;
    const int begin = (int)((int64_t)channels * what->thread / what->threads);
    const int end = (int)((int64_t)channels * (what->thread + 1) / what->threads);
    for (int i = 0; i < p->phase_count; i++) {
        const wki_conv2d_phase *phase = &p->phases[i];
        float *packed = to + phase->packed_at + (ptrdiff_t)begin * phase->taps;
        for (int channel = begin; channel < end; channel++) {
            const float *weight = op->weight +
                                  (ptrdiff_t)(channel / p->in_channels) * p->out_channels * p->taps +
                                  channel % p->in_channels * area;
            for (int t = 0; t < phase->taps; t++)
                *packed++ = weight[phase->source[t]];
        }
    }
}

static void prepare(const wki_op *op, wki_plan *plan, const wki_prepare *what)
{
    const wki_conv2d_plan *p = &op->as.conv2d;
    float *to = wki_packed_weights(op, plan, what->thread);
    wki_prepare share = *what;
    if (!p->shares_packed) {
        share.thread = 0;
        share.threads = 1;
    }
    if (p->tile == 0 && what->backward)
        prepare_phases(op, &share, to);
    if (p->tile != 0 && what->forward)
        wki_prepare_winograd(op, plan, &share, to, false);
    if (p->tile != 0 && what->backward)
        wki_prepare_winograd(op, plan, &share, to + p->transformed_floats, true);
}

static void forward_direct(const wki_op *op, const wki_task *task)
{
    const wki_plan *plan = task->plan;
    const wki_conv2d *c = &op->layer->as.conv2d;
    const wki_conv2d_plan *p = &op->as.conv2d;
    const wki_value *in = &plan->values[op->in], *out = &plan->values[op->out];
    wki_conv2d_call call = {
        .offset = p->offset,
        .in = wki_stepped(plan, in->data.plane, c->stride),
        .out = wki_stepped(plan, out->data.plane, one),
        .taps = p->taps,
        .channels = p->out_channels,
        .columns = wki_steps(plan, out->width),
        .images = lanes_that_count(task),
        .relu = op->relu,
    };
    wki_part(task, out->height, &call.row_begin, &call.row_end);
    for (int g = 0; g < p->groups; g++) {
        call.input = wki_data(task, op->in) + g * p->in_channels * in->data.plane.channel;
        call.output = wki_data(task, op->out) + g * p->out_channels * out->data.plane.channel;
        call.weight = op->weight + (ptrdiff_t)g * p->out_channels * p->taps;
        call.bias = op->bias == NULL ? NULL : op->bias + g * p->out_channels;
        plan->kernels->conv2d(&call);
    }
    wki_clear_behind(plan, wki_data(task, op->out), out->data.plane, out->channels, call.row_begin,
                     call.row_end, 1, out->width);
}

static void forward(const wki_op *op, const wki_task *task)
{
    if (op->as.conv2d.tile != 0)
        wki_forward_winograd(op, task);
    else
        forward_direct(op, task);
}

/* False if nothing. */
static bool take_share(const wki_op *op, const wki_task *task, int group, wki_share *s)
{
    const wki_conv2d_plan *p = &op->as.conv2d;
    const wki_value *in = &task->plan->values[op->in], *out = &task->plan->values[op->out];
    int first = group * p->out_channels, begin, end;
    wki_part(task, p->groups * p->out_channels, &begin, &end);
    *s = (wki_share){
        .begin = WKI_MAX(begin - first, 0),
        .end = WKI_MIN(end - first, p->out_channels),
        .first = first,
        .input = wki_data(task, op->in) + (ptrdiff_t)group * p->in_channels * in->data.plane.channel,
        .delta = wki_gradient(task, op->out) + first * out->gradient.plane.channel,
        .gradient = task->gradients + op->weight_at + (ptrdiff_t)first * p->taps,
        .bias_gradient = op->bias == NULL ? NULL : task->gradients + op->bias_at + first,
    };
    return s->begin < s->end;
}

/* The input where the output's (0, 0) window begins. */
const float *wki_first_window(const wki_op *op, const wki_task *task, const wki_share *s)
{
    const wki_conv2d *c = &op->layer->as.conv2d;
    const wki_plane plane = task->plan->values[op->in].data.plane;
    return s->input - c->padding.h * plane.row - c->padding.w * plane.column;
}

static void gradient_turned(const wki_op *op, const wki_task *task, const wki_share *s)
{
    const wki_conv2d *c = &op->layer->as.conv2d;
    const wki_value *in = &task->plan->values[op->in], *out = &task->plan->values[op->out];
    wki_conv2d_turned_call call = {
        .input = wki_first_window(op, task, s),
        .delta = s->delta,
        .gradient = s->gradient,
        .bias_gradient = s->bias_gradient,
        .scratch = wki_scratch(task->plan, task->thread),
        .in = in->data.plane,
        .out = out->gradient.plane,
        .in_channels = op->as.conv2d.in_channels,
        .channel_begin = s->begin,
        .channel_end = s->end,
        .kernel_h = (int)c->kernel.h,
        .kernel_w = (int)c->kernel.w,
        .stride_h = (int)c->stride.h,
        .stride_w = (int)c->stride.w,
        .dilation_h = (int)c->dilation.h,
        .dilation_w = (int)c->dilation.w,
        .rows = out->height,
        .columns = out->width,
        .span = op->as.conv2d.span,
        .images = task->images,
        .one_image = task->plan->columns,
        .accumulate = task->accumulate,
    };
    task->plan->kernels->conv2d_weight_turned(&call);
}

static void gradient_direct(const wki_op *op, const wki_task *task, const wki_share *s)
{
    const wki_plan *plan = task->plan;
    const wki_value *in = &plan->values[op->in], *out = &plan->values[op->out];
    wki_conv2d_weight_call call = {
        .input = s->input,
        .delta = s->delta,
        .offset = op->as.conv2d.offset,
        .gradient = s->gradient,
        .bias_gradient = s->bias_gradient,
        .scratch = wki_scratch(plan, task->thread),
        .in = wki_stepped(plan, in->data.plane, op->layer->as.conv2d.stride),
        .out = wki_stepped(plan, out->gradient.plane, one),
        .taps = op->as.conv2d.taps,
        .channel_begin = s->begin,
        .channel_end = s->end,
        .rows = out->height,
        .columns = wki_steps(plan, out->width),
        .images = lanes_that_count(task),
        .accumulate = task->accumulate,
    };
    plan->kernels->conv2d_weight(&call);
}

static void backward_weight(const wki_op *op, const wki_task *task)
{
    static void (*const ways[])(const wki_op *, const wki_task *, const wki_share *) = {
        [WKI_GRADIENT_DIRECT] = gradient_direct,
        [WKI_GRADIENT_TURNED] = gradient_turned,
        [WKI_GRADIENT_WINOGRAD] = wki_gradient_winograd,
        [WKI_GRADIENT_WINOGRAD_FEW] = wki_gradient_winograd,
    };
    wki_share s;
    for (int g = 0; g < op->as.conv2d.groups; g++)
        if (take_share(op, task, g, &s))
            ways[op->as.conv2d.gradient](op, task, &s);
}

static void backward_input_direct(const wki_op *op, const wki_task *task)
{
    const wki_plan *plan = task->plan;
    const wki_conv2d *c = &op->layer->as.conv2d;
    const wki_conv2d_plan *p = &op->as.conv2d;
    const wki_value *in = &plan->values[op->in], *out = &plan->values[op->out];
    const wki_plane plane = in->gradient.plane, mask_plane = in->data.plane;
    for (int i = 0; i < p->phase_count; i++) {
        const wki_conv2d_phase *phase = &p->phases[i];
        wki_conv2d_call call = {
            .offset = phase->offset,
            .in = wki_stepped(plan, out->gradient.plane, one),
            .out = wki_stepped(plan, plane, c->stride),
            .mask_plane = wki_stepped(plan, mask_plane, c->stride),
            .taps = phase->taps,
            .channels = p->in_channels,
            .columns = wki_steps(plan, phase->columns),
            .images = lanes_that_count(task),
        };
        wki_part(task, phase->rows, &call.row_begin, &call.row_end);
        ptrdiff_t at = phase->row * plane.row + phase->column * plane.column;
        ptrdiff_t mask_at = phase->row * mask_plane.row + phase->column * mask_plane.column;
        const float *weight = wki_packed_weights(op, task->plan, task->thread) + phase->packed_at;
        for (int g = 0; g < p->groups; g++) {
            int first = g * p->in_channels;
            call.input = wki_gradient(task, op->out) + g * p->out_channels * out->gradient.plane.channel;
            call.output = wki_gradient(task, op->in) + at + first * plane.channel;
            call.weight = weight + (ptrdiff_t)first * phase->taps;
            if (in->relu)
                call.mask = wki_data(task, op->in) + mask_at + first * mask_plane.channel;
            plan->kernels->conv2d(&call);
        }
        wki_clear_behind(plan, wki_gradient(task, op->in) + at, plane, in->channels, call.row_begin,
                         call.row_end, (int)c->stride.h, in->width);
    }
}

static void backward(const wki_op *op, const wki_task *task)
{
    backward_weight(op, task);
    if (!wki_wants_gradient(op, task))
        return;
    if (op->as.conv2d.tile != 0)
        wki_backward_input_winograd(op, task);
    else
        backward_input_direct(op, task);
}

const wki_op_kind wki_op_conv2d = {
    .name = "conv2d",
    .splits = true,
    .fuses_relu = true,
    .forward = forward,
    .backward = backward,
    .prepare = prepare,
    .need = need,
    .layout = layout,
    .release = release,
};
