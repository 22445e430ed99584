#include "train/run_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wick/checkpoint.h>

#define ARGS_FILE    "args.json"
#define ROWS_FILE    "results.csv"
#define RESULTS_FILE "results.json"
#define MODEL_FILE   "model.pth"

enum { ASIDE = 64 };

/* All but args.json, which makes a folder a run. The second line's are not written here, but told of in
 * run.h. */
static const char *const other_files[] = {ROWS_FILE,
                                          RESULTS_FILE,
                                          MODEL_FILE,
                                          WKI_CHECKPOINT_FILE,
                                          "steps.csv",
                                          "curves.png",
                                          "curves.svg",
                                          "confusion_matrix.png",
                                          "confusion_matrix.svg",
                                          "report.html"};

static wick_status run_new(wick_context *context, const char *folder, wick_run **out)
{
    void *memory;
    if (folder[0] == '\0')
        return wki_fail(context, WICK_EINVAL, "the run's folder has an empty name");
    WKI_TRY(wki_alloc(context, 1, sizeof(wick_run), "a run", &memory));
    wick_run *run = memory;
    run->context = context;
    run->lock = -1;
    wick_status status = wki_strdup(context, folder, &run->folder);
    if (status == WICK_OK)
        *out = run;
    else
        free(run);
    return status;
}

void wick_run_free(wick_run *run)
{
    if (run == NULL)
        return;
    run->results.epochs = NULL;
    wki_results_release(&run->results);
    wki_run_args_release(&run->args);
    if (run->lock >= 0)
        close(run->lock);
    free(run->epochs);
    free(run->folder);
    free(run);
}

wick_status wick_run_path(const wick_run *run, const char *name, char **path)
{
    if (run == NULL)
        return WICK_EINVAL;
    if (name == NULL || path == NULL)
        return wki_fail(run->context, WICK_EINVAL, "name or path is NULL");
    return wki_join_path(run->context, run->folder, name, path);
}

/* ---- having one alone ---- */

/* It is the folder itself that is locked: no file is left behind, and none can be removed from under the
 * lock. Where a file system knows no locks there is none. */
static wick_status lock(wick_run *run)
{
    int fd = open(run->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return wki_fail(run->context, WICK_EIO, "%s: cannot open the folder: %s", run->folder,
                        strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        close(fd);
        return wki_fail(run->context, WICK_EBUSY, "%s: is in use by another run, which has not ended",
                        run->folder);
    }
    run->lock = fd;
    return WICK_OK;
}

/* A run's folder may come from somebody else. What is written into it must not go elsewhere, as it would
 * through a link of one of its names. */
static wick_status refuse_links(const wick_run *run)
{
    for (size_t i = 0; i <= WKI_COUNT(other_files); i++) {
        const char *name = i == 0 ? ARGS_FILE : other_files[i - 1];
        struct stat info;
        if (fstatat(run->lock, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode))
            return wki_fail(run->context, WICK_EIO,
                            "%s/%s: is a symbolic link; a run writes only files of its own folder",
                            run->folder, name);
    }
    return WICK_OK;
}

/* "model.pth.4711-0.tmp", for one of the run's files: see make_temporary() in base/files.c. */
static bool is_leftover(const char *name)
{
    size_t length = strlen(name);
    if (length < 4 || strcmp(name + length - 4, ".tmp") != 0)
        return false;
    size_t digits = length - 4;
    while (digits > 0 && strchr("0123456789-", name[digits - 1]) != NULL)
        digits--;
    return digits > 1 && name[digits - 1] == '.' && digits < length - 4;
}

/* Removes what was being written when a process was killed. The folder must be locked. */
static void sweep(const wick_run *run)
{
    DIR *names = opendir(run->folder);
    if (names == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(names)) != NULL;)
        if (is_leftover(entry->d_name))
            unlinkat(dirfd(names), entry->d_name, 0);
    closedir(names);
}

/* ---- making one ---- */

/* A copy of args that the run owns, by way of the text that is written: what cannot be read again is
 * refused before it is written. */
static wick_status take_args(wick_run *run, const wick_run_args *args, char **text)
{
    WKI_TRY(wki_run_args_format(run->context, args, text));
    wick_status status =
        wki_run_args_parse(run->context, "the run's arguments", *text, strlen(*text), &run->args);
    if (status != WICK_OK) {
        free(*text);
        *text = NULL;
    }
    return status == WICK_EFORMAT ? WICK_EINVAL : status;
}

