/* Max pooling in lanes, forward and backward, with PyTorch's choice of the place: the first of
 * equals in reading order, but the last NaN if there is one. The place is found again in the
 * backward pass rather than stored: the input has to be read for the ReLU's mask anyway. (Not where a convolution
 * has pooled and there is no input.) */
#include "cpu/pool_taken.h"

#include <math.h>
#include <string.h>

/* Which taps of a window are inside: first .. end, in steps of dilation. */
typedef struct span {
    int begin, end; /* tap numbers */
    int at;         /* the input row or column of tap 0, may be negative */
} span;

static span clip(int out, int kernel, int stride, int padding, int dilation, int size)
{
    span s = {0, kernel, out * stride - padding};
    if (s.at < 0)
        s.begin = (-s.at + dilation - 1) / dilation;
    if (s.at + (kernel - 1) * dilation >= size)
        s.end = (size - s.at + dilation - 1) / dilation;
    return s;
}

static void forward_window(const wki_max_pool2d_call *call, const float *input, float *output, span h,
                           span w)
{
    for (int v = 0; v < VPB; v++) {
        vec most = splat(-INFINITY);
        for (int i = h.begin; i < h.end; i++) {
            const float *in = input + (h.at + i * call->dilation_h) * call->in.row + v * VW;
            for (int j = w.begin; j < w.end; j++) {
                vec value = load(in + (w.at + j * call->dilation_w) * call->in.column);
                most = select_vec(takes(value, most), value, most);
            }
        }
        store(output + v * VW, call->relu ? relu_vec(most) : most);
    }
}

/* The commonest window, 2x2 in steps of 2. */
static void forward_row_2x2(const wki_max_pool2d_call *call, const float *input, float *output)
{
    const ptrdiff_t row = call->in.row, column = call->in.column;
    const bool relu = call->relu;
    for (int x = 0; x < call->out_w; x++) {
        for (int v = 0; v < VPB; v++) {
            const float *in = input + 2 * x * column + v * VW;
            const vec four[4] = {load(in), load(in + column), load(in + row), load(in + row + column)};
            ivec taken; /* of no use here */
            const vec most = pool_four(four, (const int[4]){0}, &taken);
            store(output + x * call->out.column + v * VW, relu ? relu_vec(most) : most);
        }
    }
}

/* Those whose gradient may be made in place: wki_is_plain_pool(). */
static bool is_plain_2x2(const wki_max_pool2d_call *call)
{
    return call->kernel_h == 2 && call->kernel_w == 2 && call->stride_h == 2 && call->stride_w == 2 &&
           call->padding_h == 0 && call->padding_w == 0 && call->dilation_h == 1 &&
           call->dilation_w == 1 && call->in_h == 2 * call->out_h && call->in_w == 2 * call->out_w;
}

static void forward_row(const wki_max_pool2d_call *call, const float *input, float *output, int y)
{
    span h = clip(y, call->kernel_h, call->stride_h, call->padding_h, call->dilation_h, call->in_h);
    for (int x = 0; x < call->out_w; x++) {
        span w = clip(x, call->kernel_w, call->stride_w, call->padding_w, call->dilation_w, call->in_w);
        forward_window(call, input, output + x * call->out.column, h, w);
    }
}

void WKI_KERNEL(max_pool2d)(const wki_max_pool2d_call *call)
{
    bool plain = is_plain_2x2(call);
    for (int c = call->channel_begin; c < call->channel_end; c++) {
        const float *input = call->input + c * call->in.channel;
        for (int y = 0; y < call->out_h; y++) {
            float *output = call->output + c * call->out.channel + y * call->out.row;
            if (plain)
                forward_row_2x2(call, input + 2 * y * call->in.row, output);
            else
                forward_row(call, input, output, y);
        }
    }
}

/* Adds the window's gradient where its largest element is. */
static void backward_window(const wki_max_pool2d_call *call, const float *input, float *gradient,
                            const float *delta, span h, span w)
{
    for (int v = 0; v < VPB; v++) {
        vec most = splat(-INFINITY);
        ivec place = (ivec){0} + (h.begin * call->kernel_w + w.begin);
        for (int i = h.begin; i < h.end; i++) {
            const float *in = input + (h.at + i * call->dilation_h) * call->in.row + v * VW;
            for (int j = w.begin; j < w.end; j++) {
                vec value = load(in + (w.at + j * call->dilation_w) * call->in.column);
                ivec take = takes(value, most);
                most = select_vec(take, value, most);
                place = (take & (i * call->kernel_w + j)) | (~take & place);
            }
        }
        vec d = load(delta + v * VW);
        if (call->mask)
            d = mask_vec(most, d);
        for (int i = h.begin; i < h.end; i++) {
            float *out = gradient + (h.at + i * call->dilation_h) * call->gradient_plane.row + v * VW;
            for (int j = w.begin; j < w.end; j++) {
                float *to = out + (w.at + j * call->dilation_w) * call->gradient_plane.column;
                ivec here = place == i * call->kernel_w + j;
                store(to, load(to) + (vec)(here & (ivec)d));
            }
        }
    }
}

