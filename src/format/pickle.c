#include "format/bytes.h"
#include "format/pickle_machine.h"

#include <stdlib.h>
#include <string.h>

typedef wick_status opcode_run(wki_pickle *pickle);

const char *wki_value_name(wki_value_kind kind)
{
    static const char *const names[] = {
        "None",   "a bool",  "an int", "a large int", "a float",   "text",     "bytes",
        "a list", "a tuple", "a dict", "a name",      "a storage", "a tensor", "a mark",
    };
    return names[kind];
}

wick_status wki_pickle_fail(wki_pickle *pickle, wick_status status, const char *format, ...)
{
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return wki_fail(pickle->context, status, "%s: data.pkl: byte %zu: %s", pickle->file,
                    pickle->opcode_at, what);
}

static wick_status out_of_limit(wki_pickle *pickle, const char *what, size_t most)
{
    return wki_pickle_fail(pickle, WICK_ELIMIT, "%s, more than %zu", what, most);
}

/* ---- stack ---- */

wick_status wki_pickle_push(wki_pickle *pickle, wki_value value)
{
    if (pickle->depth == WKI_PICKLE_OBJECTS)
        return out_of_limit(pickle, "too many values on the stack", WKI_PICKLE_OBJECTS);
    WKI_TRY(wki_grow(pickle->context, (void **)&pickle->stack, &pickle->stack_capacity,
                     pickle->depth + 1, sizeof(value), "a pickle's stack"));
    pickle->stack[pickle->depth++] = value;
    return WICK_OK;
}

wick_status wki_pickle_pop(wki_pickle *pickle, wki_value *out)
{
    if (pickle->depth == 0)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "takes a value from an empty stack");
    if (pickle->stack[pickle->depth - 1].kind == WKI_VALUE_MARK)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "takes a mark for a value");
    *out = pickle->stack[--pickle->depth];
    return WICK_OK;
}

wick_status wki_pickle_pop_kind(wki_pickle *pickle, wki_value_kind kind, wki_value *out)
{
    WKI_TRY(wki_pickle_pop(pickle, out));
    if (out->kind != kind)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "takes %s where %s must be",
                               wki_value_name(out->kind), wki_value_name(kind));
    return WICK_OK;
}

/* Looks at the value on top, which must be of that kind. */
static wick_status top_kind(wki_pickle *pickle, wki_value_kind kind, wki_value *out)
{
    WKI_TRY(wki_pickle_pop_kind(pickle, kind, out));
    pickle->depth++;
    return WICK_OK;
}

/* Takes all values above the last mark, and the mark. They stay readable until the next push. */
static wick_status pop_marked(wki_pickle *pickle, const wki_value **items, size_t *count)
{
    size_t at = pickle->depth;
    if (pickle->marks == 0)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "refers to a mark that is not there");
    while (pickle->stack[at - 1].kind != WKI_VALUE_MARK)
        at--;
    *items = pickle->stack + at;
    *count = pickle->depth - at;
    pickle->depth = at - 1;
    pickle->marks--;
    return WICK_OK;
}

/* ---- objects ---- */

wick_status wki_pickle_object(wki_pickle *pickle, wki_value_kind kind, size_t size, void *out)
{
    void *memory = NULL;
    size_t capacity = 0;
    if (pickle->object_count == WKI_PICKLE_OBJECTS)
        return out_of_limit(pickle, "too many values", WKI_PICKLE_OBJECTS);
    WKI_TRY(wki_grow(pickle->context, &memory, &capacity, 1, size, "a pickled value"));
    memset(memory, 0, size);
    wki_object *object = memory;
    object->kind = kind;
    object->next = pickle->objects;
    pickle->objects = object;
    pickle->object_count++;
    *(void **)out = memory;
    return WICK_OK;
}

static bool holds_values(wki_value_kind kind)
{
    return kind == WKI_VALUE_LIST || kind == WKI_VALUE_TUPLE || kind == WKI_VALUE_DICT;
}

/* Puts a value inside another one. From then on it cannot be changed, so that cycles cannot arise, and
 * depth is what it says. */
static wick_status put_inside(wki_pickle *pickle, wki_object *parent, const wki_value *value)
{
    if (!holds_values(value->kind))
        return WICK_OK;
    if (value->object == parent)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "puts %s inside itself",
                               wki_value_name(value->kind));
    if (value->object->depth + 1 > WKI_PICKLE_DEPTH)
        return out_of_limit(pickle, "values nest too deep", WKI_PICKLE_DEPTH);
    value->object->inside = true;
    parent->depth = WKI_MAX(parent->depth, (uint16_t)(value->object->depth + 1));
    return WICK_OK;
}

