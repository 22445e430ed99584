#include "reference.h"

#include "cpu/kernels.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../unit/seeded_random.h"

/* ---- random numbers ---- */

static uint64_t random_state;

int ref_seed(void **state)
{
    (void)state;
    random_state = random_seed();
    return 0;
}

uint64_t ref_random(void)
{
    return random_next(&random_state);
}

int ref_int(int low, int high)
{
    return low + (int)(ref_random() % (uint64_t)(high - low + 1));
}

float ref_float(void)
{
    return (float)(ref_random() >> 40) * 0x1p-23f - 1.0f;
}

static void must(wick_context *context, wick_status status)
{
    if (status != WICK_OK)
        fail_msg("%s: %s", wick_status_name(status), wick_context_message(context));
}

wick_tensor *ref_tensor(wick_context *context, int ndim, const int64_t *shape)
{
    wick_tensor *tensor;
    must(context, wick_tensor_new(context, WICK_FLOAT32, ndim, shape, &tensor));
    float *data = wick_tensor_f32(tensor);
    for (int64_t i = 0; i < wick_tensor_numel(tensor); i++)
        data[i] = ref_float();
    return tensor;
}

/* ---- the model ---- */

static double *doubles(int64_t count)
{
    double *out = calloc((size_t)(count > 0 ? count : 1), sizeof(double));
    assert_non_null(out);
    return out;
}

static wick_status add_layer(void *user, wki_visit_event event, wick_module *layer, const char *path)
{
    ref_model *model = user;
    assert_true(model->count < REF_MOST_LAYERS);
    ref_layer *r = &model->layers[model->count++];
    *r = (ref_layer){.layer = layer, .event = event};
    model->coupled |= layer->kind == WKI_BATCH_NORM && layer->training;
    snprintf(r->path, sizeof(r->path), "%s", path);
    for (int p = 0; p < WKI_MAX_PARAMETERS; p++) {
        wick_tensor *value = layer->parameters[p].value;
        if (value == NULL)
            continue;
        r->parameters[p] = doubles(wick_tensor_numel(value));
        for (int64_t i = 0; i < wick_tensor_numel(value); i++)
            r->parameters[p][i] = (double)wick_tensor_f32(value)[i];
    }
    return WICK_OK;
}

void ref_open(ref_model *model, wick_module *module)
{
    *model = (ref_model){.count = 0};
    must(module->context, wki_module_walk(module, add_layer, model));
}

void ref_close(ref_model *model)
{
    for (int i = 0; i < model->count; i++)
        for (int p = 0; p < WKI_MAX_PARAMETERS; p++)
            free(model->layers[i].parameters[p]);
}

static void decide(ref_decisions *decisions, uint64_t choice, double distance)
{
    decisions->hash = (decisions->hash ^ choice) * UINT64_C(0x100000001b3) + 1;
    if (distance > 0.0 && distance < decisions->margin)
        decisions->margin = distance;
}

static int64_t numel_of(int ndim, const int64_t *shape)
{
    int64_t numel = 1;
    for (int i = 0; i < ndim; i++)
        numel *= shape[i];
    return numel;
}

/* in[c][y][x], or 0 outside. */
static double pixel(const double *in, const int64_t *shape, int64_t c, int64_t y, int64_t x)
{
    if (y < 0 || y >= shape[1] || x < 0 || x >= shape[2])
        return 0.0;
    return in[(c * shape[1] + y) * shape[2] + x];
}

static double conv2d_at(const ref_layer *r, const double *in, const int64_t *shape, int64_t o, int64_t y,
                        int64_t x)
{
    const wki_conv2d *c = &r->layer->as.conv2d;
    int64_t depth = c->in_channels / c->groups, group = o / (c->out_channels / c->groups);
    double sum = r->parameters[1] != NULL ? r->parameters[1][o] : 0.0;
    for (int64_t i = 0; i < depth; i++)
        for (int64_t ky = 0; ky < c->kernel.h; ky++)
            for (int64_t kx = 0; kx < c->kernel.w; kx++)
                sum += r->parameters[0][((o * depth + i) * c->kernel.h + ky) * c->kernel.w + kx] *
                       pixel(in, shape, group * depth + i,
                             y * c->stride.h - c->padding.h + ky * c->dilation.h,
                             x * c->stride.w - c->padding.w + kx * c->dilation.w);
    return sum;
}

