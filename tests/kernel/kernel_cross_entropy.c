/* Cross entropy and its gradient against double, and the exponential against libm, every table. */
#include "kernel_support.h"

enum { CASES = 600, MOST_CLASSES = 200 };

typedef struct entropy {
    wki_cross_entropy_call call;
    size_t floats;
    float *firsts[2][KT_GROUPS]; /* gradient, losses */
} entropy;

static float logit(int kind)
{
    static const float extreme[] = {1e30f, -1e30f, INFINITY, -INFINITY, NAN,
                                    0.0f,  -0.0f,  88.0f,    -88.0f,    1.0f};
    switch (kind) {
    case 0:
        return extreme[kt_random() % WKI_COUNT(extreme)];
    case 1:
        return (float)kt_int(-3, 3); /* equals */
    case 2:
        return 50.0f * kt_float();
    default:
        return kt_float();
    }
}

static void make_case(entropy *e)
{
    wki_cross_entropy_call *call = &e->call;
    *e = (entropy){.call = {.rows = kt_int(0, 20),
                            .classes = kt_once_in(2) ? kt_int(1, 16) : kt_int(1, MOST_CLASSES),
                            .scale = kt_once_in(3) ? 1.0f : 1.0f / (float)kt_int(1, 64),
                            .mask = kt_once_in(3)}};
    call->pitch = call->classes + (kt_once_in(2) ? 0 : kt_int(1, 9));
    e->floats = call->rows == 0 ? 0 : (size_t)((call->rows - 1) * call->pitch + call->classes);
    float *logits = kt_floats(e->floats);
    int kind = kt_int(0, 4);
    for (size_t i = 0; i < e->floats; i++)
        logits[i] = logit(kind == 0 && kt_once_in(2) ? 3 : kind);
    call->logits = logits;
    int64_t *targets = kt_bytes((size_t)call->rows * sizeof(*targets));
    for (int r = 0; r < call->rows; r++) {
        int64_t target = kt_int(0, call->classes - 1);
        memcpy(&targets[r], &target, sizeof(target));
    }
    call->targets = targets;
}

/* torch.argmax: the first of equals, a NaN above all. */
static int argmax(const float *logits, int classes)
{
    for (int c = 0; c < classes; c++)
        if (isnan(logits[c]))
            return c;
    int at = 0;
    for (int c = 1; c < classes; c++)
        if (logits[c] > logits[at])
            at = c;
    return at;
}

static void check_row(const entropy *e, int row, const char *name)
{
    const wki_cross_entropy_call *call = &e->call;
    const float *logits = call->logits + row * call->pitch;
    int target = (int)call->targets[row], largest = argmax(logits, call->classes);
    double most = (double)logits[largest], sum = 0.0;
    for (int c = 0; c < call->classes; c++)
        sum += exp((double)logits[c] - most);
    double away = (double)logits[target] - most, loss = log(sum) - away;
    /* Each exponential is within 2 ulps and its argument within half of one, and the sum's rounding goes
     * with the number of classes; then come the logarithm, and two differences. */
    double relative = (4.0 + 2.0 + call->classes) * KT_EPS, size = log(sum) + fabs(away);
    for (int c = 0; c < call->classes; c++) {
        double far = (double)logits[c] - most;
        if (far > -104.0)
            relative += KT_EPS * exp(far) / sum * -far; /* the argument's rounding */
    }
    if (call->predictions[row] != largest)
        fail_msg("%s: row %d: the prediction is %lld, not %d", name, row,
                 (long long)call->predictions[row], largest);
    if (!kt_near(call->losses[row], loss, relative + 4.0 * KT_EPS * size))
        fail_msg("%s: %d classes: the loss is %.9g, not %.9g", name, call->classes,
                 (double)call->losses[row], loss);
    for (int c = 0; call->gradient != NULL && c < call->classes; c++) {
        double p = exp((double)logits[c] - most) / sum,
               right = (double)call->scale * (p - (c == target));
        double far = fmax((double)logits[c] - most, -104.0);
        double error =
            (double)call->scale * (p * (relative + (6.0 - far) * KT_EPS) + 2.0 * KT_EPS * (c == target));
        if (call->mask && logits[c] <= 0.0f)
            right = error = 0.0;
        /* What would be less than e^-87.3 is 0. */
        if (!kt_near(call->gradient[row * call->pitch + c], right,
                     error + (double)call->scale * 1.3e-38))
            fail_msg("%s: %d classes: gradient [%d][%d] is %.9g, not %.9g", name, call->classes, row, c,
                     (double)call->gradient[row * call->pitch + c], right);
    }
}

static void check_gaps(const entropy *e, const char *name)
{
    const wki_cross_entropy_call *call = &e->call;
    for (int r = 0; r + 1 < call->rows; r++)
        for (ptrdiff_t i = call->classes; i < call->pitch; i++)
            if (!kt_is_poison(call->gradient[r * call->pitch + i]))
                fail_msg("%s: behind row %d was written", name, r);
}

