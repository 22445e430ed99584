/* Files of torch.save, of two versions of PyTorch: what is in them, what is refused, and that wick
 * writes the same bytes. tests/oracle/pth/make.py wrote them. */
#include "base/base.h"

#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wick/checkpoint.h>

#include <cmocka.h>

static char *read_text(wick_context *context, const char *path, size_t *length)
{
    uint8_t *bytes;
    if (wki_file_read(context, path, UINT64_MAX, &bytes, length) != WICK_OK)
        fail_msg("%s", wick_context_message(context));
    return (char *)bytes;
}

static char *fixture(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof(path), "%s/oracle/pth/%s", getenv("WICK_TEST_SOURCE"), name);
    return path;
}

/* "2x3" or "-". */
static int read_sizes(const char *text, int64_t *shape)
{
    int ndim = 0;
    if (strcmp(text, "-") == 0)
        return 0;
    for (char *end = (char *)text; *text != '\0'; text = *end == 'x' ? end + 1 : end)
        shape[ndim++] = strtoll(text, &end, 10);
    return ndim;
}

static void check_value(wick_tensor *tensor, int64_t index, const char *text)
{
    if (wick_tensor_dtype(tensor) == WICK_FLOAT32) {
        float wanted = strtof(text, NULL), found = wick_tensor_f32(tensor)[index];
        if (isnan(wanted))
            assert_true(isnan(found));
        else
            assert_memory_equal(&found, &wanted, sizeof(found));
    } else if (wick_tensor_dtype(tensor) == WICK_INT64) {
        assert_true(wick_tensor_i64(tensor)[index] == strtoll(text, NULL, 10));
    } else {
        assert_true(wick_tensor_u8(tensor)[index] == strtoll(text, NULL, 10));
    }
}

/* A line "KEY DTYPE SIZES VALUES...". The key may be empty. */
static void check_line(const char *file, char *line, const char *key, wick_tensor *tensor)
{
    int64_t shape[WICK_MAX_DIMS];
    char *state = NULL;
    size_t length = strcspn(line, " ");
    if (strlen(key) != length || memcmp(key, line, length) != 0)
        fail_msg("%s: the key is '%s' and should be '%.*s'", file, key, (int)length, line);
    assert_string_equal(strtok_r(line + length, " ", &state),
                        wick_dtype_name(wick_tensor_dtype(tensor)));
    int ndim = read_sizes(strtok_r(NULL, " ", &state), shape);
    assert_int_equal(wick_tensor_ndim(tensor), ndim);
    for (int i = 0; i < ndim; i++)
        assert_int_equal(wick_tensor_shape(tensor)[i], shape[i]);
    for (int64_t i = 0; i < wick_tensor_numel(tensor); i++) {
        char *value = strtok_r(NULL, " ", &state);
        assert_non_null(value);
        check_value(tensor, i, value);
    }
    assert_null(strtok_r(NULL, " ", &state));
}

static void check_dict(const char *file, char *text, const wick_state_dict *dict)
{
    int64_t count = 0;
    for (char *line = text, *end; *line != '\0'; line = end + 1, count++) {
        end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        if (count >= wick_state_dict_count(dict))
            fail_msg("%s: '%.*s' is not there", file, (int)strcspn(line, " "), line);
        check_line(file, line, wick_state_dict_key(dict, count), wick_state_dict_tensor(dict, count));
    }
    assert_int_equal(wick_state_dict_count(dict), count);
}

/* "refused WORDS...": the message has those words and names the file. */
static void check_refused(wick_context *context, const char *file, char *text)
{
    wick_state_dict *dict = NULL;
    wick_status status = wick_load(context, file, &dict);
    text[strcspn(text, "\n")] = '\0';
    assert_true(status == WICK_EFORMAT || status == WICK_ELIMIT);
    assert_null(dict);
    const char *message = wick_context_message(context);
    if (strncmp(message, file, strlen(file)) != 0 || strstr(message, text + strlen("refused ")) == NULL)
        fail_msg("the message '%s' should have '%s'", message, text + strlen("refused "));
}

static void check_fixture(wick_context *context, const char *text_file)
{
    char file[4096];
    size_t length;
    wick_state_dict *dict;
    snprintf(file, sizeof(file), "%.*spth", (int)strlen(text_file) - 3, text_file);
    char *text = read_text(context, text_file, &length);
    if (strncmp(text, "refused ", 8) == 0) {
        check_refused(context, file, text);
    } else {
        if (wick_load(context, file, &dict) != WICK_OK)
            fail_msg("%s", wick_context_message(context));
        check_dict(file, text, dict);
        wick_state_dict_free(dict);
    }
    free(text);
}

static void reads_what_torch_writes(void **state)
{
    (void)state;
    glob_t found;
    wick_context *context;
    assert_int_equal(wick_context_new(&context), WICK_OK);
    assert_int_equal(glob(fixture("*.txt"), 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 60);
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_fixture(context, found.gl_pathv[i]);
    globfree(&found);
    wick_context_free(context);
}

/* Where torch's archive begins its last entry, the serialization id, which wick does not write. */
static size_t last_entry(const char *bytes, size_t length, const char *archive)
{
    char name[64];
    snprintf(name, sizeof(name), "%s/.data/serialization_id", archive);
    const char *at = memmem(bytes, length, name, strlen(name));
    assert_non_null(at);
    return (size_t)(at - bytes) - 30;
}

/* Every entry byte for byte, and the directory but for its last entry. */
static void check_same_bytes(wick_context *context, const char *archive)
{
    char name[64], folder[] = "/tmp/wick-torch-pth-XXXXXX", path[128];
    size_t torch_length, wick_length;
    wick_state_dict *dict;
    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof(name), "%s.pth", archive);
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    char *torch = read_text(context, fixture(name), &torch_length);
    assert_int_equal(wick_load(context, fixture(name), &dict), WICK_OK);
    assert_int_equal(wick_save(dict, path), WICK_OK);
    char *wick = read_text(context, path, &wick_length);

    size_t entries = last_entry(torch, torch_length, archive);
    assert_true(entries > 500 && wick_length > entries);
    assert_memory_equal(wick, torch, entries);
    const char *torch_directory = memmem(torch, torch_length, "PK\1\2", 4);
    size_t directory_length = wick_length - entries - 98;
    assert_memory_equal(wick + entries, torch_directory, directory_length);
    assert_memory_equal(wick + entries + directory_length, "PK\6\6", 4);
    assert_memory_equal(torch_directory + directory_length, "PK\1\2", 4);

    wick_state_dict_free(dict);
    free(torch);
    free(wick);
    unlink(path);
    rmdir(folder);
}

static void writes_the_bytes_of_torch(void **state)
{
    (void)state;
    wick_context *context;
    assert_int_equal(wick_context_new(&context), WICK_OK);
    check_same_bytes(context, "edges-2.15");
    check_same_bytes(context, "one-2.15");
    wick_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_torch_writes),
        cmocka_unit_test(writes_the_bytes_of_torch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
