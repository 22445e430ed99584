/* Cross entropy with class weights and label smoothing against PyTorch's (losses/make.py), and its gradient against
 * finite differences of the formula. */
#include "base/base.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/wick.h>

enum { MOST_CLASSES = 128, MOST_ROWS = 32 };

static const double tolerance = 1e-5;

typedef struct loss_case {
    int rows, classes, weighted;
    double smoothing;
    float weights[MOST_CLASSES];
    int64_t targets[MOST_ROWS];
    wick_tensor *logits, *target_tensor;
} loss_case;

static void must(wick_context *context, wick_status status)
{
    if (status != WICK_OK)
        fail_msg("%s: %s", wick_status_name(status), wick_context_message(context));
}

static void read_floats(FILE *file, float *numbers, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(fscanf(file, "%f ", &numbers[i]), 1);
}

static bool read_case(wick_context *context, FILE *file, loss_case *c)
{
    if (fscanf(file, "case %d %d %lf %d ", &c->rows, &c->classes, &c->smoothing, &c->weighted) != 4)
        return false;
    assert_in_range(c->rows, 1, MOST_ROWS);
    assert_in_range(c->classes, 1, MOST_CLASSES);
    for (int i = 0; i < c->classes; i++)
        c->weights[i] = 1.0f;
    if (c->weighted)
        read_floats(file, c->weights, c->classes);
    const int64_t shape[2] = {c->rows, c->classes};
    must(context, wick_tensor_new(context, WICK_FLOAT32, 2, shape, &c->logits));
    must(context, wick_tensor_new(context, WICK_INT64, 1, shape, &c->target_tensor));
    for (int i = 0; i < c->rows; i++) {
        long long target;
        assert_int_equal(fscanf(file, "%lld ", &target), 1);
        c->targets[i] = wick_tensor_i64(c->target_tensor)[i] = target;
    }
    read_floats(file, wick_tensor_f32(c->logits), c->rows * c->classes);
    return true;
}

/* The formula of train.h, in double. */
static double formula(const loss_case *c, const double *logits)
{
    double sum = 0.0, weight = 0.0;
    for (int r = 0; r < c->rows; r++) {
        const double *row = logits + r * c->classes;
        double most = row[0], exponentials = 0.0;
        for (int k = 1; k < c->classes; k++)
            most = fmax(most, row[k]);
        for (int k = 0; k < c->classes; k++)
            exponentials += exp(row[k] - most);
        double all = log(exponentials) + most;
        for (int k = 0; k < c->classes; k++)
            sum += c->smoothing / c->classes * (double)c->weights[k] * (all - row[k]);
        double own = (double)c->weights[c->targets[r]];
        sum += (1.0 - c->smoothing) * own * (all - row[c->targets[r]]);
        weight += own;
    }
    return sum / weight;
}

static void check_differences(const loss_case *c, wick_tensor *gradient)
{
    double logits[MOST_CLASSES * MOST_ROWS];
    int count = c->rows * c->classes;
    for (int i = 0; i < count; i++)
        logits[i] = (double)wick_tensor_f32(c->logits)[i];
    for (int i = 0; i < count; i++) {
        double at = logits[i], step = 1e-5;
        logits[i] = at + step;
        double up = formula(c, logits);
        logits[i] = at - step;
        double down = formula(c, logits);
        logits[i] = at;
        double right = (up - down) / (2.0 * step), got = (double)wick_tensor_f32(gradient)[i];
        if (!(fabs(got - right) <= 1e-6))
            fail_msg("gradient %d is %.9g, and the difference's quotient %.9g", i, got, right);
    }
}

static void compare(const loss_case *c, const char *what, const float *got, const float *right,
                    int count)
{
    double largest = 0.0;
    for (int i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)right[i]));
    for (int i = 0; i < count; i++)
        if (!(fabs((double)got[i] - (double)right[i]) <= tolerance * largest))
            fail_msg("%d x %d, smoothing %g, %sweighted: %s %d is %.9g, and PyTorch's %.9g", c->rows,
                     c->classes, c->smoothing, c->weighted ? "" : "not ", what, i, (double)got[i],
                     (double)right[i]);
}