/* The folder must be locked, for the descriptor too. */
static wick_status refuse_a_run(const wick_run *run)
{
    bool there = faccessat(run->lock, ARGS_FILE, F_OK, 0) == 0;
    for (size_t i = 0; i < WKI_COUNT(other_files); i++)
        there = there || faccessat(run->lock, other_files[i], F_OK, 0) == 0;
    if (!there)
        return WICK_OK;
    return wki_fail(run->context, WICK_EEXIST, "%s: there is a run in this folder already", run->folder);
}

/* What an earlier run left would be taken for this one's, so it goes to names that sweep() removes,
 * before args.json is replaced: whenever the process is killed, no file is there beside another run's
 * args.json. */
static wick_status set_aside(const wick_run *run)
{
    for (size_t i = 0; i < WKI_COUNT(other_files); i++) {
        char aside[ASIDE];
        snprintf(aside, sizeof(aside), "%s.0-0.tmp", other_files[i]);
        if (renameat(run->lock, other_files[i], run->lock, aside) != 0 && errno != ENOENT)
            return wki_fail(run->context, WICK_EIO, "%s/%s: cannot replace the earlier run's file: %s",
                            run->folder, other_files[i], strerror(errno));
    }
    return WICK_OK;
}

static void put_back(const wick_run *run)
{
    for (size_t i = 0; i < WKI_COUNT(other_files); i++) {
        char aside[ASIDE];
        snprintf(aside, sizeof(aside), "%s.0-0.tmp", other_files[i]);
        (void)renameat(run->lock, aside, run->lock, other_files[i]);
    }
}

static wick_status write_args(const wick_run *run, const char *text)
{
    char *path;
    WKI_TRY(wick_run_path(run, ARGS_FILE, &path));
    wick_status status = wki_file_write(run->context, path, text, strlen(text));
    free(path);
    return status;
}

static wick_status write_folder(wick_run *run, bool exist_ok, const char *text)
{
    bool existed = wki_file_exists(run->folder);
    WKI_TRY(wki_make_folders(run->context, run->folder));
    wick_status status = lock(run);
    if (status == WICK_OK)
        status = refuse_links(run);
    if (status == WICK_OK && !exist_ok)
        status = refuse_a_run(run);
    if (status == WICK_OK) {
        if (exist_ok)
            status = set_aside(run);
        if (status == WICK_OK)
            status = write_args(run, text);
        if (status == WICK_OK)
            sweep(run);
        else if (exist_ok)
            put_back(run);
    }
    if (status != WICK_OK && !existed)
        rmdir(run->folder);
    return status;
}

static wick_status create(wick_run *run, bool exist_ok, const wick_run_args *args)
{
    char *text;
    WKI_TRY(take_args(run, args, &text));
    wick_status status = write_folder(run, exist_ok, text);
    free(text);
    return status;
}

wick_status wick_run_create(wick_context *context, const char *folder, bool exist_ok,
                            const wick_run_args *args, wick_run **out)
{
    wick_run *run;
    if (context == NULL)
        return WICK_EINVAL;
    if (folder == NULL || args == NULL || out == NULL)
        return wki_fail(context, WICK_EINVAL, "folder, args or out is NULL");
    WKI_TRY(run_new(context, folder, &run));
    wick_status status = create(run, exist_ok, args);
    if (status == WICK_OK)
        *out = run;
    else
        wick_run_free(run);
    return status;
}

/* ---- opening one ---- */

/* Reads folder/name; *text is NULL if there is no such file. */
static wick_status read_file(const wick_run *run, const char *name, char **path, char **text,
                             size_t *length)
{
    uint8_t *bytes = NULL;
    WKI_TRY(wick_run_path(run, name, path));
    wick_status status = wki_file_read(run->context, *path, WKI_RUN_FILE_LIMIT, &bytes, length);
    if (status == WICK_ENOENT)
        status = WICK_OK;
    if (status != WICK_OK) {
        free(*path);
        return status;
    }
    *text = (char *)bytes;
    return WICK_OK;
}

