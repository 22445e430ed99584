/* A state_dict as a notebook shows it: IPython's layout of OrderedDict([(key, tensor), …]).
 *
 * The list stays on one line while it fits into 79 columns; else each item has a line of its own, and in
 * an item that is too wide or is of several lines the tensor goes below the key.
 */
#include "tensor/tensor_internal.h"

#include <string.h>

enum { MAX_WIDTH = 79 };

static const char OPENING[] = "OrderedDict([";
enum { ITEM_COLUMN = sizeof(OPENING) - 1, TENSOR_COLUMN = ITEM_COLUMN + 1 };

/* Columns of UTF-8 text. */
static size_t columns(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* The key as Python's repr() writes a string. */
static void put_key(wki_text *text, const char *key)
{
    char quote = strchr(key, '\'') != NULL && strchr(key, '"') == NULL ? '"' : '\'';
    wki_text_append(text, &quote, 1);
    for (const char *c = key; *c != '\0'; c++) {
        static const char escaped[] = "\n\r\t", letters[] = "nrt";
        const char *found = strchr(escaped, *c);
        if (found != NULL)
            wki_text_printf(text, "\\%c", letters[found - escaped]);
        else if (*c == quote || *c == '\\')
            wki_text_printf(text, "\\%c", *c);
        else if ((unsigned char)*c < 0x20 || *c == 0x7f)
            wki_text_printf(text, "\\x%02x", (unsigned char)*c);
        else
            wki_text_append(text, c, 1);
    }
    wki_text_append(text, &quote, 1);
}

/* Where an item goes. */
typedef struct layout {
    int64_t flat;  /* so many items from the first on fit into one line */
    bool one_line; /* all do */
    bool kept; /* item `flat` is of several lines and yet began on that line: its tensor stays beside its
                  key */
} layout;

/* "('key'," and the tensor's first line, how wide they are together, and whether there are more lines.
 * */
static wick_status measure_item(const wick_state_dict *dict, int64_t index, size_t *width, bool *lines)
{
    wki_text key;
    char *tensor;
    wki_text_init(&key, wki_state_dict_context(dict));
    put_key(&key, wick_state_dict_key(dict, index));
    wick_status status = key.status;
    if (status == WICK_OK)
        status = wick_tensor_format(wick_state_dict_tensor(dict, index), 0, &tensor);
    if (status == WICK_OK) {
        size_t first = strcspn(tensor, "\n");
        *lines = tensor[first] != '\0';
        *width = strlen("(, ") + columns(key.bytes, key.length) + first + (*lines ? 0 : strlen(")"));
        wick_free(tensor);
    }
    wki_text_release(&key);
    return status;
}

/* How far the items get on the first line, as IPython finds out while it writes them. */
static wick_status measure(const wick_state_dict *dict, layout *out)
{
    int64_t count = wick_state_dict_count(dict);
    size_t column = ITEM_COLUMN;
    *out = (layout){0};
    for (int64_t i = 0; i < count; i++) {
        size_t width;
        bool lines;
        WKI_TRY(measure_item(dict, i, &width, &lines));
        column += width;
        size_t after = lines ? 0 : i + 1 < count ? strlen(", ") : strlen("])");
        out->kept = lines && i > 0 && column <= MAX_WIDTH;
        if (lines || column + after > MAX_WIDTH)
            return WICK_OK;
        column += after;
        out->flat = i + 1;
    }
    out->one_line = true;
    return WICK_OK;
}

static wick_status put_item(wki_text *text, const wick_state_dict *dict, int64_t index, bool beside,
                            bool last)
{
    size_t width;
    bool lines;
    char *tensor;
    WKI_TRY(measure_item(dict, index, &width, &lines));
    WKI_TRY(wick_tensor_format(wick_state_dict_tensor(dict, index), TENSOR_COLUMN, &tensor));
    beside =
        beside || (!lines && ITEM_COLUMN + width + (last ? strlen("])") : strlen(",")) <= MAX_WIDTH);
    wki_text_puts(text, "(");
    put_key(text, wick_state_dict_key(dict, index));
    if (beside)
        wki_text_puts(text, ", ");
    else
        wki_text_printf(text, ",\n%*s", TENSOR_COLUMN, "");
    wki_text_puts(text, tensor);
    wki_text_puts(text, ")");
    wick_free(tensor);
    return text->status;
}

wick_status wick_state_dict_format(const wick_state_dict *dict, char **out)
{
    if (dict == NULL || out == NULL)
        return WICK_EINVAL;
    layout place;
    wki_text text;
    int64_t count = wick_state_dict_count(dict);
    WKI_TRY(measure(dict, &place));
    wki_text_init(&text, wki_state_dict_context(dict));
    wki_text_puts(&text, count == 0 ? "OrderedDict(" : OPENING);
    for (int64_t i = 0; i < count; i++) {
        if (i > 0 && place.one_line)
            wki_text_puts(&text, ", ");
        else if (i > 0)
            wki_text_printf(&text, ",\n%*s", ITEM_COLUMN, "");
        bool beside = place.one_line || i < place.flat || (i == place.flat && place.kept);
        wick_status status = put_item(&text, dict, i, beside, i + 1 == count);
        if (status != WICK_OK) {
            wki_text_release(&text);
            return status;
        }
    }
    wki_text_puts(&text, count == 0 ? ")" : "])");
    return wki_text_finish(&text, out);
}
