/* What several commands take the same way: the model, the seed, the device. */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "model_choice.h"

typedef struct cli_machine_args {
    const char *device;
    int64_t threads;
} cli_machine_args;

#define MACHINE_DEFAULTS                                                                                \
    {                                                                                                   \
        .device = "auto"                                                                                \
    }
#define MACHINE_OPTIONS(type)                                                                           \
    {"device", "auto|cpu|cuda",         OPTION_TEXT, offsetof(type, machine.device), 0,                 \
     0,        "where the work is done"},                                                               \
    {                                                                                                   \
        "threads", "N", OPTION_INT, offsetof(type, machine.threads), 0, 1024,                           \
            "how many threads do it, 0 for one a core; results do not depend on it"                     \
    }
#define MODEL_OPTION(type)                                                                              \
    {                                                                                                   \
        "model", "NAME|TEXT|FILE", OPTION_TEXT, offsetof(type, model), 0, 0, MODEL_WORDS                \
    }
#define HIDDEN_UNITS_OPTION(type)                                                                       \
    {                                                                                                   \
        "hidden-units", "N", OPTION_INT, offsetof(type, hidden_units), 1, 1 << 20,                      \
            "how many units, or channels, a hidden layer has"                                           \
    }
#define SEED_OPTION(type)                                                                               \
    {                                                                                                   \
        "seed", "S", OPTION_SEED, offsetof(type, seed), 0, 0, "torch.manual_seed(S)"                    \
    }
#define JSON_OPTION(type)                                                                               \
    {                                                                                                   \
        "json", "", OPTION_BOOL, offsetof(type, json), 0, 0, "print one JSON object and nothing else"   \
    }

/* Sets threads and device; the name of no device is a failure of usage. */
wick_status settings_use_machine(cli_app *app, const cli_machine_args *args);

#endif
