/* The convolution in a plan: tables of taps, and the kernel's calls. */
#include "plan/plan_internal.h"

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

/* How many of `size` positions there are from `first` on, `step` apart. */
static int64_t positions_from(int64_t first, int64_t size, int64_t step)
{
    return (size - first + step - 1) / step;
}

/* How many tiles a side of `size` positions takes. A dilation's grids, each of every so many-th position, have tiles of
 * their own: the sum over all of them. */
static int64_t tiles_along(int64_t size, int tile, int64_t dilation)
{
    int64_t tiles = 0;
    for (int64_t first = 0; first < WKI_MIN(dilation, size); first++)
        tiles += (positions_from(first, size, dilation) + tile - 1) / tile;
    return tiles;
}

static int64_t tile_count(const wki_value *value, int tile, wick_size2 dilation)
{
    return tiles_along(value->height, tile, dilation.h) * tiles_along(value->width, tile, dilation.w);
}

static int grid_count(wick_size2 dilation, const wki_value *value)
{
    return (int)(WKI_MIN(dilation.h, value->height) * WKI_MIN(dilation.w, value->width));
}

/* About how many cycles a group takes by Winograd's way: the products, and what it takes to transform a channel, as
 * measured. */
static double winograd_time(const wki_conv2d *c, const wki_value *out, int tile)
{
    const double ins = (double)(c->in_channels / c->groups),
                 outs = (double)(c->out_channels / c->groups);
    const double side = (double)(tile + c->kernel.h - 1), transform = side < 6 ? 100.0 : 370.0;
    return (double)tile_count(out, tile, c->dilation) *
           (side * side * ins * outs + transform * (ins + outs));
}

/* The same directly, at four fifths of the peak. */
static double direct_time(const wki_conv2d *c, const wki_value *out)
{
    const double ins = (double)(c->in_channels / c->groups),
                 outs = (double)(c->out_channels / c->groups);
    return 1.25 * (double)(c->kernel.h * c->kernel.w * out->height * out->width) * ins * outs;
}

static bool suits_winograd(const wki_conv2d *c)
{
    /* The transforms pay from about so many channels on, in and out. */
    enum { CHANNELS_3X3 = 8, CHANNELS_5X5 = 12 };
    const int64_t kernel = c->kernel.h, channels = WKI_MIN(c->in_channels, c->out_channels) / c->groups;
    return (kernel == 3 || kernel == 5) && c->kernel.w == kernel && c->stride.h == 1 &&
           c->stride.w == 1 && c->padding.h <= c->dilation.h * (kernel - 1) &&
           c->padding.w <= c->dilation.w * (kernel - 1) &&
           channels >= (kernel == 3 ? CHANNELS_3X3 : CHANNELS_5X5);
}

int wki_winograd_tile(const wki_op *op, const wki_plan *plan)
{
    const wki_conv2d *c = &op->layer->as.conv2d;
    const wki_value *out = &plan->values[op->out];
    if (!suits_winograd(c))
        return 0;
    const int tile = c->kernel.h == 3 && winograd_time(c, out, 4) < winograd_time(c, out, 2) ? 4 : 2;
    /* With large dilations a tile has few outputs, or one. */
    const bool dilated = c->dilation.h > 1 || c->dilation.w > 1;
    return dilated && winograd_time(c, out, tile) > direct_time(c, out) ? 0 : tile;
}

/* Winograd's way is open only with images in the lanes. */
static int winograd_tile(const wki_op *op, const wki_plan *plan)
{
    return plan->columns ? 0 : wki_winograd_tile(op, plan);
}

/* How far whole tiles reach behind the last of `size` positions, over all grids. */
static int64_t reach_of_tiles(int64_t size, int tile, int64_t dilation)
{
    int64_t last = size - 1;
    for (int64_t first = 0; first < WKI_MIN(dilation, size); first++) {
        int64_t positions = positions_from(first, size, dilation);
        last = WKI_MAX(last, first + ((positions + tile - 1) / tile * tile - 1) * dilation);
    }
    return last - (size - 1);
}

