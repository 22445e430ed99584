#include "train/json_read.h"
#include "train/run_internal.h"
#include "train/train_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_HIDDEN_UNITS = 10,
    MOST_UNITS = 1 << 30,
    MOST_MODEL = 1 << 22,  /* bytes of a model's text */
    MOST_PIXELS = 1 << 20, /* of a side */
    MOST_CLASSES = 1 << 20,
    MOST_EPOCHS = 1000000,
    MOST_EXAMPLES = INT32_MAX,
};

/* ---- writing ---- */

static void put_string(wki_text *text, const char *string)
{
    if (string == NULL)
        wki_text_puts(text, "null");
    else
        wki_text_json(text, string);
}

/* JSON has no NaN and no infinity. */
static void put_number(wki_text *text, double number)
{
    char repr[32] = "null";
    if (isfinite(number))
        wki_repr(number, repr);
    wki_text_puts(text, repr);
}

/* From 2^63 on as a string: few JSON readers hold larger integers exactly. */
static void put_seed(wki_text *text, uint64_t seed)
{
    wki_text_printf(text, seed > INT64_MAX ? "\"%llu\"" : "%llu", (unsigned long long)seed);
}

/* Those options that are not as in the chapter. */
static void put_options(wki_text *text, const wick_train_options *options)
{
    for (const wki_train_option *option = wki_train_options; option->key != NULL; option++) {
        const void *at = wki_train_option_at(options, option);
        if (!wki_train_option_is_set(options, option))
            continue;
        wki_text_printf(text, ",\n  \"%s\": ", option->key);
        if (option->kind == WKI_OPTION_TEXT)
            put_string(text, *(const char *const *)at);
        else if (option->kind == WKI_OPTION_NUMBER)
            put_number(text, *(const double *)at);
        else if (option->kind == WKI_OPTION_COUNT)
            wki_text_printf(text, "%lld", (long long)*(const int64_t *)at);
        else
            wki_text_puts(text, "true");
    }
}

static void put_numbers(wki_text *text, const char *key, int64_t count, const float *numbers)
{
    wki_text_printf(text, ",\n  \"%s\": [", key);
    for (int64_t i = 0; i < count; i++) {
        wki_text_puts(text, i == 0 ? "" : ", ");
        put_number(text, (double)numbers[i]);
    }
    wki_text_puts(text, "]");
}

/* Only where they are not what they are without being asked for. */
static void put_picture_args(wki_text *text, const wick_run_args *args)
{
    if (args->test_fraction != 0) {
        wki_text_puts(text, ",\n  \"test_fraction\": ");
        put_number(text, args->test_fraction);
    }
    if (args->skip_broken)
        wki_text_puts(text, ",\n  \"skip_broken\": true");
    if (args->resized)
        wki_text_puts(text, ",\n  \"resized\": true");
    if (args->augment != NULL) {
        wki_text_puts(text, ",\n  \"augment\": ");
        put_string(text, args->augment);
    }
    if (args->normalized) {
        put_numbers(text, "mean", WKI_MIN(args->image_shape[0], 3), args->mean);
        put_numbers(text, "std", WKI_MIN(args->image_shape[0], 3), args->std);
    }
}

wick_status wki_run_args_format(wick_context *context, const wick_run_args *args, char **out)
{
    wki_text text;
    wki_text_init(&text, context);
    wki_text_puts(&text, "{\n  \"model\": ");
    put_string(&text, args->model);
    if (wick_model_is_text(args->model))
        wki_text_puts(&text, ",\n  \"hidden_units\": null");
    else
        wki_text_printf(
            &text, ",\n  \"hidden_units\": %lld",
            (long long)(args->hidden_units == 0 ? DEFAULT_HIDDEN_UNITS : args->hidden_units));
    wki_text_puts(&text, ",\n  \"data\": ");
    put_string(&text, args->data);
    wki_text_puts(&text, ",\n  \"data_dir\": ");
    put_string(&text, args->data_dir);
    put_picture_args(&text, args);
    wki_text_printf(&text,
                    ",\n  \"limit\": %lld,\n  \"image_shape\": [%lld, %lld, %lld],\n  \"classes\": [",
                    (long long)args->limit, (long long)args->image_shape[0],
                    (long long)args->image_shape[1], (long long)args->image_shape[2]);
    for (int64_t i = 0; i < args->class_count && args->classes != NULL; i++) {
        wki_text_puts(&text, i == 0 ? "" : ", ");
        put_string(&text, args->classes[i]);
    }
    wki_text_printf(&text, "],\n  \"epochs\": %lld,\n  \"batch_size\": %lld,\n  \"lr\": ",
                    (long long)args->epochs, (long long)args->batch_size);
    put_number(&text, args->lr);
    wki_text_puts(&text, ",\n  \"seed\": ");
    put_seed(&text, args->seed);
    wki_text_puts(&text, ",\n  \"device\": ");
    put_string(&text, args->device);
    wki_text_printf(&text, ",\n  \"threads\": %d", args->threads);
    put_options(&text, &args->how);
    wki_text_puts(&text, "\n}\n");
    return wki_text_finish(&text, out);
}

