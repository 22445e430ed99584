/* wick bench: what this machine can do, and what of it a model's kernels make. */
#include "bar.h"
#include "json_out.h"
#include "settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct bench_args {
    cli_operands operands;
    const char *model;
    int64_t hidden_units, batch_size, classes, threads;
    cli_sizes input;
    double seconds;
    bool verbose, json;
} bench_args;

static const cli_option options[] = {
    MODEL_OPTION(bench_args),
    HIDDEN_UNITS_OPTION(bench_args),
    {"input", "1,28,28", OPTION_SIZES, offsetof(bench_args, input), 1, 1 << 20,
     "an image's channels, height and width"},
    {"classes", "N", OPTION_INT, offsetof(bench_args, classes), 1, 1 << 20,
     "how many classes it tells apart"},
    {"batch-size", "N", OPTION_INT, offsetof(bench_args, batch_size), 1, 1 << 20,
     "how many images a training batch has"},
    {"threads", "N", OPTION_INT, offsetof(bench_args, threads), 0, 1024,
     "how many threads are all threads, 0 for one a core"},
    {"seconds", "S", OPTION_NUMBER, offsetof(bench_args, seconds), 0, 0, "about how long it may take"},
    {"verbose", "", OPTION_BOOL, offsetof(bench_args, verbose), 0, 0,
     "say which kernels there are and why these were picked, and how many threads did what"},
    JSON_OPTION(bench_args),
    {0},
};

static const bench_args defaults = {
    .model = "v2",
    .hidden_units = 10,
    .batch_size = 32,
    .classes = 10,
    .input = {{1, 28, 28}, 3},
    .seconds = 5,
};

static const char about[] =
    "Measures the processor's peak in multiply-adds and the memory's bandwidth; then, on random\n"
    "images, what each layer of the model takes within a training step (forward, the gradient of its\n"
    "input, the gradient of its weights) and how much of the peak that is; then training steps and\n"
    "inference as a whole, with one thread and with all. Operations are those of the definition, two a\n"
    "multiply-add, however a convolution is computed. Times are medians: on a machine that does other\n"
    "work too they come out longer.\n";

static const char examples[] = "  wick bench\n"
                               "      the chapter's model 2 with batches of 32\n"
                               "  wick bench --model v0 --verbose\n"
                               "      a small model: does it use both threads?\n"
                               "  wick bench --hidden-units 64 --input 3,64,64 --batch-size 8 --json\n"
                               "      a larger one, for a program to read\n"
                               "  WICK_CPU=x86-64 wick bench\n"
                               "      without the processor's newer instructions\n";

/* What was measured. */
typedef struct bench_report {
    cli_model_choice choice;
    wick_machine_speed machine;
    wick_module *module;
    wick_model_speed *model;
} bench_report;

static const char *const pass_names[] = {"forward", "to the input", "to the weights"};

/* ---- shares ---- */

static double operations_a_second(int64_t multiply_adds, double seconds)
{
    return seconds > 0 ? 2.0 * (double)multiply_adds / seconds : 0.0;
}

static double share_of_peak(const bench_report *report, int threads, double flops)
{
    return flops / report->machine.flops[threads == 1 ? WICK_ONE_THREAD : WICK_ALL_THREADS];
}

static double kernel_seconds(const wick_model_speed *model)
{
    double sum = 0;
    for (int64_t i = 0; i < model->kernel_count; i++)
        sum += model->kernels[i].seconds;
    return sum;
}

/* ---- text ---- */

static void print_rates(const cli_app *app, const char *what, const double rates[2], int threads)
{
    say(app, "%-30s %10.1f", what, rates[WICK_ONE_THREAD] / 1e9);
    if (threads > 1)
        say(app, " %11.1f", rates[WICK_ALL_THREADS] / 1e9);
    say(app, "\n");
}