static double max_pool2d_at(const ref_layer *r, const double *in, const int64_t *shape, int64_t c,
                            int64_t y, int64_t x, ref_decisions *decisions)
{
    const wki_max_pool2d *p = &r->layer->as.max_pool2d;
    double most = -INFINITY, second = -INFINITY;
    uint64_t place = 0;
    for (int64_t ky = 0; ky < p->kernel.h; ky++)
        for (int64_t kx = 0; kx < p->kernel.w; kx++) {
            int64_t row = y * p->stride.h - p->padding.h + ky * p->dilation.h;
            int64_t column = x * p->stride.w - p->padding.w + kx * p->dilation.w;
            if (row < 0 || row >= shape[1] || column < 0 || column >= shape[2])
                continue;
            double v = pixel(in, shape, c, row, column);
            if (v > most) {
                second = most;
                most = v;
                place = (uint64_t)(row * shape[2] + column);
            } else if (v > second) {
                second = v;
            }
        }
    decide(decisions, place, most - second);
    return most;
}

static double linear_at(const ref_layer *r, const double *row, int64_t o)
{
    int64_t features = r->layer->as.linear.in_features;
    double sum = r->parameters[1] != NULL ? r->parameters[1][o] : 0.0;
    for (int64_t i = 0; i < features; i++)
        sum += r->parameters[0][o * features + i] * row[i];
    return sum;
}

static double avg_pool2d_at(const ref_layer *r, const double *in, const int64_t *shape,
                            const int64_t *out, int64_t c, int64_t y, int64_t x)
{
    const wki_avg_pool2d *p = &r->layer->as.avg_pool2d;
    bool adaptive = r->layer->kind == WKI_ADAPTIVE_AVG_POOL2D;
    int64_t top = adaptive ? y * shape[1] / out[1] : y * p->stride.h - p->padding.h;
    int64_t left = adaptive ? x * shape[2] / out[2] : x * p->stride.w - p->padding.w;
    int64_t bottom = adaptive ? ((y + 1) * shape[1] + out[1] - 1) / out[1]
                              : WKI_MIN(top + p->kernel.h, shape[1] + p->padding.h);
    int64_t right = adaptive ? ((x + 1) * shape[2] + out[2] - 1) / out[2]
                             : WKI_MIN(left + p->kernel.w, shape[2] + p->padding.w);
    double sum = 0.0, inside = 0.0;
    for (int64_t i = top; i < bottom; i++)
        for (int64_t j = left; j < right; j++) {
            sum += pixel(in, shape, c, i, j);
            inside += i >= 0 && i < shape[1] && j >= 0 && j < shape[2];
        }
    if (adaptive || (p->divisor_override == 0 && !p->count_include_pad))
        return sum / inside;
    if (p->divisor_override != 0)
        return sum / (double)p->divisor_override;
    return sum / (double)((bottom - top) * (right - left));
}

static double activate(const wick_module *layer, double x, ref_decisions *decisions)
{
    const double cube = 0.044715, pi = 3.14159265358979323846;
    switch (layer->kind) {
    case WKI_RELU:
        decide(decisions, x > 0.0, fabs(x));
        return x > 0.0 ? x : 0.0;
    case WKI_LEAKY_RELU:
        decide(decisions, x > 0.0, fabs(x));
        return x > 0.0 ? x : x * (double)(float)layer->as.activation.slope;
    case WKI_GELU:
        if (layer->as.activation.tanh_approximation)
            return 0.5 * x * (1.0 + tanh(sqrt(2.0 / pi) * (x + cube * x * x * x)));
        return 0.5 * x * erfc(-x / sqrt(2.0));
    case WKI_SILU:
        return x / (1.0 + exp(-x));
    case WKI_SIGMOID:
        return 1.0 / (1.0 + exp(-x));
    case WKI_TANH:
        return tanh(x);
    default:
        return x;
    }
}

/* Normalises `count` numbers; number i has weight and bias (first + i) / per. */
static void normalise(const ref_layer *r, const double *in, double *out, int64_t count, double eps,
                      int64_t first, int64_t per)
{
    double mean = 0.0, variance = 0.0;
    for (int64_t i = 0; i < count; i++)
        mean += in[i] / (double)count;
    for (int64_t i = 0; i < count; i++)
        variance += (in[i] - mean) * (in[i] - mean) / (double)count;
    for (int64_t i = 0; i < count; i++) {
        out[i] = (in[i] - mean) / sqrt(variance + eps);
        if (r->parameters[0] != NULL)
            out[i] *= r->parameters[0][(first + i) / per];
        if (r->parameters[1] != NULL)
            out[i] += r->parameters[1][(first + i) / per];
    }
}

