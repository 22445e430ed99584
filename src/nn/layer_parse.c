/* A layer from its constructor's text, as Python is written or as print(layer) writes it. */
#include "nn/layer_kind.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 48 /* so much of the text is shown in a message */ };

typedef struct cursor {
    wick_context *context;
    const char *text, *at;
} cursor;

static wick_status fail_at(cursor *c, const char *where, wick_status status, const char *format, ...)
    WICK_PRINTF(4, 5);

static wick_status fail_at(cursor *c, const char *where, wick_status status, const char *format, ...)
{
    char what[WKI_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return wki_fail(c->context, status, "column %zu: %s", (size_t)(where - c->text) + 1, what);
}

static void skip_space(cursor *c)
{
    c->at += strspn(c->at, " \t\r\n");
}

static bool take(cursor *c, char wanted)
{
    skip_space(c);
    if (*c->at != wanted)
        return false;
    c->at++;
    return true;
}

/* What stands at the cursor, for a message. Returns out. */
static const char *shown_here(const cursor *c, char out[SHOWN])
{
    unsigned char here = (unsigned char)*c->at;
    if (here == '\0')
        snprintf(out, SHOWN, "the end of the text");
    else if (here < ' ' || here > '~')
        snprintf(out, SHOWN, "the byte 0x%02x", here);
    else
        snprintf(out, SHOWN, "'%c'", here);
    return out;
}

/* ---- values ---- */

typedef enum value_type {
    VALUE_INT,
    VALUE_FLOAT,
    VALUE_BOOL,
    VALUE_NONE,
    VALUE_STRING,
    VALUE_WORD,
    VALUE_TUPLE
} value_type;

typedef struct value {
    value_type type;
    const char *start; /* where it stands; a string's quotes are not part of it */
    size_t length;
    bool truth;
    double number;                   /* an INT's or a FLOAT's */
    int64_t integers[WICK_MAX_DIMS]; /* an INT's, or a TUPLE's first; 0 for None */
    size_t count;                    /* of a TUPLE */
    bool nones;                      /* a TUPLE with None in it */
} value;

static bool value_is(const value *v, const char *text)
{
    return strlen(text) == v->length && memcmp(text, v->start, v->length) == 0;
}

/* The value's text, cut and on one line, for a message. Returns out. */
static const char *shown(const value *v, char out[SHOWN])
{
    bool quoted = v->type == VALUE_STRING;
    snprintf(out, SHOWN, "%s%.*s%s", quoted ? "'" : "", (int)WKI_MIN(v->length, SHOWN - 3), v->start,
             quoted ? "'" : "");
    for (char *byte = out; *byte != '\0'; byte++)
        if (*byte < ' ')
            *byte = ' ';
    return out;
}

static wick_status parse_string(cursor *c, value *v)
{
    const char *open = c->at++;
    v->type = VALUE_STRING;
    v->start = c->at;
    while (*c->at != *open) {
        char here[SHOWN];
        if (*c->at < ' ' || *c->at > '~' || *c->at == '\\')
            return fail_at(c, c->at, WICK_EINVAL, "the string must end with %c, but there is %s", *open,
                           shown_here(c, here));
        c->at++;
    }
    v->length = (size_t)(c->at++ - v->start);
    return WICK_OK;
}

static const char word_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";

static wick_status parse_integer(cursor *c, value *v)
{
    bool negative = v->start[0] == '-';
    int64_t number = 0;
    for (size_t i = negative; i < v->length; i++)
        if (!wki_mul_i64(number, 10, &number) ||
            __builtin_add_overflow(number, v->start[i] - '0', &number))
            return fail_at(c, v->start, WICK_ELIMIT, "the number is larger than 64 bits hold");
    v->type = VALUE_INT;
    v->integers[0] = negative ? -number : number;
    v->number = (double)v->integers[0];
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

static wick_status parse_float(cursor *c, value *v)
{
    char text[SHOWN];
    if (v->length >= sizeof(text))
        return fail_at(c, v->start, WICK_ELIMIT, "the number has more than %d digits", SHOWN - 1);
    memcpy(text, v->start, v->length);
    text[v->length] = '\0';
    v->type = VALUE_FLOAT;
    v->number = strtod(text, NULL);
    if (!isfinite(v->number))
        return fail_at(c, v->start, WICK_ELIMIT, "the number is larger than 64 bits hold");
    return WICK_OK;
}

/* A number, True, False, None, or another word, which may have dots. */
static wick_status parse_word(cursor *c, value *v)
{
    size_t sign = *c->at == '-';
    bool whole;
    size_t number = number_length(c->at + sign, &whole);
    size_t length = WKI_MAX(number, strspn(c->at + sign, word_bytes));
    char here[SHOWN];
    if (length == 0)
        return fail_at(c, c->at, WICK_EINVAL, "expected a value, but there is %s", shown_here(c, here));
    v->start = c->at;
    v->length = length + sign;
    c->at += v->length;
    if (number == length)
        return whole ? parse_integer(c, v) : parse_float(c, v);
    v->truth = value_is(v, "True");
    v->type = v->truth || value_is(v, "False") ? VALUE_BOOL
              : value_is(v, "None")            ? VALUE_NONE
                                               : VALUE_WORD;
    return WICK_OK;
}

/* (3, 2) or [3, 2], perhaps with None; as in Python (3) is 3. */
static wick_status parse_tuple(cursor *c, value *v)
{
    const char *open = c->at++;
    char close = *open == '(' ? ')' : ']';
    bool comma = *open == '[';
    while (!take(c, close)) {
        value element = {0};
        char text[SHOWN];
        if (v->count > 0 && !comma)
            return fail_at(c, c->at, WICK_EINVAL, "expected , or %c, but there is %s", close,
                           shown_here(c, text));
        WKI_TRY(parse_word(c, &element));
        if (element.type != VALUE_INT && element.type != VALUE_NONE)
            return fail_at(c, element.start, WICK_EINVAL, "expected a whole number, but there is %s",
                           shown(&element, text));
        if (v->count < WICK_MAX_DIMS)
            v->integers[v->count] = element.integers[0];
        v->nones = v->nones || element.type == VALUE_NONE;
        v->count++;
        comma = take(c, ',');
    }
    v->type = v->count == 1 && close == ')' && !comma && !v->nones ? VALUE_INT : VALUE_TUPLE;
    v->number = (double)v->integers[0];
    v->start = open;
    v->length = (size_t)(c->at - open);
    return WICK_OK;
}

static wick_status parse_value(cursor *c, value *v)
{
    *v = (value){0};
    skip_space(c);
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

/* ---- a value for an argument ---- */

static wick_status wants(cursor *c, const value *v, const wki_signature *s, const char *what)
{
    char text[SHOWN];
    return fail_at(c, v->start, WICK_EINVAL, "%s wants %s, but got %s", s->name, what, shown(v, text));
}

static wick_status check_least(cursor *c, const value *v, const wki_signature *s, int64_t number)
{
    if (number >= s->least)
        return WICK_OK;
    return fail_at(c, v->start, WICK_EINVAL, "%s must be at least %lld, but got %lld", s->name,
                   (long long)s->least, (long long)number);
}

static wick_status read_int(cursor *c, const value *v, const wki_signature *s, wki_argument *out)
{
    if (v->type != VALUE_INT)
        return wants(c, v, s, "a whole number");
    out->integer = v->integers[0];
    return check_least(c, v, s, out->integer);
}

static wick_status read_float(cursor *c, const value *v, const wki_signature *s, wki_argument *out)
{
    if (v->type != VALUE_INT && v->type != VALUE_FLOAT)
        return wants(c, v, s, "a number");
    out->number = v->number;
    return WICK_OK;
}

static wick_status read_size(cursor *c, const value *v, const wki_signature *s, wki_argument *out)
{
    if (v->type != VALUE_INT && (v->type != VALUE_TUPLE || v->count != 2 || v->nones))
        return wants(c, v, s, "a whole number or two, (height, width)");
    out->size = (wick_size2){v->integers[0], v->integers[v->type == VALUE_INT ? 0 : 1]};
    WKI_TRY(check_least(c, v, s, out->size.h));
    return check_least(c, v, s, out->size.w);
}

/* As read_size(), but a 0 stands for None. */
static wick_status read_output_size(cursor *c, const value *v, const wki_signature *s, wki_argument *out)
{
    if (v->type != VALUE_INT && (v->type != VALUE_TUPLE || v->count != 2))
        return wants(c, v, s, "a whole number or two, (height, width), or None");
    out->size = (wick_size2){v->integers[0], v->integers[v->type == VALUE_INT ? 0 : 1]};
    if (!v->nones || out->size.h != 0)
        WKI_TRY(check_least(c, v, s, out->size.h));
    return v->nones && out->size.w == 0 ? WICK_OK : check_least(c, v, s, out->size.w);
}

static wick_status read_shape(cursor *c, const value *v, const wki_signature *s, wki_argument *out)
{
    size_t count = v->type == VALUE_INT ? 1 : v->count;
    if ((v->type != VALUE_INT && v->type != VALUE_TUPLE) || v->nones || count == 0 ||
        count > WICK_MAX_DIMS)
        return wants(c, v, s, "a whole number or a shape such as (3, 28, 28)");
    out->ndim = (int)count;
    for (size_t i = 0; i < count; i++) {
        out->shape[i] = v->integers[i];
        WKI_TRY(check_least(c, v, s, out->shape[i]));
    }
    return WICK_OK;
}

static const char *find_word(const value *v, const wki_signature *s)
{
    for (const char *const *word = s->words; *word != NULL; word++)
        if (value_is(v, *word))
            return *word;
    return NULL;
}

/* print(layer) writes padding=same without quotes. */
static wick_status read_padding(cursor *c, const value *v, const wki_signature *s, wki_argument *out)
{
    if (v->type != VALUE_STRING && v->type != VALUE_WORD)
        return read_size(c, v, s, out);
    out->word = find_word(v, s);
    return out->word != NULL ? WICK_OK : wants(c, v, s, "a whole number or two, 'same' or 'valid'");
}

static wick_status read_word(cursor *c, const value *v, const wki_signature *s, wki_argument *out)
{
    char what[WKI_WANTED_TEXT] = "";
    size_t length = 0;
    out->word = v->type == VALUE_STRING ? find_word(v, s) : NULL;
    for (const char *const *word = s->words; *word != NULL && length < sizeof(what); word++)
        length += (size_t)snprintf(what + length, sizeof(what) - length, "%s'%s'",
                                   word == s->words ? "" : " or ", *word);
    return out->word != NULL ? WICK_OK : wants(c, v, s, what);
}

static bool is_only(const value *v, const char *only)
{
    size_t length = strlen(only);
    if (only[0] != '\'')
        return v->type != VALUE_STRING && value_is(v, only);
    return v->type == VALUE_STRING && v->length == length - 2 &&
           memcmp(v->start, only + 1, v->length) == 0;
}

static wick_status read_fixed(cursor *c, const value *v, const wki_signature *s)
{
    char text[SHOWN];
    if (is_only(v, s->only))
        return WICK_OK;
    return fail_at(c, v->start, WICK_EINVAL, "%s=%s is not supported here; only %s is", s->name,
                   shown(v, text), s->only);
}

static wick_status read_argument(cursor *c, const value *v, const wki_signature *s, wki_argument *out)
{
    out->none = s->none && v->type == VALUE_NONE;
    if (out->none)
        return WICK_OK;
    switch (s->type) {
    case WKI_ARGUMENT_INT:
        return read_int(c, v, s, out);
    case WKI_ARGUMENT_FLOAT:
        return read_float(c, v, s, out);
    case WKI_ARGUMENT_BOOL:
        out->truth = v->truth;
        return v->type == VALUE_BOOL ? WICK_OK : wants(c, v, s, "True or False");
    case WKI_ARGUMENT_SIZE:
        return read_size(c, v, s, out);
    case WKI_ARGUMENT_OUTPUT_SIZE:
        return read_output_size(c, v, s, out);
    case WKI_ARGUMENT_SHAPE:
        return read_shape(c, v, s, out);
    case WKI_ARGUMENT_PADDING:
        return read_padding(c, v, s, out);
    case WKI_ARGUMENT_WORD:
        return read_word(c, v, s, out);
    case WKI_ARGUMENT_FIXED:
        break;
    }
    return read_fixed(c, v, s);
}

/* ---- arguments ---- */

static size_t signature_length(const wki_signature *signature)
{
    size_t length = 0;
    while (signature[length].name != NULL)
        length++;
    return length;
}

/* If "name =" stands at the cursor, goes past it and gives the name's place, else leaves the cursor. */
static bool take_keyword(cursor *c, value *name)
{
    skip_space(c);
    cursor ahead = *c;
    name->type = VALUE_WORD;
    name->start = c->at;
    name->length = strspn(c->at, word_bytes);
    ahead.at += name->length;
    if (name->length == 0 || !take(&ahead, '='))
        return false;
    c->at = ahead.at;
    return true;
}

static wick_status find_keyword(cursor *c, const wki_layer_kind *kind, const value *name, size_t *out)
{
    const char *names[WKI_MAX_ARGUMENTS];
    size_t count = signature_length(kind->signature);
    for (size_t i = 0; i < count; i++) {
        names[i] = kind->signature[i].name;
        if (value_is(name, names[i])) {
            *out = i;
            return WICK_OK;
        }
    }
    char text[SHOWN];
    const char *nearest = wki_nearest(shown(name, text), names, count);
    return fail_at(c, name->start, WICK_EINVAL, "%s has no argument '%s'%s%s%s", kind->class_name, text,
                   nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "'?" : "");
}

/* Which argument the next value is for: by its keyword, or the next in order. *positional counts those
 * given without one, and stays at its value once a keyword was seen. */
static wick_status next_argument(cursor *c, const wki_layer_kind *kind, size_t *positional,
                                 bool *keywords, size_t *out)
{
    value name;
    if (take_keyword(c, &name)) {
        *keywords = true;
        return find_keyword(c, kind, &name, out);
    }
    if (*keywords)
        return fail_at(c, c->at, WICK_EINVAL, "a positional argument follows a keyword argument");
    size_t most = signature_length(kind->signature);
    if (*positional == most)
        return fail_at(c, c->at, WICK_EINVAL, "%s takes at most %zu argument%s", kind->class_name, most,
                       most == 1 ? "" : "s");
    *out = (*positional)++;
    return WICK_OK;
}

static wick_status parse_argument(cursor *c, const wki_layer_kind *kind, size_t *positional,
                                  bool *keywords, wki_argument *arguments)
{
    skip_space(c);
    const char *start = c->at;
    size_t index = 0;
    value v;
    WKI_TRY(next_argument(c, kind, positional, keywords, &index));
    const wki_signature *s = &kind->signature[index];
    if (arguments[index].given)
        return fail_at(c, start, WICK_EINVAL, "%s got multiple values for argument '%s'",
                       kind->class_name, s->name);
    arguments[index].given = true;
    WKI_TRY(parse_value(c, &v));
    return read_argument(c, &v, s, &arguments[index]);
}

/* From behind the opening parenthesis to behind the closing one. */
static wick_status parse_arguments(cursor *c, const wki_layer_kind *kind, wki_argument *arguments)
{
    size_t positional = 0;
    bool keywords = false, comma = true;
    char here[SHOWN];
    while (!take(c, ')')) {
        if (!comma)
            return fail_at(c, c->at, WICK_EINVAL, "expected , or ), but there is %s",
                           shown_here(c, here));
        WKI_TRY(parse_argument(c, kind, &positional, &keywords, arguments));
        comma = take(c, ',');
    }
    for (const wki_signature *s = kind->signature; s->name != NULL; s++)
        if (s->required && !arguments[s - kind->signature].given)
            return fail_at(c, c->at - 1, WICK_EINVAL, "%s is missing its argument '%s'",
                           kind->class_name, s->name);
    return WICK_OK;
}

/* ---- layers ---- */

static void skip_prefix(value *name)
{
    static const char *const prefixes[] = {"torch.nn.", "nn."};
    for (size_t i = 0; i < WKI_COUNT(prefixes); i++) {
        size_t length = strlen(prefixes[i]);
        if (name->length > length && memcmp(name->start, prefixes[i], length) == 0) {
            name->start += length;
            name->length -= length;
            return;
        }
    }
}

/* Names the nearest layer, or else all. */
static wick_status no_such_layer(cursor *c, const value *name, const char *const *names, size_t count)
{
    char text[SHOWN], known[WKI_MESSAGE_SIZE / 2] = "";
    size_t length = 0;
    const char *nearest = wki_nearest(shown(name, text), names, count);
    if (nearest != NULL)
        return fail_at(c, name->start, WICK_EINVAL, "there is no layer '%s'; did you mean %s?", text,
                       nearest);
    for (size_t i = 0; i < count && length < sizeof(known); i++)
        length += (size_t)snprintf(known + length, sizeof(known) - length, "%s%s", i == 0 ? "" : ", ",
                                   names[i]);
    return fail_at(c, name->start, WICK_EINVAL, "there is no layer '%s'; there are %s", text, known);
}

/* The class of that name, or NULL. names is filled with those that there are. */
static const wki_layer_kind *find_kind(const value *name, const char *names[2 * WKI_KIND_COUNT],
                                       size_t *count)
{
    for (int i = 0; i < WKI_KIND_COUNT; i++) {
        const wki_layer_kind *kind = wki_layer_kind_of((wki_module_kind)i);
        for (; kind != NULL && kind->signature != NULL; kind = kind->variant) {
            if (value_is(name, kind->class_name))
                return kind;
            names[(*count)++] = kind->class_name;
        }
    }
    return NULL;
}

static wick_status parse_kind(cursor *c, const wki_layer_kind **out)
{
    const char *names[2 * WKI_KIND_COUNT];
    size_t count = 0;
    char here[SHOWN];
    skip_space(c);
    value name = {.type = VALUE_WORD, .start = c->at, .length = strspn(c->at, word_bytes)};
    if (name.length == 0)
        return fail_at(c, c->at, WICK_EINVAL,
                       "expected a layer such as Conv2d(3, 10, kernel_size=3), but there is %s",
                       shown_here(c, here));
    c->at += name.length;
    skip_prefix(&name);
    *out = find_kind(&name, names, &count);
    return *out != NULL ? WICK_OK : no_such_layer(c, &name, names, count);
}

static wick_status parse_layer(cursor *c, wick_module **out)
{
    const wki_layer_kind *kind = NULL;
    wki_argument arguments[WKI_MAX_ARGUMENTS] = {{0}};
    char here[SHOWN];
    skip_space(c);
    const char *start = c->at;
    WKI_TRY(parse_kind(c, &kind));
    assert(signature_length(kind->signature) <= WKI_MAX_ARGUMENTS);
    if (!take(c, '('))
        return fail_at(c, c->at, WICK_EINVAL, "expected ( after %s, but there is %s", kind->class_name,
                       shown_here(c, here));
    WKI_TRY(parse_arguments(c, kind, arguments));
    wick_status status = kind->make(c->context, arguments, out);
    if (status != WICK_OK)
        return wki_fail_in(c->context, status, "column %zu", (size_t)(start - c->text) + 1);
    return WICK_OK;
}

wick_status wick_layer_parse(wick_context *context, const char *text, wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    if (text == NULL)
        return wki_fail(context, WICK_EINVAL, "the layer's text is NULL");
    cursor c = {context, text, text};
    wick_module *layer = NULL;
    char here[SHOWN];
    WKI_TRY(parse_layer(&c, &layer));
    skip_space(&c);
    if (*c.at != '\0') {
        wick_module_free(layer);
        return fail_at(&c, c.at, WICK_EINVAL,
                       "expected the end of the text after the layer, but there is %s",
                       shown_here(&c, here));
    }
    *out = layer;
    return WICK_OK;
}
