/* A layer's arguments as Python gives them: by position or by name, each of its signature's type. */
#include "nn/layer_text.h"

#include <string.h>

/* ---- a value for an argument ---- */

static wick_status wants(wki_cursor *c, const wki_value *v, const wki_signature *s, const char *what)
{
    char text[WKI_SHOWN];
    return wki_fail_at(c, v->start, WICK_EINVAL, "%s wants %s, but got %s", s->name, what,
                       wki_shown(v, text));
}

static wick_status check_least(wki_cursor *c, const wki_value *v, const wki_signature *s, int64_t number)
{
    if (number >= s->least)
        return WICK_OK;
    return wki_fail_at(c, v->start, WICK_EINVAL, "%s must be at least %lld, but got %lld", s->name,
                       (long long)s->least, (long long)number);
}

static wick_status read_int(wki_cursor *c, const wki_value *v, const wki_signature *s, wki_argument *out)
{
    if (v->type != WKI_VALUE_INT)
        return wants(c, v, s, "a whole number");
    out->integer = v->integers[0];
    return check_least(c, v, s, out->integer);
}

static wick_status read_float(wki_cursor *c, const wki_value *v, const wki_signature *s,
                              wki_argument *out)
{
    if (v->type != WKI_VALUE_INT && v->type != WKI_VALUE_FLOAT)
        return wants(c, v, s, "a number");
    out->number = v->number;
    return WICK_OK;
}

static wick_status read_size(wki_cursor *c, const wki_value *v, const wki_signature *s,
                             wki_argument *out)
{
    if (v->type != WKI_VALUE_INT && (v->type != WKI_VALUE_TUPLE || v->count != 2 || v->nones != 0))
        return wants(c, v, s, "a whole number or two, (height, width)");
    out->size = (wick_size2){v->integers[0], v->integers[v->type == WKI_VALUE_INT ? 0 : 1]};
    WKI_TRY(check_least(c, v, s, out->size.h));
    return check_least(c, v, s, out->size.w);
}

/* As read_size(), but each may be None, which is 0. */
static wick_status read_output_size(wki_cursor *c, const wki_value *v, const wki_signature *s,
                                    wki_argument *out)
{
    if (v->type != WKI_VALUE_INT && (v->type != WKI_VALUE_TUPLE || v->count != 2))
        return wants(c, v, s, "a whole number or two, (height, width), of which each may be None");
    out->size = (wick_size2){v->integers[0], v->integers[v->type == WKI_VALUE_INT ? 0 : 1]};
    if ((v->nones & 1) == 0)
        WKI_TRY(check_least(c, v, s, out->size.h));
    return (v->nones & 2) != 0 ? WICK_OK : check_least(c, v, s, out->size.w);
}

static wick_status read_shape(wki_cursor *c, const wki_value *v, const wki_signature *s,
                              wki_argument *out)
{
    size_t count = v->type == WKI_VALUE_INT ? 1 : v->count;
    if ((v->type != WKI_VALUE_INT && v->type != WKI_VALUE_TUPLE) || count == 0 ||
        count > WICK_MAX_DIMS || v->nones != 0)
        return wants(c, v, s, "a whole number or a shape such as (3, 28, 28)");
    out->ndim = (int)count;
    for (size_t i = 0; i < count; i++) {
        out->shape[i] = v->integers[i];
        WKI_TRY(check_least(c, v, s, out->shape[i]));
    }
    return WICK_OK;
}

static const char *find_word(const wki_value *v, const wki_signature *s)
{
    for (const char *const *word = s->words; *word != NULL; word++)
        if (wki_value_is(v, *word))
            return *word;
    return NULL;
}

/* print(layer) writes padding=same without quotes. */
static wick_status read_padding(wki_cursor *c, const wki_value *v, const wki_signature *s,
                                wki_argument *out)
{
    if (v->type != WKI_VALUE_STRING && v->type != WKI_VALUE_WORD)
        return read_size(c, v, s, out);
    out->word = find_word(v, s);
    return out->word != NULL ? WICK_OK : wants(c, v, s, "a whole number or two, 'same' or 'valid'");
}

static wick_status read_word(wki_cursor *c, const wki_value *v, const wki_signature *s,
                             wki_argument *out)
{
    char what[WKI_WANTED_TEXT] = "";
    size_t length = 0;
    out->word = v->type == WKI_VALUE_STRING ? find_word(v, s) : NULL;
    for (const char *const *word = s->words; *word != NULL && length < sizeof(what); word++)
        length += (size_t)snprintf(what + length, sizeof(what) - length, "%s'%s'",
                                   word == s->words ? "" : " or ", *word);
    return out->word != NULL ? WICK_OK : wants(c, v, s, what);
}

static bool is_only(const wki_value *v, const char *only)
{
    size_t length = strlen(only);
    if (only[0] != '\'')
        return v->type != WKI_VALUE_STRING && wki_value_is(v, only);
    return v->type == WKI_VALUE_STRING && v->length == length - 2 &&
           memcmp(v->start, only + 1, v->length) == 0;
}

