/* Training in parts, checkpoints, and runs that are gone on with: the same bits as without a stop; and
 * the lock. */
#include "base/base.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wick/wick.h>

#include <cmocka.h>

enum { COUNT = 90, SIDE = 28, CLASSES = 3, EPOCHS = 3, BATCH = 20, BATCHES = 5 };

static const char *const classes[CLASSES] = {"circle", "square", "star"};

typedef struct bench {
    wick_context *context;
    wick_dataset *dataset;
    wick_loader *loader;
    wick_module *model;
    wick_loss *loss;
    wick_optimizer *optimizer;
} bench;

typedef struct test_place {
    char folder[32], run[64];
} test_place;

#define OK(b, call)                                                                                     \
    do {                                                                                                \
        if ((call) != WICK_OK)                                                                          \
            fail_msg("line %d: %s", __LINE__, wick_context_message((b)->context));                      \
    } while (0)

static void expect(const bench *b, wick_status got, wick_status wanted, const char *message)
{
    assert_int_equal(got, wanted);
    if (strstr(wick_context_message(b->context), message) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", message, wick_context_message(b->context));
}

static int set_up(void **state)
{
    test_place *place = calloc(1, sizeof(*place));
    if (place == NULL)
        return -1;
    *state = place;
    strcpy(place->folder, "/tmp/wick-resume-XXXXXX");
    if (mkdtemp(place->folder) == NULL)
        return -1;
    snprintf(place->run, sizeof(place->run), "%s/run", place->folder);
    return 0;
}

static int tear_down(void **state)
{
    test_place *place = *state;
    char command[64];
    snprintf(command, sizeof(command), "rm -rf '%s'", place->folder);
    int status = system(command);
    free(place);
    return status;
}

static void open_bench(bench *b, const char *model, int threads)
{
    static const int64_t image[3] = {1, SIDE, SIDE};
    static uint8_t pixels[COUNT * SIDE * SIDE];
    int64_t labels[COUNT];
    for (int i = 0; i < COUNT * SIDE * SIDE; i++)
        pixels[i] = (uint8_t)(i * 7 + i / 91);
    for (int i = 0; i < COUNT; i++)
        labels[i] = i * i % CLASSES;
    *b = (bench){0};
    assert_int_equal(wick_context_new(&b->context), WICK_OK);
    OK(b, wick_context_set_threads(b->context, threads));
    b->context->work_per_thread = 1; /* so that all of them have something to do */
    wick_manual_seed(b->context, 42);
    OK(b, wick_dataset_from(b->context, COUNT, 1, SIDE, SIDE, pixels, labels, CLASSES, classes,
                            &b->dataset));
    OK(b, wick_loader_new(b->dataset, &(wick_loader_options){.batch_size = BATCH, .shuffle = true},
                          &b->loader));
    OK(b, wick_model_by_name(b->context, model, image, 4, CLASSES, &b->model));
    OK(b, wick_cross_entropy_loss(b->context, &b->loss));
    OK(b, wick_sgd(b->model, &(wick_sgd_options){.lr = 0.1}, &b->optimizer));
}

static void close_bench(bench *b)
{
    wick_optimizer_free(b->optimizer);
    wick_loss_free(b->loss);
    wick_module_free(b->model);
    wick_loader_free(b->loader);
    wick_dataset_free(b->dataset);
    wick_context_free(b->context);
}

static wick_run_args args_of(const char *model)
{
    return (wick_run_args){.model = model,
                           .hidden_units = 4,
                           .data = "somewhere",
                           .image_shape = {1, SIDE, SIDE},
                           .class_count = CLASSES,
                           .classes = classes,
                           .epochs = EPOCHS,
                           .batch_size = BATCH,
                           .lr = 0.1,
                           .seed = 42,
                           .device = "cpu",
                           .threads = 1};
}

static wick_training state_of(const bench *b)
{
    return (wick_training){.model = b->model, .optimizer = b->optimizer, .loader = b->loader};
}

static wick_status train_part(bench *b, int64_t batches, wick_pass *pass)
{
    return wick_train_part(b->model, b->loader, b->loss, b->optimizer, NULL, batches, pass);
}

static void same_models(const wick_module *a, const wick_module *b)
{
    wick_state_dict *dict_a, *dict_b;
    assert_int_equal(wick_module_state_dict(a, &dict_a), WICK_OK);
    assert_int_equal(wick_module_state_dict(b, &dict_b), WICK_OK);
    assert_int_equal(wick_state_dict_count(dict_a), wick_state_dict_count(dict_b));
    for (int64_t i = 0; i < wick_state_dict_count(dict_a); i++) {
        const wick_tensor *x = wick_state_dict_tensor(dict_a, i), *y = wick_state_dict_tensor(dict_b, i);
        assert_memory_equal(wick_tensor_cdata(x), wick_tensor_cdata(y),
                            (size_t)wick_tensor_numel(x) * sizeof(float));
    }
    wick_state_dict_free(dict_a);
    wick_state_dict_free(dict_b);
}

static void same_metrics(const wick_metrics *a, const wick_metrics *b)
{
    assert_memory_equal(&a->loss, &b->loss, sizeof(a->loss));
    assert_memory_equal(&a->accuracy, &b->accuracy, sizeof(a->accuracy));
    assert_int_equal(a->correct, b->correct);
    assert_int_equal(a->count, b->count);
}

/* ---- parts ---- */

static void test_parts_make_an_epoch(void **state)
{
    (void)state;
    for (int64_t part = 0; part <= BATCHES + 1; part++) {
        bench whole, parts;
        wick_metrics wanted, got;
        open_bench(&whole, "v1", 1);
        open_bench(&parts, "v1", 2);
        for (int epoch = 0; epoch < 2; epoch++) {
            wick_pass pass = {0};
            int calls = 0;
            OK(&whole,
               wick_train_step(whole.model, whole.loader, whole.loss, whole.optimizer, NULL, &wanted));
            for (; pass.batches < BATCHES; calls++)
                OK(&parts, train_part(&parts, part, &pass));
            assert_int_equal(calls, part == 0 ? 1 : (BATCHES + part - 1) / part);
            assert_int_equal(pass.batches, BATCHES);
            OK(&parts, train_part(&parts, part, &pass)); /* over already: nothing happens */
            got = wick_pass_metrics(&pass);
            same_metrics(&wanted, &got);
            assert_true(got.seconds > 0);
            same_models(whole.model, parts.model);
        }
        close_bench(&whole);
        close_bench(&parts);
    }
}

static void interrupt(void *user, int64_t batch, int64_t batches, float loss)
{
    (void)batch;
    (void)batches;
    (void)loss;
    wick_context_interrupt(user);
}

static void test_an_interrupted_pass_goes_on(void **state)
{
    (void)state;
    bench whole, parts;
    wick_pass pass = {0};
    wick_metrics wanted, got;
    open_bench(&whole, "v1", 1);
    open_bench(&parts, "v1", 1);
    OK(&whole, wick_train_step(whole.model, whole.loader, whole.loss, whole.optimizer, NULL, &wanted));
    for (int i = 1; i <= BATCHES; i++) { /* also after the last batch */
        const wick_progress progress = {interrupt, parts.context};
        assert_int_equal(
            wick_train_part(parts.model, parts.loader, parts.loss, parts.optimizer, &progress, 0, &pass),
            WICK_EINTR);
        assert_int_equal(pass.batches, i);
        wick_context_clear_interrupt(parts.context);
    }
    OK(&parts, train_part(&parts, 0, &pass));
    got = wick_pass_metrics(&pass);
    same_metrics(&wanted, &got);
    same_models(whole.model, parts.model);
    close_bench(&whole);
    close_bench(&parts);
}

static void test_a_pass_of_another_place_is_refused(void **state)
{
    (void)state;
    bench b;
    wick_pass pass = {0};
    open_bench(&b, "v0", 1);
    expect(&b, train_part(&b, 1, NULL), WICK_EINVAL, "the pass is NULL");
    expect(&b, train_part(&b, -1, &pass), WICK_EINVAL, "fewer than 0");
    assert_int_equal(wick_train_part(NULL, b.loader, b.loss, b.optimizer, NULL, 1, &pass), WICK_EINVAL);
    OK(&b, train_part(&b, 2, &pass));
    OK(&b, wick_loader_begin(b.loader));
    expect(&b, train_part(&b, 1, &pass), WICK_EINVAL,
           "the pass is at batch 2, and the loader at batch 0");
    const wick_metrics none = wick_pass_metrics(&(wick_pass){0});
    assert_true(none.loss == 0 && none.accuracy == 0 && none.count == 0);
    close_bench(&b);
}

static void test_an_optimizer_keeps_its_lr(void **state)
{
    (void)state;
    bench b;
    wick_optimizer *other;
    wick_state_dict *dict, *again;
    open_bench(&b, "v0", 1);
    OK(&b, wick_sgd(b.model, &(wick_sgd_options){.lr = 0.3}, &other));
    OK(&b, wick_optimizer_state_dict(other, &dict));
    assert_int_equal(wick_state_dict_count(dict), 1);
    OK(&b, wick_optimizer_load_state_dict(b.optimizer, dict));
    OK(&b, wick_optimizer_state_dict(b.optimizer, &again));
    assert_memory_equal(wick_tensor_cdata(wick_state_dict_get(dict, "lr")),
                        wick_tensor_cdata(wick_state_dict_get(again, "lr")), 8);
    wick_state_dict_free(again);
    /* The bits of minus infinity. */
    *wick_tensor_i64(wick_state_dict_get(dict, "lr")) = INT64_MIN | INT64_C(0x7ff0000000000000);
    expect(&b, wick_optimizer_load_state_dict(b.optimizer, dict), WICK_EFORMAT, "lr is -inf");
    wick_state_dict_free(dict);
    OK(&b, wick_module_state_dict(b.model, &dict));
    expect(&b, wick_optimizer_load_state_dict(b.optimizer, dict), WICK_EKEY,
           "'layer_stack.1.weight' is no part of the state of SGD");
    wick_state_dict_free(dict);
    OK(&b, wick_state_dict_new(b.context, &dict));
    expect(&b, wick_optimizer_load_state_dict(b.optimizer, dict), WICK_EKEY, "'lr' is missing");
    wick_state_dict_free(dict);
    wick_optimizer_free(other);
    close_bench(&b);
}

/* ---- checkpoints ---- */

/* Trains to the end from where state is; stop: saves a checkpoint after so many steps more, and
 * leaves. */
static void go_on(bench *b, wick_run *run, wick_training *state, int64_t stop)
{
    while (state->epoch < EPOCHS) {
        OK(b, train_part(b, 1, &state->pass));
        if (--stop == 0) {
            OK(b, wick_run_save_checkpoint(run, state));
            return;
        }
        if (state->pass.batches < BATCHES)
            continue;
        const wick_metrics train = wick_pass_metrics(&state->pass);
        const wick_epoch row = {state->epoch, (double)train.loss, train.accuracy, 1, 2, 3};
        OK(b, wick_run_add_epoch(run, &row));
        state->epoch++;
        state->pass = (wick_pass){0};
    }
    const wick_results results = {.model_name = "M", .device = "cpu", .threads = 1, .seed = 42};
    OK(b, wick_run_finish(run, &results));
}

static bool has_checkpoint(const test_place *place)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/checkpoint.pth", place->run);
    return wki_file_exists(path);
}

