/* The pieces of a layer's text: numbers, strings, words, tuples; and where a message points. */
#include "nn/layer_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* "line 3, column 14", or "column 14" in a text of one line. Returns out. */
static const char *place_of(const wki_cursor *c, const char *where, char out[WKI_SHOWN])
{
    const char *line = c->text;
    size_t lines = 1;
    for (const char *end = strchr(line, '\n'); end != NULL && end < where; end = strchr(line, '\n')) {
        line = end + 1;
        lines++;
    }
    size_t column = (size_t)(where - line) + 1;
    if (strchr(c->text, '\n') == NULL)
        snprintf(out, WKI_SHOWN, "column %zu", column);
    else
        snprintf(out, WKI_SHOWN, "line %zu, column %zu", lines, column);
    return out;
}

wick_status wki_fail_at(wki_cursor *c, const char *where, wick_status status, const char *format, ...)
{
    char what[WKI_MESSAGE_SIZE], place[WKI_SHOWN];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return wki_fail(c->context, status, "%s: %s", place_of(c, where, place), what);
}

wick_status wki_fail_from(wki_cursor *c, const char *where, wick_status status)
{
    char place[WKI_SHOWN];
    return wki_fail_in(c->context, status, "%s", place_of(c, where, place));
}

size_t wki_word_length(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
}

bool wki_value_is(const wki_value *v, const char *text)
{
    return strlen(text) == v->length && memcmp(text, v->start, v->length) == 0;
}

/* Comments are space. */
void wki_skip_space(wki_cursor *c)
{
    for (;;) {
        c->at += strspn(c->at, " \t\r\n");
        if (*c->at != '#')
            return;
        c->at += strcspn(c->at, "\n");
    }
}

bool wki_take(wki_cursor *c, char wanted)
{
    wki_skip_space(c);
    if (*c->at != wanted)
        return false;
    c->at++;
    return true;
}

/* What stands at the cursor, for a message. Returns out. */
const char *wki_shown_here(const wki_cursor *c, char out[WKI_SHOWN])
{
    unsigned char here = (unsigned char)*c->at;
    if (here == '\0')
        snprintf(out, WKI_SHOWN, "the end of the text");
    else if (here < ' ' || here > '~')
        snprintf(out, WKI_SHOWN, "the byte 0x%02x", here);
    else
        snprintf(out, WKI_SHOWN, "'%c'", here);
    return out;
}

/* The value's text, cut and on one line, for a message. Returns out. */
const char *wki_shown(const wki_value *v, char out[WKI_SHOWN])
{
    bool quoted = v->type == WKI_VALUE_STRING;
    snprintf(out, WKI_SHOWN, "%s%.*s%s", quoted ? "'" : "", (int)WKI_MIN(v->length, WKI_SHOWN - 3),
             v->start, quoted ? "'" : "");
    for (char *byte = out; *byte != '\0'; byte++)
        if (*byte < ' ')
            *byte = ' ';
    return out;
}

static wick_status parse_string(wki_cursor *c, wki_value *v)
{
    const char *open = c->at++;
    v->type = WKI_VALUE_STRING;
    v->start = c->at;
    while (*c->at != *open) {
        char here[WKI_SHOWN];
        if (*c->at < ' ' || *c->at > '~' || *c->at == '\\')
            return wki_fail_at(c, c->at, WICK_EINVAL, "the string must end with %c, but there is %s",
                               *open, wki_shown_here(c, here));
        c->at++;
    }
    v->length = (size_t)(c->at++ - v->start);
    return WICK_OK;
}

static wick_status parse_integer(wki_cursor *c, wki_value *v)
{
    bool negative = v->start[0] == '-';
    int64_t number = 0;
    for (size_t i = negative; i < v->length; i++)
        if (!wki_mul_i64(number, 10, &number) ||
            __builtin_add_overflow(number, v->start[i] - '0', &number))
            return wki_fail_at(c, v->start, WICK_ELIMIT, "the number is larger than 64 bits hold");
    v->type = WKI_VALUE_INT;
    v->integers[0] = negative ? -number : number;
    v->number = (double)v->integers[0];
    return WICK_OK;
}

/* What a whole number that has been read is multiplied by: 28*28. */
static wick_status parse_factors(wki_cursor *c, wki_value *v)
{
    for (wki_cursor ahead = *c; wki_take(&ahead, '*'); ahead = *c) {
        wki_value factor = {0};
        char here[WKI_SHOWN];
        wki_skip_space(&ahead);
        factor.start = ahead.at;
        factor.length = strspn(ahead.at, "0123456789");
        if (factor.length == 0 || wki_word_length(ahead.at) > factor.length)
            return wki_fail_at(c, ahead.at, WICK_EINVAL,
                               "expected a whole number after *, but there is %s",
                               wki_shown_here(&ahead, here));
        WKI_TRY(parse_integer(&ahead, &factor));
        if (!wki_mul_i64(v->integers[0], factor.integers[0], &v->integers[0]))
            return wki_fail_at(c, v->start, WICK_ELIMIT, "the product is larger than 64 bits hold");
        c->at = ahead.at + factor.length;
        v->length = (size_t)(c->at - v->start);
        v->number = (double)v->integers[0];
    }
    return WICK_OK;
}

