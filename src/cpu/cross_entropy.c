/* Softmax and cross entropy on rows of logits. The largest of each row, the exponentials and their sums are made of sixteen
 * rows at a time, in the lanes: with whole vectors, however few classes there are. */
#include "cpu/vector_math.h"

#include <math.h>
#include <string.h>

/* Classes that are in the lanes at a time: 4 KiB of numbers. */
enum { PIECE = 64 };

/* Some rows' logits or exponentials of some classes. */
typedef struct piece {
    int rows;    /* 1 to 16 */
    int classes; /* 1 to PIECE */
    ptrdiff_t pitch;
    float lanes[PIECE][WKI_LANES];
} piece;

/* In fours, of which the last overlaps the one before; lanes behind the last row repeat it. */
static void load_piece(piece *to, const float *from)
{
    const int last = to->rows - 1;
    for (int n = 0; n < to->rows; n += 4) {
        const float *row[4];
        for (int k = 0; k < 4; k++)
            row[k] = from + WKI_MIN(n + k, last) * to->pitch;
        for (int begin = 0; begin < to->classes && to->classes >= 4; begin += 4) {
            const int c = WKI_MIN(begin, to->classes - 4);
            vec4 four[4];
            UNROLL for (int k = 0; k < 4; k++) four[k] = *(const vec4 *)(row[k] + c);
            transpose4(four);
            UNROLL for (int k = 0; k < 4; k++) * (vec4 *)(to->lanes[c + k] + n) = four[k];
        }
        for (int c = 0; c < to->classes && to->classes < 4; c++)
            UNROLL for (int k = 0; k < 4; k++) to->lanes[c][n + k] = row[k][c];
    }
}

static void store_piece(const piece *from, float *to)
{
    for (int n = 0; n < from->rows; n += 4) {
        const int rows = WKI_MIN(4, from->rows - n);
        float *row = to + n * from->pitch;
        for (int begin = 0; begin < from->classes && from->classes >= 4; begin += 4) {
            const int c = WKI_MIN(begin, from->classes - 4);
            vec4 four[4];
            UNROLL for (int k = 0; k < 4; k++) four[k] = *(const vec4 *)(from->lanes[c + k] + n);
            transpose4(four);
            for (int k = 0; k < rows; k++)
                *(vec4 *)(row + k * from->pitch + c) = four[k];
        }
        for (int c = 0; c < from->classes && from->classes < 4; c++)
            for (int k = 0; k < rows; k++)
                row[k * from->pitch + c] = from->lanes[c][n + k];
    }
}

/* With weights of the classes and label smoothing the target is a share of every class: 1 - smoothing of its own and
 * smoothing / classes of all, each times the class's weight. Gives the loss, and makes the exponentials in gradient,
 * whose sum is given, the gradient. */
static float weighted_row(const wki_cross_entropy_call *call, const float *logits, int64_t target,
                          float most, float sum, float *gradient)
{
    const float *weights = call->weights;
    const float every = call->smoothing / (float)call->classes;
    const float own = (1.0f - call->smoothing) * (weights != NULL ? weights[target] : 1.0f);
    const float log_sum = logf(sum);
    float all = 0.0f, away = 0.0f; /* of every class's share, what is alike and what is not */
    for (int c = 0; call->smoothing != 0.0f && c < call->classes; c++) {
        float share = every * (weights != NULL ? weights[c] : 1.0f);
        all += share;
        away = multiply_add(away, share, log_sum - (logits[c] - most));
    }
    if (gradient != NULL) {
        float factor = call->scale * (own + all) / sum;
        for (int c = 0; c < call->classes; c++)
            gradient[c] = multiply_add(-(call->scale * every * (weights != NULL ? weights[c] : 1.0f)),
                                       gradient[c], factor);
        gradient[target] -= call->scale * own;
    }
    return own * (log_sum - (logits[target] - most)) + away;
}

/* The first largest of each row, a NaN above all: first how large it is, then, from the last class to the first, where. So no
 * class waits for the one before it longer than for one instruction. */
static void find_largest(const piece *p, int32_t first_class, float *most, int32_t *at)
{
    for (int n = 0; n < p->rows; n += VW) {
        const vec before = load(most + n);
        vec largest = before;
        ivec nan = before != before, place = {0};
        for (int c = 0; c < p->classes; c++) {
            const vec x = load(p->lanes[c] + n);
            largest = larger_vec(x, largest);
            nan |= x != x;
        }
        largest = select_vec(nan, splat(NAN), largest);
        for (int c = p->classes - 1; c >= 0; c--) {
            const vec x = load(p->lanes[c] + n);
            const ivec is = (x == largest) | (x != x);
            place = (is & (first_class + c)) | (~is & place);
        }
        const ivec keep = (before != before) | (before == largest);
        store(most + n, largest);
        *(ivec *)(at + n) = (keep & *(const ivec *)(at + n)) | (~keep & place);
    }
}

/* The logits become their exponentials, which are added to each row's sum. */
static void take_exponentials(piece *p, const float *most, float *sum)
{
    for (int n = 0; n < p->rows; n += VW) {
        const vec largest = load(most + n);
        vec total = load(sum + n);
        for (int c = 0; c < p->classes; c++) {
            vec e = exp_vec(load(p->lanes[c] + n) - largest);
            store(p->lanes[c] + n, e);
            total += e;
        }
        store(sum + n, total);
    }
}

