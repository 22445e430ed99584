/* Times oneDNN, driven by hand, for bench/compare: an epoch of training model 2 (TinyVGG with 10 hidden units) on
 * Fashion-MNIST in memory, batches of 32, SGD. Prints seconds and the mean loss as one JSON object.
 *
 *   peer_onednn [--nhwc] FOLDER     train-images-idx3-ubyte and train-labels-idx1-ubyte, unpacked, are in FOLDER
 *
 * Every primitive may choose its formats (with --nhwc the activations are NHWC); ReLU is a convolution's post-op; weights
 * stay in the forward's format. Threads are OpenMP's: OMP_NUM_THREADS. Not a part of wick's build:
 *
 *   cc -O3 -march=native bench/peer_onednn.c -ldnnl -lm -o peer_onednn        (oneDNN 3) */
#include <math.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BATCH = 32,
    SIDE = 28,
    PIXELS = SIDE * SIDE,
    CLASSES = 10,
    HIDDEN = 10,
    MOST_ARGS = 8,
    MOST_STEPS = 200
};
enum { WARM_UP = 50 };
#define RATE 0.1f

static void check(dnnl_status_t status, int line)
{
    if (status != dnnl_success) {
        fprintf(stderr, "peer_onednn: line %d: oneDNN says %d\n", line, (int)status);
        exit(1);
    }
}
#define CHECK(call) check(call, __LINE__)

static dnnl_engine_t engine;
static dnnl_stream_t stream;

/* ---- what is done for each batch ---- */

typedef struct step {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[MOST_ARGS];
    int arg_count;
} step;

static step steps[MOST_STEPS];
static int step_count;

static step *add_step(const_dnnl_primitive_desc_t pd)
{
    step *s = &steps[step_count++];
    *s = (step){0};
    CHECK(dnnl_primitive_create(&s->primitive, pd));
    return s;
}

static void add_arg(step *s, int arg, dnnl_memory_t memory)
{
    if (memory != NULL)
        s->args[s->arg_count++] = (dnnl_exec_arg_t){arg, memory};
}

static void run(int begin, int end)
{
    for (int i = begin; i < end; i++)
        CHECK(dnnl_primitive_execute(steps[i].primitive, stream, steps[i].arg_count, steps[i].args));
    CHECK(dnnl_stream_wait(stream));
}

/* ---- memory ---- */

static dnnl_memory_desc_t describe(int ndims, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t md;
    CHECK(dnnl_memory_desc_create_with_tag(&md, ndims, dims, dnnl_f32, tag));
    return md;
}

static dnnl_memory_t allocate(const_dnnl_memory_desc_t md)
{
    dnnl_memory_t memory;
    void *data;
    CHECK(dnnl_memory_create(&memory, md, engine, DNNL_MEMORY_ALLOCATE));
    CHECK(dnnl_memory_get_data_handle(memory, &data));
    memset(data, 0, dnnl_memory_desc_get_size(md));
    return memory;
}

static float *floats(dnnl_memory_t memory)
{
    void *data;
    CHECK(dnnl_memory_get_data_handle(memory, &data));
    return data;
}

static const_dnnl_memory_desc_t md_of(dnnl_memory_t memory)
{
    const_dnnl_memory_desc_t md;
    CHECK(dnnl_memory_get_memory_desc(memory, &md));
    return md;
}

static const_dnnl_memory_desc_t md_for(const_dnnl_primitive_desc_t pd, dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(pd, what, 0);
}

/* Copies in another format. */
static void add_reorder(dnnl_memory_t from, dnnl_memory_t to)
{
    dnnl_primitive_desc_t pd;
    CHECK(dnnl_reorder_primitive_desc_create(&pd, md_of(from), engine, md_of(to), engine, NULL));
    step *s = add_step(pd);
    add_arg(s, DNNL_ARG_FROM, from);
    add_arg(s, DNNL_ARG_TO, to);
}

/* The memory itself if its format is the one that is wanted, else a copy that each batch makes anew. */
static dnnl_memory_t in_format(dnnl_memory_t memory, const_dnnl_memory_desc_t wanted)
{
    if (dnnl_memory_desc_equal(md_of(memory), wanted))
        return memory;
    dnnl_memory_t copy = allocate(wanted);
    add_reorder(memory, copy);
    return copy;
}

/* ---- layers ---- */

typedef enum kind { CONV, POOL, LINEAR } kind;

typedef struct layer {
    kind kind;
    bool relu;
    int in, out, side; /* channels, and the sides of the input */
    dnnl_primitive_desc_t pd;
    dnnl_memory_t src, dst, weights, bias, workspace;
    dnnl_memory_t diff_weights, diff_bias; /* in the formats of weights and bias */
} layer;

