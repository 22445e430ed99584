/* src/format/pickle.h: the pickle machine, on pickles written by hand. */
#include "format/pickle.h"

#include "format_support.h"

static const uint8_t numbers[64];
static wki_storage storages[2];

/* 'a' is of 64 bytes, 'b' of 10. */
static wki_storage *find(void *user, const char *key, size_t length)
{
    (void)user;
    if (length != 1 || (key[0] != 'a' && key[0] != 'b'))
        return NULL;
    return &storages[key[0] - 'a'];
}

static wick_status run(wick_context *context, const void *pickle, size_t length, wki_pickle **out)
{
    storages[0] = (wki_storage){.bytes = numbers, .length = 64};
    storages[1] = (wki_storage){.bytes = numbers, .length = 10};
    return wki_pickle_read(context, "m.pth", pickle, length, find, NULL, out);
}

static int make_context(void **state)
{
    return wick_context_new((wick_context **)state) == WICK_OK ? 0 : -1;
}

static int free_context(void **state)
{
    wick_context_free(*state);
    return 0;
}

static wki_pickle *takes(wick_context *context, const void *pickle, size_t length)
{
    wki_pickle *out = NULL;
    uint8_t *copy = exact(pickle, length);
    if (run(context, copy, length, &out) != WICK_OK)
        fail_msg("%s", wick_context_message(context));
    /* Texts are in the pickle; the tests here look at none after this. */
    free(copy);
    return out;
}

static void refuses_as(wick_context *context, wick_status wanted, const void *pickle, size_t length,
                       const char *words)
{
    wki_pickle *out = NULL;
    uint8_t *copy = exact(pickle, length);
    wick_status status = run(context, copy, length, &out);
    free(copy);
    if (status != wanted)
        fail_msg("%s, not %s, where the message should have '%s'", wick_status_name(status),
                 wick_status_name(wanted), words);
    assert_null(out);
    assert_says(context, "m.pth: data.pkl: ");
    assert_says(context, words);
}

static void refuses(wick_context *context, const void *pickle, size_t length, const char *words)
{
    refuses_as(context, WICK_EFORMAT, pickle, length, words);
}

static wki_value_kind kind_of(wick_context *context, const void *pickle, size_t length)
{
    wki_pickle *out = takes(context, pickle, length);
    wki_value_kind kind = wki_pickle_value(out)->kind;
    wki_pickle_free(out);
    return kind;
}

static int64_t integer_of(wick_context *context, const void *pickle, size_t length)
{
    wki_pickle *out = takes(context, pickle, length);
    assert_int_equal(wki_pickle_value(out)->kind, WKI_VALUE_INT);
    int64_t integer = wki_pickle_value(out)->integer;
    wki_pickle_free(out);
    return integer;
}

/* ---- plain values ---- */

static void reads_plain_values(void **state)
{
    wick_context *context = *state;
    assert_int_equal(kind_of(context, PICKLE("\x80\2N.")), WKI_VALUE_NONE);
    assert_int_equal(kind_of(context, PICKLE("\x80\2\x88.")), WKI_VALUE_BOOL);
    assert_int_equal(kind_of(context, PICKLE("\x80\2\x89.")), WKI_VALUE_BOOL);
    assert_int_equal(kind_of(context, PICKLE("\x80\2G\x3f\xf0\0\0\0\0\0\0.")), WKI_VALUE_FLOAT);
    assert_int_equal(kind_of(context, PICKLE("\x80\2X\2\0\0\0\xc3\xa4.")), WKI_VALUE_TEXT);
    assert_int_equal(kind_of(context, PICKLE("\x80\4\x8c\2hi.")), WKI_VALUE_TEXT);
    assert_int_equal(kind_of(context, PICKLE("\x80\4\x8d\2\0\0\0\0\0\0\0hi.")), WKI_VALUE_TEXT);
    assert_int_equal(kind_of(context, PICKLE("\x80\3C\2\xff\0.")), WKI_VALUE_BYTES);
    assert_int_equal(kind_of(context, PICKLE("\x80\3B\2\0\0\0\xff\0.")), WKI_VALUE_BYTES);
    assert_int_equal(kind_of(context, PICKLE("\x80\4\x8e\2\0\0\0\0\0\0\0\xff\0.")), WKI_VALUE_BYTES);
    assert_int_equal(kind_of(context, PICKLE("\x80\5\x96\2\0\0\0\0\0\0\0\xff\0.")), WKI_VALUE_BYTES);
    assert_int_equal(kind_of(context, PICKLE("\x80\2].")), WKI_VALUE_LIST);
    assert_int_equal(kind_of(context, PICKLE("\x80\2]Na(NNe.")), WKI_VALUE_LIST);
    assert_int_equal(kind_of(context, PICKLE("\x80\2).")), WKI_VALUE_TUPLE);
    assert_int_equal(kind_of(context, PICKLE("\x80\2}NNs(NNNNu.")), WKI_VALUE_DICT);
    assert_int_equal(kind_of(context, PICKLE("\x80\2" HOOKS ".")), WKI_VALUE_DICT);
    assert_int_equal(kind_of(context, PICKLE("\x80\4\x95\2\0\0\0\0\0\0\0N.")), WKI_VALUE_NONE);
    assert_int_equal(kind_of(context, PICKLE("\x80\2\x8a\x09\0\0\0\0\0\0\0\0\1.")), WKI_VALUE_LONG);
}

