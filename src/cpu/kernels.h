/* The kernels: one table of functions an instruction set, and how it is picked.
 *
 * Two layouts, for blocks of WKI_LANES images:
 *   lanes  [channel][row][column][WKI_LANES]: a vector holds the same pixel of several images, so that a
 *          convolution is a weight times a vector whatever the sizes, and no edge needs code of its own.
 *          Around each channel there may be a halo of zeros, which nobody writes. For a single image
 *          the lanes hold WKI_LANES neighbouring columns instead; a convolution does not see the
 *          difference.
 *   rows   [image][feature], row-major as outside.
 *
 * Every sum is made in an order that does not depend on the vector width: lane by lane, then the lanes
 * as a tree (see kernel_vector.h). Kernels keep no state and allocate nothing.
 */
#ifndef WKI_KERNELS_H
#define WKI_KERNELS_H

#include "base/base.h"

enum { WKI_LANES = 16 };

/* A strided view of the positions of a lanes tensor; all strides in floats. */
typedef struct wki_plane {
    ptrdiff_t channel, row, column;
} wki_plane;

/* output[o][y][x] = bias[o] + sum over t of weight[o][t] * input[y * in.row + x * in.column +
 * offset[t]]. With the right offsets this is a convolution's forward pass and the gradient of its
 * input. */
typedef struct wki_conv2d_call {
    const float *input;
    const float *weight;   /* [channels][taps] */
    const float *bias;     /* [channels] or NULL */
    const int32_t *offset; /* [taps] in floats */
    float *output;
    const float *mask;             /* where it is <= 0, the output is 0; or NULL */
    wki_plane in, out, mask_plane; /* in.channel is not used: offset covers it */
    int taps, channels;
    int row_begin, row_end, columns;
    int images; /* lanes from there on do not count: their outputs may become 0 */
    bool relu;
} wki_conv2d_call;

/* A convolution of 3x3 or 5x5, stride and dilation 1, for images in the lanes: output[o][y][x] = bias[o] +
 * sum over i, ky, kx of weight[o][i][ky][kx] * input[i][y + ky][x + kx]. By Winograd's way, in tiles of 2x2 or, if the
 * kernel is 3x3, 4x4 outputs, each from a window with sides of tile + kernel - 1. The input is read as if there were
 * whole tiles, so that up to tile - 1 rows and columns more must be there. With windows of 6x6 these must be finite, and
 * a NaN in a window may make the whole tile NaN. */
typedef struct wki_winograd_call {
    int tile, kernel;
    const float *input;  /* where output (0, 0)'s window begins */
    const float *weight; /* from winograd_weights: [side^2][channels][in_channels] */
    const float *bias;   /* [channels] or NULL */
    float *output;
    const float *mask; /* where it is <= 0, the output is 0; may be the output's place; or NULL */
    float *scratch;    /* wki_winograd_scratch() floats */
    wki_plane in, out, mask_plane;
    int in_channels, channels;
    int height, width;        /* of the output */
    int tile_begin, tile_end; /* which tiles, counted row by row */
    int images;               /* lanes from there on do not count: their outputs may become 0 */
    bool relu;
    /* A max pooling of 2x2 side by side comes behind, perhaps with a ReLU of its own: output and out are its, height and width
     * even, and there is no mask. Into taken, if that is not NULL, goes for each [channel][tile row][tile column][lane] what
     * of the tile was taken: bit y * tile + x is of its output (y, x); none of a window that the ReLU before made 0. What is
     * there for lanes that do not count is not said. */
    bool pools, pool_relu;
    int32_t *taken;
    wki_plane taken_plane;
    /* Or NULL. The input is what max_unpool2d makes of `input` by this, with padding 1: input is the pooling's gradient at
     * (-1, -1), where what it holds beyond its edges does not matter, and this is of tile (-1, -1), 0 beyond the edges. Only
     * tiles of 4x4, more than half of the lanes, no dilation. */
    const int32_t *unpools;
} wki_winograd_call;

