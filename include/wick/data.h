/* Data sets and loaders (torchvision.datasets, torch.utils.data.DataLoader).
 *
 * A data set holds its images as uint8 [count, channels, height, width] and a label for each, with
 * the names of the classes. As ToTensor does, an image is given out as float32 in [0, 1], a pixel
 * divided by 255.
 */
#ifndef WICK_DATA_H
#define WICK_DATA_H

#include <wick/random.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wick_dataset wick_dataset;

typedef enum wick_split { WICK_TRAIN, WICK_TEST } wick_split;

/* The data sets known by name: "fashion-mnist", "mnist", "kmnist", "emnist-letters", "emnist-balanced",
 * "emnist-digits", "cifar10", "cifar100"; NULL from the end on. Static. EMNIST's images, which are stored
 * with rows and columns exchanged, are turned upright, as torchvision's are not; the labels of its letters are
 * 1 to 26, and class 0 is "N/A", as there. CIFAR-100's labels are the fine ones. */
WICK_API const char *wick_dataset_known(int index);

/* What is known of such a data set without its files. All static. */
typedef struct wick_dataset_facts {
    int64_t image_shape[3]; /* channels, height, width */
    int64_t class_count;
    const char *const *classes; /* class_count names */
} wick_dataset_facts;
/* false, with out untouched, for a name that is not known. */
WICK_API bool wick_dataset_known_facts(const char *name, wick_dataset_facts *out);

/* Opens one half of a data set by name or of a folder that holds the four IDX files, gzip'd or not
 * (train-images-idx3-ubyte[.gz], train-labels-idx1-ubyte[.gz], t10k-...). A name is looked for in
 * data_dir (may be NULL), in data_dir/NAME and where its archive or torchvision puts it there
 * (data_dir/cifar-10-batches-bin, data_dir/FashionMNIST/raw), likewise in $WICK_DATA_DIR, in the user's cache
 * ($XDG_CACHE_HOME/wick/NAME or ~/.cache/wick/NAME) and in /usr/share/datasets/NAME. A folder that
 * is named like a known data set, or holds its labels (by their SHA-256), has its classes; any
 * other has as many as the largest label of the two halves asks for, named by their numbers. Every
 * size in the files is checked before memory is taken. Owned: wick_dataset_free().
 * Errors: WICK_ENOENT (unknown name, with the nearest known; files not found, with where they were
 * looked for), WICK_EIO, WICK_EFORMAT (wrong magic, truncated, trailing bytes, images and labels
 * that disagree in number, a label out of range), WICK_ELIMIT (labels of more than 256 MiB, a gzip'd file of
 * more than 2 GiB or whose pixels are more than half of the machine's memory), WICK_ENOMEM. */
WICK_API wick_status wick_dataset_open(wick_context *context, const char *name, const char *data_dir,
                                       wick_split split, wick_dataset **out);

/* What is made of the pictures while a data set is opened. All zeros: as they are. */
typedef struct wick_dataset_options {
    /* Resize((image_height, image_width)) as PIL does it, of every image; both 0: as they are, or, in a
     * folder of pictures of several sizes, 64x64. */
    int64_t image_height, image_width;
    bool folders_alone; /* size and channels are for folders of pictures, other data stay as they are */
    int64_t channels;   /* 1: grey, 3: RGB; 0: as they are; RGB where one of a folder's pictures is */
    bool skip_broken;   /* leave out pictures that cannot be read; else they are an error */
    double test_fraction; /* of a folder without a test half: how much of each class is held out as one,
                             between 0 and 1; 0: 0.2. Which pictures they are depends on their
                             paths in the folder alone: where some are added or taken away, no more
                             than as many others change halves */
    bool
        no_cache; /* read a folder's pictures anew, and keep nothing; else they are read once and kept in the
                      user's cache ($XDG_CACHE_HOME/wick/folders), until one of them, by its path, size and
                      time, is another. A damaged cache is made anew; where a new one is written, those that
                      were not used for 30 days are removed */
    int64_t
        memory_limit; /* bytes: a half whose pixels are more is not held in memory, but read image by image
                         as it is used, from its IDX or CIFAR files, of pictures from the cache. What has to be held all the same, images that are made
                         another size, IDX files that are gzip'd, and pictures without a cache (no_cache, or
                         it cannot be written), is then WICK_ELIMIT; 0: half of the machine's memory */
    /* Called now and then (may be NULL) while pictures are read: how many, and of how many. */
    void (*progress)(void *user, int64_t done, int64_t total);
    void *user;
} wick_dataset_options;

