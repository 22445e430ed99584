/* The inside of a plan: values, ops, and how an op is told what to do. */
#ifndef WKI_PLAN_INTERNAL_H
#define WKI_PLAN_INTERNAL_H

#include "plan/plan.h"
#include "plan/tuner.h"

/* How many floats a block's buffer may have at most, so that int32 offsets reach everything. */
#define WKI_BLOCK_LIMIT ((int64_t)INT32_MAX / 2)

/* The most parts of a batch whose gradients are kept apart. */
enum { WKI_MAX_PARTS = 8 };

/* The parameter that is the weights of the first layer, op 1, where it has any: they come in the layers' order. */
enum { WKI_FIRST_WEIGHTS = 0 };

/* Rows and columns of zeros around each channel of a lanes buffer. */
typedef struct wki_halo {
    int64_t top, left, bottom, right;
} wki_halo;

/* A buffer of one block: an activation or its gradient. */
typedef struct wki_buffer {
    wki_halo halo;
    wki_plane plane; /* lanes: strides in floats */
    size_t at;       /* where element 0 is, in floats from the slot's start */
    size_t floats;
} wki_buffer;

/* An activation of one block of images. */
typedef struct wki_value {
    int ndim; /* without the batch */
    int64_t shape[WICK_MAX_DIMS];
    int64_t numel;
    bool lanes;                  /* in lanes, else in rows */
    int channels, height, width; /* lanes */
    bool relu;                   /* it went through a ReLU: gradients are masked as they are made */
    /* The value whose data this is under another name, with a gradient of its own; -1: none. */
    int alias_of;
    bool input_only; /* no parameter is before it: its gradient is made only if the input's is wanted */
    bool in_place;   /* its gradient may take the place of its data, which are laid out alike */
    wki_buffer data, gradient;
} wki_value;

typedef struct wki_op wki_op;

/* What an op works on now. */
typedef struct wki_task {
    wki_plan *plan;
    const wki_batch *batch;
    int64_t first; /* the block's first image in the batch */
    int images;    /* in this block */
    float *slot;   /* the block's buffers */
    int thread;
    int part, parts;  /* an op that splits does this part of its work; others do all of it in part 0 */
    float *gradients; /* the parameters' gradients of this part of the batch */
    bool accumulate;  /* add to them */
    bool input_gradient; /* the input's gradient is wanted too */
    bool mirrored;       /* the images are to come in with left and right exchanged */
    bool backward;       /* this run goes back as well */
    /* Nobody looks at what is between the layers, and no other thread works on the block: gradients take the place of data
     * where they may, and convolutions do the pooling behind them. */
    bool fused;
    bool late; /* the first layer leaves its weights' gradients for wki_linear_update() to make */
} wki_task;

/* What an op's settle() is told: all blocks have come as far as the op. */
typedef struct wki_settle {
    wki_plan *plan;
    int thread;    /* whose memory to fill; each thread settles for itself */
    int64_t count; /* images in the batch */
    int blocks;
    bool update; /* this thread also updates what all share: running statistics */
} wki_settle;

/* For what the weights are prepared, and by which of how many threads, each of which does a share. */
typedef struct wki_prepare {
    bool forward, backward;
    int thread, threads;
} wki_prepare;

/* What a thread does once all blocks have gone back. */
typedef struct wki_update {
    wki_plan *plan;
    const wki_updater *updater; /* NULL: the gradients are added to those that are there */
    int parts;
    const wki_task *late; /* [parts] the blocks whose first layer left its weights' gradients, or NULL */
    int thread, threads;
} wki_update;