static void check_case(wick_context *context, FILE *file, const loss_case *c)
{
    float value, right_value, right[MOST_CLASSES * MOST_ROWS];
    wick_loss *loss;
    wick_tensor *gradient;
    const wick_cross_entropy_options options = {.label_smoothing = c->smoothing,
                                                .weight = c->weighted ? c->weights : NULL,
                                                .class_count = c->classes};
    must(context, wick_cross_entropy_loss_new(context, &options, &loss));
    must(context, wick_loss_forward(loss, c->logits, c->target_tensor, &value));
    must(context, wick_loss_gradient(loss, &gradient));
    read_floats(file, &right_value, 1);
    read_floats(file, right, c->rows * c->classes);
    compare(c, "the loss", &value, &right_value, 1);
    compare(c, "gradient", wick_tensor_f32(gradient), right, c->rows * c->classes);
    check_differences(c, gradient);
    wick_tensor_free(gradient);
    wick_loss_free(loss);
}

static void check_all(const char *cpu)
{
    char path[1024];
    wick_context *context;
    const char *source = getenv("WICK_TEST_SOURCE");
    snprintf(path, sizeof(path), "%s/oracle/losses/losses.txt", source == NULL ? "." : source);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s cannot be opened", path);
    must(NULL, wick_context_new(&context));
    int cases = 0;
    loss_case c;
    while (wick_context_set_cpu(context, cpu) == WICK_OK && read_case(context, file, &c)) {
        check_case(context, file, &c);
        wick_tensor_free(c.logits);
        wick_tensor_free(c.target_tensor);
        cases++;
    }
    assert_true(cases == 0 || cases == 16);
    fclose(file);
    wick_context_free(context);
}

static void test_against_pytorch(void **state)
{
    (void)state;
    static const char *const names[] = {"x86-64", "x86-64-v3", "x86-64-v4", "auto"};
    for (size_t i = 0; i < WKI_COUNT(names); i++)
        check_all(names[i]);
}

static void expect(wick_context *context, wick_status status, wick_status wanted, const char *words)
{
    assert_int_equal(status, wanted);
    if (strstr(wick_context_message(context), words) == NULL)
        fail_msg("'%s' does not say '%s'", wick_context_message(context), words);
}

static void test_refuses(void **state)
{
    (void)state;
    wick_context *context;
    wick_loss *loss = NULL;
    wick_tensor *logits, *targets;
    float value, weights[3] = {1.0f, -1.0f, 1.0f};
    must(NULL, wick_context_new(&context));
    const double bad[] = {-0.1, 1.1, (double)NAN};
    for (size_t i = 0; i < WKI_COUNT(bad); i++)
        expect(context,
               wick_cross_entropy_loss_new(
                   context, &(wick_cross_entropy_options){.label_smoothing = bad[i]}, &loss),
               WICK_EINVAL, "label_smoothing is");
    wick_cross_entropy_options options = {.weight = weights, .class_count = 3};
    expect(context, wick_cross_entropy_loss_new(context, &options, &loss), WICK_EINVAL,
           "the weight of class 1 is -1");
    options.class_count = 0;
    expect(context, wick_cross_entropy_loss_new(context, &options, &loss), WICK_EINVAL,
           "there must be 1 or more");
    assert_null(loss);
    weights[1] = 0.0f;
    options.class_count = 3;
    must(context, wick_cross_entropy_loss_new(context, &options, &loss));
    must(context, wick_randn(context, NULL, 2, (const int64_t[]){2, 4}, &logits));
    must(context, wick_tensor_new(context, WICK_INT64, 1, (const int64_t[]){2}, &targets));
    expect(context, wick_loss_forward(loss, logits, targets, &value), WICK_ESHAPE,
           "weights of 3 classes and logits of 4");
    wick_tensor_free(logits);
    wick_tensor_free(targets);
    wick_loss_free(loss);
    wick_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_pytorch),
                                       cmocka_unit_test(test_refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