static void softmax_row(const ref_layer *r, const double *in, double *out, int64_t classes)
{
    double most = in[0], sum = 0.0;
    for (int64_t c = 1; c < classes; c++)
        most = fmax(most, in[c]);
    for (int64_t c = 0; c < classes; c++)
        sum += exp(in[c] - most);
    for (int64_t c = 0; c < classes; c++)
        out[c] = r->layer->kind == WKI_SOFTMAX ? exp(in[c] - most) / sum : in[c] - most - log(sum);
}

/* Layers that normalise within an image; false: not one of them. */
static bool fill_normalised(const ref_layer *r, const double *in, double *out, int ndim,
                            const int64_t *shape)
{
    int64_t numel = numel_of(ndim, shape);
    const wki_group_norm *group = &r->layer->as.group_norm;
    const wki_layer_norm *layer = &r->layer->as.layer_norm;
    switch (r->layer->kind) {
    case WKI_GROUP_NORM:
        for (int64_t i = 0; i < numel; i += numel / group->groups)
            normalise(r, in + i, out + i, numel / group->groups, group->eps, i, numel / shape[0]);
        return true;
    case WKI_LAYER_NORM:
        for (int64_t i = 0; i < numel; i += layer->numel)
            normalise(r, in + i, out + i, layer->numel, layer->eps, 0, 1);
        return true;
    case WKI_SOFTMAX:
    case WKI_LOG_SOFTMAX:
        softmax_row(r, in, out, numel);
        return true;
    default:
        return false;
    }
}

static void fill(const ref_layer *r, const double *in, const int64_t *in_shape, double *out, int ndim,
                 const int64_t *shape, ref_decisions *decisions)
{
    int64_t numel = numel_of(ndim, shape), last = shape[ndim - 1];
    if (fill_normalised(r, in, out, ndim, shape))
        return;
    for (int64_t i = 0; i < numel; i++) {
        int64_t x = i % last, y = ndim > 1 ? i / last % shape[ndim - 2] : 0;
        int64_t c = ndim > 2 ? i / last / shape[ndim - 2] : 0;
        switch (r->layer->kind) {
        case WKI_CONV2D:
            out[i] = conv2d_at(r, in, in_shape, c, y, x);
            break;
        case WKI_MAX_POOL2D:
            out[i] = max_pool2d_at(r, in, in_shape, c, y, x, decisions);
            break;
        case WKI_AVG_POOL2D:
        case WKI_ADAPTIVE_AVG_POOL2D:
            out[i] = avg_pool2d_at(r, in, in_shape, shape, c, y, x);
            break;
        case WKI_LINEAR:
            out[i] = linear_at(r, in + i / last * r->layer->as.linear.in_features, x);
            break;
        default:
            out[i] = activate(r->layer, in[i], decisions);
        }
    }
}

/* A batch's statistics in training, the running ones in evaluation. */
static void fill_batch_norm(const ref_layer *r, const double *in, double *out, int64_t batch,
                            int64_t numel, int64_t channels)
{
    const wki_batch_norm *norm = &r->layer->as.batch_norm;
    int64_t plane = numel / channels, count = batch * plane;
    double *numbers = doubles(count), *normal = doubles(count);
    for (int64_t c = 0; c < channels; c++) {
        for (int64_t i = 0; i < count; i++)
            numbers[i] = in[i / plane * numel + c * plane + i % plane];
        if (r->layer->training || !norm->track) {
            normalise(r, numbers, normal, count, norm->eps, c * count, count);
        } else {
            double mean = (double)wick_tensor_f32(r->layer->buffers[0].value)[c];
            double variance = (double)wick_tensor_f32(r->layer->buffers[1].value)[c];
            for (int64_t i = 0; i < count; i++) {
                normal[i] = (numbers[i] - mean) / sqrt(variance + norm->eps);
                normal[i] *= r->parameters[0] != NULL ? r->parameters[0][c] : 1.0;
                normal[i] += r->parameters[1] != NULL ? r->parameters[1][c] : 0.0;
            }
        }
        for (int64_t i = 0; i < count; i++)
            out[i / plane * numel + c * plane + i % plane] = normal[i];
    }
    free(numbers);
    free(normal);
}

