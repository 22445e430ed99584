#include "format/bytes.h"

#include <string.h>

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

const char *wki_quote(const void *name, size_t length, char out[WKI_QUOTED])
{
    const uint8_t *from = name;
    size_t room = WKI_QUOTED - sizeof("...");
    size_t shown = length < room ? length : room;
    for (size_t i = 0; i < shown; i++)
        out[i] = from[i] >= 0x20 && from[i] < 0x7f ? (char)from[i] : '?';
    strcpy(out + shown, shown < length ? "..." : "");
    return out;
}
