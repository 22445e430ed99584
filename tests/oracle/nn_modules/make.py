#!/usr/bin/env python3
"""Writes what PyTorch gives for modules: weights.txt, reprs.txt, shapes.txt and chapter.txt beside this script.

    make.py [DOCUMENT]

DOCUMENT is the chapter as text; with it, what PyTorch prints here is checked against what the chapter printed.
Made with PyTorch 2.15 on a CPU; weights, reprs and chapter are the same with 1.13.
"""
import os
import random
import re
import sys
import warnings

import torch
from torch import nn

warnings.simplefilter("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))


class FashionMNISTModelV0(nn.Module):
    def __init__(self, input_shape, hidden_units, output_shape):
        super().__init__()
        self.layer_stack = nn.Sequential(
            nn.Flatten(), nn.Linear(input_shape, hidden_units), nn.Linear(hidden_units, output_shape))

    def forward(self, x):
        return self.layer_stack(x)


class FashionMNISTModelV1(nn.Module):
    def __init__(self, input_shape, hidden_units, output_shape):
        super().__init__()
        self.layer_stack = nn.Sequential(
            nn.Flatten(), nn.Linear(input_shape, hidden_units), nn.ReLU(),
            nn.Linear(hidden_units, output_shape), nn.ReLU())

    def forward(self, x):
        return self.layer_stack(x)


class FashionMNISTModelV2(nn.Module):
    def __init__(self, input_shape, hidden_units, output_shape, pixels=7 * 7):
        super().__init__()

        def block(channels):
            return nn.Sequential(
                nn.Conv2d(channels, hidden_units, kernel_size=3, stride=1, padding=1), nn.ReLU(),
                nn.Conv2d(hidden_units, hidden_units, kernel_size=3, stride=1, padding=1), nn.ReLU(),
                nn.MaxPool2d(kernel_size=2))

        self.conv_block_1 = block(input_shape)
        self.conv_block_2 = block(hidden_units)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(hidden_units * pixels, output_shape))

    def forward(self, x):
        return self.classifier(self.conv_block_2(self.conv_block_1(x)))