#define LAYER(kind_, relu_, in_, out_, side_)                                                           \
    {                                                                                                   \
        .kind = kind_, .relu = relu_, .in = in_, .out = out_, .side = side_                             \
    }
static layer layers[] = {
    LAYER(CONV, true, 1, HIDDEN, 28),         LAYER(CONV, true, HIDDEN, HIDDEN, 28),
    LAYER(POOL, false, HIDDEN, HIDDEN, 28),   LAYER(CONV, true, HIDDEN, HIDDEN, 14),
    LAYER(CONV, true, HIDDEN, HIDDEN, 14),    LAYER(POOL, false, HIDDEN, HIDDEN, 14),
    LAYER(LINEAR, false, HIDDEN, CLASSES, 7),
};
enum { LAYERS = sizeof(layers) / sizeof(layers[0]) };

static const dnnl_dims_t ones = {1, 1}, zeros = {0, 0}, twos = {2, 2};
static dnnl_format_tag_t activations = dnnl_format_tag_any;

static uint64_t random_state = 42;

/* In [-bound, bound). */
static float random_float(float bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return bound * ((float)(random_state >> 40) * 0x1p-23f - 1.0f);
}

static void make_parameters(layer *l)
{
    const bool conv = l->kind == CONV;
    const dnnl_dims_t dims = {l->out, l->in, conv ? 3 : l->side, conv ? 3 : l->side}, bias = {l->out};
    const dnnl_dim_t count = dims[0] * dims[1] * dims[2] * dims[3];
    const float bound = 1.0f / sqrtf((float)(count / l->out));
    dnnl_memory_t plain = allocate(describe(4, dims, dnnl_oihw));
    for (dnnl_dim_t i = 0; i < count; i++)
        floats(plain)[i] = random_float(bound);
    l->bias = allocate(describe(1, bias, dnnl_a));
    for (int i = 0; i < l->out; i++)
        floats(l->bias)[i] = random_float(bound);
    l->weights = allocate(md_for(l->pd, dnnl_query_weights_md));
    const int before = step_count;
    add_reorder(plain, l->weights);
    run(before, step_count);
    step_count = before;
    l->diff_weights = allocate(md_of(l->weights));
    l->diff_bias = allocate(md_of(l->bias));
}

static dnnl_primitive_attr_t relu_behind(void)
{
    dnnl_primitive_attr_t attr;
    dnnl_post_ops_t ops;
    CHECK(dnnl_post_ops_create(&ops));
    CHECK(dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0.0f, 0.0f));
    CHECK(dnnl_primitive_attr_create(&attr));
    CHECK(dnnl_primitive_attr_set_post_ops(attr, ops));
    return attr;
}

static dnnl_memory_desc_t any_weights(const layer *l)
{
    const bool conv = l->kind == CONV;
    const dnnl_dims_t dims = {l->out, l->in, conv ? 3 : l->side, conv ? 3 : l->side};
    return describe(4, dims, dnnl_format_tag_any);
}

static dnnl_memory_desc_t any_images(int channels, int side)
{
    const dnnl_dims_t dims = {BATCH, channels, side, side};
    return describe(4, dims, activations);
}

static dnnl_memory_desc_t vector(dnnl_dim_t length)
{
    const dnnl_dims_t dims = {length};
    return describe(1, dims, dnnl_a);
}

static dnnl_memory_desc_t logits(void)
{
    const dnnl_dims_t dims = {BATCH, CLASSES};
    return describe(2, dims, dnnl_ab);
}

static void add_forward(layer *l, dnnl_memory_t input)
{
    if (l->kind == CONV)
        CHECK(dnnl_convolution_forward_primitive_desc_create(
            &l->pd, engine, dnnl_forward_training, dnnl_convolution_auto, any_images(l->in, l->side),
            any_weights(l), vector(l->out), any_images(l->out, l->side), ones, zeros, ones, ones,
            relu_behind()));
    else if (l->kind == POOL)
        CHECK(dnnl_pooling_forward_primitive_desc_create(
            &l->pd, engine, dnnl_forward_training, dnnl_pooling_max, md_of(input),
            any_images(l->out, l->side / 2), twos, twos, zeros, zeros, zeros, NULL));
    else
        CHECK(dnnl_inner_product_forward_primitive_desc_create(
            &l->pd, engine, dnnl_forward_training, any_images(l->in, l->side), any_weights(l),
            vector(l->out), logits(), NULL));
    l->src = in_format(input, md_for(l->pd, dnnl_query_src_md));
    l->dst = allocate(md_for(l->pd, dnnl_query_dst_md));
    if (l->kind == POOL)
        l->workspace = allocate(md_for(l->pd, dnnl_query_workspace_md));
    else
        make_parameters(l);
    step *s = add_step(l->pd);
    add_arg(s, DNNL_ARG_SRC, l->src);
    add_arg(s, DNNL_ARG_DST, l->dst);
    add_arg(s, DNNL_ARG_WEIGHTS, l->weights);
    add_arg(s, DNNL_ARG_BIAS, l->bias);
    add_arg(s, DNNL_ARG_WORKSPACE, l->workspace);
}

