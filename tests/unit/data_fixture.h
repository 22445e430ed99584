/* What the tests of data sets begin and end with: a context and a folder that is removed. Included behind the header
 * that has make_folder(). */
#ifndef DATA_FIXTURE_H
#define DATA_FIXTURE_H

typedef struct fixture {
    wick_context *context;
    char *folder;
    char cache[600]; /* a user's cache in it, for those who set it */
} fixture;

static inline int make_fixture(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    if (f == NULL || wick_context_new(&f->context) != WICK_OK)
        return -1;
    f->folder = make_folder();
    snprintf(f->cache, sizeof(f->cache), "%s/.cache", f->folder);
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    fixture *f = *state;
    remove_folder(f->folder);
    wick_context_free(f->context);
    free(f);
    return 0;
}

/* Of the folder; options may be NULL. */
static inline wick_dataset *open_half(const fixture *f, wick_split split,
                                      const wick_dataset_options *options)
{
    wick_dataset *dataset;
    if (wick_dataset_open_with(f->context, f->folder, NULL, split, options, &dataset) != WICK_OK)
        fail_msg("%s", wick_context_message(f->context));
    return dataset;
}

#endif
