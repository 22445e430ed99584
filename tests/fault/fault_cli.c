/* The whole of `wick train`, with checkpoints, and of `wick train --resume`, in this process: each
 * failure is exit status 1 with one line, and the run can be gone on with to the end that it would have
 * had. */
#include "fault.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRAIN = 10, TEST = 4, SIDE = 4, MOST_WORDS = 32, STEPS = 4 };

/* cli/main.c's, under another name. */
int wick_main(int argc, char **argv);

/* ---- data ---- */

static void write_idx(const char *folder, const char *name, uint8_t kind, int count, size_t each)
{
    uint8_t bytes[16 + TRAIN * SIDE * SIDE] = {0, 0, 8, kind, 0, 0, 0, (uint8_t)count};
    size_t header = 4 + 4 * (size_t)kind;
    if (kind == 3)
        bytes[11] = bytes[15] = SIDE;
    for (size_t i = 0; i < (size_t)count * each; i++)
        bytes[header + i] = kind == 3 ? (uint8_t)(i * 7 + i / 3) : (uint8_t)(i % 2);
    fault_write(folder, name, bytes, header + (size_t)count * each);
}

static void prepare(wick_context *context, const char *folder)
{
    (void)context;
    write_idx(folder, "train-images-idx3-ubyte", 3, TRAIN, SIDE * SIDE);
    write_idx(folder, "train-labels-idx1-ubyte", 1, TRAIN, 1);
    write_idx(folder, "t10k-images-idx3-ubyte", 3, TEST, SIDE * SIDE);
    write_idx(folder, "t10k-labels-idx1-ubyte", 1, TEST, 1);
}

/* ---- the program ---- */

/* Puts path in the place of fd; returns what was there. */
static int redirect(int fd, const char *path)
{
    fflush(stdout);
    int before = dup(fd), file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    FAULT_CHECK(before >= 0 && file >= 0 && dup2(file, fd) == fd);
    close(file);
    return before;
}

static void restore(int fd, int before)
{
    fflush(stdout);
    FAULT_CHECK(dup2(before, fd) == fd);
    close(before);
}

/* What the program printed on stderr: nothing, or one line. */
static void read_line(const char *path, char line[2048])
{
    FILE *file = fopen(path, "r");
    FAULT_CHECK(file != NULL);
    size_t length = fread(line, 1, 2047, file);
    fclose(file);
    line[length] = '\0';
    const char *newline = strchr(line, '\n');
    FAULT_CHECK(length == 0 || newline == line + length - 1);
}

/* wick train ..., whose words are given up to NULL, with the data in folder. */
static wick_status wick_train(const char *folder, const char *word, ...)
{
    char errors[FAULT_PATH], line[2048], *words[MOST_WORDS] = {(char *)"wick", (char *)"train"};
    int count = 2;
    va_list args;
    va_start(args, word);
    for (; word != NULL; word = va_arg(args, const char *))
        words[count++] = (char *)word;
    va_end(args);
    fault_path(errors, folder, "stderr");
    int out = redirect(STDOUT_FILENO, "/dev/null"), err = redirect(STDERR_FILENO, errors);
    int result = wick_main(count, words);
    restore(STDOUT_FILENO, out);
    restore(STDERR_FILENO, err);
    read_line(errors, line);
    if (result == 0 && line[0] == '\0')
        return WICK_OK;
    bool told = strncmp(line, "wick train: ", 12) == 0;
    if (result == 1 && told && (strstr(line, "memory") != NULL || strstr(line, "No space") != NULL))
        return strstr(line, "memory") != NULL ? WICK_ENOMEM : WICK_EIO;
    fault_failed("wick train", result, line);
}

static wick_status begin(const char *folder, const char *run, const char *every, const char *log)
{
    char out[FAULT_PATH], steps[FAULT_PATH];
    return wick_train(folder, "--data", folder, "--model", "v0", "--hidden-units", "2", "--epochs", "2",
                      "--batch-size", "4", "--threads", "1", "--no-figures", "--checkpoint-every", every,
                      "--out", fault_path(out, folder, run), "--log-steps",
                      log[0] == '/' ? log : fault_path(steps, folder, log), NULL);
}

