#include "base/base.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void wki_text_init(wki_text *text, wick_context *context)
{
    *text = (wki_text){.context = context};
}

void wki_text_release(wki_text *text)
{
    free(text->bytes);
    *text = (wki_text){.context = text->context};
}

void wki_text_append(wki_text *text, const char *bytes, size_t length)
{
    if (text->status != WICK_OK)
        return;
    text->status = wki_grow(text->context, (void **)&text->bytes, &text->capacity,
                            text->length + length + 1, 1, "text");
    if (text->status != WICK_OK)
        return;
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void wki_text_puts(wki_text *text, const char *string)
{
    wki_text_append(text, string, strlen(string));
}

void wki_text_printf(wki_text *text, const char *format, ...)
{
    char small[256];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    if (length >= 0 && (size_t)length < sizeof(small)) {
        wki_text_append(text, small, (size_t)length);
    } else if (length >= 0 && text->status == WICK_OK) {
        text->status = wki_grow(text->context, (void **)&text->bytes, &text->capacity,
                                text->length + (size_t)length + 1, 1, "text");
        if (text->status == WICK_OK) {
            vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
            text->length += (size_t)length;
        }
    }
    va_end(again);
}

void wki_text_json(wki_text *text, const char *string)
{
    wki_text_puts(text, "\"");
    for (const unsigned char *c = (const unsigned char *)string; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            wki_text_printf(text, "\\%c", *c);
        else if (*c == '\n')
            wki_text_puts(text, "\\n");
        else if (*c < 0x20 || *c == 0x7f)
            wki_text_printf(text, "\\u%04x", *c);
        else
            wki_text_append(text, (const char *)c, 1);
    }
    wki_text_puts(text, "\"");
}

wick_status wki_text_finish(wki_text *text, char **out)
{
    wki_text_append(text, "", 0);
    wick_status status = text->status;
    if (status == WICK_OK) {
        *out = text->bytes;
        text->bytes = NULL;
    }
    wki_text_release(text);
    return status;
}

/* How many bytes the sequence at `at` has, at least one of `left` being there; 0 if it is none. */
static size_t utf8_sequence(const uint8_t *at, size_t left)
{
    uint8_t first = at[0];
    if (first < 0x80)
        return 1;
    size_t count = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || count > left)
        return 0;
    for (size_t i = 1; i < count; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (first == 0xe0 && at[1] < 0xa0) || (first == 0xf0 && at[1] < 0x90);
    bool surrogate = first == 0xed && at[1] >= 0xa0;
    bool beyond = first == 0xf4 && at[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : count;
}

bool wki_utf8_valid(const void *text, size_t length)
{
    const uint8_t *at = text;
    for (size_t done = 0; done < length;) {
        size_t count = utf8_sequence(at + done, length - done);
        if (count == 0)
            return false;
        done += count;
    }
    return true;
}

enum { NEAREST_LONGEST = 63 };

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Levenshtein's distance, case aside, two neighbours exchanged being one change (the restricted
 * Damerau-Levenshtein distance). Both words are at most NEAREST_LONGEST long. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][NEAREST_LONGEST + 1];
    size_t columns = strlen(b), i = 0;
    for (size_t j = 0; j <= columns; j++)
        rows[0][j] = j;
    for (; a[i] != '\0'; i++) {
        const size_t *before = rows[i % 3], *twice_before = rows[(i + 2) % 3];
        size_t *row = rows[(i + 1) % 3];
        row[0] = i + 1;
        for (size_t j = 1; j <= columns; j++) {
            size_t change = before[j - 1] + !same_letter(a[i], b[j - 1]);
            row[j] = WKI_MIN(change, WKI_MIN(before[j], row[j - 1]) + 1);
            if (i > 0 && j > 1 && same_letter(a[i], b[j - 2]) && same_letter(a[i - 1], b[j - 1]))
                row[j] = WKI_MIN(row[j], twice_before[j - 2] + 1);
        }
    }
    return rows[i % 3][columns];
}

const char *wki_nearest(const char *word, const char *const *words, size_t count)
{
    const char *nearest = NULL;
    size_t length = strlen(word);
    size_t best = length / 3 + 1;
    if (length > NEAREST_LONGEST)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (strlen(words[i]) > NEAREST_LONGEST)
            continue;
        size_t d = distance(word, words[i]);
        if (d < best) {
            best = d;
            nearest = words[i];
        }
    }
    return nearest;
}

void wki_repr(double number, char out[32])
{
    if (isnan(number)) {
        strcpy(out, "NaN");
        return;
    }
    if (isinf(number)) {
        strcpy(out, number < 0 ? "-Infinity" : "Infinity");
        return;
    }
    int digits = 1;
    for (; digits <= 17; digits++) {
        snprintf(out, 32, "%.*e", digits - 1, number);
        if (strtod(out, NULL) == number)
            break;
    }
    int exponent = atoi(strchr(out, 'e') + 1);
    if (exponent >= -4 && exponent < 16)
        snprintf(out, 32, "%.*f", WKI_MAX(digits - 1 - exponent, 1), number);
    else
        snprintf(out, 32, "%.*e", digits - 1, number);
}
