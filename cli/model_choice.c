#include "model_choice.h"

#include "output_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_TEXT = 1 << 20 };

/* ---- files ---- */

void drop_byte_order_mark(char *text)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (strncmp(text, mark, sizeof(mark) - 1) == 0)
        memmove(text, text + sizeof(mark) - 1, strlen(text) - (sizeof(mark) - 1) + 1);
}

static bool is_file(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && !S_ISDIR(about.st_mode);
}

/* All of it up to a byte more than is allowed, NUL-terminated. */
static wick_status read_all(cli_app *app, FILE *file, const char *path, char **out, size_t *length)
{
    char *text = malloc(MOST_TEXT + 2);
    if (text == NULL)
        return app_fail(app, WICK_ENOMEM, "out of memory");
    *length = fread(text, 1, MOST_TEXT + 1, file);
    text[*length] = '\0';
    if (ferror(file)) {
        free(text);
        return app_fail(app, WICK_EIO, "%s: cannot be read: %s", path, strerror(errno));
    }
    *out = text;
    return WICK_OK;
}

static wick_status read_file(cli_app *app, const char *path, cli_model_choice *choice)
{
    size_t length = 0;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return app_fail(app, errno == ENOENT ? WICK_ENOENT : WICK_EIO,
                        "%s: the model's text cannot be read: %s", path, strerror(errno));
    wick_status status = read_all(app, file, path, &choice->text, &length);
    fclose(file);
    TRY(status);
    if (length > MOST_TEXT)
        return app_fail(app, WICK_ELIMIT, "%s: is longer than %d bytes, too long for a model's text",
                        path, MOST_TEXT);
    bool text = strlen(choice->text) == length;
    drop_byte_order_mark(choice->text);
    if (!text || !wick_model_is_text(choice->text))
        return app_fail(app, WICK_EFORMAT,
                        "%s: is no model's text, such as Sequential(Flatten(), Linear(784, 10))", path);
    choice->file = path;
    choice->model = choice->text;
    return WICK_OK;
}

/* ---- models ---- */

/* A wrong text is wrong usage; one that does not fit the images, or has not enough memory, is not. */
static wick_status blame(cli_app *app, const cli_model_choice *choice, wick_status status)
{
    if (status != WICK_OK && choice->file != NULL)
        app_fail(app, status, "%s: %s", choice->file, wick_context_message(app->context));
    if (status == WICK_ENOENT || status == WICK_EINVAL || status == WICK_EEXIST || status == WICK_ELIMIT)
        return app_blame_usage(app, status);
    return status;
}

/* What is no model's name and no file, but looks like a path. */
static wick_status no_such_file(cli_app *app, const char *given, wick_status status)
{
    static const char wanted[] = "a model is a name (v0, v1, v2), a text, or a file with a text";
    if (is_folder(given))
        return app_usage(app, "%s: is a folder; %s", given, wanted);
    if (strpbrk(given, "/.") != NULL)
        return app_usage(app, "%s: there is no such file; %s", given, wanted);
    return app_blame_usage(app, status);
}

wick_status model_check_name(cli_app *app, const char *name)
{
    static const int64_t image_shape[3] = {1, 28, 28};
    wick_module *module;
    wick_status status = wick_model_by_name(app->context, name, image_shape, 1, 1, &module);
    if (status == WICK_OK)
        wick_module_free(module);
    return status;
}

/* As far as it can be looked at without images: a lazy layer has no size without them. */
static wick_status check_text(cli_app *app, const cli_model_choice *choice)
{
    wick_module *module;
    if (strstr(choice->model, "Lazy") != NULL)
        return WICK_OK;
    TRY(blame(app, choice, wick_model_parse(app->context, choice->model, NULL, &module)));
    wick_module_free(module);
    return WICK_OK;
}

wick_status model_choose(cli_app *app, const char *given, bool hidden_units, cli_model_choice *choice)
{
    choice->model = given;
    if (given[0] == '@') {
        TRY(read_file(app, given + 1, choice));
    } else if (!wick_model_is_text(given)) {
        wick_status status = model_check_name(app, given);
        if (status != WICK_ENOENT)
            return status;
        if (!is_file(given))
            return no_such_file(app, given, status);
        TRY(read_file(app, given, choice));
    }
    if (hidden_units)
        return app_usage(app, "--hidden-units is for v0, v1 and v2; a model's text says it all itself");
    return check_text(app, choice);
}

static wick_status make_any(cli_app *app, const cli_model_choice *choice, const int64_t image_shape[3],
                            wick_module **model)
{
    return wick_model_parse(app->context, choice->model, image_shape, model);
}

wick_status model_make(cli_app *app, const cli_model_choice *choice, const int64_t image_shape[3],
                       int64_t hidden_units, int64_t class_count, wick_module **model)
{
    if (!wick_model_is_text(choice->model))
        return wick_model_by_name(app->context, choice->model, image_shape, hidden_units, class_count,
                                  model);
    return blame(app, choice,
                 class_count == 0 ? make_any(app, choice, image_shape, model)
                                  : wick_model_by_name(app->context, choice->model, image_shape, 0,
                                                       class_count, model));
}

void model_release(cli_model_choice *choice)
{
    free(choice->text);
    memset(choice, 0, sizeof(*choice));
}

void model_set_tta(wick_module *model, const char *tta)
{
    if (tta != NULL)
        wick_module_set_tta(model, strcmp(tta, "flip") == 0 ? WICK_TTA_FLIP : WICK_TTA_NONE);
}

const char *model_tta(const wick_module *model)
{
    return wick_module_tta(model) == WICK_TTA_FLIP ? "flip" : NULL;
}

void note_flips(const cli_app *app, const char *tta, const char *augment)
{
    if (tta != NULL && strcmp(tta, "flip") == 0 && (augment == NULL || strstr(augment, "flip") == NULL))
        app_note(
            app,
            "--tta flip takes mirror images into account, and without --augment flip a model has not "
            "learnt them");
}