/* From a recipe, with a part held out, weights of classes, an average, clipping and a schedule. */
static wick_status begin_recipe(const char *folder, const char *run, const char *every, const char *log)
{
    char out[FAULT_PATH], steps[FAULT_PATH], recipe[FAULT_PATH];
    return wick_train(folder, "--recipe", fault_path(recipe, folder, "recipe"), "--data", folder,
                      "--threads", "1", "--no-figures", "--checkpoint-every", every, "--out",
                      fault_path(out, folder, run), "--log-steps", fault_path(steps, folder, log), NULL);
}

static wick_status go_on(const char *folder)
{
    char run[FAULT_PATH];
    return wick_train(folder, "--resume", fault_path(run, folder, "run"), "--no-figures",
                      "--checkpoint-every", "100", NULL);
}

/* ---- scenarios ---- */

static wick_status run_train(wick_context *context, const char *folder)
{
    (void)context;
    return begin(folder, "run", "4", "steps");
}

/* A log that cannot be written stops it at its first checkpoint, in the middle of the second epoch. */
static void prepare_stopped(wick_context *context, const char *folder)
{
    prepare(context, folder);
    FAULT_CHECK(begin(folder, "run", "4", "/dev/full") == WICK_EIO);
    fault_write(folder, "steps", "1\n1\n1\n1\n", (size_t)2 * STEPS);
}

static wick_status run_resume(wick_context *context, const char *folder)
{
    (void)context;
    char run[FAULT_PATH], steps[FAULT_PATH];
    return wick_train(folder, "--resume", fault_path(run, folder, "run"), "--no-figures",
                      "--checkpoint-every", "5", "--log-steps", fault_path(steps, folder, "steps"),
                      NULL);
}

static double last_loss(wick_context *context, const char *folder, const char *name)
{
    char path[FAULT_PATH];
    int64_t count;
    wick_run *run;
    FAULT_MUST(wick_run_open(context, fault_path(path, folder, name), &run));
    FAULT_CHECK(wick_run_results(run) != NULL);
    const wick_epoch *epochs = wick_run_epochs(run, &count);
    double loss = epochs[count - 1].train_loss;
    wick_run_free(run);
    return loss;
}

typedef wick_status beginning(const char *folder, const char *run, const char *every, const char *log);

/* The run that was begun so can be gone on with, or begun anew, and ends with the loss that is right; 0: not known yet. */
static void check_end(wick_context *context, const char *folder, wick_status status, beginning *start,
                      double *right)
{
    char path[FAULT_PATH];
    struct stat info;
    if (stat(fault_path(path, folder, "run/args.json"), &info) == 0)
        FAULT_CHECK(go_on(folder) == WICK_OK);
    else
        FAULT_CHECK(status != WICK_OK && start(folder, "run", "100", "steps") == WICK_OK);
    if (*right == 0) {
        FAULT_CHECK(start(folder, "right", "100", "right.steps") == WICK_OK);
        *right = last_loss(context, folder, "right");
    }
    FAULT_CHECK(last_loss(context, folder, "run") == *right);
}

static void after(wick_context *context, const char *folder, wick_status status)
{
    static double right;
    check_end(context, folder, status, begin, &right);
}

/* ---- from a recipe ---- */

static void prepare_recipe(wick_context *context, const char *folder)
{
    static const char recipe[] = "# all that training has\n"
                                 "model = Sequential(\n    Flatten(), BatchNorm1d(16), Linear(16, 2))\n"
                                 "epochs = 2\nbatch-size = 4\noptimizer = adamw\n"
                                 "class-weights = balanced\nlabel-smoothing = 0.1\n"
                                 "schedule = multistep\ndecay-milestones = 1\nwarmup = 0.5\n"
                                 "clip-grad = 0.5\nema = 0.9\nvalidation = 0.2\nsplit-seed = 3\n"
                                 "augment = crop=1,flip\n";
    prepare(context, folder);
    fault_write(folder, "recipe", recipe, sizeof(recipe) - 1);
}

static wick_status run_recipe(wick_context *context, const char *folder)
{
    (void)context;
    return begin_recipe(folder, "run", "3", "steps");
}

static void after_recipe(wick_context *context, const char *folder, wick_status status)
{
    static double right;
    check_end(context, folder, status, begin_recipe, &right);
}

const fault_scenario fault_scenarios[] = {
    {.name = "train", .prepare = prepare, .run = run_train, .after = after},
    {.name = "resume", .prepare = prepare_stopped, .run = run_resume, .after = after},
    {.name = "recipe", .prepare = prepare_recipe, .run = run_recipe, .after = after_recipe},
    {0},
};
