#include "steps.h"

#include "output_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS_FILE   "steps.csv"
#define STEPS_HEADER "step,train_loss\n"

wick_status steps_begin(cli_app *app, cli_steps *steps)
{
    *steps = (cli_steps){.losses = calloc(STEPS_KEPT, sizeof(float)), .stride = 1};
    return steps->losses == NULL ? app_fail(app, WICK_ENOMEM, "out of memory") : WICK_OK;
}

void steps_release(cli_steps *steps)
{
    free(steps->losses);
    *steps = (cli_steps){0};
}

static void keep_every_second(cli_steps *steps)
{
    for (int64_t i = 0; i < STEPS_KEPT / 2; i++)
        steps->losses[i] = steps->losses[2 * i + 1];
    steps->count = STEPS_KEPT / 2;
    steps->stride *= 2;
}

void steps_add(cli_steps *steps, float loss)
{
    if (steps->losses == NULL)
        return;
    steps->seen++;
    if (steps->seen % steps->stride == 0 && steps->count == STEPS_KEPT)
        keep_every_second(steps);
    if (steps->seen % steps->stride == 0)
        steps->losses[steps->count++] = loss;
}

wick_status steps_save(cli_app *app, const wick_run *run, const cli_steps *steps)
{
    enum { ROW = 48 };
    char *path;
    if (steps->losses == NULL)
        return WICK_OK;
    char *text = malloc(sizeof(STEPS_HEADER) + (size_t)steps->count * ROW);
    if (text == NULL)
        return app_fail(app, WICK_ENOMEM, "out of memory");
    int used = sprintf(text, STEPS_HEADER);
    for (int64_t i = 0; i < steps->count; i++)
        used += sprintf(text + used, "%" PRId64 ",%.9g\n", (i + 1) * steps->stride,
                        (double)steps->losses[i]);
    wick_status status = wick_run_path(run, STEPS_FILE, &path);
    if (status == WICK_OK) {
        status = file_write(app, path, text);
        wick_free(path);
    }
    free(text);
    return status;
}

/* "32,0.51" and a newline, for the step that comes next; the first one sets the stride. */
static bool take_row(const char *row, cli_steps *steps)
{
    char *end;
    errno = 0;
    long long step = strtoll(row, &end, 10);
    if (errno != 0 || end == row || *end != ',' || step < 1 || steps->count == STEPS_KEPT)
        return false;
    if (steps->count == 0)
        steps->stride = step;
    const char *number = end + 1;
    float loss = strtof(number, &end);
    if (end == number || *end != '\n' || step / steps->stride != steps->count + 1 ||
        step % steps->stride != 0)
        return false;
    steps->losses[steps->count++] = loss;
    steps->seen = step;
    return true;
}

static wick_status read_rows(cli_app *app, const char *path, FILE *file, int64_t most, cli_steps *steps)
{
    char row[64];
    int line = 1;
    bool good = fgets(row, sizeof(row), file) != NULL && strcmp(row, STEPS_HEADER) == 0;
    while (good && fgets(row, sizeof(row), file) != NULL) {
        line++;
        good = take_row(row, steps);
        if (good && steps->seen > most) {
            steps->seen = --steps->count * steps->stride;
            break;
        }
    }
    if (ferror(file))
        return app_fail(app, WICK_EIO, "%s: cannot read: %s", path, strerror(errno));
    if (!good)
        return app_fail(app, WICK_EFORMAT, "%s: line %d: must be %s", path, line,
                        line == 1 ? "step,train_loss"
                                  : "the next step and its loss with a comma between, and no more than "
                                    "65536 of them");
    return WICK_OK;
}

wick_status steps_load(cli_app *app, const wick_run *run, int64_t most, cli_steps *steps)
{
    char *path;
    TRY(steps_begin(app, steps));
    TRY(wick_run_path(run, STEPS_FILE, &path));
    FILE *file = fopen(path, "re");
    wick_status status = WICK_OK;
    if (file != NULL) {
        status = read_rows(app, path, file, most, steps);
        fclose(file);
    } else if (errno == ENOENT) {
        steps_release(steps);
    } else {
        status = app_fail(app, WICK_EIO, "%s: cannot open: %s", path, strerror(errno));
    }
    wick_free(path);
    return status;
}

/* What is left of a file that does not have all of them would be taken for all. */
static wick_status steps_drop(const wick_run *run, cli_steps *steps)
{
    char *path;
    steps_release(steps);
    TRY(wick_run_path(run, STEPS_FILE, &path));
    unlink(path);
    wick_free(path);
    return WICK_OK;
}

wick_status steps_resume(cli_app *app, const wick_run *run, int64_t done, cli_steps *steps)
{
    if (done == 0)
        return steps_begin(app, steps);
    wick_status status = steps_load(app, run, done, steps);
    if (status == WICK_ENOMEM)
        return status;
    /* The curves are not worth stopping for. */
    app->message[0] = '\0';
    if (status != WICK_OK || steps->losses == NULL || steps->count != done / steps->stride)
        return steps_drop(run, steps);
    steps->seen = done;
    return WICK_OK;
}