/* As much more of a halo as whole tiles reach beyond what there is. */
static void add_tiles(wki_halo *halo, const wki_value *value, int tile, wick_size2 dilation)
{
    if (tile == 0)
        return;
    halo->bottom += reach_of_tiles(value->height, tile, dilation.h);
    halo->right += reach_of_tiles(value->width, tile, dilation.w);
}

/* So many rows or columns of windows of 2x2 reach as far. */
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
    add_tiles(&h, out, winograd_tile(op, plan), c->dilation);
    wki_need_halo(&in->data, h);
    gradient_reach(in->height, out->height, c->kernel.h, c->stride.h, c->padding.h, c->dilation.h,
                   &h.top, &h.bottom);
    gradient_reach(in->width, out->width, c->kernel.w, c->stride.w, c->padding.w, c->dilation.w, &h.left,
                   &h.right);
    add_tiles(&h, in, winograd_tile(op, plan), c->dilation);
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
            *phase = (wki_conv2d_phase){.row = row,
                                        .column = column,
                                        .rows = (int)positions_from(row, in->height, c->stride.h),
                                        .columns = (int)positions_from(column, in->width, c->stride.w),
                                        .packed_at = p->packed_floats};
            WKI_TRY(phase_table(op, plan, phase));
            p->packed_floats += (size_t)p->groups * (size_t)p->in_channels * (size_t)phase->taps;
        }
    }
    return WICK_OK;
}

/* The two other ways to the gradient of the weights work on 16 input channels at a time. */
static int64_t whole_channels(const wki_conv2d_plan *p)
{
    return (p->in_channels + WKI_LANES - 1) / WKI_LANES * WKI_LANES;
}

/* Winograd's pays, where it is open, if 8 output channels' products are little beside the rest: that is what it takes to
 * transform and turn an input channel. Measured from 8 to 100 channels. And what it ends with, for each of a dilation's
 * grids, takes about as long as a tile. */
static bool gradient_suits_winograd(const wki_conv2d_plan *p, const wki_conv2d *c, const wki_value *out)
{
    const int64_t side = p->tile + c->kernel.h - 1, grids = grid_count(c->dilation, out);
    if (p->tile == 0 || (grids > 1 && side * side * (tile_count(out, p->tile, c->dilation) + grids) >
                                          c->kernel.h * c->kernel.w * out->height * out->width))
        return false;
    return 2 * (int64_t)p->in_channels * p->out_channels > whole_channels(p) * (p->out_channels + 8);
}

/* In percent of the peak, as measured: the direct way is slow where it reads much for few products, and where the
 * channels are too many for the L1 cache. */
static bool gradient_suits_turned(const wki_conv2d_plan *p, const wki_conv2d *c, bool columns)
{
    bool few_products = c->stride.w > 1 || c->kernel.h * c->kernel.w == 1;
    double direct = columns ? 30.0 : few_products ? 40.0 : p->in_channels < 48 ? 86.0 : 66.0;
    double turned = 78.0 * p->in_channels / (double)whole_channels(p);
    return turned * p->out_channels > direct * (p->out_channels + 2);
}

static int window_side(const wki_conv2d_plan *p, const wki_conv2d *c)
{
    return p->tile + (int)c->kernel.h - 1;
}

/* Winograd's with images in the lanes pays where channels are too few to be turned, their sums, of 2.3 KB for each pair,
 * stay in the L2 cache, there are tiles enough to make up for reading and adding them up, and little of them lies beyond the
 * picture. Measured from 8 to 24 channels, at 14x14 to 40x40; 21x21, a quarter of whose tiles does, takes longer. */