typedef struct wki_winograd_weights_call {
    int tile, kernel;
    const float *weight; /* element (o, i)'s kernel is at o * channel_stride + i * in_channel_stride */
    float *transformed;  /* [side^2][channels][in_channels] */
    ptrdiff_t channel_stride, in_channel_stride;
    int in_channels, channels;
    int channel_begin, channel_end; /* only these are written */
    bool flip; /* the kernel turned by 180 degrees, as the gradient of the input wants it */
} wki_winograd_weights_call;

/* A slot is the lanes of one tile or, where half of the lanes are enough, of two. How many slots go by at a time, or some
 * more, up to WKI_WINOGRAD_FEWEST, where a kernel multiplies so many together. side: of a window. */
enum { WKI_WINOGRAD_FEWEST = 2 };
int wki_winograd_slots(int side, int in_channels, int channels);
size_t wki_winograd_scratch(int side, int in_channels, int channels);

/* gradient[o][t] (+)= sum over y, x and lanes of delta[o][y][x] * input[y * in.row + x * in.column
 * + offset[t]], bias_gradient[o] (+)= sum of delta[o], for o in channel_begin .. channel_end. */
typedef struct wki_conv2d_weight_call {
    const float *input;
    const float *delta;
    const int32_t *offset;
    float *gradient;      /* [channels][taps] */
    float *bias_gradient; /* [channels] or NULL */
    float *scratch;       /* wki_conv2d_weight_scratch() floats */
    wki_plane in, out;    /* out: delta's strides */
    int taps, channel_begin, channel_end;
    int rows, columns;
    int images;      /* lanes from there on do not count: delta is 0 there */
    bool accumulate; /* add to what is there */
} wki_conv2d_weight_call;

/* How many floats of scratch a wki_conv2d_weight_call over that many channels needs. */
size_t wki_conv2d_weight_scratch(int channels, int taps);

/* The same for many input channels: gradient[o][i][ky][kx] (+)= sum over y, x and images of
 * delta[o][y][x] * input[i][y * stride_h + ky * dilation_h][x * stride_w + kx * dilation_w]. With images in the lanes
 * or, of one image, columns: then stride_w is 1, and delta's last vector of a row is 0 behind the last column. */
typedef struct wki_conv2d_turned_call {
    const float *input; /* where delta (0, 0)'s window begins */
    const float *delta;
    float *gradient;      /* [channels][in_channels][kernel_h][kernel_w] */
    float *bias_gradient; /* [channels] or NULL */
    float *scratch;       /* wki_conv2d_turned_scratch() floats */
    wki_plane in, out;    /* out: delta's strides */
    int in_channels, channel_begin, channel_end;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    int rows, columns; /* of delta */
    int span;          /* columns of the input that a row of delta meets */
    int images;        /* lanes from there on do not count */
    bool one_image;    /* columns in the lanes: the planes' columns are 1 */
    bool accumulate;   /* add to what is there */
} wki_conv2d_turned_call;

/* For a kernel of `area` taps. */
size_t wki_conv2d_turned_scratch(int in_channels, int channels, int area, int span);

/* The same for a convolution of 3x3 or 5x5 with stride and dilation 1, images in the lanes, by Winograd's way:
 * gradient[o][i][ky][kx] (+)= sum over y, x and images of delta[o][y][x] * input[i][y + ky][x + kx]. */
typedef struct wki_winograd_gradient_call {
    int tile, kernel;   /* up to tile - 1 rows and columns more of the input must be there, finite */
    const float *input; /* where delta (0, 0)'s window begins */
    const float *delta;
    /* Or NULL: delta is what max_unpool2d makes of `delta` by this. Tiles of 4x4 only; all of each is read, also what is beyond
     * the edges. */
    const int32_t *unpools;
    wki_plane taken_plane;
    float *gradient;      /* [channels][in_channels][kernel][kernel] */
    float *bias_gradient; /* [channels] or NULL */
    float *scratch;       /* wki_winograd_gradient_scratch() floats */
    wki_plane in, out;    /* out: delta's strides */
    int in_channels, channels, channel_begin, channel_end;
    int height, width; /* of delta */
    int images;        /* lanes from there on do not count */
    bool accumulate;   /* add to what is there */
} wki_winograd_gradient_call;

