/* ReLU, sums and SGD's update over flat arrays of every length and alignment, every table: nothing here
 * may differ. */
#include "kernel_support.h"

enum { MOST = 70 };

/* Fails unless each number is the right one (a zero of either sign is right), and has the same bits
 * wherever it stands in an array: alone, a kernel does it as the rest of a vector. */
static void check(const wki_kernels *kernels, const char *what, const float *got, const float *right,
                  size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (kt_is_poison(got[i]) || !(got[i] == right[i] || (isnan(got[i]) && isnan(right[i]))))
            fail_msg("%s: %s: number %zu of %zu is %.9g, not %.9g", kernels->name, what, i, count,
                     (double)got[i], (double)right[i]);
}

static float *copy(const float *from, size_t count)
{
    float *to = kt_floats(count);
    memcpy(to, from, count * sizeof(float));
    return to;
}

static void check_relu(const wki_kernels *kernels, const float *values, const float *gradient,
                       size_t count)
{
    float *right = kt_floats(count), *right_back = kt_floats(count);
    for (size_t i = 0; i < count; i++) {
        right[i] = values[i] < 0.0f ? 0.0f : values[i];
        right_back[i] = values[i] <= 0.0f ? 0.0f : gradient[i];
    }
    float *got = copy(values, count), *back = copy(gradient, count), *alone = copy(values, count);
    kernels->relu(got, count);
    kernels->relu_backward(values, back, count);
    check(kernels, "relu", got, right, count);
    check(kernels, "relu_backward", back, right_back, count);
    for (size_t i = 0; i < count; i++)
        kernels->relu(alone + i, 1);
    if (kt_first_difference(alone, got, count) > 0)
        fail_msg("%s: relu has other bits for number %zu alone", kernels->name,
                 kt_first_difference(alone, got, count) - 1);
}

static void check_sums(const wki_kernels *kernels, size_t count, bool odd)
{
    int parts = kt_int(1, 8);
    size_t stride = count + (size_t)kt_int(0, 5), floats = (size_t)(parts - 1) * stride + count;
    float *from = kt_random_floats(floats, odd), *right = kt_floats(count), *got = kt_floats(count);
    for (size_t i = 0; i < count; i++) {
        right[i] = from[i];
        for (int p = 1; p < parts; p++)
            right[i] += from[(size_t)p * stride + i];
    }
    kernels->sum_parts(got, from, parts, stride, count);
    check(kernels, "sum_parts", got, right, count);
    /* The sum may take the first part's place. */
    float *in_place = copy(from, floats);
    kernels->sum_parts(in_place, in_place, parts, stride, count);
    check(kernels, "sum_parts in place", in_place, right, count);
    if (kt_first_difference(in_place + count, from + count, floats - count) > 0)
        fail_msg("%s: sum_parts writes behind its sum", kernels->name);

    float *sum = kt_random_floats(count, odd), *addend = kt_random_floats(count, odd),
          *total = kt_floats(count);
    for (size_t i = 0; i < count; i++)
        total[i] = sum[i] + addend[i];
    kernels->add(sum, addend, count);
    check(kernels, "add", sum, total, count);
}

/* weight - lr * gradient, rounded once with a multiply-add and twice without. */
static void check_sgd(const wki_kernels *kernels, const float *weight, const float *gradient,
                      size_t count)
{
    float lr = kt_once_in(3) ? 0.1f : fabsf(kt_float()), *got = copy(weight, count),
          *alone = copy(weight, count);
    kernels->sgd(got, gradient, count, lr);
    for (size_t i = 0; i < count; i++) {
        float once = fmaf(-lr, gradient[i], weight[i]), twice = (float)(lr * gradient[i]);
        twice = weight[i] - twice;
        float right = kt_group(kernels) == 1 || got[i] == once ? once : twice;
        check(kernels, "sgd", &got[i], &right, 1);
        kernels->sgd(alone + i, gradient + i, 1, lr);
    }
    if (kt_first_difference(alone, got, count) > 0)
        fail_msg("%s: sgd has other bits for number %zu alone", kernels->name,
                 kt_first_difference(alone, got, count) - 1);
}

