/* What brings a batch in, changes layouts, and the ReLU that no other op could take on. */
#include "plan/plan_internal.h"

#include <string.h>

/* Some of a lanes value's channels. */
typedef struct channel_range {
    int begin, end;
} channel_range;

/* A lanes value's call of the layout kernels. */
static wki_layout_call call_for(const wki_value *lanes, const wki_buffer *buffer, const float *data,
                                int images, channel_range which)
{
    return (wki_layout_call){.lanes = (float *)data + which.begin * buffer->plane.channel,
                             .plane = buffer->plane,
                             .pitch = lanes->numel,
                             .images = images,
                             .channels = which.end - which.begin,
                             .height = lanes->height,
                             .width = lanes->width};
}

/* The first of those channels' numbers in a row. */
static ptrdiff_t first_feature(const wki_value *lanes, channel_range which)
{
    return (ptrdiff_t)which.begin * lanes->height * lanes->width;
}

static channel_range all_channels(const wki_value *lanes)
{
    return (channel_range){0, lanes->channels};
}

static channel_range channels_of_part(const wki_task *task, const wki_value *lanes)
{
    channel_range which;
    wki_part(task, lanes->channels, &which.begin, &which.end);
    return which;
}

/* With columns in the lanes a value is row-major but for the halo: row r of all channels' rows. */
static float *image_row(const wki_value *value, const wki_buffer *buffer, const float *data, int r)
{
    return (float *)data + r / value->height * buffer->plane.channel +
           r % value->height * buffer->plane.row;
}

static void channels_to_rows(const wki_plan *plan, const wki_value *value, const wki_buffer *buffer,
                             const float *data, int images, channel_range which, float *rows)
{
    if (!plan->columns) {
        wki_layout_call call = call_for(value, buffer, data, images, which);
        call.rows = rows + first_feature(value, which);
        plan->kernels->lanes_to_rows(&call);
        return;
    }
    for (int r = which.begin * value->height; r < which.end * value->height; r++)
        memcpy(rows + (ptrdiff_t)r * value->width, image_row(value, buffer, data, r),
               (size_t)value->width * sizeof(float));
}

void wki_value_to_rows(const wki_plan *plan, const wki_value *value, const wki_buffer *buffer,
                       const float *data, int images, float *rows)
{
    channels_to_rows(plan, value, buffer, data, images, all_channels(value), rows);
}

/* The way back; mask, if it is not NULL, is laid out as the value's data. */
static void rows_to_channels(const wki_plan *plan, const wki_value *value, const wki_buffer *buffer,
                             float *data, int images, channel_range which, const float *rows,
                             const float *mask)
{
    if (!plan->columns) {
        wki_layout_call call = call_for(value, buffer, data, images, which);
        call.rows = (float *)rows + first_feature(value, which);
        call.mask = mask == NULL ? NULL : mask + which.begin * value->data.plane.channel;
        call.mask_plane = value->data.plane;
        plan->kernels->rows_to_lanes(&call);
        return;
    }
    for (int r = which.begin * value->height; r < which.end * value->height; r++) {
        float *to = image_row(value, buffer, data, r);
        memcpy(to, rows + (ptrdiff_t)r * value->width, (size_t)value->width * sizeof(float));
        if (mask != NULL)
            plan->kernels->relu_backward(image_row(value, &value->data, mask, r), to,
                                         (size_t)value->width);
    }
}

wki_grid wki_grid_of(const wki_task *task, const wki_value *value)
{
    wki_grid grid = {.full = WKI_LANES, .rows = 1};
    int numbers = (int)(task->images * value->numel);
    if (value->lanes && !task->plan->columns) {
        grid = (wki_grid){.rows = value->height, .groups = value->width, .full = task->images};
        grid.last = grid.full;
    } else {
        if (value->lanes) {
            grid.rows = value->height;
            numbers = value->width;
        }
        grid.groups = (numbers + WKI_LANES - 1) / WKI_LANES;
        grid.last = numbers - (grid.groups - 1) * WKI_LANES;
    }
    wki_part(task, value->lanes ? value->channels : 1, &grid.channel_begin, &grid.channel_end);
    return grid;
}