/* How many tiles of `tiles` are transformed at a time; of all channels, so that a part of them has the sums of
 * the whole. */
int wki_winograd_gradient_tiles(int side, int in_channels, int channels, int tiles);
size_t wki_winograd_gradient_scratch(int side, int in_channels, int channels, int tiles);
/* The same for winograd_gradient_few. */
int wki_winograd_few_tiles(int side, int in_channels, int channels);
size_t wki_winograd_few_scratch(int side, int in_channels, int channels);

/* output[c][y][x] = the largest of the window at (y * stride_h - padding_h, x * stride_w -
 * padding_w). */
typedef struct wki_max_pool2d_call {
    const float *input;
    float *output;
    const float *delta; /* backward: the output's gradient */
    float *
        input_gradient; /* backward: all of it is written; may be input, if that is all windows of 2x2 side by side */
    wki_plane in, out, delta_plane, gradient_plane;
    int channel_begin, channel_end;
    int in_h, in_w, out_h, out_w;
    int kernel_h, kernel_w, stride_h, stride_w, padding_h, padding_w, dilation_h, dilation_w;
    bool mask; /* backward: the gradient is 0 where the input is <= 0 */
    bool relu; /* forward: negative results become 0 */
} wki_max_pool2d_call;

/* The gradient of a max pooling of 2x2 side by side that winograd did, by what that took: each delta goes to the number that
 * was, and the others get 0. All column strides but taken's are WKI_LANES. */
typedef struct wki_max_unpool2d_call {
    const float *delta;   /* of the pooling's output */
    const int32_t *taken; /* see wki_winograd_call */
    float *gradient;      /* twice as high and wide */
    wki_plane delta_plane, taken_plane, gradient_plane;
    int tile;
    int channel_begin, channel_end;
    int height, width; /* of the pooling's output */
} wki_max_unpool2d_call;

/* output[n][o] = bias[o] + sum over i of input[n][i] * weight[o][i], and its two gradients. */
typedef struct wki_linear_call {
    float *input; /* rows of in_pitch floats */
    /* Each row's pixels, more than WKI_LANES, of which, divided by 255, the input is made; or NULL: it is there. linear writes
     * the input, which linear_weight reads; but kernels that say reads_pixels read the pixels each time, a multiple of
     * WKI_LANES of them, and leave input alone. */
    const uint8_t *const *pixels;
    /* The pixels of as many rows that will be wanted soon, which linear prefetches meanwhile; or NULL. */
    const uint8_t *const *ahead;
    float *output;          /* rows of out_pitch floats */
    const float *weight;    /* [out_features][in_features], not padded */
    const float *bias;      /* or NULL */
    const float *delta;     /* backward: the output's gradient, rows of out_pitch */
    float *input_gradient;  /* rows of in_pitch */
    const float *mask;      /* as input_gradient: where it is <= 0 the gradient is 0; or NULL */
    float *weight_gradient; /* [out_features][in_features], or NULL */
    float *bias_gradient;   /* or NULL */
    int rows, in_features, out_features;
    ptrdiff_t in_pitch, out_pitch;
    bool relu;
    bool accumulate; /* add to what weight_gradient and bias_gradient hold */
} wki_linear_call;

/* linear_weight of several parts of a batch, their sum, and SGD with it, for some features of all outputs: the same bits as one
 * after the other, but nothing is written and read again in between. */
typedef struct wki_linear_update_call {
    const wki_linear_call *parts; /* with pixels; their weight_gradient is not used */
    int part_count;               /* 1 or more */
    float *weight;
    float *gradient; /* the sum of the parts', laid out as the weights */
    int begin, end;  /* features, multiples of WKI_LANES */
    float lr;        /* weight = weight - lr * gradient */
} wki_linear_update_call;

