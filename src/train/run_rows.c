/* results.csv: a row an epoch, so that the epochs of a run that did not finish are there. */
#include "train/run_internal.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_HEADER  "epoch,train_loss,train_acc,test_loss,test_acc,seconds\n"
#define VALID_HEADER "epoch,train_loss,train_acc,valid_loss,valid_acc,seconds\n"

/* ---- writing ---- */

static void append_row(wki_text *text, const wick_epoch *epoch)
{
    const double numbers[] = {epoch->train_loss, epoch->train_acc, epoch->test_loss, epoch->test_acc,
                              epoch->seconds};
    wki_text_printf(text, "%lld", (long long)epoch->epoch);
    for (size_t i = 0; i < WKI_COUNT(numbers); i++) {
        char repr[32];
        wki_repr(numbers[i], repr);
        wki_text_printf(text, ",%s", repr);
    }
    wki_text_puts(text, "\n");
}

wick_status wki_rows_format(wick_context *context, const wick_epoch *epochs, size_t count, char **out)
{
    wki_text text;
    wki_text_init(&text, context);
    wki_text_puts(&text, count > 0 && epochs[0].validation ? VALID_HEADER : ROWS_HEADER);
    for (size_t i = 0; i < count; i++)
        append_row(&text, &epochs[i]);
    return wki_text_finish(&text, out);
}

/* ---- reading ---- */

/* "0,0.59,78.1,..." up to the newline. */
static bool parse_row(const char *c, wick_epoch *epoch, const char **end)
{
    double numbers[6];
    for (size_t i = 0; i < WKI_COUNT(numbers); i++) {
        char *after;
        if (isspace((unsigned char)*c))
            return false;
        numbers[i] = strtod(c, &after);
        if (after == c || *after != (i + 1 == WKI_COUNT(numbers) ? '\n' : ','))
            return false;
        c = after + 1;
    }
    if (!(numbers[0] >= 0 && numbers[0] < 1e9) || numbers[0] != floor(numbers[0]))
        return false;
    *epoch =
        (wick_epoch){(int64_t)numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
    *end = c;
    return true;
}

wick_status wki_rows_parse(wick_context *context, const char *path, const char *text,
                           wick_epoch **epochs, size_t *count)
{
    void *rows = NULL;
    size_t done = 0, capacity = 0;
    wick_status status = WICK_OK;
    const bool validation = strncmp(text, VALID_HEADER, strlen(VALID_HEADER)) == 0;
    const size_t header = strlen(validation ? VALID_HEADER : ROWS_HEADER);
    if (!validation && strncmp(text, ROWS_HEADER, header) != 0)
        return wki_fail(context, WICK_EFORMAT, "%s: line 1: must be %.*s", path,
                        (int)strlen(ROWS_HEADER) - 1, ROWS_HEADER);
    for (const char *c = text + header; *c != '\0' && status == WICK_OK; done++) {
        status = wki_grow(context, &rows, &capacity, done + 1, sizeof(wick_epoch), "the epochs");
        if (status == WICK_OK && !parse_row(c, &((wick_epoch *)rows)[done], &c))
            status = wki_fail(context, WICK_EFORMAT,
                              "%s: line %zu: must be six numbers with commas between", path, done + 2);
    }
    if (status != WICK_OK) {
        free(rows);
        return status;
    }
    for (size_t i = 0; i < done; i++)
        ((wick_epoch *)rows)[i].validation = validation;
    *epochs = rows;
    *count = done;
    return WICK_OK;
}