static void print_machine(const cli_app *app, const bench_report *report)
{
    const wick_machine_speed *m = &report->machine;
    say(app, "%-30s %10s", "This machine", "1 thread");
    if (m->threads > 1)
        say(app, " %3d threads", m->threads);
    say(app, "\n");
    print_rates(app, "multiply-adds, GFLOP/s", m->flops, m->threads);
    print_rates(app, "memory, reading, GB/s", m->read_bytes, m->threads);
    print_rates(app, "memory, copying, GB/s", m->copy_bytes, m->threads);
}

static void print_kernel(const cli_app *app, const bench_report *report, const wick_kernel_speed *k,
                         double all)
{
    char name[160];
    double flops = operations_a_second(k->multiply_adds, k->seconds);
    snprintf(name, sizeof(name), "%s%s%s", k->path, k->path[0] == '\0' ? "" : " ", k->kind);
    say(app, "%-34s %-15s %9.1f %7.1f%%", name, pass_names[k->pass], k->seconds * 1e6,
        100 * k->seconds / all);
    if (k->multiply_adds > 0)
        say(app, " %9.1f %7.1f%%", flops / 1e9, 100 * share_of_peak(report, 0, flops));
    say(app, "\n");
}

/* What the layers of a kind come to in one pass; nothing if there are fewer than two. */
static void print_kind(const cli_app *app, const bench_report *report, const char *kind,
                       wick_pass_kind pass, double all)
{
    int count = 0;
    wick_kernel_speed sum = {.path = "all", .kind = kind, .pass = pass};
    for (int64_t i = 0; i < report->model->kernel_count; i++) {
        const wick_kernel_speed *k = &report->model->kernels[i];
        if (k->pass != pass || strcmp(k->kind, kind) != 0)
            continue;
        sum.multiply_adds += k->multiply_adds;
        sum.seconds += k->seconds;
        count++;
    }
    if (count > 1)
        print_kernel(app, report, &sum, all);
}

static void print_kernels(const cli_app *app, const bench_report *report)
{
    static const char *const kinds[] = {"Conv2d", "Linear", "MaxPool2d"};
    const wick_model_speed *model = report->model;
    double all = kernel_seconds(model);
    say(app, "\n%-34s %-15s %9s %8s %9s %8s\n", "Kernels, all threads", "", "us/batch", "share",
        "GFLOP/s", "of peak");
    for (int64_t i = 0; i < model->kernel_count; i++)
        print_kernel(app, report, &model->kernels[i], all);
    for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++)
        for (wick_pass_kind pass = WICK_FORWARD; pass <= WICK_TO_WEIGHTS; pass++)
            print_kind(app, report, kinds[kind], pass, all);
    say(app, "%-50s %9.1f %7.1f%%\n", "all kernels", all * 1e6, 100.0);
}

static void print_work(const cli_app *app, const bench_report *report)
{
    char what[64];
    say(app, "\n%-24s %9s %11s %10s %12s %9s %8s\n", "The whole", "threads", "us/batch", "batches/s",
        "images/s", "GFLOP/s", "of peak");
    for (int i = 0; i < WICK_WORK_COUNT; i++) {
        const wick_work_speed *w = &report->model->work[i];
        if (i % 2 == 1 && w->threads == 1)
            continue;
        double flops = operations_a_second(w->multiply_adds, w->seconds);
        snprintf(what, sizeof(what), "%s, batch %" PRId64, w->training ? "training" : "inference",
                 w->batch);
        say(app, "%-24s %9d %11.1f %10.0f %12.0f %9.1f %7.1f%%\n", what, w->threads, w->seconds * 1e6,
            1 / w->seconds, (double)w->batch / w->seconds, flops / 1e9,
            100 * share_of_peak(report, w->threads, flops));
    }
}

/* ---- why ---- */

