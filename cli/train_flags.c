#include "train_flags.h"

#include <string.h>

void train_flags_fill(wick_train_options *how, double *lr, cli_train_given given)
{
    bool sgd = strcmp(how->optimizer, "sgd") == 0;
    if (!sgd && !given.lr)
        *lr = 0.001;
    if (!given.weight_decay && strcmp(how->optimizer, "adamw") == 0)
        how->weight_decay = 0.01;
    if (sgd)
        how->optimizer = NULL;
}