static void run_without_a_stop(const test_place *place, const char *model, bench *b, wick_run **run)
{
    char path[128];
    const wick_run_args args = args_of(model);
    snprintf(path, sizeof(path), "%s/whole", place->folder);
    open_bench(b, model, 1);
    wick_training state = state_of(b);
    OK(b, wick_run_create(b->context, path, true, &args, run));
    wick_manual_seed(b->context, 42);
    go_on(b, *run, &state, 0);
}

static void same_epochs(const wick_run *a, const wick_run *b)
{
    int64_t count_a, count_b;
    const wick_epoch *rows_a = wick_run_epochs(a, &count_a), *rows_b = wick_run_epochs(b, &count_b);
    assert_int_equal(count_a, count_b);
    assert_memory_equal(rows_a, rows_b, (size_t)count_a * sizeof(*rows_a));
}

static void resume_again_and_again(const test_place *place, const char *model)
{
    bench whole;
    wick_run *wanted, *run;
    const wick_run_args args = args_of(model);
    run_without_a_stop(place, model, &whole, &wanted);
    for (int stopped = 0, done = 0; !done; stopped++) {
        bench b;
        open_bench(&b, model, 1 + stopped % 3);
        wick_training state = state_of(&b);
        if (stopped == 0) {
            OK(&b, wick_run_create(b.context, place->run, true, &args, &run));
            wick_manual_seed(b.context, 42);
        } else {
            OK(&b, wick_run_resume(b.context, place->run, &run));
            assert_null(wick_run_results(run));
            wick_manual_seed(b.context, 77); /* the checkpoint knows better */
            OK(&b, wick_run_load_checkpoint(run, &state));
        }
        go_on(&b, run, &state, 1 + rand() % 6);
        done = state.epoch == EPOCHS;
        assert_true(has_checkpoint(place) == !done);
        if (done) {
            same_models(whole.model, b.model);
            same_epochs(wanted, run);
        }
        wick_run_free(run);
        close_bench(&b);
    }
    wick_run_free(wanted);
    close_bench(&whole);
}