static wick_status print_choice_of_kernels(cli_app *app)
{
    wick_cpu_kernels kernels;
    const char *asked = getenv("WICK_CPU");
    bool forced = asked != NULL && asked[0] != '\0' && strcmp(asked, "auto") != 0;
    say(app, "\nKernels, best first:\n");
    for (int i = 0;; i++) {
        wick_status status = wick_bench_cpu(app->context, i, &kernels);
        if (status == WICK_ENOENT)
            return WICK_OK;
        TRY(status);
        const char *why = !kernels.runs   ? "this processor does not have that"
                          : !kernels.used ? "this processor could run these"
                          : forced        ? "used: WICK_CPU asks for these"
                                          : "used: the best that this processor runs";
        say(app, "  %-12s needs %-28s %s\n", kernels.name, kernels.needs, why);
    }
}

static void print_choice_of_threads(const cli_app *app, const bench_report *report)
{
    say(app, "\nThreads:\n");
    for (int i = 1; i < WICK_WORK_COUNT; i += 2) {
        const wick_work_speed *w = &report->model->work[i];
        const char *why = w->threads == 1 ? "there are no more"
                          : w->tried_out  ? "both were tried out, and are again from time to time"
                          : w->used > 1   ? "there is work enough"
                                          : "there is too little work to share";
        say(app, "  %s, batch %" PRId64 ": %d of %d: %s\n", w->training ? "training" : "inference",
            w->batch, w->used, w->threads, why);
    }
}

/* ---- JSON ---- */

static void json_rates(cli_json *json, const char *key, const double rates[2])
{
    json_open(json, key, '{');
    json_number(json, "one_thread", rates[WICK_ONE_THREAD]);
    json_number(json, "all_threads", rates[WICK_ALL_THREADS]);
    json_close(json, '}');
}

static wick_status json_machine(cli_app *app, cli_json *json, const bench_report *report)
{
    const char *cpu;
    wick_cpu_kernels kernels;
    TRY(wick_context_cpu(app->context, &cpu));
    json_open(json, "machine", '{');
    json_text(json, "kernels", cpu);
    json_open(json, "runnable", '[');
    for (int i = 0; wick_bench_cpu(app->context, i, &kernels) == WICK_OK; i++)
        if (kernels.runs)
            json_text(json, NULL, kernels.name);
    json_close(json, ']');
    json_int(json, "threads", report->machine.threads);
    json_rates(json, "flops", report->machine.flops);
    json_rates(json, "read_bytes_per_second", report->machine.read_bytes);
    json_rates(json, "copy_bytes_per_second", report->machine.copy_bytes);
    json_close(json, '}');
    return WICK_OK;
}

static void json_share(cli_json *json, const bench_report *report, int threads, int64_t multiply_adds,
                       double seconds)
{
    double flops = operations_a_second(multiply_adds, seconds);
    json_int(json, "multiply_adds", multiply_adds);
    json_number(json, "seconds", seconds);
    json_number(json, "flops", flops);
    json_number(json, "share_of_peak", share_of_peak(report, threads, flops));
}

