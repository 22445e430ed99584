/* <wick/checkpoint.h>: round trips, which dict is taken, and files that are not what they should be. */
#include "format/pth.h"

#include "format_support.h"
#include "tensor/tensor_internal.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_context(void **state)
{
    return wick_context_new((wick_context **)state) == WICK_OK ? 0 : -1;
}

static int free_context(void **state)
{
    wick_context_free(*state);
    return 0;
}

/* ---- dicts ---- */

/* Numbers for tests; the seed is printed. */
static uint64_t next(uint64_t *random)
{
    *random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = (*random ^ *random >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb) >> 11;
}

static void add(wick_state_dict *dict, const char *key, wick_dtype dtype, int ndim, const int64_t *shape,
                uint64_t *random)
{
    wick_tensor *tensor;
    wick_context *context = wki_state_dict_context(dict);
    assert_int_equal(wick_tensor_new(context, dtype, ndim, shape, &tensor), WICK_OK);
    uint8_t *bytes = wick_tensor_data(tensor);
    for (size_t i = 0; i < (size_t)wick_tensor_numel(tensor) * wick_dtype_size(dtype); i++)
        bytes[i] = (uint8_t)next(random);
    assert_int_equal(wick_state_dict_add(dict, key, tensor), WICK_OK);
}

static wick_state_dict *make_dict(wick_context *context, uint64_t seed, size_t count)
{
    wick_state_dict *dict;
    assert_int_equal(wick_state_dict_new(context, &dict), WICK_OK);
    for (size_t i = 0; i < count; i++) {
        char key[48];
        int64_t shape[WICK_MAX_DIMS];
        int ndim = (int)(next(&seed) % (WICK_MAX_DIMS + 1));
        for (int k = 0; k < ndim; k++)
            shape[k] =
                (int64_t)(next(&seed) % 4 == 0 ? next(&seed) % (ndim < 3 ? 300 : 4) : next(&seed) % 3);
        snprintf(key, sizeof(key), "layer.%zu.%s", i, next(&seed) % 2 ? "weight" : "\xc3\xa4");
        add(dict, key, (wick_dtype)(next(&seed) % 3), ndim, shape, &seed);
    }
    return dict;
}

/* Bit for bit, NaNs too. */
static void assert_same(const wick_state_dict *a, const wick_state_dict *b)
{
    assert_int_equal(wick_state_dict_count(a), wick_state_dict_count(b));
    for (int64_t i = 0; i < wick_state_dict_count(a); i++) {
        const wick_tensor *x = wick_state_dict_tensor(a, i), *y = wick_state_dict_tensor(b, i);
        assert_string_equal(wick_state_dict_key(a, i), wick_state_dict_key(b, i));
        assert_int_equal(x->dtype, y->dtype);
        assert_int_equal(x->ndim, y->ndim);
        for (int k = 0; k < x->ndim; k++)
            assert_int_equal(x->shape[k], y->shape[k]);
        assert_memory_equal(x->data, y->data, (size_t)x->numel * wick_dtype_size(x->dtype));
    }
}

static buffer save(const wick_state_dict *dict, const char *archive)
{
    buffer out = {0};
    assert_int_equal(wki_pth_write(dict, archive, put_sink, &out), WICK_OK);
    return out;
}

static wick_state_dict *load(wick_context *context, buffer file)
{
    wick_state_dict *dict = NULL;
    uint8_t *bytes = exact(file.bytes, file.length);
    if (wick_load_memory(context, "m.pth", bytes, file.length, &dict) != WICK_OK)
        fail_msg("%s", wick_context_message(context));
    free(bytes);
    return dict;
}

/* The file goes. */
static void refuses_as(wick_context *context, wick_status wanted, buffer file, const char *words)
{
    wick_state_dict *dict = NULL;
    uint8_t *bytes = exact(file.bytes, file.length);
    wick_status status = wick_load_memory(context, "m.pth", bytes, file.length, &dict);
    free(bytes);
    release(&file);
    if (status != wanted)
        fail_msg("%s, not %s, where the message should have '%s'", wick_status_name(status),
                 wick_status_name(wanted), words);
    assert_null(dict);
    assert_says(context, "m.pth: ");
    assert_says(context, words);
}

static void refuses(wick_context *context, buffer file, const char *words)
{
    refuses_as(context, WICK_EFORMAT, file, words);
}

