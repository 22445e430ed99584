/* Sums of values: a residual's, and of the two gradients that meet where it began. */
#include "cpu/grid.h"

void WKI_KERNEL(grid_sum)(const wki_grid_sum_call *call)
{
    for (int c = call->grid.channel_begin; c < call->grid.channel_end; c++)
        for (int y = 0; y < call->grid.rows; y++) {
            const float *a = call->a + row_at(call->a_plane, c, y);
            const float *b = call->b == NULL ? NULL : call->b + row_at(call->b_plane, c, y);
            const float *mask = call->mask == NULL ? NULL : call->mask + row_at(call->mask_plane, c, y);
            float *out = call->output + row_at(call->out, c, y);
            for (int at = 0; at < call->grid.groups; at++) {
                UNROLL for (int v = 0; v < VPB; v++)
                {
                    const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                    vec sum = load(a + i);
                    if (b != NULL)
                        sum += load(b + i);
                    sum = call->relu ? relu_vec(sum) : sum;
                    store(out + i, mask == NULL ? sum : mask_vec(load(mask + i), sum));
                }
            }
        }
}
