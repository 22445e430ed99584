/* Any bytes as a run's args.json, results.json and results.csv. What is read can be written, and what is
 * written reads the same again. */
#include "train/run_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool right)
{
    if (!right)
        abort();
}

static void check_message(const wick_context *context)
{
    const char *message = wick_context_message(context);
    check(strncmp(message, "input: ", 7) == 0 && strpbrk(message, "\r\n") == NULL);
}

/* ---- args.json ---- */

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_args(wick_context *context, const wick_run_args *args)
{
    wick_run_args again;
    char *text, *text_again;
    check(args->class_count > 0 && args->batch_size > 0 && args->lr > 0);
    check(wki_run_args_format(context, args, &text) == WICK_OK);
    check(wki_run_args_parse(context, "again", text, strlen(text), &again) == WICK_OK);
    check(same_text(args->model, again.model) && same_text(args->data_dir, again.data_dir));
    check(args->lr == again.lr && args->seed == again.seed && args->class_count == again.class_count);
    for (int64_t i = 0; i < args->class_count; i++)
        check(strcmp(args->classes[i], again.classes[i]) == 0);
    check(wki_run_args_format(context, &again, &text_again) == WICK_OK);
    check(strcmp(text, text_again) == 0);
    free(text);
    free(text_again);
    wki_run_args_release(&again);
}

static void try_args(wick_context *context, const char *text, size_t length)
{
    wick_run_args args;
    if (wki_run_args_parse(context, "input", text, length, &args) == WICK_OK)
        check_args(context, &args);
    else
        check_message(context);
    wki_run_args_release(&args);
}

/* ---- results.json ---- */

static void check_results(wick_context *context, const wick_results *results)
{
    wick_results again;
    char *text, *text_again;
    check(wick_results_format(context, results, &text) == WICK_OK);
    check(wki_results_parse(context, "again", text, strlen(text), &again) == WICK_OK);
    check(again.epoch_count == results->epoch_count && again.seed == results->seed);
    check(wick_results_format(context, &again, &text_again) == WICK_OK);
    check(strcmp(text, text_again) == 0);
    free(text);
    free(text_again);
    wki_results_release(&again);
}

static void try_results(wick_context *context, const char *text, size_t length)
{
    wick_results results;
    if (wki_results_parse(context, "input", text, length, &results) == WICK_OK)
        check_results(context, &results);
    else
        check_message(context);
    wki_results_release(&results);
}

/* ---- results.csv ---- */

static void check_rows(wick_context *context, const wick_epoch *epochs, size_t count)
{
    char *text, *text_again;
    wick_epoch *again = NULL;
    size_t count_again = 0;
    check(wki_rows_format(context, epochs, count, &text) == WICK_OK);
    check(wki_rows_parse(context, "again", text, &again, &count_again) == WICK_OK);
    check(count_again == count);
    check(wki_rows_format(context, again, count_again, &text_again) == WICK_OK);
    check(strcmp(text, text_again) == 0);
    free(text);
    free(text_again);
    free(again);
}

static void try_rows(wick_context *context, const char *text)
{
    wick_epoch *epochs = NULL;
    size_t count = 0;
    if (wki_rows_parse(context, "input", text, &epochs, &count) == WICK_OK) {
        check_rows(context, epochs, count);
        free(epochs);
    } else {
        check(epochs == NULL && count == 0);
        check_message(context);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wick_context *context;
    char *text = malloc(size + 1); /* NUL-terminated, as wki_file_read() gives it */
    check(text != NULL && wick_context_new(&context) == WICK_OK);
    memcpy(text, data, size);
    text[size] = '\0';
    try_args(context, text, size);
    try_results(context, text, size);
    try_rows(context, text);
    wick_context_free(context);
    free(text);
    return 0;
}