static wick_status check_open(wki_pickle *pickle, const wki_object *object)
{
    if (object->inside)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "changes %s that is inside another value already",
                               wki_value_name(object->kind));
    return WICK_OK;
}

static wick_status make_tuple(wki_pickle *pickle, const wki_value *items, size_t count)
{
    wki_tuple *tuple = &pickle->empty;
    if (count > 0) {
        WKI_TRY(
            wki_pickle_object(pickle, WKI_VALUE_TUPLE, sizeof(*tuple) + count * sizeof(*items), &tuple));
        tuple->count = count;
        tuple->items = (wki_value *)(tuple + 1);
        memcpy(tuple->items, items, count * sizeof(*items));
    }
    for (size_t i = 0; i < count; i++)
        WKI_TRY(put_inside(pickle, &tuple->object, &tuple->items[i]));
    return wki_pickle_push(pickle, (wki_value){.kind = WKI_VALUE_TUPLE, .tuple = tuple});
}

wick_status wki_pickle_dict(wki_pickle *pickle, bool ordered)
{
    wki_dict *dict;
    WKI_TRY(wki_pickle_object(pickle, WKI_VALUE_DICT, sizeof(*dict), &dict));
    dict->ordered = ordered;
    return wki_pickle_push(pickle, (wki_value){.kind = WKI_VALUE_DICT, .dict = dict});
}

/* Sets keys of the dict on top: items are key, value, key, value. */
static wick_status set_items(wki_pickle *pickle, const wki_value *items, size_t count)
{
    wki_value dict;
    WKI_TRY(top_kind(pickle, WKI_VALUE_DICT, &dict));
    WKI_TRY(check_open(pickle, dict.object));
    if (count / 2 > WKI_PICKLE_PAIRS - pickle->pair_count)
        return out_of_limit(pickle, "too many items in dicts", WKI_PICKLE_PAIRS);
    WKI_TRY(wki_grow(pickle->context, (void **)&dict.dict->pairs, &dict.dict->capacity,
                     dict.dict->count + count / 2, sizeof(wki_pair), "a pickled dict"));
    for (size_t i = 0; i < count; i += 2) {
        wki_pair pair = {items[i], items[i + 1]};
        if (pair.key.kind > WKI_VALUE_BYTES && pair.key.kind != WKI_VALUE_TUPLE)
            return wki_pickle_fail(pickle, WICK_EFORMAT, "takes %s as a key of a dict",
                                   wki_value_name(pair.key.kind));
        WKI_TRY(put_inside(pickle, dict.object, &pair.key));
        WKI_TRY(put_inside(pickle, dict.object, &pair.value));
        dict.dict->pairs[dict.dict->count++] = pair;
        pickle->pair_count++;
    }
    return WICK_OK;
}

static wick_status append_items(wki_pickle *pickle, const wki_value *items, size_t count)
{
    wki_value list;
    WKI_TRY(top_kind(pickle, WKI_VALUE_LIST, &list));
    WKI_TRY(check_open(pickle, list.object));
    for (size_t i = 0; i < count; i++)
        WKI_TRY(put_inside(pickle, list.object, &items[i]));
    return WICK_OK;
}

/* ---- operands ---- */

static wick_status take(wki_pickle *pickle, uint64_t length, const uint8_t **out)
{
    if (length > pickle->length - pickle->at)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "the pickle ends within an opcode");
    *out = pickle->bytes + pickle->at;
    pickle->at += (size_t)length;
    return WICK_OK;
}

/* A little-endian number of `size` bytes without a sign. */
static wick_status take_number(wki_pickle *pickle, int size, uint64_t *out)
{
    const uint8_t *bytes;
    WKI_TRY(take(pickle, (uint64_t)size, &bytes));
    *out = 0;
    for (int i = size; i > 0; i--)
        *out = *out << 8 | bytes[i - 1];
    return WICK_OK;
}

/* A length of `size` bytes, and so many bytes. */
static wick_status take_counted(wki_pickle *pickle, int size, const uint8_t **out, size_t *length)
{
    uint64_t count;
    WKI_TRY(take_number(pickle, size, &count));
    WKI_TRY(take(pickle, count, out));
    *length = (size_t)count;
    return WICK_OK;
}