static void reads_integers(void **state)
{
    wick_context *context = *state;
    assert_int_equal(integer_of(context, PICKLE("\x80\2K\xff.")), 255);
    assert_int_equal(integer_of(context, PICKLE("\x80\2M\xff\xff.")), 65535);
    assert_int_equal(integer_of(context, PICKLE("\x80\2J\xff\xff\xff\xff.")), -1);
    assert_int_equal(integer_of(context, PICKLE("\x80\2J\0\0\0\x80.")), INT32_MIN);
    assert_int_equal(integer_of(context, PICKLE("\x80\2\x8a\0.")), 0);
    assert_int_equal(integer_of(context, PICKLE("\x80\2\x8a\1\xff.")), -1);
    assert_int_equal(integer_of(context, PICKLE("\x80\2\x8a\2\xff\0.")), 255);
    assert_int_equal(integer_of(context, PICKLE("\x80\2\x8a\5\0\0\0\0\x80.")), -(INT64_C(1) << 39));
    assert_true(integer_of(context, PICKLE("\x80\2\x8a\x8\0\0\0\0\0\0\0\x80.")) == INT64_MIN);
    assert_true(integer_of(context, PICKLE("\x80\2\x8b\x8\0\0\0\xff\xff\xff\xff\xff\xff\xff\x7f.")) ==
                INT64_MAX);
}

static void keeps_tuples_and_dicts(void **state)
{
    wki_pickle *out = takes(*state, PICKLE("\x80\2(K\1K\2\x86K\3\x85N\x88\x89\x87)(K\4NK\5Ntt."));
    const wki_tuple *tuple = wki_pickle_value(out)->tuple;
    static const size_t counts[] = {2, 1, 3, 0, 4};
    assert_int_equal(tuple->count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(tuple->items[i].kind, WKI_VALUE_TUPLE);
        assert_int_equal(tuple->items[i].tuple->count, counts[i]);
    }
    assert_int_equal(tuple->items[0].tuple->items[1].integer, 2);
    wki_pickle_free(out);

    out = takes(*state, PICKLE("\x80\2}K\1K\2s(K\3K\4K\5}K\6Nsu."));
    const wki_dict *dict = wki_pickle_value(out)->dict;
    assert_int_equal(dict->count, 3);
    assert_false(dict->ordered);
    assert_int_equal(dict->pairs[0].key.integer, 1);
    assert_int_equal(dict->pairs[1].value.integer, 4);
    assert_int_equal(dict->pairs[2].value.dict->count, 1);
    wki_pickle_free(out);
}

static void remembers(void **state)
{
    static const struct {
        const char *pickle;
        size_t length;
    } pickles[] = {
        {PICKLE("\x80\2K\7q\0K\x8q\1\x86q\2h\1h\0h\2\x87\x86.")},
        {PICKLE("\x80\2K\7r\0\0\0\0K\x8r\1\0\0\0\x86r\2\0\0\0j\1\0\0\0j\0\0\0\0j\2\0\0\0\x87\x86.")},
        {PICKLE("\x80\4K\7\x94K\x8\x94\x86\x94h\1h\0h\2\x87\x86.")}};
    for (size_t i = 0; i < WKI_COUNT(pickles); i++) {
        wki_pickle *out = takes(*state, pickles[i].pickle, pickles[i].length);
        const wki_tuple *both = wki_pickle_value(out)->tuple, *got = both->items[1].tuple;
        assert_int_equal(both->items[0].tuple->items[0].integer, 7);
        assert_int_equal(got->items[0].integer, 8);
        assert_int_equal(got->items[1].integer, 7);
        assert_ptr_equal(got->items[2].tuple, both->items[0].tuple);
        wki_pickle_free(out);
    }
}

/* ---- hostile pickles ---- */

