#!/usr/bin/env python3
"""Writes what PyTorch computes for layers with odd options: layers.txt and layers.bin beside this script.

layers.txt has a line for each case and for each of its tensors, in order; layers.bin has the tensors' numbers one after
the other, float32 and little-endian (targets too).

    layers TEXT; TEXT; ...      input, gradient (of the output), KEY (each parameter), output, input.grad, KEY.grad
    states TEXT; TEXT; ...      the same, with KEY of each buffer too, then KEY.after of each buffer, and evaluated: the
                                output in evaluation mode
    cross_entropy               logits, targets, loss, logits.grad
    sgd LR STEPS TEXT; ...      KEY, then for each step input, targets, loss, at last KEY again

Made with PyTorch 2.15 on a CPU; 1.13 gives the same within the test's tolerance.
"""
import os
import random
import sys

import torch
from torch import nn

HERE = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
LAYERS = {name: getattr(nn, name) for name in (
    "Conv2d", "MaxPool2d", "Linear", "ReLU", "Flatten", "BatchNorm1d", "BatchNorm2d", "GroupNorm", "LayerNorm", "Dropout",
    "Dropout2d", "AvgPool2d", "AdaptiveAvgPool2d", "LeakyReLU", "GELU", "SiLU", "Sigmoid", "Tanh", "Softmax", "LogSoftmax",
    "Identity")}

# Layers, and the shape of their input.
CASES = [
    ("Conv2d(1, 1, kernel_size=1)", (1, 1, 1, 1)),
    ("Conv2d(3, 5, kernel_size=1, bias=False)", (2, 3, 3, 4)),
    ("Conv2d(2, 7, kernel_size=3, padding=1)", (2, 2, 5, 4)),
    ("Conv2d(1, 4, kernel_size=3, padding=1)", (17, 1, 3, 3)),
    ("Conv2d(2, 3, kernel_size=(2, 5))", (2, 2, 4, 7)),
    ("Conv2d(2, 3, kernel_size=(5, 2), padding=(2, 0))", (2, 2, 4, 5)),
    ("Conv2d(3, 2, kernel_size=3, stride=2)", (2, 3, 8, 7)),
    ("Conv2d(3, 4, kernel_size=3, stride=2, padding=1)", (2, 3, 7, 8)),
    ("Conv2d(2, 3, kernel_size=3, stride=(2, 3), padding=(0, 2))", (2, 2, 6, 9)),
    ("Conv2d(2, 2, kernel_size=2, stride=3)", (3, 2, 7, 8)),
    ("Conv2d(1, 2, kernel_size=1, stride=4, padding=3)", (2, 1, 3, 6)),
    ("Conv2d(1, 2, kernel_size=3, stride=7, padding=1)", (2, 1, 5, 5)),
    ("Conv2d(2, 3, kernel_size=3, dilation=2)", (2, 2, 7, 6)),
    ("Conv2d(2, 3, kernel_size=(3, 2), dilation=(1, 4), stride=(1, 2), padding=(2, 3))", (2, 2, 4, 7)),
    ("Conv2d(2, 2, kernel_size=3, dilation=3, padding=3)", (2, 2, 5, 6)),
    ("Conv2d(4, 6, kernel_size=3, groups=2, padding=1)", (2, 4, 5, 4)),
    ("Conv2d(5, 5, kernel_size=3, groups=5, padding=1, stride=2)", (2, 5, 5, 6)),
    ("Conv2d(3, 9, kernel_size=2, groups=3, bias=False, dilation=2)", (2, 3, 4, 4)),
    ("Conv2d(6, 3, kernel_size=(1, 3), groups=3, stride=(2, 1))", (2, 6, 3, 5)),
    ("Conv2d(1, 2, kernel_size=2, padding=5)", (2, 1, 2, 3)),
    ("Conv2d(2, 2, kernel_size=(8, 5), padding=(2, 1))", (2, 2, 4, 3)),
    ("Conv2d(1, 3, kernel_size=(1, 4))", (5, 1, 1, 9)),
    ("Conv2d(2, 13, kernel_size=2, padding='same', dilation=2)", (2, 2, 3, 4)),
    ("Conv2d(2, 3, kernel_size=3, padding='valid')", (2, 2, 4, 5)),
    ("MaxPool2d(2)", (2, 2, 4, 6)),
    ("MaxPool2d(2)", (18, 1, 5, 5)),
    ("MaxPool2d(1)", (2, 1, 2, 3)),
    ("MaxPool2d(3, stride=1)", (2, 2, 5, 4)),
    ("MaxPool2d(3, stride=2, padding=1)", (2, 3, 6, 7)),
    ("MaxPool2d((2, 3), stride=(1, 2), padding=(1, 1))", (2, 1, 4, 6)),
    ("MaxPool2d(2, stride=3)", (2, 1, 8, 7)),
    ("MaxPool2d(2, dilation=2, stride=1)", (2, 2, 5, 6)),
    ("MaxPool2d(3, stride=2, dilation=(2, 1), padding=1)", (2, 2, 7, 6)),
    ("MaxPool2d(2, ceil_mode=True)", (2, 2, 5, 7)),
    ("MaxPool2d(3, stride=2, padding=1, ceil_mode=True)", (2, 1, 4, 6)),
    ("MaxPool2d(2, stride=4, ceil_mode=True)", (2, 1, 5, 10)),
    ("MaxPool2d((4, 5))", (3, 2, 4, 5)),
    ("MaxPool2d(2, stride=(2, 1), padding=(1, 0), dilation=(3, 1), ceil_mode=True)", (2, 2, 6, 4)),
    ("Linear(1, 1)", (1, 1)),
    ("Linear(7, 3)", (5, 7)),
    ("Linear(16, 5, bias=False)", (17, 16)),
    ("Linear(50, 13)", (3, 50)),
    ("Linear(33, 10)", (16, 33)),
    ("Linear(5, 4)", (2, 3, 5)),
    ("Linear(6, 2)", (2, 3, 2, 6)),
    ("ReLU()", (3, 7)),
    ("ReLU()", (2, 3, 4, 5)),
    ("Flatten()", (2, 3, 4, 5)),
    ("Conv2d(2, 4, kernel_size=3, padding=1); ReLU(); MaxPool2d(2)", (2, 2, 6, 4)),
    ("MaxPool2d(2, stride=1, padding=1); ReLU(); Conv2d(2, 3, kernel_size=2, stride=2)", (2, 2, 4, 5)),
    ("ReLU(); Conv2d(1, 3, kernel_size=2); Flatten(); ReLU(); Linear(18, 4); ReLU(); ReLU()", (3, 1, 3, 4)),
    ("Linear(5, 6); ReLU(); Conv2d(2, 2, kernel_size=3, padding=2); Linear(8, 3)", (2, 2, 4, 5)),
    ("Conv2d(3, 3, kernel_size=3, groups=3); Conv2d(3, 6, kernel_size=1); ReLU(); "
     "MaxPool2d(3, stride=2, padding=1, ceil_mode=True); Flatten(); Linear(36, 5)", (2, 3, 6, 5)),
]