static bool gradient_suits_few(const wki_conv2d_plan *p, const wki_conv2d *c, const wki_value *out)
{
    enum { MOST_PAIRS = 256, FEWEST_TILES = 24 };
    const int64_t tiles = tile_count(out, 4, c->dilation);
    return p->tile == 4 && (int64_t)p->in_channels * p->out_channels <= MOST_PAIRS &&
           grid_count(c->dilation, out) == 1 && tiles >= FEWEST_TILES &&
           16.0 * (double)tiles <= 1.1 * (double)out->height * (double)out->width;
}

static void choose_gradient(wki_op *op, wki_plan *plan)
{
    const wki_conv2d *c = &op->layer->as.conv2d;
    const wki_value *out = &plan->values[op->out];
    wki_conv2d_plan *p = &op->as.conv2d;
    p->span = (int)((out->width - 1) * c->stride.w + (c->kernel.w - 1) * c->dilation.w + 1);
    if (gradient_suits_winograd(p, c, out)) {
        p->gradient = WKI_GRADIENT_WINOGRAD;
        wki_need_scratch(plan, wki_winograd_gradient_scratch(window_side(p, c), p->in_channels,
                                                             p->out_channels,
                                                             (int)tile_count(out, p->tile, one)));
    } else if (gradient_suits_few(p, c, out)) {
        p->gradient = WKI_GRADIENT_WINOGRAD_FEW;
        wki_need_scratch(plan,
                         wki_winograd_few_scratch(window_side(p, c), p->in_channels, p->out_channels));
    } else if (gradient_suits_turned(p, c, plan->columns)) {
        p->gradient = WKI_GRADIENT_TURNED;
        wki_need_scratch(plan, wki_conv2d_turned_scratch(p->in_channels, p->out_channels,
                                                         (int)(c->kernel.h * c->kernel.w), p->span));
    } else {
        wki_need_scratch(plan, wki_conv2d_weight_scratch(p->out_channels, p->taps));
    }
}

/* Whether the kernels for both gradients can read that of the output as the pooling's and what that took. */
static bool can_unpool(const wki_conv2d_plan *p, const wki_conv2d *c)
{
    return p->pool != NULL && p->tile == 4 && c->padding.h == 1 && c->padding.w == 1 &&
           (p->gradient == WKI_GRADIENT_WINOGRAD || p->gradient == WKI_GRADIENT_WINOGRAD_FEW);
}

bool wki_conv2d_unpools(const wki_op *op, const wki_task *task)
{
    return task->fused && op->as.conv2d.unpools && task->images > WKI_LANES / 2;
}

int32_t *wki_conv2d_taken(const wki_op *op, const wki_task *task)
{
    const wki_plane plane = op->as.conv2d.taken_plane;
    return (int32_t *)(task->slot + op->slot_at) + plane.row + plane.column;
}