typedef struct wki_op_kind {
    const char *name;
    bool splits;
    bool fuses_relu; /* does a ReLU that follows, if op->relu */
    void (*forward)(const wki_op *op, const wki_task *task);
    void (*backward)(const wki_op *op, const wki_task *task);
    /* Before a run: a thread's share of what is made of the weights; NULL: nothing. */
    void (*prepare)(const wki_op *op, wki_plan *plan, const wki_prepare *what);
    /* What an op makes of all blocks together; NULL: nothing. The forward one is called before the op's
     * forward, the backward one before its backward. */
    void (*settle)(const wki_op *op, const wki_settle *settle);
    /* While the plan is made; NULL: nothing. First an op says what halos it needs, with
     * wki_need_halo(); once the buffers are laid out it makes its tables. */
    void (*need)(wki_op *op, wki_plan *plan);
    wick_status (*layout)(wki_op *op, wki_plan *plan);
    void (*release)(wki_op *op);
} wki_op_kind;

/* A convolution as one wki_conv2d_call a group. The gradient of its input is one or, with strides,
 * several such calls: one for every row and column modulo the stride. */
typedef struct wki_conv2d_phase {
    int row, column;   /* the first row and column of the input's gradient */
    int rows, columns; /* how many, in steps of the stride */
    int taps;
    int32_t *offset;  /* [out channels of a group * taps of a channel] */
    int32_t *source;  /* which tap of the forward kernel each is */
    size_t packed_at; /* where its weights are packed, in floats from the op's */
} wki_conv2d_phase;

typedef struct wki_conv2d_plan {
    int groups, in_channels, out_channels; /* channels of one group */
    int taps;
    int32_t *offset;
    int phase_count;
    wki_conv2d_phase *phases;
    size_t packed_floats;
    bool shares_packed; /* each thread packs a share for all; else all for itself */
    /* A 3x3 or 5x5 kernel over enough channels goes by Winograd's way, both forward and for the gradient
     * of the input, in tiles of 2x2 or 4x4 outputs; its transformed weights, forward's and then the
     * gradient's, take the place of the packed ones. 0: directly. */
    int tile;
    size_t transformed_floats; /* of either */
    /* Which kernel makes the gradient of the weights. */
    enum {
        WKI_GRADIENT_DIRECT,
        WKI_GRADIENT_TURNED,
        WKI_GRADIENT_WINOGRAD,
        WKI_GRADIENT_WINOGRAD_FEW
    } gradient;
    int span;              /* columns of the input that a row of the output meets */
    const wki_op *pool;    /* the pooling that it does as well in a fused run, or NULL; */
    bool unpools;          /* its gradient too, as it reads that, where the kernels can */
    wki_plane taken_plane; /* what the pooling took (op->slot_at), a tile of zeros around each channel */
} wki_conv2d_plan;

typedef struct wki_max_pool2d_plan {
    const wki_op *conv2d; /* the one before it, which does it in a fused run; or NULL */
} wki_max_pool2d_plan;

typedef struct wki_batch_norm_plan {
    float *moments; /* [blocks][channels][2] */
    float *sums;    /* the same, backward */
} wki_batch_norm_plan;

typedef struct wki_avg_pool2d_plan {
    int32_t *windows; /* [out height][2], then [out width][2] */
    float *scale;     /* [out height][out width] */
} wki_avg_pool2d_plan;

struct wki_op {
    const wki_op_kind *kind;
    const wick_module *layer;  /* NULL: a change of layout */
    int in, out;               /* values */
    int other;                 /* a fork's second output, a sum's second input */
    bool relu;                 /* a ReLU that follows is done by this op */
    size_t weight_at, bias_at; /* in the gradients of a part */
    const float *weight, *bias;
    size_t thread_at; /* its own floats in each thread's memory, */
    size_t shared_at; /* in what all threads share, */
    size_t slot_at;   /* and in each slot */
    union {
        wki_conv2d_plan conv2d;
        wki_max_pool2d_plan max_pool2d;
        wki_batch_norm_plan *batch_norm;
        wki_avg_pool2d_plan avg_pool2d;
    } as;
};

struct wki_plan {
    wick_context *context;
    const wki_kernels *kernels;
    wick_module *module;
    int threads;
    int64_t multiply_adds; /* forward, for one image */
    wki_tuner tuners[2];   /* for runs forward alone, and with backward */