static wick_status push_plain(wki_pickle *pickle, wki_value_kind kind, int64_t integer)
{
    return wki_pickle_push(pickle, (wki_value){.kind = kind, .integer = integer});
}

static wick_status push_text(wki_pickle *pickle, int size)
{
    const uint8_t *text;
    size_t length;
    WKI_TRY(take_counted(pickle, size, &text, &length));
    if (!wki_utf8_valid(text, length))
        return wki_pickle_fail(pickle, WICK_EFORMAT, "text that is not UTF-8");
    return wki_pickle_push(pickle,
                           (wki_value){WKI_VALUE_TEXT, (uint32_t)length, {.text = (const char *)text}});
}

static wick_status push_bytes(wki_pickle *pickle, int size)
{
    const uint8_t *bytes;
    size_t length;
    WKI_TRY(take_counted(pickle, size, &bytes, &length));
    return wki_pickle_push(
        pickle, (wki_value){WKI_VALUE_BYTES, (uint32_t)length, {.text = (const char *)bytes}});
}

/* A two's complement number of any length. */
static wick_status push_long(wki_pickle *pickle, int size)
{
    const uint8_t *bytes;
    size_t length;
    WKI_TRY(take_counted(pickle, size, &bytes, &length));
    if (length > 8)
        return push_plain(pickle, WKI_VALUE_LONG, 0);
    uint64_t number = length > 0 && bytes[length - 1] >= 0x80 ? UINT64_MAX : 0;
    for (size_t i = length; i > 0; i--)
        number = number << 8 | bytes[i - 1];
    return push_plain(pickle, WKI_VALUE_INT, (int64_t)number);
}

/* Text up to a newline. */
static wick_status take_line(wki_pickle *pickle, const char **line, size_t *length)
{
    const uint8_t *begin = pickle->bytes + pickle->at;
    const uint8_t *newline = memchr(begin, '\n', pickle->length - pickle->at);
    if (newline == NULL)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "the pickle ends within an opcode");
    *line = (const char *)begin;
    *length = (size_t)(newline - begin);
    pickle->at += *length + 1;
    return WICK_OK;
}

/* ---- opcodes: framing, plain values ---- */

static wick_status run_proto(wki_pickle *pickle)
{
    uint64_t version;
    WKI_TRY(take_number(pickle, 1, &version));
    if (pickle->opcode_at != 0)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "begins a pickle within a pickle");
    if (version < 2 || version > 5)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "pickle protocol %d; 2 to 5 are read",
                               (int)version);
    return WICK_OK;
}

static wick_status run_frame(wki_pickle *pickle)
{
    uint64_t length;
    WKI_TRY(take_number(pickle, 8, &length));
    if (length > pickle->length - pickle->at)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "a frame of %llu bytes reaches beyond the pickle",
                               (unsigned long long)length);
    return WICK_OK;
}

static wick_status run_stop(wki_pickle *pickle)
{
    if (pickle->depth != 1 || pickle->marks != 0)
        return wki_pickle_fail(pickle, WICK_EFORMAT,
                               "stops with %zu values on the stack; it must be one", pickle->depth);
    if (pickle->at != pickle->length)
        return wki_pickle_fail(pickle, WICK_EFORMAT,
                               "stops before the end of the pickle, which has %zu bytes",
                               pickle->length);
    pickle->stopped = true;
    return WICK_OK;
}

static wick_status run_none(wki_pickle *pickle)
{
    return push_plain(pickle, WKI_VALUE_NONE, 0);
}

static wick_status run_true(wki_pickle *pickle)
{
    return push_plain(pickle, WKI_VALUE_BOOL, 1);
}

static wick_status run_false(wki_pickle *pickle)
{
    return push_plain(pickle, WKI_VALUE_BOOL, 0);
}

static wick_status run_binint(wki_pickle *pickle)
{
    uint64_t number;
    WKI_TRY(take_number(pickle, 4, &number));
    return push_plain(pickle, WKI_VALUE_INT, (int32_t)(uint32_t)number);
}

static wick_status run_binint1(wki_pickle *pickle)
{
    uint64_t number;
    WKI_TRY(take_number(pickle, 1, &number));
    return push_plain(pickle, WKI_VALUE_INT, (int64_t)number);
}