static void test_a_resumed_run_has_the_same_bits(void **state)
{
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 4; round++) {
        resume_again_and_again(*state, "v0");
        resume_again_and_again(*state, "v1");
        resume_again_and_again(*state, "v2");
    }
}

static void test_no_checkpoint_is_a_beginning(void **state)
{
    const test_place *place = *state;
    const wick_run_args args = args_of("v0");
    const wick_epoch row = {0, 1, 2, 3, 4, 5};
    bench b;
    wick_run *run;
    int64_t count;
    open_bench(&b, "v0", 1);
    wick_training training = state_of(&b);
    OK(&b, wick_run_create(b.context, place->run, false, &args, &run));
    OK(&b, wick_run_add_epoch(run, &row));
    wick_run_free(run);
    OK(&b, wick_run_resume(b.context, place->run, &run));
    wick_run_epochs(run, &count);
    assert_int_equal(count, 1);
    expect(&b, wick_run_load_checkpoint(run, &training), WICK_ENOENT, "checkpoint.pth");
    wick_run_epochs(run, &count);
    assert_int_equal(count, 0);
    expect(&b, wick_run_load_checkpoint(run, &(wick_training){0}), WICK_EINVAL, "needs a model");
    expect(&b, wick_run_save_checkpoint(run, NULL), WICK_EINVAL, "needs a model");
    wick_run_free(run);
    close_bench(&b);
}