/* wick_dataset_open() with options (may be NULL), and of a folder of pictures too, as torchvision's
 * ImageFolder has it: a folder for each class, which holds PNG and JPEG files, in folders of its own if it
 * likes. The classes are the folders' names, sorted; a class's pictures are in the order of their paths.
 *
 *   name/train/CLASS/...png  name/test/CLASS/...png    the two halves; val/,
 *                                                      validation/ or valid/ where there is no test/;
 *                                                      in any capitals
 *   name/CLASS/...png                                  or no halves: a part of each class, chosen by
 *                                                      their paths, is the test half
 *
 * Files that are no PNG or JPEG pictures, by their names' endings and by their first bytes, are left out
 * and hidden ones not looked at; wick_dataset_note() counts them. The pictures are read by the context's
 * threads, converted and resized as wick_image_fit() does it (options' sizes).
 * Errors: those of wick_dataset_open(); WICK_EINVAL (a size, channels, test_fraction; two classes of one
 * name, case aside, or that are one folder), WICK_EFORMAT (a class without pictures, a class of the test
 * half that the training half lacks, broken pictures of this half: how many, and the first of them, and those
 * of the other half), WICK_ELIMIT (more than 4,194,304 pictures, 1,048,576 classes, 16 folders deep),
 * WICK_EINTR. */
WICK_API wick_status wick_dataset_open_with(wick_context *context, const char *name,
                                            const char *data_dir, wick_split split,
                                            const wick_dataset_options *options, wick_dataset **out);
/* What there is to know of how it was read, a line each, for index 0, 1, ...: "2 broken pictures are left
 * out: ..."; NULL from the end on. Borrowed. */
WICK_API const char *wick_dataset_note(const wick_dataset *dataset, int index);

/* A data set from the caller's memory, copied: pixels is uint8 [count, channels, height, width],
 * labels has count numbers in [0, class_count), classes has class_count names; each size is 1 or
 * more.
 * Errors: WICK_EINVAL, WICK_ENOMEM. */
WICK_API wick_status wick_dataset_from(wick_context *context, int64_t count, int64_t channels,
                                       int64_t height, int64_t width, const uint8_t *pixels,
                                       const int64_t *labels, int64_t class_count,
                                       const char *const *classes, wick_dataset **out);
/* A data set of the first `count` examples of another (torch.utils.data.Subset(range(count))),
 * copied. */
WICK_API wick_status wick_dataset_head(const wick_dataset *dataset, int64_t count, wick_dataset **out);
/* A data set of those examples of another, in that order (torch.utils.data.Subset(dataset, indices)),
 * copied.
 * Errors: WICK_EINVAL (no index, or one out of range), WICK_ENOMEM. */
WICK_API wick_status wick_dataset_subset(const wick_dataset *dataset, int64_t count,
                                         const int64_t *indices, wick_dataset **out);
WICK_API void wick_dataset_free(wick_dataset *dataset);

WICK_API const char *wick_dataset_name(const wick_dataset *dataset);
/* "FashionMNIST", as torchvision's class is called; "IDX" for a folder of IDX files that is of no known
 * data set; "ImageFolder" for a folder of pictures; "TensorDataset" for wick_dataset_from's. Static. */