# Layers that are more than a map of numbers, or have buffers.
STATES = [
    ("BatchNorm2d(3)", (4, 3, 3, 2)),
    ("BatchNorm2d(2, momentum=None)", (17, 2, 1, 3)),
    ("BatchNorm2d(1, eps=0.1, momentum=0.3, affine=False)", (2, 1, 3, 3)),
    ("BatchNorm2d(2, track_running_stats=False)", (3, 2, 2, 5)),
    ("BatchNorm1d(5)", (18, 5)),
    ("BatchNorm1d(3)", (6, 3, 4)),
    ("Conv2d(2, 4, kernel_size=3, padding=1, bias=False); BatchNorm2d(4); ReLU(); MaxPool2d(2)", (5, 2, 4, 5)),
    ("Linear(5, 6, bias=False); BatchNorm1d(6); GELU(); Linear(6, 3)", (9, 5)),
    ("GroupNorm(2, 4)", (3, 4, 3, 2)),
    ("GroupNorm(3, 3, eps=0.01, affine=False)", (2, 3, 5)),
    ("LayerNorm(7)", (5, 7)),
    ("LayerNorm((2, 3), elementwise_affine=False)", (4, 3, 2, 3)),
    ("LayerNorm((3, 4))", (2, 2, 3, 4)),
    ("AvgPool2d(2)", (2, 2, 5, 6)),
    ("AvgPool2d((2, 3), stride=(1, 2), padding=(1, 1), ceil_mode=True)", (2, 1, 4, 6)),
    ("AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)", (2, 2, 6, 5)),
    ("AvgPool2d(3, stride=2, divisor_override=4)", (2, 2, 5, 7)),
    ("AdaptiveAvgPool2d(1)", (3, 4, 5, 2)),
    ("AdaptiveAvgPool2d((3, None))", (2, 2, 7, 4)),
    ("AdaptiveAvgPool2d((4, 5))", (2, 1, 3, 7)),
    ("LeakyReLU(0.2)", (3, 11)),
    ("GELU()", (6, 9)),
    ("GELU(approximate='tanh')", (6, 9)),
    ("SiLU()", (6, 9)),
    ("Sigmoid()", (6, 9)),
    ("Tanh()", (6, 9)),
    ("Softmax(dim=1)", (4, 7)),
    ("LogSoftmax(dim=-1)", (3, 19)),
    ("Dropout(p=0.0); Dropout2d(p=0); Identity(); Linear(3, 2)", (2, 2, 3, 3)),
    ("LayerNorm((2, 3, 5))", (18, 2, 3, 5)),
    ("LayerNorm((2, 3, 19)); ReLU(); Conv2d(2, 2, kernel_size=3)", (3, 2, 3, 19)),
]

