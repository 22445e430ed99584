/* The file that an example of a data set was read from, where it has one of its own: a picture of a folder. */
#ifndef CLI_EXAMPLE_FILE_H
#define CLI_EXAMPLE_FILE_H

#include "app.h"
#include "json_out.h"

/* Says `before` and the file, with the data set's folder before it; nothing where there is none. */
wick_status say_file_of(cli_app *app, const char *before, const wick_dataset *dataset, int64_t index);
/* The member "path", where there is one. */
wick_status json_file_of(cli_app *app, cli_json *json, const wick_dataset *dataset, int64_t index);

#endif
