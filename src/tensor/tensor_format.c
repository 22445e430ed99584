/* torch/_tensor_str.py with its default options. */
#include "tensor/tensor_internal.h"

#include <math.h>
#include <string.h>

enum {
    PRECISION = 4,
    THRESHOLD = 1000,
    EDGE_ITEMS = 3,
    SHOWN_ITEMS = 2 * EDGE_ITEMS,
    LINE_WIDTH = 80,
    ELEMENT_TEXT = 64
};

static const char PREFIX[] = "tensor(";

/* _Formatter and what the recursion over the dimensions needs. */
typedef struct printer {
    const wick_tensor *tensor;
    bool summarize;
    bool int_mode, sci_mode;
    int width;
    int64_t block[WICK_MAX_DIMS]; /* elements in one step along each dimension */
    int indent;
    wki_text *text;
} printer;

/* Calls visit for every element that is printed. */
typedef void visit_element(printer *p, int64_t place, void *user);

/* After place i along a dimension comes this one; the middle is left out where the tensor is
 * summarised. */
static int64_t next_place(const printer *p, int64_t size, int64_t i)
{
    return p->summarize && size > SHOWN_ITEMS && i + 1 == EDGE_ITEMS ? size - EDGE_ITEMS : i + 1;
}

static void walk(printer *p, int dim, int64_t first, visit_element *visit, void *user)
{
    if (dim == p->tensor->ndim) {
        visit(p, first, user);
        return;
    }
    int64_t size = p->tensor->shape[dim];
    for (int64_t i = 0; i < size; i = next_place(p, size, i))
        walk(p, dim + 1, first + i * p->block[dim], visit, user);
}

/* ---- how wide a number is ---- */

typedef struct range {
    double smallest, largest;
    bool any, all_integers;
} range;

static double float_at(const printer *p, int64_t place)
{
    return (double)((const float *)p->tensor->data)[place];
}

static void measure_range(printer *p, int64_t place, void *user)
{
    range *r = user;
    double value = float_at(p, place);
    if (value == 0 || !isfinite(value))
        return;
    double magnitude = fabs(value);
    r->smallest = r->any ? WKI_MIN(r->smallest, magnitude) : magnitude;
    r->largest = WKI_MAX(r->largest, magnitude);
    r->any = true;
    r->all_integers = r->all_integers && value == ceil(value);
}

/* The text of a float without the padding. */
static int float_text(const printer *p, double value, char out[ELEMENT_TEXT])
{
    if (isnan(value)) /* C may write a sign */
        return snprintf(out, ELEMENT_TEXT, "nan");
    if (p->sci_mode)
        return snprintf(out, ELEMENT_TEXT, "%.*e", PRECISION, value);
    if (p->int_mode)
        return snprintf(out, ELEMENT_TEXT, isinf(value) ? "%.0f" : "%.0f.", value);
    return snprintf(out, ELEMENT_TEXT, "%.*f", PRECISION, value);
}

static int element_text(const printer *p, int64_t place, char out[ELEMENT_TEXT])
{
    switch (p->tensor->dtype) {
    case WICK_FLOAT32:
        return float_text(p, float_at(p, place), out);
    case WICK_UINT8:
        return snprintf(out, ELEMENT_TEXT, "%d", ((const uint8_t *)p->tensor->data)[place]);
    case WICK_INT64:
        break;
    }
    return snprintf(out, ELEMENT_TEXT, "%lld", (long long)((const int64_t *)p->tensor->data)[place]);
}

/* Zeros and what is not finite do not count for a float's width. */
static void measure_width(printer *p, int64_t place, void *user)
{
    (void)user;
    char text[ELEMENT_TEXT];
    if (p->tensor->dtype == WICK_FLOAT32 && (float_at(p, place) == 0 || !isfinite(float_at(p, place))))
        return;
    int width = element_text(p, place, text);
    p->width = WKI_MAX(p->width, width);
}

static void choose_format(printer *p)
{
    p->width = 1;
    p->int_mode = true;
    if (p->tensor->dtype == WICK_FLOAT32) {
        range r = {.all_integers = true};
        walk(p, 0, 0, measure_range, &r);
        p->int_mode = r.all_integers;
        p->sci_mode = r.any && (r.largest / r.smallest > 1000.0 || r.largest > 1.0e8 ||
                                (!r.all_integers && r.smallest < 1.0e-4));
    }
    walk(p, 0, 0, measure_width, NULL);
}

/* ---- writing ---- */

static void put_spaces(wki_text *text, int64_t count)
{
    for (; count > 0; count--)
        wki_text_append(text, " ", 1);
}

/* A line's end, then what the next line begins with. */
static void put_line_break(printer *p, int lines, int spaces)
{
    for (int i = 0; i < lines; i++)
        wki_text_puts(p->text, "\n");
    put_spaces(p->text, spaces + p->indent);
}

