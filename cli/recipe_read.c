#include "recipe_read.h"

#include "model_choice.h"
#include "output_files.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 16, MOST_OPTIONS = 64 };

/* ---- where it is ---- */

void recipe_list(const cli_app *app)
{
    for (const char *const *recipe = cli_recipes; recipe[0] != NULL; recipe += 2) {
        const char *line = recipe[1] + strspn(recipe[1], "# ");
        say(app, "%-12s %.*s\n", recipe[0], (int)strcspn(line, "\n"), line);
    }
}

static wick_status read_file(cli_app *app, const char *path, char **out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return app_usage(app, "%s: %s", path, strerror(errno));
    char *text = malloc(MOST_BYTES + 1);
    size_t length = text == NULL ? 0 : fread(text, 1, MOST_BYTES + 1, file);
    bool failed = ferror(file) != 0;
    int number = errno;
    fclose(file);
    wick_status status = WICK_OK;
    if (text == NULL)
        status = app_fail(app, WICK_ENOMEM, "out of memory");
    else if (failed)
        status = app_usage(app, "%s: %s", path, strerror(number));
    else if (length > MOST_BYTES)
        status = app_usage(app, "%s: is longer than a recipe may be, %d bytes", path, MOST_BYTES);
    else if (memchr(text, '\0', length) != NULL)
        status = app_usage(app, "%s: is no text", path);
    if (status != WICK_OK) {
        free(text);
        return status;
    }
    text[length] = '\0';
    drop_byte_order_mark(text);
    *out = text;
    return WICK_OK;
}

static wick_status find_recipe(cli_app *app, const char *name, char **out)
{
    for (const char *const *recipe = cli_recipes; recipe[0] != NULL; recipe += 2)
        if (strcmp(recipe[0], name) == 0) {
            *out = strdup(recipe[1]);
            return *out == NULL ? app_fail(app, WICK_ENOMEM, "out of memory") : WICK_OK;
        }
    FILE *file = fopen(name, "rb");
    if (file == NULL && errno == ENOENT && strchr(name, '/') == NULL) {
        const char *near = nearest_word(name, cli_recipes, 2 * sizeof(*cli_recipes));
        return app_usage(app, "there is no recipe and no file '%s'; %s%s%s", name,
                         near != NULL ? "did you mean '" : "",
                         near != NULL ? near : "--recipe list names the recipes",
                         near != NULL ? "'?" : "");
    }
    if (file != NULL)
        fclose(file);
    return read_file(app, name, out);
}

/* ---- its lines ---- */

typedef struct recipe_reader {
    cli_app *app;
    const char *name;
    const cli_option *options;
    void *args;
    cli_recipe *recipe;
    int line;
    int lines[MOST_OPTIONS]; /* where each option stood, or 0 */
} recipe_reader;

static char *trim(char *text)
{
    text += strspn(text, " \t\r\n");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
        text[--length] = '\0';
    return text;
}

static wick_status unknown_key(const recipe_reader *r, const char *key)
{
    const char *near = nearest_word(key, &r->options->name, sizeof(*r->options));
    if (near == NULL)
        return app_usage(r->app, "%s: line %d: unknown key '%s'; the keys are the names of the flags",
                         r->name, r->line, key);
    return app_usage(r->app, "%s: line %d: unknown key '%s'; did you mean '%s'?", r->name, r->line, key,
                     near);
}

/* Flags that say what to do with a recipe, or where, and not how a model is trained. */
static bool is_apart(const char *key)
{
    static const char *const names[] = {"recipe", "resume", "out", "exist-ok", "json"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(key, names[i]) == 0)
            return true;
    return false;
}

/* Here, where it is known which line it begins in. What has lazy layers is looked at when there are images. */
static wick_status check_model(const recipe_reader *r, const char *text)
{
    wick_module *module;
    if (!wick_model_is_text(text) || strstr(text, "Lazy") != NULL)
        return WICK_OK;
    wick_status status = wick_model_parse(r->app->context, text, NULL, &module);
    if (status == WICK_OK)
        wick_module_free(module);
    if (status == WICK_OK || status == WICK_ENOMEM)
        return status;
    return app_usage(r->app, "%s: line %d: the model's text: %s", r->name, r->line,
                     wick_context_message(r->app->context));
}

