#include "format/json_parse.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct json_parser {
    wick_context *context;
    const char *text, *end, *c;
    wki_json_tree *tree;
    int depth;
} json_parser;

void wki_json_tree_release(wki_json_tree *tree)
{
    free(tree->nodes);
    free(tree->bytes);
    *tree = (wki_json_tree){0};
}

/* ---- messages ---- */

void wki_json_place(const char *text, size_t at, size_t *line, size_t *column)
{
    size_t start = 0;
    *line = 1;
    for (size_t i = 0; i < at; i++) {
        if (text[i] == '\n') {
            ++*line;
            start = i + 1;
        }
    }
    *column = at - start + 1;
}

WICK_PRINTF(3, 4)
static wick_status fail_at(const json_parser *p, const char *at, const char *format, ...)
{
    char what[160];
    size_t line, column;
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    wki_json_place(p->text, (size_t)(at - p->text), &line, &column);
    return wki_fail(p->context, WICK_EFORMAT, "line %zu, column %zu: %s", line, column, what);
}

static wick_status unexpected(const json_parser *p, const char *wanted)
{
    const unsigned char c = (unsigned char)*p->c;
    if (p->c == p->end)
        return fail_at(p, p->c, "expected %s, but the text ends", wanted);
    if (c > 0x20 && c < 0x7f)
        return fail_at(p, p->c, "expected %s, but there is '%c'", wanted, c);
    return fail_at(p, p->c, "expected %s, but there is the byte 0x%02x", wanted, c);
}

/* ---- strings ---- */

static char *put_utf8(uint32_t code, char *to)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
    } else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (code & 0x3f));
    return to;
}

/* "\u00e9"; false: it is none. */
static bool read_unit(const char *c, uint32_t *out)
{
    *out = 0;
    if (c[0] != '\\' || c[1] != 'u' || strspn(c + 2, "0123456789abcdefABCDEF") < 4)
        return false;
    for (int i = 2; i < 6; i++)
        *out = *out << 4 | (uint32_t)(c[i] <= '9' ? c[i] - '0' : (c[i] | 0x20) - 'a' + 10);
    return true;
}

/* One unit of UTF-16 or a pair of them, which is one character; a half alone is none. */
static wick_status parse_unicode(json_parser *p, char **to)
{
    uint32_t code, low;
    const char *begin = p->c;
    if (!read_unit(p->c, &code))
        return fail_at(p, begin, "expected four hexadecimal digits behind \\u");
    p->c += 6;
    if (code == 0)
        return fail_at(p, begin, "\\u0000 is not allowed");
    if (code >= 0xdc00 && code < 0xe000)
        return fail_at(p, begin, "%.6s is half of a character", begin);
    if (code >= 0xd800 && code < 0xdc00) {
        if (!read_unit(p->c, &low) || low < 0xdc00 || low >= 0xe000)
            return fail_at(p, begin, "%.6s is half of a character", begin);
        p->c += 6;
        code = 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00));
    }
    *to = put_utf8(code, *to);
    return WICK_OK;
}

static wick_status parse_escape(json_parser *p, char **to)
{
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    if (p->c[1] == 'u')
        return parse_unicode(p, to);
    const char *found = p->c[1] == '\0' ? NULL : strchr(names, p->c[1]);
    if (found == NULL)
        return fail_at(p, p->c, "expected one of \"\\/bfnrtu behind \\");
    *(*to)++ = bytes[found - names];
    p->c += 2;
    return WICK_OK;
}

/* To the tree's bytes, at the place that it has in the text: what is written is never longer. */
static wick_status parse_string(json_parser *p, uint32_t *at, uint32_t *length)
{
    const char *open = p->c++;
    char *begin = p->tree->bytes + (p->c - p->text), *to = begin;
    while (*p->c != '"') {
        if (*p->c == '\\')
            WKI_TRY(parse_escape(p, &to));
        else if ((unsigned char)*p->c < 0x20)
            return unexpected(p, "a \" at the end of the string");
        else
            *to++ = *p->c++;
    }
    p->c++;
    *to = '\0';
    *at = (uint32_t)(begin - p->tree->bytes);
    *length = (uint32_t)(to - begin);
    return wki_utf8_valid(begin, *length) ? WICK_OK : fail_at(p, open, "the string is not UTF-8");
}

/* ---- values ---- */

static const char *skip_digits(const char *c)
{
    return c + strspn(c, "0123456789");
}

/* Behind the number at c, or NULL if it is none. */
static const char *skip_number(const char *c, bool *whole)
{
    const char *begin = c + (*c == '-'), *end = skip_digits(begin);
    *whole = *end != '.' && *end != 'e' && *end != 'E';
    if (end == begin || (*begin == '0' && end - begin > 1))
        return NULL;
    if (*end == '.') {
        begin = end + 1;
        end = skip_digits(begin);
        if (end == begin)
            return NULL;
    }
    if (*end == 'e' || *end == 'E') {
        begin = end + 1;
        begin += *begin == '+' || *begin == '-';
        end = skip_digits(begin);
    }
    return end == begin ? NULL : end;
}