    int input_ndim; /* of one image, as it came: a Flatten gives values[0] another shape */
    int64_t input_shape[WICK_MAX_DIMS];
    int64_t capacity; /* images */
    /* What the lanes hold: the same pixel of WKI_LANES images, or, for batches of fewer than
     * columns_below images, the neighbouring columns of one. */
    bool columns;
    int columns_below;
    int block_images; /* WKI_LANES or 1 */
    int blocks;
    int parts; /* parts of the batch whose gradients are kept apart */
    int slots;
    bool late_input; /* the first layer reads pixels, and makes numbers of them itself */

    wki_value *values;
    int value_count;
    wki_op *ops;
    int op_count;
    size_t value_capacity, op_capacity;

    /* Where all blocks meet before any goes on: stage s is ops stage_begin[s] .. stage_begin[s + 1]. */
    int *stage_begin;
    int stage_count;
    uint64_t dropout_seed; /* of the last forward in training mode */

    wki_parameter **parameters;
    size_t *parameter_at; /* in the gradients of a part */
    int parameter_count;
    size_t parameter_floats;

    float *memory; /* the slots */
    size_t slot_floats;
    float *gradients;     /* [parts][parameter_floats] */
    float *thread_memory; /* [threads][thread_floats] */
    size_t thread_floats;
    size_t scratch_floats; /* the first of a thread's floats */
    size_t
        unflipped_at; /* in each slot: the outputs for the images as they are, while the mirrored ones run */
    float *shared;
    size_t shared_floats;

    struct wki_plan *next; /* the module's other plan, of the other kind, or NULL */

    /* The last forward's batch, for backward. */
    int64_t forward_count;
    bool forward_valid;
};

static inline float *wki_data(const wki_task *task, int value)
{
    return task->slot + task->plan->values[value].data.at;
}

static inline float *wki_gradient(const wki_task *task, int value)
{
    const wki_value *v = &task->plan->values[value];
    return task->slot + (task->fused && v->in_place ? v->data.at : v->gradient.at);
}

/* Whether the gradient of the op's input is wanted. */
static inline bool wki_wants_gradient(const wki_op *op, const wki_task *task)
{
    return !task->plan->values[op->in].input_only || task->input_gradient;
}

/* How many steps of the kernels a row of `width` columns is. */
static inline int wki_steps(const wki_plan *plan, int width)
{
    return plan->columns ? (width + WKI_LANES - 1) / WKI_LANES : width;
}

/* The same plane for the kernels, which step by whole vectors. */
static inline wki_plane wki_stepped(const wki_plan *plan, wki_plane plane, wick_size2 stride)
{
    return (wki_plane){plane.channel, plane.row * stride.h,
                       plan->columns ? WKI_LANES : plane.column * stride.w};
}

/* Zeroes what whole vectors wrote behind the last column of rows begin .. end (in steps). */
void wki_clear_behind(const wki_plan *plan, float *data, wki_plane plane, int channels, int begin,
                      int end, int step, int width);

/* Copies a lanes value's numbers, or its gradient's, to rows. */
void wki_value_to_rows(const wki_plan *plan, const wki_value *value, const wki_buffer *buffer,
                       const float *data, int images, float *rows);

/* The mask for the gradient of a value, laid out as its data: NULL if no ReLU made it. */
static inline const float *wki_mask(const wki_task *task, int value)
{
    return task->plan->values[value].relu ? wki_data(task, value) : NULL;
}

/* The part of `count` things that this task does: begin .. end. */
static inline void wki_part(const wki_task *task, int count, int *begin, int *end)
{
    *begin = (int)((int64_t)count * task->part / task->parts);
    *end = (int)((int64_t)count * (task->part + 1) / task->parts);
}

extern const wki_op_kind wki_op_input, wki_op_layout, wki_op_relu, wki_op_linear, wki_op_conv2d,
    wki_op_max_pool2d, wki_op_batch_moments, wki_op_batch_map, wki_op_group_norm, wki_op_layer_norm,
    wki_op_activation, wki_op_dropout, wki_op_softmax, wki_op_avg_pool2d, wki_op_fork, wki_op_sum;