/* For rows of logits: each one's loss -log softmax[target], and scale * (softmax - onehot(target))
 * as the gradient; the prediction is the first largest logit's place. With weights or smoothing the loss is
 * (1 - smoothing) * weights[target] * -log softmax[target] + smoothing / classes * the sum over all c of
 * weights[c] * -log softmax[c]. */
typedef struct wki_cross_entropy_call {
    const float *logits;
    float *gradient; /* laid out as logits, or NULL */
    const int64_t *targets;
    float *losses;        /* [rows] */
    int64_t *predictions; /* [rows] */
    int rows, classes;
    ptrdiff_t pitch;
    float scale;
    const float *weights; /* [classes] or NULL: all 1 */
    float smoothing;
    bool mask; /* the gradient is 0 where the logit is <= 0: a ReLU made the logits */
} wki_cross_entropy_call;

/* Between rows or pixels and lanes. Images beyond `images` are zeros in lanes. */
typedef struct wki_layout_call {
    const uint8_t *const *pixels; /* [images]: each channels * height * width bytes */
    float *rows;
    ptrdiff_t pitch;
    float *lanes;
    const float *mask;           /* rows_to_lanes: where it is <= 0 the result is 0; or NULL */
    wki_plane plane, mask_plane; /* of lanes and of mask */
    int images, channels, height, width;
} wki_layout_call;

/* What an update of one step is made with: all of it the same for every number. */
typedef struct wki_update_rates {
    float lr;        /* Adam: lr / (1 - beta1^step) */
    float decay;     /* gradient += decay * weight */
    float keep, add; /* SGD: momentum = keep * momentum + add * gradient; Adam: add = 1 - beta1 */
    float momentum;  /* Nesterov's */
    float shrink;    /* AdamW: weight *= 1 - lr * weight_decay, before all else */
    float keep_square, add_square; /* beta2, 1 - beta2 */
    float root_scale, epsilon;     /* 1 / sqrt(1 - beta2^step) */
    bool nesterov;
} wki_update_rates;

typedef struct wki_update_call {
    float *weight;
    const float *gradient;
    float *first;  /* SGD: the momentum; Adam: the mean of the gradients */
    float *second; /* Adam: the mean of their squares */
    size_t count;
    const wki_update_rates *rates;
} wki_update_call;

/* A value as the kernels see it that look at each number alone: channels of rows of groups of
 * WKI_LANES floats. With images in the lanes a group is a pixel, and the lanes of images that are
 * there count; with columns in the lanes all count but in a row's last group. A value in rows is one
 * channel of one row. Lanes that do not count are written as zeros. */
typedef struct wki_grid {
    int channel_begin, channel_end;
    int rows, groups;
    int full, last; /* how many lanes count, in a group and in a row's last */
} wki_grid;

/* Normalisation of channels, in four kernels. */
typedef struct wki_channel_call {
    wki_grid grid;
    const float *input, *delta; /* delta: the output's gradient */
    float *output, *input_gradient;
    wki_plane in, out, delta_plane, gradient_plane;
    int64_t count;      /* numbers of a channel that count */
    const float *mean;  /* [channels], as all below */
    const float *scale; /* output = (input - mean) * scale + shift */
    const float *shift;
    const float *level; /* input_gradient = (delta - level - (input - mean) * slope) * scale */
    const float *slope;
    float *sums; /* [channels][2]: mean and sum of squared deviations; or sums of delta and of delta *
                  * (input - mean) */
    bool relu;   /* forward: negative results become 0 */
    bool mask;   /* backward: the gradient is 0 where the input is <= 0 */
} wki_channel_call;