WICK_API const char *wick_dataset_class_name(const wick_dataset *dataset);
WICK_API wick_split wick_dataset_split(const wick_dataset *dataset);
/* The folder it was read from; "" for wick_dataset_from's. Borrowed. */
WICK_API const char *wick_dataset_root(const wick_dataset *dataset);
WICK_API int64_t wick_dataset_count(const wick_dataset *dataset);
/* channels, height, width. Borrowed: three numbers. */
WICK_API const int64_t *wick_dataset_image_shape(const wick_dataset *dataset);
WICK_API int64_t wick_dataset_class_count(const wick_dataset *dataset);
/* The name of a class, or NULL outside 0 .. class_count-1. Borrowed. */
WICK_API const char *wick_dataset_class(const wick_dataset *dataset, int64_t index);
/* All pixels, NULL if they are not in memory but read from files as they are used (wick_dataset_options'
 * memory_limit; wick_dataset_get_pixels() has them all the same), and all labels. Borrowed until the data
 * set is freed. */
WICK_API const uint8_t *wick_dataset_pixels(const wick_dataset *dataset);
WICK_API const int64_t *wick_dataset_labels(const wick_dataset *dataset);
/* The file that the example was read from, from wick_dataset_root() on, of a folder of pictures; else NULL, and where
 * index is out of range. Borrowed. */
WICK_API const char *wick_dataset_path(const wick_dataset *dataset, int64_t index);
/* train_data[index]: a [channels, height, width] float32 image in [0, 1], owned, and its label. Either
 * pointer may be NULL.
 * Errors: WICK_EINVAL if index is out of range, WICK_EIO if a file that the image is in cannot be read any
 * more, WICK_ENOMEM. */
WICK_API wick_status wick_dataset_get(const wick_dataset *dataset, int64_t index, wick_tensor **image,
                                      int64_t *label);

/* The same image as it is held: uint8 [channels, height, width], owned. */
WICK_API wick_status wick_dataset_get_pixels(const wick_dataset *dataset, int64_t index,
                                             wick_tensor **image);

/* The files that it was read from: path and SHA-256 (64 hexadecimal digits) of the bytes on disk, for
 * index 0, 1, ...; WICK_ENOENT from the end on. The paths are borrowed; the files are read again to be
 * summed. */
WICK_API wick_status wick_dataset_file(const wick_dataset *dataset, int index, const char **path,
                                       char sha256[65]);

/* Whether that is a file of a known data set as it was published (or as Debian packs it, or without
 * its gzip): the class name of the set, such as "FashionMNIST", or NULL. Fashion-MNIST's files from
 * before 31 August 2017, which had training pictures among the test ones, are not. Static. */
WICK_API const char *wick_dataset_published(const char *path, const char sha256[65]);

/* ---- download ---- */

typedef struct wick_download_options {
    const char *const *mirrors; /* base URLs tried in order, ended by NULL; NULL: the known ones */
    int64_t timeout_ms;         /* give up on a mirror that sends nothing for so long; 0: 30 s */
    /* Called now and then (may be NULL): bytes of this file so far, and in all (0 if not known). */
    void (*progress)(void *user, const char *file, int64_t done, int64_t total);
    void *user;
} wick_download_options;

/* Downloads a known data set into folder/NAME (folder NULL: the user's cache), each file checked by
 * its SHA-256, written to a temporary name, then renamed; files there already and right are left.
 * options may be NULL.
 * Of EMNIST and CIFAR there are only archives: they are not downloaded.
 * Errors: WICK_ENOENT (unknown name), WICK_ENET (what every mirror said), WICK_EFORMAT (a wrong
 * sum), WICK_EIO, WICK_EINTR, WICK_ENOTSUP (built without libcurl). Whatever was there before
 * stays. */
WICK_API wick_status wick_dataset_download(wick_context *context, const char *name, const char *folder,
                                           const wick_download_options *options);

/* The mean and the standard deviation (over all pixels, divided by their number) of each channel, of pixels
 * divided by 255: what Normalize is given. mean and std have room for a number a channel.
 * Errors: WICK_EINVAL. */
WICK_API wick_status wick_dataset_measure(const wick_dataset *dataset, float *mean, float *std);

/* ---- transforms ---- */

/* What is done by chance to each training image each time it is given out (torchvision.transforms), in this
 * order. All zeros: nothing. What is drawn for an image depends on the epoch's base seed, which the loader
 * draws as DataLoader does, and on the image's index alone: not on the threads, nor on the batch that it is
 * in, nor on where a training was stopped and resumed. Images keep their size. */