/* How many bytes of text are a number as Python writes one, without its sign; 0: none. */
static size_t number_length(const char *text, bool *whole)
{
    size_t length = strspn(text, "0123456789");
    size_t digits = length;
    *whole = true;
    if (text[length] == '.') {
        size_t fraction = strspn(text + length + 1, "0123456789");
        digits += fraction;
        length += 1 + fraction;
        *whole = false;
    }
    if (digits == 0)
        return 0;
    if (text[length] == 'e' || text[length] == 'E') {
        size_t sign = text[length + 1] == '-' || text[length + 1] == '+';
        size_t exponent = strspn(text + length + 1 + sign, "0123456789");
        length += exponent > 0 ? 1 + sign + exponent : 0;
        *whole = *whole && exponent == 0;
    }
    return length;
}

static wick_status parse_float(wki_cursor *c, wki_value *v)
{
    char text[WKI_SHOWN];
    if (v->length >= sizeof(text))
        return wki_fail_at(c, v->start, WICK_ELIMIT, "the number has more than %d digits",
                           WKI_SHOWN - 1);
    memcpy(text, v->start, v->length);
    text[v->length] = '\0';
    v->type = WKI_VALUE_FLOAT;
    v->number = strtod(text, NULL);
    if (!isfinite(v->number))
        return wki_fail_at(c, v->start, WICK_ELIMIT, "the number is larger than a float holds");
    return WICK_OK;
}

/* A number, True, False, None, or another word, which may have dots. */
static wick_status parse_word(wki_cursor *c, wki_value *v)
{
    size_t sign = *c->at == '-';
    bool whole;
    size_t number = number_length(c->at + sign, &whole);
    size_t length = WKI_MAX(number, wki_word_length(c->at + sign));
    char here[WKI_SHOWN];
    if (length == 0)
        return wki_fail_at(c, c->at, WICK_EINVAL, "expected a value, but there is %s",
                           wki_shown_here(c, here));
    v->start = c->at;
    v->length = length + sign;
    c->at += v->length;
    if (number == length && !whole)
        return parse_float(c, v);
    if (number == length) {
        WKI_TRY(parse_integer(c, v));
        return parse_factors(c, v);
    }
    v->truth = wki_value_is(v, "True");
    v->type = v->truth || wki_value_is(v, "False") ? WKI_VALUE_BOOL
              : wki_value_is(v, "None")            ? WKI_VALUE_NONE
                                                   : WKI_VALUE_WORD;
    return WICK_OK;
}

/* (3, 2) or [3, 2], perhaps with None; as in Python (3) is 3. */
static wick_status parse_tuple(wki_cursor *c, wki_value *v)
{
    const char *open = c->at++;
    char close = *open == '(' ? ')' : ']';
    bool comma = *open == '[';
    while (!wki_take(c, close)) {
        wki_value element = {0};
        char text[WKI_SHOWN];
        if (v->count > 0 && !comma)
            return wki_fail_at(c, c->at, WICK_EINVAL, "expected , or %c, but there is %s", close,
                               wki_shown_here(c, text));
        WKI_TRY(parse_word(c, &element));
        if (element.type != WKI_VALUE_INT && element.type != WKI_VALUE_NONE)
            return wki_fail_at(c, element.start, WICK_EINVAL, "expected a whole number, but there is %s",
                               wki_shown(&element, text));
        if (v->count < WICK_MAX_DIMS) {
            v->integers[v->count] = element.integers[0];
            v->nones |= (element.type == WKI_VALUE_NONE ? 1u : 0u) << v->count;
        }
        v->count++;
        comma = wki_take(c, ',');
    }
    v->type = v->count == 1 && close == ')' && !comma && v->nones == 0 ? WKI_VALUE_INT : WKI_VALUE_TUPLE;
    v->number = (double)v->integers[0];
    v->start = open;
    v->length = (size_t)(c->at - open);
    return WICK_OK;
}

wick_status wki_parse_value(wki_cursor *c, wki_value *v)
{
    *v = (wki_value){0};
    wki_skip_space(c);
    switch (*c->at) {
    case '(':
    case '[':
        return parse_tuple(c, v);
    case '\'':
    case '"':
        return parse_string(c, v);
    default:
        return parse_word(c, v);
    }
}
