#include "step_log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static wick_status cannot_write(cli_app *app, const cli_step_log *log, int error)
{
    return app_fail(app, WICK_EIO, "%s: cannot write: %s", log->path,
                    strerror(error != 0 ? error : EIO));
}

/* Where line number `lines`, from 0, begins, or -1: there are *found only. */
static off_t find_line(FILE *file, int64_t lines, int64_t *found)
{
    for (*found = 0; *found < lines;) {
        int c = getc(file);
        if (c == EOF)
            return -1;
        *found += c == '\n';
    }
    return ftello(file);
}

static wick_status cut(cli_app *app, cli_step_log *log, int64_t steps)
{
    int64_t found;
    off_t end = find_line(log->file, steps, &found);
    if (end < 0)
        return app_fail(app, WICK_EFORMAT,
                        "%s: has %" PRId64 " lines; the run has done %" PRId64
                        " steps, and goes on without --log-steps",
                        log->path, found, steps);
    if (ftruncate(fileno(log->file), end) != 0 || fseeko(log->file, end, SEEK_SET) != 0)
        return cannot_write(app, log, errno);
    return WICK_OK;
}

wick_status step_log_open(cli_app *app, const char *path, int64_t steps, cli_step_log *log)
{
    struct stat info;
    if (path == NULL)
        return WICK_OK;
    /* Lines that went to a pipe or a terminal are not there to be kept. */
    bool kept = steps > 0 && (stat(path, &info) != 0 || S_ISREG(info.st_mode));
    *log = (cli_step_log){path, fopen(path, kept ? "r+e" : "we")};
    if (log->file == NULL)
        return cannot_write(app, log, errno);
    return kept ? cut(app, log, steps) : WICK_OK;
}

void step_log_add(cli_step_log *log, float loss)
{
    if (log->file != NULL)
        fprintf(log->file, "%.9g\n", (double)loss);
}

wick_status step_log_sync(cli_app *app, cli_step_log *log)
{
    if (log->file == NULL)
        return WICK_OK;
    errno = 0;
    if (fflush(log->file) != 0 || ferror(log->file) != 0)
        return cannot_write(app, log, errno);
    if (fdatasync(fileno(log->file)) != 0 && errno != EINVAL && errno != EROFS)
        return cannot_write(app, log, errno);
    return WICK_OK;
}

wick_status step_log_close(cli_app *app, cli_step_log *log)
{
    FILE *file = log->file;
    if (file == NULL)
        return WICK_OK;
    log->file = NULL;
    errno = 0;
    bool failed = fflush(file) != 0 || ferror(file) != 0;
    int error = errno;
    if (fclose(file) != 0 || failed)
        return cannot_write(app, log, failed ? error : errno);
    return WICK_OK;
}

void step_log_release(cli_step_log *log)
{
    if (log->file != NULL)
        fclose(log->file);
    log->file = NULL;
}
