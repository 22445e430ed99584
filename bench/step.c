/* Times wick for bench/compare, which times its peers at the same things: prints seconds as one JSON object.
 *
 *   step [FLAGS] LAYER...            a training step of a Sequential of layers in PyTorch's words, such as
 *                                    'Conv2d(1, 10, 3)'
 *   step [FLAGS] --model v2          a training step of one of the chapter's models
 *   step [FLAGS] --epoch --model v2  an epoch of training on Fashion-MNIST, without the evaluation
 *   step --read                      opening both halves of Fashion-MNIST
 *
 * FLAGS: --input N,C,H,W (32,1,28,28)  --hidden N (10)  --threads N (0: all)  --seconds S (0.3)
 *        --forward: inference, not training  --data NAME|FOLDER (fashion-mnist) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wick/wick.h>

enum {
    CLASSES = 10,
    MOST_SAMPLES = 1000,
    LEAST_SAMPLES = 3,
    DATA_BYTES = 48 << 20,
    MOST_IMAGES = 60000
};
/* A sample is several steps where one is too short for the clock. */
#define SAMPLE_SECONDS 1e-3

typedef struct settings {
    int64_t shape[4];
    int64_t hidden;
    int threads;
    double seconds;
    const char *model, *data;
    char **layers;
    int layer_count;
    bool forward, epoch, read;
} settings;

static wick_context *ctx;

static void check(wick_status status)
{
    if (status != WICK_OK) {
        fprintf(stderr, "step: %s\n", wick_context_message(ctx));
        exit(1);
    }
}

static _Noreturn void usage(const char *what)
{
    fprintf(stderr, "step: %s\n", what);
    exit(2);
}

static const char *value_of(int argc, char **argv, int *i)
{
    if (*i + 1 >= argc)
        usage("a flag lacks its value");
    return argv[++*i];
}

static settings parse(int argc, char **argv)
{
    settings s = {.shape = {32, 1, 28, 28}, .hidden = 10, .seconds = 0.3, .data = "fashion-mnist"};
    for (int i = 1; i < argc; i++) {
        const char *flag = argv[i];
        if (strcmp(flag, "--forward") == 0) {
            s.forward = true;
        } else if (strcmp(flag, "--epoch") == 0) {
            s.epoch = true;
        } else if (strcmp(flag, "--read") == 0) {
            s.read = true;
        } else if (strcmp(flag, "--model") == 0) {
            s.model = value_of(argc, argv, &i);
        } else if (strcmp(flag, "--data") == 0) {
            s.data = value_of(argc, argv, &i);
        } else if (strcmp(flag, "--hidden") == 0) {
            s.hidden = atoll(value_of(argc, argv, &i));
        } else if (strcmp(flag, "--threads") == 0) {
            s.threads = atoi(value_of(argc, argv, &i));
        } else if (strcmp(flag, "--seconds") == 0) {
            s.seconds = atof(value_of(argc, argv, &i));
        } else if (strcmp(flag, "--input") == 0) {
            long long n, c, h, w;
            if (sscanf(value_of(argc, argv, &i), "%lld,%lld,%lld,%lld", &n, &c, &h, &w) != 4)
                usage("--input must be N,C,H,W");
            memcpy(s.shape, (int64_t[4]){n, c, h, w}, sizeof(s.shape));
        } else if (flag[0] == '-') {
            usage("an unknown flag");
        } else {
            s.layers = argv + i;
            s.layer_count = argc - i;
            break;
        }
    }
    if (!s.read && (s.model == NULL) == (s.layer_count == 0))
        usage("give either --model or layers");
    return s;
}

/* ---- what is timed ---- */

typedef struct work {
    wick_module *module;
    wick_loader *loader;
    wick_loss *loss;
    wick_optimizer *optimizer;
    wick_pass pass;
    wick_tensor *images; /* inference */
} work;

static wick_module *make_module(const settings *s)
{
    wick_module *module;
    if (s->model != NULL) {
        check(wick_model_by_name(ctx, s->model, s->shape + 1, s->hidden, CLASSES, &module));
        return module;
    }
    /* Sequential(LAYER, LAYER, ...) */
    size_t length = sizeof("Sequential()");
    for (int i = 0; i < s->layer_count; i++)
        length += strlen(s->layers[i]) + 2;
    char *text = malloc(length);
    if (text == NULL)
        exit(1);
    strcpy(text, "Sequential(");
    for (int i = 0; i < s->layer_count; i++)
        strcat(strcat(text, i > 0 ? ", " : ""), s->layers[i]);
    check(wick_model_parse(ctx, strcat(text, ")"), s->shape + 1, &module));
    free(text);
    return module;
}