static void refuses_to_call(void **state)
{
    wick_context *context = *state;
    refuses(
        context, PICKLE("\x80\2cos\nsystem\nX\2\0\0\0ls\x85R."),
        "m.pth: data.pkl: byte 2: refuses to build os.system; only tensors and plain values are read");
    refuses(context, PICKLE("\x80\2Ncposix\nsystem\n."), "byte 3: refuses to build posix.system");
    refuses(context, PICKLE("\x80\4\x8c\2os\x8c\6system\x93."), "byte 14: refuses to build os.system");
    refuses(context, PICKLE("\x80\2c__builtin__\neval\n."), "refuses to build __builtin__.eval");
    refuses(context, PICKLE("\x80\2ccollections\nOrderedDict.fromkeys\n."),
            "collections.OrderedDict.fromkeys");
    refuses(context, PICKLE("\x80\4\x8c\5torch\x8c\x4load\x93."), "refuses to build torch.load");
    refuses(context, PICKLE("\x80\2ctorch\nTensor\n."), "refuses to build torch.Tensor");
    refuses(context, PICKLE("\x80\2cos\nOrderedDict\n."), "refuses to build os.OrderedDict");
    refuses(context, PICKLE("\x80\2ctorch.cuda\nFloatStorage\n."),
            "refuses to build torch.cuda.FloatStorage");
    refuses(context, PICKLE("\x80\2ctorch\n_rebuild_tensor_v2\n."),
            "refuses to build torch._rebuild_tensor_v2");
    refuses(context, PICKLE("\x80\2ctorc\nFloatStorage\n."), "refuses to build torc.FloatStorage");
    refuses(context, PICKLE("\x80\2ctorch\nFloatStorages\n."), "refuses to build torch.FloatStorages");
    refuses(context, PICKLE("\x80\2ctorch.FloatStorage\n\n."), "refuses to build torch.FloatStorage.;");
    refuses(context, PICKLE("\x80\2c\n\n."), "refuses to build .;");
    refuses(context, PICKLE("\x80\2co\x1b[2J\xffs\nsystem\n."), "refuses to build o?[2J?s.system");
    /* Longer than a message. */
    buffer pickle = {0};
    put(&pickle, "\x80\2c", 3);
    for (int i = 0; i < 5000; i++)
        put(&pickle, "longer", 6);
    put(&pickle, "\nname\n.", 7);
    refuses(context, pickle.bytes, pickle.length, "longerlongerlong");
    assert_says(context, "....name; only");
    release(&pickle);
}

static void refuses_classes(void **state)
{
    wick_context *context = *state;
    refuses(context, PICKLE("\x80\2ctorch.nn.modules.linear\nLinear\n)\x81."),
            "torch.nn.modules.linear.Linear");
    refuses(context, PICKLE("\x80\2ccollections\nOrderedDict\n)\x81."),
            "byte 28: refuses the opcode NEWOBJ;");
    refuses(context, PICKLE("\x80\2(icollections\nOrderedDict\n."), "refuses the opcode INST;");
    refuses(context, PICKLE("\x80\2(ccollections\nOrderedDict\no."), "refuses the opcode OBJ;");
    refuses(context, PICKLE("\x80\2\x82\1."), "refuses the opcode EXT1;");
    refuses(context, PICKLE("\x80\2ctorch\nFloatStorage\n)R."), "refuses to call a storage");
    refuses(context, PICKLE("\x80\2ccollections\nOrderedDict\nK\1\x85R."),
            "an OrderedDict is made with arguments");
    refuses(context, PICKLE("\x80\2ccollections\nOrderedDict\n]R."),
            "takes a list where a tuple must be");
    refuses(context, PICKLE("\x80\2K\1)R."), "takes an int where a name must be");
    refuses(context, PICKLE("\x80\2X\2\0\0\0os)R."), "takes text where a name must be");
    refuses(context, PICKLE("\x80\2}}b."), "sets attributes of a dict; only an OrderedDict has any");
    refuses(context, PICKLE("\x80\2" HOOKS "K\1b."), "takes an int where a dict must be");
    refuses(context, PICKLE("\x80\2]}b."), "takes a list where a dict must be");
    refuses(context, PICKLE("\x80\2ctorch\nFloatStorage\n}b."), "takes a name where a dict must be");
    refuses(context, PICKLE("\x80\4K\1\x8c\1a\x93."), "takes an int where text must be");
    refuses(context, PICKLE("\x80\2ccollections\nOrderedDict"), "the pickle ends within an opcode");
    refuses(context, PICKLE("\x80\2ccollections"), "the pickle ends within an opcode");
    assert_int_equal(kind_of(context, PICKLE("\x80\2" HOOKS "}X\1\0\0\0aNsb.")), WKI_VALUE_DICT);
}

static void refuses_missing_memos(void **state)
{
    wick_context *context = *state;
    refuses(context, PICKLE("\x80\2h\0."), "byte 2: refers to memo 0, which is not there; there are 0");
    refuses(context, PICKLE("\x80\2Nq\0h\1."),
            "byte 5: refers to memo 1, which is not there; there are 1");
    refuses(context, PICKLE("\x80\2j\xff\xff\xff\xff."),
            "refers to memo 4294967295, which is not there");
    refuses(context, PICKLE("\x80\2Nq\1."), "puts memo 1 where memo 0 comes next");
    refuses(context, PICKLE("\x80\2Nr\xff\xff\xff\xff."),
            "puts memo 4294967295 where memo 0 comes next");
    refuses(context, PICKLE("\x80\2Nq\0q\0."), "puts memo 0 where memo 1 comes next");
    refuses(context, PICKLE("\x80\2q\0."), "takes a value from an empty stack");
    refuses(context, PICKLE("\x80\4\x94."), "takes a value from an empty stack");
    refuses(context, PICKLE("\x80\2(q\0."), "takes a mark for a value");
}