static wick_status read_args(wick_run *run)
{
    char *path, *text;
    size_t length;
    WKI_TRY(read_file(run, ARGS_FILE, &path, &text, &length));
    wick_status status;
    if (text != NULL)
        status = wki_run_args_parse(run->context, path, text, length, &run->args);
    else if (wki_file_exists(run->folder))
        status = wki_fail(run->context, WICK_ENOENT, "%s: is no run: there is no " ARGS_FILE " in it",
                          run->folder);
    else
        status = wki_fail(run->context, WICK_ENOENT, "%s: there is no such folder", run->folder);
    free(text);
    free(path);
    return status;
}

static void take_epochs(wick_run *run, wick_epoch *epochs, size_t count)
{
    free(run->epochs);
    run->epochs = epochs;
    run->epoch_count = run->epoch_capacity = count;
}

static wick_status parse_results(wick_run *run, const char *path, const char *text, size_t length)
{
    wick_results results;
    WKI_TRY(wki_results_parse(run->context, path, text, length, &results));
    take_epochs(run, (wick_epoch *)results.epochs, (size_t)results.epoch_count);
    run->results = results;
    run->finished = true;
    return WICK_OK;
}

static wick_status parse_rows(wick_run *run, const char *path, const char *text)
{
    wick_epoch *epochs;
    size_t count;
    WKI_TRY(wki_rows_parse(run->context, path, text, &epochs, &count));
    take_epochs(run, epochs, count);
    return WICK_OK;
}

/* results.json or, of a run that has not come so far, the rows of results.csv. */
static wick_status read_results(wick_run *run)
{
    char *path, *text;
    size_t length;
    WKI_TRY(read_file(run, RESULTS_FILE, &path, &text, &length));
    wick_status status = WICK_OK;
    if (text != NULL) {
        status = parse_results(run, path, text, length);
    } else {
        free(path);
        WKI_TRY(read_file(run, ROWS_FILE, &path, &text, &length));
        if (text != NULL)
            status = parse_rows(run, path, text);
    }
    free(text);
    free(path);
    return status;
}

static wick_status open_folder(wick_context *context, const char *folder, bool alone, wick_run **out)
{
    wick_run *run;
    if (context == NULL)
        return WICK_EINVAL;
    if (folder == NULL || out == NULL)
        return wki_fail(context, WICK_EINVAL, "folder or out is NULL");
    WKI_TRY(run_new(context, folder, &run));
    wick_status status = alone && wki_file_exists(folder) ? lock(run) : WICK_OK;
    if (status == WICK_OK && run->lock >= 0)
        status = refuse_links(run);
    if (status == WICK_OK)
        status = read_args(run);
    if (status == WICK_OK)
        status = read_results(run);
    if (status == WICK_OK)
        *out = run;
    else
        wick_run_free(run);
    return status;
}

wick_status wick_run_open(wick_context *context, const char *folder, wick_run **out)
{
    return open_folder(context, folder, false, out);
}

wick_status wick_run_resume(wick_context *context, const char *folder, wick_run **out)
{
    wick_run *run;
    WKI_TRY(open_folder(context, folder, true, &run));
    sweep(run);
    /* A process may have been killed between its last two deeds. */
    if (run->finished)
        unlinkat(run->lock, WKI_CHECKPOINT_FILE, 0);
    *out = run;
    return WICK_OK;
}

const char *wick_run_folder(const wick_run *run)
{
    return run->folder;
}

const wick_run_args *wick_run_get_args(const wick_run *run)
{
    return &run->args;
}

const wick_results *wick_run_results(const wick_run *run)
{
    return run->finished ? &run->results : NULL;
}

const wick_epoch *wick_run_epochs(const wick_run *run, int64_t *count)
{
    *count = (int64_t)run->epoch_count;
    return run->epochs;
}

/* ---- adding to one ---- */

static wick_status write_text(const wick_run *run, const char *name, const char *text)
{
    char *path;
    WKI_TRY(wick_run_path(run, name, &path));
    wick_status status;
    if (strlen(text) > WKI_RUN_FILE_LIMIT)
        status = wki_fail(run->context, WICK_ELIMIT,
                          "%s: would be %zu bytes long, of which a run's file may have %d", path,
                          strlen(text), WKI_RUN_FILE_LIMIT);
    else
        status = wki_file_write(run->context, path, text, strlen(text));
    free(path);
    return status;
}