/* ReLU's gradient, from its result. */
static dnnl_memory_t add_relu_backward(layer *l, dnnl_memory_t diff_dst)
{
    const dnnl_alg_kind_t relu = dnnl_eltwise_relu_use_dst_for_bwd;
    const_dnnl_memory_desc_t md = md_of(l->dst);
    dnnl_primitive_desc_t forward, pd;
    CHECK(dnnl_eltwise_forward_primitive_desc_create(&forward, engine, dnnl_forward_training, relu, md,
                                                     md, 0.0f, 0.0f, NULL));
    CHECK(dnnl_eltwise_backward_primitive_desc_create(&pd, engine, relu, md, md, md, 0.0f, 0.0f, forward,
                                                      NULL));
    dnnl_memory_t from = in_format(diff_dst, md), diff_src = allocate(md);
    step *s = add_step(pd);
    add_arg(s, DNNL_ARG_DST, l->dst);
    add_arg(s, DNNL_ARG_DIFF_DST, from);
    add_arg(s, DNNL_ARG_DIFF_SRC, diff_src);
    return diff_src;
}

static void add_weights_backward(layer *l, dnnl_memory_t diff_dst)
{
    dnnl_primitive_desc_t pd;
    if (l->kind == CONV)
        CHECK(dnnl_convolution_backward_weights_primitive_desc_create(
            &pd, engine, dnnl_convolution_auto, any_images(l->in, l->side), any_weights(l),
            vector(l->out), any_images(l->out, l->side), ones, zeros, ones, ones, l->pd, NULL));
    else
        CHECK(dnnl_inner_product_backward_weights_primitive_desc_create(
            &pd, engine, any_images(l->in, l->side), any_weights(l), vector(l->out), logits(), l->pd,
            NULL));
    dnnl_memory_t src = in_format(l->src, md_for(pd, dnnl_query_src_md));
    dnnl_memory_t from = in_format(diff_dst, md_for(pd, dnnl_query_diff_dst_md));
    const_dnnl_memory_desc_t made = md_for(pd, dnnl_query_diff_weights_md);
    const bool same = dnnl_memory_desc_equal(made, md_of(l->weights));
    dnnl_memory_t diff_weights = same ? l->diff_weights : allocate(made);
    step *s = add_step(pd);
    add_arg(s, DNNL_ARG_SRC, src);
    add_arg(s, DNNL_ARG_DIFF_DST, from);
    add_arg(s, DNNL_ARG_DIFF_WEIGHTS, diff_weights);
    add_arg(s, DNNL_ARG_DIFF_BIAS, l->diff_bias);
    if (!same)
        add_reorder(diff_weights, l->diff_weights);
}

static dnnl_memory_t add_data_backward(layer *l, dnnl_memory_t diff_dst)
{
    dnnl_primitive_desc_t pd;
    if (l->kind == CONV)
        CHECK(dnnl_convolution_backward_data_primitive_desc_create(
            &pd, engine, dnnl_convolution_auto, any_images(l->in, l->side), any_weights(l),
            any_images(l->out, l->side), ones, zeros, ones, ones, l->pd, NULL));
    else if (l->kind == POOL)
        CHECK(dnnl_pooling_backward_primitive_desc_create(&pd, engine, dnnl_pooling_max, md_of(l->src),
                                                          md_of(l->dst), twos, twos, zeros, zeros, zeros,
                                                          l->pd, NULL));
    else
        CHECK(dnnl_inner_product_backward_data_primitive_desc_create(
            &pd, engine, any_images(l->in, l->side), any_weights(l), logits(), l->pd, NULL));
    dnnl_memory_t from = in_format(diff_dst, md_for(pd, dnnl_query_diff_dst_md));
    dnnl_memory_t weights =
        l->kind == POOL ? NULL : in_format(l->weights, md_for(pd, dnnl_query_weights_md));
    dnnl_memory_t diff_src = allocate(md_for(pd, dnnl_query_diff_src_md));
    step *s = add_step(pd);
    add_arg(s, DNNL_ARG_DIFF_DST, from);
    add_arg(s, DNNL_ARG_DIFF_SRC, diff_src);
    add_arg(s, DNNL_ARG_WEIGHTS, weights);
    add_arg(s, DNNL_ARG_WORKSPACE, l->workspace);
    return diff_src;
}

static void add_backward(dnnl_memory_t diff)
{
    for (int i = LAYERS - 1; i >= 0; i--) {
        layer *l = &layers[i];
        if (l->relu)
            diff = add_relu_backward(l, diff);
        if (l->kind != POOL)
            add_weights_backward(l, diff);
        if (i > 0)
            diff = add_data_backward(l, diff);
    }
}

