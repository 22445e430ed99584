/* wick data get: downloads a known data set. */
#include "bar.h"
#include "json_out.h"
#include "output_files.h"
#include "python.h"
#include "settings.h"

#include <stdlib.h>
#include <string.h>

typedef struct get_args {
    cli_operands operands;
    const char *data_dir;
    cli_list mirrors;
    int64_t timeout;
    bool json;
} get_args;

static const cli_option options[] = {
    {"data-dir", "DIR", OPTION_TEXT, offsetof(get_args, data_dir), 0, 0,
     "where to put it, as DIR/NAME; else the user's cache ($XDG_CACHE_HOME/wick or ~/.cache/wick)"},
    {"mirror", "URL", OPTION_LIST, offsetof(get_args, mirrors), 0, 0,
     "where to get it, in the order given; else the known mirrors"},
    {"timeout", "SECONDS", OPTION_INT, offsetof(get_args, timeout), 1, 86400,
     "give up on a mirror that sends nothing for so long"},
    JSON_OPTION(get_args),
    {0},
};

static const get_args defaults = {.timeout = 30};

static const char about[] =
    "Downloads fashion-mnist, mnist or kmnist. Each file goes to a temporary name, is checked by\n"
    "its SHA-256, and is renamed only then; files that are there and right are not downloaded\n"
    "again, and a failure leaves all as it was.\n";

static const char examples[] = "  wick data get fashion-mnist\n"
                               "      into the user's cache, where the other commands find it\n"
                               "  wick data get mnist --data-dir ./data\n"
                               "      into ./data/mnist\n"
                               "  wick data get kmnist --mirror http://192.0.2.7/kmnist/ --timeout 5\n"
                               "      from a server of your own\n";

typedef struct download_state {
    cli_bar bar;
    char label[64]; /* the file in hand */
} download_state;

static void on_progress(void *user, const char *file, int64_t done, int64_t total)
{
    download_state *download = user;
    if (strncmp(download->label, file, sizeof(download->label) - 1) != 0) {
        bar_clear(&download->bar);
        snprintf(download->label, sizeof(download->label), "%s", file);
        bar_start(&download->bar, download->label, "B");
    }
    bar_update(&download->bar, done, total);
}

/* Where wick_dataset_download() puts what is for the user's cache. */
static wick_status cache_folder(cli_app *app, char **out)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (cache != NULL && cache[0] == '/')
        return path_join(app, cache, "wick", out);
    if (home == NULL || home[0] == '\0')
        return app_usage(app, "neither XDG_CACHE_HOME nor HOME is set; name a folder with --data-dir");
    return path_join(app, home, ".cache/wick", out);
}

static wick_status check_name(cli_app *app, const char *name)
{
    char known[256] = "";
    const char *names[16] = {NULL};
    size_t used = 0;
    for (int i = 0; wick_dataset_known(i) != NULL && i < 15 && used < sizeof(known); i++) {
        names[i] = wick_dataset_known(i);
        if (strcmp(names[i], name) == 0)
            return WICK_OK;
        used +=
            (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    const char *near = nearest_word(name, names, sizeof(names[0]));
    return app_usage(app, "there is no data set '%s'; known are %s%s%s%s", name, known,
                     near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                     near == NULL ? "" : "'?");
}

static wick_status print_half(cli_app *app, cli_json *json, const char *folder, wick_split split)
{
    wick_dataset *dataset;
    wick_status status = wick_dataset_open(app->context, folder, NULL, split, &dataset);
    for (int i = 0; status == WICK_OK; i++) {
        const char *path;
        char sha256[65];
        status = wick_dataset_file(dataset, i, &path, sha256);
        if (status == WICK_OK && app->quiet) {
            json_open(json, NULL, '{');
            json_text(json, "path", path);
            json_text(json, "sha256", sha256);
            json_close(json, '}');
        } else if (status == WICK_OK) {
            say(app, "%s  %s\n", sha256, path);
        } else {
            wick_dataset_free(dataset);
            return status == WICK_ENOENT ? WICK_OK : status;
        }
    }
    return status;
}

static wick_status print_files(cli_app *app, const char *name, const char *folder)
{
    cli_json json = {0};
    if (app->quiet) {
        json_open(&json, NULL, '{');
        json_text(&json, "name", name);
        json_open(&json, "files", '[');
    }
    TRY(print_half(app, &json, folder, WICK_TRAIN));
    TRY(print_half(app, &json, folder, WICK_TEST));
    if (app->quiet) {
        json_close(&json, ']');
        json_close(&json, '}');
        putchar('\n');
    }
    return WICK_OK;
}

static wick_status get(cli_app *app, const get_args *args, const char *folder)
{
    const char *name = args->operands.at[0];
    download_state download = {.label = ""};
    const wick_download_options download_options = {
        .mirrors = args->mirrors.count > 0 ? args->mirrors.at : NULL,
        .timeout_ms = args->timeout * 1000,
        .progress = on_progress,
        .user = &download,
    };
    bar_init(&download.bar);
    wick_status status = wick_dataset_download(app->context, name, folder, &download_options);
    bar_clear(&download.bar);
    TRY(status);
    char *path;
    TRY(path_join(app, folder, name, &path));
    status = print_files(app, name, path);
    free(path);
    return status;
}

static wick_status run(cli_app *app, void *memory)
{
    const get_args *args = memory;
    char *cache = NULL;
    app->quiet = args->json;
    TRY(check_name(app, args->operands.at[0]));
    if (args->data_dir == NULL)
        TRY(cache_folder(app, &cache));
    wick_status status = get(app, args, cache != NULL ? cache : args->data_dir);
    free(cache);
    return status;
}

const cli_command command_data_get = {
    .name = "data get",
    .summary = "download a known data set and check it",
    .operands = "NAME",
    .about = about,
    .examples = examples,
    .options = options,
    .defaults = &defaults,
    .args_size = sizeof(get_args),
    .min_operands = 1,
    .max_operands = 1,
    .interruptible = true,
    .run = run,
};
