#include "format/bytes.h"

#include <string.h>

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