/* GroupNorm of groups group_begin .. group_end; LayerNorm over whole images, with a parameter for each number. */
typedef struct wki_group_norm_call {
    wki_grid grid; /* its channel range is not used */
    const float *input, *delta;
    float *output, *input_gradient; /* input_gradient may be NULL */
    wki_plane in, out, delta_plane, gradient_plane;
    const float *weight, *bias; /* [channels], or with each_number [channels][rows][columns]; or NULL */
    float *weight_gradient, *bias_gradient; /* the same */
    float *statistics;                      /* [groups][2][WKI_LANES], kept for backward */
    int group_begin, group_end, channels;   /* channels of a group */
    int64_t count;                          /* numbers of an image's group */
    float eps;
    bool one_image; /* all lanes are of one image */
    bool each_number;
    bool accumulate, relu, mask;
} wki_group_norm_call;

/* LayerNorm over rows of features. */
typedef struct wki_layer_norm_call {
    const float *input, *delta;
    float *output, *input_gradient; /* input_gradient may be NULL */
    const float *weight, *bias;     /* [features] or NULL */
    float *weight_gradient, *bias_gradient;
    float *statistics; /* [rows][2], kept for backward */
    int rows, features;
    float eps;
    bool accumulate, relu, mask;
} wki_layer_norm_call;

typedef enum wki_activation_kind {
    WKI_ACT_RELU,
    WKI_ACT_LEAKY_RELU,
    WKI_ACT_GELU,
    WKI_ACT_GELU_TANH,
    WKI_ACT_SILU,
    WKI_ACT_SIGMOID,
    WKI_ACT_TANH,
} wki_activation_kind;

typedef struct wki_activation_call {
    wki_grid grid;
    wki_activation_kind kind;
    float slope; /* LeakyReLU */
    const float *input, *delta;
    float *output, *input_gradient;
    wki_plane in, out, delta_plane, gradient_plane;
    bool mask;
} wki_activation_call;

/* Softmax of rows of classes, or its logarithm. */
typedef struct wki_softmax_call {
    const float *input, *delta;
    float *output, *input_gradient; /* output: backward reads it */
    int rows, classes;
    bool log, mask;
} wki_softmax_call;

/* output[y][x] = scale[y][x] * the sum over rows[y][0] .. rows[y][1], columns[x][0] .. columns[x][1]
 * of the input. */
typedef struct wki_avg_pool2d_call {
    const float *input, *delta;
    float *output, *input_gradient;
    wki_plane in, out, delta_plane, gradient_plane;
    const int32_t *rows, *columns; /* [out_h][2], [out_w][2] */
    const float *scale;            /* [out_h][out_w] */
    int channel_begin, channel_end;
    int in_h, in_w, out_h, out_w;
    bool one_image; /* neighbouring columns in the lanes: all column strides are 1 */
    bool relu, mask;
} wki_avg_pool2d_call;

/* output = input * scale where a hash of the number's place is at least threshold, else 0. The place is
 * first + lane * lane_step + group * group_step + row * row_step + channel * channel_step. The gradient
 * is the same, with mask the input that a ReLU made. */
typedef struct wki_dropout_call {
    wki_grid grid;
    const float *input, *mask;
    float *output;
    wki_plane in, out, mask_plane;
    uint64_t seed;
    uint32_t first, lane_step, group_step, row_step, channel_step;
    uint32_t threshold;
    float scale;
} wki_dropout_call;

/* output = a + b, b may be NULL; 0 where mask is <= 0, if it is not NULL. */
typedef struct wki_grid_sum_call {
    wki_grid grid;
    const float *a, *b, *mask;
    float *output;
    wki_plane a_plane, b_plane, out, mask_plane;
    bool relu;
} wki_grid_sum_call;

