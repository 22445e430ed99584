/* --log-steps: a file of every step's training loss, one a line. */
#ifndef CLI_STEP_LOG_H
#define CLI_STEP_LOG_H

#include "app.h"

#include <stdio.h>

/* Zero: none is written. */
typedef struct cli_step_log {
    const char *path; /* borrowed */
    FILE *file;
} cli_step_log;

/* Opens the log of a training that has done so many steps: their lines stay and what follows them goes.
 * No path: no log. */
wick_status step_log_open(cli_app *app, const char *path, int64_t steps, cli_step_log *log);
void step_log_add(cli_step_log *log, float loss);
/* What was added is in the file, and stays there through a crash. */
wick_status step_log_sync(cli_app *app, cli_step_log *log);
/* Notices what was not written. */
wick_status step_log_close(cli_app *app, cli_step_log *log);
void step_log_release(cli_step_log *log);

#endif
