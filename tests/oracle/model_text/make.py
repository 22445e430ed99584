#!/usr/bin/env python3
"""Writes what PyTorch gives for models as text and for the layers of such: models.txt, layer_prints.txt and
layer_shapes.txt beside this script.

Made with PyTorch 2.15 on a CPU; models.txt is the same with 1.13.
"""
import os
import random
import re
import sys
import warnings
from collections import OrderedDict

import torch
from torch import nn

warnings.simplefilter("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))


class Residual(nn.Module):
    """wick's own: body(x) + x, or body(x) + shortcut(x)."""

    def __init__(self, *body, shortcut=None, **named):
        super().__init__()
        for i, module in enumerate(body):
            self.add_module(str(i), module)
        for name, module in named.items():
            self.add_module(name, module)
        if shortcut is not None:
            self.add_module("shortcut", shortcut)

    def forward(self, x):
        y, aside = x, x
        for name, module in self.named_children():
            if name == "shortcut":
                aside = module(x)
            else:
                y = module(y)
        if y.shape != aside.shape:
            raise RuntimeError("shapes differ")
        return y + aside


def sequential(*children, **named):
    """nn.Sequential, with children by name as well."""
    if not named:
        return nn.Sequential(*children)
    return nn.Sequential(OrderedDict([(str(i), child) for i, child in enumerate(children)] + list(named.items())))


def make(text):
    return eval(f"({text}\n)", {**vars(nn), "nn": nn, "torch": torch, "OrderedDict": OrderedDict,
                                "Sequential": sequential, "Residual": Residual})


def plain(text):
    """A print without the bias= that newer versions add to normalisations with all or nothing learned."""
    return re.sub(r"(affine=(True|False)), bias=\2", r"\1", text)


# ---- models.txt ----------------------------------------------------------------------------------------

MODELS = [
    ((1, 28, 28), "Sequential(Conv2d(1, 4, kernel_size=3, padding=1), BatchNorm2d(4), ReLU(), MaxPool2d(2),\n"
                  "           Flatten(), Linear(784, 10))"),
    ((3, 16, 12), "nn.Sequential(\n    # a stem\n    nn.Conv2d(3, 6, 3, stride=2, padding=1, bias=False),\n"
                  "    nn.GroupNorm(2, 6), nn.SiLU(),\n    nn.Dropout2d(0.25),\n    nn.AdaptiveAvgPool2d(1),\n"
                  "    nn.Flatten(), nn.Dropout(), nn.Linear(6, 3),  # classes\n)"),
    ((1, 8, 8), "Sequential(Residual(Conv2d(1, 1, 3, padding='same'), Tanh()), Residual(Conv2d(1, 3, 3, padding=1), "
                "BatchNorm2d(3), GELU('tanh'), shortcut=Conv2d(1, 3, 1)), AvgPool2d(4), Flatten(), Linear(12, 2), "
                "LogSoftmax(dim=1))"),
    ((2, 9, 7), "Sequential(OrderedDict([('conv', Conv2d(2, 3, (2, 3))), ('norm', BatchNorm2d(3, momentum=None)),\n"
                "    ('head', Sequential(OrderedDict([('flat', Flatten()), ('fc', Linear(120, 4, bias=False))])))]))"),
    ((1, 6, 6), "Sequential(stem=Sequential(Conv2d(1, 2, 3), LeakyReLU(0.125)), body=Residual(a=Conv2d(2, 2, 1), "
                "b=Identity()), head=Sequential(Flatten(), LayerNorm(32), Linear(32, 3), Softmax(-1)))"),
    ((3, 10, 10), "Sequential(LazyConv2d(4, 3, padding=1), LazyBatchNorm2d(), ReLU(), Conv2d(4, 5, 3), MaxPool2d(2), "
                  "Flatten(), LazyLinear(7, bias=False), LazyBatchNorm1d(eps=1e-3), Dropout(0.5), LazyLinear(2))"),
    ((1, 5, 5), "Sequential(Residual(LazyConv2d(2, 1), shortcut=Sequential(LazyConv2d(2, kernel_size=(1, 1)), "
                "Sigmoid())), Flatten(), Linear(50, 2))"),
    ((1, 4, 4), "Sequential(Sequential(Sequential(Flatten()), Sequential()), Linear(16, 2),)"),
]


def words(tensor):
    if tensor.dtype == torch.int64:
        return [int(v) & 0xffffffff for v in tensor.flatten().tolist()]
    return [int(b) & 0xffffffff for b in tensor.detach().contiguous().view(torch.int32).flatten().tolist()]


def fnv(numbers):
    """FNV-1a over 32-bit words, 64 bits wide."""
    h = 0xcbf29ce484222325
    for number in numbers:
        h = ((h ^ number) * 0x100000001b3) & 0xffffffffffffffff
    return h


def write_model(out, seed, image, text):
    torch.manual_seed(seed)
    model = make(text).eval()
    with torch.no_grad():
        result = model(torch.zeros(3, *image))  # now the lazy layers have their weights
    after = torch.rand(1)
    out.write(f"model {seed} {' '.join(str(s) for s in image)}\n")
    for mark, lines in (("|", text), (">", plain(repr(model)))):
        for line in lines.split("\n"):
            out.write(f"{mark}{line}\n")
    for key, tensor in model.state_dict().items():
        sizes = "".join(f" {s}" for s in tensor.shape)
        out.write(f"value {key} {tensor.dim()}{sizes} {fnv(words(tensor)):016x}\n")
    out.write(f"end {words(after)[0]:08x} {sum(p.numel() for p in model.parameters())} {result.dim()} "
              f"{' '.join(str(s) for s in result.shape)}\n")


def write_models():
    with open(os.path.join(HERE, "models.txt"), "w") as out:
        for image, text in MODELS:
            for seed in (42, 7):
                write_model(out, seed, image, text)


# ---- layer_prints.txt ----------------------------------------------------------------------------------

# Where PyTorch prints a size of a pooling as it was given, a square one is given as one number here; what it does not
# print (AvgPool2d's ceil_mode) is left out.
LAYERS = [
    "BatchNorm1d(3)", "BatchNorm1d(5, momentum=None, affine=False)", "nn.BatchNorm2d(3)", "BatchNorm2d(3, 1e-3, 0.01)",
    "BatchNorm2d(num_features=7, eps=1e-12, track_running_stats=False)", "BatchNorm2d(3, 1e-05, 0.1, True, True, None)",
    "BatchNorm2d(4, affine=True, bias=False)", "BatchNorm2d(4, affine=False, track_running_stats=False)",
    "Dropout()", "Dropout(0.25)", "Dropout(p=0.0)", "Dropout(1.0)", "Dropout2d()", "torch.nn.Dropout2d(p=0.1)",
    "Dropout(.5, inplace=False)", "AvgPool2d(2)", "AvgPool2d((3, 2))", "AvgPool2d(3, stride=2, padding=1)",
    "AvgPool2d((3, 2), (2, 1), (1, 0))", "AvgPool2d(2, None, ceil_mode=False, count_include_pad=True)",
    "AvgPool2d(2, divisor_override=None)", "AdaptiveAvgPool2d(1)", "AdaptiveAvgPool2d(output_size=(7, 5))",
    "AdaptiveAvgPool2d((None, 7))", "AdaptiveAvgPool2d((3, None))", "AdaptiveAvgPool2d((None, None))", "LeakyReLU()",
    "LeakyReLU(0.2)", "LeakyReLU(negative_slope=-1.5e-07)", "LeakyReLU(1e+22, False)", "GELU()", "GELU('tanh')",
    "GELU(approximate='none')", "SiLU()", "SiLU(inplace=False)", "Sigmoid()", "Tanh()", "Softmax(1)", "Softmax(dim=-1)",
    "LogSoftmax(dim=1)", "GroupNorm(2, 4)", "GroupNorm(1, 6, eps=0.001)", "GroupNorm(num_groups=3, num_channels=3, affine=False)",
    "GroupNorm(2, 4, bias=False)", "LayerNorm(10)", "LayerNorm((3, 4))", "LayerNorm([2, 3, 4], 1e-06)",
    "LayerNorm((5,), elementwise_affine=False)", "LayerNorm(normalized_shape=(2, 2), bias=False)", "Identity()",
]


def write_prints():
    with open(os.path.join(HERE, "layer_prints.txt"), "w") as out:
        for text in LAYERS:
            out.write(f"{text}\n{plain(repr(make(text)))}\n")


# ---- layer_shapes.txt ----------------------------------------------------------------------------------

def draw_size(r, numbers):
    return r.choice(numbers) if r.random() < 0.5 else (r.choice(numbers), r.choice(numbers))


def draw_avg_pool2d(r):
    kernel, stride = draw_size(r, [1, 2, 3, 4, 5]), r.choice([None, draw_size(r, [1, 2, 3, 4])])
    padding, ceil = draw_size(r, [0, 0, 1, 2, 3]), r.random() < 0.6
    return (f"AvgPool2d({kernel}, {stride}, padding={padding}, ceil_mode={ceil})",
            [r.randint(0, 3), r.randint(1, 3), r.randint(0, 14), r.randint(0, 14)])


def draw_adaptive(r):
    size = r.choice([draw_size(r, [1, 2, 5, 9]), (None, r.randint(1, 4)), (r.randint(1, 4), None), (None, None)])
    return f"AdaptiveAvgPool2d({size})", [r.randint(1, 3), r.randint(1, 3), r.randint(0, 9), r.randint(0, 9)]


def draw_norm(r):
    c = r.randint(1, 6)
    shape = [r.randint(2, 3), c] + [r.randint(1, 5) for _ in range(r.randint(0, 3))]
    kind = r.choice(["BatchNorm1d({})", "BatchNorm2d({})", "GroupNorm(1, {})", "GroupNorm(2, {})"])
    if r.random() < 0.15:
        c += 1
    return kind.format(c), shape


def draw_layer_norm(r):
    shape = [r.randint(1, 5) for _ in range(r.randint(2, 4))]
    tail = shape[r.randint(1, len(shape) - 1):]
    if r.random() < 0.2:
        tail[0] += 1
    return f"LayerNorm({tail if r.random() < 0.5 else tuple(tail)})", shape


def draw_pointwise(r):
    text = r.choice(["Dropout()", "LeakyReLU()", "GELU()", "SiLU()", "Sigmoid()", "Tanh()", "Identity()"])
    return text, [r.randint(1, 4) for _ in range(r.randint(1, 5))]


def draw_softmax(r):
    return r.choice(["Softmax(1)", "LogSoftmax(-1)"]), [r.randint(1, 4), r.randint(1, 5)]


def run(text, shape):
    try:
        with torch.no_grad():
            result = make(text)(torch.zeros(shape))
    except (RuntimeError, ValueError, IndexError):
        return "error"
    return " ".join(str(s) for s in [result.dim(), *result.shape])


def write_shapes(count=500):
    r = random.Random(2025)
    draws = [draw_avg_pool2d] * 4 + [draw_adaptive] * 2 + [draw_norm] * 3 + [draw_layer_norm] * 2 + [draw_pointwise,
                                                                                                draw_softmax]
    with open(os.path.join(HERE, "layer_shapes.txt"), "w") as out:
        for _ in range(count):
            text, shape = r.choice(draws)(r)
            out.write(f"{text}\n{len(shape)} {' '.join(str(s) for s in shape)} -> {run(text, shape)}\n")


if __name__ == "__main__":
    write_models()
    if sys.argv[1:] != ["--models"]:
        write_prints()
        write_shapes()
