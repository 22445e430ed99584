/* A pickle machine that reads the pickles of torch.save and calls nothing.
 *
 * It knows the opcodes that Python's pickler writes in protocols 2 to 5 for plain values (None, bool,
 * int, float, str, bytes, list, tuple, dict) and the names that PyTorch's tensors are made of:
 * collections.OrderedDict, torch._utils._rebuild_tensor_v2 and _rebuild_parameter, and
 * torch.FloatStorage and its kind. Any other opcode and any other name is refused where it stands.
 * Values are typed; every operand's type is checked. A list or dict cannot be changed any more once it
 * is inside another value, so that nothing can contain itself.
 *
 * https://docs.python.org/3/library/pickletools.html
 */
#ifndef WKI_PICKLE_H
#define WKI_PICKLE_H

#include "base/base.h"

/* Limits: torch.save stays far below them. They bound what a pickle may take: some 200 MiB beyond its
 * size. */
enum {
    WKI_PICKLE_LENGTH = 1 << 26,  /* bytes */
    WKI_PICKLE_OBJECTS = 1 << 20, /* tuples, lists, dicts and tensors; also values on the stack */
    WKI_PICKLE_PAIRS = 1 << 20,   /* in all dicts */
    WKI_PICKLE_MEMO = 1 << 22,
    WKI_PICKLE_DEPTH = 100,
};

/* X(name, class, size): the elements that a storage may have. */
#define WKI_SCALAR_LIST(X)                                                                              \
    X(FLOAT64, "DoubleStorage", 8)                                                                      \
    X(FLOAT32, "FloatStorage", 4)                                                                       \
    X(FLOAT16, "HalfStorage", 2)                                                                        \
    X(BFLOAT16, "BFloat16Storage", 2)                                                                   \
    X(INT64, "LongStorage", 8)                                                                          \
    X(INT32, "IntStorage", 4)                                                                           \
    X(INT16, "ShortStorage", 2)                                                                         \
    X(INT8, "CharStorage", 1)                                                                           \
    X(UINT8, "ByteStorage", 1)                                                                          \
    X(BOOL, "BoolStorage", 1)

typedef enum wki_scalar {
#define WKI_SCALAR_ENUM(name, class, size) WKI_SCALAR_##name,
    WKI_SCALAR_LIST(WKI_SCALAR_ENUM)
#undef WKI_SCALAR_ENUM
} wki_scalar;

/* In bytes. */
size_t wki_scalar_size(wki_scalar scalar);

/* A storage as the archive has it; the machine fills in the rest when the pickle first names it. */
typedef struct wki_storage {
    const uint8_t *bytes;
    uint64_t length;
    bool named;
    wki_scalar scalar;
    uint64_t numel;
} wki_storage;

/* The storage of that key, or NULL. */
typedef wki_storage *wki_storage_finder(void *user, const char *key, size_t length);

typedef enum wki_value_kind {
    WKI_VALUE_NONE,
    WKI_VALUE_BOOL,
    WKI_VALUE_INT,
    WKI_VALUE_LONG, /* an int beyond 64 bits */
    WKI_VALUE_FLOAT,
    WKI_VALUE_TEXT, /* UTF-8 */
    WKI_VALUE_BYTES,
    WKI_VALUE_LIST,
    WKI_VALUE_TUPLE,
    WKI_VALUE_DICT,
    WKI_VALUE_GLOBAL,
    WKI_VALUE_STORAGE,
    WKI_VALUE_TENSOR,
    WKI_VALUE_MARK,
} wki_value_kind;

typedef struct wki_object wki_object;
typedef struct wki_tuple wki_tuple;
typedef struct wki_dict wki_dict;
typedef struct wki_pickled_tensor wki_pickled_tensor;

typedef struct wki_value {
    wki_value_kind kind;
    uint32_t length; /* of text */
    union {
        int64_t integer;    /* of a bool too; of a global, which */
        const char *text;   /* in the pickle; no NUL follows */
        wki_object *object; /* the four below */
        wki_tuple *tuple;
        wki_dict *dict;
        wki_pickled_tensor *tensor;
        wki_storage *storage;
    };
} wki_value;

struct wki_object {
    wki_object *next;
    wki_value_kind kind;
    uint16_t depth; /* how deep the values in it nest */
    bool inside;    /* another value holds it: it is complete */
};

/* What a list holds is dropped: nothing of it is ever needed. */

struct wki_tuple {
    wki_object object;
    size_t count;
    wki_value *items;
};

typedef struct wki_pair {
    wki_value key, value;
} wki_pair;

struct wki_dict {
    wki_object object;
    bool ordered; /* an OrderedDict */
    size_t count, capacity;
    wki_pair *pairs; /* in the order in which they were set; a key may be there twice */
};

/* A tensor whose every element is inside its storage. size and stride hold as many ints, none
 * negative. */
struct wki_pickled_tensor {
    wki_object object;
    wki_storage *storage;
    uint64_t offset;
    const wki_tuple *size, *stride;
    uint64_t numel;
};

typedef struct wki_pickle wki_pickle;

/* Reads a whole pickle. bytes, file (what messages call it) and what find gives are borrowed until
 * wki_pickle_free(). Errors: WICK_EFORMAT and WICK_ELIMIT with the byte, WICK_ENOMEM. */
wick_status wki_pickle_read(wick_context *context, const char *file, const uint8_t *bytes, size_t length,
                            wki_storage_finder *find, void *user, wki_pickle **out);
const wki_value *wki_pickle_value(const wki_pickle *pickle);
/* NULL is fine. */
void wki_pickle_free(wki_pickle *pickle);
/* "a dict". Static. */
const char *wki_value_name(wki_value_kind kind);

#endif
