/* The gradient of a convolution's weights with the input turned: row by row of delta, and one row of the kernel after
 * the other. A row of the input is turned as often as the kernel has rows, which is little beside what it is multiplied
 * with; so any stride and dilation will do. Of one image, whose columns are in the lanes, some rows go by at a time. */
#include "cpu/conv2d_bias.h"
#include "cpu/turned.h"

#include <string.h>

/* So many columns at a time that those of a block of input channels about fit the L1 cache; and of one image so many
 * rows, which the room for all blocks' columns holds. */
enum { SEGMENT = 14, ROWS = 12, L1_FLOATS = 6144 };

typedef struct turned {
    const wki_conv2d_turned_call *call;
    int blocks;       /* of 16 input channels */
    int channels;     /* of delta */
    ptrdiff_t column; /* floats of a turned column */
    float *input;     /* [block][column][image][16] */
    float *sums;      /* [kernel row][kernel column][block][channel][16] */
} turned;

static void turn_row(const turned *k, const float *row)
{
    const wki_conv2d_turned_call *call = k->call;
    for (int b = 0; b < k->blocks; b++) {
        const int channels = WKI_MIN(WKI_LANES, call->in_channels - b * WKI_LANES);
        const float *from = row + b * WKI_LANES * call->in.channel;
        float *to = k->input + (ptrdiff_t)b * call->span * k->column;
        for (int x = 0; x < call->span; x++)
            turn_lanes(from + x * call->in.column, call->in.channel, channels, call->images,
                       to + x * k->column);
    }
}

/* The products of a row of delta with the turned row of the input, under one row of the kernel. */
static void multiply_row(const turned *k, const float *delta, float *sums)
{
    const wki_conv2d_turned_call *call = k->call;
    turned_product p = {.delta_channel = call->out.channel,
                        .delta_step = call->out.column,
                        .input_block = call->span * k->column,
                        .input_step = call->stride_w * k->column,
                        .sums_block = (ptrdiff_t)k->channels * WKI_LANES,
                        .images = call->images,
                        .add = true};
    for (int first = 0; first < call->columns; first += SEGMENT) {
        p.steps = WKI_MIN(SEGMENT, call->columns - first);
        p.delta = delta + first * call->out.column;
        for (int t = 0; t < call->kernel_w; t++) {
            p.input = k->input +
                      ((ptrdiff_t)first * call->stride_w + (ptrdiff_t)t * call->dilation_w) * k->column;
            turned_multiply_all(p, k->channels, k->blocks, sums + t * k->blocks * p.sums_block);
        }
    }
}

/* Rows of delta of one image: the columns behind one another take the place of the images. */
static void multiply_rows(const turned *k, int first, int rows)
{
    const wki_conv2d_turned_call *call = k->call;
    const ptrdiff_t row = (ptrdiff_t)call->span * WKI_LANES;
    turned_product p = {.delta = call->delta + call->channel_begin * call->out.channel +
                                 first * call->out.row,
                        .delta_channel = call->out.channel,
                        .delta_step = call->out.row,
                        .input_step = row,
                        .steps = rows,
                        .images = call->columns,
                        .add = true};
    float *sums = k->sums;
    for (int t = 0; t < call->kernel_h * k->blocks; t++) {
        const int ky = t / k->blocks, b = t % k->blocks;
        const int channels = WKI_MIN(WKI_LANES, call->in_channels - b * WKI_LANES);
        const float *from = call->input + b * WKI_LANES * call->in.channel +
                            (first * call->stride_h + ky * call->dilation_h) * call->in.row;
        for (int y = 0; y < rows; y++)
            for (int x = 0; x < call->span; x += WKI_LANES)
                turn_lanes(from + y * call->stride_h * call->in.row + x, call->in.channel, channels,
                           WKI_MIN(WKI_LANES, call->span - x),
                           k->input + y * row + (ptrdiff_t)x * WKI_LANES);
        for (int kx = 0; kx < call->kernel_w; kx++) {
            p.input = k->input + (ptrdiff_t)kx * call->dilation_w * WKI_LANES;
            turned_multiply_all(p, k->channels, 1,
                                sums + ((ptrdiff_t)(ky * call->kernel_w + kx) * k->blocks + b) *
                                           k->channels * WKI_LANES);
        }
    }
}

/* The sums of one output channel. */
static void gradient_channel(const turned *k, int o)
{
    const wki_conv2d_turned_call *call = k->call;
    const int area = call->kernel_h * call->kernel_w;
    float *gradient = call->gradient + (ptrdiff_t)(call->channel_begin + o) * call->in_channels * area;
    for (int i = 0; i < call->in_channels; i++) {
        const float *from =
            k->sums + ((ptrdiff_t)(i / WKI_LANES) * k->channels + o) * WKI_LANES + i % WKI_LANES;
        for (int t = 0; t < area; t++, gradient++) {
            float sum = from[(ptrdiff_t)t * k->blocks * k->channels * WKI_LANES];
            *gradient = call->accumulate ? *gradient + sum : sum;
        }
    }
}

static void sum_images(const turned *k)
{
    const wki_conv2d_turned_call *call = k->call;
    const ptrdiff_t row_sums = (ptrdiff_t)call->kernel_w * k->blocks * k->channels * WKI_LANES;
    for (int y = 0; y < call->rows; y++) {
        for (int t = 0; t < call->kernel_h; t++) {
            int row = y * call->stride_h + t * call->dilation_h;
            turn_row(k, call->input + row * call->in.row);
            multiply_row(k, call->delta + call->channel_begin * call->out.channel + y * call->out.row,
                         k->sums + t * row_sums);
        }
    }
}

static void sum_one_image(const turned *k)
{
    const wki_conv2d_turned_call *call = k->call;
    const int fit = L1_FLOATS / (call->span * WKI_LANES), most = WKI_MAX(1, WKI_MIN(ROWS, fit));
    for (int first = 0; first < call->rows; first += most)
        multiply_rows(k, first, WKI_MIN(most, call->rows - first));
}

void WKI_KERNEL(conv2d_weight_turned)(const wki_conv2d_turned_call *call)
{
    turned k = {.call = call,
                .blocks = (call->in_channels + WKI_LANES - 1) / WKI_LANES,
                .channels = call->channel_end - call->channel_begin,
                .column = (ptrdiff_t)WKI_LANES * WKI_LANES,
                .sums = call->scratch};
    const ptrdiff_t taps = (ptrdiff_t)call->kernel_h * call->kernel_w;
    k.input = k.sums + taps * k.blocks * k.channels * WKI_LANES;
    memset(k.sums, 0, (size_t)(k.input - k.sums) * sizeof(float));
    (call->one_image ? sum_one_image : sum_images)(&k);
    for (int o = 0; o < k.channels; o++)
        gradient_channel(&k, o);
    if (call->bias_gradient == NULL)
        return;
    wki_plane plane = call->out;
    plane.column = call->one_image ? WKI_LANES : plane.column;
    conv2d_bias(call->delta, plane, call->rows,
                call->one_image ? (call->columns + WKI_LANES - 1) / WKI_LANES : call->columns,
                call->channel_begin, call->channel_end, call->accumulate, call->bias_gradient);
}