/* ---- input ---- */

static void pixels_to_value(const wki_task *task, const wki_value *value, const uint8_t *const *pixels,
                            float *data)
{
    const wki_plan *plan = task->plan;
    wki_layout_call call = {.pixels = pixels, .images = task->images};
    if (value->lanes && !plan->columns) {
        call = call_for(value, &value->data, data, task->images, all_channels(value));
        call.pixels = pixels;
        plan->kernels->pixels_to_lanes(&call);
        return;
    }
    int rows = value->lanes ? value->channels * value->height : 1;
    call.channels = call.height = 1;
    call.width = (int)(value->numel / rows);
    call.pitch = value->numel;
    for (int r = 0; r < rows; r++) {
        const uint8_t *row = pixels[0] + (ptrdiff_t)r * call.width;
        if (value->lanes)
            call.pixels = &row;
        call.rows = value->lanes ? image_row(value, &value->data, data, r) : data;
        plan->kernels->pixels_to_rows(&call);
    }
}

static void normalize_row(float *row, int64_t count, float mean, float std)
{
    for (int64_t i = 0; i < count; i++)
        row[i] = (row[i] - mean) / std;
}

/* Of a block's last lanes, where there are no images, nothing is to become of the zeros. */
static void normalize_lanes(float *row, int width, int images, float mean, float std)
{
    for (int x = 0; x < width; x++)
        normalize_row(row + (ptrdiff_t)x * WKI_LANES, images, mean, std);
}

static void normalize_value(const wki_task *task, const wki_value *value, float *data)
{
    const wki_plan *plan = task->plan;
    const float *mean = task->batch->mean, *std = task->batch->std;
    const int64_t channels = plan->input_ndim == 3 ? plan->input_shape[0] : 1;
    const int64_t plane = value->numel / channels;
    for (int r = 0; value->lanes && r < value->channels * value->height; r++) {
        const int c = r / value->height;
        float *row = image_row(value, &value->data, data, r);
        if (plan->columns)
            normalize_row(row, value->width, mean[c], std[c]);
        else if (task->images == WKI_LANES)
            normalize_row(row, (int64_t)value->width * WKI_LANES, mean[c], std[c]);
        else
            normalize_lanes(row, value->width, task->images, mean[c], std[c]);
    }
    for (int64_t i = 0; !value->lanes && i < task->images * channels; i++)
        normalize_row(data + i * plane, plane, mean[i % channels], std[i % channels]);
}

/* The pixels of the block's images, fetched to the thread's scratch if they are not there. */
static void find_pixels(const wki_task *task, const wki_value *value, const uint8_t *pixels[WKI_LANES])
{
    const wki_batch *batch = task->batch;
    uint8_t *room = (uint8_t *)wki_scratch(task->plan, task->thread);
    for (int i = 0; i < task->images; i++) {
        if (batch->fetch == NULL) {
            pixels[i] = batch->pixels[task->first + i];
            continue;
        }
        batch->fetch(batch->user, task->first + i, room + i * value->numel);
        pixels[i] = room + i * value->numel;
    }
}

static void take_pixels(const wki_task *task, const wki_value *value, float *data)
{
    const uint8_t *pixels[WKI_LANES];
    find_pixels(task, value, pixels);
    pixels_to_value(task, value, pixels, data);
    if (task->batch->mean != NULL)
        normalize_value(task, value, data);
}

static void take_images(const wki_task *task, const wki_value *value, float *data)
{
    const float *images = task->batch->images + task->first * value->numel;
    if (value->lanes)
        rows_to_channels(task->plan, value, &value->data, data, task->images, all_channels(value),
                         images, NULL);
    else
        memcpy(data, images, (size_t)(task->images * value->numel) * sizeof(float));
}

const uint8_t *const *wki_late_pixels(const wki_task *task)
{
    const wki_batch *batch = task->batch;
    const bool late = task->plan->late_input && batch->pixels != NULL && batch->fetch == NULL &&
                      batch->mean == NULL && !task->mirrored;
    return late ? batch->pixels + task->first : NULL;
}

