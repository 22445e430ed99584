/* The chapter, section by section: what cmd_notebook.c runs and the notebook_*.c files print. */
#ifndef CLI_NOTEBOOK_H
#define CLI_NOTEBOOK_H

#include "classes.h"
#include "figures.h"
#include "pair.h"
#include "training.h"

enum { MODEL_COUNT = 3, SAMPLE_COUNT = 9 };

typedef struct cli_notebook {
    cli_app *app;
    uint64_t seed;
    const char *folder; /* of the three runs; borrowed */
    cli_figures figures;
    cli_pair pair;
    cli_training models[MODEL_COUNT];
    cli_scores scores;   /* model 2's, from section 10 on */
    bool reloaded_close; /* section 11's torch.isclose() */
} cli_notebook;

/* "## title" with space around. */
void notebook_section(const cli_notebook *notebook, const char *title);

/* notebook_data.c: sections 1 and 2, and nn.Flatten. */
wick_status notebook_data(cli_notebook *notebook);
wick_status notebook_loaders(cli_notebook *notebook);

/* notebook_models.c: sections 3 to 7. */
wick_status notebook_model_0(cli_notebook *notebook);
wick_status notebook_model_1(cli_notebook *notebook);
wick_status notebook_model_2(cli_notebook *notebook);

/* notebook_layers.c: 7.1 and 7.2. */
wick_status notebook_layers(cli_notebook *notebook);

/* notebook_after.c: sections 8 to 11. */
wick_status notebook_compare(cli_notebook *notebook, char **table);
wick_status notebook_predict(cli_notebook *notebook);
wick_status notebook_confusion(cli_notebook *notebook);
wick_status notebook_reload(cli_notebook *notebook);

/* notebook_figures.c: its pictures; nothing where none are drawn. */
wick_status notebook_draw_first(cli_notebook *notebook);
wick_status notebook_draw_grid(cli_notebook *notebook);
wick_status notebook_draw_batch_image(cli_notebook *notebook, const wick_tensor *image, int64_t label);
wick_status notebook_draw_models(cli_notebook *notebook);
wick_status notebook_draw_predictions(cli_notebook *notebook, int64_t count, wick_tensor *const *images,
                                      const int64_t *labels, const int64_t *predictions);
wick_status notebook_draw_confusion(cli_notebook *notebook);

#endif
