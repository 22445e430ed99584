/* Label files that are huge, or say they are, or inflate to what is: none costs memory. */
#include "data/idx.h"
#include "idx_maker.h"

#include <setjmp.h>
#include <sys/resource.h>

#include <cmocka.h>

enum { MEMORY_ALLOWED = 32 << 10 }; /* in KiB; what a sanitizer keeps is among it */

static int make_context(void **state)
{
    return wick_context_new((wick_context **)state) == WICK_OK ? 0 : -1;
}

static int free_context(void **state)
{
    wick_context_free(*state);
    return 0;
}

static long most_memory(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* Reading folder/name as labels fails as it should, and never holds much. */
static void expect(wick_context *context, const char *folder, const char *name, wick_status status,
                   const char *part)
{
    char path[PATH_ROOM];
    wki_idx idx = {0};
    path_to(path, folder, name);
    long before = most_memory();
    assert_int_equal(wki_idx_read(context, path, WKI_IDX_LABELS, &idx), status);
    long taken = most_memory() - before;
    print_message("%s: %ld KiB\n", name, taken);
    if (strstr(wick_context_message(context), part) == NULL)
        fail_msg("%s: not '%s' but '%s'", name, part, wick_context_message(context));
    if (taken > MEMORY_ALLOWED)
        fail_msg("%s: took %ld KiB", name, taken);
    assert_null(idx.memory);
}

/* ---- plain files: sparse, so that they take no room on the disk either ---- */

static void put_sparse(const char *folder, const char *name, bytes start, off_t length)
{
    char path[PATH_ROOM];
    put_file(folder, name, start);
    path_to(path, folder, name);
    assert_int_equal(truncate(path, length), 0);
}

static void test_huge_files(void **state)
{
    const off_t two_gigabytes = (off_t)1 << 31;
    char *folder = make_folder();
    put_sparse(folder, "zeros", from_text(""), two_gigabytes);
    put_sparse(folder, "kept", make_idx(0x801, 1, (const uint32_t[]){(1u << 31) - 8}, 0), two_gigabytes);
    put_sparse(folder, "few", make_labels(50, 10), two_gigabytes);
    put_sparse(folder, "gzip", from_text("\x1f\x8b\x08"), two_gigabytes);
    put_sparse(folder, "images", make_images(1, 2, 2), two_gigabytes);
    expect(*state, folder, "zeros", WICK_EFORMAT, "it starts with 0x00000000 instead of 0x00000801");
    expect(*state, folder, "kept", WICK_ELIMIT,
           "says 2147483640 labels of 1x1; a file of at most 268435456");
    expect(*state, folder, "few", WICK_EFORMAT, "after its 50 labels it should end, at 58");
    expect(*state, folder, "gzip", WICK_ELIMIT, "is 2147483648 bytes long");
    expect(*state, folder, "images", WICK_EFORMAT, "holds images");
    remove_folder(folder);
}

/* ---- deflate bombs, bit by bit (RFC 1951): one block with the fixed codes ---- */

typedef struct bits {
    uint8_t *at;
    size_t count;
} bits;

/* The low `count` bits of code, its highest first, as Huffman codes are. */
static void put_code(bits *out, unsigned code, int count)
{
    while (count-- > 0) {
        out->at[out->count / 8] |= (uint8_t)((code >> count & 1) << out->count % 8);
        out->count++;
    }
}

/* The header of that many labels, zeros that come to `repeats` times 258, and sums that are right where
 * they can be: that of the length. */
static bytes make_bomb(uint32_t labels, size_t repeats)
{
    static const uint8_t header[10] = {0x1f, 0x8b, 8};
    bytes file = {.at = must(calloc(repeats * 13 / 8 + 64, 1))};
    bytes idx = make_idx(0x801, 1, &labels, 1);
    bits out = {.at = file.at + sizeof(header)};
    memcpy(file.at, header, sizeof(header));
    put_code(&out, 1, 1); /* the last block ... */
    put_code(&out, 2, 2); /* ... with the fixed codes: 01, its low bit first */
    for (size_t i = 0; i < idx.length; i++)
        put_code(&out, idx.at[i] < 144 ? 0x30u + idx.at[i] : 0x190u - 144 + idx.at[i],
                 idx.at[i] < 144 ? 8 : 9);
    for (size_t i = 0; i < repeats; i++)
        put_code(&out, 0xc5 << 5, 13); /* 258 bytes from one byte back */
    put_code(&out, 0, 7);
    file.length = sizeof(header) + (out.count + 7) / 8 + 8;
    uint64_t length = idx.length + 258 * (uint64_t)repeats;
    for (int i = 0; i < 4; i++)
        file.at[file.length - 4 + (size_t)i] = (uint8_t)(length >> 8 * i);
    free(idx.at);
    return file;
}

static void test_gzip_bombs(void **state)
{
    enum { REPEATS = 2000000 }; /* half a gigabyte from three megabytes */
    char *folder = make_folder();
    put_file(folder, "few", make_bomb(50, REPEATS));
    put_file(folder, "many", make_bomb((1u << 28) - 8, 2000));
    put_file(folder, "limit", make_bomb(1u << 28, REPEATS));
    put_file(folder, "images", make_bomb(UINT32_MAX, REPEATS));
    expect(*state, folder, "few", WICK_EFORMAT,
           "inflates to more than the 58 bytes its IDX header promises");
    expect(*state, folder, "many", WICK_EFORMAT,
           "cannot inflate to the 268435456 its IDX header promises");
    expect(*state, folder, "limit", WICK_ELIMIT, "says 268435456 labels");
    expect(*state, folder, "images", WICK_ELIMIT, "says 4294967295 labels");
    remove_folder(folder);
}

/* The bombs are what they are meant to be: a small one goes off. */
static void test_a_small_bomb_inflates(void **state)
{
    bytes file = make_bomb(259, 1), right;
    wki_idx idx;
    struct libdeflate_decompressor *inflater = must(libdeflate_alloc_decompressor());
    uint8_t inflated[267];
    assert_int_equal(libdeflate_deflate_decompress(inflater, file.at + 10, file.length - 18, inflated,
                                                   sizeof(inflated), NULL),
                     LIBDEFLATE_SUCCESS);
    libdeflate_free_decompressor(inflater);
    right = gzip((bytes){inflated, sizeof(inflated)}, 6);
    assert_int_equal(wki_idx_parse(*state, "bomb", right.at, right.length, WKI_IDX_LABELS, &idx),
                     WICK_OK);
    assert_int_equal(idx.count, 259);
    wki_idx_release(&idx);
    free(right.at);
    free(file.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_huge_files),
        cmocka_unit_test(test_gzip_bombs),
        cmocka_unit_test(test_a_small_bomb_inflates),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
