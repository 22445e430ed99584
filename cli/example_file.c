#include "example_file.h"

#include "output_files.h"
#include "picture_input.h"

#include <stdlib.h>

/* NULL if it has none. Freed with free(). */
static wick_status file_of(cli_app *app, const wick_dataset *dataset, int64_t index, char **file)
{
    const char *path = wick_dataset_path(dataset, index);
    *file = NULL;
    return path == NULL ? WICK_OK : path_join(app, wick_dataset_root(dataset), path, file);
}

wick_status say_file_of(cli_app *app, const char *before, const wick_dataset *dataset, int64_t index)
{
    char *file, *plain;
    TRY(file_of(app, dataset, index, &file));
    if (file == NULL)
        return WICK_OK;
    wick_status status = plain_text(app, file, &plain);
    free(file);
    TRY(status);
    say(app, "%s%s", before, plain);
    free(plain);
    return WICK_OK;
}

wick_status json_file_of(cli_app *app, cli_json *json, const wick_dataset *dataset, int64_t index)
{
    char *file;
    TRY(file_of(app, dataset, index, &file));
    if (file != NULL)
        json_text(json, "path", file);
    free(file);
    return WICK_OK;
}
