#include "format/zip.h"

#include "format/bytes.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

enum {
    END_SIZE = 22,
    LOCATOR_SIZE = 20,
    END64_SIZE = 56,
    CENTRAL_SIZE = 46,
    LOCAL_SIZE = 30,
    STORED = 0,
    DEFLATED = 8,
    FLAG_DESCRIPTOR = 1 << 3,
    FLAG_UTF8 = 1 << 11,
    FLAGS_DEFLATE_LEVEL = 3 << 1,
    ZIP64_FIELD = 1,
    /* No deflate stream gives more than 258 bytes for 2 bits. */
    DEFLATE_RATIO = 1032,
};

#define MAX32 UINT32_C(0xffffffff)

/* What a central header says; the local one is held against it. */
typedef struct header {
    uint16_t flags, method;
    uint32_t time;
    uint32_t crc;
    uint64_t packed, size, offset;
    const char *name;
    size_t name_length;
} header;

typedef struct directory {
    uint64_t offset, size, count;
} directory;

typedef struct field {
    const uint8_t *bytes; /* NULL where there is no such field */
    size_t length;
} field;

static wick_status bad_at(wki_zip *zip, uint64_t at, const char *what)
{
    return wki_fail(zip->context, WICK_EFORMAT, "%s: byte %llu: %s", zip->file, (unsigned long long)at,
                    what);
}

static wick_status bad_entry(wki_zip *zip, const header *entry, const char *what)
{
    char name[WKI_QUOTED];
    return wki_fail(zip->context, WICK_EFORMAT, "%s: entry '%s': %s", zip->file,
                    wki_quote(entry->name, entry->name_length, name), what);
}

static bool signed_with(const wki_zip *zip, uint64_t at, const char *signature)
{
    return memcmp(zip->bytes + at, signature, 4) == 0;
}

/* ---- the end of the file ---- */

/* Reads the zip64 end record and its locator, which lie right before the end record at `end`. */
static wick_status read_end64(wki_zip *zip, uint64_t end, directory *out, uint64_t *directory_end)
{
    const uint8_t *locator = zip->bytes + end - LOCATOR_SIZE;
    if (end < LOCATOR_SIZE + END64_SIZE)
        return bad_at(zip, end - LOCATOR_SIZE,
                      "the zip64 locator has no room for a zip64 end record before it");
    uint64_t at = end - LOCATOR_SIZE - END64_SIZE;
    const uint8_t *end64 = zip->bytes + at;
    if (wki_get32(locator + 4) != 0 || wki_get32(locator + 16) != 1)
        return bad_at(zip, end - LOCATOR_SIZE,
                      "the zip64 locator is that of an archive in several parts");
    if (wki_get64(locator + 8) != at || !signed_with(zip, at, "PK\6\6") ||
        wki_get64(end64 + 4) != END64_SIZE - 12)
        return bad_at(zip, end - LOCATOR_SIZE,
                      "the zip64 locator does not point to a zip64 end record right before it");
    if (wki_get32(end64 + 16) != 0 || wki_get32(end64 + 20) != 0 ||
        wki_get64(end64 + 24) != wki_get64(end64 + 32))
        return bad_at(zip, at, "the zip64 end record is that of an archive in several parts");
    *out = (directory){
        .offset = wki_get64(end64 + 48), .size = wki_get64(end64 + 40), .count = wki_get64(end64 + 32)};
    *directory_end = at;
    return WICK_OK;
}

/* Whether a field of the end record says the same as its zip64 one, or leaves it to that. */
static bool agrees(uint64_t narrow, uint64_t most, uint64_t wide)
{
    return narrow == most || narrow == wide;
}