static void put_epoch(wki_text *text, const wick_epoch *epoch)
{
    wki_text_printf(text, "{\"epoch\": %lld, \"train_loss\": ", (long long)epoch->epoch);
    put_number(text, epoch->train_loss);
    wki_text_puts(text, ", \"train_acc\": ");
    put_number(text, epoch->train_acc);
    wki_text_puts(text, epoch->validation ? ", \"valid_loss\": " : ", \"test_loss\": ");
    put_number(text, epoch->test_loss);
    wki_text_puts(text, epoch->validation ? ", \"valid_acc\": " : ", \"test_acc\": ");
    put_number(text, epoch->test_acc);
    wki_text_puts(text, ", \"seconds\": ");
    put_number(text, epoch->seconds);
    wki_text_puts(text, "}");
}

wick_status wick_results_format(wick_context *context, const wick_results *results, char **out)
{
    if (context == NULL)
        return WICK_EINVAL;
    if (results == NULL || out == NULL || (results->epoch_count > 0 && results->epochs == NULL))
        return wki_fail(context, WICK_EINVAL, "results, its epochs or out is NULL");
    wki_text text;
    wki_text_init(&text, context);
    wki_text_puts(&text, "{\n  \"model_name\": ");
    put_string(&text, results->model_name);
    wki_text_puts(&text, ",\n  \"model_loss\": ");
    put_number(&text, results->model_loss);
    wki_text_puts(&text, ",\n  \"model_acc\": ");
    put_number(&text, results->model_acc);
    wki_text_puts(&text, ",\n  \"accuracy\": ");
    put_number(&text, results->accuracy);
    wki_text_puts(&text, ",\n  \"train_time\": ");
    put_number(&text, results->train_time);
    wki_text_puts(&text, ",\n  \"device\": ");
    put_string(&text, results->device);
    wki_text_printf(&text, ",\n  \"threads\": %d,\n  \"seed\": ", results->threads);
    put_seed(&text, results->seed);
    wki_text_printf(&text, ",\n  \"parameters\": %lld,\n  \"epochs\": [",
                    (long long)results->parameters);
    for (int64_t i = 0; i < results->epoch_count; i++) {
        wki_text_puts(&text, i == 0 ? "\n    " : ",\n    ");
        put_epoch(&text, &results->epochs[i]);
    }
    wki_text_puts(&text, results->epoch_count > 0 ? "\n  ]\n}\n" : "]\n}\n");
    return wki_text_finish(&text, out);
}

/* ---- reading ---- */

static wki_json_at at(const char *key)
{
    return (wki_json_at){key, -1, NULL};
}

static wick_status read_threads(wki_json *json, int *out)
{
    int64_t threads = 0;
    WKI_TRY(wki_json_integer(json, at("threads"), 0, WKI_MAX_THREADS, &threads));
    *out = (int)threads;
    return WICK_OK;
}

static wick_status read_string(wki_json *json, const char *key, bool null_allowed, const char **out)
{
    char *string;
    WKI_TRY(wki_json_string(json, at(key), null_allowed, &string));
    *out = string;
    return WICK_OK;
}

static wick_status read_image_shape(wki_json *json, int64_t shape[3])
{
    size_t size;
    WKI_TRY(wki_json_array(json, at("image_shape"), 3, 3, &size));
    for (int i = 0; i < 3; i++)
        WKI_TRY(
            wki_json_integer(json, (wki_json_at){"image_shape", i, NULL}, 1, MOST_PIXELS, &shape[i]));
    return WICK_OK;
}

static wick_status read_classes(wki_json *json, wick_run_args *args)
{
    size_t count;
    void *memory;
    WKI_TRY(wki_json_array(json, at("classes"), 1, MOST_CLASSES, &count));
    WKI_TRY(wki_alloc(json->context, count, sizeof(char *), "the classes' names", &memory));
    char **classes = memory;
    args->classes = (const char *const *)classes;
    args->class_count = (int64_t)count;
    for (size_t i = 0; i < count; i++)
        WKI_TRY(wki_json_string(json, (wki_json_at){"classes", (int64_t)i, NULL}, false, &classes[i]));
    return WICK_OK;
}

