/* The two halves of a data set with their loaders, and the flags that choose them. */
#ifndef CLI_PAIR_H
#define CLI_PAIR_H

#include "app.h"

typedef struct cli_data_args {
    const char *data, *data_dir;
    int64_t batch_size, limit;
    const char *image_size, *channels; /* as given, or NULL */
    double test_fraction;              /* 0: the usual one */
    bool skip_broken, no_cache;
    const char *memory_limit; /* as given, or NULL */
    /* What a run's images are made, or NULL; pictures alone, or, resized, data of any kind. */
    const int64_t *shape;
    bool resized;
    const char *augment, *normalize; /* as given, or NULL */
    const float *mean, *std;         /* of a run: what images are normalised with, or NULL */
    const char *validation;          /* as given, or NULL */
    int64_t split_seed;
    bool drop_last; /* of the training half's loader */
    bool quiet;     /* what is left out and so on was said before */
} cli_data_args;

#define DATA_DEFAULTS                                                                                   \
    {                                                                                                   \
        .data = "fashion-mnist", .batch_size = 32                                                       \
    }

#define DATA_PLACE_OPTIONS(type)                                                                        \
    {"data",                                                                                            \
     "NAME|FOLDER",                                                                                     \
     OPTION_TEXT,                                                                                       \
     offsetof(type, data.data),                                                                         \
     0,                                                                                                 \
     0,                                                                                                 \
     "fashion-mnist, mnist, kmnist, emnist-letters, emnist-balanced, emnist-digits, cifar10, "          \
     "cifar100, "                                                                                       \
     "a folder of pictures (train/CLASS/*.png and test/CLASS/*.png, or CLASS/*.png), or one that "      \
     "holds "                                                                                           \
     "a set's own files"},                                                                              \
    {                                                                                                   \
        "data-dir", "DIR", OPTION_TEXT, offsetof(type, data.data_dir), 0, 0,                            \
            "where to look for a known data set first; else $WICK_DATA_DIR, the user's cache and "      \
            "/usr/share/datasets"                                                                       \
    }
#define SKIP_BROKEN_OPTION(type, field)                                                                 \
    {                                                                                                   \
        "skip-broken", "", OPTION_BOOL, offsetof(type, field), 0, 0,                                    \
            "leave out pictures that cannot be read; else they are an error"                            \
    }
#define SKIP_BROKEN_OF_RUN_OPTION(type, field)                                                          \
    {                                                                                                   \
        "skip-broken", "", OPTION_BOOL, offsetof(type, field), 0, 0,                                    \
            "leave out pictures that cannot be read; else as the run did"                               \
    }
#define MEMORY_LIMIT_OPTION(type, field)                                                                \
    {                                                                                                   \
        "memory-limit", "SIZE", OPTION_TEXT, offsetof(type, field), 0, 0,                               \
            "read the images of a half that is larger than SIZE, such as 500M or 4G, from their files " \
            "(pictures: from the cache, without which they are refused) as they are used; else larger " \
            "than half of the machine's memory"                                                         \
    }
#define DATA_PICTURE_OPTIONS(type)                                                                      \
    {"image-size",                                                                                      \
     "N|HxW",                                                                                           \
     OPTION_TEXT,                                                                                       \
     offsetof(type, data.image_size),                                                                   \
     0,                                                                                                 \
     0,                                                                                                 \
     "make every image N pixels high and wide, or H high and W wide, as torchvision's Resize does; "    \
     "else they stay as they are, and pictures of several sizes are made 64x64"},                       \
        {"channels",                                                                                    \
         "1|3",                                                                                         \
         OPTION_CHOICE,                                                                                 \
         offsetof(type, data.channels),                                                                 \
         0,                                                                                             \
         0,                                                                                             \
         "make the images grey (1) or RGB (3); else as they are, and RGB where one of a folder's is"},  \
        {"test-fraction",                                                                               \
         "SHARE",                                                                                       \
         OPTION_NUMBER,                                                                                 \
         offsetof(type, data.test_fraction),                                                            \
         0,                                                                                             \
         0,                                                                                             \
         "of a folder of pictures without test/, val/ or validation/: how much of each class is held "  \
         "out as the test half, chosen by their paths; else 0.2"},                                      \
        SKIP_BROKEN_OPTION(type, data.skip_broken),                                                     \
        {"no-cache",                                                                                    \
         "",                                                                                            \
         OPTION_BOOL,                                                                                   \
         offsetof(type, data.no_cache),                                                                 \
         0,                                                                                             \
         0,                                                                                             \
         "read a folder's pictures anew; else they are read once and kept in the user's cache"},        \
        MEMORY_LIMIT_OPTION(type, data.memory_limit)