static wick_status run_binint2(wki_pickle *pickle)
{
    uint64_t number;
    WKI_TRY(take_number(pickle, 2, &number));
    return push_plain(pickle, WKI_VALUE_INT, (int64_t)number);
}

static wick_status run_long1(wki_pickle *pickle)
{
    return push_long(pickle, 1);
}

static wick_status run_long4(wki_pickle *pickle)
{
    return push_long(pickle, 4);
}

static wick_status run_binfloat(wki_pickle *pickle)
{
    const uint8_t *bytes;
    WKI_TRY(take(pickle, 8, &bytes));
    return push_plain(pickle, WKI_VALUE_FLOAT, 0);
}

static wick_status run_unicode1(wki_pickle *pickle)
{
    return push_text(pickle, 1);
}

static wick_status run_unicode4(wki_pickle *pickle)
{
    return push_text(pickle, 4);
}

static wick_status run_unicode8(wki_pickle *pickle)
{
    return push_text(pickle, 8);
}

static wick_status run_bytes1(wki_pickle *pickle)
{
    return push_bytes(pickle, 1);
}

static wick_status run_bytes4(wki_pickle *pickle)
{
    return push_bytes(pickle, 4);
}

static wick_status run_bytes8(wki_pickle *pickle)
{
    return push_bytes(pickle, 8);
}

/* ---- opcodes: containers ---- */

static wick_status run_mark(wki_pickle *pickle)
{
    if (pickle->marks > WKI_PICKLE_DEPTH)
        return out_of_limit(pickle, "values nest too deep", WKI_PICKLE_DEPTH);
    pickle->marks++;
    return push_plain(pickle, WKI_VALUE_MARK, 0);
}

static wick_status run_empty_list(wki_pickle *pickle)
{
    wki_object *list;
    WKI_TRY(wki_pickle_object(pickle, WKI_VALUE_LIST, sizeof(*list), &list));
    return wki_pickle_push(pickle, (wki_value){.kind = WKI_VALUE_LIST, .object = list});
}

static wick_status run_empty_dict(wki_pickle *pickle)
{
    return wki_pickle_dict(pickle, false);
}

static wick_status run_empty_tuple(wki_pickle *pickle)
{
    return make_tuple(pickle, NULL, 0);
}

static wick_status run_append(wki_pickle *pickle)
{
    wki_value item;
    WKI_TRY(wki_pickle_pop(pickle, &item));
    return append_items(pickle, &item, 1);
}

static wick_status run_appends(wki_pickle *pickle)
{
    const wki_value *items;
    size_t count;
    WKI_TRY(pop_marked(pickle, &items, &count));
    return append_items(pickle, items, count);
}

static wick_status run_setitem(wki_pickle *pickle)
{
    wki_value pair[2];
    WKI_TRY(wki_pickle_pop(pickle, &pair[1]));
    WKI_TRY(wki_pickle_pop(pickle, &pair[0]));
    return set_items(pickle, pair, 2);
}

static wick_status run_setitems(wki_pickle *pickle)
{
    const wki_value *items;
    size_t count;
    WKI_TRY(pop_marked(pickle, &items, &count));
    if (count % 2 != 0)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "sets a key without a value");
    return set_items(pickle, items, count);
}

static wick_status run_tuple(wki_pickle *pickle)
{
    const wki_value *items;
    size_t count;
    WKI_TRY(pop_marked(pickle, &items, &count));
    return make_tuple(pickle, items, count);
}

static wick_status tuple_of(wki_pickle *pickle, size_t count)
{
    wki_value items[3];
    for (size_t i = count; i > 0; i--)
        WKI_TRY(wki_pickle_pop(pickle, &items[i - 1]));
    return make_tuple(pickle, items, count);
}

static wick_status run_tuple1(wki_pickle *pickle)
{
    return tuple_of(pickle, 1);
}

static wick_status run_tuple2(wki_pickle *pickle)
{
    return tuple_of(pickle, 2);
}

static wick_status run_tuple3(wki_pickle *pickle)
{
    return tuple_of(pickle, 3);
}

/* ---- opcodes: memo, names ---- */

