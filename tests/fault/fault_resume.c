/* A training that saves checkpoints, is left in the middle of an epoch, and is gone on with to its
 * end. */
#include "fault.h"

#include <string.h>
#include <sys/stat.h>

enum { COUNT = 6, SIDE = 4, CLASSES = 2, BATCH = 4, BATCHES = 2, EPOCHS = 2 };

static const char *const classes[CLASSES] = {"round", "square"};

typedef struct bench {
    wick_dataset *dataset;
    wick_loader *loader;
    wick_loss *loss;
    wick_run *run;
    wick_training training;
} bench;

static wick_status open_bench(wick_context *context, bench *b)
{
    static const int64_t image[3] = {1, SIDE, SIDE};
    uint8_t pixels[COUNT * SIDE * SIDE];
    int64_t labels[COUNT];
    wick_training *t = &b->training;
    wick_status status;
    for (int i = 0; i < COUNT * SIDE * SIDE; i++)
        pixels[i] = (uint8_t)(i * 7 + i / 3);
    for (int i = 0; i < COUNT; i++)
        labels[i] = i % CLASSES;
    wick_manual_seed(context, 42);
    FAULT_TRY(
        wick_dataset_from(context, COUNT, 1, SIDE, SIDE, pixels, labels, CLASSES, classes, &b->dataset));
    FAULT_TRY(wick_loader_new(b->dataset, &(wick_loader_options){.batch_size = BATCH, .shuffle = true},
                              &b->loader));
    FAULT_TRY(wick_model_by_name(context, "v0", image, 3, CLASSES, &t->model));
    FAULT_TRY(wick_cross_entropy_loss(context, &b->loss));
    FAULT_TRY(wick_adamw(t->model, &(wick_adam_options){.lr = 0.1}, &t->optimizer));
    t->loader = b->loader;
out:
    return status;
}

static void close_bench(bench *b)
{
    wick_run_free(b->run);
    wick_optimizer_free(b->training.optimizer);
    wick_module_free(b->training.model);
    wick_loss_free(b->loss);
    wick_loader_free(b->loader);
    wick_dataset_free(b->dataset);
    *b = (bench){0};
}

/* Trains from where it is, a checkpoint after every step, and leaves after `steps` of them; 0: at the
 * end, with results.json. */
static wick_status train(bench *b, int64_t steps)
{
    wick_training *t = &b->training;
    wick_status status = WICK_OK;
    while (t->epoch < EPOCHS) {
        FAULT_TRY(wick_train_part(t->model, t->loader, b->loss, t->optimizer, NULL, 1, &t->pass));
        FAULT_TRY(wick_run_save_checkpoint(b->run, t));
        if (--steps == 0)
            return WICK_OK;
        if (t->pass.batches < BATCHES)
            continue;
        const wick_metrics metrics = wick_pass_metrics(&t->pass);
        const wick_epoch row = {t->epoch, (double)metrics.loss, metrics.accuracy, 1, 2, 3};
        FAULT_TRY(wick_run_save_model(b->run, t->model));
        FAULT_TRY(wick_run_add_epoch(b->run, &row));
        t->epoch++;
        t->pass = (wick_pass){0};
    }
    const wick_results results = {.model_name = "FashionMNISTModelV0", .device = "cpu", .seed = 42};
    FAULT_TRY(wick_run_finish(b->run, &results));
out:
    return status;
}

static wick_status create(wick_context *context, const char *folder, bench *b)
{
    const wick_run_args args = {.model = "v0",
                                .hidden_units = 3,
                                .data = "IDX",
                                .image_shape = {1, SIDE, SIDE},
                                .class_count = CLASSES,
                                .classes = classes,
                                .epochs = EPOCHS,
                                .batch_size = BATCH,
                                .lr = 0.1,
                                .seed = 42,
                                .device = "cpu",
                                .threads = 1};
    char path[FAULT_PATH];
    wick_status status;
    FAULT_TRY(open_bench(context, b));
    FAULT_TRY(wick_run_create(context, fault_path(path, folder, "run"), false, &args, &b->run));
    wick_manual_seed(context, 42);
out:
    return status;
}