static double *copy_of(const double *numbers, int64_t count)
{
    double *copy = doubles(count);
    memcpy(copy, numbers, (size_t)count * sizeof(double));
    return copy;
}

/* The numbers of all images at one place in the model. */
typedef struct at_place {
    double *numbers;
    int ndim;
    int64_t shape[WICK_MAX_DIMS];
} at_place;

enum { MOST_RESIDUALS = 8 };

static void run_layer(const ref_layer *r, at_place *now, int64_t batch, ref_decisions *decisions)
{
    int64_t in[WICK_MAX_DIMS] = {1}, out[WICK_MAX_DIMS];
    int ndim;
    memcpy(in + 1, now->shape, (size_t)now->ndim * sizeof(*in));
    must(r->layer->context, wki_layer_output_shape(r->layer, r->path, now->ndim + 1, in, &ndim, out));
    int64_t from = numel_of(now->ndim, now->shape), to = numel_of(ndim, out);
    double *next = doubles(batch * to);
    if (r->layer->kind == WKI_BATCH_NORM)
        fill_batch_norm(r, now->numbers, next, batch, to, now->shape[0]);
    for (int64_t n = 0; n < batch && r->layer->kind != WKI_BATCH_NORM; n++)
        fill(r, now->numbers + n * from, now->shape, next + n * to, ndim - 1, out + 1, &decisions[n]);
    free(now->numbers);
    now->numbers = next;
    now->ndim = ndim - 1;
    memcpy(now->shape, out + 1, (size_t)now->ndim * sizeof(*out));
}

double *ref_forward(const ref_model *model, const double *images, int64_t batch, int *ndim,
                    int64_t *shape, ref_decisions *decisions)
{
    at_place now = {.ndim = *ndim}, kept[MOST_RESIDUALS];
    int open = 0;
    memcpy(now.shape, shape, (size_t)*ndim * sizeof(*shape));
    now.numbers = copy_of(images, batch * numel_of(*ndim, shape));
    for (int i = 0; i < model->count; i++) {
        const ref_layer *r = &model->layers[i];
        if (r->event == WKI_VISIT_LAYER) {
            run_layer(r, &now, batch, decisions);
        } else if (r->event == WKI_VISIT_RESIDUAL) {
            assert_true(open < MOST_RESIDUALS);
            kept[open] = now;
            kept[open++].numbers = copy_of(now.numbers, batch * numel_of(now.ndim, now.shape));
        } else if (r->event == WKI_VISIT_SHORTCUT) {
            at_place body = now;
            now = kept[open - 1];
            kept[open - 1] = body;
        } else {
            at_place body = kept[--open];
            for (int64_t k = 0; k < batch * numel_of(now.ndim, now.shape); k++)
                now.numbers[k] += body.numbers[k];
            free(body.numbers);
        }
    }
    *ndim = now.ndim;
    memcpy(shape, now.shape, (size_t)now.ndim * sizeof(*shape));
    return now.numbers;
}

/* ---- the check ---- */

/* Everything of one check. The loss is the sum of `weights` times the outputs. */
typedef struct check {
    wick_context *context;
    wick_module *module;
    ref_model model;
    int64_t batch, in_numel, out_numel;
    int ndim;
    const int64_t *shape;
    double *images;
    wick_tensor *weights;
    ref_decisions *decisions; /* of each image */
} check;

/* How far a float's gradient may be from the right one, relative to the largest of its tensor. A
 * gradient here is a sum of at most some 10^4 products of numbers that went through at most some ten
 * layers, each rounded to 2^-24; roundings have either sign, so that they come to about the square root
 * of that many, some 10^-5 of the largest. A single product that was left out or taken twice is 10^-2 of
 * it. */
static const double tolerance = 2e-5;

enum { MOST_CHECKED = 50 };

/* The loss of images first .. last; decisions is one an image. */
static double loss_of(const check *c, int64_t first, int64_t last, ref_decisions *decisions)
{
    int64_t shape[WICK_MAX_DIMS], batch = last - first + 1;
    int ndim = c->ndim;
    memcpy(shape, c->shape, (size_t)ndim * sizeof(*shape));
    for (int64_t n = 0; n < batch; n++)
        decisions[n] = (ref_decisions){.margin = INFINITY};
    double *out =
        ref_forward(&c->model, c->images + first * c->in_numel, batch, &ndim, shape, decisions);
    double loss = 0.0;
    for (int64_t i = 0; i < batch * c->out_numel; i++)
        loss += (double)wick_tensor_f32(c->weights)[first * c->out_numel + i] * out[i];
    free(out);
    return loss;
}

