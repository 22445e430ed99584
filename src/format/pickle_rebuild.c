/* What PyTorch's names come to: dicts, storages, and tensors whose every element is inside their
 * storage. */
#include "format/bytes.h"
#include "format/pickle_machine.h"
#include "tensor/tensor_internal.h"

#include <string.h>

enum { ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER, FIRST_STORAGE };

/* The only names there are. A storage's number is FIRST_STORAGE and its scalar. */
static const struct known {
    const char *module, *name;
    int number;
} known[] = {{"collections", "OrderedDict", ORDERED_DICT},
             {"torch._utils", "_rebuild_tensor_v2", REBUILD_TENSOR},
             {"torch._utils", "_rebuild_parameter", REBUILD_PARAMETER},
#define KNOWN_STORAGE(name, class, size) {"torch", class, FIRST_STORAGE + WKI_SCALAR_##name},
             WKI_SCALAR_LIST(KNOWN_STORAGE)
#undef KNOWN_STORAGE
};

static bool is_word(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(text, word, length) == 0;
}

wick_status wki_pickle_global(wki_pickle *pickle, const char *module, size_t module_length,
                              const char *name, size_t name_length)
{
    for (size_t i = 0; i < WKI_COUNT(known); i++)
        if (is_word(module, module_length, known[i].module) && is_word(name, name_length, known[i].name))
            return wki_pickle_push(pickle,
                                   (wki_value){.kind = WKI_VALUE_GLOBAL, .integer = known[i].number});
    char quoted[2][WKI_QUOTED];
    return wki_pickle_fail(
        pickle, WICK_EFORMAT, "refuses to build %s.%s; only tensors and plain values are read",
        wki_quote(module, module_length, quoted[0]), wki_quote(name, name_length, quoted[1]));
}

/* ---- storages ---- */

/* ('storage', class, key, location, numel): what torch.save's persistent ids are. The location, such as
 * 'cuda:0', is where the tensor was; it comes to this device. */
wick_status wki_pickle_persistent(wki_pickle *pickle)
{
    wki_value id;
    WKI_TRY(wki_pickle_pop_kind(pickle, WKI_VALUE_TUPLE, &id));
    const wki_value *item = id.tuple->items;
    if (id.tuple->count != 5 || item[0].kind != WKI_VALUE_TEXT || item[1].kind != WKI_VALUE_GLOBAL ||
        item[2].kind != WKI_VALUE_TEXT || item[3].kind != WKI_VALUE_TEXT ||
        item[4].kind != WKI_VALUE_INT || !is_word(item[0].text, item[0].length, "storage") ||
        item[1].integer < FIRST_STORAGE)
        return wki_pickle_fail(
            pickle, WICK_EFORMAT,
            "the persistent id is not ('storage', class, key, location, number of elements)");
    char key[WKI_QUOTED];
    wki_quote(item[2].text, item[2].length, key);
    wki_scalar scalar = (wki_scalar)(item[1].integer - FIRST_STORAGE);
    wki_storage *storage = pickle->find(pickle->user, item[2].text, item[2].length);
    if (storage == NULL)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "the storage '%s' is not in the archive", key);
    if ((uint64_t)item[4].integer != storage->length / wki_scalar_size(scalar))
        return wki_pickle_fail(
            pickle, WICK_EFORMAT,
            "the storage '%s' should have %lld elements of %zu bytes, and has %llu bytes", key,
            (long long)item[4].integer, wki_scalar_size(scalar), (unsigned long long)storage->length);
    if (storage->named && storage->scalar != scalar)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "the storage '%s' was of another type before", key);
    storage->named = true;
    storage->scalar = scalar;
    storage->numel = (uint64_t)item[4].integer;
    return wki_pickle_push(pickle, (wki_value){.kind = WKI_VALUE_STORAGE, .storage = storage});
}

/* ---- tensors ---- */

static bool all_sizes(const wki_tuple *tuple)
{
    for (size_t i = 0; i < tuple->count; i++)
        if (tuple->items[i].kind != WKI_VALUE_INT || tuple->items[i].integer < 0)
            return false;
    return true;
}

/* The number of elements; false if it does not fit 63 bits. */
static bool count_elements(const wki_tuple *size, uint64_t *out)
{
    uint64_t numel = 1;
    for (size_t i = 0; i < size->count; i++)
        if (size->items[i].integer == 0)
            return *out = 0, true;
    for (size_t i = 0; i < size->count; i++)
        if (!wki_mul_u64(numel, (uint64_t)size->items[i].integer, &numel) || numel > INT64_MAX)
            return false;
    return *out = numel, true;
}

/* The place of the last element in the storage, which is the largest of all as no stride is negative. */
static bool last_element(const wki_pickled_tensor *tensor, uint64_t *out)
{
    uint64_t last = tensor->offset;
    for (size_t i = 0; i < tensor->size->count; i++) {
        uint64_t step = (uint64_t)tensor->size->items[i].integer - 1, way;
        if (!wki_mul_u64(step, (uint64_t)tensor->stride->items[i].integer, &way) ||
            !wki_add_u64(last, way, &last))
            return false;
    }
    *out = last;
    return true;
}