/* Every input of a plain 2x2 has one window, so nothing is added up. */
static void backward_row_2x2(const wki_max_pool2d_call *call, const float *input, float *gradient,
                             const float *delta)
{
    const ptrdiff_t row = call->in.row, column = call->in.column;
    const ptrdiff_t to_row = call->gradient_plane.row, to_column = call->gradient_plane.column;
    for (int x = 0; x < call->out_w; x++) {
        for (int v = 0; v < VPB; v++) {
            ptrdiff_t at = 2 * x * column + v * VW;
            vec a = load(input + at), b = load(input + at + column);
            vec c = load(input + at + row), d = load(input + at + row + column);
            ivec take_b = takes(b, a);
            vec ab = select_vec(take_b, b, a);
            ivec take_c = takes(c, ab);
            vec abc = select_vec(take_c, c, ab);
            ivec take_d = takes(d, abc);
            vec g = load(delta + x * call->delta_plane.column + v * VW);
            if (call->mask)
                g = mask_vec(select_vec(take_d, d, abc), g);
            ivec g_abc = ~take_d & (ivec)g;
            ivec g_ab = ~take_c & g_abc;
            float *to = gradient + 2 * x * to_column + v * VW;
            store(to, (vec)(~take_b & g_ab));
            store(to + to_column, (vec)(take_b & g_ab));
            store(to + to_row, (vec)(take_c & g_abc));
            store(to + to_row + to_column, (vec)(take_d & (ivec)g));
        }
    }
}

void WKI_KERNEL(max_pool2d_backward)(const wki_max_pool2d_call *call)
{
    bool plain = is_plain_2x2(call);
    for (int c = call->channel_begin; c < call->channel_end; c++) {
        const float *input = call->input + c * call->in.channel;
        float *gradient = call->input_gradient + c * call->gradient_plane.channel;
        const float *delta = call->delta + c * call->delta_plane.channel;
        for (int y = 0; y < call->in_h && !plain; y++)
            memset(gradient + y * call->gradient_plane.row, 0,
                   (size_t)call->in_w * WKI_LANES * sizeof(float));
        for (int y = 0; y < call->out_h; y++) {
            if (plain) {
                backward_row_2x2(call, input + 2 * y * call->in.row,
                                 gradient + 2 * y * call->gradient_plane.row,
                                 delta + y * call->delta_plane.row);
                continue;
            }
            span h =
                clip(y, call->kernel_h, call->stride_h, call->padding_h, call->dilation_h, call->in_h);
            for (int x = 0; x < call->out_w; x++) {
                span w = clip(x, call->kernel_w, call->stride_w, call->padding_w, call->dilation_w,
                              call->in_w);
                backward_window(call, input, gradient,
                                delta + y * call->delta_plane.row + x * call->delta_plane.column, h, w);
            }
        }
    }
}

/* The same for plain 2x2 windows whose input is not there, but what was taken of it. */
void WKI_KERNEL(max_unpool2d)(const wki_max_unpool2d_call *call)
{
    const wki_plane from = call->delta_plane, to = call->gradient_plane, by = call->taken_plane;
    const int tile = call->tile;
    for (int c = call->channel_begin; c < call->channel_end; c++) {
        for (int y = 0; y < call->height; y++) {
            const float *delta = call->delta + c * from.channel + y * from.row;
            const int32_t *row = call->taken + c * by.channel + 2 * y / tile * by.row;
            float *gradient = call->gradient + c * to.channel + 2 * y * to.row;
            for (int x = 0; x < call->width; x++, gradient += 2 * WKI_LANES) {
                const int32_t *taken = row + 2 * x / tile * by.column;
                const int bit = 1 << (2 * y % tile * tile + 2 * x % tile);
                UNROLL for (int v = 0; v < WKI_LANES; v += VW)
                {
                    const vec d = load(delta + x * WKI_LANES + v);
                    const ivec t = load_taken(taken + v);
                    store(gradient + v, unpooled(d, t, bit));
                    store(gradient + WKI_LANES + v, unpooled(d, t, bit << 1));
                    store(gradient + to.row + v, unpooled(d, t, bit << tile));
                    store(gradient + to.row + WKI_LANES + v, unpooled(d, t, bit << (tile + 1)));
                }
            }
        }
    }
}