static wick_status read_option(wki_json *json, const wki_train_option *option, void *at_option)
{
    bool *flag = at_option;
    double *number = at_option;
    switch (option->kind) {
    case WKI_OPTION_TEXT:
        return read_string(json, option->key, false, at_option);
    case WKI_OPTION_NUMBER:
        WKI_TRY(wki_json_number(json, at(option->key), number));
        return isfinite(*number) ? WICK_OK
                                 : wki_json_fail(json, at(option->key), "must be a number, not null");
    case WKI_OPTION_COUNT:
        return wki_json_integer(json, at(option->key), 0, INT64_MAX, at_option);
    case WKI_OPTION_FLAG:
        return wki_json_flag(json, at(option->key), flag);
    }
    return WICK_OK;
}

/* An option that is not there is as in the chapter. */
static wick_status read_options(wki_json *json, wick_train_options *options)
{
    for (const wki_train_option *option = wki_train_options; option->key != NULL; option++)
        if (wki_json_has(json, at(option->key)))
            WKI_TRY(read_option(json, option, (char *)options + option->offset));
    return WICK_OK;
}

/* "mean" or "std": finite numbers, one a channel. */
static wick_status read_numbers(wki_json *json, const char *key, size_t channels, bool above_0,
                                float numbers[3])
{
    size_t count;
    WKI_TRY(wki_json_array(json, at(key), channels, channels, &count));
    for (size_t i = 0; i < count; i++) {
        double number;
        WKI_TRY(wki_json_number(json, (wki_json_at){key, (int64_t)i, NULL}, &number));
        numbers[i] = (float)number;
        if (!isfinite(numbers[i]) || (above_0 && !(numbers[i] > 0)))
            return wki_json_fail(json, (wki_json_at){key, (int64_t)i, NULL}, "must be a number%s",
                                 above_0 ? " above 0" : "");
    }
    return WICK_OK;
}

/* After the image's shape. */
static wick_status read_transform_args(wki_json *json, wick_run_args *args)
{
    if (wki_json_has(json, at("augment")))
        WKI_TRY(read_string(json, "augment", false, &args->augment));
    args->normalized = wki_json_has(json, at("mean"));
    if (!args->normalized)
        return WICK_OK;
    if (args->image_shape[0] > 3)
        return wki_json_fail(json, at("mean"), "is for images of 1 to 3 channels");
    WKI_TRY(read_numbers(json, "mean", (size_t)args->image_shape[0], false, args->mean));
    return read_numbers(json, "std", (size_t)args->image_shape[0], true, args->std);
}

/* These may be missing. */
static wick_status read_picture_args(wki_json *json, wick_run_args *args)
{
    if (wki_json_has(json, at("test_fraction"))) {
        WKI_TRY(wki_json_number(json, at("test_fraction"), &args->test_fraction));
        if (!(args->test_fraction > 0 && args->test_fraction < 1))
            return wki_json_fail(json, at("test_fraction"), "must be between 0 and 1");
    }
    if (wki_json_has(json, at("skip_broken")))
        WKI_TRY(wki_json_flag(json, at("skip_broken"), &args->skip_broken));
    if (wki_json_has(json, at("resized")))
        WKI_TRY(wki_json_flag(json, at("resized"), &args->resized));
    return WICK_OK;
}

/* Its name or its text; the text has its hidden units in itself. */
static wick_status read_model(wki_json *json, wick_run_args *args)
{
    char *model;
    bool null = false;
    WKI_TRY(wki_json_lines(json, at("model"), MOST_MODEL, &model));
    args->model = model;
    if (wick_model_is_text(model))
        WKI_TRY(wki_json_is_null(json, at("hidden_units"), &null));
    return null ? WICK_OK
                : wki_json_integer(json, at("hidden_units"), 1, MOST_UNITS, &args->hidden_units);
}

static wick_status read_args(wki_json *json, wick_run_args *args)
{
    WKI_TRY(read_model(json, args));
    WKI_TRY(read_string(json, "data", false, &args->data));
    WKI_TRY(read_string(json, "data_dir", true, &args->data_dir));
    WKI_TRY(wki_json_integer(json, at("limit"), 0, MOST_EXAMPLES, &args->limit));
    WKI_TRY(read_picture_args(json, args));
    WKI_TRY(read_image_shape(json, args->image_shape));
    WKI_TRY(read_transform_args(json, args));
    WKI_TRY(read_classes(json, args));
    WKI_TRY(wki_json_integer(json, at("epochs"), 0, MOST_EPOCHS, &args->epochs));
    WKI_TRY(wki_json_integer(json, at("batch_size"), 1, MOST_EXAMPLES, &args->batch_size));
    WKI_TRY(wki_json_number(json, at("lr"), &args->lr));
    if (!(args->lr > 0))
        return wki_json_fail(json, at("lr"), "must be above 0");
    WKI_TRY(wki_json_seed(json, at("seed"), &args->seed));
    WKI_TRY(read_string(json, "device", false, &args->device));
    WKI_TRY(read_threads(json, &args->threads));
    return read_options(json, &args->how);
}