NAN, INF = float("nan"), float("inf")
# Inputs for which PyTorch has rules.
SPECIAL = [
    ("ReLU()", [[NAN, -1.0, 1.0, 0.0, -0.0, INF, -INF, 1e-40, -1e-40]]),
    ("MaxPool2d(2)", [[[[1.0, 1.0, 2.0, NAN], [1.0, 1.0, NAN, 3.0], [-INF, -INF, 0.0, -0.0], [-INF, -INF, -1.0, 0.0]]]]),
    ("MaxPool2d(3, stride=1, padding=1)", [[[[1.0, NAN, 1.0], [NAN, 2.0, 2.0], [-INF, 2.0, INF]]]]),
    ("MaxPool2d(2, stride=1)", [[[[0.0, 0.0, 5.0], [0.0, 5.0, 5.0], [5.0, -INF, -INF]]]]),
    ("ReLU(); MaxPool2d(2)", [[[[-1.0, -2.0, NAN, 1.0], [-3.0, -4.0, -1.0, 2.0]]]]),
]

LOGITS = [
    ("small", lambda g: torch.randn(3, 10, generator=g)),
    ("one class", lambda g: torch.randn(4, 1, generator=g)),
    ("many", lambda g: torch.randn(2, 150, generator=g)),
    ("a block and one", lambda g: torch.randn(17, 3, generator=g)),
    ("large", lambda g: 100.0 * torch.randn(5, 7, generator=g)),
    ("huge", lambda g: torch.tensor([[1e30, -1e30, 0.0], [-1e30, -1e30, -1e30], [3e38, 3e38, -3e38]])),
    ("infinite", lambda g: torch.tensor([[0.0, -INF, 1.0], [2.0, -INF, -INF]])),
    ("plus infinite", lambda g: torch.tensor([[INF, 0.0], [1.0, 2.0]])),
    ("equal", lambda g: torch.full((4, 6), 2.5)),
]

SGD = [
    ("0.1", 5, "Linear(6, 4)", (7, 6)),
    ("0.001", 3, "Linear(6, 4); ReLU(); Linear(4, 3)", (5, 6)),
    ("0.5", 6, "Flatten(); Linear(12, 5); ReLU(); Linear(5, 3); ReLU()", (33, 1, 3, 4)),
    ("0.05", 4, "Conv2d(1, 3, kernel_size=3, padding=1); ReLU(); MaxPool2d(2); Flatten(); Linear(12, 4)", (18, 1, 4, 4)),
]


def build(texts):
    return nn.Sequential(*(eval(text, LAYERS) for text in texts.split("; ")))


class Writer:
    def __init__(self):
        self.lines, self.numbers = [], []

    def line(self, text):
        self.lines.append(text)

    def tensor(self, name, tensor):
        self.line(f"{name} {tensor.dim()}" + "".join(f" {n}" for n in tensor.shape))
        self.numbers.append(tensor.detach().reshape(-1).to(torch.float32).numpy().astype("<f4").tobytes())

    def save(self):
        with open(os.path.join(HERE, "layers.txt"), "w") as file:
            file.write("\n".join(self.lines) + "\n")
        with open(os.path.join(HERE, "layers.bin"), "wb") as file:
            file.write(b"".join(self.numbers))