/* The derivative of the images' losses first .. last by *number, by central differences: exact but for
 * rounding where the loss is linear in each single number until a decision falls otherwise, else off by
 * the step's square; false if a decision does. */
static bool derivative(const check *c, double *number, int64_t first, int64_t last, double *out)
{
    const double step = 1e-6, was = *number;
    if (c->model.coupled) {
        first = 0;
        last = c->batch - 1;
    }
    int64_t each = c->model.coupled ? c->batch : 1;
    ref_decisions *up = calloc(2 * (size_t)each, sizeof(*up)), *down = up + each;
    bool same = true;
    assert_non_null(up);
    *out = 0.0;
    for (int64_t n = first; n <= last && same; n += each) {
        *number = was + step;
        *out += loss_of(c, n, n + each - 1, up) / (2.0 * step);
        *number = was - step;
        *out -= loss_of(c, n, n + each - 1, down) / (2.0 * step);
        *number = was;
        for (int64_t i = 0; i < each; i++)
            same = same && up[i].hash == c->decisions[n + i].hash &&
                   down[i].hash == c->decisions[n + i].hash;
    }
    free(up);
    return same;
}

static void check_numbers(const check *c, const char *what, const float *got, double *numbers,
                          int64_t count, bool images)
{
    double largest = 0.0, right[MOST_CHECKED];
    int64_t at[MOST_CHECKED];
    int checked = 0,
        most = c->batch == 1 || images ? MOST_CHECKED : 12; /* a number costs two passes an image */
    for (int i = 0; i < most && i < count; i++) {
        at[checked] = count <= most ? i : (int64_t)(ref_random() % (uint64_t)count);
        int64_t n = images ? at[checked] / c->in_numel : 0;
        if (!derivative(c, &numbers[at[checked]], n, images ? n : c->batch - 1, &right[checked]))
            continue;
        largest = fmax(largest, fabs(right[checked++]));
    }
    /* A number may be small because large ones cancel: it is a sum of at most batch * out_numel
     * products of the size of the weights, about 1, whose roundings come to about the root of that
     * many. */
    double cancelled = 4.0 * 0x1p-24 * sqrt((double)(c->batch * c->out_numel));
    /* What BatchNorm takes away of a gradient is of the gradient's size. */
    double relative = c->model.coupled ? 5.0 * tolerance : tolerance;
    for (int i = 0; i < checked; i++)
        if (!(fabs((double)got[at[i]] - right[i]) <= relative * largest + cancelled))
            fail_msg(
                "a batch of %lld, %d threads, %s: number %lld of %s: the gradient is %.9g, not %.9g",
                (long long)c->batch, wick_context_threads(c->context),
                ((const wki_kernels *)c->context->kernels)->name, (long long)at[i], what,
                (double)got[at[i]], right[i]);
}

static void check_output(const check *c, const wick_tensor *output)
{
    double largest = 0.0;
    int64_t shape[WICK_MAX_DIMS];
    int ndim = c->ndim;
    ref_decisions *decisions = calloc((size_t)c->batch, sizeof(*decisions));
    assert_non_null(decisions);
    memcpy(shape, c->shape, (size_t)ndim * sizeof(*shape));
    double *right = ref_forward(&c->model, c->images, c->batch, &ndim, shape, decisions);
    const float *got = wick_tensor_cdata(output);
    assert_int_equal(wick_tensor_ndim(output), ndim + 1);
    for (int i = 0; i < ndim; i++)
        assert_int_equal(wick_tensor_size(output, i + 1), shape[i]);
    for (int64_t i = 0; i < c->batch * c->out_numel; i++)
        largest = fmax(largest, fabs(right[i]));
    for (int64_t i = 0; i < c->batch * c->out_numel; i++)
        if (!(fabs((double)got[i] - right[i]) <= tolerance * largest + 1e-7))
            fail_msg("a batch of %lld: output %lld of image %lld is %.9g, not %.9g", (long long)c->batch,
                     (long long)(i % c->out_numel), (long long)(i / c->out_numel), (double)got[i],
                     right[i]);
    free(right);
    free(decisions);
}

