#include "train/json_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_STRING = 4096 };

/* jansson does not tell lack of memory from a wrong text, and where its lexer finds no memory for a
 * token it drops letters without a word. So a text is read twice, the second time once it is known that
 * there is memory for what a text of that length may need; what both readings agree on is so. */
static wick_status load(wick_context *context, const char *text, size_t length, json_t **root,
                        json_error_t *error)
{
    void *room;
    json_t *first = json_loadb(text, length, JSON_REJECT_DUPLICATES, error);
    wick_status status = wki_alloc(context, length, 64, "JSON", &room);
    if (status == WICK_OK) {
        free(room);
        *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, error);
        if (first != NULL && !json_equal(first, *root))
            status = wki_fail(context, WICK_ENOMEM, "out of memory for JSON");
    }
    json_decref(first);
    return status;
}

wick_status wki_json_read(wki_json *json, wick_context *context, const char *path, const char *text,
                          size_t length)
{
    json_error_t error;
    *json = (wki_json){.context = context, .path = path, .text = text};
    wick_status status = load(context, text, length, &json->root, &error);
    if (status != WICK_OK)
        return wki_fail_in(context, status, "%s", path);
    if (json->root == NULL)
        return wki_fail(context, WICK_EFORMAT, "%s: line %d, column %d: %s", path, error.line,
                        error.column, error.text);
    if (!json_is_object(json->root))
        return wki_fail(context, WICK_EFORMAT, "%s: must be a JSON object", path);
    return WICK_OK;
}

void wki_json_release(wki_json *json)
{
    json_decref(json->root);
    json->root = NULL;
}

/* ---- where a value stands in the text; it is known to be valid JSON ---- */

static const char *skip_space(const char *c)
{
    return c + strspn(c, " \t\r\n");
}

/* c is at the opening quote. */
static const char *skip_string(const char *c)
{
    for (c++; *c != '"' && *c != '\0'; c++)
        if (*c == '\\' && c[1] != '\0')
            c++;
    return *c == '"' ? c + 1 : c;
}

static const char *skip_value(const char *c)
{
    int depth = 0;
    do {
        if (*c == '"') {
            c = skip_string(c);
            continue;
        }
        if (*c == '{' || *c == '[')
            depth++;
        else if (*c == '}' || *c == ']')
            depth--;
        c++;
    } while (*c != '\0' && (depth > 0 || strchr(",]} \t\r\n", *c) == NULL));
    return c;
}

/* The value of a member of the object at c, or NULL. */
static const char *find_member(const char *c, const char *key)
{
    size_t length = strlen(key);
    if (*c != '{')
        return NULL;
    c = skip_space(c + 1);
    while (*c == '"') {
        const char *name = c + 1;
        c = skip_string(c);
        bool found = (size_t)(c - name) == length + 1 && memcmp(name, key, length) == 0;
        c = skip_space(c);
        c = skip_space(*c == ':' ? c + 1 : c);
        if (found)
            return c;
        c = skip_space(skip_value(c));
        c = skip_space(*c == ',' ? c + 1 : c);
    }
    return NULL;
}

static const char *find_element(const char *c, int64_t index)
{
    if (*c != '[')
        return NULL;
    c = skip_space(c + 1);
    while (index-- > 0 && *c != ']' && *c != '\0') {
        c = skip_space(skip_value(c));
        c = skip_space(*c == ',' ? c + 1 : c);
    }
    return c;
}

/* Appends "line 3, column 5: " if the value is found. */
static void append_place(wki_text *text, const wki_json *json, wki_json_at at)
{
    const char *value = find_member(skip_space(json->text), at.key);
    if (value != NULL && at.index >= 0)
        value = find_element(value, at.index);
    if (value != NULL && at.field != NULL)
        value = find_member(value, at.field);
    if (value == NULL)
        return;
    size_t line = 1;
    const char *start = json->text;
    for (const char *c = json->text; c < value; c++) {
        if (*c == '\n') {
            line++;
            start = c + 1;
        }
    }
    wki_text_printf(text, "line %zu, column %zu: ", line, (size_t)(value - start) + 1);
}

static void append_name(wki_text *text, wki_json_at at)
{
    wki_text_printf(text, "\"%s\"", at.key);
    if (at.index >= 0)
        wki_text_printf(text, "[%lld]", (long long)at.index);
    if (at.field != NULL)
        wki_text_printf(text, " \"%s\"", at.field);
}

wick_status wki_json_fail(const wki_json *json, wki_json_at at, const char *message, ...)
{
    char what[256];
    va_list args;
    va_start(args, message);
    vsnprintf(what, sizeof(what), message, args);
    va_end(args);
    wki_text text;
    wki_text_init(&text, json->context);
    append_place(&text, json, at);
    append_name(&text, at);
    char *place;
    WKI_TRY(wki_text_finish(&text, &place));
    wick_status status = wki_fail(json->context, WICK_EFORMAT, "%s: %s %s", json->path, place, what);
    free(place);
    return status;
}

/* ---- values ---- */

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number with a fraction";
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_NULL:
        return "null";
    }
    return "something else";
}