def write_layers(out, texts, x):
    model = build(texts)
    x = x.clone().requires_grad_()
    y = model(x)
    gradient = torch.rand(y.shape) * 2 - 1
    y.backward(gradient)
    out.line("layers " + texts)
    out.tensor("input", x)
    out.tensor("gradient", gradient)
    for key, value in model.named_parameters():
        out.tensor(key, value)
    out.tensor("output", y)
    out.tensor("input.grad", x.grad)
    for key, value in model.named_parameters():
        out.tensor(key + ".grad", value.grad)


def write_states(out, texts, x):
    model = build(texts)
    for layer in model:
        for parameter in layer.parameters() if "Norm" in type(layer).__name__ else ():
            parameter.data = torch.rand(parameter.shape) + 0.5
        for buffer in layer.buffers():
            if buffer.dtype == torch.float32:
                buffer.copy_(torch.rand(buffer.shape) + 0.5)
    x = x.clone().requires_grad_()
    out.line("states " + texts)
    out.tensor("input", x)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    y = model(x)
    gradient = torch.rand(y.shape) * 2 - 1
    y.backward(gradient)
    out.tensor("gradient", gradient)
    for key, value in before.items():
        out.tensor(key, value)
    out.tensor("output", y)
    out.tensor("input.grad", x.grad)
    for key, value in model.named_parameters():
        out.tensor(key + ".grad", value.grad)
    for key, value in model.named_buffers():
        out.tensor(key + ".after", value)
    out.tensor("evaluated", model.eval()(x))


def random_conv2d(r):
    while True:
        groups = r.randint(1, 3)
        channels, outputs = groups * r.randint(1, 2), groups * r.randint(1, 3)
        kernel, stride, padding, dilation, size = ([r.randint(low, high) for _ in "hw"] for low, high in
                                                   ((1, 4), (1, 3), (0, 3), (1, 3), (1, 7)))
        if all(s + 2 * p >= d * (k - 1) + 1 for s, p, d, k in zip(size, padding, dilation, kernel)):
            text = (f"Conv2d({channels}, {outputs}, kernel_size={tuple(kernel)}, stride={tuple(stride)}, "
                    f"padding={tuple(padding)}, dilation={tuple(dilation)}, groups={groups}"
                    f"{', bias=False' if r.random() < 0.5 else ''})")
            return text, (2, channels, *size)


def main():
    torch.set_num_threads(1)
    out = Writer()
    r = random.Random(7)
    for i, (texts, shape) in enumerate(CASES + [random_conv2d(r) for _ in range(16)]):
        torch.manual_seed(i)
        write_layers(out, texts, torch.rand(shape) * 2 - 1)
    for i, (texts, shape) in enumerate(STATES):
        torch.manual_seed(200 + i)
        write_states(out, texts, torch.rand(shape) * 8 - 4)
    for texts, numbers in SPECIAL:
        write_layers(out, texts, torch.tensor(numbers))
    for i, (name, make) in enumerate(LOGITS):
        generator = torch.Generator().manual_seed(i)
        logits = make(generator).requires_grad_()
        targets = torch.randint(0, logits.shape[1], (logits.shape[0],), generator=generator)
        loss = nn.CrossEntropyLoss()(logits, targets)
        loss.backward()
        out.line("cross_entropy " + name)
        out.tensor("logits", logits)
        out.tensor("targets", targets)
        out.tensor("loss", loss)
        out.tensor("logits.grad", logits.grad)
    for i, (lr, steps, texts, shape) in enumerate(SGD):
        torch.manual_seed(100 + i)
        model = build(texts)
        optimizer = torch.optim.SGD(model.parameters(), lr=float(lr))
        out.line(f"sgd {lr} {steps} {texts}")
        for key, value in model.named_parameters():
            out.tensor(key, value)
        for _ in range(steps):
            x = torch.rand(shape) * 2 - 1
            y = model(x)
            targets = torch.randint(0, y.shape[1], (y.shape[0],))
            loss = nn.CrossEntropyLoss()(y, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            out.tensor("input", x)
            out.tensor("targets", targets)
            out.tensor("loss", loss)
        for key, value in model.named_parameters():
            out.tensor(key, value)
    out.save()


main()