wick_status wki_run_args_parse(wick_context *context, const char *path, const char *text, size_t length,
                               wick_run_args *args)
{
    wki_json json;
    *args = (wick_run_args){0};
    wick_status status = wki_json_read(&json, context, path, text, length);
    if (status == WICK_OK)
        status = read_args(&json, args);
    wki_json_release(&json);
    if (status != WICK_OK)
        wki_run_args_release(args);
    return status;
}

void wki_run_args_release(wick_run_args *args)
{
    for (int64_t i = 0; i < args->class_count; i++)
        free((char *)args->classes[i]);
    free((void *)args->classes);
    free((char *)args->model);
    free((char *)args->data);
    free((char *)args->data_dir);
    free((char *)args->augment);
    free((char *)args->device);
    for (const wki_train_option *option = wki_train_options; option->key != NULL; option++)
        if (option->kind == WKI_OPTION_TEXT)
            free(*(char *const *)wki_train_option_at(&args->how, option));
    *args = (wick_run_args){0};
}

static wick_status read_epoch(wki_json *json, int64_t index, wick_epoch *epoch)
{
    WKI_TRY(
        wki_json_integer(json, (wki_json_at){"epochs", index, "epoch"}, 0, MOST_EPOCHS, &epoch->epoch));
    WKI_TRY(wki_json_number(json, (wki_json_at){"epochs", index, "train_loss"}, &epoch->train_loss));
    WKI_TRY(wki_json_number(json, (wki_json_at){"epochs", index, "train_acc"}, &epoch->train_acc));
    epoch->validation = wki_json_has(json, (wki_json_at){"epochs", index, "valid_loss"});
    const char *loss = epoch->validation ? "valid_loss" : "test_loss";
    const char *accuracy = epoch->validation ? "valid_acc" : "test_acc";
    WKI_TRY(wki_json_number(json, (wki_json_at){"epochs", index, loss}, &epoch->test_loss));
    WKI_TRY(wki_json_number(json, (wki_json_at){"epochs", index, accuracy}, &epoch->test_acc));
    return wki_json_number(json, (wki_json_at){"epochs", index, "seconds"}, &epoch->seconds);
}

static wick_status read_epochs(wki_json *json, wick_results *results)
{
    size_t count;
    void *memory;
    WKI_TRY(wki_json_array(json, at("epochs"), 0, MOST_EPOCHS, &count));
    WKI_TRY(wki_alloc(json->context, count, sizeof(wick_epoch), "the epochs", &memory));
    wick_epoch *epochs = memory;
    results->epochs = epochs;
    results->epoch_count = (int64_t)count;
    for (size_t i = 0; i < count; i++)
        WKI_TRY(read_epoch(json, (int64_t)i, &epochs[i]));
    return WICK_OK;
}

static wick_status read_results(wki_json *json, wick_results *results)
{
    WKI_TRY(read_string(json, "model_name", false, &results->model_name));
    WKI_TRY(wki_json_number(json, at("model_loss"), &results->model_loss));
    WKI_TRY(wki_json_number(json, at("model_acc"), &results->model_acc));
    WKI_TRY(wki_json_number(json, at("accuracy"), &results->accuracy));
    WKI_TRY(wki_json_number(json, at("train_time"), &results->train_time));
    WKI_TRY(read_string(json, "device", false, &results->device));
    WKI_TRY(read_threads(json, &results->threads));
    WKI_TRY(wki_json_seed(json, at("seed"), &results->seed));
    WKI_TRY(wki_json_integer(json, at("parameters"), 0, INT64_MAX, &results->parameters));
    return read_epochs(json, results);
}

wick_status wki_results_parse(wick_context *context, const char *path, const char *text, size_t length,
                              wick_results *results)
{
    wki_json json;
    *results = (wick_results){0};
    wick_status status = wki_json_read(&json, context, path, text, length);
    if (status == WICK_OK)
        status = read_results(&json, results);
    wki_json_release(&json);
    if (status != WICK_OK)
        wki_results_release(results);
    return status;
}

void wki_results_release(wick_results *results)
{
    free((char *)results->model_name);
    free((char *)results->device);
    free((wick_epoch *)results->epochs);
    *results = (wick_results){0};
}