static wick_status memoize(wki_pickle *pickle)
{
    wki_value value;
    WKI_TRY(wki_pickle_pop(pickle, &value));
    pickle->depth++;
    if (pickle->memo_count == WKI_PICKLE_MEMO)
        return out_of_limit(pickle, "too many memos", WKI_PICKLE_MEMO);
    WKI_TRY(wki_grow(pickle->context, (void **)&pickle->memo, &pickle->memo_capacity,
                     pickle->memo_count + 1, sizeof(value), "a pickle's memo"));
    pickle->memo[pickle->memo_count++] = value;
    return WICK_OK;
}

/* Every pickler numbers its memos 0, 1, 2, ...; another number would only make room for tricks. */
static wick_status put_memo(wki_pickle *pickle, int size)
{
    uint64_t index;
    WKI_TRY(take_number(pickle, size, &index));
    if (index != pickle->memo_count)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "puts memo %llu where memo %zu comes next",
                               (unsigned long long)index, pickle->memo_count);
    return memoize(pickle);
}

static wick_status get_memo(wki_pickle *pickle, int size)
{
    uint64_t index;
    WKI_TRY(take_number(pickle, size, &index));
    if (index >= pickle->memo_count)
        return wki_pickle_fail(pickle, WICK_EFORMAT,
                               "refers to memo %llu, which is not there; there are %zu",
                               (unsigned long long)index, pickle->memo_count);
    return wki_pickle_push(pickle, pickle->memo[index]);
}

static wick_status run_binput(wki_pickle *pickle)
{
    return put_memo(pickle, 1);
}

static wick_status run_long_binput(wki_pickle *pickle)
{
    return put_memo(pickle, 4);
}

static wick_status run_binget(wki_pickle *pickle)
{
    return get_memo(pickle, 1);
}

static wick_status run_long_binget(wki_pickle *pickle)
{
    return get_memo(pickle, 4);
}

static wick_status run_global(wki_pickle *pickle)
{
    const char *module, *name;
    size_t module_length, name_length;
    WKI_TRY(take_line(pickle, &module, &module_length));
    WKI_TRY(take_line(pickle, &name, &name_length));
    return wki_pickle_global(pickle, module, module_length, name, name_length);
}

static wick_status run_stack_global(wki_pickle *pickle)
{
    wki_value module, name;
    WKI_TRY(wki_pickle_pop_kind(pickle, WKI_VALUE_TEXT, &name));
    WKI_TRY(wki_pickle_pop_kind(pickle, WKI_VALUE_TEXT, &module));
    return wki_pickle_global(pickle, module.text, module.length, name.text, name.length);
}

/* ---- the machine ---- */

/* All of pickle's opcodes; those without a function are refused by name. */
static const struct opcode {
    uint8_t code;
    const char *name;
    opcode_run *run;
} opcodes[] = {
    {'(', "MARK", run_mark},
    {')', "EMPTY_TUPLE", run_empty_tuple},
    {'.', "STOP", run_stop},
    {'0', "POP", NULL},
    {'1', "POP_MARK", NULL},
    {'2', "DUP", NULL},
    {'B', "BINBYTES", run_bytes4},
    {'C', "SHORT_BINBYTES", run_bytes1},
    {'F', "FLOAT", NULL},
    {'G', "BINFLOAT", run_binfloat},
    {'I', "INT", NULL},
    {'J', "BININT", run_binint},
    {'K', "BININT1", run_binint1},
    {'L', "LONG", NULL},
    {'M', "BININT2", run_binint2},
    {'N', "NONE", run_none},
    {'P', "PERSID", NULL},
    {'Q', "BINPERSID", wki_pickle_persistent},
    {'R', "REDUCE", wki_pickle_reduce},
    {'S', "STRING", NULL},
    {'T', "BINSTRING", NULL},
    {'U', "SHORT_BINSTRING", NULL},
    {'V', "UNICODE", NULL},
    {'X', "BINUNICODE", run_unicode4},
    {']', "EMPTY_LIST", run_empty_list},
    {'a', "APPEND", run_append},
    {'b', "BUILD", wki_pickle_build},
    {'c', "GLOBAL", run_global},
    {'d', "DICT", NULL},
    {'e', "APPENDS", run_appends},
    {'g', "GET", NULL},
    {'h', "BINGET", run_binget},
    {'i', "INST", NULL},
    {'j', "LONG_BINGET", run_long_binget},
    {'l', "LIST", NULL},
    {'o', "OBJ", NULL},
    {'p', "PUT", NULL},
    {'q', "BINPUT", run_binput},
    {'r', "LONG_BINPUT", run_long_binput},
    {'s', "SETITEM", run_setitem},
    {'t', "TUPLE", run_tuple},
    {'u', "SETITEMS", run_setitems},
    {'}', "EMPTY_DICT", run_empty_dict},
    {0x80, "PROTO", run_proto},
    {0x81, "NEWOBJ", NULL},
    {0x82, "EXT1", NULL},
    {0x83, "EXT2", NULL},
    {0x84, "EXT4", NULL},
    {0x85, "TUPLE1", run_tuple1},
    {0x86, "TUPLE2", run_tuple2},
    {0x87, "TUPLE3", run_tuple3},
    {0x88, "NEWTRUE", run_true},
    {0x89, "NEWFALSE", run_false},
    {0x8a, "LONG1", run_long1},
    {0x8b, "LONG4", run_long4},
    {0x8c, "SHORT_BINUNICODE", run_unicode1},
    {0x8d, "BINUNICODE8", run_unicode8},
    {0x8e, "BINBYTES8", run_bytes8},
    {0x8f, "EMPTY_SET", NULL},
    {0x90, "ADDITEMS", NULL},
    {0x91, "FROZENSET", NULL},
    {0x92, "NEWOBJ_EX", NULL},
    {0x93, "STACK_GLOBAL", run_stack_global},
    {0x94, "MEMOIZE", memoize},
    {0x95, "FRAME", run_frame},
    {0x96, "BYTEARRAY8", run_bytes8},
    {0x97, "NEXT_BUFFER", NULL},
    {0x98, "READONLY_BUFFER", NULL},
};

