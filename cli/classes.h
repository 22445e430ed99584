/* What a model is worth, class by class. */
#ifndef CLI_CLASSES_H
#define CLI_CLASSES_H

#include "app.h"
#include "json_out.h"

/* Fails where a data set's classes are not those of a model, whose weights are in a file of that name: another count, or
 * the model's names (may be NULL) in another order. Of the run's own data every name must be what it was. */
wick_status classes_check(cli_app *app, const char *weights, int64_t class_count,
                          const char *const *names, bool own_data, const char *data,
                          const wick_dataset *dataset);

/* Of the predictions of a data set's images. Zero before the first call. */
typedef struct cli_scores {
    const wick_dataset *dataset; /* borrowed */
    wick_tensor *predictions;    /* int64 [N] */
    wick_tensor *confusion;
    wick_class_report *reports; /* one a class */
} cli_scores;

/* logits is [N, classes], labels [N]. On failure too, class_scores_release(). */
wick_status class_scores_make(cli_app *app, const wick_dataset *dataset, const wick_tensor *logits,
                              const wick_tensor *labels, cli_scores *scores);
void class_scores_release(cli_scores *scores);

/* The table of precision, recall, F1 and support. */
void say_class_report(const cli_app *app, const cli_scores *scores);
/* The confusion matrix in numbers, rows the truth. */
void say_confusion(const cli_app *app, const cli_scores *scores);
/* The members "classes" and "confusion_matrix". */
void json_class_scores(cli_json *json, const cli_scores *scores);

#endif