static wick_status read_end(wki_zip *zip, directory *out)
{
    uint64_t end = zip->length - END_SIZE;
    const uint8_t *record = zip->bytes + end;
    uint64_t directory_end = end;
    uint16_t count = wki_get16(record + 10);
    uint32_t size = wki_get32(record + 12), offset = wki_get32(record + 16);
    if (wki_get16(record + 4) != 0 || wki_get16(record + 6) != 0 || wki_get16(record + 8) != count)
        return bad_at(zip, end, "the end record is that of an archive in several parts");
    if (end >= LOCATOR_SIZE && signed_with(zip, end - LOCATOR_SIZE, "PK\6\7")) {
        WKI_TRY(read_end64(zip, end, out, &directory_end));
        if (!agrees(count, 0xffff, out->count) || !agrees(size, MAX32, out->size) ||
            !agrees(offset, MAX32, out->offset))
            return bad_at(zip, end, "the end record and the zip64 end record disagree");
    } else if (count == 0xffff || size == MAX32 || offset == MAX32) {
        return bad_at(zip, end, "the end record calls for a zip64 end record, and there is none");
    } else {
        *out = (directory){.offset = offset, .size = size, .count = count};
    }
    if (out->offset > directory_end || out->size != directory_end - out->offset)
        return bad_at(zip, end, "the directory does not end where the end record begins");
    if (out->count > out->size / CENTRAL_SIZE)
        return bad_at(zip, end, "the directory is too small for its number of entries");
    return WICK_OK;
}

static wick_status find_end(wki_zip *zip, directory *out)
{
    if (zip->length == 0)
        return wki_fail(zip->context, WICK_EFORMAT, "%s: is empty", zip->file);
    if (zip->length >= END_SIZE && signed_with(zip, zip->length - END_SIZE, "PK\5\6") &&
        wki_get16(zip->bytes + zip->length - 2) == 0)
        return read_end(zip, out);
    if (zip->length < 4 || !signed_with(zip, 0, "PK\3\4"))
        return bad_at(zip, 0, "no zip archive begins here");
    return bad_at(
        zip, zip->length,
        "the file ends without a zip end record: it is truncated, or something was put behind it");
}

/* ---- headers ---- */

bool wki_zip_name_ok(const char *name, size_t length)
{
    if (length == 0 || length > 4096 || !wki_utf8_valid(name, length))
        return false;
    for (size_t i = 0; i < length; i++)
        if ((uint8_t)name[i] < 0x20 || name[i] == 0x7f || name[i] == '\\')
            return false;
    size_t start = 0;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && name[i] != '/')
            continue;
        size_t part = i - start;
        bool folder = part == 0 && i == length && i > 0;
        bool dots = part <= 2 && memcmp(name + start, "..", part) == 0;
        if (dots && !folder)
            return false;
        start = i + 1;
    }
    return true;
}

/* Walks a header's extra fields and finds the zip64 one. False if they are torn or it is there twice. */
static bool find_zip64(const uint8_t *extra, size_t length, field *out)
{
    *out = (field){NULL, 0};
    while (length > 0) {
        if (length < 4 || wki_get16(extra + 2) > length - 4)
            return false;
        size_t size = wki_get16(extra + 2);
        if (wki_get16(extra) == ZIP64_FIELD) {
            if (out->bytes != NULL)
                return false;
            *out = (field){extra + 4, size};
        }
        extra += 4 + size;
        length -= 4 + size;
    }
    return true;
}

/* Puts the zip64 field's numbers where the header's are all ones. It must have exactly those. */
static bool widen(field zip64, uint64_t *size, uint64_t *packed, uint64_t *offset)
{
    uint64_t *numbers[] = {size, packed, offset};
    size_t used = 0;
    for (size_t i = 0; i < WKI_COUNT(numbers); i++) {
        if (*numbers[i] != MAX32)
            continue;
        if (zip64.bytes == NULL || zip64.length - used < 8)
            return false;
        *numbers[i] = wki_get64(zip64.bytes + used);
        used += 8;
    }
    return used == zip64.length && (used > 0 || zip64.bytes == NULL);
}

