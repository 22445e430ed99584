/* Max pooling of one image, row-major: what max_pool2d.c does for blocks of images, with the same
 * choice of the place. */
#include "cpu/kernel_vector.h"

#include <math.h>
#include <string.h>

ALWAYS_INLINE bool takes(float value, float most)
{
    return value > most || value != value;
}

/* The taps of a window that are inside, first .. end, and where tap 0 is. */
typedef struct span {
    int begin, end, at;
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

/* The largest element of a window, and where it is. */
static float window(const wki_max_pool2d_call *call, const float *input, span h, span w, int *row,
                    int *column)
{
    float most = -INFINITY;
    *row = h.at + h.begin * call->dilation_h;
    *column = w.at + w.begin * call->dilation_w;
    for (int i = h.begin; i < h.end; i++) {
        for (int j = w.begin; j < w.end; j++) {
            int y = h.at + i * call->dilation_h, x = w.at + j * call->dilation_w;
            float value = input[y * call->in.row + x];
            if (!takes(value, most))
                continue;
            most = value;
            *row = y;
            *column = x;
        }
    }
    return most;
}

static bool is_plain_2x2(const wki_max_pool2d_call *call)
{
    return call->kernel_h == 2 && call->kernel_w == 2 && call->stride_h == 2 && call->stride_w == 2 &&
           call->padding_h == 0 && call->padding_w == 0 && call->dilation_h == 1 &&
           call->dilation_w == 1 && call->in_h >= 2 * call->out_h && call->in_w >= 2 * call->out_w;
}

typedef int32_t ivec4 __attribute__((vector_size(16)));

/* As takes(), four at a time. */
ALWAYS_INLINE vec4 larger4(vec4 most, vec4 value)
{
    const ivec4 yes = (ivec4)(value > most) | (ivec4)(value != value);
    return (vec4)((yes & (ivec4)value) | (~yes & (ivec4)most));
}

/* Of eight numbers those in even places, and those in odd ones. */
ALWAYS_INLINE void split4(const float *from, vec4 *even, vec4 *odd)
{
    const vec4 low = *(const vec4 *)from, high = *(const vec4 *)(from + 4);
    *even = __builtin_shufflevector(low, high, 0, 2, 4, 6);
    *odd = __builtin_shufflevector(low, high, 1, 3, 5, 7);
}

static void forward_row_2x2(const float *restrict above, const float *restrict below,
                            float *restrict output, int width)
{
    int x = 0;
    for (; x + 4 <= width; x += 4) {
        vec4 a, b, c, d;
        split4(above + 2 * x, &a, &b);
        split4(below + 2 * x, &c, &d);
        *(vec4 *)(output + x) = larger4(larger4(larger4(a, b), c), d);
    }
    for (; x < width; x++) {
        float a = above[2 * x], b = above[2 * x + 1], c = below[2 * x], d = below[2 * x + 1];
        a = takes(b, a) ? b : a;
        a = takes(c, a) ? c : a;
        output[x] = takes(d, a) ? d : a;
    }
}

void WKI_KERNEL(max_pool2d_columns)(const wki_max_pool2d_call *call)
{
    bool plain = is_plain_2x2(call);
    for (int c = call->channel_begin; c < call->channel_end; c++) {
        const float *input = call->input + c * call->in.channel;
        for (int y = 0; y < call->out_h; y++) {
            float *output = call->output + c * call->out.channel + y * call->out.row;
            span h =
                clip(y, call->kernel_h, call->stride_h, call->padding_h, call->dilation_h, call->in_h);
            if (plain)
                forward_row_2x2(input + 2 * y * call->in.row, input + (2 * y + 1) * call->in.row, output,
                                call->out_w);
            for (int x = 0; x < call->out_w && !plain; x++) {
                int row, column;
                span w = clip(x, call->kernel_w, call->stride_w, call->padding_w, call->dilation_w,
                              call->in_w);
                output[x] = window(call, input, h, w, &row, &column);
            }
            for (int x = 0; x < call->out_w && call->relu; x++)
                output[x] = output[x] < 0.0f ? 0.0f : output[x];
        }
    }
}

void WKI_KERNEL(max_pool2d_columns_backward)(const wki_max_pool2d_call *call)
{
    for (int c = call->channel_begin; c < call->channel_end; c++) {
        const float *input = call->input + c * call->in.channel;
        float *gradient = call->input_gradient + c * call->gradient_plane.channel;
        for (int y = 0; y < call->in_h; y++)
            memset(gradient + y * call->gradient_plane.row, 0, (size_t)call->in_w * sizeof(float));
        for (int y = 0; y < call->out_h; y++) {
            const float *delta = call->delta + c * call->delta_plane.channel + y * call->delta_plane.row;
            span h =
                clip(y, call->kernel_h, call->stride_h, call->padding_h, call->dilation_h, call->in_h);
            for (int x = 0; x < call->out_w; x++) {
                int row, column;
                span w = clip(x, call->kernel_w, call->stride_w, call->padding_w, call->dilation_w,
                              call->in_w);
                if (h.begin >= h.end || w.begin >= w.end) /* a dilation may leave no tap inside */
                    continue;
                float most = window(call, input, h, w, &row, &column);
                if (!call->mask || !(most <= 0.0f))
                    gradient[row * call->gradient_plane.row + column] += delta[x];
            }
        }
    }
}
