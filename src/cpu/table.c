/* The kernels of one instruction set, as a table. */
#include "cpu/kernel_vector.h"

extern const wki_kernels WKI_KERNEL(kernels);
const wki_kernels WKI_KERNEL(kernels) = {
    .name = WKI_ISA_NAME,
    .vector_width = VW,
    .conv2d = WKI_KERNEL(conv2d),
    .winograd = WKI_KERNEL(winograd),
    .winograd_weights = WKI_KERNEL(winograd_weights),
    .conv2d_weight = WKI_KERNEL(conv2d_weight),
    .max_pool2d = WKI_KERNEL(max_pool2d),
    .max_pool2d_backward = WKI_KERNEL(max_pool2d_backward),
    .max_pool2d_columns = WKI_KERNEL(max_pool2d_columns),
    .max_pool2d_columns_backward = WKI_KERNEL(max_pool2d_columns_backward),
    .linear = WKI_KERNEL(linear),
    .linear_input = WKI_KERNEL(linear_input),
    .linear_weight = WKI_KERNEL(linear_weight),
    .cross_entropy = WKI_KERNEL(cross_entropy),
    .pixels_to_rows = WKI_KERNEL(pixels_to_rows),
    .pixels_to_lanes = WKI_KERNEL(pixels_to_lanes),
    .rows_to_lanes = WKI_KERNEL(rows_to_lanes),
    .lanes_to_rows = WKI_KERNEL(lanes_to_rows),
    .relu = WKI_KERNEL(relu),
    .relu_backward = WKI_KERNEL(relu_backward),
    .sum_parts = WKI_KERNEL(sum_parts),
    .add = WKI_KERNEL(add),
    .sgd = WKI_KERNEL(sgd),
    .sgd_momentum = WKI_KERNEL(sgd_momentum),
    .sgd_decay = WKI_KERNEL(sgd_decay),
    .adam = WKI_KERNEL(adam),
};
