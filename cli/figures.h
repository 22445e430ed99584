/* The pictures that a command leaves in its run's folder. */
#ifndef CLI_FIGURES_H
#define CLI_FIGURES_H

#include "steps.h"

#define FIGURES_OPTION(type)                                                                            \
    {                                                                                                   \
        "no-figures", "", OPTION_BOOL, offsetof(type, no_figures), 0, 0,                                \
            "draw no figures and write no page"                                                         \
    }

/* Zero: nothing is drawn. */
typedef struct cli_figures {
    cli_app *app;
    wick_plotter *plotter; /* NULL: nothing is drawn */
} cli_figures;

/* Opens what is needed to draw, if that is wanted and possible: where it is not possible a note says so,
 * and the command goes on without figures. */
wick_status figures_open(cli_app *app, bool wanted, cli_figures *figures);
/* The same for a picture that was asked for: where it is not possible that is a failure. */
wick_status figures_need(cli_app *app, cli_figures *figures);
void figures_close(cli_figures *figures);

/* Writes folder/name.png and folder/name.svg, and frees the figure. drawn is what drawing it came to. */
wick_status figures_keep(wick_status drawn, wick_figure *figure, const char *folder, const char *name);
/* Writes path, and frees the figure. */
wick_status figures_keep_as(wick_status drawn, wick_figure *figure, const char *path);
/* A failure of usage unless a picture can be called path; flag is what it was given by. */
wick_status figures_check_path(cli_app *app, const char *flag, const char *path);

/* The confusion matrix of what a model made of a data set. Owned. */
wick_status figures_confusion(const wick_dataset *dataset, const wick_tensor *logits, cli_app *app,
                              wick_tensor **confusion);
/* A run as a curve. The name, and what the run and the steps have, are borrowed. */
wick_curve figures_curve(const char *name, const wick_run *run, const cli_steps *steps);
/* curves.png and .svg, confusion_matrix.png and .svg in the run's folder. */
wick_status figures_of_run(const cli_figures *figures, const wick_run *run, const cli_steps *steps,
                           const wick_tensor *confusion);

#endif