static void draw_image(const check *c, wick_tensor *images, int64_t n)
{
    for (int64_t i = n * c->in_numel; i < (n + 1) * c->in_numel; i++) {
        wick_tensor_f32(images)[i] = ref_float();
        c->images[i] = (double)wick_tensor_f32(images)[i];
    }
}

/* Draws images until no decision is so near that a float may take it otherwise; false: in vain. */
static bool draw_images(const check *c, wick_tensor *images)
{
    int64_t each = c->model.coupled ? c->batch : 1;
    for (int64_t first = 0; first < c->batch; first += each) {
        double margin = 0.0;
        for (int tries = 0; margin <= 3e-6; tries++) {
            if (tries == 200)
                return false;
            for (int64_t n = first; n < first + each; n++)
                draw_image(c, images, n);
            loss_of(c, first, first + each - 1, &c->decisions[first]);
            margin = INFINITY;
            for (int64_t n = first; n < first + each; n++)
                margin = fmin(margin, c->decisions[n].margin);
        }
    }
    return true;
}

static void move_biases(const check *c)
{
    for (int i = 0; i < c->model.count; i++) {
        const ref_layer *r = &c->model.layers[i];
        for (int64_t k = 0; r->parameters[1] != NULL && k < r->layer->parameters[1].value->numel; k++) {
            float *bias = wick_tensor_f32(r->layer->parameters[1].value) + k;
            *bias += 0.3f * ref_float();
            r->parameters[1][k] = (double)*bias;
        }
    }
}

/* Images for the check. What reads nothing but padding is made of biases: where that alone decides, and
 * by a hair, no image is clear, and the biases are moved. */
static wick_tensor *draw(const check *c)
{
    int64_t shape[WICK_MAX_DIMS] = {c->batch};
    memcpy(shape + 1, c->shape, (size_t)c->ndim * sizeof(*shape));
    wick_tensor *images = ref_tensor(c->context, c->ndim + 1, shape);
    for (int tries = 0; !draw_images(c, images); tries++) {
        assert_true(tries < 20);
        move_biases(c);
    }
    return images;
}

static void open_check(check *c, wick_context *context, wick_module *module, int64_t batch, int ndim,
                       const int64_t *shape)
{
    int64_t in[WICK_MAX_DIMS] = {batch}, out[WICK_MAX_DIMS];
    int out_ndim;
    memcpy(in + 1, shape, (size_t)ndim * sizeof(*shape));
    must(context, wick_module_output_shape(module, ndim + 1, in, &out_ndim, out));
    *c = (check){.context = context,
                 .module = module,
                 .batch = batch,
                 .in_numel = numel_of(ndim, shape),
                 .out_numel = numel_of(out_ndim, out) / batch,
                 .ndim = ndim,
                 .shape = shape,
                 .weights = ref_tensor(context, out_ndim, out)};
    c->images = doubles(batch * c->in_numel);
    c->decisions = calloc((size_t)batch, sizeof(*c->decisions));
    assert_non_null(c->decisions);
    ref_open(&c->model, module);
}

static void close_check(check *c)
{
    ref_close(&c->model);
    free(c->images);
    free(c->decisions);
    wick_tensor_free(c->weights);
}

static void check_parameters(const check *c)
{
    for (int i = 0; i < c->model.count; i++) {
        const ref_layer *r = &c->model.layers[i];
        for (int p = 0; p < WKI_MAX_PARAMETERS; p++) {
            char what[96];
            if (r->parameters[p] == NULL)
                continue;
            const wki_parameter *parameter = &r->layer->parameters[p];
            snprintf(what, sizeof(what), "%s.%s", r->path, parameter->name);
            check_numbers(c, what, wick_tensor_f32(parameter->grad), r->parameters[p],
                          wick_tensor_numel(parameter->value), false);
        }
    }
}

/* A second backward adds the same again: exactly twice. Without the input's gradient, and with it. */
static void check_accumulation(const check *c, const wick_tensor *back)
{
    wick_state_dict *once, *twice;
    wick_tensor *again;
    must(c->context, wick_module_gradients(c->module, &once));
    for (int with_input = 0; with_input < 2; with_input++) {
        must(c->context, wick_module_backward(c->module, c->weights, with_input ? &again : NULL));
        must(c->context, wick_module_gradients(c->module, &twice));
        for (int64_t i = 0; i < wick_state_dict_count(once); i++) {
            const float *a = wick_tensor_f32(wick_state_dict_tensor(once, i));
            const float *b = wick_tensor_f32(wick_state_dict_tensor(twice, i));
            for (int64_t k = 0; k < wick_tensor_numel(wick_state_dict_tensor(once, i)); k++)
                if (b[k] != (float)(1 + !with_input) * a[k])
                    fail_msg("%s: number %lld is %.9g after another backward, and was %.9g",
                             wick_state_dict_key(once, i), (long long)k, (double)b[k], (double)a[k]);
        }
        wick_state_dict_free(twice);
        wick_module_zero_grad(c->module);
    }
    assert_memory_equal(wick_tensor_data(again), wick_tensor_cdata(back),
                        (size_t)wick_tensor_numel(back) * sizeof(float));
    wick_tensor_free(again);
    wick_state_dict_free(once);
}