/* Changes a number of a checkpoint, or leaves the key out. */
static void change(const bench *b, const char *path, const char *key, bool leave_out, int64_t number)
{
    wick_state_dict *dict, *changed;
    OK(b, wick_load(b->context, path, &dict));
    OK(b, wick_state_dict_new(b->context, &changed));
    for (int64_t i = 0; i < wick_state_dict_count(dict); i++) {
        wick_tensor *copy;
        bool it = strcmp(wick_state_dict_key(dict, i), key) == 0;
        if (it && leave_out)
            continue;
        OK(b, wick_tensor_clone(wick_state_dict_tensor(dict, i), &copy));
        if (it)
            *(int64_t *)wick_tensor_data(copy) = number;
        OK(b, wick_state_dict_add(changed, wick_state_dict_key(dict, i), copy));
    }
    OK(b, wick_save(changed, path));
    wick_state_dict_free(changed);
    wick_state_dict_free(dict);
}

static void test_a_checkpoint_that_lies_is_refused(void **state)
{
    static const struct {
        const char *key;
        bool leave_out;
        int64_t number;
        wick_status status;
        const char *message;
    } cases[] = {
        {"format", false, 2, WICK_EFORMAT, "'format' is 2; it must be 1 to 1"},
        {"format", true, 0, WICK_EKEY, "'format' is missing"},
        {"epoch", false, EPOCHS + 1, WICK_EFORMAT, "'epoch' is 4"},
        {"pass.batches", false, 3, WICK_EFORMAT, "the loader's place is batch 2"},
        {"pass.batches", false, BATCHES + 1, WICK_EFORMAT, "'pass.batches' is 6"},
        {"epoch", false, EPOCHS, WICK_EFORMAT, "'pass.batches' is 2; it must be 0 to 0"},
        {"pass.count", false, -1, WICK_EFORMAT, "'pass.count' is -1"},
        {"pass.correct", false, -1, WICK_EFORMAT, "'pass.correct' is -1"},
        {"pass.correct", true, 0, WICK_EKEY, "'pass.correct' is missing"},
        {"pass.accuracy", true, 0, WICK_EKEY, "'pass.accuracy' is missing"},
        {"pass.seconds", true, 0, WICK_EKEY, "'pass.seconds' is missing"},
        {"pass.loss", true, 0, WICK_EKEY, "'pass.loss' is missing"},
        {"loader.next", false, 3, WICK_EFORMAT, "no place"},
        {"loader.order", true, 0, WICK_EFORMAT, "no place"},
        {"optimizer.lr", true, 0, WICK_EKEY, "'lr' is missing"},
        {"model.layer_stack.1.bias", true, 0, WICK_EKEY, "layer_stack.1.bias"},
        {"generator", true, 0, WICK_EKEY, "'generator' is missing"},
        {"epochs", true, 0, WICK_EFORMAT, "'epochs' must be there"},
    };
    const test_place *place = *state;
    const wick_run_args args = args_of("v0");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bench b;
        wick_run *run;
        char path[128];
        open_bench(&b, "v0", 1);
        wick_training training = state_of(&b);
        OK(&b, wick_run_create(b.context, place->run, true, &args, &run));
        go_on(&b, run, &training, 2);
        snprintf(path, sizeof(path), "%s/checkpoint.pth", place->run);
        change(&b, path, cases[i].key, cases[i].leave_out, cases[i].number);
        wick_status status = wick_run_load_checkpoint(run, &training);
        expect(&b, status, cases[i].status, cases[i].message);
        expect(&b, status, cases[i].status, path);
        wick_run_free(run);
        close_bench(&b);
    }
}