/* ---- round trips ---- */

static void keeps_every_bit(void **state)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        print_message("seed %d\n", (int)seed);
        wick_state_dict *dict = make_dict(*state, seed, seed < 50 ? seed % 7 : 100);
        buffer file = save(dict, "model"), again;
        wick_state_dict *loaded = load(*state, file);
        assert_same(dict, loaded);
        again = save(loaded, "model");
        assert_int_equal(again.length, file.length);
        assert_memory_equal(again.bytes, file.bytes, file.length);
        release(&again);
        release(&file);
        wick_state_dict_free(loaded);
        wick_state_dict_free(dict);
    }
}

/* More than a batch of items, more than 255 memos, and numbers of every width. */
static void keeps_many_and_large(void **state)
{
    const size_t counts[] = {999, 1000, 1001, 2000, 2001};
    for (size_t i = 0; i < WKI_COUNT(counts); i++) {
        wick_state_dict *dict = make_dict(*state, 5, counts[i] - 34), *loaded;
        uint64_t random = 1;
        add(dict, "255", WICK_UINT8, 1, (int64_t[]){255}, &random);
        add(dict, "256", WICK_UINT8, 1, (int64_t[]){256}, &random);
        add(dict, "65536", WICK_UINT8, 2, (int64_t[]){65536, 0}, &random);
        for (int bits = 30; bits < 61; bits++) {
            char key[16];
            snprintf(key, sizeof(key), "2^%d", bits);
            add(dict, key, WICK_UINT8, 3, (int64_t[]){0, INT64_C(1) << bits, 3}, &random);
        }
        buffer file = save(dict, "many");
        /* As Python's pickler does, a thousand at once, and one alone without a mark. */
        const char *end = memmem(file.bytes, file.length, "PK\7\10", 4);
        assert_memory_equal(end - 2, wick_state_dict_count(dict) % 1000 == 1 ? "s." : "u.", 2);
        loaded = load(*state, file);
        assert_same(dict, loaded);
        release(&file);
        wick_state_dict_free(loaded);
        wick_state_dict_free(dict);
    }
}

/* A class of storages that is first named around the 256th memo: so many scalars and vectors are before
 * it. */
static void check_late_memo(wick_context *context, int scalars, int vectors)
{
    wick_state_dict *dict, *loaded;
    uint64_t random = 1;
    assert_int_equal(wick_state_dict_new(context, &dict), WICK_OK);
    for (int i = 0; i < scalars + vectors + 2; i++) {
        char key[16];
        snprintf(key, sizeof(key), "%d", i);
        add(dict, key,
            i < (scalars + vectors) % 2 ? WICK_INT64
            : i < scalars + vectors     ? WICK_FLOAT32
                                        : WICK_UINT8,
            i < scalars ? 0 : 1, (int64_t[]){3}, &random);
    }
    buffer file = save(dict, "m");
    loaded = load(context, file);
    assert_same(dict, loaded);
    release(&file);
    wick_state_dict_free(loaded);
    wick_state_dict_free(dict);
}

static void refers_to_late_memos(void **state)
{
    for (int scalars = 0; scalars < 10; scalars++)
        for (int vectors = 20; vectors < 32; vectors++)
            check_late_memo(*state, scalars, vectors);
}

static void names_the_archive_as_torch_does(void **state)
{
    static const char *const names[][2] = {
        {"model.pth", "model"},
        {"/a/b.c/model.pth", "model"},
        {"a.b.pth", "a.b"},
        {"model", "model"},
        {"a/.pth", "archive"},
        {"", "archive"},
        {"a/", "archive"},
        {"..pth", "archive"},
        {"...pth", "archive"},
        {"a\\b.pth", "b"},
        {"\n.pth", "archive"},
        {"\xff.pth", "archive"},
        {"\xc3\xa4.pth", "\xc3\xa4"},
        {"v0 best.pth", "v0 best"},
    };
    for (size_t i = 0; i < WKI_COUNT(names); i++) {
        char *name;
        assert_int_equal(wki_pth_archive_name(*state, names[i][0], &name), WICK_OK);
        assert_string_equal(name, names[i][1]);
        free(name);
    }
}

/* ---- files ---- */

typedef struct folder {
    char path[64];
} folder;