/* The tile of Winograd's way, if a convolution goes by it where the lanes allow that, or 0: directly. */
int wki_winograd_tile(const wki_op *op, const wki_plan *plan);
/* Whether it is a max pooling with windows of 2x2 side by side, which reads each number once: it may write its gradient there,
 * and a convolution before it may do it. */
bool wki_is_plain_pool(const wki_op *op, const wki_plan *plan);
/* What a fused run's pooling took (see wki_winograd_call): of tile (0, 0). */
int32_t *wki_conv2d_taken(const wki_op *op, const wki_task *task);
/* Whether the convolution reads the gradient of its output as that of the pooling behind it and what was taken. */
bool wki_conv2d_unpools(const wki_op *op, const wki_task *task);
/* Whether a batch_map takes the batch's statistics: then all blocks meet before it. */
bool wki_uses_batch(const wki_op *op);
/* Whether it is a dropout that drops now. */
bool wki_drops(const wki_op *op);
/* The pixels of the task's images, if it is left to the first layer to make numbers of them; else NULL. */
const uint8_t *const *wki_late_pixels(const wki_task *task);
/* Those of as many images of the next batch, if they are known: that layer prefetches them. Else NULL. */
const uint8_t *const *wki_late_ahead(const wki_task *task);
/* Whether the first layer can make its weights' gradients of this batch at the end of a step, add up those of all parts, and
 * update the weights, all at once: what is written and read in between otherwise are several times the weights. And a thread's
 * share of that. */
bool wki_updates_late(wki_plan *plan, const wki_batch *batch);
void wki_linear_update(const wki_update *update);
/* Adds up the parts of the gradients and updates the parameters: a thread's share. */
void wki_plan_update(const wki_update *update);
/* The value as the kernels see it that look at each number alone; a task's part of its channels. */
wki_grid wki_grid_of(const wki_task *task, const wki_value *value);
/* How many images block `block` of a batch of `count` has. */
static inline int64_t wki_block_images(const wki_plan *plan, int64_t count, int64_t block)
{
    return WKI_MIN(plan->block_images, count - block * plan->block_images);
}

/* How many threads a run of count images is worth that goes so often through the layers' multiply-adds; doubtful: or one. */
int wki_plan_threads(const wki_plan *plan, int64_t count, double passes, bool *doubtful);
/* Test-time augmentation by flips: whether it is to be done now, and can be; room for the outputs of a block; a value whose
 * rows become their mirror image; and the outputs kept, then made the mean with those of the mirrored images. */
bool wki_plan_flips(const wki_plan *plan);
wick_status wki_plan_check_flips(const wki_plan *plan);
void wki_plan_need_flips(wki_plan *plan);
void wki_mirror_value(const wki_task *task, const wki_value *value, float *data);
void wki_keep_unflipped(const wki_task *task);
void wki_take_mean(const wki_task *task);

/* Makes the values, the ops and the stages for that input (the batch first). */
wick_status wki_plan_build_ops(wki_plan *plan, int ndim, const int64_t *shape);

/* Says that a buffer needs a halo of at least that size. */
void wki_need_halo(wki_buffer *buffer, wki_halo halo);
/* How much scratch a thread has for the op that runs, at least `floats`. */
void wki_need_scratch(wki_plan *plan, size_t floats);
/* Room of an op's own in each thread's memory: where it begins. */
size_t wki_need_thread_floats(wki_plan *plan, size_t floats);
/* The same in each slot, and once for all threads. */
size_t wki_need_slot_floats(wki_plan *plan, size_t floats);
size_t wki_need_shared_floats(wki_plan *plan, size_t floats);

static inline float *wki_scratch(const wki_plan *plan, int thread)
{
    return plan->thread_memory + (size_t)thread * plan->thread_floats;
}

#endif
