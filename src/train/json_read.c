#include "train/json_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_STRING = 4096 };

wick_status wki_json_read(wki_json *json, wick_context *context, const char *path, const char *text,
                          size_t length)
{
    *json = (wki_json){.context = context, .path = path, .text = text};
    wick_status status = wki_json_parse(context, text, length, &json->tree);
    if (status != WICK_OK)
        return wki_fail_in(context, status, "%s", path);
    if (json->tree.nodes[0].type != WKI_JSON_OBJECT)
        return wki_fail(context, WICK_EFORMAT, "%s: must be a JSON object", path);
    return WICK_OK;
}

void wki_json_release(wki_json *json)
{
    wki_json_tree_release(&json->tree);
}

/* ---- where a value is ---- */

/* Of a value that wki_json_array() has found to be an array of more elements. */
static const wki_json_node *find_element(wki_json *json, const wki_json_node *array, int64_t index)
{
    if (array != json->array || index < json->index) {
        json->array = array;
        json->element = array + 1;
        json->index = 0;
    }
    for (; json->index < index; json->index++)
        json->element = json->tree.nodes + json->element->next;
    return json->element;
}

/* NULL: there is none. */
static const wki_json_node *look_up(wki_json *json, wki_json_at at)
{
    const wki_json_node *value = wki_json_member(&json->tree, json->tree.nodes, at.key);
    if (value == NULL || at.index < 0)
        return value;
    value = find_element(json, value, at.index);
    if (at.field == NULL)
        return value;
    return value->type == WKI_JSON_OBJECT ? wki_json_member(&json->tree, value, at.field) : NULL;
}

bool wki_json_has(wki_json *json, wki_json_at at)
{
    return look_up(json, at) != NULL;
}

/* Appends "line 3, column 5: " if the value is there. */
static void append_place(wki_text *text, wki_json *json, wki_json_at at)
{
    size_t line, column;
    const wki_json_node *value = look_up(json, at);
    if (value == NULL)
        return;
    wki_json_place(json->text, value->at, &line, &column);
    wki_text_printf(text, "line %zu, column %zu: ", line, column);
}

static void append_name(wki_text *text, wki_json_at at)
{
    wki_text_printf(text, "\"%s\"", at.key);
    if (at.index >= 0)
        wki_text_printf(text, "[%lld]", (long long)at.index);
    if (at.field != NULL)
        wki_text_printf(text, " \"%s\"", at.field);
}

wick_status wki_json_fail(wki_json *json, wki_json_at at, const char *message, ...)
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

static const char *type_name(const wki_json_node *value)
{
    static const char *const names[] = {
        [WKI_JSON_NULL] = "null",
        [WKI_JSON_FALSE] = "false",
        [WKI_JSON_TRUE] = "true",
        [WKI_JSON_INTEGER] = "a whole number",
        [WKI_JSON_REAL] = "a number with a fraction",
        [WKI_JSON_STRING] = "a string",
        [WKI_JSON_ARRAY] = "an array",
        [WKI_JSON_OBJECT] = "an object",
    };
    return names[value->type];
}

static wick_status find(wki_json *json, wki_json_at at, const wki_json_node **out)
{
    const wki_json_at whole = {at.key, at.index, NULL};
    const wki_json_node *value = look_up(json, at);
    if (value == NULL && at.field != NULL && look_up(json, whole)->type != WKI_JSON_OBJECT)
        return wki_json_fail(json, whole, "must be an object, not %s", type_name(look_up(json, whole)));
    if (value == NULL)
        return wki_json_fail(json, at, "is missing");
    *out = value;
    return WICK_OK;
}

wick_status wki_json_integer(wki_json *json, wki_json_at at, int64_t min, int64_t max, int64_t *out)
{
    const wki_json_node *value = NULL;
    WKI_TRY(find(json, at, &value));
    if (value->type != WKI_JSON_INTEGER)
        return wki_json_fail(json, at, "must be a whole number from %lld to %lld, not %s",
                             (long long)min, (long long)max, type_name(value));
    int64_t number = value->integer;
    if (number < min || number > max)
        return wki_json_fail(json, at, "must be from %lld to %lld, not %lld", (long long)min,
                             (long long)max, (long long)number);
    *out = number;
    return WICK_OK;
}