static void refuses_items_of_others(void **state)
{
    wick_context *context = *state;
    refuses(context, PICKLE("\x80\2]K\1K\2s."), "byte 7: takes a list where a dict must be");
    refuses(context, PICKLE("\x80\2K\1K\1K\2s."), "takes an int where a dict must be");
    refuses(context, PICKLE("\x80\2N(K\1K\2u."), "takes None where a dict must be");
    refuses(context, PICKLE("\x80\2ccollections\nOrderedDict\nNNs."),
            "takes a name where a dict must be");
    refuses(context, PICKLE("\x80\2)NNs."), "takes a tuple where a dict must be");
    refuses(context, PICKLE("\x80\2" TENSOR("K\0", ")", ")") "NNs."),
            "takes a tensor where a dict must be");
    refuses(context, PICKLE("\x80\2NNs."), "takes a value from an empty stack");
    refuses(context, PICKLE("\x80\2}(NNNu."), "sets a key without a value");
    refuses(context, PICKLE("\x80\2}]Ns."), "takes a list as a key of a dict");
    refuses(context, PICKLE("\x80\2}}Ns."), "takes a dict as a key of a dict");
    refuses(context, PICKLE("\x80\2}u."), "refers to a mark that is not there");
    refuses(context, PICKLE("\x80\2}Na."), "takes a dict where a list must be");
    refuses(context, PICKLE("\x80\2Na."), "takes a value from an empty stack");
    refuses(context, PICKLE("\x80\2)Na."), "takes a tuple where a list must be");
    refuses(context, PICKLE("\x80\2(Ne."), "takes a value from an empty stack");
    refuses(context, PICKLE("\x80\2((Ne."), "takes a mark for a value");
    refuses(context, PICKLE("\x80\2t."), "refers to a mark that is not there");
    refuses(context, PICKLE("\x80\2(N\x86."), "takes a mark for a value");
    refuses(context, PICKLE("\x80\2\x85."), "takes a value from an empty stack");
}

static void refuses_what_contains_itself(void **state)
{
    wick_context *context = *state;
    refuses(context, PICKLE("\x80\2]q\0h\0a."), "byte 7: puts a list inside itself");
    refuses(context, PICKLE("\x80\2}q\0Nh\0s."), "byte 8: puts a dict inside itself");
    refuses(context, PICKLE("\x80\2]q\0\x85h\0Na."),
            "byte 9: changes a list that is inside another value already");
    refuses(context, PICKLE("\x80\2]q\0}q\1Nh\0sa."),
            "byte 12: changes a list that is inside another value already");
    refuses(context, PICKLE("\x80\2}q\0]q\1h\0ah\0Nh\1s."),
            "changes a dict that is inside another value already");
    /* What is whole may be in many places. */
    assert_int_equal(kind_of(context, PICKLE("\x80\2)q\0h\0\x86q\1h\1\x86.")), WKI_VALUE_TUPLE);
    assert_int_equal(kind_of(context, PICKLE("\x80\2}q\0h\0\x86q\1h\1\x86.")), WKI_VALUE_TUPLE);
}

/* A beginning, `count` times a part, and an end. */
static buffer repeat(const char *begin, size_t count, const char *part, const char *end)
{
    buffer pickle = {0};
    size_t length = strlen(part);
    put(&pickle, "\x80\2", 2);
    put(&pickle, begin, strlen(begin));
    pickle.bytes = realloc(pickle.bytes, pickle.length + count * length + 16);
    assert_non_null(pickle.bytes);
    for (size_t i = 0; i < count; i++, pickle.length += length)
        memcpy(pickle.bytes + pickle.length, part, length);
    put(&pickle, end, strlen(end));
    return pickle;
}

static void check_repeat(wick_context *context, wick_status wanted, buffer pickle, const char *words)
{
    if (wanted == WICK_OK)
        wki_pickle_free(takes(context, pickle.bytes, pickle.length));
    else
        refuses_as(context, wanted, pickle.bytes, pickle.length, words);
    release(&pickle);
}

/* Lists in lists: so many are opened, and one fewer closed. */
static buffer nested(size_t depth)
{
    buffer pickle = repeat("]", depth, "]", "");
    for (size_t i = 0; i < depth; i++)
        put(&pickle, "a", 1);
    put(&pickle, ".", 1);
    return pickle;
}

static void refuses_to_nest_without_end(void **state)
{
    wick_context *context = *state;
    const char *deep = "values nest too deep, more than 100";
    check_repeat(context, WICK_OK, nested(100), NULL);
    check_repeat(context, WICK_ELIMIT, nested(101), deep);
    check_repeat(context, WICK_OK, repeat(")", 100, "\x85", "."), NULL);
    check_repeat(context, WICK_ELIMIT, repeat(")", 101, "\x85", "."), deep);
    check_repeat(context, WICK_ELIMIT, repeat("", 1000, "(", ""), deep);
    check_repeat(context, WICK_EFORMAT, repeat("", 1000000, "]", ""),
                 "byte 1000002: the pickle ends without STOP");
}

