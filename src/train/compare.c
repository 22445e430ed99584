#include "base/base.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wick/run.h>

/* pandas' display.precision. */
enum { DIGITS = 6, COLUMNS = 3, CELL = 352 };

typedef char cell[CELL];

static const char *const column_names[COLUMNS] = {"model_loss", "model_acc", "training_time"};

static double column_value(const wick_results *results, int column)
{
    const double values[COLUMNS] = {results->model_loss, results->model_acc, results->train_time};
    return values[column];
}

static wick_status check(wick_context *context, int64_t count, const wick_results *const *results,
                         char **text)
{
    if (context == NULL)
        return WICK_EINVAL;
    if (count < 1 || results == NULL || text == NULL)
        return wki_fail(context, WICK_EINVAL,
                        "there must be one result or more, and a place for the text");
    for (int64_t i = 0; i < count; i++)
        if (results[i] == NULL || results[i]->model_name == NULL)
            return wki_fail(context, WICK_EINVAL, "result %lld or its model_name is NULL", (long long)i);
    return WICK_OK;
}

static bool has_trimmable_zero(const char *text)
{
    size_t length = strlen(text);
    return strspn(text, "-0123456789.") == length && text[length - 1] == '0';
}

/* Cuts the zeros that end all numbers of a column, but for one after the point. */
static void trim_column(int64_t count, cell *cells)
{
    for (;;) {
        int64_t numbers = 0, zeros = 0;
        for (int64_t i = 0; i < count; i++) {
            numbers += strchr(cells[i], '.') != NULL && strpbrk(cells[i], "en") == NULL;
            zeros += strchr(cells[i], '.') != NULL && has_trimmable_zero(cells[i]);
        }
        if (numbers == 0 || zeros < numbers)
            break;
        for (int64_t i = 0; i < count; i++)
            if (has_trimmable_zero(cells[i]) && strchr(cells[i], '.') != NULL)
                cells[i][strlen(cells[i]) - 1] = '\0';
    }
    for (int64_t i = 0; i < count; i++) {
        size_t length = strlen(cells[i]);
        if (length > 0 && cells[i][length - 1] == '.')
            strcpy(cells[i] + length, "0");
    }
}

static void fill_column(int64_t count, const wick_results *const *results, int column, bool exponent,
                        cell *cells)
{
    for (int64_t i = 0; i < count; i++) {
        double value = column_value(results[i], column);
        if (isnan(value))
            strcpy(cells[i], "NaN");
        else
            snprintf(cells[i], CELL, exponent ? "%.*e" : "%.*f", DIGITS, value);
    }
}

/* Formats a column in one way for all, as pandas' FloatArrayFormatter does: fixed, or with an exponent
 * where a value would vanish or a large one makes the column too wide. */
static void format_column(int64_t count, const wick_results *const *results, int column, cell *cells)
{
    bool small = false, large = false, wide = false;
    fill_column(count, results, column, false, cells);
    trim_column(count, cells);
    for (int64_t i = 0; i < count; i++) {
        double value = column_value(results[i], column);
        small = small || (value != 0 && fabs(value) < 1e-6);
        large = large || fabs(value) > 1e6;
        wide = wide || strlen(cells[i]) + 1 > DIGITS + 6;
    }
    if (small || (wide && large))
        fill_column(count, results, column, true, cells);
}

static int index_width(int64_t count)
{
    return snprintf(NULL, 0, "%lld", (long long)(count - 1));
}

/* How many columns a name takes: its code points. */
static int name_columns(const char *name)
{
    int columns = 0;
    for (; *name != '\0'; name++)
        columns += ((unsigned char)*name & 0xc0) != 0x80;
    return columns;
}

static void append_table(wki_text *text, int64_t count, const wick_results *const *results,
                         cell *const *columns)
{
    /* pandas puts a space before a text, but not before its column's name. */
    int name_width = (int)strlen("model_name");
    int widths[COLUMNS];
    for (int64_t i = 0; i < count; i++)
        name_width = WKI_MAX(name_width, name_columns(results[i]->model_name) + 1);
    wki_text_printf(text, "%*s %*s", index_width(count), "", name_width, "model_name");
    for (int c = 0; c < COLUMNS; c++) {
        widths[c] = (int)strlen(column_names[c]);
        for (int64_t i = 0; i < count; i++)
            widths[c] = WKI_MAX(widths[c], (int)strlen(columns[c][i]));
        wki_text_printf(text, "  %*s", widths[c], column_names[c]);
    }
    for (int64_t i = 0; i < count; i++) {
        const char *name = results[i]->model_name;
        wki_text_printf(text, "\n%-*lld %*s%s", index_width(count), (long long)i,
                        name_width - name_columns(name), "", name);
        for (int c = 0; c < COLUMNS; c++)
            wki_text_printf(text, "  %*s", widths[c], columns[c][i]);
    }
    wki_text_puts(text, "\n");
}

wick_status wick_compare_format(wick_context *context, int64_t count, const wick_results *const *results,
                                char **text)
{
    void *memory;
    cell *columns[COLUMNS] = {NULL};
    WKI_TRY(check(context, count, results, text));
    uint64_t cells;
    if (!wki_mul_u64((uint64_t)count, COLUMNS, &cells))
        return wki_fail(context, WICK_ELIMIT, "%lld results are too many for a table", (long long)count);
    WKI_TRY(wki_alloc(context, (size_t)cells, sizeof(cell), "a table", &memory));
    for (int c = 0; c < COLUMNS; c++) {
        columns[c] = (cell *)memory + (size_t)c * (size_t)count;
        format_column(count, results, c, columns[c]);
    }
    wki_text table;
    wki_text_init(&table, context);
    append_table(&table, count, results, columns);
    free(memory);
    return wki_text_finish(&table, text);
}

/* Quoted where RFC 4180 asks for it. */
static void append_csv_field(wki_text *text, const char *field)
{
    if (strpbrk(field, ",\"\r\n") == NULL) {
        wki_text_puts(text, field);
        return;
    }
    wki_text_puts(text, "\"");
    for (const char *c = field; *c != '\0'; c++)
        wki_text_append(text, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    wki_text_puts(text, "\"");
}

wick_status wick_compare_csv(wick_context *context, int64_t count, const wick_results *const *results,
                             char **text)
{
    WKI_TRY(check(context, count, results, text));
    wki_text csv;
    wki_text_init(&csv, context);
    wki_text_puts(&csv, "model_name");
    for (int c = 0; c < COLUMNS; c++)
        wki_text_printf(&csv, ",%s", column_names[c]);
    for (int64_t i = 0; i < count; i++) {
        wki_text_puts(&csv, "\n");
        append_csv_field(&csv, results[i]->model_name);
        for (int c = 0; c < COLUMNS; c++) {
            char repr[32];
            wki_repr(column_value(results[i], c), repr);
            wki_text_printf(&csv, ",%s", repr);
        }
    }
    wki_text_puts(&csv, "\n");
    return wki_text_finish(&csv, text);
}
