/* report.html: the page that shows a run, and that of several. */
#ifndef CLI_RUN_PAGE_H
#define CLI_RUN_PAGE_H

#include "steps.h"

/* logits are of all images of data; steps may be none; path NULL is report.html in the run's folder. */
wick_status page_of_run(cli_app *app, const wick_run *run, const cli_steps *steps,
                        const wick_dataset *data, const wick_tensor *logits, const char *path);
/* The same of several runs, in that file. */
wick_status page_of_runs(cli_app *app, int count, wick_run *const *runs, const cli_steps *steps,
                         const char *path);

#endif