static folder make_folder(void)
{
    folder made = {"/tmp/wick-format-pth-XXXXXX"};
    assert_non_null(mkdtemp(made.path));
    return made;
}

static char *in_folder(const folder *in, const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", in->path, name);
    return out;
}

static void saves_and_loads_files(void **state)
{
    folder made = make_folder();
    char path[128], other[128];
    wick_state_dict *dict = make_dict(*state, 3, 5), *loaded;
    buffer a = {0}, b = {0};
    assert_int_equal(wick_save(dict, in_folder(&made, "m.pth", path)), WICK_OK);
    assert_int_equal(wick_load(*state, path, &loaded), WICK_OK);
    assert_same(dict, loaded);
    /* The same name elsewhere, and what was loaded, give the same bytes; and a file is replaced. */
    assert_int_equal(mkdir(in_folder(&made, "other", other), 0700), 0);
    assert_int_equal(wick_save(loaded, in_folder(&made, "other/m.pth", other)), WICK_OK);
    assert_int_equal(wick_save(dict, path), WICK_OK);
    assert_int_equal(wki_file_read(*state, path, UINT64_MAX, &a.bytes, &a.length), WICK_OK);
    assert_int_equal(wki_file_read(*state, other, UINT64_MAX, &b.bytes, &b.length), WICK_OK);
    assert_int_equal(a.length, b.length);
    assert_memory_equal(a.bytes, b.bytes, a.length);
    assert_memory_equal(a.bytes + 30, "m/data.pkl", 10);
    release(&a);
    release(&b);
    unlink(path);
    unlink(other);
    rmdir(in_folder(&made, "other", other));
    assert_int_equal(rmdir(made.path), 0);
    wick_state_dict_free(loaded);
    wick_state_dict_free(dict);
}