/* One of the updates that keep something, against its formula in double; and the same bits for every number alone. */
typedef struct update_case {
    const char *name;
    void (*kernel)(const wki_update_call *call);
    int buffers;
} update_case;

static void right_update(const update_case *u, const wki_update_rates *r, double *w, double gradient,
                         double *first, double *second)
{
    double g = gradient + (double)r->decay * *w;
    if (u->buffers == 0) {
        *w -= (double)r->lr * g;
    } else if (u->buffers == 1) {
        *first = (double)r->keep * *first + (double)r->add * g;
        *w -= (double)r->lr * (r->nesterov ? g + (double)r->momentum * *first : *first);
    } else {
        *first += (double)r->add * (g - *first);
        *second = (double)r->keep_square * *second + (double)r->add_square * g * g;
        *w = (double)r->shrink * *w -
             (double)r->lr * *first / (sqrt(*second) * (double)r->root_scale + (double)r->epsilon);
    }
}

static void check_close(const wki_kernels *kernels, const update_case *u, const char *what, size_t at,
                        float got, double right)
{
    if (!(fabs((double)got - right) <= 3e-6 * (1.0 + fabs(right))))
        fail_msg("%s: %s: number %zu of the %s is %.9g, not %.9g", kernels->name, u->name, at, what,
                 (double)got, right);
}

static void check_update(const wki_kernels *kernels, const update_case *u, size_t count)
{
    const wki_update_rates rates = {.lr = 0.1f,
                                    .decay = 0.03f,
                                    .keep = 0.9f,
                                    .add = 0.2f,
                                    .momentum = 0.9f,
                                    .shrink = 0.95f,
                                    .keep_square = 0.9f,
                                    .add_square = 0.1f,
                                    .root_scale = 1.5f,
                                    .epsilon = 0.01f,
                                    .nesterov = kt_once_in(2)};
    const float *gradient = kt_random_floats(count, false);
    float *weight = kt_random_floats(count, false), *first = kt_random_floats(count, false),
          *second = kt_random_floats(count, false);
    for (size_t i = 0; i < count; i++)
        second[i] = fabsf(second[i]);
    float *w = copy(weight, count), *m = copy(first, count), *v = copy(second, count);
    float *w1 = copy(weight, count), *m1 = copy(first, count), *v1 = copy(second, count);
    u->kernel(&(wki_update_call){w, gradient, m, v, count, &rates});
    for (size_t i = 0; i < count; i++) {
        double right[3] = {(double)weight[i], (double)first[i], (double)second[i]};
        right_update(u, &rates, &right[0], (double)gradient[i], &right[1], &right[2]);
        check_close(kernels, u, "weights", i, w[i], right[0]);
        check_close(kernels, u, "first", i, m[i], right[1]);
        check_close(kernels, u, "second", i, v[i], right[2]);
        u->kernel(&(wki_update_call){w1 + i, gradient + i, m1 + i, v1 + i, 1, &rates});
    }
    if (kt_first_difference(w, w1, count) + kt_first_difference(m, m1, count) +
            kt_first_difference(v, v1, count) >
        0)
        fail_msg("%s: %s has other bits for a number alone", kernels->name, u->name);
}

