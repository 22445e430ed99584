#include "output_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FOLDERS = 100000 };

static wick_status no_memory(cli_app *app)
{
    return app_fail(app, WICK_ENOMEM, "out of memory");
}

bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

wick_status path_join(cli_app *app, const char *folder, const char *name, char **path)
{
    size_t length = strlen(folder);
    const char *slash = length > 0 && folder[length - 1] == '/' ? "" : "/";
    if (asprintf(path, "%s%s%s", folder, slash, name) < 0)
        return no_memory(app);
    return WICK_OK;
}

/* Makes the folders above path. */
static wick_status make_parents(cli_app *app, char *path)
{
    for (char *c = path + 1; *c != '\0'; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        bool made = mkdir(path, 0777) == 0 || is_folder(path);
        wick_status status = WICK_OK;
        if (!made)
            status = app_fail(app, WICK_EIO, "%s: cannot make the folder: %s", path, strerror(errno));
        *c = '/';
        TRY(status);
    }
    return WICK_OK;
}

wick_status folder_claim(cli_app *app, const char *base, char **folder)
{
    char *path;
    if (asprintf(&path, "%s%d", base, MOST_FOLDERS) < 0)
        return no_memory(app);
    strcpy(path, base);
    wick_status status = make_parents(app, path);
    for (int i = 2; status == WICK_OK; i++) {
        if (mkdir(path, 0777) == 0) {
            *folder = path;
            return WICK_OK;
        }
        if (errno != EEXIST || i > MOST_FOLDERS)
            status = app_fail(app, WICK_EIO, "%s: cannot make the folder: %s", path, strerror(errno));
        else
            sprintf(path, "%s%d", base, i);
    }
    free(path);
    return status;
}

static bool write_all(FILE *file, const char *text)
{
    size_t length = strlen(text);
    bool good = fwrite(text, 1, length, file) == length && fflush(file) == 0;
    /* What cannot be synced, such as a pipe, is no failure. */
    good = good && (fsync(fileno(file)) == 0 || errno == EINVAL || errno == ENOTSUP);
    int error = errno;
    bool closed = fclose(file) == 0;
    if (!good)
        errno = error;
    return good && closed;
}

static wick_status failed(cli_app *app, const char *path)
{
    return app_fail(app, WICK_EIO, "%s: cannot write: %s", path, strerror(errno));
}

static wick_status write_beside(cli_app *app, const char *path, const char *temporary, const char *text)
{
    FILE *file = fopen(temporary, "wxe");
    if (file == NULL)
        return failed(app, path);
    if (write_all(file, text) && rename(temporary, path) == 0)
        return WICK_OK;
    wick_status status = failed(app, path);
    unlink(temporary);
    return status;
}

/* Replaces a regular file, or makes one, by way of another beside it. */
static wick_status replace(cli_app *app, const char *path, const char *text)
{
    char *temporary;
    /* A name of the kind that a run sweeps away when a process was killed. */
    if (asprintf(&temporary, "%s.%d-0.tmp", path, (int)getpid()) < 0)
        return no_memory(app);
    wick_status status = write_beside(app, path, temporary, text);
    free(temporary);
    return status;
}

/* A symbolic link stays one, and the file that it leads to is replaced. */
static wick_status replace_target(cli_app *app, const char *path, const char *text)
{
    char *target = realpath(path, NULL);
    if (target == NULL)
        return errno == ENOMEM ? no_memory(app) : failed(app, path);
    wick_status status = replace(app, target, text);
    free(target);
    return status;
}

/* Writes to a pipe, to a device, or, through a link, to a file that is not there yet. */
static wick_status write_through(cli_app *app, const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    return file != NULL && write_all(file, text) ? WICK_OK : failed(app, path);
}

wick_status file_write(cli_app *app, const char *path, const char *text)
{
    struct stat own, led_to;
    if (lstat(path, &own) != 0 || S_ISREG(own.st_mode))
        return replace(app, path, text);
    if (stat(path, &led_to) == 0 && S_ISREG(led_to.st_mode))
        return replace_target(app, path, text);
    errno = EISDIR;
    return S_ISDIR(own.st_mode) ? failed(app, path) : write_through(app, path, text);
}
