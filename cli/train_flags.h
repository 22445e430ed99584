/* The flags of wick train that say how a model is trained: those of wick_train_options. */
#ifndef CLI_TRAIN_FLAGS_H
#define CLI_TRAIN_FLAGS_H

#include "app.h"

#define TRAIN_FLAGS(type)                                                                               \
    {"optimizer",                                                                                       \
     "sgd|adam|adamw",                                                                                  \
     OPTION_CHOICE,                                                                                     \
     offsetof(type, how.optimizer),                                                                     \
     0,                                                                                                 \
     0,                                                                                                 \
     "torch.optim.SGD, Adam or AdamW"},                                                                 \
        {"momentum", "M", OPTION_REAL, offsetof(type, how.momentum), 0, 0, "the momentum of sgd"},      \
        {"dampening",                                                                                   \
         "D",                                                                                           \
         OPTION_REAL,                                                                                   \
         offsetof(type, how.dampening),                                                                 \
         0,                                                                                             \
         0,                                                                                             \
         "how much less of a gradient comes into the momentum"},                                        \
        {"nesterov", "", OPTION_BOOL, offsetof(type, how.nesterov), 0, 0, "Nesterov's momentum"},       \
        {"weight-decay",                                                                                \
         "W",                                                                                           \
         OPTION_REAL,                                                                                   \
         offsetof(type, how.weight_decay),                                                              \
         0,                                                                                             \
         0,                                                                                             \
         "weight decay; adamw has 0.01 without this flag"},                                             \
        {"no-decay-bias",                                                                               \
         "",                                                                                            \
         OPTION_BOOL,                                                                                   \
         offsetof(type, how.no_decay_bias),                                                             \
         0,                                                                                             \
         0,                                                                                             \
         "no weight decay of biases and of the weights of norm layers"},                                \
        {"betas",                                                                                       \
         "B1,B2",                                                                                       \
         OPTION_TEXT,                                                                                   \
         offsetof(type, how.betas),                                                                     \
         0,                                                                                             \
         0,                                                                                             \
         "how slowly the means of adam and adamw follow; 0.9,0.999 without this flag"},                 \
    {                                                                                                   \
        "eps", "E", OPTION_REAL, offsetof(type, how.eps), 0, 0,                                         \
            "what adam and adamw add to the root they divide by; 1e-08 without this flag"               \
    }

/* How a model is trained, with what the flags leave open filled in: lr is 0.1 for sgd and 0.001 for the others unless
 * it was given. */
typedef struct cli_train_given {
    bool lr, weight_decay;
} cli_train_given;
void train_flags_fill(wick_train_options *how, double *lr, cli_train_given given);

#endif
