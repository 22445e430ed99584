/* What batch normalisation does to the channels of a block: moments, the affine map, and the two parts
 * of its gradient. https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html */
#include "cpu/grid.h"

static float sum_of_channel(const wki_channel_call *call, const grid_masks *masks, int c)
{
    vec sums[VPB] = {{0}};
    for (int y = 0; y < call->grid.rows; y++) {
        const float *in = call->input + row_at(call->in, c, y);
        for (int at = 0; at < masks->groups; at++) {
            const ivec *lanes = lanes_at(masks, at);
            UNROLL for (int v = 0; v < VPB; v++)
            {
                const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                sums[v] += masked(load(in + i), lanes[v]);
            }
        }
    }
    return sum_group(sums);
}

static float squares_of_channel(const wki_channel_call *call, const grid_masks *masks, int c, float mean)
{
    vec sums[VPB] = {{0}};
    for (int y = 0; y < call->grid.rows; y++) {
        const float *in = call->input + row_at(call->in, c, y);
        for (int at = 0; at < masks->groups; at++) {
            const ivec *lanes = lanes_at(masks, at);
            UNROLL for (int v = 0; v < VPB; v++)
            {
                const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                vec d = masked(load(in + i) - mean, lanes[v]);
                sums[v] += d * d;
            }
        }
    }
    return sum_group(sums);
}

void WKI_KERNEL(channel_moments)(const wki_channel_call *call)
{
    const grid_masks masks = masks_of(&call->grid);
    for (int c = call->grid.channel_begin; c < call->grid.channel_end; c++) {
        float mean = sum_of_channel(call, &masks, c) / (float)call->count;
        call->sums[2 * c] = mean;
        call->sums[2 * c + 1] = squares_of_channel(call, &masks, c, mean);
    }
}

void WKI_KERNEL(channel_affine)(const wki_channel_call *call)
{
    const grid_masks masks = masks_of(&call->grid);
    for (int c = call->grid.channel_begin; c < call->grid.channel_end; c++) {
        const vec mean = splat(call->mean[c]), scale = splat(call->scale[c]);
        const vec shift = splat(call->shift[c]);
        for (int y = 0; y < call->grid.rows; y++) {
            const float *in = call->input + row_at(call->in, c, y);
            float *out = call->output + row_at(call->out, c, y);
            for (int at = 0; at < masks.groups; at++) {
                const ivec *lanes = lanes_at(&masks, at);
                UNROLL for (int v = 0; v < VPB; v++)
                {
                    const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                    vec value = (load(in + i) - mean) * scale + shift;
                    value = call->relu ? relu_vec(value) : value;
                    store(out + i, masked(value, lanes[v]));
                }
            }
        }
    }
}

void WKI_KERNEL(channel_gradient_sums)(const wki_channel_call *call)
{
    const grid_masks masks = masks_of(&call->grid);
    for (int c = call->grid.channel_begin; c < call->grid.channel_end; c++) {
        vec sums[VPB] = {{0}}, products[VPB] = {{0}};
        const vec mean = splat(call->mean[c]);
        for (int y = 0; y < call->grid.rows; y++) {
            const float *in = call->input + row_at(call->in, c, y);
            const float *delta = call->delta + row_at(call->delta_plane, c, y);
            for (int at = 0; at < masks.groups; at++) {
                const ivec *lanes = lanes_at(&masks, at);
                UNROLL for (int v = 0; v < VPB; v++)
                {
                    const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                    vec d = masked(load(delta + i), lanes[v]);
                    sums[v] += d;
                    products[v] += d * (load(in + i) - mean);
                }
            }
        }
        call->sums[2 * c] = sum_group(sums);
        call->sums[2 * c + 1] = sum_group(products);
    }
}

void WKI_KERNEL(channel_affine_backward)(const wki_channel_call *call)
{
    const grid_masks masks = masks_of(&call->grid);
    for (int c = call->grid.channel_begin; c < call->grid.channel_end; c++) {
        const vec mean = splat(call->mean[c]), scale = splat(call->scale[c]);
        const vec level = splat(call->level[c]), slope = splat(call->slope[c]);
        for (int y = 0; y < call->grid.rows; y++) {
            const float *in = call->input + row_at(call->in, c, y);
            const float *delta = call->delta + row_at(call->delta_plane, c, y);
            float *to = call->input_gradient + row_at(call->gradient_plane, c, y);
            for (int at = 0; at < masks.groups; at++) {
                const ivec *lanes = lanes_at(&masks, at);
                UNROLL for (int v = 0; v < VPB; v++)
                {
                    const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                    vec value = load(in + i);
                    vec g = (load(delta + i) - level - (value - mean) * slope) * scale;
                    g = call->mask ? mask_vec(value, g) : g;
                    store(to + i, masked(g, lanes[v]));
                }
            }
        }
    }
}