static wick_status check_kind(wki_zip *zip, const header *entry)
{
    if (!wki_zip_name_ok(entry->name, entry->name_length))
        return bad_entry(zip, entry, "such a name is refused: it leads outside, or is no plain text");
    if (entry->flags & 1)
        return bad_entry(zip, entry, "is encrypted");
    if (entry->method != STORED && entry->method != DEFLATED)
        return bad_entry(zip, entry,
                         "is compressed in a way that is not read; only stored and deflated are");
    unsigned known = FLAG_DESCRIPTOR | FLAG_UTF8 | (entry->method == DEFLATED ? FLAGS_DEFLATE_LEVEL : 0);
    if (entry->flags & ~known)
        return bad_entry(zip, entry, "has flags that are not read");
    if (entry->method == STORED && entry->packed != entry->size)
        return bad_entry(zip, entry, "is stored, but its two sizes differ");
    if (entry->name[entry->name_length - 1] == '/' && entry->size != 0)
        return bad_entry(zip, entry, "is a folder with contents");
    return WICK_OK;
}

/* Reads the central header at *at and moves *at behind it. */
static wick_status read_central(wki_zip *zip, uint64_t *at, uint64_t end, header *out)
{
    const uint8_t *bytes = zip->bytes + *at;
    field zip64;
    if (end - *at < CENTRAL_SIZE || !signed_with(zip, *at, "PK\1\2"))
        return bad_at(zip, *at, "there should be an entry of the directory here");
    size_t name = wki_get16(bytes + 28), extra = wki_get16(bytes + 30);
    if (end - *at - CENTRAL_SIZE < name + extra)
        return bad_at(zip, *at, "this entry of the directory reaches beyond its end");
    *out = (header){
        .flags = wki_get16(bytes + 8),
        .method = wki_get16(bytes + 10),
        .time = wki_get32(bytes + 12),
        .crc = wki_get32(bytes + 16),
        .packed = wki_get32(bytes + 20),
        .size = wki_get32(bytes + 24),
        .offset = wki_get32(bytes + 42),
        .name = (const char *)bytes + CENTRAL_SIZE,
        .name_length = name,
    };
    if (wki_get16(bytes + 32) != 0)
        return bad_entry(zip, out, "has a comment, which is not read");
    if (wki_get16(bytes + 34) != 0)
        return bad_entry(zip, out, "is in another part of the archive");
    if (!find_zip64(bytes + CENTRAL_SIZE + name, extra, &zip64) ||
        !widen(zip64, &out->size, &out->packed, &out->offset))
        return bad_entry(zip, out, "the directory's extra fields are not right");
    *at += CENTRAL_SIZE + name + extra;
    return check_kind(zip, out);
}

/* Where sizes follow the data, the local header may leave a number at zero. */
static bool local_says(uint64_t local, uint64_t central, bool may_be_zero)
{
    return local == central || (may_be_zero && local == 0);
}

/* Whether a local header's sizes are the directory's. PyTorch also puts the header's own offset in a
 * zip64 field, where it is beyond 4 GiB. */
static bool local_sizes_agree(const uint8_t *bytes, field zip64, const header *entry)
{
    bool later = (entry->flags & FLAG_DESCRIPTOR) != 0;
    uint64_t packed = wki_get32(bytes + 18), size = wki_get32(bytes + 22);
    if (packed == MAX32 && size == MAX32) {
        uint64_t none = 0;
        if (!widen(zip64, &size, &packed, &none))
            return false;
    } else if (zip64.bytes != NULL) {
        size_t sizes = zip64.length & ~(size_t)8;
        bool offset = (zip64.length & 8) != 0;
        if (sizes != 0 && sizes != 16)
            return false;
        if (sizes == 16 && (!later || !local_says(wki_get64(zip64.bytes), entry->size, true) ||
                            !local_says(wki_get64(zip64.bytes + 8), entry->packed, true)))
            return false;
        if (offset && wki_get64(zip64.bytes + sizes) != entry->offset)
            return false;
        if (!offset && sizes == 0)
            return false;
    }
    return local_says(packed, entry->packed, later) && local_says(size, entry->size, later);
}