/* "dir/mine.txt" for the recipe dir/my.recipe, if there is such a file; else *out is NULL. */
static wick_status find_beside(const recipe_reader *r, const char *value, char **out)
{
    const char *slash = strrchr(r->name, '/');
    char *folder, *path;
    if (slash == NULL || value[0] == '/')
        return WICK_OK;
    folder = strndup(r->name, (size_t)(slash - r->name) + 1);
    if (folder == NULL)
        return app_fail(r->app, WICK_ENOMEM, "out of memory");
    wick_status status = path_join(r->app, folder, value, &path);
    free(folder);
    TRY(status);
    if (access(path, F_OK) == 0 && !is_folder(path))
        *out = path;
    else
        free(path);
    return WICK_OK;
}

/* A text is looked at, and it is noted where it stands; a file is looked for beside the recipe, then as one that is
 * given as a flag. */
static wick_status take_model(const recipe_reader *r, int index, const char *value)
{
    cli_recipe *recipe = r->recipe;
    char message[512];
    if (wick_model_is_text(value)) {
        TRY(check_model(r, value));
        if (asprintf(&recipe->model_place, "%s: line %d: the model's text", r->name, r->line) >= 0)
            return WICK_OK;
        recipe->model_place = NULL;
        return app_fail(r->app, WICK_ENOMEM, "out of memory");
    }
    const bool at = value[0] == '@';
    TRY(find_beside(r, value + at, &recipe->model_file));
    if (recipe->model_file == NULL)
        return WICK_OK;
    wick_status status = at ? WICK_ENOENT : model_check_name(r->app, value);
    if (status != WICK_ENOENT)
        return status;
    option_set(r->options, r->args, index, recipe->model_file, message, sizeof(message));
    return WICK_OK;
}

static wick_status take_line(recipe_reader *r, char *line)
{
    char message[512];
    char *equals = strchr(line, '=');
    if (equals == NULL)
        return app_usage(r->app, "%s: line %d: '%.60s' must be 'key = value', or a comment behind a #",
                         r->name, r->line, line);
    *equals = '\0';
    const char *key = trim(line), *value = trim(equals + 1);
    int index = option_find(r->options, key);
    if (index < 0)
        return unknown_key(r, key);
    if (is_apart(key))
        return app_usage(r->app, "%s: line %d: '%s' cannot stand in a recipe", r->name, r->line, key);
    if (r->lines[index] != 0)
        return app_usage(r->app, "%s: line %d: '%s' stands in line %d already", r->name, r->line, key,
                         r->lines[index]);
    r->lines[index] = r->line;
    if (option_given(r->options, r->args, key))
        return WICK_OK;
    if (!option_set(r->options, r->args, index, value, message, sizeof(message)))
        return app_usage(r->app, "%s: line %d: %s", r->name, r->line, message);
    return strcmp(key, "model") == 0 ? take_model(r, index, value) : WICK_OK;
}

/* The end of the entry that begins at `at`: of its line or, while a parenthesis is open, of a later one;
 * NULL: the text's. *lines is how many they are. */
static char *end_of_entry(char *at, int *lines)
{
    int open = 0;
    bool comment = at[strspn(at, " \t\r")] == '#';
    *lines = 1;
    for (; *at != '\0'; at++) {
        open += *at == '(' ? 1 : *at == ')' ? -1 : 0;
        if (*at == '\n' && (open <= 0 || comment))
            return at;
        *lines += *at == '\n';
    }
    return NULL;
}

static wick_status take_lines(recipe_reader *r, char *text)
{
    /* Those that the recipe sets are given from then on; the lines that say so twice are found by r->lines. */
    int lines = 0;
    for (char *at = text; at != NULL;) {
        r->line += lines == 0 ? 1 : lines;
        char *end = end_of_entry(at, &lines);
        if (end != NULL)
            *end = '\0';
        char *line = trim(at);
        if (line[0] != '\0' && line[0] != '#')
            TRY(take_line(r, line));
        at = end == NULL ? NULL : end + 1;
    }
    return WICK_OK;
}

wick_status recipe_apply(cli_app *app, const char *name, const cli_option *options, void *args,
                         cli_recipe *recipe)
{
    recipe_reader reader = {
        .app = app, .name = name, .options = options, .args = args, .recipe = recipe};
    TRY(find_recipe(app, name, &recipe->text));
    return take_lines(&reader, recipe->text);
}

void recipe_release(cli_recipe *recipe)
{
    free(recipe->text);
    free(recipe->model_file);
    free(recipe->model_place);
    memset(recipe, 0, sizeof(*recipe));
}