static const struct opcode *find_opcode(uint8_t code)
{
    size_t low = 0, high = WKI_COUNT(opcodes);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (opcodes[middle].code == code)
            return &opcodes[middle];
        if (opcodes[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static wick_status run_opcode(wki_pickle *pickle)
{
    uint8_t code = pickle->bytes[pickle->at];
    const struct opcode *opcode = find_opcode(code);
    pickle->opcode_at = pickle->at++;
    if (opcode == NULL)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "0x%02x is no opcode of a pickle", code);
    if (opcode->run == NULL)
        return wki_pickle_fail(pickle, WICK_EFORMAT,
                               "refuses the opcode %s; only tensors and plain values are read",
                               opcode->name);
    return opcode->run(pickle);
}

static wick_status run(wki_pickle *pickle)
{
    if (pickle->length > WKI_PICKLE_LENGTH)
        return wki_fail(pickle->context, WICK_ELIMIT, "%s: data.pkl: has %zu bytes; at most %d are read",
                        pickle->file, pickle->length, WKI_PICKLE_LENGTH);
    if (pickle->length < 2 || pickle->bytes[0] != 0x80)
        return wki_pickle_fail(pickle, WICK_EFORMAT, "no pickle of protocol 2 or later begins here");
    while (!pickle->stopped) {
        if (pickle->at == pickle->length) {
            pickle->opcode_at = pickle->at;
            return wki_pickle_fail(pickle, WICK_EFORMAT, "the pickle ends without STOP");
        }
        WKI_TRY(run_opcode(pickle));
    }
    return WICK_OK;
}

wick_status wki_pickle_read(wick_context *context, const char *file, const uint8_t *bytes, size_t length,
                            wki_storage_finder *find, void *user, wki_pickle **out)
{
    void *memory;
    WKI_TRY(wki_alloc(context, 1, sizeof(wki_pickle), "a pickle", &memory));
    wki_pickle *pickle = memory;
    pickle->context = context;
    pickle->file = file;
    pickle->bytes = bytes;
    pickle->length = length;
    pickle->empty.object.kind = WKI_VALUE_TUPLE;
    pickle->find = find;
    pickle->user = user;
    wick_status status = run(pickle);
    if (status == WICK_OK)
        *out = pickle;
    else
        wki_pickle_free(pickle);
    return status;
}

const wki_value *wki_pickle_value(const wki_pickle *pickle)
{
    return &pickle->stack[0];
}

void wki_pickle_free(wki_pickle *pickle)
{
    if (pickle == NULL)
        return;
    for (wki_object *object = pickle->objects, *next; object != NULL; object = next) {
        next = object->next;
        if (object->kind == WKI_VALUE_DICT)
            free(((wki_dict *)object)->pairs);
        free(object);
    }
    free(pickle->stack);
    free(pickle->memo);
    free(pickle);
}