static const char *string_of(const wki_json *json, const wki_json_node *value)
{
    return json->tree.bytes + value->string.at;
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

wick_status wki_json_seed(wki_json *json, wki_json_at at, uint64_t *out)
{
    const wki_json_node *value = NULL;
    WKI_TRY(find(json, at, &value));
    if (value->type == WKI_JSON_STRING && parse_digits(string_of(json, value), out))
        return WICK_OK;
    if (value->type != WKI_JSON_INTEGER || value->integer < 0)
        return wki_json_fail(json, at, "must be a whole number from 0 to 18446744073709551615");
    *out = (uint64_t)value->integer;
    return WICK_OK;
}

wick_status wki_json_number(wki_json *json, wki_json_at at, double *out)
{
    const wki_json_node *value = NULL;
    WKI_TRY(find(json, at, &value));
    if (value->type == WKI_JSON_NULL)
        *out = (double)NAN;
    else if (value->type == WKI_JSON_INTEGER)
        *out = (double)value->integer;
    else if (value->type == WKI_JSON_REAL)
        *out = value->real;
    else
        return wki_json_fail(json, at, "must be a number, not %s", type_name(value));
    return WICK_OK;
}

wick_status wki_json_flag(wki_json *json, wki_json_at at, bool *out)
{
    const wki_json_node *value = NULL;
    WKI_TRY(find(json, at, &value));
    if (value->type != WKI_JSON_TRUE && value->type != WKI_JSON_FALSE)
        return wki_json_fail(json, at, "must be true or false, not %s", type_name(value));
    *out = value->type == WKI_JSON_TRUE;
    return WICK_OK;
}

static wick_status read_string(wki_json *json, wki_json_at at, size_t most, bool lines, char **out)
{
    const wki_json_node *value = NULL;
    WKI_TRY(find(json, at, &value));
    if (value->type != WKI_JSON_STRING)
        return wki_json_fail(json, at, "must be a string, not %s", type_name(value));
    const char *string = string_of(json, value);
    size_t length = value->string.length;
    if (length == 0 || length > most)
        return wki_json_fail(json, at, "must have 1 to %zu bytes, not %zu", most, length);
    for (size_t i = 0; i < length; i++) {
        bool control = (unsigned char)string[i] < 0x20 || string[i] == 0x7f;
        if (control && !(lines && string[i] == '\n'))
            return wki_json_fail(json, at, "must not hold control characters");
    }
    return wki_strdup(json->context, string, out);
}

wick_status wki_json_string(wki_json *json, wki_json_at at, bool null_allowed, char **out)
{
    bool null = false;
    *out = NULL;
    if (null_allowed)
        WKI_TRY(wki_json_is_null(json, at, &null));
    return null ? WICK_OK : read_string(json, at, LONGEST_STRING, false, out);
}

wick_status wki_json_lines(wki_json *json, wki_json_at at, size_t most, char **out)
{
    return read_string(json, at, most, true, out);
}

wick_status wki_json_is_null(wki_json *json, wki_json_at at, bool *out)
{
    const wki_json_node *value = NULL;
    WKI_TRY(find(json, at, &value));
    *out = value->type == WKI_JSON_NULL;
    return WICK_OK;
}

wick_status wki_json_array(wki_json *json, wki_json_at at, size_t min, size_t max, size_t *size)
{
    const wki_json_node *value = NULL;
    WKI_TRY(find(json, at, &value));
    if (value->type != WKI_JSON_ARRAY)
        return wki_json_fail(json, at, "must be an array, not %s", type_name(value));
    size_t count = value->count;
    if (count != min && min == max)
        return wki_json_fail(json, at, "must have %zu elements, not %zu", min, count);
    if (count < min || count > max)
        return wki_json_fail(json, at, "must have %zu to %zu elements, not %zu", min, max, count);
    *size = count;
    return WICK_OK;
}