wick_status wick_run_add_epoch(wick_run *run, const wick_epoch *epoch)
{
    if (run == NULL)
        return WICK_EINVAL;
    if (epoch == NULL || epoch->epoch < 0)
        return wki_fail(run->context, WICK_EINVAL, "epoch is NULL or below 0");
    WKI_TRY(wki_grow(run->context, (void **)&run->epochs, &run->epoch_capacity, run->epoch_count + 1,
                     sizeof(*epoch), "the epochs"));
    run->results.epochs = run->epochs;
    run->epochs[run->epoch_count] = *epoch;
    char *rows;
    WKI_TRY(wki_rows_format(run->context, run->epochs, run->epoch_count + 1, &rows));
    wick_status status = write_text(run, ROWS_FILE, rows);
    free(rows);
    if (status == WICK_OK)
        run->epoch_count++;
    return status;
}

/* Takes an owned copy of results by way of its text, as take_args() does. */
static wick_status take_results(wick_run *run, const char *text)
{
    wick_results copy;
    wick_status status = wki_results_parse(run->context, "the run's results", text, strlen(text), &copy);
    if (status != WICK_OK)
        return status == WICK_EFORMAT ? WICK_EINVAL : status;
    status = write_text(run, RESULTS_FILE, text);
    if (status != WICK_OK) {
        wki_results_release(&copy);
        return status;
    }
    run->results.epochs = NULL;
    wki_results_release(&run->results);
    run->results = copy;
    take_epochs(run, (wick_epoch *)copy.epochs, (size_t)copy.epoch_count);
    run->finished = true;
    return WICK_OK;
}

wick_status wick_run_finish(wick_run *run, const wick_results *results)
{
    if (run == NULL)
        return WICK_EINVAL;
    if (results == NULL)
        return wki_fail(run->context, WICK_EINVAL, "results is NULL");
    wick_results whole = *results;
    whole.epochs = run->epochs;
    whole.epoch_count = (int64_t)run->epoch_count;
    char *text, *checkpoint;
    WKI_TRY(wick_run_path(run, WKI_CHECKPOINT_FILE, &checkpoint));
    wick_status status = wick_results_format(run->context, &whole, &text);
    if (status == WICK_OK) {
        status = take_results(run, text);
        free(text);
    }
    /* One that stays is in nobody's way: a finished run is not gone on with. */
    if (status == WICK_OK)
        unlink(checkpoint);
    free(checkpoint);
    return status;
}

/* ---- its model ---- */

wick_status wick_run_save_model(wick_run *run, const wick_module *model)
{
    if (run == NULL)
        return WICK_EINVAL;
    if (model == NULL)
        return wki_fail(run->context, WICK_EINVAL, "model is NULL");
    wick_state_dict *dict;
    char *path;
    WKI_TRY(wick_run_path(run, MODEL_FILE, &path));
    wick_status status = wick_module_state_dict(model, &dict);
    if (status == WICK_OK) {
        status = wick_save(dict, path);
        wick_state_dict_free(dict);
    }
    free(path);
    return status;
}

static wick_status load_weights(wick_run *run, const char *path, wick_module *model)
{
    wick_state_dict *dict;
    WKI_TRY(wick_load(run->context, path, &dict));
    wick_status status = wick_module_load_state_dict(model, dict);
    wick_state_dict_free(dict);
    return status == WICK_OK ? status : wki_fail_in(run->context, status, "%s", path);
}

wick_status wick_run_load_model(wick_run *run, wick_module **out)
{
    if (run == NULL)
        return WICK_EINVAL;
    if (out == NULL)
        return wki_fail(run->context, WICK_EINVAL, "out is NULL");
    const wick_run_args *args = &run->args;
    wick_module *model = NULL;
    char *path;
    wick_status status = wick_model_by_name(run->context, args->model, args->image_shape,
                                            args->hidden_units, args->class_count, &model);
    if (status != WICK_OK)
        return wki_fail_in(run->context, status, "%s/" ARGS_FILE, run->folder);
    status = wick_run_path(run, MODEL_FILE, &path);
    if (status == WICK_OK) {
        status = load_weights(run, path, model);
        free(path);
    }
    if (status == WICK_OK) {
        status = wick_train_options_tta(&args->how, model);
        if (status != WICK_OK)
            status = wki_fail_in(run->context, status, "%s/" ARGS_FILE, run->folder);
    }
    if (status == WICK_OK)
        *out = model;
    else
        wick_module_free(model);
    return status;
}