static void check_lerp(const wki_kernels *kernels, size_t count)
{
    float weight = kt_once_in(4) ? 1.0f : fabsf(kt_float());
    weight = fminf(weight, 1.0f);
    const float *values = kt_random_floats(count, false), *from = kt_random_floats(count, false);
    float *got = copy(from, count), *alone = copy(from, count);
    kernels->lerp(got, values, count, weight);
    for (size_t i = 0; i < count; i++) {
        double right = (double)from[i] + (double)weight * ((double)values[i] - (double)from[i]);
        if (!(fabs((double)got[i] - right) <= 1e-6 * (1.0 + fabs(right))) ||
            (weight == 1.0f && got[i] != values[i]))
            fail_msg("%s: lerp of %zu: %.9g, not %.9g", kernels->name, i, (double)got[i], right);
        kernels->lerp(alone + i, values + i, 1, weight);
    }
    if (kt_first_difference(got, alone, count) > 0)
        fail_msg("%s: lerp has other bits for a number alone", kernels->name);
}

static void check_squares(const wki_kernels *kernels, size_t count)
{
    float *values = kt_random_floats(count, false), *scaled = copy(values, count);
    double sum = 0.0, got = kernels->sum_squares(values, count);
    for (size_t i = 0; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    if (!(fabs(got - sum) <= 1e-14 * sum * (double)(count + 1)) ||
        got != kt_table(0)->sum_squares(values, count))
        fail_msg("%s: the sum of %zu squares is %.17g, not %.17g", kernels->name, count, got, sum);
    kernels->scale(scaled, count, 0.3f);
    for (size_t i = 0; i < count; i++)
        if (scaled[i] != 0.3f * values[i])
            fail_msg("%s: scale of %zu: %.9g", kernels->name, i, (double)scaled[i]);
}

static void check_updates(const wki_kernels *kernels, size_t count)
{
    check_lerp(kernels, count);
    check_squares(kernels, count);
    const update_case cases[] = {{"sgd_decay", kernels->sgd_decay, 0},
                                 {"sgd_momentum", kernels->sgd_momentum, 1},
                                 {"adam", kernels->adam, 2}};
    for (size_t i = 0; i < WKI_COUNT(cases); i++)
        check_update(kernels, &cases[i], count);
}

static void test_elementwise(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    for (int k = 0; (kernels = kt_table(k)) != NULL; k++)
        for (size_t count = 0; count <= MOST; count++)
            for (int odd = 0; odd < 2; odd++) {
                const float *values = kt_random_floats(count, odd),
                            *gradient = kt_random_floats(count, odd);
                check_relu(kernels, values, gradient, count);
                check_sums(kernels, count, odd);
                check_sgd(kernels, values, gradient, count);
                check_updates(kernels, count);
                kt_release();
            }
}

/* The tables agree in every bit, in whatever pieces the work comes. */
static void test_the_same_bits(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    for (int n = 0; n < 100; n++) {
        size_t count = (size_t)kt_int(1, 200);
        const float *values = kt_random_floats(count, true), *gradient = kt_random_floats(count, true);
        float *relus[KT_GROUPS] = {NULL}, *backs[KT_GROUPS] = {NULL}, *updates[KT_GROUPS] = {NULL};
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
            float *relu = copy(values, count), *back = copy(gradient, count),
                  *update = copy(values, count);
            int group = kt_group(kernels);
            for (size_t begin = 0, size; begin < count; begin += size) {
                size = (size_t)kt_int(1, 60);
                size = WKI_MIN(size, count - begin);
                kernels->relu(relu + begin, size);
                kernels->relu_backward(values + begin, back + begin, size);
                kernels->sgd(update + begin, gradient + begin, size, 0.3f);
            }
            if (relus[group] == NULL) {
                relus[group] = relu;
                backs[group] = back;
                updates[group] = update;
            }
            if (kt_first_difference(relus[group], relu, count) > 0)
                fail_msg("%s: relu: other bits", kernels->name);
            if (kt_first_difference(backs[group], back, count) > 0)
                fail_msg("%s: relu_backward: other bits", kernels->name);
            if (kt_first_difference(updates[group], update, count) > 0)
                fail_msg("%s: sgd: other bits", kernels->name);
        }
        kt_release();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elementwise),
        cmocka_unit_test(test_the_same_bits),
    };
    return cmocka_run_group_tests(tests, kt_seed, NULL);
}
