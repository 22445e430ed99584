/* Training against PyTorch's (train/make.py): the first ten steps' losses of many settings, and
 * whole epochs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/wick.h>

enum { STEPS = 10, NUMBERS = STEPS + 4 };

typedef struct setting {
    char model[8];
    long long hidden, batch_size;
    double lr;
    unsigned long long seed;
    double numbers[NUMBERS];
    int count; /* STEPS or NUMBERS */
} setting;

typedef struct fixture {
    wick_context *context;
    wick_dataset *train, *test;
} fixture;

#define OK(call)                                                                                        \
    do {                                                                                                \
        if ((call) != WICK_OK)                                                                          \
            fail_msg("%s: %s", #call, wick_context_message(f->context));                                \
    } while (0)

static int open_data(void **state)
{
    static fixture f;
    if (wick_context_new(&f.context) != WICK_OK)
        return -1;
    *state = &f;
    if (wick_dataset_open(f.context, "fashion-mnist", NULL, WICK_TRAIN, &f.train) == WICK_OK)
        return wick_dataset_open(f.context, "fashion-mnist", NULL, WICK_TEST, &f.test) == WICK_OK ? 0
                                                                                                  : -1;
    print_message("skipped: %s\n", wick_context_message(f.context));
    return 0;
}

static int close_data(void **state)
{
    fixture *f = *state;
    wick_dataset_free(f->train);
    wick_dataset_free(f->test);
    wick_context_free(f->context);
    return 0;
}

static bool read_setting(FILE *file, setting *s)
{
    char line[2048];
    int used;
    if (fgets(line, sizeof(line), file) == NULL)
        return false;
    if (sscanf(line, "%7s %lld %lld %lf %llu%n", s->model, &s->hidden, &s->batch_size, &s->lr, &s->seed,
               &used) != 5)
        fail_msg("train.txt: not a setting: %s", line);
    char *at = line + used, *end;
    for (s->count = 0; s->count < NUMBERS; s->count++, at = end) {
        s->numbers[s->count] = strtod(at, &end);
        if (end == at)
            break;
    }
    return true;
}

typedef struct first_losses {
    fixture *f;
    float loss[STEPS];
    bool stop; /* after STEPS */
} first_losses;

static void keep_loss(void *user, int64_t batch, int64_t batches, float loss)
{
    (void)batches;
    first_losses *kept = user;
    if (batch < STEPS)
        kept->loss[batch] = loss;
    if (batch == STEPS - 1 && kept->stop)
        wick_context_interrupt(kept->f->context);
}

static void check(const setting *s, const char *what, double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s hidden %lld batch %lld lr %g seed %llu: %s is %.9g, PyTorch's is %.9g", s->model,
                 s->hidden, s->batch_size, s->lr, s->seed, what, got, want);
}

static void train_one(fixture *f, const setting *s)
{
    wick_module *model;
    wick_loader *train, *test;
    wick_loss *loss;
    wick_optimizer *optimizer;
    wick_metrics metrics;
    first_losses kept = {.f = f, .stop = s->count == STEPS};
    OK(wick_loader_new(f->train, &(wick_loader_options){.batch_size = s->batch_size, .shuffle = true},
                       &train));
    OK(wick_loader_new(f->test, &(wick_loader_options){.batch_size = s->batch_size}, &test));
    wick_manual_seed(f->context, s->seed);
    OK(wick_model_by_name(f->context, s->model, wick_dataset_image_shape(f->train), s->hidden, 10,
                          &model));
    OK(wick_cross_entropy_loss(f->context, &loss));
    OK(wick_sgd(model, &(wick_sgd_options){.lr = s->lr}, &optimizer));
    wick_manual_seed(f->context, s->seed);
    wick_status status =
        wick_train_step(model, train, loss, optimizer, &(wick_progress){keep_loss, &kept}, &metrics);
    assert_int_equal(status, kept.stop ? WICK_EINTR : WICK_OK);
    wick_context_clear_interrupt(f->context);
    for (int i = 0; i < STEPS; i++)
        check(s, "a step's loss", (double)kept.loss[i], s->numbers[i], 1e-5);
    if (s->count == NUMBERS) {
        /* A rounding may turn a picture or two of 60,000 and of 10,000 the other way. */
        check(s, "train_loss", (double)metrics.loss, s->numbers[STEPS], 2e-5);
        check(s, "train_acc", metrics.accuracy, s->numbers[STEPS + 1], 2.5 / 600);
        OK(wick_test_step(model, test, loss, NULL, &metrics));
        check(s, "test_loss", (double)metrics.loss, s->numbers[STEPS + 2], 2e-5);
        check(s, "test_acc", metrics.accuracy, s->numbers[STEPS + 3], 2.5 / 100);
    }
    wick_optimizer_free(optimizer);
    wick_loss_free(loss);
    wick_module_free(model);
    wick_loader_free(train);
    wick_loader_free(test);
}

static void test_train(void **state)
{
    fixture *f = *state;
    char path[4096];
    setting s;
    int settings = 0;
    if (f->train == NULL)
        skip();
    snprintf(path, sizeof(path), "%s/oracle/train/train.txt", getenv("WICK_TEST_SOURCE"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (; read_setting(file, &s); settings++)
        train_one(f, &s);
    fclose(file);
    assert_true(settings >= 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_train)};
    return cmocka_run_group_tests_name("oracle_train", tests, open_data, close_data);
}
