/* A convolution by Winograd's way in a plan: in which tiles, and its calls. */
#include "plan/plan_winograd.h"

/* How many tiles a side of `size` positions takes. A dilation's grids, each of every so many-th position, have tiles of
 * their own: the sum over all of them. */
static int64_t tiles_along(int64_t size, int tile, int64_t dilation)
{
    int64_t tiles = 0;
    for (int64_t first = 0; first < WKI_MIN(dilation, size); first++)
        tiles += (wki_positions_from(first, size, dilation) + tile - 1) / tile;
    return tiles;
}

int64_t wki_tile_count(const wki_value *value, int tile, wick_size2 dilation)
{
    return tiles_along(value->height, tile, dilation.h) * tiles_along(value->width, tile, dilation.w);
}

int wki_grid_count(wick_size2 dilation, const wki_value *value)
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
    return (double)wki_tile_count(out, tile, c->dilation) *
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
int wki_conv2d_tile(const wki_op *op, const wki_plan *plan)
{
    return plan->columns ? 0 : wki_winograd_tile(op, plan);
}

/* How far whole tiles reach behind the last of `size` positions, over all grids. */
int64_t wki_reach_of_tiles(int64_t size, int tile, int64_t dilation)
{
    int64_t last = size - 1;
    for (int64_t first = 0; first < WKI_MIN(dilation, size); first++) {
        int64_t positions = wki_positions_from(first, size, dilation);
        last = WKI_MAX(last, first + ((positions + tile - 1) / tile * tile - 1) * dilation);
    }
    return last - (size - 1);
}

int wki_window_side(const wki_conv2d_plan *p, const wki_conv2d *c)
{
    return p->tile + (int)c->kernel.h - 1;
}

/* Winograd's pays, where it is open, if 8 output channels' products are little beside the rest: that is what it takes to
 * transform and turn an input channel. Measured from 8 to 100 channels. And what it ends with, for each of a dilation's
 * grids, takes about as long as a tile. */
bool wki_gradient_suits_winograd(const wki_conv2d_plan *p, const wki_conv2d *c, const wki_value *out)
{
    const int64_t side = p->tile + c->kernel.h - 1, grids = wki_grid_count(c->dilation, out);
    if (p->tile == 0 || (grids > 1 && side * side * (wki_tile_count(out, p->tile, c->dilation) + grids) >
                                          c->kernel.h * c->kernel.w * out->height * out->width))
        return false;
    return 2 * (int64_t)p->in_channels * p->out_channels > wki_whole_channels(p) * (p->out_channels + 8);
}

/* Winograd's with images in the lanes pays where channels are too few to be turned, their sums, of 2.3 KB for each pair,
 * stay in the L2 cache, there are tiles enough to make up for reading and adding them up, and little of them lies beyond the
 * picture. Measured from 8 to 24 channels, at 14x14 to 40x40; 21x21, a quarter of whose tiles does, takes longer. */
bool wki_gradient_suits_few(const wki_conv2d_plan *p, const wki_conv2d *c, const wki_value *out)
{
    enum { MOST_PAIRS = 256, FEWEST_TILES = 24 };
    const int64_t tiles = wki_tile_count(out, 4, c->dilation);
    return p->tile == 4 && (int64_t)p->in_channels * p->out_channels <= MOST_PAIRS &&
           wki_grid_count(c->dilation, out) == 1 && tiles >= FEWEST_TILES &&
           16.0 * (double)tiles <= 1.1 * (double)out->height * (double)out->width;
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

void wki_lay_out_taken(wki_op *op, wki_plan *plan)
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

/* ---- running ---- */

void wki_prepare_winograd(const wki_op *op, const wki_plan *plan, const wki_prepare *what, float *to,
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
    return (grid){row, column, (int)wki_positions_from(row, value->height, dilation.h),
                  (int)wki_positions_from(column, value->width, dilation.w)};
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
    wki_part(task, (int)wki_tile_count(out, whole.tile, dilation), &begin, &end);
    for (int i = 0; i < wki_grid_count(dilation, out); i++) {
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

void wki_forward_winograd(const wki_op *op, const wki_task *task)
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
        call.weight = wki_packed_weights(op, plan, task->thread) +
                      (size_t)g * (p->transformed_floats / (size_t)p->groups);
        call.bias = op->bias == NULL ? NULL : op->bias + g * p->out_channels;
        run_winograd(task, out, c->dilation, call);
    }
}

void wki_backward_input_winograd(const wki_op *op, const wki_task *task)
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
    const float *weight = wki_packed_weights(op, plan, task->thread) + p->transformed_floats;
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

void wki_gradient_winograd(const wki_op *op, const wki_task *task, const wki_share *s)
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
    for (int i = 0; i < wki_grid_count(c->dilation, out); i++) {
        const grid g = grid_at(c->dilation, out, i);
        call.input = wki_first_window(op, task, s) + grid_begin(g, in);
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
