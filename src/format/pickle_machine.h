/* The pickle machine, seen from inside: pickle.c runs the opcodes, pickle_rebuild.c knows PyTorch's
 * names. */
#ifndef WKI_PICKLE_MACHINE_H
#define WKI_PICKLE_MACHINE_H

#include "format/pickle.h"

struct wki_pickle {
    wick_context *context;
    const char *file;
    const uint8_t *bytes;
    size_t length, at;
    size_t opcode_at; /* of the opcode in hand: what messages name */
    wki_value *stack;
    size_t depth, stack_capacity;
    wki_value *memo;
    size_t memo_count, memo_capacity;
    wki_object *objects; /* all that were made, newest first */
    size_t object_count, pair_count;
    unsigned marks; /* on the stack */
    wki_tuple empty;
    bool stopped;
    wki_storage_finder *find;
    void *user;
};

/* Fails with "FILE: data.pkl: byte N: " before what is said. */
wick_status wki_pickle_fail(wki_pickle *pickle, wick_status status, const char *format, ...)
    WICK_PRINTF(3, 4);
/* Takes the value on top, whatever it is or only if it is of that kind. */
wick_status wki_pickle_pop(wki_pickle *pickle, wki_value *out);
wick_status wki_pickle_pop_kind(wki_pickle *pickle, wki_value_kind kind, wki_value *out);
wick_status wki_pickle_push(wki_pickle *pickle, wki_value value);
/* Makes an object of `size` bytes, wki_object first. */
wick_status wki_pickle_object(wki_pickle *pickle, wki_value_kind kind, size_t size, void *out);
wick_status wki_pickle_dict(wki_pickle *pickle, bool ordered);

/* GLOBAL and STACK_GLOBAL: pushes the name if it is known. */
wick_status wki_pickle_global(wki_pickle *pickle, const char *module, size_t module_length,
                              const char *name, size_t name_length);
/* REDUCE, BUILD and BINPERSID. */
wick_status wki_pickle_reduce(wki_pickle *pickle);
wick_status wki_pickle_build(wki_pickle *pickle);
wick_status wki_pickle_persistent(wki_pickle *pickle);

#endif