/* ---- the loss and the update ---- */

static double cross_entropy(const float *rows, const uint8_t *targets, float *gradient)
{
    double loss = 0.0;
    for (int n = 0; n < BATCH; n++, rows += CLASSES, gradient += CLASSES) {
        float most = rows[0], sum = 0.0f;
        for (int c = 1; c < CLASSES; c++)
            most = fmaxf(most, rows[c]);
        for (int c = 0; c < CLASSES; c++)
            sum += gradient[c] = expf(rows[c] - most);
        loss += (double)(logf(sum) - (rows[targets[n]] - most));
        for (int c = 0; c < CLASSES; c++)
            gradient[c] *= 1.0f / (sum * BATCH);
        gradient[targets[n]] -= 1.0f / BATCH;
    }
    return loss / BATCH;
}

static void update(dnnl_memory_t parameter, dnnl_memory_t gradient)
{
    float *value = floats(parameter);
    const float *by = floats(gradient);
    const size_t count = dnnl_memory_desc_get_size(md_of(parameter)) / sizeof(float);
    for (size_t i = 0; i < count; i++)
        value[i] -= RATE * by[i];
}

/* ---- the data ---- */

static uint8_t *read_idx(const char *folder, const char *name, size_t header, size_t *length)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        fprintf(stderr, "peer_onednn: %s: cannot be read\n", path);
        exit(1);
    }
    *length = (size_t)ftell(file) - header;
    uint8_t *bytes = malloc(*length);
    if (bytes == NULL || fseek(file, (long)header, SEEK_SET) != 0 ||
        fread(bytes, 1, *length, file) != *length)
        exit(1);
    fclose(file);
    return bytes;
}

static int *shuffled(int count)
{
    int *order = malloc((size_t)count * sizeof(*order));
    if (order == NULL)
        exit(1);
    for (int i = 0; i < count; i++)
        order[i] = i;
    for (int i = count - 1; i > 0; i--) {
        int other = (int)((random_float(0.5f) + 0.5f) * (float)i), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
    return order;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct training {
    const uint8_t *pixels, *labels;
    const int *order;
    float *input, *output, *gradient;
    int forward; /* so many of the steps */
} training;

static double train_batch(const training *t, int batch)
{
    uint8_t targets[BATCH];
    for (int n = 0; n < BATCH; n++) {
        const int image = t->order[batch * BATCH + n];
        const uint8_t *from = t->pixels + (size_t)image * PIXELS;
        for (int i = 0; i < PIXELS; i++)
            t->input[n * PIXELS + i] = (float)from[i] * (1.0f / 255.0f);
        targets[n] = t->labels[image];
    }
    run(0, t->forward);
    double loss = cross_entropy(t->output, targets, t->gradient);
    run(t->forward, step_count);
    for (int i = 0; i < LAYERS; i++)
        if (layers[i].kind != POOL) {
            update(layers[i].weights, layers[i].diff_weights);
            update(layers[i].bias, layers[i].diff_bias);
        }
    return loss;
}

int main(int argc, char **argv)
{
    size_t bytes, count;
    training t = {0};
    if (argc == 3 && strcmp(argv[1], "--nhwc") == 0)
        activations = dnnl_nhwc;
    else if (argc != 2) {
        fprintf(stderr, "usage: peer_onednn [--nhwc] FOLDER\n");
        return 2;
    }
    t.pixels = read_idx(argv[argc - 1], "train-images-idx3-ubyte", 16, &bytes);
    t.labels = read_idx(argv[argc - 1], "train-labels-idx1-ubyte", 8, &count);
    t.order = shuffled((int)count);
    CHECK(dnnl_engine_create(&engine, dnnl_cpu, 0));
    CHECK(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
    const dnnl_dims_t dims = {BATCH, 1, SIDE, SIDE};
    dnnl_memory_t input = allocate(describe(4, dims, dnnl_nchw)), last = input;
    for (int i = 0; i < LAYERS; i++) {
        add_forward(&layers[i], last);
        last = layers[i].dst;
    }
    t.forward = step_count;
    dnnl_memory_t gradient = allocate(logits());
    add_backward(gradient);
    t.input = floats(input);
    t.output = floats(last);
    t.gradient = floats(gradient);
    for (int i = 0; i < WARM_UP; i++)
        train_batch(&t, i);
    const int batches = (int)count / BATCH;
    double start = now(), loss = 0.0;
    for (int i = 0; i < batches; i++)
        loss += train_batch(&t, i);
    printf("{\"seconds\": %.6f, \"loss\": %.6f}\n", now() - start, loss / batches);
    return 0;
}
