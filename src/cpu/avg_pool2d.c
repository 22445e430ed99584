/* Average pooling over windows that a table names: AvgPool2d and AdaptiveAvgPool2d.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html */
#include "cpu/kernel_vector.h"

#include <string.h>

/* ---- images in the lanes ---- */

static void forward_window(const wki_avg_pool2d_call *call, const float *in, const int32_t *rows,
                           const int32_t *columns, float scale, float *out)
{
    vec sums[VPB] = {{0}};
    for (int y = rows[0]; y < rows[1]; y++)
        for (int x = columns[0]; x < columns[1]; x++)
            for (int v = 0; v < VPB; v++)
                sums[v] += load(in + y * call->in.row + x * call->in.column + v * VW);
    for (int v = 0; v < VPB; v++) {
        vec mean = sums[v] * scale;
        store(out + v * VW, call->relu ? relu_vec(mean) : mean);
    }
}

static void backward_window(const wki_avg_pool2d_call *call, const float *delta, const int32_t *rows,
                            const int32_t *columns, float scale, float *gradient)
{
    for (int v = 0; v < VPB; v++) {
        const vec share = load(delta + v * VW) * scale;
        for (int y = rows[0]; y < rows[1]; y++)
            for (int x = columns[0]; x < columns[1]; x++) {
                float *to =
                    gradient + y * call->gradient_plane.row + x * call->gradient_plane.column + v * VW;
                store(to, load(to) + share);
            }
    }
}

/* ---- columns of one image in the lanes: number by number ---- */

static void forward_number(const wki_avg_pool2d_call *call, const float *in, const int32_t *rows,
                           const int32_t *columns, float scale, float *out)
{
    float sum = 0.0f;
    for (int y = rows[0]; y < rows[1]; y++)
        for (int x = columns[0]; x < columns[1]; x++)
            sum += in[y * call->in.row + x * call->in.column];
    sum *= scale;
    *out = call->relu && sum < 0.0f ? 0.0f : sum;
}

static void backward_number(const wki_avg_pool2d_call *call, const float *delta, const int32_t *rows,
                            const int32_t *columns, float scale, float *gradient)
{
    const float share = *delta * scale;
    for (int y = rows[0]; y < rows[1]; y++)
        for (int x = columns[0]; x < columns[1]; x++)
            gradient[y * call->gradient_plane.row + x * call->gradient_plane.column] += share;
}

/* ---- both ---- */

void WKI_KERNEL(avg_pool2d)(const wki_avg_pool2d_call *call)
{
    for (int c = call->channel_begin; c < call->channel_end; c++)
        for (int y = 0; y < call->out_h; y++)
            for (int x = 0; x < call->out_w; x++) {
                const float *in = call->input + c * call->in.channel;
                float *out =
                    call->output + c * call->out.channel + y * call->out.row + x * call->out.column;
                const float scale = call->scale[y * call->out_w + x];
                (call->one_image ? forward_number : forward_window)(call, in, call->rows + 2 * y,
                                                                    call->columns + 2 * x, scale, out);
            }
}

/* Zeroes the gradient's row, or does to it what the input's ReLU wants. */
static void finish_row(const wki_avg_pool2d_call *call, int c, int y, bool zero)
{
    int count = call->in_w * (call->one_image ? 1 : WKI_LANES);
    float *row = call->input_gradient + c * call->gradient_plane.channel + y * call->gradient_plane.row;
    const float *in = call->input + c * call->in.channel + y * call->in.row;
    if (zero)
        memset(row, 0, (size_t)count * sizeof(float));
    for (int i = 0; i < count && !zero && call->mask; i++)
        row[i] = in[i] <= 0.0f ? 0.0f : row[i];
}

void WKI_KERNEL(avg_pool2d_backward)(const wki_avg_pool2d_call *call)
{
    for (int c = call->channel_begin; c < call->channel_end; c++) {
        float *gradient = call->input_gradient + c * call->gradient_plane.channel;
        for (int y = 0; y < call->in_h; y++)
            finish_row(call, c, y, true);
        for (int y = 0; y < call->out_h; y++)
            for (int x = 0; x < call->out_w; x++) {
                const float *delta = call->delta + c * call->delta_plane.channel +
                                     y * call->delta_plane.row + x * call->delta_plane.column;
                const float scale = call->scale[y * call->out_w + x];
                (call->one_image ? backward_number : backward_window)(
                    call, delta, call->rows + 2 * y, call->columns + 2 * x, scale, gradient);
            }
        for (int y = 0; y < call->in_h; y++)
            finish_row(call, c, y, false);
    }
}