static void limits_what_a_pickle_takes(void **state)
{
    wick_context *context = *state;
    check_repeat(context, WICK_ELIMIT, repeat("", WKI_PICKLE_OBJECTS + 1, "N", "."),
                 "byte 1048578: too many values on the stack, more than 1048576");
    check_repeat(context, WICK_ELIMIT, repeat("]", WKI_PICKLE_OBJECTS, "}a", "."),
                 "too many values, more than 1048576");
    check_repeat(context, WICK_OK, repeat("]", WKI_PICKLE_OBJECTS - 1, "}a", "."), NULL);
    check_repeat(context, WICK_ELIMIT, repeat("}", WKI_PICKLE_PAIRS + 1, "NNs", "."),
                 "too many items in dicts, more than 1048576");
    check_repeat(context, WICK_OK, repeat("}", WKI_PICKLE_PAIRS, "NNs", "."), NULL);
    check_repeat(context, WICK_ELIMIT, repeat("N", WKI_PICKLE_MEMO + 1, "\x94", "."),
                 "too many memos, more than 4194304");
    check_repeat(context, WICK_ELIMIT, repeat("N", WKI_PICKLE_LENGTH, "N", "."),
                 "m.pth: data.pkl: has 67108868 bytes; at most 67108864 are read");
}

/* ---- framing, opcodes ---- */

static void refuses_bad_framing(void **state)
{
    wick_context *context = *state;
    refuses(context, PICKLE(""), "byte 0: no pickle of protocol 2 or later begins here");
    refuses(context, PICKLE("N."), "byte 0: no pickle of protocol 2 or later begins here");
    refuses(context, PICKLE("\x80"), "byte 0: no pickle of protocol 2 or later begins here");
    refuses(context, PICKLE("\x80\1N."), "byte 0: pickle protocol 1; 2 to 5 are read");
    refuses(context, PICKLE("\x80\6N."), "byte 0: pickle protocol 6; 2 to 5 are read");
    refuses(context, PICKLE("\x80\2\x80\2N."), "byte 2: begins a pickle within a pickle");
    refuses(context, PICKLE("\x80\2"), "byte 2: the pickle ends without STOP");
    refuses(context, PICKLE("\x80\2."), "byte 2: stops with 0 values on the stack; it must be one");
    refuses(context, PICKLE("\x80\2NN."), "byte 4: stops with 2 values on the stack; it must be one");
    refuses(context, PICKLE("\x80\2(."), "stops with 1 values on the stack");
    refuses(context, PICKLE("\x80\2N.N"),
            "byte 3: stops before the end of the pickle, which has 5 bytes");
    refuses(context, PICKLE("\x80\4\x95\3\0\0\0\0\0\0\0N."),
            "a frame of 3 bytes reaches beyond the pickle");
    refuses(context, PICKLE("\x80\4\x95\xff\xff\xff\xff\xff\xff\xff\xffN."),
            "reaches beyond the pickle");
    refuses(context, PICKLE("\x80\2X\xff\xff\xff\xffhi."), "byte 2: the pickle ends within an opcode");
    refuses(context, PICKLE("\x80\4\x8d\xff\xff\xff\xff\xff\xff\xff\xffhi."),
            "the pickle ends within an opcode");
    refuses(context, PICKLE("\x80\2\x8b\xff\xff\xff\xffhi."), "the pickle ends within an opcode");
    refuses(context, PICKLE("\x80\2X\2\0\0\0\xc3\x28."), "byte 2: text that is not UTF-8");
    refuses(context, PICKLE("\x80\2\xff."), "byte 2: 0xff is no opcode of a pickle");
}

/* Every opcode that there is, and every byte that is none: what is not run is refused by name. */
static void refuses_other_opcodes(void **state)
{
    static const char run_ones[] =
        "().BCGJKMNQRX]abcehjqrstu}\x80\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x93\x94\x95\x96";
    int refused = 0, unknown = 0;
    for (int code = 0; code < 256; code++) {
        const char pickle[] = {'\x80', 2, (char)code};
        wki_pickle *out = NULL;
        wick_status status = run(*state, pickle, 3, &out);
        const char *message = wick_context_message(*state);
        assert_int_equal(status, WICK_EFORMAT);
        bool by_name = strstr(message, "byte 2: refuses the opcode ") != NULL;
        bool none = strstr(message, "is no opcode of a pickle") != NULL;
        assert_int_equal(by_name || none, memchr(run_ones, code, sizeof(run_ones) - 1) == NULL);
        refused += by_name;
        unknown += none;
    }
    assert_int_equal(refused, 68 - (int)(sizeof(run_ones) - 1));
    assert_int_equal(unknown, 256 - 68);
}

/* ---- storages ---- */