/* Reads the sizes behind the data at `at`, which must be the directory's; *at moves behind them. */
static wick_status read_descriptor(wki_zip *zip, const header *entry, bool wide, uint64_t *at,
                                   uint64_t end)
{
    uint64_t length = wide ? 24 : 16;
    const uint8_t *bytes = zip->bytes + *at;
    if (end - *at < length || !signed_with(zip, *at, "PK\7\10"))
        return bad_entry(zip, entry, "its sizes should follow its data, and do not");
    uint64_t packed = wide ? wki_get64(bytes + 8) : wki_get32(bytes + 8);
    uint64_t size = wide ? wki_get64(bytes + 16) : wki_get32(bytes + 12);
    if (wki_get32(bytes + 4) != entry->crc || packed != entry->packed || size != entry->size)
        return bad_entry(zip, entry, "what follows its data and the directory disagree");
    *at += length;
    return WICK_OK;
}

/* Holds the local header against the central one. *at is where the entry must begin, and moves behind
 * it; *data is where its data are. */
static wick_status read_local(wki_zip *zip, const header *entry, uint64_t end, uint64_t *at,
                              const uint8_t **data)
{
    field zip64;
    if (entry->offset > end || end - entry->offset < LOCAL_SIZE)
        return bad_entry(zip, entry, "its offset points outside the entries");
    if (entry->offset < *at)
        return bad_entry(zip, entry, "overlaps the entry before it");
    if (entry->offset > *at)
        return bad_entry(zip, entry, "bytes that belong to no entry are before it");
    if (!signed_with(zip, entry->offset, "PK\3\4"))
        return bad_entry(zip, entry, "its offset does not point to a local header");
    const uint8_t *bytes = zip->bytes + entry->offset;
    size_t name = wki_get16(bytes + 26), extra = wki_get16(bytes + 28);
    uint64_t begin = entry->offset + LOCAL_SIZE;
    if (end - begin < name + extra || end - begin - name - extra < entry->packed)
        return bad_entry(zip, entry, "reaches beyond the entries");
    bool later = (entry->flags & FLAG_DESCRIPTOR) != 0;
    if (name != entry->name_length || memcmp(bytes + LOCAL_SIZE, entry->name, name) != 0 ||
        wki_get16(bytes + 6) != entry->flags || wki_get16(bytes + 8) != entry->method ||
        wki_get32(bytes + 10) != entry->time || !local_says(wki_get32(bytes + 14), entry->crc, later))
        return bad_entry(zip, entry, "its local header and the directory disagree");
    if (!find_zip64(bytes + LOCAL_SIZE + name, extra, &zip64) || !local_sizes_agree(bytes, zip64, entry))
        return bad_entry(zip, entry, "its local header and the directory disagree about its size");
    *data = bytes + LOCAL_SIZE + name + extra;
    *at = begin + name + extra + entry->packed;
    return later ? read_descriptor(zip, entry, zip64.bytes != NULL, at, end) : WICK_OK;
}

/* ---- contents ---- */

static wick_status inflate(wki_zip *zip, const header *entry, const uint8_t *data, wki_zip_entry *out)
{
    if (entry->size / DEFLATE_RATIO > entry->packed)
        return bad_entry(zip, entry, "declares more than its deflated bytes can give");
    if (entry->size > WKI_ZIP_INFLATED_LIMIT - zip->inflated) {
        bad_entry(zip, entry,
                  "the deflated entries come to more than 1 GiB; save the file without compression");
        return WICK_ELIMIT;
    }
    zip->inflated += entry->size;
    void *memory;
    WKI_TRY(wki_alloc(zip->context, (size_t)entry->size, 1, "a deflated entry", &memory));
    out->inflated = memory;
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    if (inflater == NULL)
        return wki_fail(zip->context, WICK_ENOMEM, "%s: out of memory: no decompressor", zip->file);
    size_t took, gave;
    enum libdeflate_result result = libdeflate_deflate_decompress_ex(
        inflater, data, (size_t)entry->packed, memory, (size_t)entry->size, &took, &gave);
    libdeflate_free_decompressor(inflater);
    if (result != LIBDEFLATE_SUCCESS || took != entry->packed || gave != entry->size)
        return bad_entry(zip, entry, "its deflated bytes are damaged, or do not give what is declared");
    out->bytes = memory;
    return WICK_OK;
}

