/* Which lanes of a wki_grid count. What does not count is written as zeros: halos, absent images and
 * what is behind a row's last column stay zero for whoever reads them as such. */
#ifndef WKI_GRID_H
#define WKI_GRID_H

#include "cpu/kernel_vector.h"

typedef struct grid_masks {
    ivec full[VPB], last[VPB];
    int groups; /* in a row */
} grid_masks;

ALWAYS_INLINE void lanes_below(int count, ivec lanes[VPB])
{
    int32_t number[WKI_LANES];
    for (int i = 0; i < WKI_LANES; i++)
        number[i] = i < count ? -1 : 0;
    __builtin_memcpy(lanes, number, sizeof(number));
}

ALWAYS_INLINE grid_masks masks_of(const wki_grid *grid)
{
    grid_masks masks;
    lanes_below(grid->full, masks.full);
    lanes_below(grid->last, masks.last);
    masks.groups = grid->groups;
    return masks;
}

/* The masks of a row's group. */
ALWAYS_INLINE const ivec *lanes_at(const grid_masks *masks, int group)
{
    return group == masks->groups - 1 ? masks->last : masks->full;
}

ALWAYS_INLINE vec masked(vec value, ivec mask)
{
    return (vec)((ivec)value & mask);
}

/* Where row y of channel c begins. */
ALWAYS_INLINE ptrdiff_t row_at(wki_plane plane, int c, int y)
{
    return c * plane.channel + y * plane.row;
}

/* Up to WKI_LANES numbers as a group, zeros behind them. */
ALWAYS_INLINE void load_group(const float *from, int count, vec group[VPB])
{
    float lanes[WKI_LANES] = {0};
    if (count >= WKI_LANES) {
        __builtin_memcpy(group, from, sizeof(lanes));
        return;
    }
    for (int i = 0; i < count; i++)
        lanes[i] = from[i];
    __builtin_memcpy(group, lanes, sizeof(lanes));
}

ALWAYS_INLINE void store_group(float *to, int count, const vec group[VPB])
{
    const float *lanes = (const float *)group;
    if (count >= WKI_LANES)
        __builtin_memcpy(to, lanes, WKI_LANES * sizeof(float));
    else
        for (int i = 0; i < count; i++)
            to[i] = lanes[i];
}

/* The sum of a group's lanes. */
ALWAYS_INLINE float sum_group(const vec sums[VPB])
{
    float lanes[WKI_LANES];
    __builtin_memcpy(lanes, sums, sizeof(lanes));
    return sum_lanes(lanes);
}

#endif