/* A save that fails leaves the file that was there, and no other. */
static void keeps_the_file_when_a_save_fails(void **state)
{
    folder made = make_folder();
    char path[128];
    wick_state_dict *small = make_dict(*state, 3, 1), *large = make_dict(*state, 4, 1), *loaded;
    uint64_t random = 1;
    struct rlimit limit, old;
    add(large, "large", WICK_FLOAT32, 1, (int64_t[]){100000}, &random);
    assert_int_equal(wick_save(small, in_folder(&made, "m.pth", path)), WICK_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = (struct rlimit){.rlim_cur = 100000, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(wick_save(large, path), WICK_EIO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_says(*state, "m.pth: cannot write");
    assert_int_equal(wick_load(*state, path, &loaded), WICK_OK);
    assert_same(small, loaded);
    unlink(path);
    assert_int_equal(rmdir(made.path), 0);
    wick_state_dict_free(loaded);
    wick_state_dict_free(small);
    wick_state_dict_free(large);
}

static void says_which_file_is_not_there(void **state)
{
    wick_state_dict *dict = NULL;
    assert_int_equal(wick_load(*state, "/no/such/model.pth", &dict), WICK_ENOENT);
    assert_says(*state, "/no/such/model.pth: cannot open");
    assert_int_equal(wick_load(*state, "/tmp", &dict), WICK_EIO);
    assert_null(dict);
    assert_int_equal(wick_state_dict_new(*state, &dict), WICK_OK);
    assert_int_equal(wick_save(dict, "/no/such/model.pth"), WICK_ENOENT);
    assert_says(*state, "/no/such/model.pth");
    wick_state_dict_free(dict);
}

static void refuses_bad_arguments(void **state)
{
    wick_state_dict *dict;
    uint64_t random = 1;
    buffer out = {0};
    assert_int_equal(wick_state_dict_new(*state, &dict), WICK_OK);
    assert_int_equal(wick_save(NULL, "m.pth"), WICK_EINVAL);
    assert_int_equal(wick_save(dict, NULL), WICK_EINVAL);
    assert_int_equal(wick_load(NULL, "m.pth", &dict), WICK_EINVAL);
    assert_int_equal(wick_load(*state, NULL, &dict), WICK_EINVAL);
    assert_int_equal(wick_load(*state, "m.pth", NULL), WICK_EINVAL);
    assert_int_equal(wick_load_memory(NULL, "m.pth", "", 0, &dict), WICK_EINVAL);
    assert_int_equal(wick_load_memory(*state, "m.pth", NULL, 1, &dict), WICK_EINVAL);
    assert_int_equal(wick_load_memory(*state, "m.pth", "", 0, NULL), WICK_EINVAL);
    assert_int_equal(wick_load_memory(*state, NULL, NULL, 0, &dict), WICK_EFORMAT);
    assert_says(*state, "memory: is empty");
    add(dict, "not \xff text", WICK_UINT8, 0, NULL, &random);
    assert_int_equal(wki_pth_write(dict, "m", put_sink, &out), WICK_EINVAL);
    assert_says(*state, "the key 'not ? text' is not UTF-8");
    assert_int_equal(out.length, 0);
    wick_state_dict_free(dict);
}

/* ---- files made by hand ---- */

static void put_record(wki_zip_writer *zip, const char *name, const void *bytes, size_t length)
{
    assert_int_equal(wki_zip_writer_add(zip, name, bytes, length), WICK_OK);
}

/* A record of every file made by hand; NULL leaves it out. */
typedef struct records {
    const char *pickle_name, *version_name, *version, *byteorder, *more;
} records;

static const records plain = {"m/data.pkl", "m/version", "3\n", NULL, NULL};

/* A file with that pickle and a storage 'a' of the floats 0 to 15. */
static buffer make_file(wick_context *context, const records *with, const void *pickle, size_t length)
{
    buffer out = {0};
    wki_zip_writer zip;
    float numbers[16];
    for (int i = 0; i < 16; i++)
        numbers[i] = (float)i;
    wki_zip_writer_init(&zip, context, put_sink, &out);
    if (with->pickle_name != NULL)
        put_record(&zip, with->pickle_name, pickle, length);
    if (with->byteorder != NULL)
        put_record(&zip, "m/byteorder", with->byteorder, strlen(with->byteorder));
    put_record(&zip, "m/data/a", numbers, sizeof(numbers));
    if (with->more != NULL)
        put_record(&zip, with->more, "x", 1);
    if (with->version != NULL)
        put_record(&zip, with->version_name, with->version, strlen(with->version));
    assert_int_equal(wki_zip_writer_finish(&zip), WICK_OK);
    wki_zip_writer_release(&zip);
    return out;
}

static buffer pickled(wick_context *context, const void *pickle, size_t length)
{
    return make_file(context, &plain, pickle, length);
}

#define KEY(key)   "\x8c" key
#define ONE(place) TENSOR("K" place, ")", ")")
#define W          KEY("\1w") ONE("\1")

/* Loads the pickle, and expects one scalar under that key. */
static void gives(wick_context *context, const void *pickle, size_t length, const char *key,
                  float number)
{
    buffer file = pickled(context, pickle, length);
    wick_state_dict *dict = load(context, file);
    assert_int_equal(wick_state_dict_count(dict), 1);
    assert_string_equal(wick_state_dict_key(dict, 0), key);
    assert_true(wick_tensor_f32(wick_state_dict_tensor(dict, 0))[0] == number);
    wick_state_dict_free(dict);
    release(&file);
}

static void takes_the_right_dict(void **state)
{
    wick_context *context = *state;
    gives(context, PICKLE("\x80\4}" W "s."), "w", 1);
    gives(context, PICKLE("\x80\4}(" W KEY("\1n") "NK\1K\2u."), "w", 1);
    gives(context, PICKLE("\x80\4}(" W KEY("\5model") "}" KEY("\1v") ONE("\2") "su."), "v", 2);
    gives(context,
          PICKLE("\x80\4}(" KEY("\20model_state_dict") "}" W "s" KEY("\5model") "}" KEY("\1v")
                     ONE("\2") "su."),
          "v", 2);
    gives(
        context,
        PICKLE("\x80\4}(" KEY("\5model") "}" W "s" KEY("\12state_dict") "}" KEY("\1v") ONE("\3") "su."),
        "v", 3);
    gives(context,
          PICKLE("\x80\4}(" KEY("\20model_state_dict") "}" KEY("\0") ONE("\4") "s" KEY("\1x") "Nu."), "",
          4);
    gives(context, PICKLE("\x80\4}(" KEY("\5model") KEY("\6resnet") W "u."), "w", 1);
    gives(context, PICKLE("\x80\4}(" KEY("\5model") "]" KEY("\12state_dict") "N" W "u."), "w", 1);
}

static void reads_empty_dicts(void **state)
{
    static const struct {
        const char *pickle;
        size_t length;
    } pickles[] = {{PICKLE("\x80\4}.")},
                   {PICKLE("\x80\4" HOOKS ".")},
                   {PICKLE("\x80\4}" KEY("\12state_dict") "}s.")}};
    for (size_t i = 0; i < WKI_COUNT(pickles); i++) {
        buffer file = pickled(*state, pickles[i].pickle, pickles[i].length);
        wick_state_dict *dict = load(*state, file);
        assert_int_equal(wick_state_dict_count(dict), 0);
        wick_state_dict_free(dict);
        release(&file);
    }
}

/* A bool's byte is 0 or 1; where a file has another one, it is true. */
static void reads_bools(void **state)
{
    buffer file =
        pickled(*state, PICKLE("\x80\4}" KEY("\1w") REBUILD "(" STORAGE(
                            "BoolStorage", "X\1\0\0\0a", "K\x40") "K\4K\4\x85K\1\x85\x89" HOOKS "tRs."));
    wick_state_dict *dict = load(*state, file);
    /* The bytes of 1.0f. */
    assert_memory_equal(wick_tensor_u8(wick_state_dict_get(dict, "w")), "\0\0\1\1", 4);
    wick_state_dict_free(dict);
    release(&file);
}

static void refuses_other_values(void **state)
{
    wick_context *context = *state;
    refuses(context, pickled(context, PICKLE("\x80\4N.")), "holds None; it must be a state_dict");
    refuses(context, pickled(context, PICKLE("\x80\4" ONE("\1") ".")),
            "holds a tensor; it must be a state_dict");
    refuses(context,
            pickled(context, PICKLE("\x80\4]" W "\x86"
                                    "a.")),
            "holds a list; it must be a state_dict");
    refuses(context, pickled(context, PICKLE("\x80\4}K\1" ONE("\1") "s.")),
            "the key of a tensor is an int; it must be text");
    refuses(context, pickled(context, PICKLE("\x80\4}" KEY("\3a\0b") ONE("\1") "s.")),
            "the key of a tensor has a NUL in it");
    refuses(context, pickled(context, PICKLE("\x80\4}(" W KEY("\1w") "Nu.")),
            "the key 'w' is there twice");
    refuses(context, pickled(context, PICKLE("\x80\4}(" W W "u.")), "the key 'w' is there twice");
    refuses(context, pickled(context, PICKLE("\x80\4}(" KEY("\5model") "}(" W W "u" KEY("\1x") "Nu.")),
            "the key 'w' is there twice");
    refuses(context, pickled(context, PICKLE("\x80\4}(" KEY("\5model") "}" KEY("\5model") "}" W "su.")),
            "the key 'model' is there twice");
    refuses(context,
            pickled(context, PICKLE("\x80\4}(" KEY("\3net") "}" W "sK\1NNN" KEY("\5epoch") "K\3u.")),
            "no tensors are here, nor under 'state_dict', 'model' or 'model_state_dict'; the keys are "
            "'net' 'epoch'");
    refuses(context, pickled(context, PICKLE("\x80\4}NNs.")), "the keys are no text");
    buffer pickle = {0};
    put(&pickle, PICKLE("\x80\4}("));
    for (int i = 0; i < 300; i++) {
        const char pair[] = {'\x8c', 2, (char)('a' + i / 26), (char)('a' + i % 26), 'N'};
        put(&pickle, pair, sizeof(pair));
    }
    put(&pickle, "u.", 2);
    refuses(context, pickled(context, pickle.bytes, pickle.length), "the keys are 'aa' 'ab' 'ac'");
    release(&pickle);
}

/* What no storage backs. */
static void limits_expanded_tensors(void **state)
{
    wick_context *context = *state;
#define EXPANDED(size) "\x80\4}" KEY("\1w") TENSOR("K\1", size "\x85", "K\0\x85") "s."
    buffer file = pickled(context, PICKLE(EXPANDED("J\0\0\x10\0")));
    wick_state_dict *dict = load(context, file);
    const wick_tensor *tensor = wick_state_dict_get(dict, "w");
    assert_int_equal(wick_tensor_numel(tensor), 1 << 20);
    assert_true(((const float *)wick_tensor_cdata(tensor))[(1 << 20) - 1] == 1.0f);
    wick_state_dict_free(dict);
    release(&file);
    const char *words =
        "data.pkl: 'w': the tensors would take more than 64 MiB and 16 times the file's size";
    refuses_as(context, WICK_ELIMIT, pickled(context, PICKLE(EXPANDED("J\0\0\0\2"))), words);
    refuses_as(context, WICK_ELIMIT, pickled(context, PICKLE(EXPANDED("\x8a\x8\0\0\0\0\0\0\0\x40"))),
               words);
    refuses_as(context, WICK_ELIMIT,
               pickled(context, PICKLE(EXPANDED("\x8a\x8\xff\xff\xff\xff\xff\xff\xff\x7f"))), words);
    /* Empty, but no tensor of wick's. */
    refuses(
        context,
        pickled(context, PICKLE("\x80\4}" KEY("\1w") TENSOR("K\1", "\x8a\x8\0\0\0\0\0\0\0\x40K\0K\5\x87",
                                                            "K\0K\0K\0\x87") "s.")),
        "data.pkl: 'w': a tensor of shape [4611686018427387904, 0, 5] is larger than can be addressed");
}

/* Many names for one large tensor: what they come to is what counts. */
static void limits_shared_storages(void **state)
{
    buffer pickle = {0};
    put(&pickle, PICKLE("\x80\4}" KEY("\1w") TENSOR("K\1", "J\0\0\x10\0\x85", "K\0\x85") "\x94s("));
    for (int i = 0; i < 20; i++) {
        const char pair[] = {'\x8c', 1, (char)('A' + i), 'h', 0};
        put(&pickle, pair, sizeof(pair));
    }
    put(&pickle, "u.", 2);
    refuses_as(*state, WICK_ELIMIT, pickled(*state, pickle.bytes, pickle.length),
               "data.pkl: 'P': the tensors would take more than");
    release(&pickle);
}

/* ---- records ---- */

static void check_records(wick_context *context, records with, const char *words)
{
    buffer file = make_file(context, &with, PICKLE("\x80\4}" W "s."));
    if (words != NULL) {
        refuses(context, file, words);
        return;
    }
    wick_state_dict *dict = load(context, file);
    assert_int_equal(wick_state_dict_count(dict), 1);
    wick_state_dict_free(dict);
    release(&file);
}

static void checks_the_records(void **state)
{
    wick_context *context = *state;
    records with = plain;
    check_records(context, with, NULL);
    with.byteorder = "little";
    check_records(context, with, NULL);
    with.byteorder = "big";
    check_records(context, with, "entry 'byteorder': the file was written on a big-endian machine");
    with.byteorder = "middle";
    check_records(context, with, "entry 'byteorder': is neither little nor big");
    with.byteorder = "";
    check_records(context, with, "entry 'byteorder': is neither little nor big");
    static const char *const versions[] = {"1", "9\n", "10\n", "10"};
    static const char *const others[] = {"", "\n", "0", "11", "100", "x", "3 ", "3\n\n"};
    with = plain;
    for (size_t i = 0; i < WKI_COUNT(versions); i++) {
        with.version = versions[i];
        check_records(context, with, NULL);
    }
    for (size_t i = 0; i < WKI_COUNT(others); i++) {
        with.version = others[i];
        check_records(context, with, "entry 'version': is not a number from 1 to 10");
    }
    with = plain;
    with.version_name = "m/.data/version";
    check_records(context, with, NULL);
    with.version = NULL;
    check_records(context, with, "not one of torch.save: data.pkl or version is missing");
    with = plain;
    with.pickle_name = NULL;
    check_records(context, with, "not one of torch.save: data.pkl or version is missing");
    with.pickle_name = "data.pkl";
    check_records(context, with, "is a zip archive, but not one of torch.save");
    with.pickle_name = "n/data.pkl";
    check_records(context, with,
                  "entry 'm/data/a': is not in the one folder that a file of torch.save has");
    with = plain;
    with.more = "m/constants.pkl";
    check_records(context, with, "is a TorchScript program");
    with.more = "mm/x";
    check_records(context, with, "entry 'mm/x': is not in the one folder");
    with.more = "m";
    check_records(context, with, "entry 'm': is not in the one folder");
    with.more = "m/.data/serialization_id";
    check_records(context, with, NULL);
}

static buffer of_text(const void *text, size_t length)
{
    buffer file = {0};
    put(&file, text, length);
    return file;
}

static void knows_other_files(void **state)
{
    wick_context *context = *state;
    const char *before =
        "is in the format that torch.save wrote before PyTorch 1.6; save it again with a newer one";
    char tar[512] = "sys";
    memcpy(tar + 257, "ustar", 5);
    refuses(context, of_text("\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\2M\xe9\3.", 19), before);
    refuses(context, of_text(tar, sizeof(tar)), before);
    refuses(context, of_text("\x80\2}q\0.", 6), "m.pth: is a bare pickle, not a file of torch.save");
    refuses(context, of_text("", 0), "m.pth: is empty");
    refuses(context, of_text("\x1f\x8b\b", 3), "m.pth: byte 0: no zip archive begins here");
    refuses(context, of_text("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22),
            "is a zip archive, but not one of torch.save");
}

/* A hostile pickle, as a file. */
static void refuses_hostile_pickles(void **state)
{
    refuses(
        *state, pickled(*state, PICKLE("\x80\2}X\1\0\0\0wcos\nsystem\nX\2\0\0\0ls\x85Rs.")),
        "m.pth: data.pkl: byte 9: refuses to build os.system; only tensors and plain values are read");
    refuses(*state,
            pickled(*state, PICKLE("\x80\4}" KEY("\1w") TENSOR("K\1", "K\x10\x85", "K\1\x85") "s.")),
            "a tensor that reaches beyond its storage, which has 16 elements");
}

/* ---- every byte ---- */

/* A small file of wick's, or of PyTorch's. */
static buffer small_file(wick_context *context, const char *fixture)
{
    buffer file = {0};
    if (fixture == NULL) {
        wick_state_dict *dict = make_dict(context, 6, 3);
        file = save(dict, "m");
        wick_state_dict_free(dict);
    } else {
        char path[4096];
        snprintf(path, sizeof(path), "%s/oracle/pth/%s", getenv("WICK_TEST_SOURCE"), fixture);
        assert_int_equal(wki_file_read(context, path, UINT64_MAX, &file.bytes, &file.length), WICK_OK);
    }
    return file;
}

static const char *const fixtures[] = {NULL, "one-1.13.pth", "one-2.15.pth"};

static void refuses_every_prefix(void **state)
{
    for (size_t i = 0; i < WKI_COUNT(fixtures); i++) {
        buffer file = small_file(*state, fixtures[i]);
        for (size_t length = 0; length < file.length; length++)
            refuses(*state, of_text(file.bytes, length),
                    length == 0 ? "m.pth: is empty" : "m.pth: byte ");
        release(&file);
    }
}

/* Every bit of a file, turned: it is refused, or gives what it gave. */
static void survives_every_flip(void **state)
{
    for (size_t i = 0; i < WKI_COUNT(fixtures); i++) {
        buffer file = small_file(*state, fixtures[i]);
        wick_state_dict *dict = load(*state, file), *other;
        size_t refused = 0;
        for (size_t bit = 0; bit < file.length * 8; bit++) {
            file.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            wick_status status = wick_load_memory(*state, "m.pth", file.bytes, file.length, &other);
            if (status == WICK_OK) {
                assert_same(dict, other);
                wick_state_dict_free(other);
            } else {
                assert_int_equal(status, WICK_EFORMAT);
                refused++;
            }
            file.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_true(refused > file.length * 4 && refused < file.length * 8);
        wick_state_dict_free(dict);
        release(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_every_bit),
        cmocka_unit_test(keeps_many_and_large),
        cmocka_unit_test(refers_to_late_memos),
        cmocka_unit_test(names_the_archive_as_torch_does),
        cmocka_unit_test(saves_and_loads_files),
        cmocka_unit_test(keeps_the_file_when_a_save_fails),
        cmocka_unit_test(says_which_file_is_not_there),
        cmocka_unit_test(refuses_bad_arguments),
        cmocka_unit_test(takes_the_right_dict),
        cmocka_unit_test(reads_empty_dicts),
        cmocka_unit_test(reads_bools),
        cmocka_unit_test(refuses_other_values),
        cmocka_unit_test(limits_expanded_tensors),
        cmocka_unit_test(limits_shared_storages),
        cmocka_unit_test(checks_the_records),
        cmocka_unit_test(knows_other_files),
        cmocka_unit_test(refuses_hostile_pickles),
        cmocka_unit_test(refuses_every_prefix),
        cmocka_unit_test(survives_every_flip),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
