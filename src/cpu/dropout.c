/* Dropout: whether a number stays is a hash of its place and the step's seed, made again in the
 * backward pass, so that nothing is kept and no order matters.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html */
#include "cpu/grid.h"

typedef uint32_t uvec __attribute__((vector_size(VW * 4), may_alias));

/* Two rounds of multiplications and shifts, each with half of the seed: neighbouring places and
 * neighbouring seeds have nothing in common. */
ALWAYS_INLINE uvec hash(uvec place, uint64_t seed)
{
    uvec h = place * 0x9e3779b1u + (uint32_t)seed;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    h = (h ^ h >> 16) + (uint32_t)(seed >> 32);
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return h ^ h >> 15;
}

void WKI_KERNEL(dropout)(const wki_dropout_call *call)
{
    const grid_masks masks = masks_of(&call->grid);
    uint32_t lane_at[WKI_LANES];
    for (int i = 0; i < WKI_LANES; i++)
        lane_at[i] = call->first + (uint32_t)i * call->lane_step;
    for (int c = call->grid.channel_begin; c < call->grid.channel_end; c++)
        for (int y = 0; y < call->grid.rows; y++) {
            const float *in = call->input + row_at(call->in, c, y);
            float *out = call->output + row_at(call->out, c, y);
            const uint32_t row = (uint32_t)c * call->channel_step + (uint32_t)y * call->row_step;
            for (int at = 0; at < masks.groups; at++) {
                const ivec *lanes = lanes_at(&masks, at);
                UNROLL for (int v = 0; v < VPB; v++)
                {
                    const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                    uvec place;
                    __builtin_memcpy(&place, lane_at + v * VW, sizeof(place));
                    place += row + (uint32_t)at * call->group_step;
                    ivec kept = hash(place, call->seed) >= call->threshold;
                    vec value = masked(load(in + i) * call->scale, kept & lanes[v]);
                    if (call->mask != NULL)
                        value = mask_vec(load(call->mask + row_at(call->mask_plane, c, y) + i), value);
                    store(out + i, value);
                }
            }
        }
}
