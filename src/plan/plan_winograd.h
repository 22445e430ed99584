/* What a convolution by Winograd's way (plan_winograd.c) and others (plan_conv2d.c) know of each other. */
#ifndef WKI_PLAN_WINOGRAD_H
#define WKI_PLAN_WINOGRAD_H

#include "plan/plan_internal.h"

/* How many of `size` positions there are from `first` on, `step` apart. */
static inline int64_t wki_positions_from(int64_t first, int64_t size, int64_t step)
{
    return (size - first + step - 1) / step;
}

/* What a task does of a group's weights' gradient: the output channels begin .. end of the group. */
typedef struct wki_share {
    int begin, end;
    ptrdiff_t first;            /* the group's first of all output channels */
    const float *input, *delta; /* of the group */
    float *gradient, *bias_gradient;
} wki_share;

/* The input where the output's (0, 0) window begins. */
const float *wki_first_window(const wki_op *op, const wki_task *task, const wki_share *s);
/* Where a thread has the weights as they were prepared. */
float *wki_packed_weights(const wki_op *op, const wki_plan *plan, int thread);
/* The input channels of a group, in blocks of 16. */
int64_t wki_whole_channels(const wki_conv2d_plan *p);

/* In which tiles the plan's lanes let it go by Winograd's way, or 0. */
int wki_conv2d_tile(const wki_op *op, const wki_plan *plan);
/* The side of their windows. */
int wki_window_side(const wki_conv2d_plan *p, const wki_conv2d *c);
/* How many there are, over all grids of a dilation; how far they reach behind the last of `size` positions. */
int64_t wki_tile_count(const wki_value *value, int tile, wick_size2 dilation);
int64_t wki_reach_of_tiles(int64_t size, int tile, int64_t dilation);
int wki_grid_count(wick_size2 dilation, const wki_value *value);
/* Which of its two ways to the weights' gradient pays, if one does. */
bool wki_gradient_suits_winograd(const wki_conv2d_plan *p, const wki_conv2d *c, const wki_value *out);
bool wki_gradient_suits_few(const wki_conv2d_plan *p, const wki_conv2d *c, const wki_value *out);
/* Room for what the pooling took, and whether the gradients are read through that. */
void wki_lay_out_taken(wki_op *op, wki_plan *plan);

void wki_prepare_winograd(const wki_op *op, const wki_plan *plan, const wki_prepare *what, float *to,
                          bool gradient);
void wki_forward_winograd(const wki_op *op, const wki_task *task);
void wki_backward_input_winograd(const wki_op *op, const wki_task *task);
void wki_gradient_winograd(const wki_op *op, const wki_task *task, const wki_share *s);

#endif
