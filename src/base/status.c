#include <wick/status.h>

const char *wick_status_name(wick_status status)
{
    switch (status) {
#define STATUS_NAME(name, number, text)                                                                 \
    case WICK_##name:                                                                                   \
        return "WICK_" #name;
        WICK_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
    }
    return "WICK_?";
}

const char *wick_status_text(wick_status status)
{
    switch (status) {
#define STATUS_TEXT(name, number, text)                                                                 \
    case WICK_##name:                                                                                   \
        return text;
        WICK_STATUS_LIST(STATUS_TEXT)
#undef STATUS_TEXT
    }
    return "an unknown status";
}