static void reads_storages(void **state)
{
    static const struct {
        const char *name;
        wki_scalar scalar;
        uint8_t numel; /* in 10 bytes */
    } classes[] = {{"DoubleStorage", WKI_SCALAR_FLOAT64, 1}, {"FloatStorage", WKI_SCALAR_FLOAT32, 2},
                   {"HalfStorage", WKI_SCALAR_FLOAT16, 5},   {"BFloat16Storage", WKI_SCALAR_BFLOAT16, 5},
                   {"LongStorage", WKI_SCALAR_INT64, 1},     {"IntStorage", WKI_SCALAR_INT32, 2},
                   {"ShortStorage", WKI_SCALAR_INT16, 5},    {"CharStorage", WKI_SCALAR_INT8, 10},
                   {"ByteStorage", WKI_SCALAR_UINT8, 10},    {"BoolStorage", WKI_SCALAR_BOOL, 10}};
    for (size_t i = 0; i < WKI_COUNT(classes); i++) {
        for (int off = -1; off <= 1; off++) {
            char pickle[128];
            wki_pickle *out;
            int length = snprintf(pickle, sizeof(pickle),
                                  "\x80\4(\x8c\7storagectorch\n%s\n\x8c\1b\x8c\3cpuK%ctQ.",
                                  classes[i].name, classes[i].numel + off);
            /* A numel of 0 ends the text; it is a byte of the pickle all the same. */
            length = classes[i].numel + off == 0 ? (int)strlen(pickle) + 4 : length;
            wick_status status = run(*state, pickle, (size_t)length, &out);
            assert_int_equal(status, off == 0 ? WICK_OK : WICK_EFORMAT);
            if (off != 0) {
                assert_says(*state, "and has 10 bytes");
                continue;
            }
            assert_int_equal(wki_pickle_value(out)->kind, WKI_VALUE_STORAGE);
            assert_int_equal(storages[1].scalar, classes[i].scalar);
            assert_int_equal(storages[1].numel, classes[i].numel);
            wki_pickle_free(out);
        }
    }
}

static void refuses_bad_storages(void **state)
{
    wick_context *context = *state;
    const char *not = "the persistent id is not ('storage', class, key, location, number of elements)";
    refuses(context, PICKLE("\x80\2" STORAGE("FloatStorage", "X\1\0\0\0c", "K\x10") "."),
            "the storage 'c' is not in the archive");
    refuses(context, PICKLE("\x80\2" STORAGE("FloatStorage", "X\4\0\0\0../a", "K\x10") "."),
            "the storage '../a' is not in the archive");
    refuses(context, PICKLE("\x80\2" STORAGE("FloatStorage", "X\1\0\0\0a", "K\x11") "."),
            "the storage 'a' should have 17 elements of 4 bytes, and has 64 bytes");
    refuses(context, PICKLE("\x80\2" STORAGE("FloatStorage", "X\1\0\0\0a", "J\xff\xff\xff\xff") "."),
            "the storage 'a' should have -1 elements of 4 bytes");
    /* 2^62 + 16 elements of 4 bytes are 64 bytes, if the product overflows. */
    refuses(context,
            PICKLE("\x80\2" STORAGE("FloatStorage", "X\1\0\0\0a", "\x8a\x8\x10\0\0\0\0\0\0\x40") "."),
            "should have 4611686018427387920 elements of 4 bytes");
    refuses(context,
            PICKLE("\x80\2" STORAGE("FloatStorage", "X\1\0\0\0a", "\x8a\x9\x10\0\0\0\0\0\0\0\1") "."),
            not );
    refuses(context, PICKLE("\x80\2" STORAGE("FloatStorage", "K\0", "K\x10") "."), not );
    refuses(context, PICKLE("\x80\2" STORAGE("FloatStorage", "X\1\0\0\0a", "\x88") "."), not );
    refuses(context, PICKLE("\x80\2" STORAGE("FloatStorage", "X\1\0\0\0a", "K\x10N") "."), not );
    refuses(context,
            PICKLE("\x80\2(X\6\0\0\0modulectorch\nFloatStorage\nX\1\0\0\0aX\3\0\0\0cpuK\x10tQ."), not );
    refuses(context,
            PICKLE("\x80\2(X\7\0\0\0storageccollections\nOrderedDict\nX\1\0\0\0aX\3\0\0\0cpuK\x10tQ."),
            not );
    refuses(context, PICKLE("\x80\2(X\7\0\0\0storageNX\1\0\0\0aX\3\0\0\0cpuK\x10tQ."), not );
    refuses(context, PICKLE("\x80\2)Q."), not );
    refuses(context, PICKLE("\x80\2NQ."), "takes None where a tuple must be");
    refuses(context, PICKLE("\x80\2" FLOATS STORAGE("IntStorage", "X\1\0\0\0a", "K\x10") "\x86."),
            "the storage 'a' was of another type before");
}

/* ---- tensors ---- */

static void reads_tensors(void **state)
{
    wick_context *context = *state;
    wki_pickle *out = takes(context, PICKLE("\x80\2" TENSOR("K\3", "K\2K\3\x86", "K\5K\1\x86") "."));
    const wki_pickled_tensor *tensor = wki_pickle_value(out)->tensor;
    assert_int_equal(wki_pickle_value(out)->kind, WKI_VALUE_TENSOR);
    assert_int_equal(tensor->offset, 3);
    assert_int_equal(tensor->numel, 6);
    assert_int_equal(tensor->size->items[1].integer, 3);
    assert_int_equal(tensor->stride->items[0].integer, 5);
    assert_ptr_equal(tensor->storage, &storages[0]);
    assert_int_equal(tensor->storage->scalar, WKI_SCALAR_FLOAT32);
    wki_pickle_free(out);

    out = takes(context, PICKLE("\x80\2ctorch._utils\n_rebuild_parameter\n" TENSOR(
                             "K\0", ")", ")") "\x88" HOOKS "\x87R."));
    assert_int_equal(wki_pickle_value(out)->kind, WKI_VALUE_TENSOR);
    assert_int_equal(wki_pickle_value(out)->tensor->numel, 1);
    wki_pickle_free(out);
}