static void put_element(printer *p, int64_t place)
{
    char text[ELEMENT_TEXT];
    int length = element_text(p, place, text);
    put_spaces(p->text, p->width - length);
    wki_text_append(p->text, text, (size_t)length);
}

/* Before every item of a vector: how many are on the line already decides between "," and a new line. */
static void begin_item(printer *p, int *on_line, int per_line, int spaces)
{
    if (*on_line == per_line) {
        wki_text_puts(p->text, ",");
        put_line_break(p, 1, spaces);
        *on_line = 0;
    } else if (*on_line > 0) {
        wki_text_puts(p->text, ", ");
    }
    *on_line += 1;
}

static void put_vector(printer *p, int64_t first, int spaces)
{
    int64_t size = p->tensor->shape[p->tensor->ndim - 1];
    int per_line = WKI_MAX(1, (LINE_WIDTH - spaces) / (p->width + 2));
    int on_line = 0;
    wki_text_puts(p->text, "[");
    for (int64_t i = 0; i < size;) {
        begin_item(p, &on_line, per_line, spaces + 1);
        put_element(p, first + i);
        int64_t next = next_place(p, size, i);
        if (next != i + 1) {
            begin_item(p, &on_line, per_line, spaces + 1);
            wki_text_puts(p->text, " ...");
        }
        i = next;
    }
    wki_text_puts(p->text, "]");
}

static void put_slices(printer *p, int dim, int64_t first, int spaces)
{
    int remaining = p->tensor->ndim - dim;
    if (remaining == 0) {
        put_element(p, first);
        return;
    }
    if (remaining == 1) {
        put_vector(p, first, spaces);
        return;
    }
    int64_t size = p->tensor->shape[dim];
    wki_text_puts(p->text, "[");
    for (int64_t i = 0; i < size;) {
        put_slices(p, dim + 1, first + i * p->block[dim], spaces + 1);
        int64_t next = next_place(p, size, i);
        if (next != i + 1) {
            wki_text_puts(p->text, ",");
            put_line_break(p, remaining - 1, spaces + 1);
            wki_text_puts(p->text, "...");
        }
        if (next < size) {
            wki_text_puts(p->text, ",");
            put_line_break(p, remaining - 1, spaces + 1);
        }
        i = next;
    }
    wki_text_puts(p->text, "]");
}

/* ", size=(0, 3)" and the like go onto a line of their own where the last one is full. */
static void put_suffix(printer *p, const char *suffix)
{
    const wki_text *text = p->text;
    if (text->status != WICK_OK)
        return;
    const char *newline = strrchr(text->bytes, '\n');
    size_t column = newline == NULL ? text->length : text->length - (size_t)(newline + 1 - text->bytes);
    column -= newline == NULL ? 0 : (size_t)p->indent;
    if (column + 2 + strlen(suffix) + 2 > LINE_WIDTH) {
        wki_text_puts(p->text, ",");
        put_line_break(p, 1, sizeof(PREFIX) - 1);
    } else {
        wki_text_puts(p->text, ", ");
    }
    wki_text_puts(p->text, suffix);
}

/* An empty tensor shows its shape, but for [0], and its dtype unless it is the default one; any other
 * shows what cannot be seen of it, which is that it is of bytes. */
static void put_suffixes(printer *p)
{
    const wick_tensor *tensor = p->tensor;
    char suffix[WKI_SHAPE_TEXT + 16], shape[WKI_SHAPE_TEXT];
    if (tensor->numel == 0 && tensor->ndim != 1) {
        wki_shape_text(tensor->ndim, tensor->shape, shape);
        (void)snprintf(suffix, sizeof(suffix), "size=(%.*s)", (int)strlen(shape) - 2, shape + 1);
        put_suffix(p, suffix);
    }
    if (tensor->dtype == WICK_UINT8 || (tensor->numel == 0 && tensor->dtype == WICK_INT64)) {
        (void)snprintf(suffix, sizeof(suffix), "dtype=%s", wick_dtype_name(tensor->dtype));
        put_suffix(p, suffix);
    }
}

wick_status wick_tensor_format(const wick_tensor *tensor, int indent, char **text)
{
    if (tensor == NULL || text == NULL)
        return WICK_EINVAL;
    wki_text out;
    wki_text_init(&out, tensor->context);
    printer p = {.tensor = tensor,
                 .summarize = tensor->numel > THRESHOLD,
                 .indent = WKI_MAX(indent, 0),
                 .text = &out};
    int64_t block = 1;
    for (int i = tensor->ndim - 1; i >= 0; i--) {
        p.block[i] = block;
        block *= tensor->shape[i];
    }
    wki_text_puts(&out, PREFIX);
    if (tensor->numel == 0) {
        wki_text_puts(&out, "[]");
    } else {
        choose_format(&p);
        put_slices(&p, 0, 0, sizeof(PREFIX) - 1);
    }
    put_suffixes(&p);
    wki_text_puts(&out, ")");
    return wki_text_finish(&out, text);
}