static wick_status read_contents(wki_zip *zip, const header *entry, const uint8_t *data,
                                 wki_zip_entry *out)
{
    *out = (wki_zip_entry){entry->name, entry->name_length, data, entry->size, NULL};
    if (entry->method == DEFLATED)
        WKI_TRY(inflate(zip, entry, data, out));
    uint32_t crc = libdeflate_crc32(0, out->bytes, (size_t)out->size);
    if (crc != entry->crc) {
        char name[WKI_QUOTED];
        return wki_fail(zip->context, WICK_EFORMAT,
                        "%s: entry '%s': its CRC-32 is %08x, and should be %08x: the file is damaged",
                        zip->file, wki_quote(entry->name, entry->name_length, name), crc, entry->crc);
    }
    return WICK_OK;
}

/* ---- names ---- */

static int compare_names(const wki_zip_entry *a, const wki_zip_entry *b)
{
    int order = memcmp(a->name, b->name, WKI_MIN(a->name_length, b->name_length));
    return order != 0 ? order : (a->name_length > b->name_length) - (a->name_length < b->name_length);
}

static int compare_entries(const void *a, const void *b)
{
    return compare_names(*(const wki_zip_entry *const *)a, *(const wki_zip_entry *const *)b);
}

static wick_status sort_names(wki_zip *zip)
{
    void *memory;
    WKI_TRY(wki_alloc(zip->context, zip->count, sizeof(*zip->by_name), "the directory of an archive",
                      &memory));
    zip->by_name = memory;
    for (size_t i = 0; i < zip->count; i++)
        zip->by_name[i] = &zip->entries[i];
    if (zip->count > 0)
        qsort(zip->by_name, zip->count, sizeof(*zip->by_name), compare_entries);
    for (size_t i = 1; i < zip->count; i++) {
        const wki_zip_entry *entry = zip->by_name[i];
        if (compare_names(zip->by_name[i - 1], entry) == 0)
            return bad_entry(zip, &(header){.name = entry->name, .name_length = entry->name_length},
                             "is there twice");
    }
    return WICK_OK;
}

const wki_zip_entry *wki_zip_find(const wki_zip *zip, const char *name, size_t length)
{
    const wki_zip_entry key = {.name = name, .name_length = length};
    const wki_zip_entry *key_at = &key;
    if (zip->count == 0)
        return NULL;
    const wki_zip_entry **found =
        bsearch(&key_at, zip->by_name, zip->count, sizeof(*zip->by_name), compare_entries);
    return found == NULL ? NULL : *found;
}

/* ---- the archive ---- */

static wick_status read_entries(wki_zip *zip, const directory *dir)
{
    void *memory;
    uint64_t at = 0, central = dir->offset, end = dir->offset + dir->size;
    WKI_TRY(wki_alloc(zip->context, (size_t)dir->count, sizeof(*zip->entries),
                      "the directory of an archive", &memory));
    zip->entries = memory;
    for (uint64_t i = 0; i < dir->count; i++) {
        header entry;
        const uint8_t *data;
        WKI_TRY(read_central(zip, &central, end, &entry));
        WKI_TRY(read_local(zip, &entry, dir->offset, &at, &data));
        zip->count++;
        WKI_TRY(read_contents(zip, &entry, data, &zip->entries[i]));
    }
    if (central != end)
        return bad_at(zip, central, "the directory has more in it than its entries");
    if (at != dir->offset)
        return bad_at(zip, at, "bytes that belong to no entry are before the directory");
    return WICK_OK;
}

wick_status wki_zip_open(wki_zip *zip, wick_context *context, const char *file, const uint8_t *bytes,
                         size_t length)
{
    directory dir;
    *zip = (wki_zip){.context = context, .file = file, .bytes = bytes, .length = length};
    wick_status status = find_end(zip, &dir);
    if (status == WICK_OK)
        status = read_entries(zip, &dir);
    if (status == WICK_OK)
        status = sort_names(zip);
    if (status != WICK_OK)
        wki_zip_close(zip);
    return status;
}

void wki_zip_close(wki_zip *zip)
{
    for (size_t i = 0; i < zip->count; i++)
        free(zip->entries[i].inflated);
    free(zip->entries);
    free(zip->by_name);
    *zip = (wki_zip){.context = zip->context};
}