typedef struct wick_transform {
    int64_t crop; /* RandomCrop(size, padding=crop): moved by up to so many pixels; below each side */
    bool crop_reflect;    /* padding_mode="reflect"; else zeros */
    double flip;          /* RandomHorizontalFlip(p): 0 to 1 */
    double rotate;        /* RandomRotation(degrees): 0 to 180, about the centre, zeros around */
    bool rotate_bilinear; /* InterpolationMode.BILINEAR; else NEAREST, as torchvision's default. Both are
                             PIL's Image.rotate() to the last bit */
    double erase; /* RandomErasing(p): 0 to 1; a rectangle of 2 to 33 % of the image becomes the mean
                             that the loader subtracts, or 0: torchvision's value=0 after or before Normalize */
} wick_transform;

/* Reads "crop=4,reflect,flip,rotate=10,bilinear,erase=0.25": any of these, in any order, flip also as
 * flip=0.3.
 * Errors: WICK_EINVAL, naming the word and what there is. */
WICK_API wick_status wick_transform_parse(wick_context *context, const char *text, wick_transform *out);

/* ---- loader ---- */

typedef struct wick_loader wick_loader;

typedef struct wick_loader_options {
    int64_t batch_size;        /* 0: 1, as DataLoader's default */
    bool shuffle;              /* another order every epoch, RandomSampler's */
    bool drop_last;            /* leave out a short last batch */
    wick_generator *generator; /* where the seeds are drawn; NULL: the default one. Borrowed */
    wick_transform transform;
    const float *mean, *std; /* Normalize(mean, std): a number a channel each, std above 0; NULL: none.
                                Copied */
} wick_loader_options;

/* DataLoader(dataset, batch_size, shuffle, drop_last, generator). The data set is borrowed until
 * the loader is freed. options may be NULL.
 * Errors: WICK_EINVAL, WICK_ENOMEM. */
WICK_API wick_status wick_loader_new(const wick_dataset *dataset, const wick_loader_options *options,
                                     wick_loader **out);
WICK_API void wick_loader_free(wick_loader *loader);
WICK_API const wick_dataset *wick_loader_dataset(const wick_loader *loader);
/* len(loader): how many batches an epoch has. */
WICK_API int64_t wick_loader_length(const wick_loader *loader);
WICK_API int64_t wick_loader_batch_size(const wick_loader *loader);

/* iter(loader): goes to the start of an epoch and draws what DataLoader draws: a base seed from the
 * generator, shuffled or not, and, when the first batch of a shuffled loader is asked for, the sampler's
 * seed. */
WICK_API wick_status wick_loader_begin(wick_loader *loader);
/* next(iterator): images [n, channels, height, width] float32 and labels [n] int64, owned by the
 * caller, transformed and then normalised as the loader's options say; both NULL, with WICK_OK, when the
 * epoch is over. */
WICK_API wick_status wick_loader_next(wick_loader *loader, wick_tensor **images, wick_tensor **labels);
/* The same without the images: which examples the next batch is made of. count is 0 when the epoch is over.
 * Borrowed until the next call. */
WICK_API wick_status wick_loader_next_indices(wick_loader *loader, const int64_t **indices,
                                              int64_t *count);

/* Where the loader is in its epoch and what the epoch's order was drawn from, as a state_dict that
 * wick_save() takes. What the generator that it draws its seeds from has come to is not in it: that
 * is saved by itself (wick_generator_get_state()). Owned. */
WICK_API wick_status wick_loader_state_dict(const wick_loader *loader, wick_state_dict **out);
/* Goes to that place: the batches from there on are those that the saved loader would have given.
 * The loader must have been made with the same options over as many examples.
 * Errors: WICK_EKEY, WICK_EFORMAT, WICK_ENOMEM; the loader is then where it was. */
WICK_API wick_status wick_loader_load_state_dict(wick_loader *loader, const wick_state_dict *dict);

#ifdef __cplusplus
}
#endif
#endif