/* The table of epochs as another tensor (moved). */
static void change_epochs(const bench *b, const char *path, wick_tensor *epochs)
{
    wick_state_dict *dict, *changed;
    OK(b, wick_load(b->context, path, &dict));
    OK(b, wick_state_dict_new(b->context, &changed));
    for (int64_t i = 0; i < wick_state_dict_count(dict); i++) {
        wick_tensor *copy;
        if (strcmp(wick_state_dict_key(dict, i), "epochs") == 0)
            continue;
        OK(b, wick_tensor_clone(wick_state_dict_tensor(dict, i), &copy));
        OK(b, wick_state_dict_add(changed, wick_state_dict_key(dict, i), copy));
    }
    OK(b, wick_state_dict_add(changed, "epochs", epochs));
    OK(b, wick_save(changed, path));
    wick_state_dict_free(changed);
    wick_state_dict_free(dict);
}

static void test_a_table_of_epochs_that_lies_is_refused(void **state)
{
    static const struct {
        wick_dtype dtype;
        int ndim;
        int64_t shape[3];
    } cases[] = {
        {WICK_FLOAT32, 2, {0, 6}},        {WICK_INT64, 1, {6}},
        {WICK_INT64, 3, {0, 6, 1}},       {WICK_INT64, 2, {0, 5}},
        {WICK_INT64, 2, {EPOCHS + 1, 6}},
    };
    const test_place *place = *state;
    const wick_run_args args = args_of("v0");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bench b;
        wick_run *run;
        wick_tensor *epochs;
        char path[128];
        open_bench(&b, "v0", 1);
        wick_training training = state_of(&b);
        OK(&b, wick_run_create(b.context, place->run, true, &args, &run));
        go_on(&b, run, &training, 2);
        snprintf(path, sizeof(path), "%s/checkpoint.pth", place->run);
        OK(&b, wick_tensor_new(b.context, cases[i].dtype, cases[i].ndim, cases[i].shape, &epochs));
        change_epochs(&b, path, epochs);
        expect(&b, wick_run_load_checkpoint(run, &training), WICK_EFORMAT,
               "'epochs' must be there, at most [3, 6] of torch.int64");
        assert_int_equal(wick_run_load_checkpoint(NULL, &training), WICK_EINVAL);
        assert_int_equal(wick_run_save_checkpoint(NULL, &training), WICK_EINVAL);
        wick_training part = training;
        part.optimizer = NULL;
        expect(&b, wick_run_load_checkpoint(run, &part), WICK_EINVAL, "needs a model");
        part = training;
        part.loader = NULL;
        expect(&b, wick_run_load_checkpoint(run, &part), WICK_EINVAL, "needs a model");
        wick_run_free(run);
        close_bench(&b);
    }
}