static void lay_out_taken(wki_op *op, wki_plan *plan)
{
    wki_conv2d_plan *p = &op->as.conv2d;
    const wki_value *out = &plan->values[op->out];
    if (p->pool == NULL)
        return;
    const ptrdiff_t row = (tiles_along(out->width, p->tile, 1) + 2) * WKI_LANES;
    p->taken_plane = (wki_plane){(tiles_along(out->height, p->tile, 1) + 2) * row, row, WKI_LANES};
    op->slot_at = wki_need_slot_floats(plan, (size_t)(out->channels * p->taken_plane.channel));
    p->unpools = can_unpool(p, &op->layer->as.conv2d);
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
    p->tile = winograd_tile(op, plan);
    if (p->tile != 0) {
        const int side = window_side(p, c);
        p->transformed_floats =
            (size_t)(side * side) * (size_t)p->groups * (size_t)p->in_channels * (size_t)p->out_channels;
        p->packed_floats = 2 * p->transformed_floats;
        wki_need_scratch(plan, wki_winograd_scratch(side, p->in_channels, p->out_channels));
    }
    choose_gradient(op, plan);
    lay_out_taken(op, plan);
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

static float *packed_weights(const wki_op *op, const wki_plan *plan, int thread)
{
    return op->as.conv2d.shares_packed ? plan->shared + op->shared_at
                                       : wki_scratch(plan, thread) + op->thread_at;
}

static void prepare_winograd(const wki_op *op, const wki_plan *plan, const wki_prepare *what, float *to,
                             bool gradient)
{
    const wki_conv2d_plan *p = &op->as.conv2d;
    const int area = p->taps / p->in_channels;
    wki_winograd_weights_call call = {
        .tile = p->tile,
        .kernel = (int)op->layer->as.conv2d.kernel.h,
        .channel_stride = gradient ? area : p->taps,
        .in_channel_stride = gradient ? p->taps : area,
        .in_channels = gradient ? p->out_channels : p->in_channels,
        .channels = gradient ? p->in_channels : p->out_channels,
        .flip = gradient,
    };
    call.channel_begin = (int)((int64_t)call.channels * what->thread / what->threads);
    call.channel_end = (int)((int64_t)call.channels * (what->thread + 1) / what->threads);
    for (int g = 0; g < p->groups; g++) {
        call.weight = op->weight + (ptrdiff_t)g * p->out_channels * p->taps;
        call.transformed = to + (size_t)g * (p->transformed_floats / (size_t)p->groups);
        plan->kernels->winograd_weights(&call);
    }
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
    float *to = packed_weights(op, plan, what->thread);
    wki_prepare share = *what;
    if (!p->shares_packed) {
        share.thread = 0;
        share.threads = 1;
    }
    if (p->tile == 0 && what->backward)
        prepare_phases(op, &share, to);
    if (p->tile != 0 && what->forward)
        prepare_winograd(op, plan, &share, to, false);
    if (p->tile != 0 && what->backward)
        prepare_winograd(op, plan, &share, to + p->transformed_floats, true);
}

/* A convolution with dilations is one without them for every row and column modulo the dilations: of every so many-th
 * position of the input and of the output, a grid that has to do with no other. */
typedef struct grid {
    int row, column; /* its first */
    int height, width;
} grid;

static grid grid_at(wick_size2 dilation, const wki_value *value, int index)
{
    const int across = (int)WKI_MIN(dilation.w, value->width);
    const int row = index / across, column = index % across;
    return (grid){row, column, (int)positions_from(row, value->height, dilation.h),
                  (int)positions_from(column, value->width, dilation.w)};
}

static ptrdiff_t grid_begin(grid g, wki_plane plane)
{
    return g.row * plane.row + g.column * plane.column;
}

/* Runs a call whose pointers and planes are those of whole values, as far as it is this task's: of all grids' tiles, one
 * grid's behind the other's, a part. */
static void run_winograd(const wki_task *task, const wki_value *out, wick_size2 dilation,
                         wki_winograd_call whole)
{
    int begin, end, before = 0;
    wki_part(task, (int)tile_count(out, whole.tile, dilation), &begin, &end);
    for (int i = 0; i < grid_count(dilation, out); i++) {
        const grid g = grid_at(dilation, out, i);
        const int tiles =
            (int)(tiles_along(g.height, whole.tile, 1) * tiles_along(g.width, whole.tile, 1));
        wki_winograd_call call = whole;
        call.tile_begin = WKI_MAX(begin - before, 0);
        call.tile_end = WKI_MIN(end - before, tiles);
        before += tiles;
        if (call.tile_begin >= call.tile_end)
            continue;
        call.input += grid_begin(g, whole.in);
        call.output += grid_begin(g, whole.out);
        if (whole.mask != NULL)
            call.mask += grid_begin(g, whole.mask_plane);
        call.in = wki_stepped(task->plan, whole.in, dilation);
        call.out = wki_stepped(task->plan, whole.out, dilation);
        call.mask_plane = wki_stepped(task->plan, whole.mask_plane, dilation);
        call.height = g.height;
        call.width = g.width;
        task->plan->kernels->winograd(&call);
    }
}

static void forward_winograd(const wki_op *op, const wki_task *task)
{
    const wki_plan *plan = task->plan;
    const wki_conv2d *c = &op->layer->as.conv2d;
    const wki_conv2d_plan *p = &op->as.conv2d;
    const wki_value *in = &plan->values[op->in], *out = &plan->values[op->out];
    const wki_plane plane = in->data.plane;
    wki_winograd_call call = {
        .tile = p->tile,
        .kernel = (int)op->layer->as.conv2d.kernel.h,
        .scratch = wki_scratch(plan, task->thread),
        .in = plane,
        .out = out->data.plane,
        .in_channels = p->in_channels,
        .channels = p->out_channels,
        .images = task->images,
        .relu = op->relu,
    };
    const wki_op *pool = task->fused ? p->pool : NULL;
    const int to = pool != NULL ? pool->out : op->out;
    if (pool != NULL) {
        call.out = plan->values[to].data.plane;
        call.pools = true;
        call.pool_relu = pool->relu;
        call.taken_plane = p->taken_plane;
    }
    for (int g = 0; g < p->groups; g++) {
        const ptrdiff_t first = (ptrdiff_t)g * p->out_channels;
        call.input = wki_data(task, op->in) + g * p->in_channels * plane.channel -
                     c->padding.h * plane.row - c->padding.w * plane.column;
        call.output = wki_data(task, to) + first * call.out.channel;
        if (pool != NULL && task->backward)
            call.taken = wki_conv2d_taken(op, task) + first * p->taken_plane.channel;
        call.weight = packed_weights(op, plan, task->thread) +
                      (size_t)g * (p->transformed_floats / (size_t)p->groups);
        call.bias = op->bias == NULL ? NULL : op->bias + g * p->out_channels;
        run_winograd(task, out, c->dilation, call);
    }
}

static void backward_input_winograd(const wki_op *op, const wki_task *task)
{
    const wki_plan *plan = task->plan;
    const wki_conv2d *c = &op->layer->as.conv2d;
    const wki_conv2d_plan *p = &op->as.conv2d;
    const wki_value *in = &plan->values[op->in];
    const bool unpools = wki_conv2d_unpools(op, task);
    const int from = unpools ? p->pool->out : op->out;
    const wki_plane plane = plan->values[from].gradient.plane;
    const ptrdiff_t reach_h = unpools ? 1 : (c->kernel.h - 1) * c->dilation.h - c->padding.h;
    const ptrdiff_t reach_w = unpools ? 1 : (c->kernel.w - 1) * c->dilation.w - c->padding.w;
    wki_winograd_call call = {
        .tile = p->tile,
        .kernel = (int)op->layer->as.conv2d.kernel.h,
        .scratch = wki_scratch(plan, task->thread),
        .in = plane,
        .out = in->gradient.plane,
        .mask_plane = in->data.plane,
        .in_channels = p->out_channels,
        .channels = p->in_channels,
        .images = task->images,
        .taken_plane = p->taken_plane,
    };
    const float *weight = packed_weights(op, plan, task->thread) + p->transformed_floats;
    for (int g = 0; g < p->groups; g++) {
        int first = g * p->in_channels;
        const ptrdiff_t source = (ptrdiff_t)g * p->out_channels;
        call.input = wki_gradient(task, from) + source * plane.channel - reach_h * plane.row -
                     reach_w * plane.column;
        if (unpools)
            call.unpools = wki_conv2d_taken(op, task) + source * p->taken_plane.channel -
                           p->taken_plane.row - p->taken_plane.column;
        call.output = wki_gradient(task, op->in) + first * in->gradient.plane.channel;
        call.weight = weight + (size_t)g * (p->transformed_floats / (size_t)p->groups);
        if (in->relu)
            call.mask = wki_data(task, op->in) + first * in->data.plane.channel;
        run_winograd(task, in, c->dilation, call);
    }
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
        forward_winograd(op, task);
    else
        forward_direct(op, task);
}

/* What a task does of a group's weights' gradient: the output channels begin .. end of the group. */
typedef struct share {
    int begin, end;
    ptrdiff_t first;            /* the group's first of all output channels */
    const float *input, *delta; /* of the group */
    float *gradient, *bias_gradient;
} share;

/* False if nothing. */
static bool take_share(const wki_op *op, const wki_task *task, int group, share *s)
{
    const wki_conv2d_plan *p = &op->as.conv2d;
    const wki_value *in = &task->plan->values[op->in], *out = &task->plan->values[op->out];
    int first = group * p->out_channels, begin, end;
    wki_part(task, p->groups * p->out_channels, &begin, &end);
    *s = (share){
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
static const float *first_window(const wki_op *op, const wki_task *task, const share *s)
{
    const wki_conv2d *c = &op->layer->as.conv2d;
    const wki_plane plane = task->plan->values[op->in].data.plane;
    return s->input - c->padding.h * plane.row - c->padding.w * plane.column;
}

static void gradient_winograd(const wki_op *op, const wki_task *task, const share *s)
{
    const wki_plan *plan = task->plan;
    const wki_conv2d *c = &op->layer->as.conv2d;
    const wki_conv2d_plan *p = &op->as.conv2d;
    const wki_plane in = plan->values[op->in].data.plane;
    const wki_value *out = &plan->values[op->out];
    const bool unpools = wki_conv2d_unpools(op, task);
    const int from = unpools ? p->pool->out : op->out;
    const wki_plane plane = plan->values[from].gradient.plane;
    wki_winograd_gradient_call call = {
        .tile = p->tile,
        .kernel = (int)c->kernel.h,
        .gradient = s->gradient,
        .bias_gradient = s->bias_gradient,
        .scratch = wki_scratch(plan, task->thread),
        .unpools = unpools ? wki_conv2d_taken(op, task) + s->first * p->taken_plane.channel : NULL,
        .taken_plane = p->taken_plane,
        .in = wki_stepped(plan, in, c->dilation),
        .out = wki_stepped(plan, plane, c->dilation),
        .in_channels = p->in_channels,
        .channels = p->out_channels,
        .channel_begin = s->begin,
        .channel_end = s->end,
        .images = task->images,
        .accumulate = task->accumulate,
    };
    for (int i = 0; i < grid_count(c->dilation, out); i++) {
        const grid g = grid_at(c->dilation, out, i);
        call.input = first_window(op, task, s) + grid_begin(g, in);
        call.delta = wki_gradient(task, from) + s->first * plane.channel + grid_begin(g, plane);
        call.height = g.height;
        call.width = g.width;
        if (p->gradient == WKI_GRADIENT_WINOGRAD_FEW)
            plan->kernels->winograd_gradient_few(&call);
        else
            plan->kernels->winograd_gradient(&call);
        call.accumulate = true;
    }
}

static void gradient_turned(const wki_op *op, const wki_task *task, const share *s)
{
    const wki_conv2d *c = &op->layer->as.conv2d;
    const wki_value *in = &task->plan->values[op->in], *out = &task->plan->values[op->out];
    wki_conv2d_turned_call call = {
        .input = first_window(op, task, s),
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

static void gradient_direct(const wki_op *op, const wki_task *task, const share *s)
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
    static void (*const ways[])(const wki_op *, const wki_task *, const share *) = {
        [WKI_GRADIENT_DIRECT] = gradient_direct,
        [WKI_GRADIENT_TURNED] = gradient_turned,
        [WKI_GRADIENT_WINOGRAD] = gradient_winograd,
        [WKI_GRADIENT_WINOGRAD_FEW] = gradient_winograd,
    };
    share s;
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
        const float *weight = packed_weights(op, task->plan, task->thread) + phase->packed_at;
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
        backward_input_winograd(op, task);
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
