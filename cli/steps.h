/* The training losses of a run's steps, for its curves: steps.csv in its folder. All of them at first;
 * of very many every second, every fourth, ... */
#ifndef CLI_STEPS_H
#define CLI_STEPS_H

#include "app.h"

enum { STEPS_KEPT = 65536 };

/* Zero: none are kept. */
typedef struct cli_steps {
    float *losses; /* of the steps stride, 2 stride, ...; room for STEPS_KEPT. Owned */
    int64_t count, stride;
    int64_t seen; /* how many steps there were */
} cli_steps;

/* From the first step on. */
wick_status steps_begin(cli_app *app, cli_steps *steps);
void steps_add(cli_steps *steps, float loss);
/* Writes steps.csv; nothing if none are kept. */
wick_status steps_save(cli_app *app, const wick_run *run, const cli_steps *steps);
/* Reads steps.csv up to step `most`; none are kept if there is no such file. WICK_EFORMAT (line) if it
 * is not what steps_save() writes. On failure too, steps_release(). */
wick_status steps_load(cli_app *app, const wick_run *run, int64_t most, cli_steps *steps);
/* Goes on with the losses that a run that has done `done` steps left; if they are not all there none are
 * kept, and the file is removed. */
wick_status steps_resume(cli_app *app, const wick_run *run, int64_t done, cli_steps *steps);
void steps_release(cli_steps *steps);

#endif
