#include "python.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A notebook breaks a list or dict that is wider into a line for each element. */
enum { WIDTH = 79 };

void python_repr(double number, char out[32])
{
    if (!isfinite(number)) {
        strcpy(out, isnan(number) ? "nan" : number < 0 ? "-inf" : "inf");
        return;
    }
    int digits = 1;
    for (; digits < 17; digits++) {
        snprintf(out, 32, "%.*e", digits - 1, number);
        if (strtod(out, NULL) == number)
            break;
    }
    snprintf(out, 32, "%.*e", digits - 1, number);
    int exponent = atoi(strchr(out, 'e') + 1);
    if (exponent < -4 || exponent >= 16)
        snprintf(out, 32, "%.*g", digits, number);
    else
        snprintf(out, 32, "%.*f", digits - 1 > exponent ? digits - 1 - exponent : 1, number);
}

const char *python_size(int ndim, const int64_t *shape, char out[SIZE_TEXT])
{
    int used = snprintf(out, SIZE_TEXT, "torch.Size([");
    for (int i = 0; i < ndim; i++)
        used +=
            snprintf(out + used, (size_t)(SIZE_TEXT - used), "%s%" PRId64, i == 0 ? "" : ", ", shape[i]);
    snprintf(out + used, (size_t)(SIZE_TEXT - used), "])");
    return out;
}

const char *python_tensor_size(const wick_tensor *tensor, char out[SIZE_TEXT])
{
    return python_size(wick_tensor_ndim(tensor), wick_tensor_shape(tensor), out);
}

wick_status say_tensor(const cli_app *app, const char *before, const wick_tensor *tensor, int indent,
                       const char *after)
{
    char *text;
    if (app->quiet)
        return WICK_OK;
    TRY(wick_tensor_format(tensor, indent, &text));
    say(app, "%s%s%s", before, text, after);
    wick_free(text);
    return WICK_OK;
}

void say_model_results(const cli_app *app, const char *model_name, double model_loss, double model_acc)
{
    char loss[32], acc[32];
    python_repr(model_loss, loss);
    python_repr(model_acc, acc);
    say(app, "{'model_acc': %s,\n 'model_loss': %s,\n 'model_name': '%s'}\n", acc, loss, model_name);
}

/* repr(str) of a name without control characters. Returns how many letters it takes. */
static int say_string(const cli_app *app, const char *name)
{
    char quote = strchr(name, '\'') != NULL && strchr(name, '"') == NULL ? '"' : '\'';
    int width = 2 + (int)strlen(name);
    say(app, "%c", quote);
    for (const char *c = name; *c != '\0'; c++) {
        bool escaped = *c == '\\' || *c == quote;
        width += escaped;
        say(app, escaped ? "\\%c" : "%c", *c);
    }
    say(app, "%c", quote);
    return width;
}

static int string_width(const char *name)
{
    cli_app silent = {.quiet = true};
    return say_string(&silent, name);
}

void say_classes(const cli_app *app, const wick_dataset *dataset)
{
    int64_t count = wick_dataset_class_count(dataset);
    int64_t width = 0;
    for (int64_t i = 0; i < count; i++)
        width += string_width(wick_dataset_class(dataset, i)) + 2;
    const char *separator = width > WIDTH ? ",\n " : ", ";
    for (int64_t i = 0; i < count; i++) {
        say(app, "%s", i == 0 ? "[" : separator);
        say_string(app, wick_dataset_class(dataset, i));
    }
    say(app, "]\n");
}

typedef struct class_index {
    const char *name;
    int64_t index;
} class_index;

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const class_index *)a)->name, ((const class_index *)b)->name);
}

wick_status say_class_to_idx(cli_app *app, const wick_dataset *dataset)
{
    int64_t count = wick_dataset_class_count(dataset);
    class_index *classes = calloc((size_t)count, sizeof(*classes));
    if (classes == NULL)
        return app_fail(app, WICK_ENOMEM, "out of memory");
    int64_t width = 0;
    for (int64_t i = 0; i < count; i++) {
        classes[i] = (class_index){wick_dataset_class(dataset, i), i};
        width += string_width(classes[i].name) + 4 + snprintf(NULL, 0, "%" PRId64, i);
    }
    qsort(classes, (size_t)count, sizeof(*classes), compare_names);
    const char *separator = width > WIDTH ? ",\n " : ", ";
    for (int64_t i = 0; i < count; i++) {
        say(app, "%s", i == 0 ? "{" : separator);
        say_string(app, classes[i].name);
        say(app, ": %" PRId64, classes[i].index);
    }
    say(app, "}\n");
    free(classes);
    return WICK_OK;
}

void say_dataset(const cli_app *app, const wick_dataset *dataset, int indent)
{
    say(app, "Dataset %s\n", wick_dataset_class_name(dataset));
    say(app, "%*s    Number of datapoints: %" PRId64 "\n", indent, "", wick_dataset_count(dataset));
    say(app, "%*s    Root location: %s\n", indent, "", wick_dataset_root(dataset));
    say(app, "%*s    Split: %s\n", indent, "",
        wick_dataset_split(dataset) == WICK_TRAIN ? "Train" : "Test");
    say(app, "%*s    StandardTransform\n%*sTransform: ToTensor()", indent, "", indent, "");
}

wick_status say_targets(const cli_app *app, const char *before, const wick_dataset *dataset)
{
    wick_tensor *targets;
    int64_t count = wick_dataset_count(dataset);
    TRY(wick_tensor_from(app->context, WICK_INT64, 1, &count, wick_dataset_labels(dataset), &targets));
    wick_status status = say_tensor(app, before, targets, 0, "\n");
    wick_tensor_free(targets);
    return status;
}