#define DATA_TRANSFORM_OPTIONS(type)                                                                    \
    {"augment",                                                                                         \
     "TRANSFORMS",                                                                                      \
     OPTION_TEXT,                                                                                       \
     offsetof(type, data.augment),                                                                      \
     0,                                                                                                 \
     0,                                                                                                 \
     "change the training images by chance, as crop=4,flip,rotate=10,erase=0.25: RandomCrop with "      \
     "that padding, RandomHorizontalFlip, RandomRotation, RandomErasing; reflect is for the crop's "    \
     "padding, bilinear for the rotation"},                                                             \
    {                                                                                                   \
        "normalize", "auto|MEAN:STD", OPTION_TEXT, offsetof(type, data.normalize), 0, 0,                \
            "subtract MEAN from every pixel (0 to 1) and divide by STD, of RGB three numbers each, as " \
            "0.5,0.5,0.4:0.2,0.2,0.3; auto measures them on the training half"                          \
    }
/* Of commands that take a run, which knows its own, or a file. */
#define SIZE_OF_FILE_OPTION(type, field)                                                                \
    {                                                                                                   \
        "image-size", "N|HxW", OPTION_TEXT, offsetof(type, field), 0, 0,                                \
            "of a file: its images were made N pixels high and wide, or H high and W wide; else they "  \
            "stay as they are, and pictures of several sizes are made 64x64"                            \
    }
#define CHANNELS_OF_FILE_OPTION(type, field)                                                            \
    {                                                                                                   \
        "channels", "1|3", OPTION_CHOICE, offsetof(type, field), 0, 0,                                  \
            "of a file: its images were made grey (1) or RGB (3); else as they are, and RGB where one " \
            "of a folder's is"                                                                          \
    }
#define NORMALIZE_OF_FILE_OPTION(type, field)                                                           \
    {                                                                                                   \
        "normalize", "MEAN:STD", OPTION_TEXT, offsetof(type, field), 0, 0,                              \
            "of a file: its images' pixels (0 to 1) had MEAN subtracted and were divided by STD, one "  \
            "number each or, of RGB, three, as 0.5,0.5,0.4:0.2,0.2,0.3"                                 \
    }
#define DATA_BATCH_OPTION(type)                                                                         \
    {                                                                                                   \
        "batch-size", "N", OPTION_INT, offsetof(type, data.batch_size), 1, INT32_MAX,                   \
            "how many images a batch has"                                                               \
    }
#define DATA_LIMIT_OPTION(type)                                                                         \
    {                                                                                                   \
        "limit", "N", OPTION_INT, offsetof(type, data.limit), 0, INT32_MAX,                             \
            "use only the first N images of each half, of a folder of pictures N spread evenly over "   \
            "it; 0 "                                                                                    \
            "uses all"                                                                                  \
    }

/* Zero before pair_open(). */
typedef struct cli_pair {
    wick_dataset *train_data, *test_data, *valid_data;
    wick_loader *train_loader, *test_loader; /* shuffled; in order */
    wick_loader *valid_loader;               /* in order; NULL if nothing is held out */
    wick_transform transform;                /* of the training half */
    bool normalized;
    float mean[3], std[3]; /* of both halves, if they are normalised */
} cli_pair;

/* What a run says of its data. The shape is the run's. */
void data_of_run(const wick_run_args *run, cli_data_args *data);
/* What is asked for of how a run's or a file's data are read: memory_limit as given, or NULL. What is left out now is said
 * again. */
void data_read_as(cli_data_args *data, bool skip_broken, const char *memory_limit);
/* What an image of that shape becomes by what is asked for of size and channels. */
wick_status data_shape(cli_app *app, const cli_data_args *data, int64_t shape[3]);
/* What a file's images were normalised with, from --normalize's text: into mean and std, which data then point to; without a
 * text nothing. Of 0 channels, before images are read: only whether it can be that at all. */
wick_status data_normalize(cli_app *app, const char *text, int64_t channels, float mean[3], float std[3],
                           cli_data_args *data);
/* A failure of usage if any of what only a file's data may be told is given (not NULL) for a run. */
wick_status data_of_file_alone(cli_app *app, const char *folder, const char *image_size,
                               const char *channels, const char *normalize);
/* Opens one half, cut to the limit, with a progress bar, and says on stderr what there is to know of it.
 * Owned. An unknown name is a failure of usage. */
wick_status dataset_open(cli_app *app, const cli_data_args *args, wick_split split, wick_dataset **out);
/* Opens both, and what is held out of the training half. On failure too, pair_release(). */
wick_status pair_open(cli_app *app, const cli_data_args *args, cli_pair *pair);
void pair_release(cli_pair *pair);

#endif