#define HUGE  "\x8a\x8\xff\xff\xff\xff\xff\xff\xff\x7f" /* 2^63 - 1 */
#define P62   "\x8a\x8\0\0\0\0\0\0\0\x40"
#define P40   "\x8a\6\0\0\0\0\0\1"
#define P32   "\x8a\5\0\0\0\0\1"
#define P31   "\x8a\5\0\0\0\x80\0"
#define MINUS "J\xff\xff\xff\xff"

/* To the last element, and not one further. */
static void reads_tensors_to_the_edge(void **state)
{
    wick_context *context = *state;
    static const struct {
        const char *pickle;
        size_t length;
    } good[] = {
        {PICKLE("\x80\2" TENSOR("K\0", "K\x10\x85", "K\1\x85") ".")},
        {PICKLE("\x80\2" TENSOR("K\xf", ")", ")") ".")},
        {PICKLE("\x80\2" TENSOR("K\0", "K\4K\4\x86", "K\4K\1\x86") ".")},
        {PICKLE("\x80\2" TENSOR("K\xf", P32 "K\1\x86", "K\0" HUGE "\x86") ".")}, /* expanded */
        {PICKLE("\x80\2" TENSOR(P62, "K\0\x85", "K\1\x85") ".")},                /* empty */
        {PICKLE("\x80\2" TENSOR("K\0", P62 "K\0" P62 "\x87", HUGE HUGE HUGE "\x87") ".")},
        {PICKLE("\x80\2" TENSOR("K\0", "(K\1K\1K\1K\1K\1K\1K\1K\1t", "(K\1K\1K\1K\1K\1K\1K\1K\1t") ".")},
    };
    for (size_t i = 0; i < WKI_COUNT(good); i++)
        assert_int_equal(kind_of(context, good[i].pickle, good[i].length), WKI_VALUE_TENSOR);
}

static void refuses_tensors_beyond_their_storage(void **state)
{
    wick_context *context = *state;
    const char *beyond = "a tensor that reaches beyond its storage, which has 16 elements";
    const char *negative = "a tensor whose sizes and strides are not all 0 or more";
    const char *countless = "a tensor of more elements than can be counted";
    refuses(context, PICKLE("\x80\2" TENSOR("K\0", "K\x11\x85", "K\1\x85") "."), beyond);
    refuses(context, PICKLE("\x80\2" TENSOR("K\1", "K\x10\x85", "K\1\x85") "."), beyond);
    refuses(context, PICKLE("\x80\2" TENSOR("K\0", "K\4K\4\x86", "K\5K\1\x86") "."), beyond);
    refuses(context, PICKLE("\x80\2" TENSOR("K\x10", ")", ")") "."), beyond);
    refuses(context, PICKLE("\x80\2" TENSOR(P62, ")", ")") "."), beyond);
    refuses(context, PICKLE("\x80\2" TENSOR(HUGE, "K\2\x85", HUGE "\x85") "."), beyond);
    refuses(context, PICKLE("\x80\2" TENSOR("K\xf", "K\3\x85", HUGE "\x85") "."), beyond);
    refuses(context, PICKLE("\x80\2" TENSOR("K\0", P40 "\x85", P40 "\x85") "."), beyond);
    refuses(context, PICKLE("\x80\2" TENSOR("K\0", P62 "\x85", "K\4\x85") "."), beyond);
    refuses(context, PICKLE("\x80\2" TENSOR(MINUS, ")", ")") "."), "a tensor at a negative offset, -1");
    refuses(context, PICKLE("\x80\2" TENSOR("K\xf", "K\2\x85", MINUS "\x85") "."), negative);
    refuses(context, PICKLE("\x80\2" TENSOR("K\xf", "K\0\x85", MINUS "\x85") "."), negative);
    refuses(context, PICKLE("\x80\2" TENSOR("K\0", MINUS "\x85", "K\1\x85") "."), negative);
    refuses(context, PICKLE("\x80\2" TENSOR("K\0", "\x88\x85", "K\1\x85") "."), negative);
    refuses(context, PICKLE("\x80\2" TENSOR("K\0", "K\1\x85", "N\x85") "."), negative);
    refuses(context, PICKLE("\x80\2" TENSOR("K\0", P62 P62 "\x86", "K\0K\0\x86") "."), countless);
    refuses(context, PICKLE("\x80\2" TENSOR("K\0", P32 P31 "\x86", "K\0K\0\x86") "."), countless);
    refuses(context, PICKLE("\x80\2" TENSOR("K\0", P32 P32 "K\1\x87", "K\0K\0K\0\x87") "."), countless);
    refuses(context, PICKLE("\x80\2" TENSOR("K\0", "K\1\x85", ")") "."),
            "a tensor of 1 sizes and 0 strides");
    refuses_as(context, WICK_ELIMIT,
               PICKLE("\x80\2" TENSOR("K\0", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t",
                                      "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t") "."),
               "a tensor of 9 dimensions; at most 8 are read");
}

