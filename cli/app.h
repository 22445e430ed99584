/* The program's own frame: what a command is, how it speaks, and what it exits with. */
#ifndef CLI_APP_H
#define CLI_APP_H

#include "options.h"

#include <wick/wick.h>

enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_INTERRUPTED = 130,
    EXIT_TERMINATED = 143
};

typedef struct cli_app cli_app;

typedef struct cli_command {
    const char *name;     /* "train", "data info" */
    const char *summary;  /* one line */
    const char *operands; /* for the usage line: "RUN...", or "" */
    const char *about;    /* what it does */
    const char *examples;
    const cli_option *options;
    const void *defaults; /* args_size bytes, which begin with an `operands` */
    size_t args_size;
    int min_operands, max_operands;
    bool interruptible; /* its work heeds wick_context_interrupt() */
    wick_status (*run)(cli_app *app, void *args);
} cli_command;

struct cli_app {
    wick_context *context;
    const cli_command *command;
    bool quiet;         /* --json: say() says nothing */
    bool usage;         /* the failure is one of usage */
    char message[1024]; /* of a failure that is not the library's; "" otherwise */
};

/* Keeps the message and returns status. */
wick_status app_fail(cli_app *app, wick_status status, const char *format, ...) WICK_PRINTF(3, 4);
/* The same for wrong usage: exit status 2. */
wick_status app_usage(cli_app *app, const char *format, ...) WICK_PRINTF(2, 3);
/* The library's last failure was a wrong value on the command line. Returns status. */
wick_status app_blame_usage(cli_app *app, wick_status status);
/* "wick train: ..." on stderr, in one line whatever is in the text. */
void app_note(const cli_app *app, const char *format, ...) WICK_PRINTF(2, 3);
/* Results for people, on stdout; nothing if the app is quiet. */
void say(const cli_app *app, const char *format, ...) WICK_PRINTF(2, 3);

#define TRY(call)                                                                                       \
    do {                                                                                                \
        wick_status try_status = (call);                                                                \
        if (try_status != WICK_OK)                                                                      \
            return try_status;                                                                          \
    } while (0)
#define GOTO_OUT(call)                                                                                  \
    do {                                                                                                \
        status = (call);                                                                                \
        if (status != WICK_OK)                                                                          \
            goto out;                                                                                   \
    } while (0)

/* The first SIGINT or SIGTERM asks the context to stop, another one half a second later or more kills.
 * NULL: no context any more. */
void signals_watch(wick_context *context);
/* The signal that came, or 0. */
int signals_seen(void);

extern const cli_command command_notebook, command_data_info, command_data_show, command_data_get,
    command_train, command_eval, command_errors, command_predict, command_explain, command_compare,
    command_model, command_layer, command_bench;

#endif