static wick_status read_fixed(wki_cursor *c, const wki_value *v, const wki_signature *s)
{
    char text[WKI_SHOWN];
    if (is_only(v, s->only))
        return WICK_OK;
    return wki_fail_at(c, v->start, WICK_EINVAL, "%s=%s is not supported here; only %s is", s->name,
                       wki_shown(v, text), s->only);
}

static wick_status read_argument(wki_cursor *c, const wki_value *v, const wki_signature *s,
                                 wki_argument *out)
{
    out->none = s->none && v->type == WKI_VALUE_NONE;
    if (out->none)
        return WICK_OK;
    switch (s->type) {
    case WKI_ARGUMENT_INT:
        return read_int(c, v, s, out);
    case WKI_ARGUMENT_FLOAT:
        return read_float(c, v, s, out);
    case WKI_ARGUMENT_BOOL:
        out->truth = v->truth;
        return v->type == WKI_VALUE_BOOL ? WICK_OK : wants(c, v, s, "True or False");
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

/* What is called. */
typedef struct callee {
    const char *class_name;
    const wki_signature *signature;
} callee;

static size_t signature_length(const wki_signature *signature)
{
    size_t length = 0;
    while (signature[length].name != NULL)
        length++;
    return length;
}

bool wki_take_keyword(wki_cursor *c, wki_value *name)
{
    wki_skip_space(c);
    wki_cursor ahead = *c;
    name->type = WKI_VALUE_WORD;
    name->start = c->at;
    name->length = wki_word_length(c->at);
    ahead.at += name->length;
    if (name->length == 0 || !wki_take(&ahead, '='))
        return false;
    c->at = ahead.at;
    return true;
}

static wick_status find_keyword(wki_cursor *c, const callee *called, const wki_value *name, size_t *out)
{
    const char *names[WKI_MAX_ARGUMENTS];
    size_t count = signature_length(called->signature);
    for (size_t i = 0; i < count; i++) {
        names[i] = called->signature[i].name;
        if (wki_value_is(name, names[i])) {
            *out = i;
            return WICK_OK;
        }
    }
    char text[WKI_SHOWN];
    const char *nearest = wki_nearest(wki_shown(name, text), names, count);
    return wki_fail_at(c, name->start, WICK_EINVAL, "%s has no argument '%s'%s%s%s", called->class_name,
                       text, nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                       nearest != NULL ? "'?" : "");
}

/* Which argument the next value is for: by its keyword, or the next in order. *positional counts those
 * given without one, and stays at its value once a keyword was seen. */
static wick_status next_argument(wki_cursor *c, const callee *called, size_t *positional, bool *keywords,
                                 size_t *out)
{
    wki_value name;
    if (wki_take_keyword(c, &name)) {
        *keywords = true;
        return find_keyword(c, called, &name, out);
    }
    if (*keywords)
        return wki_fail_at(c, c->at, WICK_EINVAL, "a positional argument follows a keyword argument");
    size_t most = signature_length(called->signature);
    if (*positional == most)
        return wki_fail_at(c, c->at, WICK_EINVAL, "%s takes at most %zu argument%s", called->class_name,
                           most, most == 1 ? "" : "s");
    *out = (*positional)++;
    return WICK_OK;
}

static wick_status parse_argument(wki_cursor *c, const callee *called, size_t *positional,
                                  bool *keywords, wki_argument *arguments)
{
    wki_skip_space(c);
    const char *start = c->at;
    size_t index = 0;
    wki_value v;
    WKI_TRY(next_argument(c, called, positional, keywords, &index));
    const wki_signature *s = &called->signature[index];
    if (arguments[index].given)
        return wki_fail_at(c, start, WICK_EINVAL, "%s got multiple values for argument '%s'",
                           called->class_name, s->name);
    arguments[index].given = true;
    WKI_TRY(wki_parse_value(c, &v));
    return read_argument(c, &v, s, &arguments[index]);
}

wick_status wki_parse_arguments(wki_cursor *c, const char *class_name, const wki_signature *signature,
                                wki_argument *arguments)
{
    const callee called = {class_name, signature};
    size_t positional = 0;
    bool keywords = false, comma = true;
    char here[WKI_SHOWN];
    while (!wki_take(c, ')')) {
        if (!comma)
            return wki_fail_at(c, c->at, WICK_EINVAL, "expected , or ), but there is %s",
                               wki_shown_here(c, here));
        WKI_TRY(parse_argument(c, &called, &positional, &keywords, arguments));
        comma = wki_take(c, ',');
    }
    for (const wki_signature *s = called.signature; s->name != NULL; s++)
        if (s->required && !arguments[s - called.signature].given)
            return wki_fail_at(c, c->at - 1, WICK_EINVAL, "%s is missing its argument '%s'",
                               called.class_name, s->name);
    return WICK_OK;
}