static void run_case(entropy *e, const wki_kernels *kernels)
{
    wki_cross_entropy_call *call = &e->call;
    call->gradient = kt_floats(e->floats);
    call->losses = kt_floats((size_t)call->rows);
    call->predictions = kt_bytes((size_t)call->rows * sizeof(int64_t));
    kernels->cross_entropy(call);
    for (int r = 0; r < call->rows; r++)
        check_row(e, r, kernels->name);
    check_gaps(e, kernels->name);
    kt_same_bits(&e->firsts[0][kt_group(kernels)], call->gradient, e->floats, kernels->name, "gradient");
    kt_same_bits(&e->firsts[1][kt_group(kernels)], call->losses, (size_t)call->rows, kernels->name,
                 "losses");
    /* Without a gradient the losses are the same. */
    float *losses = call->losses;
    call->gradient = NULL;
    call->losses = kt_floats((size_t)call->rows);
    kernels->cross_entropy(call);
    if (kt_first_difference(losses, call->losses, (size_t)call->rows) > 0)
        fail_msg("%s: %d classes: other losses without a gradient", kernels->name, call->classes);
    for (int r = 0; r < call->rows; r++)
        check_row(e, r, kernels->name);
}

static void test_cross_entropy(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    for (int i = 0; i < CASES; i++) {
        entropy e;
        make_case(&e);
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++)
            run_case(&e, kernels);
        kt_release();
    }
}

/* ---- the exponential ---- */

enum { AT_ONCE = 60 };

static float factor_of(const wki_kernels *kernels, wki_cross_entropy_call *call, float scale)
{
    call->scale = scale;
    kernels->cross_entropy(call);
    return call->gradient[0];
}

/* e^x of AT_ONCE numbers at or below 0, as the kernel makes them. The gradient of a logit that is not
 * the target is its exponential times scale / sum; a logit of 0 shows that factor, and the scale is
 * chosen so that it is 1. */
static void exponentials(const wki_kernels *kernels, const float *x, float *out)
{
    float logits[AT_ONCE + 2], gradient[AT_ONCE + 2], losses[1];
    int64_t target = AT_ONCE + 1, predictions[1];
    logits[0] = 0.0f;
    memcpy(logits + 1, x, AT_ONCE * sizeof(*x));
    logits[AT_ONCE + 1] = -INFINITY; /* the target adds nothing */
    wki_cross_entropy_call call = {.logits = logits,
                                   .gradient = gradient,
                                   .targets = &target,
                                   .losses = losses,
                                   .predictions = predictions,
                                   .rows = 1,
                                   .classes = AT_ONCE + 2,
                                   .pitch = AT_ONCE + 2};
    float scale = 1.0f / factor_of(kernels, &call, 1.0f);
    for (int i = 0; i < 8; i++)
        scale = nextafterf(scale, 0.0f);
    for (int i = 0; i < 16 && factor_of(kernels, &call, scale) != 1.0f; i++)
        scale = nextafterf(scale, INFINITY);
    assert_true(gradient[0] == 1.0f);
    memcpy(out, gradient + 1, AT_ONCE * sizeof(*out));
}

/* How far a float is from the right number, in the float's ulps. */
static double ulps(float got, double right)
{
    float near = (float)right;
    return fabs((double)got - right) / ((double)nextafterf(near, INFINITY) - (double)near);
}

static void check_exponentials(const wki_kernels *kernels, const float *x, double *worst)
{
    float got[AT_ONCE];
    exponentials(kernels, x, got);
    for (int i = 0; i < AT_ONCE; i++) {
        if (x[i] < -87.3f) {
            assert_true(got[i] == 0.0f);
            continue;
        }
        double off = ulps(got[i], exp((double)x[i]));
        if (!(off <= 2.0))
            fail_msg("%s: e^%.9g is %.9g: %g ulps off", kernels->name, (double)x[i], (double)got[i],
                     off);
        *worst = fmax(*worst, off);
    }
}

static void test_the_exponential(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
        double worst = 0.0;
        float x[AT_ONCE];
        for (int sweep = 0; sweep < 1500; sweep++) {
            for (int i = 0; i < AT_ONCE; i++) {
                float u = (float)(kt_random() >> 40) * 0x1p-24f;
                x[i] = sweep % 3 == 0 ? -u : sweep % 3 == 1 ? -90.0f * u : -ldexpf(u, -kt_int(0, 140));
            }
            check_exponentials(kernels, x, &worst);
        }
        /* The ends, and where n steps. */
        for (int n = -126; n <= 0; n++) {
            for (int i = 0; i < AT_ONCE; i++)
                x[i] = fminf(0.0f, (float)((n + 0.5) * 0.6931471805599453) + (float)(i - 30) * 1e-6f);
            check_exponentials(kernels, x, &worst);
        }
        for (int i = 0; i < AT_ONCE; i++)
            x[i] = i < 30   ? -87.3f + (float)(i - 15) * 0x1p-17f
                   : i < 40 ? -INFINITY
                   : i < 50 ? -0.0f
                            : -3e38f;
        check_exponentials(kernels, x, &worst);
        printf("%s: the exponential is at most %.3f ulps off\n", kernels->name, worst);
        assert_true(worst > 0.3); /* else nothing was measured */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cross_entropy),
        cmocka_unit_test(test_the_exponential),
    };
    return cmocka_run_group_tests(tests, kt_seed, NULL);
}