/* Noise: what is in the images makes no difference to the time. */
static wick_dataset *make_dataset(const int64_t shape[4])
{
    static const char *const names[CLASSES] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    int64_t bytes = shape[1] * shape[2] * shape[3], count = DATA_BYTES / bytes;
    count = count > MOST_IMAGES ? MOST_IMAGES : count < shape[0] ? shape[0] : count;
    uint8_t *pixels = malloc((size_t)(count * bytes));
    int64_t *labels = malloc((size_t)count * sizeof(*labels));
    wick_dataset *dataset;
    if (pixels == NULL || labels == NULL)
        usage("out of memory");
    uint64_t state = 42;
    for (int64_t i = 0; i < count * bytes; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        pixels[i] = (uint8_t)(state >> 56);
    }
    for (int64_t i = 0; i < count; i++)
        labels[i] = i % CLASSES;
    check(wick_dataset_from(ctx, count, shape[1], shape[2], shape[3], pixels, labels, CLASSES, names,
                            &dataset));
    free(pixels);
    free(labels);
    return dataset;
}

static void prepare(const settings *s, const wick_dataset *dataset, work *w)
{
    wick_loader_options options = {.batch_size = s->shape[0], .shuffle = true};
    check(wick_loader_new(dataset, &options, &w->loader));
    check(wick_cross_entropy_loss(ctx, &w->loss));
    check(wick_sgd(w->module, &(wick_sgd_options){.lr = 0.01}, &w->optimizer));
}

static void train(work *w, int64_t steps)
{
    while (steps > 0) {
        int64_t length = wick_loader_length(w->loader);
        if (w->pass.batches == length)
            w->pass = (wick_pass){0};
        int64_t most = length - w->pass.batches;
        most = most > steps ? steps : most;
        check(wick_train_part(w->module, w->loader, w->loss, w->optimizer, NULL, most, &w->pass));
        steps -= most;
    }
}

static void infer(work *w, int64_t calls)
{
    wick_tensor *output;
    for (int64_t i = 0; i < calls; i++) {
        check(wick_module_forward(w->module, w->images, &output));
        wick_tensor_free(output);
    }
}

/* ---- timing ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double time_once(void (*run)(work *, int64_t), work *w, int64_t count)
{
    double start = wick_timer();
    run(w, count);
    return (wick_timer() - start) / (double)count;
}

/* The median of samples for about so many seconds, after a tenth of that to warm up. */
static double time_steps(void (*run)(work *, int64_t), work *w, double seconds)
{
    double samples[MOST_SAMPLES], once = 1e9, start = wick_timer();
    int done = 0;
    for (int i = 0; i == 0 || (i < 40 && wick_timer() - start < 0.1 * seconds); i++) {
        double took = time_once(run, w, 1);
        once = took < once ? took : once;
    }
    int64_t count = once < SAMPLE_SECONDS ? (int64_t)(SAMPLE_SECONDS / once) : 1;
    while (done < MOST_SAMPLES && (done < LEAST_SAMPLES || wick_timer() - start < seconds))
        samples[done++] = time_once(run, w, count);
    qsort(samples, (size_t)done, sizeof(*samples), compare);
    return samples[done / 2];
}

static double time_read(const settings *s)
{
    wick_dataset *halves[2];
    double start = wick_timer();
    check(wick_dataset_open(ctx, s->data, NULL, WICK_TRAIN, &halves[0]));
    check(wick_dataset_open(ctx, s->data, NULL, WICK_TEST, &halves[1]));
    double seconds = wick_timer() - start;
    wick_dataset_free(halves[0]);
    wick_dataset_free(halves[1]);
    return seconds;
}

static double time_module(const settings *s)
{
    work w = {.module = make_module(s)};
    wick_dataset *dataset = NULL;
    double seconds;
    if (s->forward) {
        check(wick_rand(ctx, NULL, 4, s->shape, &w.images));
        wick_module_eval(w.module);
        seconds = time_steps(infer, &w, s->seconds);
    } else if (s->epoch) {
        check(wick_dataset_open(ctx, s->data, NULL, WICK_TRAIN, &dataset));
        prepare(s, dataset, &w);
        wick_metrics metrics;
        check(wick_train_step(w.module, w.loader, w.loss, w.optimizer, NULL, &metrics));
        seconds = metrics.seconds;
    } else {
        dataset = make_dataset(s->shape);
        prepare(s, dataset, &w);
        seconds = time_steps(train, &w, s->seconds);
    }
    wick_tensor_free(w.images);
    wick_optimizer_free(w.optimizer);
    wick_loss_free(w.loss);
    wick_loader_free(w.loader);
    wick_dataset_free(dataset);
    wick_module_free(w.module);
    return seconds;
}

int main(int argc, char **argv)
{
    settings s = parse(argc, argv);
    const char *cpu;
    if (wick_context_new(&ctx) != WICK_OK)
        usage("out of memory");
    check(wick_context_set_threads(ctx, s.threads));
    check(wick_context_cpu(ctx, &cpu));
    double seconds = s.read ? time_read(&s) : time_module(&s);
    printf("{\"seconds\": %.9g, \"threads\": %d, \"kernels\": \"%s\"}\n", seconds,
           wick_context_threads(ctx), cpu);
    wick_context_free(ctx);
    return 0;
}