def make_model(name, image, hidden, classes):
    channels, height, width = image
    if name == "FashionMNISTModelV2":
        return FashionMNISTModelV2(channels, hidden, classes, (height // 4) * (width // 4))
    return globals()[name](channels * height * width, hidden, classes)


def make_layer(text):
    return eval(text, {"nn": nn, "torch": torch, **vars(nn)})


# ---- weights.txt ---------------------------------------------------------------------------------------

def bits(tensor):
    return [int(b) & 0xffffffff for b in tensor.detach().contiguous().view(torch.int32).flatten().tolist()]


def fnv(words):
    """FNV-1a over 32-bit words, 64 bits wide."""
    h = 0xcbf29ce484222325
    for word in words:
        h = ((h ^ word) * 0x100000001b3) & 0xffffffffffffffff
    return h


def write_case(out, head, module):
    out.write(head + "\n")
    for key, tensor in module.state_dict().items():
        words = bits(tensor)
        sizes = " ".join(str(s) for s in tensor.shape)
        out.write(f"param {key} {tensor.dim()} {sizes} {fnv(words):016x} {words[0]:08x} {words[-1]:08x}\n")
    out.write(f"next {bits(torch.rand(1))[0]:08x}\n")


LAYERS = [
    "Linear(1, 1)", "Linear(3, 5)", "Linear(784, 10)", "Linear(in_features=10, out_features=10, bias=False)",
    "Linear(7, 33)", "Linear(490, 10)", "Linear(1, 17, bias=False)", "Linear(16, 1)", "Linear(1000, 3)",
    "Conv2d(1, 1, 1)", "Conv2d(1, 10, 3, padding=1)", "Conv2d(10, 10, 3)", "Conv2d(3, 10, kernel_size=(3, 3))",
    "Conv2d(4, 6, (2, 5), groups=2)", "Conv2d(6, 6, 3, groups=6, bias=False)", "Conv2d(3, 64, 7, stride=2, padding=3)",
    "Conv2d(8, 4, (1, 7), dilation=(1, 2), bias=False)", "Conv2d(16, 32, 3, groups=4, padding='same')",
    "Conv2d(9, 3, 1, groups=3)", "Conv2d(5, 7, 4, stride=(2, 3))", "Conv2d(12, 18, (3, 1), groups=6)",
]
MODELS = [("FashionMNISTModel" + v, image, hidden, classes)
          for v in ("V0", "V1", "V2")
          for image, hidden, classes in [((1, 28, 28), 1, 10), ((1, 28, 28), 3, 10), ((1, 28, 28), 10, 10),
                                         ((1, 28, 28), 16, 10), ((3, 32, 32), 5, 7), ((2, 30, 27), 4, 3),
                                         ((1, 4, 5), 2, 1)]]


def write_weights():
    with open(os.path.join(HERE, "weights.txt"), "w") as out:
        for text in LAYERS:
            for seed in (0, 42, 1234567890123):
                torch.manual_seed(seed)
                write_case(out, f"layer {seed} {text}", make_layer(text))
        for i, (name, image, hidden, classes) in enumerate(MODELS):
            for seed in (42, i):
                torch.manual_seed(seed)
                module = make_model(name, image, hidden, classes)
                sizes = " ".join(str(s) for s in image)
                write_case(out, f"model {seed} {name} {sizes} {hidden} {classes}", module)


# ---- reprs.txt -----------------------------------------------------------------------------------------

# Where PyTorch prints a size of MaxPool2d as it was given, a square one is given as one number here.
REPRS = LAYERS + [
    "nn.Flatten()", "torch.nn.ReLU()", "Flatten(1, -1)", "Flatten(start_dim=1, end_dim=-1)", "ReLU(inplace=False)",
    "ReLU(False)", "Linear(3, 4, True)", "Linear(3, 4, False, None, None)",
    "nn.Conv2d(in_channels=3, out_channels=10, kernel_size=(3, 3), stride=1, padding=0)",
    "Conv2d(2, 4, 3, 2, 1, 2, 2, False)", "Conv2d(2, 4, (3, 2), (2, 1), (1, 0), (1, 3), 1, True, 'zeros')",
    "Conv2d(2, 4, [3, 2], padding=[0, 1], device=None, dtype=None)", "Conv2d(2, 4, 3, padding='valid')",
    'Conv2d(2, 4, 3, padding="same", dilation=(2, 3))', "Conv2d(2, 4, 1, padding=(0, 0), dilation=(1, 1))",
    "Conv2d(2, 4, 1, stride=(2, 2), padding_mode='zeros',)", "Conv2d(kernel_size=2, out_channels=3, in_channels=1)",
    "MaxPool2d(2)", "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
    "MaxPool2d((3, 2))", "MaxPool2d((3, 2), stride=None)", "MaxPool2d((3, 2), (2, 1), (1, 0), (1, 2), False, True)",
    "MaxPool2d(3, 2, 1, ceil_mode=True)", "MaxPool2d(5, stride=(1, 2), dilation=(2, 1), return_indices=False)",
]


def write_reprs():
    with open(os.path.join(HERE, "reprs.txt"), "w") as out:
        for text in REPRS:
            out.write(f"{text}\n{make_layer(text)!r}\n")


# ---- shapes.txt ----------------------------------------------------------------------------------------

def draw_size(r, numbers):
    return r.choice(numbers) if r.random() < 0.5 else (r.choice(numbers), r.choice(numbers))


def write_arguments(r, required, options):
    """Some options left out, some by position, the others by name in any order."""
    arguments = [f"{value!r}" for _, value in required]
    named = list(options)
    while named and r.random() < 0.4:
        arguments.append(f"{named.pop(0)[1]!r}")
    named = [n for n in named if r.random() < 0.75]
    r.shuffle(named)
    return ", ".join(arguments + [f"{name}={value!r}" for name, value in named])


def draw_conv2d(r):
    groups = r.choice([1, 1, 1, 2, 3])
    channels = r.randint(1, 3) * (groups if r.random() < 0.9 else 1)
    required = [("in_channels", channels),
                ("out_channels", r.randint(1, 3) * (groups if r.random() < 0.9 else 1)),
                ("kernel_size", draw_size(r, [1, 2, 3, 4]))]
    padding = draw_size(r, [0, 0, 1, 2, 3]) if r.random() < 0.9 else r.choice(["same", "valid"])
    options = [("stride", draw_size(r, [1, 2, 3])), ("padding", padding), ("dilation", draw_size(r, [1, 1, 2, 3])),
               ("groups", groups), ("bias", r.random() < 0.5)]
    return channels, f"Conv2d({write_arguments(r, required, options)})"


def draw_max_pool2d(r):
    required = [("kernel_size", draw_size(r, [1, 2, 3, 4, 5]))]
    options = [("stride", r.choice([None, draw_size(r, [1, 2, 3, 4])])), ("padding", draw_size(r, [0, 0, 1, 2, 3])),
               ("dilation", draw_size(r, [1, 1, 2, 3])), ("return_indices", False), ("ceil_mode", r.random() < 0.6)]
    return r.randint(1, 3), f"MaxPool2d({write_arguments(r, required, options)})"


def draw_linear(r):
    features = r.randint(1, 9)
    return features, f"Linear({write_arguments(r, [('i', features), ('o', r.randint(1, 9))], [('bias', False)])})"


def uneven_same(module):
    """padding='same' that pads one side more, which wick refuses."""
    return getattr(module, "padding", None) == "same" and any(
        d * (k - 1) % 2 for d, k in zip(module.dilation, module.kernel_size))


def run(text, shape):
    from torch.utils.flop_counter import FlopCounterMode
    try:
        module = make_layer(text)
        if uneven_same(module):
            return None
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            result = module(torch.zeros(shape))
    except (RuntimeError, ValueError, IndexError):
        return "error"
    return " ".join(str(s) for s in [counter.get_total_flops() // 2, result.dim(), *result.shape])


def draw_case(r):
    draw = r.choice([draw_conv2d] * 5 + [draw_max_pool2d] * 5 + [draw_linear])
    channels, text = draw(r)
    if draw is draw_linear:
        shape = [r.randint(0, 4) for _ in range(r.randint(0, 3))] + [channels]
        if r.random() < 0.15:
            shape[-1] += 1
    else:
        shape = [r.randint(0, 3), channels, r.randint(0, 14), r.randint(0, 14)]
        if r.random() < 0.05:
            shape[1] += 1
        if r.random() < 0.03:
            shape.insert(0, 1)
    return text, shape


def write_shapes(count=900):
    r = random.Random(2024)
    written = 0
    with open(os.path.join(HERE, "shapes.txt"), "w") as out:
        while written < count:
            text, shape = draw_case(r)
            result = run(text, shape)
            if result is not None:
                out.write(f"{text}\n{len(shape)} {' '.join(str(s) for s in shape)} -> {result}\n")
                written += 1


# ---- chapter.txt ---------------------------------------------------------------------------------------

def notebook_state_dict(module):
    """As a notebook displays it, a line an entry."""
    entries = []
    for key, tensor in module.state_dict().items():
        lines = repr(tensor).split("\n")
        entries.append(f"('{key}',\n" + "\n".join(" " * 14 + line for line in lines) + ")")
    return "OrderedDict([" + ",\n             ".join(entries) + "])\n"


def write_chapter(document):
    torch.manual_seed(42)
    model_0 = FashionMNISTModelV0(784, 10, 10)
    printed = [repr(model_0) + "\n", notebook_state_dict(model_0), repr(FashionMNISTModelV1(784, 10, 10)) + "\n",
               repr(FashionMNISTModelV2(1, 10, 10)) + "\n"]
    if document is not None:
        with open(document) as file:
            text = re.sub(r"[ \t]+\n", "\n", file.read())
        for i in (0, 1, 3):  # the chapter does not print model 1
            assert re.sub(r"[ \t]+\n", "\n", printed[i]) in text, f"the document does not have: {printed[i]}"
    with open(os.path.join(HERE, "chapter.txt"), "w") as out:
        out.write("\n".join(printed))


if __name__ == "__main__":
    write_weights()
    write_reprs()
    write_chapter(sys.argv[1] if len(sys.argv) > 1 else None)
    write_shapes()