static wick_status find(const wki_json *json, wki_json_at at, const json_t **out)
{
    const json_t *value = json_object_get(json->root, at.key);
    if (value != NULL && at.index >= 0)
        value = json_array_get(value, (size_t)at.index);
    if (value != NULL && at.field != NULL) {
        if (!json_is_object(value))
            return wki_json_fail(json, (wki_json_at){at.key, at.index, NULL},
                                 "must be an object, not %s", type_name(value));
        value = json_object_get(value, at.field);
    }
    if (value == NULL)
        return wki_json_fail(json, at, "is missing");
    *out = value;
    return WICK_OK;
}

wick_status wki_json_integer(const wki_json *json, wki_json_at at, int64_t min, int64_t max,
                             int64_t *out)
{
    const json_t *value = NULL;
    WKI_TRY(find(json, at, &value));
    if (!json_is_integer(value))
        return wki_json_fail(json, at, "must be a whole number from %lld to %lld, not %s",
                             (long long)min, (long long)max, type_name(value));
    int64_t number = json_integer_value(value);
    if (number < min || number > max)
        return wki_json_fail(json, at, "must be from %lld to %lld, not %lld", (long long)min,
                             (long long)max, (long long)number);
    *out = number;
    return WICK_OK;
}

static bool parse_digits(const char *digits, uint64_t *out)
{
    uint64_t number = 0;
    for (const char *c = digits; *c != '\0'; c++)
        if (*c < '0' || *c > '9' || !wki_mul_u64(number, 10, &number) ||
            !wki_add_u64(number, (uint64_t)(*c - '0'), &number))
            return false;
    *out = number;
    return digits[0] != '\0';
}

wick_status wki_json_seed(const wki_json *json, wki_json_at at, uint64_t *out)
{
    const json_t *value = NULL;
    WKI_TRY(find(json, at, &value));
    if (json_is_string(value) && parse_digits(json_string_value(value), out))
        return WICK_OK;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return wki_json_fail(json, at, "must be a whole number from 0 to 18446744073709551615");
    *out = (uint64_t)json_integer_value(value);
    return WICK_OK;
}

wick_status wki_json_number(const wki_json *json, wki_json_at at, double *out)
{
    const json_t *value = NULL;
    WKI_TRY(find(json, at, &value));
    if (!json_is_number(value) && !json_is_null(value))
        return wki_json_fail(json, at, "must be a number, not %s", type_name(value));
    *out = json_is_null(value) ? (double)NAN : json_number_value(value);
    return WICK_OK;
}

wick_status wki_json_flag(const wki_json *json, wki_json_at at, bool *out)
{
    const json_t *value = NULL;
    WKI_TRY(find(json, at, &value));
    if (!json_is_boolean(value))
        return wki_json_fail(json, at, "must be true or false, not %s", type_name(value));
    *out = json_is_true(value);
    return WICK_OK;
}

static wick_status read_string(const wki_json *json, wki_json_at at, size_t most, bool lines, char **out)
{
    const json_t *value = NULL;
    WKI_TRY(find(json, at, &value));
    if (!json_is_string(value))
        return wki_json_fail(json, at, "must be a string, not %s", type_name(value));
    const char *string = json_string_value(value);
    size_t length = json_string_length(value);
    if (length == 0 || length > most)
        return wki_json_fail(json, at, "must have 1 to %zu bytes, not %zu", most, length);
    for (size_t i = 0; i < length; i++) {
        bool control = (unsigned char)string[i] < 0x20 || string[i] == 0x7f;
        if (control && !(lines && string[i] == '\n'))
            return wki_json_fail(json, at, "must not hold control characters");
    }
    return wki_strdup(json->context, string, out);
}

wick_status wki_json_string(const wki_json *json, wki_json_at at, bool null_allowed, char **out)
{
    bool null = false;
    *out = NULL;
    if (null_allowed)
        WKI_TRY(wki_json_is_null(json, at, &null));
    return null ? WICK_OK : read_string(json, at, LONGEST_STRING, false, out);
}

wick_status wki_json_lines(const wki_json *json, wki_json_at at, size_t most, char **out)
{
    return read_string(json, at, most, true, out);
}

wick_status wki_json_is_null(const wki_json *json, wki_json_at at, bool *out)
{
    const json_t *value = NULL;
    WKI_TRY(find(json, at, &value));
    *out = json_is_null(value);
    return WICK_OK;
}

wick_status wki_json_array(const wki_json *json, wki_json_at at, size_t min, size_t max, size_t *size)
{
    const json_t *value = NULL;
    WKI_TRY(find(json, at, &value));
    if (!json_is_array(value))
        return wki_json_fail(json, at, "must be an array, not %s", type_name(value));
    size_t count = json_array_size(value);
    if (count != min && min == max)
        return wki_json_fail(json, at, "must have %zu elements, not %zu", min, count);
    if (count < min || count > max)
        return wki_json_fail(json, at, "must have %zu to %zu elements, not %zu", min, max, count);
    *size = count;
    return WICK_OK;
}
