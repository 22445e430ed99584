/* src/format/zip.h: archives that are right, and archives that lie. */
#include "format_support.h"

static const char text[] =
    "the quick brown fox jumps over the lazy dog, again and again and again and again";

static int make_context(void **state)
{
    return wick_context_new((wick_context **)state) == WICK_OK ? 0 : -1;
}

static int free_context(void **state)
{
    wick_context_free(*state);
    return 0;
}

/* Opens the archive, which goes; the message must have these words, or, for NULL, it must be right. */
static void check(wick_context *context, buffer archive, wick_status wanted, const char *words)
{
    wki_zip zip;
    uint8_t *bytes = exact(archive.bytes, archive.length);
    wick_status status = wki_zip_open(&zip, context, "a.zip", bytes, archive.length);
    if (status != wanted)
        fail_msg("%s, not %s: %s", wick_status_name(status), wick_status_name(wanted),
                 wick_context_message(context));
    if (words != NULL)
        assert_says(context, words);
    wki_zip_close(&zip);
    free(bytes);
    release(&archive);
}

/* ---- what is right ---- */

static const size_t sizes[] = {0, 1, 63, 64, 65, 1000, 0, 4097};

static buffer write_archive(wick_context *context, uint64_t zip64_from)
{
    buffer out = {0};
    uint8_t data[4097];
    wki_zip_writer writer;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7);
    wki_zip_writer_init(&writer, context, put_sink, &out);
    writer.zip64_from = zip64_from;
    for (size_t i = 0; i < WKI_COUNT(sizes); i++) {
        char name[32];
        snprintf(name, sizeof(name), "folder/%.*s%zu", (int)i, "aaaaaaaa", i);
        assert_int_equal(wki_zip_writer_add(&writer, name, data, sizes[i]), WICK_OK);
    }
    assert_int_equal(wki_zip_writer_finish(&writer), WICK_OK);
    wki_zip_writer_release(&writer);
    return out;
}

static void check_written(wick_context *context, uint64_t zip64_from)
{
    wki_zip zip;
    buffer archive = write_archive(context, zip64_from);
    if (wki_zip_open(&zip, context, "a.zip", archive.bytes, archive.length) != WICK_OK)
        fail_msg("%s", wick_context_message(context));
    assert_int_equal(zip.count, WKI_COUNT(sizes));
    for (size_t i = 0; i < zip.count; i++) {
        const wki_zip_entry *entry = &zip.entries[i];
        assert_int_equal(entry->size, sizes[i]);
        assert_ptr_equal(wki_zip_find(&zip, entry->name, entry->name_length), entry);
        assert_int_equal((entry->bytes - archive.bytes) % 64, 0);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(entry->bytes[k], (uint8_t)(k * 7));
    }
    assert_null(wki_zip_find(&zip, "folder/", 7));
    assert_null(wki_zip_find(&zip, "folder/00", 9));
    wki_zip_close(&zip);
    release(&archive);
}

static void reads_what_it_writes(void **state)
{
    check_written(*state, UINT32_MAX);
    const uint64_t from[] = {1, 64, 65, 200, 1000, 4097, 5000};
    for (size_t i = 0; i < WKI_COUNT(from); i++)
        check_written(*state, from[i]);
}

static void reads_what_others_write(void **state)
{
    item items[] = {make_item("a/", "", 0, false), make_item("a/stored", text, sizeof(text), false),
                    make_item("a/deflated", text, sizeof(text), true),
                    make_item("a/empty", "", 0, true)};
    buffer archive = make_archive(items, 4, NULL);
    wki_zip zip;
    assert_true(items[2].data.length < sizeof(text));
    assert_int_equal(wki_zip_open(&zip, *state, "a.zip", archive.bytes, archive.length), WICK_OK);
    for (size_t i = 1; i < 3; i++) {
        const wki_zip_entry *entry = wki_zip_find(&zip, items[i].local.name, items[i].local.name_length);
        assert_ptr_equal(entry, &zip.entries[i]);
        assert_int_equal(entry->size, sizeof(text));
        assert_memory_equal(entry->bytes, text, sizeof(text));
    }
    assert_int_equal(zip.entries[3].size, 0);
    assert_int_equal(zip.inflated, sizeof(text));
    wki_zip_close(&zip);
    release(&archive);
    for (size_t i = 0; i < 4; i++)
        release_item(&items[i]);
}

