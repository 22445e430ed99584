"""Writes tensor_text.txt: tensors and state_dicts, and the text that PyTorch and IPython make of them.

    python3 make.py    (needs torch and IPython)

A case is
    - KEY                      a state_dict's key for the next tensor; absent for a tensor alone
    = DTYPE SHAPE INDENT       SHAPE is like 2,3 or "-" for a tensor of no dimensions
    : NUMBER...                the elements, over and over until the tensor is full; floats as hexadecimal bits
    | LINE                     of the text
    .
IPython puts its indentation before an empty line too; wick does not, and neither does this file. The
chapter_*.txt beside this file are the chapter's own printed outputs.
"""

import math
import os
from collections import OrderedDict

import numpy as np
import torch
from IPython.lib.pretty import pretty

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = {torch.float32: "float32", torch.uint8: "uint8", torch.int64: "int64"}
out = []


def fill(dtype, shape, pattern):
    pattern = torch.as_tensor(pattern, dtype=dtype).reshape(-1)
    count = math.prod(shape)
    repeats = -(-count // max(len(pattern), 1))
    return pattern.repeat(repeats)[:count].reshape(shape), pattern


def put_tensor(tensor, pattern, indent):
    shape = ",".join(map(str, tensor.shape)) or "-"
    out.append(f"= {NAMES[tensor.dtype]} {shape} {indent}")
    if tensor.dtype == torch.float32:
        numbers = [f"{bits:x}" for bits in pattern.numpy().view(np.uint32)]
    else:
        numbers = [str(number) for number in pattern.tolist()]
    out.append(" ".join([":"] + numbers))


def put_text(text):
    out.extend(("| " + line).rstrip(" ") for line in text.split("\n"))
    out.append(".")


def indented(text, indent):
    lines = text.split("\n")
    return "\n".join(lines[:1] + [" " * indent + line if line else line for line in lines[1:]])


def case(dtype, shape, pattern, indent=0):
    tensor, pattern = fill(dtype, shape, pattern)
    put_tensor(tensor, pattern, indent)
    put_text(indented(str(tensor), indent))


def case_dict(*items):
    made = OrderedDict()
    for key, dtype, shape, pattern in items:
        made[key], pattern = fill(dtype, shape, pattern)
        out.append(f"- {key}")
        put_tensor(made[key], pattern, 0)
    put_text("\n".join(line if line.strip() else "" for line in pretty(made).split("\n")))


F, U, I = torch.float32, torch.uint8, torch.int64
INF, NAN = math.inf, math.nan


def floats():
    for pattern in [
        [0.3367],
        [2.0],
        [0.0],
        [-0.0],
        [INF],
        [-INF],
        [NAN],
        [-NAN],
        [1e-5],
        [1e10],
        [123456789.0],
        [1e-45],
    ]:
        case(F, (), pattern)
        case(F, (1,), pattern)
    # Integers, and when they become scientific: above 1e8, or 1000 times apart.
    for pattern in [
        [1, 2, 3],
        [1, -1000],
        [1, 1000.5],
        [1, 1001],
        [1e8, 1e8],
        [1.0000001e8, 1e8],
        [-3, 0, 7],
        [0, 0],
        [100000, 150],
        [5, INF, -2],
        [5, NAN],
        [NAN, INF],
        [0, -INF, NAN],
        [-0.0, 3],
    ]:
        case(F, (len(pattern),), pattern)
    # The same for fractions, and below 1e-4.
    for pattern in [
        [0.5, 500.0],
        [0.5, 500.1],
        [1e-4, 0.05],
        [9.9e-5, 0.05],
        [1e8 + 8, 99999999.5],
        [12345.678, 20.5],
        [0.1, -0.2, NAN],
        [0.1, INF],
        [-INF, 1e-6],
        [1.5, 0, -0.0],
        [99999.5, 100.25],
        [0.00005, 0.00004],
        [3.4028235e38, 1.2e-38],
        [0.99995, 0.99994999],
        [-1.23456e-30, 1.5],
        [0.5, -1234.5, 12.25, 0.0001],
    ]:
        case(F, (len(pattern),), pattern)
        case(F, (3, len(pattern) + 1), pattern)
    probabilities = torch.softmax(torch.randn(2, 10) * 5, dim=1)
    case(F, (2, 10), probabilities)


def shapes():
    number = torch.randn(61)
    for shape in [
        (7,),
        (8,),
        (9,),
        (10,),
        (11,),
        (1000,),
        (1001,),
        (1, 10),
        (10, 1),
        (2, 3, 4),
        (1, 1, 28, 11),
        (2, 2, 2, 2),
        (1, 1, 1, 1, 1),
        (2, 1, 3, 1, 2),
        (1, 1, 1, 1, 1, 1, 1, 2),
        (40, 25),
        (40, 26),
        (7, 143),
        (6, 167),
        (1001, 1),
        (1, 1001),
        (3, 7, 48),
        (7, 3, 48),
        (10, 10, 11),
        (2, 3, 17, 10),
        (8, 9, 7, 2),
        (251, 2, 2),
    ]:
        case(F, shape, number)
        if math.prod(shape) != 1000:
            case(F, shape, number[:31] * 1e-6, indent=1)
    for shape in [(5,), (30,), (31,), (20, 4), (1001,), (10, 101), (11, 10, 10)]:
        case(I, shape, [9, 0, 0, 3, 5])
        case(I, shape, [123456789012345, -1, 0], indent=14)
        case(U, shape, [0, 255, 17])
        case(U, shape, [1], indent=3)
    for shape in [
        (26,),
        (25,),
        (24,),
        (23,),
        (22,),
        (21,),
        (20,),
        (2, 22),
        (2, 21),
        (2, 20),
        (2, 19),
        (2, 2, 20),
        (2, 2, 19),
        (1, 1, 15),
        (2, 1, 16),
        (1, 1, 17),
    ]:
        case(U, shape, [1])  # around where the dtype goes onto a line of its own
    case(I, (2,), [2**63 - 1, -(2**63)])
    case(U, (), [200])
    case(I, (), [-7])


def empty():
    for shape in [
        (0,),
        (0, 3),
        (3, 0),
        (2, 0, 4),
        (0, 0),
        (1, 0, 1, 0, 1, 0, 1, 0),
        (123456789, 0, 12345, 1234, 1, 1, 1, 1),
    ]:
        for dtype in [F, U, I]:
            case(dtype, shape, [])


def dicts():
    weight = torch.randn(50)
    case_dict(("a", F, (2,), [1, 2]))
    case_dict(("a", F, (2,), [1, 2]), ("b", F, (), [0.5]))
    case_dict(("weight", F, (2, 3), weight))
    case_dict(("0.weight", F, (1, 2), weight), ("0.bias", F, (1,), weight))
    # The first stays on the line for long enough that the second is laid out beside its key.
    case_dict(("b", F, (1,), [1]), ("w", F, (2, 1), [1, 2]), ("x", F, (2, 1), [1, 2]))
    for length in range(3, 9):
        case_dict(("b" * length, I, (7,), [1]), ("c" * (length - 2), I, (2,), [1]), ("d", U, (1,), [3]))
    for length in range(28, 36):
        case_dict(("k" * length, I, (6,), [1]))
        case_dict(("k" * length, I, (6,), [1]), ("l" * length, I, (6,), [2]))
    case_dict(("layer_stack.1.weight", F, (10, 784), weight), ("layer_stack.1.bias", F, (10,), weight))
    case_dict(
        ("conv_block_1.0.weight", F, (2, 1, 3, 3), weight),
        ("conv_block_1.0.bias", F, (2,), weight),
        ("e", F, (0, 4), []),
        ("num_batches_tracked", I, (), [0]),
    )
    case_dict(
        ("it's", F, (1,), [1]),
        ('say "a"', F, (1,), [1]),
        ("both ' and \"", F, (1,), [1]),
        ("back\\slash", F, (1,), [1]),
    )
    case_dict(
        ("größe.weight.with.a.long.name.of.fifty", I, (3,), [1]),
        ("größe.weight.with.a.long.name", I, (3,), [1]),
    )


def main():
    torch.manual_seed(42)
    floats()
    shapes()
    empty()
    dicts()
    with open(os.path.join(HERE, "tensor_text.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


main()