const uint8_t *const *wki_late_ahead(const wki_task *task)
{
    const wki_batch *batch = task->batch;
    const bool all = batch->ahead_count >= task->first + task->images;
    return all && wki_late_pixels(task) != NULL ? batch->ahead + task->first : NULL;
}

static void input_forward(const wki_op *op, const wki_task *task)
{
    const wki_value *value = &task->plan->values[op->out];
    float *data = wki_data(task, op->out);
    if (wki_late_pixels(task) != NULL)
        return;
    if (task->batch->pixels != NULL || task->batch->fetch != NULL)
        take_pixels(task, value, data);
    else
        take_images(task, value, data);
    if (task->mirrored)
        wki_mirror_value(task, value, data);
}

static void input_backward(const wki_op *op, const wki_task *task)
{
    (void)op;
    (void)task;
}

/* Room for the pixels of a block. */
static void input_need(wki_op *op, wki_plan *plan)
{
    size_t bytes = (size_t)plan->values[op->out].numel * (size_t)plan->block_images;
    wki_need_scratch(plan, (bytes + sizeof(float) - 1) / sizeof(float));
}

const wki_op_kind wki_op_input = {
    .name = "input", .forward = input_forward, .backward = input_backward, .need = input_need};

/* ---- rows <-> lanes ---- */

static void layout_forward(const wki_op *op, const wki_task *task)
{
    const wki_plan *plan = task->plan;
    const wki_value *in = &plan->values[op->in], *out = &plan->values[op->out];
    const channel_range which = channels_of_part(task, in->lanes ? in : out);
    float *from = wki_data(task, op->in), *to = wki_data(task, op->out);
    if (in->lanes)
        channels_to_rows(plan, in, &in->data, from, task->images, which, to);
    else
        rows_to_channels(plan, out, &out->data, to, task->images, which, from, NULL);
}

/* Rows of a part of the channels, masked where a ReLU made them. */
static void mask_rows(const wki_op *op, const wki_task *task, const wki_value *lanes,
                      channel_range which, float *rows)
{
    const wki_value *in = &task->plan->values[op->in];
    const ptrdiff_t first = first_feature(lanes, which);
    const size_t count = (size_t)(first_feature(lanes, (channel_range){which.end, which.end}) - first);
    for (int n = 0; n < task->images && in->relu; n++)
        task->plan->kernels->relu_backward(wki_data(task, op->in) + n * in->numel + first,
                                           rows + n * in->numel + first, count);
}

static void layout_backward(const wki_op *op, const wki_task *task)
{
    const wki_plan *plan = task->plan;
    const wki_value *in = &plan->values[op->in], *out = &plan->values[op->out];
    const channel_range which = channels_of_part(task, in->lanes ? in : out);
    float *from = wki_gradient(task, op->out), *to = wki_gradient(task, op->in);
    if (!wki_wants_gradient(op, task))
        return;
    if (in->lanes) {
        rows_to_channels(plan, in, &in->gradient, to, task->images, which, from, wki_mask(task, op->in));
        return;
    }
    channels_to_rows(plan, out, &out->gradient, from, task->images, which, to);
    mask_rows(op, task, out, which, to);
}

const wki_op_kind wki_op_layout = {
    .name = "layout", .splits = true, .forward = layout_forward, .backward = layout_backward};

/* ---- ReLU in place: whatever makes this value's gradient masks it ---- */

static void relu_forward(const wki_op *op, const wki_task *task)
{
    const wki_buffer *buffer = &task->plan->values[op->in].data;
    const wki_value *value = &task->plan->values[op->in];
    float *data = wki_data(task, op->in);
    if (value->lanes) /* the halo's zeros stay zeros */
        data -= buffer->halo.top * buffer->plane.row + buffer->halo.left * buffer->plane.column;
    task->plan->kernels->relu(data,
                              value->lanes ? buffer->floats : (size_t)(task->images * value->numel));
}

static void relu_backward(const wki_op *op, const wki_task *task)
{
    (void)op;
    (void)task;
}

const wki_op_kind wki_op_relu = {.name = "relu", .forward = relu_forward, .backward = relu_backward};