typedef struct wki_kernels {
    const char *name;
    int vector_width; /* floats */
    /* Reading pixels costs linear and linear_weight no more than reading numbers. */
    bool reads_pixels;
    void (*conv2d)(const wki_conv2d_call *call);
    void (*winograd)(const wki_winograd_call *call);
    void (*winograd_weights)(const wki_winograd_weights_call *call);
    void (*conv2d_weight_turned)(const wki_conv2d_turned_call *call);
    void (*winograd_gradient)(const wki_winograd_gradient_call *call);
    /* The same for few channels, with images in the lanes of the sums: other last digits, and other scratch. */
    void (*winograd_gradient_few)(const wki_winograd_gradient_call *call);
    void (*conv2d_weight)(const wki_conv2d_weight_call *call);
    void (*max_pool2d)(const wki_max_pool2d_call *call);
    void (*max_pool2d_backward)(const wki_max_pool2d_call *call);
    void (*max_unpool2d)(const wki_max_unpool2d_call *call);
    /* The same with neighbouring columns of one image in the lanes: all column strides are 1. */
    void (*max_pool2d_columns)(const wki_max_pool2d_call *call);
    void (*max_pool2d_columns_backward)(const wki_max_pool2d_call *call);
    void (*linear)(const wki_linear_call *call);
    void (*linear_input)(const wki_linear_call *call);         /* -> input_gradient */
    void (*linear_weight)(const wki_linear_call *call);        /* -> weight_gradient, bias_gradient */
    void (*linear_update)(const wki_linear_update_call *call); /* NULL unless reads_pixels */
    void (*cross_entropy)(const wki_cross_entropy_call *call);
    void (*pixels_to_rows)(const wki_layout_call *call);
    void (*pixels_to_lanes)(const wki_layout_call *call);
    void (*rows_to_lanes)(const wki_layout_call *call);
    void (*lanes_to_rows)(const wki_layout_call *call);
    void (*channel_moments)(const wki_channel_call *call);
    void (*channel_affine)(const wki_channel_call *call);
    void (*channel_gradient_sums)(const wki_channel_call *call);
    void (*channel_affine_backward)(const wki_channel_call *call);
    void (*group_norm)(const wki_group_norm_call *call);
    void (*group_norm_backward)(const wki_group_norm_call *call);
    void (*layer_norm)(const wki_layer_norm_call *call);
    void (*layer_norm_backward)(const wki_layer_norm_call *call);
    void (*activation)(const wki_activation_call *call);
    void (*activation_backward)(const wki_activation_call *call);
    void (*softmax)(const wki_softmax_call *call);
    void (*softmax_backward)(const wki_softmax_call *call);
    void (*avg_pool2d)(const wki_avg_pool2d_call *call);
    void (*avg_pool2d_backward)(const wki_avg_pool2d_call *call);
    void (*dropout)(const wki_dropout_call *call);
    void (*grid_sum)(const wki_grid_sum_call *call);
    /* values = max(values, 0); gradient = values <= 0 ? 0 : gradient. */
    void (*relu)(float *values, size_t count);
    void (*relu_backward)(const float *values, float *gradient, size_t count);
    /* sum = parts[0] + parts[stride] + ... (count numbers each, `parts` of them, in this order). */
    void (*sum_parts)(float *sum, const float *parts, int part_count, size_t stride, size_t count);
    /* sum += addend. */
    void (*add)(float *sum, const float *addend, size_t count);
    /* weight = weight - lr * gradient. */
    void (*sgd)(float *weight, const float *gradient, size_t count, float lr);
    /* torch.optim.SGD with momentum, with weight decay alone, and torch.optim.Adam and AdamW. */
    void (*sgd_momentum)(const wki_update_call *call);
    void (*sgd_decay)(const wki_update_call *call);
    void (*adam)(const wki_update_call *call);
    /* average = weight of the way from it to values: torch.lerp. */
    void (*lerp)(float *average, const float *values, size_t count, float weight);
    /* values *= factor. */
    void (*scale)(float *values, size_t count, float factor);
    /* The sum of the squares: in double, so that every instruction set gives the same bits. */
    double (*sum_squares)(const float *values, size_t count);
} wki_kernels;

/* The kernels of a context: those asked for, else WICK_CPU's, else the best that the processor runs. */
wick_status wki_context_kernels(wick_context *context, const wki_kernels **out);
/* Every table of this build that the processor can run, best first; NULL from the end on. */
const wki_kernels *wki_kernels_runnable(int index);

#endif
