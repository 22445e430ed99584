#include "classes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool has_class(const wick_dataset *dataset, const char *name)
{
    for (int64_t i = 0; i < wick_dataset_class_count(dataset); i++)
        if (strcmp(wick_dataset_class(dataset, i), name) == 0)
            return true;
    return false;
}

wick_status classes_check(cli_app *app, const char *weights, int64_t class_count,
                          const char *const *names, bool own_data, const char *data,
                          const wick_dataset *dataset)
{
    const int64_t there = wick_dataset_class_count(dataset);
    if (there != class_count)
        return app_fail(app, WICK_ESHAPE,
                        "%s: its model tells %" PRId64
                        " classes apart, but the data set '%s' has %" PRId64,
                        weights, class_count, data, there);
    for (int64_t i = 0; names != NULL && i < class_count; i++) {
        const char *now = wick_dataset_class(dataset, i);
        if (strcmp(names[i], now) != 0 && (own_data || has_class(dataset, names[i])))
            return app_fail(app, WICK_ESHAPE,
                            "%s: its model's class %" PRId64
                            " is '%s', but that of the data set '%s' is '%s'; folders "
                            "that are named as they were put the classes in order",
                            weights, i, names[i], data, now);
    }
    return WICK_OK;
}

wick_status class_scores_make(cli_app *app, const wick_dataset *dataset, const wick_tensor *logits,
                              const wick_tensor *labels, cli_scores *scores)
{
    int64_t count = wick_dataset_class_count(dataset);
    scores->dataset = dataset;
    TRY(wick_tensor_argmax(logits, &scores->predictions));
    TRY(wick_confusion_matrix(labels, scores->predictions, count, &scores->confusion));
    scores->reports = calloc((size_t)count, sizeof(*scores->reports));
    if (scores->reports == NULL)
        return app_fail(app, WICK_ENOMEM, "out of memory");
    return wick_classification_report(scores->confusion, scores->reports);
}

void class_scores_release(cli_scores *scores)
{
    wick_tensor_free(scores->predictions);
    wick_tensor_free(scores->confusion);
    free(scores->reports);
    memset(scores, 0, sizeof(*scores));
}

static int name_width(const wick_dataset *dataset, const char *heading)
{
    size_t width = strlen(heading);
    for (int64_t i = 0; i < wick_dataset_class_count(dataset); i++) {
        size_t length = strlen(wick_dataset_class(dataset, i));
        width = length > width ? length : width;
    }
    return (int)width;
}

void say_class_report(const cli_app *app, const cli_scores *scores)
{
    int width = name_width(scores->dataset, "class");
    say(app, "%-*s  precision  recall      f1  support\n", width, "class");
    for (int64_t i = 0; i < wick_dataset_class_count(scores->dataset); i++) {
        const wick_class_report *report = &scores->reports[i];
        say(app, "%-*s     %.4f  %.4f  %.4f  %7" PRId64 "\n", width,
            wick_dataset_class(scores->dataset, i), report->precision, report->recall, report->f1,
            report->support);
    }
}

void say_confusion(const cli_app *app, const cli_scores *scores)
{
    int64_t count = wick_dataset_class_count(scores->dataset);
    const int64_t *cells = wick_tensor_cdata(scores->confusion);
    int width = name_width(scores->dataset, "");
    int index = snprintf(NULL, 0, "%" PRId64, count - 1);
    int column = index;
    for (int64_t i = 0; i < count * count; i++) {
        int digits = snprintf(NULL, 0, "%" PRId64, cells[i]);
        column = digits > column ? digits : column;
    }
    say(app, "%*s", width + 1 + index, "");
    for (int64_t c = 0; c < count; c++)
        say(app, "  %*" PRId64, column, c);
    for (int64_t r = 0; r < count; r++) {
        say(app, "\n%*" PRId64 " %-*s", index, r, width, wick_dataset_class(scores->dataset, r));
        for (int64_t c = 0; c < count; c++)
            say(app, "  %*" PRId64, column, cells[r * count + c]);
    }
    say(app, "\n");
}

void json_class_scores(cli_json *json, const cli_scores *scores)
{
    json_open(json, "classes", '[');
    for (int64_t i = 0; i < wick_dataset_class_count(scores->dataset); i++) {
        const wick_class_report *report = &scores->reports[i];
        json_open(json, NULL, '{');
        json_text(json, "class", wick_dataset_class(scores->dataset, i));
        json_number(json, "precision", report->precision);
        json_number(json, "recall", report->recall);
        json_number(json, "f1", report->f1);
        json_int(json, "support", report->support);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_tensor(json, "confusion_matrix", scores->confusion);
}