static void reads_an_archive_of_nothing(void **state)
{
    buffer archive = make_archive(NULL, 0, NULL);
    wki_zip zip;
    assert_int_equal(wki_zip_open(&zip, *state, "a.zip", archive.bytes, archive.length), WICK_OK);
    assert_null(wki_zip_find(&zip, "a", 1));
    wki_zip_close(&zip);
    release(&archive);
}

/* Sizes behind the data; the local header has zeros, or the sizes too. */
static void reads_sizes_behind_the_data(void **state)
{
    for (int with_sizes = 0; with_sizes < 2; with_sizes++) {
        item one = make_item("one", text, sizeof(text), true);
        one.local.flags = one.central.flags = 0x0808;
        put(&one.after, "PK\7\10", 4);
        put_number(&one.after, one.central.crc, 4);
        put_number(&one.after, one.central.packed, 4);
        put_number(&one.after, one.central.size, 4);
        if (!with_sizes)
            one.local.crc = one.local.packed = one.local.size = 0;
        check(*state, make_archive(&one, 1, NULL), WICK_OK, NULL);
        release_item(&one);
    }
}

/* As Python's zipfile writes with force_zip64: all ones, and the sizes in a field. */
static void reads_local_zip64_sizes(void **state)
{
    item one = make_item("one", text, sizeof(text), true);
    one.local.extra_length = 20;
    wki_put(wki_put(one.local.extra, 1, 2), 16, 2);
    wki_put(one.local.extra + 4, one.local.size, 8);
    wki_put(one.local.extra + 12, one.local.packed, 8);
    one.local.size = one.local.packed = UINT32_MAX;
    check(*state, make_archive(&one, 1, NULL), WICK_OK, NULL);
    one.local.extra[4]++;
    check(*state, make_archive(&one, 1, NULL), WICK_EFORMAT, "disagree about its size");
    release_item(&one);
}

/* ---- names ---- */