static wick_status resume(wick_context *context, const char *folder, bench *b)
{
    char path[FAULT_PATH];
    wick_status status;
    FAULT_TRY(open_bench(context, b));
    FAULT_TRY(wick_run_resume(context, fault_path(path, folder, "run"), &b->run));
    status = wick_run_load_checkpoint(b->run, &b->training);
    if (status != WICK_ENOENT)
        return status;
    wick_manual_seed(context, 42);
    return WICK_OK;
out:
    return status;
}

static wick_status run_whole(wick_context *context, const char *folder)
{
    bench b = {0};
    wick_status status;
    FAULT_TRY(create(context, folder, &b));
    FAULT_TRY(train(&b, 1));
    close_bench(&b);
    FAULT_TRY(resume(context, folder, &b));
    FAULT_CHECK(b.training.epoch == 0 && b.training.pass.batches == 1);
    FAULT_TRY(train(&b, 0));
out:
    close_bench(&b);
    return status;
}

static void prepare_stopped(wick_context *context, const char *folder)
{
    bench b = {0};
    FAULT_MUST(create(context, folder, &b));
    FAULT_MUST(train(&b, BATCHES + 1));
    close_bench(&b);
}

static wick_status run_resumed(wick_context *context, const char *folder)
{
    bench b = {0};
    wick_status status;
    FAULT_TRY(resume(context, folder, &b));
    FAULT_TRY(train(&b, 0));
out:
    close_bench(&b);
    return status;
}

/* The bits of the last epoch's loss, which every step before has a share in. */
static double last_loss(wick_context *context, const char *folder)
{
    char path[FAULT_PATH];
    int64_t count;
    wick_run *run;
    FAULT_MUST(wick_run_open(context, fault_path(path, folder, "run"), &run));
    FAULT_CHECK(wick_run_results(run) != NULL);
    const wick_epoch *epochs = wick_run_epochs(run, &count);
    FAULT_CHECK(count == EPOCHS);
    double loss = epochs[EPOCHS - 1].train_loss;
    wick_run_free(run);
    return loss;
}

/* Without a failure between. */
static double right_loss(wick_context *context, const char *folder)
{
    char other[FAULT_PATH];
    bench b = {0};
    fault_path(other, folder, "right");
    FAULT_CHECK(mkdir(other, 0777) == 0);
    FAULT_MUST(create(context, other, &b));
    FAULT_MUST(train(&b, 0));
    close_bench(&b);
    return last_loss(context, other);
}

/* However far it came, it can be gone on with, and ends where it would have. */
static void after(wick_context *context, const char *folder, wick_status status)
{
    char path[FAULT_PATH];
    struct stat info;
    bench b = {0};
    static double wanted; /* 0: not known yet */
    if (wanted == 0)
        wanted = right_loss(context, folder);
    if (stat(fault_path(path, folder, "run/results.json"), &info) != 0) {
        FAULT_CHECK(status != WICK_OK);
        if (stat(fault_path(path, folder, "run/args.json"), &info) == 0)
            FAULT_MUST(resume(context, folder, &b));
        else
            FAULT_MUST(create(context, folder, &b));
        FAULT_MUST(train(&b, 0));
        close_bench(&b);
    }
    FAULT_CHECK(last_loss(context, folder) == wanted);
}

/* The checkpoint that was there is, or a later one. */
static void after_resumed(wick_context *context, const char *folder, wick_status status)
{
    char path[FAULT_PATH];
    struct stat info;
    bench b = {0};
    if (stat(fault_path(path, folder, "run/results.json"), &info) != 0) {
        FAULT_MUST(resume(context, folder, &b));
        FAULT_CHECK(b.training.epoch * BATCHES + b.training.pass.batches >= BATCHES + 1);
        close_bench(&b);
    }
    after(context, folder, status);
}

const fault_scenario fault_scenarios[] = {
    {.name = "train_stop_resume", .run = run_whole, .after = after},
    {.name = "resume", .prepare = prepare_stopped, .run = run_resumed, .after = after_resumed},
    {0},
};