static void json_kernels(cli_json *json, const bench_report *report)
{
    static const char *const keys[] = {"forward", "input", "weights"};
    json_open(json, "layers", '[');
    for (int64_t i = 0; i < report->model->kernel_count; i++) {
        const wick_kernel_speed *k = &report->model->kernels[i];
        json_open(json, NULL, '{');
        json_text(json, "path", k->path);
        json_text(json, "kind", k->kind);
        json_text(json, "pass", keys[k->pass]);
        json_share(json, report, 0, k->multiply_adds, k->seconds);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void json_work(cli_json *json, const bench_report *report)
{
    json_open(json, "work", '[');
    for (int i = 0; i < WICK_WORK_COUNT; i++) {
        const wick_work_speed *w = &report->model->work[i];
        json_open(json, NULL, '{');
        json_text(json, "what", w->training ? "training" : "inference");
        json_int(json, "batch_size", w->batch);
        json_int(json, "threads", w->threads);
        json_int(json, "threads_used", w->used);
        json_bool(json, "tried_out", w->tried_out);
        json_share(json, report, w->threads, w->multiply_adds, w->seconds);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static wick_status print_json(cli_app *app, const bench_args *args, const bench_report *report)
{
    cli_json json = {0};
    json_open(&json, NULL, '{');
    TRY(json_machine(app, &json, report));
    json_text(&json, "model_name", wick_module_class_name(report->module));
    if (!wick_model_is_text(report->choice.model))
        json_int(&json, "hidden_units", args->hidden_units);
    json_ints(&json, "input", args->input.count, args->input.at);
    json_int(&json, "batch_size", args->batch_size);
    json_kernels(&json, report);
    json_work(&json, report);
    json_close(&json, '}');
    putchar('\n');
    return WICK_OK;
}

static wick_status print_text(cli_app *app, const bench_args *args, const bench_report *report)
{
    const char *cpu;
    TRY(wick_context_cpu(app->context, &cpu));
    say(app, "%s, ", wick_module_class_name(report->module));
    if (!wick_model_is_text(report->choice.model))
        say(app, "%" PRId64 " hidden units, ", args->hidden_units);
    say(app, "images %" PRId64 "x%" PRId64 "x%" PRId64 ", kernels %s\n\n", args->input.at[0],
        args->input.at[1], args->input.at[2], cpu);
    print_machine(app, report);
    print_kernels(app, report);
    print_work(app, report);
    if (!args->verbose)
        return WICK_OK;
    TRY(print_choice_of_kernels(app));
    print_choice_of_threads(app, report);
    return WICK_OK;
}

/* ---- measuring ---- */

/* The machine takes some of the time, the model the rest. */
enum { MACHINE_PERCENT = 25, BAR_STEPS = 100 };

typedef struct bench_progress {
    cli_bar bar;
    int first, last; /* percent of the whole */
} bench_progress;

static void show_progress(void *user, const char *what, double done)
{
    bench_progress *progress = user;
    progress->bar.label = what;
    progress->bar.drawn = 0;
    bar_update(&progress->bar, progress->first + (int)(done * (progress->last - progress->first)),
               BAR_STEPS);
}

static wick_status measure(cli_app *app, const bench_args *args, bench_report *report)
{
    bench_progress progress = {.last = MACHINE_PERCENT};
    wick_bench_options budget = {.progress = show_progress, .user = &progress};
    const int64_t shape[4] = {args->batch_size, args->input.at[0], args->input.at[1], args->input.at[2]};
    bar_init(&progress.bar);
    bar_start(&progress.bar, "bench", "%");
    budget.seconds = args->seconds * MACHINE_PERCENT / BAR_STEPS;
    wick_status status = wick_bench_machine(app->context, &budget, &report->machine);
    if (status == WICK_OK) {
        progress.first = MACHINE_PERCENT;
        progress.last = BAR_STEPS;
        budget.seconds = args->seconds - budget.seconds;
        status = wick_bench_model(report->module, shape, &budget, &report->model);
    }
    bar_clear(&progress.bar);
    return status;
}

static wick_status bench(cli_app *app, const bench_args *args, bench_report *report)
{
    if (args->input.count != 3)
        return app_usage(app, "--input must be three numbers, channels, height and width, not %d",
                         args->input.count);
    TRY(model_choose(app, args->model, option_given(options, args, "hidden-units"), &report->choice));
    TRY(wick_context_set_threads(app->context, (int)args->threads));
    TRY(model_make(app, &report->choice, args->input.at, args->hidden_units, args->classes,
                   &report->module));
    TRY(measure(app, args, report));
    return args->json ? print_json(app, args, report) : print_text(app, args, report);
}

static wick_status run(cli_app *app, void *memory)
{
    const bench_args *args = memory;
    bench_report report = {0};
    app->quiet = args->json;
    wick_status status = bench(app, args, &report);
    wick_free(report.model);
    wick_module_free(report.module);
    model_release(&report.choice);
    return status;
}

const cli_command command_bench = {
    .name = "bench",
    .summary = "measure this machine, and how much of it a model makes use of",
    .operands = "",
    .about = about,
    .examples = examples,
    .options = options,
    .defaults = &defaults,
    .args_size = sizeof(bench_args),
    .interruptible = true,
    .run = run,
};