static void knows_good_names(void **state)
{
    (void)state;
    static const char *const good[] = {"a",
                                       "a/b",
                                       "a/",
                                       "a b.c",
                                       ".a",
                                       "..a",
                                       "a..",
                                       "...",
                                       "a/...",
                                       "\xc3\xa4",
                                       "a:b",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80",
                                       "\xef\xbf\xbf",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"",
                                      "/",
                                      "/a",
                                      "a//b",
                                      ".",
                                      "..",
                                      "a/..",
                                      "../a",
                                      "./a",
                                      "a/./b",
                                      "a/../b",
                                      "a\\b",
                                      "a\nb",
                                      "a\x7f",
                                      "\xff",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xe0\x80\x80"};
    for (size_t i = 0; i < WKI_COUNT(good); i++)
        assert_true(wki_zip_name_ok(good[i], strlen(good[i])));
    for (size_t i = 0; i < WKI_COUNT(bad); i++)
        assert_false(wki_zip_name_ok(bad[i], strlen(bad[i])));
    assert_false(wki_zip_name_ok("a\0b", 3));
    static const char *const torn[] = {
        "\x80",         "\xc1\xbf",         "\xe2\x82",         "\xe2\x28\xa1", "\xe2\x82(",
        "\xf0\x9f\x98", "\xf0\x8f\xbf\xbf", "\xf5\x80\x80\x80", "\xf0\x9f(\x80"};
    for (size_t i = 0; i < WKI_COUNT(torn); i++)
        assert_false(wki_zip_name_ok(torn[i], strlen(torn[i])));
    char longest[4097];
    memset(longest, 'a', sizeof(longest));
    assert_true(wki_zip_name_ok(longest, 4096));
    assert_false(wki_zip_name_ok(longest, 4097));
}

static void refuses_bad_names(void **state)
{
    static const char *const bad[] = {"/etc/passwd", "../up", "a/../../up", "a\\..\\up", "a\nb", ""};
    for (size_t i = 0; i < WKI_COUNT(bad); i++) {
        item one = make_item(bad[i], text, 4, false);
        check(*state, make_archive(&one, 1, NULL), WICK_EFORMAT, "such a name is refused");
        release_item(&one);
    }
    wki_zip_writer writer;
    buffer out = {0};
    wki_zip_writer_init(&writer, *state, put_sink, &out);
    assert_int_equal(wki_zip_writer_add(&writer, "../a", text, 4), WICK_EINVAL);
    wki_zip_writer_release(&writer);
}

/* ---- lies about one entry ---- */

static void local_name(item *one)
{
    one->local.name = "twp";
}
static void local_name_length(item *one)
{
    one->local.name = "twoo";
    one->local.name_length = 4;
}
static void local_flags(item *one)
{
    one->local.flags = 0;
}
static void local_method(item *one)
{
    one->local.method = 8;
}
static void local_time(item *one)
{
    one->local.time++;
}
static void local_crc(item *one)
{
    one->local.crc ^= 1;
}
static void local_crc_zero(item *one)
{
    one->local.crc = 0;
}
static void local_size(item *one)
{
    one->local.size++;
}
static void local_packed(item *one)
{
    one->local.packed--;
}
static void both_crc(item *one)
{
    one->local.crc = one->central.crc ^= 0x80000000;
}
static void both_sizes_larger(item *one)
{
    one->local.size = one->local.packed = one->central.size = one->central.packed += 1;
}
static void both_sizes_smaller(item *one)
{
    one->local.size = one->local.packed = one->central.size = one->central.packed -= 1;
}
static void both_sizes_huge(item *one)
{
    one->local.size = one->local.packed = one->central.size = one->central.packed = UINT32_MAX - 1;
}
static void stored_sizes_differ(item *one)
{
    one->local.size = one->central.size += 1;
}
static void encrypted(item *one)
{
    one->local.flags = one->central.flags |= 1;
}
static void patched(item *one)
{
    one->local.flags = one->central.flags |= 1 << 5;
}
static void method_bzip2(item *one)
{
    one->local.method = one->central.method = 12;
}
static void offset_back(item *one)
{
    one->central.offset -= 1;
}
static void offset_on(item *one)
{
    one->central.offset += 1;
}
static void offset_far(item *one)
{
    one->central.offset = 0x7fffffff;
}
static void gap(item *one)
{
    put(&one->before, "hidden", 6);
}
static void tail(item *one)
{
    put(&one->after, "hidden", 6);
}
static void comment(item *one)
{
    one->central.comment = 1;
}
static void other_disk(item *one)
{
    one->central.disk = 1;
}
static void torn_extra(item *one)
{
    one->central.extra_length = 3;
}
static void long_extra(item *one)
{
    memcpy(one->central.extra, "FB\5\0zzzz", 8);
    one->central.extra_length = 8;
}
static void torn_local_extra(item *one)
{
    memcpy(one->local.extra, "FB\5\0zzzz", 8);
    one->local.extra_length = 8;
}
static void needless_zip64(item *one)
{
    wki_put(wki_put(one->central.extra, 1, 2), 8, 2);
    one->central.extra_length = 12;
}
static void missing_zip64(item *one)
{
    one->central.size = UINT32_MAX;
}
static void short_zip64(item *one)
{
    wki_put(wki_put(one->central.extra, 1, 2), 8, 2);
    wki_put(one->central.extra + 4, one->central.size, 8);
    one->central.extra_length = 12;
    one->central.size = one->central.packed = UINT32_MAX;
}
static void long_zip64(item *one)
{
    short_zip64(one);
    wki_put(one->central.extra + 2, 24, 2);
    one->central.extra_length = 28;
}
static void twice_zip64(item *one)
{
    short_zip64(one);
    memcpy(one->central.extra + 12, one->central.extra, 12);
    one->central.extra_length = 24;
}
static void huge_zip64(item *one)
{
    short_zip64(one);
    wki_put(one->central.extra + 2, 16, 2);
    wki_put(one->central.extra + 4, UINT64_MAX, 8);
    wki_put(one->central.extra + 12, UINT64_MAX, 8);
    one->central.extra_length = 20;
}
static void huge_offset(item *one)
{
    wki_put(wki_put(one->central.extra, 1, 2), 8, 2);
    wki_put(one->central.extra + 4, UINT64_MAX - 10, 8);
    one->central.extra_length = 12;
    one->central.offset = UINT32_MAX - (30 + 3 + 20); /* where it is */
}
static void local_zip64_other(item *one)
{
    wki_put(wki_put(one->local.extra, 1, 2), 16, 2);
    wki_put(one->local.extra + 4, one->local.size, 8);
    wki_put(one->local.extra + 12, one->local.packed, 8);
    one->local.extra_length = 20;
}
static void local_zip64_odd(item *one)
{
    wki_put(wki_put(one->local.extra, 1, 2), 5, 2);
    one->local.extra_length = 9;
}
static void local_zip64_none(item *one)
{
    wki_put(wki_put(one->local.extra, 1, 2), 0, 2);
    one->local.extra_length = 4;
}
static void local_zip64_offset(item *one)
{
    wki_put(wki_put(one->local.extra, 1, 2), 8, 2);
    wki_put(one->local.extra + 4, 12345, 8);
    one->local.extra_length = 12;
}
static void local_zip64_missing(item *one)
{
    one->local.size = one->local.packed = UINT32_MAX;
}
static void local_zip64_both(item *one)
{
    local_zip64_other(one);
    one->local.flags = one->central.flags = 0x0808;
    one->local.extra[12]++;
}
static void no_descriptor(item *one)
{
    one->local.flags = one->central.flags = 0x0808;
}
static void put_descriptor(item *one, uint32_t crc, uint32_t packed, uint32_t size)
{
    no_descriptor(one);
    put(&one->after, "PK\7\10", 4);
    put_number(&one->after, crc, 4);
    put_number(&one->after, packed, 4);
    put_number(&one->after, size, 4);
}
static void descriptor_crc(item *one)
{
    put_descriptor(one, one->central.crc + 1, one->central.packed, one->central.size);
}
static void descriptor_packed(item *one)
{
    put_descriptor(one, one->central.crc, one->central.packed + 1, one->central.size);
}
static void descriptor_size(item *one)
{
    put_descriptor(one, one->central.crc, one->central.packed, 0);
}
static void descriptor_unsigned(item *one)
{
    put_descriptor(one, one->central.crc, one->central.packed, one->central.size);
    one->after.bytes[3] = 9;
}
static void descriptor_local_size(item *one)
{
    put_descriptor(one, one->central.crc, one->central.packed, one->central.size);
    one->local.size = 1;
}

static const struct lie {
    void (*tell)(item *one);
    const char *words;
} lies[] = {
    {local_name, "entry 'two': its local header and the directory disagree"},
    {local_name_length, "entry 'two': its local header and the directory disagree"},
    {local_flags, "its local header and the directory disagree"},
    {local_method, "its local header and the directory disagree"},
    {local_time, "its local header and the directory disagree"},
    {local_crc, "its local header and the directory disagree"},
    {local_crc_zero, "its local header and the directory disagree"},
    {local_size, "its local header and the directory disagree about its size"},
    {local_packed, "its local header and the directory disagree about its size"},
    {both_crc, "entry 'two': its CRC-32 is "},
    {both_sizes_larger, "entry 'two': its CRC-32 is "},
    {both_sizes_smaller, "entry 'two': its CRC-32 is "},
    {both_sizes_huge, "entry 'two': reaches beyond the entries"},
    {stored_sizes_differ, "entry 'two': is stored, but its two sizes differ"},
    {encrypted, "entry 'two': is encrypted"},
    {patched, "entry 'two': has flags that are not read"},
    {method_bzip2, "entry 'two': is compressed in a way that is not read"},
    {offset_back, "entry 'two': overlaps the entry before it"},
    {offset_on, "entry 'two': bytes that belong to no entry are before it"},
    {offset_far, "entry 'two': its offset points outside the entries"},
    {gap, "entry 'two': bytes that belong to no entry are before it"},
    {tail, "entry 'three': bytes that belong to no entry are before it"},
    {comment, "entry 'two': has a comment"},
    {other_disk, "entry 'two': is in another part of the archive"},
    {torn_extra, "entry 'two': the directory's extra fields are not right"},
    {long_extra, "entry 'two': the directory's extra fields are not right"},
    {torn_local_extra, "entry 'two': its local header and the directory disagree"},
    {needless_zip64, "entry 'two': the directory's extra fields are not right"},
    {missing_zip64, "entry 'two': the directory's extra fields are not right"},
    {short_zip64, "entry 'two': the directory's extra fields are not right"},
    {long_zip64, "entry 'two': the directory's extra fields are not right"},
    {twice_zip64, "entry 'two': the directory's extra fields are not right"},
    {huge_zip64, "entry 'two': reaches beyond the entries"},
    {huge_offset, "entry 'two': its offset points outside the entries"},
    {local_zip64_other, "its local header and the directory disagree about its size"},
    {local_zip64_odd, "its local header and the directory disagree about its size"},
    {local_zip64_none, "its local header and the directory disagree about its size"},
    {local_zip64_offset, "its local header and the directory disagree about its size"},
    {local_zip64_missing, "its local header and the directory disagree about its size"},
    {local_zip64_both, "its local header and the directory disagree about its size"},
    {no_descriptor, "entry 'two': its sizes should follow its data, and do not"},
    {descriptor_crc, "entry 'two': what follows its data and the directory disagree"},
    {descriptor_packed, "entry 'two': what follows its data and the directory disagree"},
    {descriptor_size, "entry 'two': what follows its data and the directory disagree"},
    {descriptor_unsigned, "entry 'two': its sizes should follow its data, and do not"},
    {descriptor_local_size, "its local header and the directory disagree about its size"},
};

static void refuses_lies(void **state)
{
    for (size_t i = 0; i < WKI_COUNT(lies); i++) {
        item items[] = {make_item("one", text, 20, false), make_item("two", text, 30, false),
                        make_item("three", text, 40, false)};
        lies[i].tell(&items[1]);
        check(*state, make_archive(items, 3, NULL), WICK_EFORMAT, lies[i].words);
        for (size_t k = 0; k < 3; k++)
            release_item(&items[k]);
    }
}

/* Sizes that should follow the data of the last entry, where the directory is. */
static void refuses_a_torn_descriptor(void **state)
{
    item one = make_item("one", text, 20, false);
    put_descriptor(&one, one.central.crc, one.central.packed, one.central.size);
    one.after.length = 15;
    check(*state, make_archive(&one, 1, NULL), WICK_EFORMAT,
          "its sizes should follow its data, and do not");
    release_item(&one);
}

static void refuses_repeated_names(void **state)
{
    item items[] = {make_item("b", text, 20, false), make_item("a", text, 30, false),
                    make_item("b", text, 20, false)};
    check(*state, make_archive(items, 3, NULL), WICK_EFORMAT, "a.zip: entry 'b': is there twice");
    for (size_t k = 0; k < 3; k++)
        release_item(&items[k]);
}

/* Two names for the same bytes, as zip bombs have them. */
static void refuses_shared_data(void **state)
{
    item items[] = {make_item("aa", text, 30, false), make_item("bb", text, 30, false)};
    items[1].central.offset = (uint64_t) - (30 + 2 + 30);
    check(*state, make_archive(items, 2, NULL), WICK_EFORMAT,
          "entry 'bb': overlaps the entry before it");
    for (size_t k = 0; k < 2; k++)
        release_item(&items[k]);
}

static void refuses_a_folder_with_contents(void **state)
{
    item one = make_item("a/", text, 4, false);
    check(*state, make_archive(&one, 1, NULL), WICK_EFORMAT, "is a folder with contents");
    release_item(&one);
}

/* ---- deflate ---- */

static void check_deflated(wick_context *context, uint32_t declared, uint32_t cut, wick_status wanted,
                           const char *words)
{
    size_t size = 1 << 20;
    uint8_t *zeros = calloc(size, 1);
    item one = make_item("bomb", zeros, size, true);
    one.data.length -= cut;
    one.local.packed = one.central.packed = (uint32_t)one.data.length;
    one.local.size = one.central.size = declared;
    check(context, make_archive(&one, 1, NULL), wanted, words);
    release_item(&one);
    free(zeros);
}

static void refuses_deflate_bombs(void **state)
{
    uint32_t size = 1 << 20;
    check_deflated(*state, size, 0, WICK_OK, NULL);
    check_deflated(*state, 1000, 0, WICK_EFORMAT,
                   "deflated bytes are damaged, or do not give what is declared");
    check_deflated(*state, 0, 0, WICK_EFORMAT,
                   "deflated bytes are damaged, or do not give what is declared");
    check_deflated(*state, size - 1, 0, WICK_EFORMAT, "do not give what is declared");
    check_deflated(*state, size + 1, 0, WICK_EFORMAT, "do not give what is declared");
    check_deflated(*state, size, 1, WICK_EFORMAT, "do not give what is declared");
    check_deflated(*state, UINT32_MAX - 1, 0, WICK_EFORMAT,
                   "declares more than its deflated bytes can give");
}

/* A true stream with bytes behind it, within the entry. */
static void refuses_bytes_behind_a_stream(void **state)
{
    item one = make_item("one", text, sizeof(text), true);
    put(&one.data, "x", 1);
    one.local.packed = one.central.packed += 1;
    check(*state, make_archive(&one, 1, NULL), WICK_EFORMAT, "do not give what is declared");
    release_item(&one);
}

/* Two entries that may each be true, but not be held together. */
static void limits_what_is_inflated(void **state)
{
    size_t size = (1 << 20) + 1000;
    uint8_t *noise = malloc(size);
    for (size_t i = 0; i < size; i++)
        noise[i] = (uint8_t)(i * i >> 3);
    item one = make_item("one", noise, size, false);
    one.local.method = one.central.method = 8;
    one.local.size = one.central.size = (UINT32_C(1) << 30) + 1;
    check(*state, make_archive(&one, 1, NULL), WICK_ELIMIT,
          "entry 'one': the deflated entries come to more than 1 GiB");
    release_item(&one);
    free(noise);
}

/* ---- the end ---- */

enum { NAME = 24, ENTRIES = 2 * (30 + NAME) + 20 + 30, DIRECTORY = 2 * (46 + NAME) };

static void check_end(wick_context *context, end_lies told, const char *words)
{
    item items[] = {make_item("one of a long, long name", text, 20, false),
                    make_item("two of a long, long name", text, 30, false)};
    check(context, make_archive(items, 2, &told), WICK_EFORMAT, words);
    release_item(&items[0]);
    release_item(&items[1]);
}

static void refuses_lies_at_the_end(void **state)
{
    check_end(*state, (end_lies){.disk = 1}, "archive in several parts");
    check_end(*state, (end_lies){.start_disk = 1}, "archive in several parts");
    check_end(*state, (end_lies){.count_here = 1}, "archive in several parts");
    check_end(*state, (end_lies){.count = 1}, "there should be an entry of the directory here");
    check_end(*state, (end_lies){.count = 1000}, "too small for its number of entries");
    check_end(*state, (end_lies){.count = (uint16_t)-1},
              "the directory has more in it than its entries");
    check_end(*state, (end_lies){.count = (uint16_t)-3},
              "calls for a zip64 end record, and there is none");
    check_end(*state, (end_lies){.size = 1}, "does not end where the end record begins");
    check_end(*state, (end_lies){.size = (uint32_t)-1}, "does not end where the end record begins");
    check_end(*state, (end_lies){.offset = 1}, "does not end where the end record begins");
    check_end(*state, (end_lies){.offset = 0x7fffffff}, "does not end where the end record begins");
    check_end(*state, (end_lies){.offset = 10, .size = (uint32_t)-10},
              "there should be an entry of the directory here");
    check_end(*state, (end_lies){.size = (uint32_t)-1 - DIRECTORY},
              "calls for a zip64 end record, and there is none");
    check_end(*state, (end_lies){.offset = (uint32_t)-1 - ENTRIES},
              "calls for a zip64 end record, and there is none");
    check_end(*state, (end_lies){.comment = 1}, "truncated, or something was put behind it");
}

/* An entry that reaches into what the directory leaves free. */
static void refuses_bytes_before_the_directory(void **state)
{
    item one = make_item("one", text, 20, false);
    put(&one.after, "hidden", 6);
    check(*state, make_archive(&one, 1, NULL), WICK_EFORMAT,
          "bytes that belong to no entry are before the directory");
    release_item(&one);
}

static void refuses_other_files(void **state)
{
    static const char *const files[] = {"", "P", "PK\3\4", "<html></html>", "PK\5\6"};
    static const char *const words[] = {"a.zip: is empty", "a.zip: byte 0: no zip archive begins here",
                                        "a.zip: byte 4: the file ends without a zip end record",
                                        "a.zip: byte 0: no zip archive",
                                        "a.zip: byte 0: no zip archive"};
    for (size_t i = 0; i < WKI_COUNT(files); i++) {
        buffer file = {0};
        put(&file, files[i], strlen(files[i]));
        check(*state, file, WICK_EFORMAT, words[i]);
    }
}

/* What is behind a whole archive, or before it. */
static void refuses_bytes_around_an_archive(void **state)
{
    buffer archive = write_archive(*state, UINT32_MAX), before = {0};
    put(&before, "x", 1);
    put(&before, archive.bytes, archive.length);
    check(*state, before, WICK_EFORMAT, "zip64 locator does not point to a zip64 end record");
    put(&archive, "x", 1);
    check(*state, archive, WICK_EFORMAT, "truncated, or something was put behind it");
}

/* Changes `size` bytes, `back` before the end of a zip64 archive, by adding `by`. */
static void check_zip64(wick_context *context, size_t back, int size, uint64_t by, const char *words)
{
    buffer archive = write_archive(context, UINT32_MAX);
    uint8_t *at = archive.bytes + archive.length - back;
    uint64_t number = size == 8 ? wki_get64(at) : size == 4 ? wki_get32(at) : wki_get16(at);
    wki_put(at, number + by, size);
    check(context, archive, WICK_EFORMAT, words);
}

static void refuses_lies_in_zip64_records(void **state)
{
    enum { END64 = 98, LOCATOR = 42, END = 22 };
    const char *place = "does not point to a zip64 end record right before it";
    check_zip64(*state, END64, 4, 1, place);
    check_zip64(*state, END64 - 4, 8, 1, place);
    check_zip64(*state, LOCATOR - 8, 8, 1, place);
    check_zip64(*state, LOCATOR - 8, 8, (uint64_t)-1, place);
    check_zip64(*state, LOCATOR - 8, 8, UINT64_MAX / 2, place);
    check_zip64(*state, LOCATOR - 4, 4, 1, "in several parts");
    check_zip64(*state, LOCATOR - 16, 4, 1, "in several parts");
    check_zip64(*state, END64 - 16, 4, 1, "in several parts");
    check_zip64(*state, END64 - 20, 4, 1, "in several parts");
    check_zip64(*state, END64 - 24, 8, 1, "in several parts");
    check_zip64(*state, END64 - 40, 8, 1, "disagree");
    check_zip64(*state, END64 - 48, 8, (uint64_t)-1, "disagree");
    check_zip64(*state, END - 8, 4, 1, "in several parts");
    check_zip64(*state, END - 12, 4, 1, "disagree");
    check_zip64(*state, END - 16, 4, 1, "disagree");
    check_zip64(*state, LOCATOR, 4, 1, "does not end where the end record begins");
}

/* A locator at the very beginning of the file. */
static void refuses_a_locator_without_room(void **state)
{
    buffer archive = {0};
    put(&archive, "PK\6\7", 4);
    put_number(&archive, 0, 8);
    put_number(&archive, 0, 8);
    put(&archive, "PK\5\6", 4);
    put_number(&archive, 0, 8);
    put_number(&archive, 0, 8);
    put_number(&archive, 0, 2);
    check(*state, archive, WICK_EFORMAT, "has no room for a zip64 end record");
}

/* ---- every byte ---- */

static void refuses_every_prefix(void **state)
{
    buffer archive = write_archive(*state, 64);
    for (size_t length = 0; length < archive.length; length++) {
        buffer prefix = {0};
        put(&prefix, archive.bytes, length);
        check(*state, prefix, WICK_EFORMAT, "a.zip: ");
    }
    release(&archive);
}

/* Every bit of an archive, turned: refused, or in what no reader looks at. */
static void survives_every_flip(void **state)
{
    item items[] = {make_item("one", text, 20, false), make_item("two", text, 60, true)};
    buffer archive = make_archive(items, 2, NULL);
    size_t taken = 0;
    for (size_t bit = 0; bit < archive.length * 8; bit++) {
        wki_zip zip;
        archive.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (wki_zip_open(&zip, *state, "a.zip", archive.bytes, archive.length) == WICK_OK) {
            taken++;
            assert_int_equal(zip.count, 2);
            assert_memory_equal(zip.entries[0].bytes, text, 20);
            assert_memory_equal(zip.entries[1].bytes, text, 60);
            wki_zip_close(&zip);
        }
        archive.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    /* The versions that made it and that are needed, the attributes, and two bits behind the deflate
     * stream's end. */
    assert_int_equal(taken, 2 * 8 * (2 + 4 + 6) + 2);
    release(&archive);
    release_item(&items[0]);
    release_item(&items[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(reads_what_others_write),
        cmocka_unit_test(reads_an_archive_of_nothing),
        cmocka_unit_test(reads_sizes_behind_the_data),
        cmocka_unit_test(reads_local_zip64_sizes),
        cmocka_unit_test(knows_good_names),
        cmocka_unit_test(refuses_bad_names),
        cmocka_unit_test(refuses_lies),
        cmocka_unit_test(refuses_a_torn_descriptor),
        cmocka_unit_test(refuses_repeated_names),
        cmocka_unit_test(refuses_shared_data),
        cmocka_unit_test(refuses_a_folder_with_contents),
        cmocka_unit_test(refuses_deflate_bombs),
        cmocka_unit_test(refuses_bytes_behind_a_stream),
        cmocka_unit_test(limits_what_is_inflated),
        cmocka_unit_test(refuses_lies_at_the_end),
        cmocka_unit_test(refuses_bytes_before_the_directory),
        cmocka_unit_test(refuses_other_files),
        cmocka_unit_test(refuses_bytes_around_an_archive),
        cmocka_unit_test(refuses_lies_in_zip64_records),
        cmocka_unit_test(refuses_a_locator_without_room),
        cmocka_unit_test(refuses_every_prefix),
        cmocka_unit_test(survives_every_flip),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