static wick_status check_tensor(wki_pickle *pickle, wki_pickled_tensor *tensor)
{
    uint64_t last;
    if (tensor->size->count != tensor->stride->count)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "a tensor of %zu sizes and %zu strides",
                               tensor->size->count, tensor->stride->count);
    if (tensor->size->count > WICK_MAX_DIMS)
        return wki_pickle_fail(pickle, WICK_ELIMIT, "a tensor of %zu dimensions; at most %d are read",
                               tensor->size->count, WICK_MAX_DIMS);
    if (!all_sizes(tensor->size) || !all_sizes(tensor->stride))
        return wki_pickle_fail(pickle, WICK_EFORMAT,
                               "a tensor whose sizes and strides are not all 0 or more");
    if (!count_elements(tensor->size, &tensor->numel))
        return wki_pickle_fail(pickle, WICK_EFORMAT, "a tensor of more elements than can be counted");
    if (tensor->numel == 0)
        return WICK_OK;
    if (!last_element(tensor, &last) || last >= tensor->storage->numel)
        return wki_pickle_fail(pickle, WICK_EFORMAT,
                               "a tensor that reaches beyond its storage, which has %llu elements",
                               (unsigned long long)tensor->storage->numel);
    return WICK_OK;
}

static bool no_hooks(const wki_value *hooks)
{
    return hooks->kind == WKI_VALUE_DICT && hooks->dict->count == 0;
}

/* _rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, backward_hooks) */
static wick_status rebuild_tensor(wki_pickle *pickle, const wki_tuple *args)
{
    const wki_value *arg = args->items;
    wki_pickled_tensor *tensor;
    if (args->count != 6 || arg[0].kind != WKI_VALUE_STORAGE || arg[1].kind != WKI_VALUE_INT ||
        arg[2].kind != WKI_VALUE_TUPLE || arg[3].kind != WKI_VALUE_TUPLE ||
        arg[4].kind != WKI_VALUE_BOOL || !no_hooks(&arg[5]))
        return wki_pickle_fail(
            pickle, WICK_EFORMAT,
            "a tensor is not made of (storage, offset, sizes, strides, requires_grad, no hooks)");
    if (arg[1].integer < 0)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "a tensor at a negative offset, %lld",
                               (long long)arg[1].integer);
    WKI_TRY(wki_pickle_object(pickle, WKI_VALUE_TENSOR, sizeof(*tensor), &tensor));
    tensor->storage = arg[0].storage;
    tensor->offset = (uint64_t)arg[1].integer;
    tensor->size = arg[2].tuple;
    tensor->stride = arg[3].tuple;
    WKI_TRY(check_tensor(pickle, tensor));
    return wki_pickle_push(pickle, (wki_value){.kind = WKI_VALUE_TENSOR, .tensor = tensor});
}

/* _rebuild_parameter(data, requires_grad, backward_hooks) */
static wick_status rebuild_parameter(wki_pickle *pickle, const wki_tuple *args)
{
    const wki_value *arg = args->items;
    if (args->count != 3 || arg[0].kind != WKI_VALUE_TENSOR || arg[1].kind != WKI_VALUE_BOOL ||
        !no_hooks(&arg[2]))
        return wki_pickle_fail(pickle, WICK_EFORMAT,
                               "a parameter is not made of (tensor, requires_grad, no hooks)");
    return wki_pickle_push(pickle, arg[0]);
}

/* ---- opcodes ---- */

wick_status wki_pickle_reduce(wki_pickle *pickle)
{
    wki_value args, name;
    WKI_TRY(wki_pickle_pop_kind(pickle, WKI_VALUE_TUPLE, &args));
    WKI_TRY(wki_pickle_pop_kind(pickle, WKI_VALUE_GLOBAL, &name));
    switch (name.integer) {
    case ORDERED_DICT:
        if (args.tuple->count != 0)
            return wki_pickle_fail(pickle, WICK_EFORMAT,
                                   "an OrderedDict is made with arguments; it must have none");
        return wki_pickle_dict(pickle, true);
    case REBUILD_TENSOR:
        return rebuild_tensor(pickle, args.tuple);
    case REBUILD_PARAMETER:
        return rebuild_parameter(pickle, args.tuple);
    default:
        return wki_pickle_fail(pickle, WICK_EFORMAT, "refuses to call a storage");
    }
}

/* An OrderedDict may have attributes, as a state_dict's _metadata. They are dropped. */
wick_status wki_pickle_build(wki_pickle *pickle)
{
    wki_value state, dict;
    WKI_TRY(wki_pickle_pop_kind(pickle, WKI_VALUE_DICT, &state));
    WKI_TRY(wki_pickle_pop_kind(pickle, WKI_VALUE_DICT, &dict));
    if (!dict.dict->ordered)
        return wki_pickle_fail(pickle, WICK_EFORMAT,
                               "sets attributes of a dict; only an OrderedDict has any");
    return wki_pickle_push(pickle, dict);
}