static wick_status parse_number(json_parser *p, wki_json_node *node)
{
    bool whole;
    const char *begin = p->c, *end = skip_number(begin, &whole);
    if (end == NULL)
        return fail_at(p, begin, "expected a number, such as 0, -1, 0.5 or 1e-3");
    p->c = end;
    errno = 0;
    if (whole) {
        node->type = WKI_JSON_INTEGER;
        node->integer = strtoll(begin, NULL, 10);
        return errno == 0 ? WICK_OK : fail_at(p, begin, "the number needs more than 64 bits");
    }
    node->type = WKI_JSON_REAL;
    node->real = strtod(begin, NULL);
    return isfinite(node->real) ? WICK_OK : fail_at(p, begin, "the number is too large");
}

static wick_status parse_word(json_parser *p, wki_json_node *node)
{
    static const struct {
        const char *word;
        wki_json_type type;
    } words[] = {{"null", WKI_JSON_NULL}, {"false", WKI_JSON_FALSE}, {"true", WKI_JSON_TRUE}};
    for (size_t i = 0; i < WKI_COUNT(words); i++) {
        size_t length = strlen(words[i].word);
        if (strncmp(p->c, words[i].word, length) == 0) {
            node->type = words[i].type;
            p->c += length;
            return WICK_OK;
        }
    }
    return unexpected(p, "a value");
}

static void skip_space(json_parser *p)
{
    p->c += strspn(p->c, " \t\r\n");
}

/* The key of the next member of the object, which has `count` of them, and the colon. */
static wick_status parse_key(json_parser *p, uint32_t object, uint32_t count, uint32_t *key)
{
    const char *begin = p->c;
    uint32_t length;
    if (*p->c != '"')
        return unexpected(p, "a key in double quotes");
    WKI_TRY(parse_string(p, key, &length));
    if (count >= WKI_JSON_MOST_MEMBERS)
        return fail_at(p, begin, "an object of more than %d members", WKI_JSON_MOST_MEMBERS);
    const wki_json_tree *tree = p->tree;
    for (uint32_t i = object + 1; count > 0; i = tree->nodes[i].next, count--)
        if (strcmp(tree->bytes + tree->nodes[i].key, tree->bytes + *key) == 0)
            return fail_at(p, begin, "the key \"%.60s\" is there twice", tree->bytes + *key);
    skip_space(p);
    if (*p->c != ':')
        return unexpected(p, ": behind the key");
    p->c++;
    skip_space(p);
    return WICK_OK;
}

static wick_status parse_value(json_parser *p, uint32_t key, uint32_t *index);

/* An array or an object; p is at its opening bracket. */
static wick_status parse_container(json_parser *p, uint32_t self)
{
    const bool object = *p->c == '{';
    const char close = object ? '}' : ']';
    uint32_t count = 0, last = self, key = 0, child;
    if (++p->depth > WKI_JSON_MOST_DEPTH)
        return fail_at(p, p->c, "arrays and objects are nested more than %d deep", WKI_JSON_MOST_DEPTH);
    for (p->c++, skip_space(p); *p->c != close || count > 0; p->c++, skip_space(p)) {
        if (object)
            WKI_TRY(parse_key(p, self, count, &key));
        WKI_TRY(parse_value(p, key, &child));
        if (count++ > 0)
            p->tree->nodes[last].next = child;
        last = child;
        skip_space(p);
        if (*p->c == close)
            break;
        if (*p->c != ',')
            return unexpected(p, object ? ", or }" : ", or ]");
    }
    p->c++;
    p->depth--;
    p->tree->nodes[self].type = object ? WKI_JSON_OBJECT : WKI_JSON_ARRAY;
    p->tree->nodes[self].count = count;
    return WICK_OK;
}

static wick_status parse_value(json_parser *p, uint32_t key, uint32_t *index)
{
    wki_json_tree *tree = p->tree;
    WKI_TRY(wki_grow(p->context, (void **)&tree->nodes, &tree->capacity, tree->count + 1,
                     sizeof(wki_json_node), "JSON"));
    wki_json_node *node = &tree->nodes[tree->count];
    *index = (uint32_t)tree->count++;
    *node = (wki_json_node){.at = (uint32_t)(p->c - p->text), .key = key};
    if (*p->c == '{' || *p->c == '[')
        return parse_container(p, *index);
    if (*p->c == '"') {
        node->type = WKI_JSON_STRING;
        return parse_string(p, &node->string.at, &node->string.length);
    }
    if (*p->c == '-' || (*p->c >= '0' && *p->c <= '9'))
        return parse_number(p, node);
    return parse_word(p, node);
}

wick_status wki_json_parse(wick_context *context, const char *text, size_t length, wki_json_tree *out)
{
    json_parser p = {.context = context, .text = text, .end = text + length, .c = text, .tree = out};
    uint32_t root;
    void *bytes;
    *out = (wki_json_tree){0};
    if (length > WKI_JSON_MOST_BYTES)
        return wki_fail(context, WICK_ELIMIT, "has %zu bytes; the limit is %d", length,
                        WKI_JSON_MOST_BYTES);
    WKI_TRY(wki_alloc(context, length + 1, 1, "JSON", &bytes));
    out->bytes = bytes;
    skip_space(&p);
    WKI_TRY(parse_value(&p, 0, &root));
    skip_space(&p);
    return p.c == p.end ? WICK_OK : unexpected(&p, "the end");
}

const wki_json_node *wki_json_member(const wki_json_tree *tree, const wki_json_node *object,
                                     const char *key)
{
    const wki_json_node *member = object + 1;
    for (uint32_t left = object->count; left > 0; left--) {
        if (strcmp(tree->bytes + member->key, key) == 0)
            return member;
        member = tree->nodes + member->next;
    }
    return NULL;
}