void ref_check_module(wick_context *context, wick_module *module, int64_t batch, int ndim,
                      const int64_t *shape)
{
    check c;
    wick_tensor *output, *back;
    wick_module_zero_grad(module);
    open_check(&c, context, module, batch, ndim, shape);
    wick_tensor *images = draw(&c);
    must(context, wick_module_forward(module, images, &output));
    check_output(&c, output);
    must(context, wick_module_backward(module, c.weights, &back));
    assert_int_equal(wick_tensor_ndim(back), ndim + 1);
    for (int i = 0; i < ndim; i++)
        assert_int_equal(wick_tensor_size(back, i + 1), shape[i]);
    check_parameters(&c);
    check_numbers(&c, "the input", wick_tensor_f32(back), c.images, batch * c.in_numel, true);
    check_accumulation(&c, back);
    wick_tensor_free(images);
    wick_tensor_free(output);
    wick_tensor_free(back);
    close_check(&c);
}

wick_module *ref_sequential(wick_context *context, const char *const *texts)
{
    wick_module *module, *layer;
    must(context, wick_sequential(context, &module));
    for (; *texts != NULL; texts++) {
        must(context, wick_layer_parse(context, *texts, &layer));
        must(context, wick_sequential_append(module, NULL, layer));
    }
    return module;
}

/* Normalisations begin with weights that change nothing. */
static wick_status randomise(void *user, wki_visit_event event, wick_module *layer, const char *path)
{
    (void)user;
    (void)path;
    if (event != WKI_VISIT_LAYER || layer->kind < WKI_BATCH_NORM)
        return WICK_OK;
    for (int p = 0; p < WKI_MAX_PARAMETERS; p++)
        for (int64_t i = 0; layer->parameters[p].value != NULL && i < layer->parameters[p].value->numel;
             i++)
            wick_tensor_f32(layer->parameters[p].value)[i] = (p == 0 ? 1.0f : 0.0f) + 0.7f * ref_float();
    for (int p = 0; p < 2; p++)
        for (int64_t i = 0; layer->buffers[p].value != NULL && i < layer->buffers[p].value->numel; i++)
            wick_tensor_f32(layer->buffers[p].value)[i] = (p == 0 ? 0.0f : 1.0f) + 0.7f * ref_float();
    return WICK_OK;
}

void ref_check_layers(const char *const *texts, int ndim, const int64_t *shape, int count)
{
    static const int64_t batches[] = {1, 5, 16, 17, 33};
    wick_context *context;
    assert_int_equal(wick_context_new(&context), WICK_OK);
    context->work_per_thread = 1.0; /* threads even for so little work */
    wick_manual_seed(context, ref_random());
    wick_module *module = ref_sequential(context, texts);
    must(context, wki_module_walk(module, randomise, NULL));
    int sets = 0;
    while (wki_kernels_runnable(sets) != NULL)
        sets++;
    int first = ref_int(0, (int)WKI_COUNT(batches) - count);
    for (int i = first; i < first + count; i++) {
        must(context, wick_context_set_threads(context, ref_int(1, 5)));
        must(context, wick_context_set_cpu(context, wki_kernels_runnable(i % sets)->name));
        ref_check_module(context, module, batches[i], ndim, shape);
    }
    wick_module_free(module);
    wick_context_free(context);
}

void ref_check_cases(const ref_case *cases, size_t count, int batches)
{
    for (size_t i = 0; i < count; i++) {
        for (int t = 0; cases[i].texts[t] != NULL; t++)
            printf("%s%s", t == 0 ? "" : ", ", cases[i].texts[t]);
        printf("\n");
        fflush(stdout);
        ref_check_layers(cases[i].texts, cases[i].ndim, cases[i].shape, batches);
    }
}