static void refuses_other_arguments(void **state)
{
    wick_context *context = *state;
    const char *not =
        "a tensor is not made of (storage, offset, sizes, strides, requires_grad, no hooks)";
    refuses(context, PICKLE("\x80\2" REBUILD ")R."), not );
    refuses(context, PICKLE("\x80\2" REBUILD "(" FLOATS "K\0))\x89tR."), not );
    refuses(context, PICKLE("\x80\2" REBUILD "(" FLOATS "K\0))\x89" HOOKS "NtR."), not );
    refuses(context, PICKLE("\x80\2" REBUILD "(NK\0))\x89" HOOKS "tR."), not );
    refuses(context, PICKLE("\x80\2" REBUILD "(" FLOATS "N))\x89" HOOKS "tR."), not );
    refuses(context, PICKLE("\x80\2" REBUILD "(" FLOATS "K\0])\x89" HOOKS "tR."), not );
    refuses(context, PICKLE("\x80\2" REBUILD "(" FLOATS "K\0)K\1\x89" HOOKS "tR."), not );
    refuses(context, PICKLE("\x80\2" REBUILD "(" FLOATS "K\0))K\0" HOOKS "tR."), not );
    refuses(context, PICKLE("\x80\2" REBUILD "(" FLOATS "K\0))\x89NtR."), not );
    refuses(context, PICKLE("\x80\2" REBUILD "(" FLOATS "K\0))\x89}NNstR."), not );
    not = "a parameter is not made of (tensor, requires_grad, no hooks)";
    refuses(context, PICKLE("\x80\2" PARAMETER ")R."), not );
    refuses(context, PICKLE("\x80\2" PARAMETER FLOATS "\x88" HOOKS "\x87R."), not );
    refuses(context, PICKLE("\x80\2" PARAMETER TENSOR("K\0", ")", ")") "N" HOOKS "\x87R."), not );
    refuses(context, PICKLE("\x80\2" PARAMETER TENSOR("K\0", ")", ")") "\x88N\x87R."), not );
    refuses(context, PICKLE("\x80\2" PARAMETER TENSOR("K\0", ")", ")") "\x88\x86R."), not );
}

/* ---- every byte ---- */

static const char whole[] = "\x80\2}q\0(X\1\0\0\0w" TENSOR(
    "K\0", "K\2K\3\x86",
    "K\3K\1\x86") "q\1X\1\0\0\0v"
                  "h\1X\4\0\0\0rest](K\1M\1\2J\1\2\3\4\x8a\2\1\2G@\t!\xfbTD-\x18N\x88\x89}eu.";

static void refuses_every_prefix(void **state)
{
    size_t length = sizeof(whole) - 1;
    assert_int_equal(kind_of(*state, whole, length), WKI_VALUE_DICT);
    for (size_t cut = 0; cut < length; cut++)
        refuses(*state, whole, cut, "byte ");
}

/* Every byte, and every value of it: refused or read, but nothing else. */
static void survives_every_change(void **state)
{
    size_t length = sizeof(whole) - 1, taken = 0;
    uint8_t *pickle = exact(whole, length);
    for (size_t i = 0; i < length; i++) {
        uint8_t was = pickle[i];
        for (int change = 1; change < 256; change++) {
            wki_pickle *out = NULL;
            pickle[i] = (uint8_t)(was ^ change);
            wick_status status = run(*state, pickle, length, &out);
            assert_true(status == WICK_OK || status == WICK_EFORMAT || status == WICK_ELIMIT);
            assert_int_equal(status == WICK_OK, out != NULL);
            taken += status == WICK_OK;
            wki_pickle_free(out);
        }
        pickle[i] = was;
    }
    assert_true(taken > 100 && taken < length * 255 / 2);
    free(pickle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_plain_values),
        cmocka_unit_test(reads_integers),
        cmocka_unit_test(keeps_tuples_and_dicts),
        cmocka_unit_test(remembers),
        cmocka_unit_test(refuses_to_call),
        cmocka_unit_test(refuses_classes),
        cmocka_unit_test(refuses_missing_memos),
        cmocka_unit_test(refuses_items_of_others),
        cmocka_unit_test(refuses_what_contains_itself),
        cmocka_unit_test(refuses_to_nest_without_end),
        cmocka_unit_test(limits_what_a_pickle_takes),
        cmocka_unit_test(refuses_bad_framing),
        cmocka_unit_test(refuses_other_opcodes),
        cmocka_unit_test(reads_storages),
        cmocka_unit_test(refuses_bad_storages),
        cmocka_unit_test(reads_tensors),
        cmocka_unit_test(reads_tensors_to_the_edge),
        cmocka_unit_test(refuses_tensors_beyond_their_storage),
        cmocka_unit_test(refuses_other_arguments),
        cmocka_unit_test(refuses_every_prefix),
        cmocka_unit_test(survives_every_change),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