/* From a row's largest logit and its exponentials' sum the loss, and from the exponentials in gradient the gradient. */
static float finish_row(const wki_cross_entropy_call *call, const float *logits, int64_t target,
                        float most, float sum, float *gradient)
{
    float loss;
    if (call->weights != NULL || call->smoothing != 0.0f) {
        loss = weighted_row(call, logits, target, most, sum, gradient);
    } else {
        loss = logf(sum) - (logits[target] - most);
        float factor = call->scale / sum;
        for (int c = 0; gradient != NULL && c < call->classes; c++)
            gradient[c] *= factor;
        if (gradient != NULL)
            gradient[target] -= call->scale;
    }
    for (int c = 0; gradient != NULL && call->mask && c < call->classes; c++)
        gradient[c] = logits[c] <= 0.0f ? 0.0f : gradient[c];
    return loss;
}

/* The common case, where all classes are in the lanes and only the target's share is not: the exponentials become the
 * gradient there, but for that share. The same numbers as finish_row()'s. */
static void finish_lanes(const wki_cross_entropy_call *call, const piece *logits, piece *p,
                         const float *sum)
{
    for (int n = 0; n < p->rows; n += VW) {
        const vec factor = call->scale / load(sum + n);
        for (int c = 0; c < p->classes; c++) {
            vec gradient = load(p->lanes[c] + n) * factor;
            if (call->mask)
                gradient = mask_vec(load(logits->lanes[c] + n), gradient);
            store(p->lanes[c] + n, gradient);
        }
    }
}

/* The losses of these rows, and the target's share of their gradients. */
static void finish_targets(const wki_cross_entropy_call *call, int row, int rows, const float *most,
                           const float *sum)
{
    const ptrdiff_t pitch = call->pitch;
    const float *logits = call->logits + row * pitch, scale = call->scale;
    const int64_t *targets = call->targets + row;
    float *gradient = call->gradient == NULL ? NULL : call->gradient + row * pitch;
    for (int n = 0; n < rows && gradient != NULL; n++)
        if (!(call->mask && logits[n * pitch + targets[n]] <= 0.0f))
            gradient[n * pitch + targets[n]] -= scale;
    for (int n = 0; n < rows; n++)
        call->losses[row + n] = logf(sum[n]) - (logits[n * pitch + targets[n]] - most[n]);
}

/* Finds each row's largest logit and sum of exponentials, which are left in gradient, if that is wanted; in_lanes: as the
 * gradient, but for the target's share. */
static void do_lanes(const wki_cross_entropy_call *call, const float *logits, int rows, bool in_lanes,
                     float *most, int32_t *at, float *sum, float *gradient)
{
    piece p, kept;
    p.rows = kept.rows = rows;
    p.pitch = kept.pitch = call->pitch;
    if (rows < WKI_LANES)
        memset(p.lanes, 0, sizeof(p.lanes)); /* what is in lanes without a row is computed with too */
    for (int begin = 0; begin < call->classes; begin += PIECE) {
        p.classes = WKI_MIN(PIECE, call->classes - begin);
        load_piece(&p, logits + begin);
        find_largest(&p, begin, most, at);
    }
    if (in_lanes && call->mask)
        memcpy(kept.lanes, p.lanes, (size_t)call->classes * sizeof(*p.lanes));
    for (int begin = 0; begin < call->classes; begin += PIECE) {
        p.classes = WKI_MIN(PIECE, call->classes - begin);
        if (call->classes > PIECE)
            load_piece(&p, logits + begin);
        take_exponentials(&p, most, sum);
        if (in_lanes && gradient != NULL)
            finish_lanes(call, &kept, &p, sum);
        if (gradient != NULL)
            store_piece(&p, gradient + begin);
    }
}

static void do_rows(const wki_cross_entropy_call *call, int row, int rows)
{
    const float *logits = call->logits + row * call->pitch;
    float *gradient = call->gradient == NULL ? NULL : call->gradient + row * call->pitch;
    const bool in_lanes = call->classes <= PIECE && call->weights == NULL && call->smoothing == 0.0f;
    float most[WKI_LANES], sum[WKI_LANES] = {0};
    int32_t at[WKI_LANES] __attribute__((aligned(64))) = {0};
    for (int n = 0; n < WKI_LANES; n++)
        most[n] = -INFINITY;
    do_lanes(call, logits, rows, in_lanes, most, at, sum, gradient);
    for (int n = 0; n < rows; n++)
        call->predictions[row + n] = at[n];
    if (in_lanes)
        finish_targets(call, row, rows, most, sum);
    for (int n = 0; n < rows && !in_lanes; n++)
        call->losses[row + n] =
            finish_row(call, logits + n * call->pitch, call->targets[row + n], most[n], sum[n],
                       gradient == NULL ? NULL : gradient + n * call->pitch);
}

void WKI_KERNEL(cross_entropy)(const wki_cross_entropy_call *call)
{
    for (int row = 0; row < call->rows; row += WKI_LANES)
        do_rows(call, row, WKI_MIN(WKI_LANES, call->rows - row));
}
