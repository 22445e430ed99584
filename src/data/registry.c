#include "data/registry.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Class names are torchvision's. The SHA-256 sums of the published .gz files are those that
 * torchvision's prototype data sets list. Debian's package has Fashion-MNIST's files packed anew without
 * their names and dates: put back, they give the published sums. */
static const char *const fashion_mnist_classes[] = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot",
};
static const char *const mnist_classes[] = {
    "0 - zero", "1 - one", "2 - two",   "3 - three", "4 - four",
    "5 - five", "6 - six", "7 - seven", "8 - eight", "9 - nine",
};
static const char *const kmnist_classes[] = {"o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"};

static const char *const emnist_letters_classes[] = {"N/A", "a", "b", "c", "d", "e", "f", "g", "h",
                                                     "i",   "j", "k", "l", "m", "n", "o", "p", "q",
                                                     "r",   "s", "t", "u", "v", "w", "x", "y", "z"};
static const char *const emnist_balanced_classes[] = {
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F",
    "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V",
    "W", "X", "Y", "Z", "a", "b", "d", "e", "f", "g", "h", "n", "q", "r", "t"};
static const char *const digit_classes[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
static const char *const cifar10_classes[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                              "dog",      "frog",       "horse", "ship", "truck"};
static const char *const cifar100_classes[] = {
    "apple",       "aquarium_fish", "baby",      "bear",       "beaver",       "bed",
    "bee",         "beetle",        "bicycle",   "bottle",     "bowl",         "boy",
    "bridge",      "bus",           "butterfly", "camel",      "can",          "castle",
    "caterpillar", "cattle",        "chair",     "chimpanzee", "clock",        "cloud",
    "cockroach",   "couch",         "crab",      "crocodile",  "cup",          "dinosaur",
    "dolphin",     "elephant",      "flatfish",  "forest",     "fox",          "girl",
    "hamster",     "house",         "kangaroo",  "keyboard",   "lamp",         "lawn_mower",
    "leopard",     "lion",          "lizard",    "lobster",    "man",          "maple_tree",
    "motorcycle",  "mountain",      "mouse",     "mushroom",   "oak_tree",     "orange",
    "orchid",      "otter",         "palm_tree", "pear",       "pickup_truck", "pine_tree",
    "plain",       "plate",         "poppy",     "porcupine",  "possum",       "rabbit",
    "raccoon",     "ray",           "road",      "rocket",     "rose",         "sea",
    "seal",        "shark",         "shrew",     "skunk",      "skyscraper",   "snail",
    "snake",       "spider",        "squirrel",  "streetcar",  "sunflower",    "sweet_pepper",
    "table",       "tank",          "telephone", "television", "tiger",        "tractor",
    "train",       "trout",         "tulip",     "turtle",     "wardrobe",     "whale",
    "willow_tree", "wolf",          "woman",     "worm"};

/* clang-format off */
static const wki_known_set known_sets[] = {
    {
        .name = "fashion-mnist",
        .class_name = "FashionMNIST",
        .places = {"FashionMNIST/raw"},
        .classes = fashion_mnist_classes,
        .class_count = 10, .counts = {60000, 10000}, .height = 28, .width = 28,
        .files = {
            {"train-images-idx3-ubyte", {
                {26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"},
                {26421856, "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"},
                {47040016, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"}}},
            {"train-labels-idx1-ubyte", {
                {29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"},
                {29491, "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"},
                {60008, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"}}},
            {"t10k-images-idx3-ubyte", {
                {4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"},
                {4422079, "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"},
                {7840016, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"}}},
            {"t10k-labels-idx1-ubyte", {
                {5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"},
                {5125, "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"},
                {10008, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"}}},
        },
        .mirrors = {
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        },
    },
    {
        .name = "mnist",
        .class_name = "MNIST",
        .places = {"MNIST/raw"},
        .classes = mnist_classes,
        .class_count = 10, .counts = {60000, 10000}, .height = 28, .width = 28,
        .files = {
            {"train-images-idx3-ubyte", {
                {9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
                {0, NULL},
                {47040016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"}}},
            {"train-labels-idx1-ubyte", {
                {28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
                {0, NULL},
                {60008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"}}},
            {"t10k-images-idx3-ubyte", {
                {1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
                {0, NULL},
                {7840016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"}}},
            {"t10k-labels-idx1-ubyte", {
                {4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"},
                {0, NULL},
                {10008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}}},
        },
        .mirrors = {
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        },
    },
    {
        .name = "kmnist",
        .class_name = "KMNIST",
        .places = {"KMNIST/raw"},
        .classes = kmnist_classes,
        .class_count = 10, .counts = {60000, 10000}, .height = 28, .width = 28,
        .files = {
            {"train-images-idx3-ubyte", {
                {18165135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"}}},
            {"train-labels-idx1-ubyte", {
                {29497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"}}},
            {"t10k-images-idx3-ubyte", {
                {3041136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"}}},
            {"t10k-labels-idx1-ubyte", {
                {5120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"}}},
        },
        .mirrors = {
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        },
    },
    {
        .name = "emnist-letters",
        .class_name = "EMNIST",
        .classes = emnist_letters_classes,
        .class_count = 27, .counts = {124800, 20800}, .height = 28, .width = 28,
        .own_names = true, .lying = true, .places = {"gzip", "EMNIST/raw"},
        .files = {{"emnist-letters-train-images-idx3-ubyte"}, {"emnist-letters-train-labels-idx1-ubyte"},
                  {"emnist-letters-test-images-idx3-ubyte"}, {"emnist-letters-test-labels-idx1-ubyte"}},
    },
    {
        .name = "emnist-balanced",
        .class_name = "EMNIST",
        .classes = emnist_balanced_classes,
        .class_count = 47, .counts = {112800, 18800}, .height = 28, .width = 28,
        .own_names = true, .lying = true, .places = {"gzip", "EMNIST/raw"},
        .files = {{"emnist-balanced-train-images-idx3-ubyte"}, {"emnist-balanced-train-labels-idx1-ubyte"},
                  {"emnist-balanced-test-images-idx3-ubyte"}, {"emnist-balanced-test-labels-idx1-ubyte"}},
    },
    {
        .name = "emnist-digits",
        .class_name = "EMNIST",
        .classes = digit_classes,
        .class_count = 10, .counts = {240000, 40000}, .height = 28, .width = 28,
        .own_names = true, .lying = true, .places = {"gzip", "EMNIST/raw"},
        .files = {{"emnist-digits-train-images-idx3-ubyte"}, {"emnist-digits-train-labels-idx1-ubyte"},
                  {"emnist-digits-test-images-idx3-ubyte"}, {"emnist-digits-test-labels-idx1-ubyte"}},
    },
    {
        .name = "cifar10",
        .class_name = "CIFAR10",
        .classes = cifar10_classes,
        .class_count = 10, .counts = {50000, 10000}, .height = 32, .width = 32,
        .cifar = true, .places = {"cifar-10-batches-bin"}, .pickled = "cifar-10-batches-py/data_batch_1",
    },
    {
        .name = "cifar100",
        .class_name = "CIFAR100",
        .classes = cifar100_classes,
        .class_count = 100, .counts = {50000, 10000}, .height = 32, .width = 32,
        .cifar = true, .places = {"cifar-100-binary"}, .pickled = "cifar-100-python/train",
    },
};
/* clang-format on */

const char *wick_dataset_known(int index)
{
    return index >= 0 && (size_t)index < WKI_COUNT(known_sets) ? known_sets[index].name : NULL;
}

const wki_known_set *wki_known_at(int index)
{
    return index >= 0 && (size_t)index < WKI_COUNT(known_sets) ? &known_sets[index] : NULL;
}

const wki_known_set *wki_known_find(const char *name)
{
    for (size_t i = 0; i < WKI_COUNT(known_sets); i++)
        if (strcmp(name, known_sets[i].name) == 0)
            return &known_sets[i];
    return NULL;
}

bool wick_dataset_known_facts(const char *name, wick_dataset_facts *out)
{
    const wki_known_set *set = name == NULL || out == NULL ? NULL : wki_known_find(name);
    if (set == NULL)
        return false;
    *out = (wick_dataset_facts){
        .image_shape = {set->cifar ? 3 : 1, set->height, set->width},
        .class_count = set->class_count,
        .classes = set->classes,
    };
    return true;
}

/* The first name that begins so, as fashion-mnist with "fashion"; else the nearest; or NULL. */
static const char *name_meant(const char *name, const char *const *names, size_t count)
{
    enum { LEAST = 3 };
    size_t length = strlen(name);
    for (size_t i = 0; i < count && length >= LEAST; i++)
        if (strncasecmp(name, names[i], length) == 0)
            return names[i];
    return wki_nearest(name, names, count);
}

wick_status wki_known_missing(wick_context *context, const char *name, const char *also)
{
    const char *names[WKI_COUNT(known_sets)];
    char list[256] = "", hint[64] = "";
    size_t used = 0;
    for (size_t i = 0; i < WKI_COUNT(known_sets); i++) {
        names[i] = known_sets[i].name;
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    const char *nearest = name_meant(name, names, WKI_COUNT(names));
    if (nearest != NULL)
        snprintf(hint, sizeof(hint), "; did you mean '%s'?", nearest);
    return wki_fail(context, WICK_ENOENT, "there is no data set '%s'; known are %s%s%s", name, list,
                    also, hint);
}

bool wki_known_size(const char *name, uint64_t size)
{
    for (size_t i = 0; i < WKI_COUNT(known_sets); i++)
        for (size_t f = 0; f < WKI_KNOWN_FILES; f++)
            for (size_t k = 0; k < WKI_KNOWN_SUMS; k++)
                if (known_sets[i].files[f].sums[k].sha256 != NULL &&
                    known_sets[i].files[f].sums[k].size == size &&
                    strcmp(name, known_sets[i].files[f].name) == 0)
                    return true;
    return false;
}

bool wki_known_file_is(const wki_known_file *file, const char sha256[65])
{
    for (size_t k = 0; k < WKI_KNOWN_SUMS; k++)
        if (file->sums[k].sha256 != NULL && strcmp(file->sums[k].sha256, sha256) == 0)
            return true;
    return false;
}

const wki_known_set *wki_known_by_sum(const char *name, const char sha256[65])
{
    for (size_t i = 0; i < WKI_COUNT(known_sets); i++)
        for (size_t f = 0; f < WKI_KNOWN_FILES; f++)
            if (wki_known_file_is(&known_sets[i].files[f], sha256) &&
                strcmp(name, known_sets[i].files[f].name) == 0)
                return &known_sets[i];
    return NULL;
}

const char *wki_idx_file_name(const wki_known_set *set, wick_split split, wki_part part)
{
    if (set != NULL && set->own_names)
        return set->files[2 * (split == WICK_TEST) + (part == WKI_LABELS)].name;
    static const char *const names[2][2] = {
        {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
        {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
    };
    return names[split == WICK_TEST][part == WKI_LABELS];
}

wick_status wki_cache_folder(wick_context *context, char **out)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    /* The XDG base directory specification: a relative path is to be ignored. */
    if (cache != NULL && cache[0] == '/')
        return wki_join_path(context, cache, "wick", out);
    if (home == NULL || home[0] == '\0')
        return wki_fail(
            context, WICK_ENOENT,
            "there is no cache folder: neither XDG_CACHE_HOME nor HOME is set; name a folder");
    return wki_join_path(context, home, ".cache/wick", out);
}