/* ---- one at a time ---- */

static void test_a_run_in_use_is_refused(void **state)
{
    const test_place *place = *state;
    const wick_run_args args = args_of("v0");
    bench b;
    wick_run *run, *other = NULL;
    open_bench(&b, "v0", 1);
    OK(&b, wick_run_create(b.context, place->run, false, &args, &run));
    for (int exist_ok = 0; exist_ok < 2; exist_ok++)
        expect(&b, wick_run_create(b.context, place->run, exist_ok, &args, &other), WICK_EBUSY,
               "/run: is in use by another run");
    expect(&b, wick_run_resume(b.context, place->run, &other), WICK_EBUSY,
           "/run: is in use by another run");
    assert_null(other);
    OK(&b, wick_run_open(b.context, place->run, &other)); /* to read it is fine */
    wick_run_free(other);
    wick_run_free(run);
    expect(&b, wick_run_create(b.context, place->run, false, &args, &other), WICK_EEXIST,
           "there is a run in this folder already");
    OK(&b, wick_run_resume(b.context, place->run, &run));
    expect(&b, wick_run_resume(b.context, place->run, &other), WICK_EBUSY, "in use");
    wick_run_free(run);
    expect(&b, wick_run_resume(b.context, place->folder, &run), WICK_ENOENT, "is no run");
    char nowhere[128];
    snprintf(nowhere, sizeof(nowhere), "%s/nowhere", place->folder);
    expect(&b, wick_run_resume(b.context, nowhere, &run), WICK_ENOENT, "there is no such folder");
    snprintf(nowhere, sizeof(nowhere), "%s/args.json", place->run);
    expect(&b, wick_run_resume(b.context, nowhere, &run), WICK_EIO, "cannot open the folder");
    close_bench(&b);
}

/* A process that is killed holds no lock, and what it was writing is cleared away. */
static void test_a_killed_process_lets_go(void **state)
{
    const test_place *place = *state;
    const wick_run_args args = args_of("v0");
    int ready[2], status;
    char byte;
    bench b;
    wick_run *run = NULL;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        wick_context *context;
        char path[128];
        wki_writer writer;
        snprintf(path, sizeof(path), "%s/checkpoint.pth", place->run);
        if (wick_context_new(&context) != WICK_OK ||
            wick_run_create(context, place->run, false, &args, &run) != WICK_OK ||
            wki_writer_open(&writer, context, path) != WICK_OK || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    open_bench(&b, "v0", 1);
    expect(&b, wick_run_resume(b.context, place->run, &run), WICK_EBUSY, "in use");
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    char command[256];
    snprintf(command, sizeof(command), "ls '%s' | grep -q '^checkpoint.pth.*tmp$'", place->run);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof(command), "cd '%s' && touch mine.tmp checkpoint.pth.tmp model.pth.old.tmp",
             place->run);
    assert_int_equal(system(command), 0);
    OK(&b, wick_run_resume(b.context, place->run, &run));
    snprintf(command, sizeof(command),
             "test \"$(ls '%s' | tr '\\n' ' ')\" = "
             "'args.json checkpoint.pth.tmp mine.tmp model.pth.old.tmp '",
             place->run);
    assert_int_equal(system(command), 0);
    wick_run_free(run);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_parts_make_an_epoch),
        TEST(test_an_interrupted_pass_goes_on),
        TEST(test_a_pass_of_another_place_is_refused),
        TEST(test_an_optimizer_keeps_its_lr),
        TEST(test_a_resumed_run_has_the_same_bits),
        TEST(test_no_checkpoint_is_a_beginning),
        TEST(test_a_checkpoint_that_lies_is_refused),
        TEST(test_a_table_of_epochs_that_lies_is_refused),
        TEST(test_a_run_in_use_is_refused),
        TEST(test_a_killed_process_lets_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
