/* Trains for count.sh, which counts the instructions of measured_steps(): count_steps MODEL STEPS. One
 * thread, so that the count is the same each time; one step goes before, in which the buffers are laid
 * out. */
#include <stdio.h>
#include <stdlib.h>
#include <wick/wick.h>

enum {
    SIDE = 28,
    BATCH = 32,
    BATCHES = 4,
    COUNT = BATCH * BATCHES,
    CLASSES = 10,
    BEFORE = 1,
    CANNOT_RUN = 77
};

static wick_context *ctx;

static void check(wick_status status)
{
    if (status == WICK_OK)
        return;
    fprintf(stderr, "count_steps: %s\n", wick_context_message(ctx));
    exit(status == WICK_EDEVICE ? CANNOT_RUN : 1);
}

static wick_dataset *make_dataset(void)
{
    static const char *const names[CLASSES] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    static uint8_t pixels[COUNT * SIDE * SIDE];
    static int64_t labels[COUNT];
    wick_dataset *dataset;
    for (int i = 0; i < COUNT * SIDE * SIDE; i++)
        pixels[i] = (uint8_t)(i * 31 % 251);
    for (int i = 0; i < COUNT; i++)
        labels[i] = i % CLASSES;
    check(wick_dataset_from(ctx, COUNT, 1, SIDE, SIDE, pixels, labels, CLASSES, names, &dataset));
    return dataset;
}

typedef struct training {
    wick_module *model;
    wick_loader *loader;
    wick_loss *loss;
    wick_optimizer *optimizer;
    wick_pass pass;
} training;

static void train(training *t, int64_t steps)
{
    while (steps > 0) {
        if (t->pass.batches == BATCHES)
            t->pass = (wick_pass){0};
        int64_t most = BATCHES - t->pass.batches;
        most = most < steps ? most : steps;
        check(wick_train_part(t->model, t->loader, t->loss, t->optimizer, NULL, most, &t->pass));
        steps -= most;
    }
}

/* Named for callgrind's --toggle-collect, which wants a function that is there. */
void measured_steps(training *t, int64_t steps);
__attribute__((noinline)) void measured_steps(training *t, int64_t steps)
{
    train(t, steps);
    __asm__ volatile(""); /* so that the call above is no jump */
}

int main(int argc, char **argv)
{
    static const int64_t image[3] = {1, SIDE, SIDE};
    const char *cpu;
    training t = {0};
    if (argc != 3 || wick_context_new(&ctx) != WICK_OK)
        return 2;
    check(wick_context_cpu(ctx, &cpu));
    check(wick_context_set_threads(ctx, 1));
    wick_manual_seed(ctx, 42);
    wick_dataset *dataset = make_dataset();
    check(wick_loader_new(dataset, &(wick_loader_options){.batch_size = BATCH, .shuffle = true},
                          &t.loader));
    check(wick_model_by_name(ctx, argv[1], image, 10, CLASSES, &t.model));
    check(wick_cross_entropy_loss(ctx, &t.loss));
    check(wick_sgd(t.model, &(wick_sgd_options){.lr = 0.1}, &t.optimizer));
    train(&t, BEFORE);
    measured_steps(&t, atoll(argv[2]));
    wick_optimizer_free(t.optimizer);
    wick_loss_free(t.loss);
    wick_module_free(t.model);
    wick_loader_free(t.loader);
    wick_dataset_free(dataset);
    wick_context_free(ctx);
    return 0;
}
