#!/usr/bin/env python3
"""Writes files of torch.save and what is in them, NAME-VERSION.pth and NAME-VERSION.txt, beside this script.

    make.py                  write the fixtures of the PyTorch that runs it; run it with 1.13 and with 2.15
    make.py check FILE TEXT  torch.load(FILE, weights_only=True) and compare it with such a text; a file that
                             wick wrote must pass with both versions

A text has a line a tensor, "KEY DTYPE SIZES VALUES...": what wick makes of it, that is float32 for floating
types, int64 for integers, uint8 for uint8 and bool; SIZES is "2x3", or "-" for no dimensions; floats are in C's
hexadecimal notation. For a file that is to be refused it is "refused WORDS...", words of the message.
"""
import collections
import io
import pathlib
import sys
import warnings
import zipfile

import torch
from torch import nn

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).resolve().parent
VERSION = ".".join(torch.__version__.split(".")[:2])
LEGACY = {"_use_new_zipfile_serialization": False}


def describe(tensors):
    lines = []
    for key, tensor in tensors.items():
        tensor = tensor.detach()
        if tensor.is_floating_point():
            tensor, values = tensor.float(), [v.hex() for v in tensor.float().flatten().tolist()]
        elif tensor.dtype in (torch.uint8, torch.bool):
            tensor, values = tensor.to(torch.uint8), map(str, tensor.to(torch.uint8).flatten().tolist())
        else:
            tensor, values = tensor.long(), map(str, tensor.long().flatten().tolist())
        sizes = "x".join(map(str, tensor.shape)) or "-"
        lines.append(" ".join([key, str(tensor.dtype), sizes, *values]))
    return "".join(line + "\n" for line in lines)


def write(name, value, tensors, **options):
    path = HERE / f"{name}-{VERSION}.pth"
    torch.save(value, path, **options)
    path.with_suffix(".txt").write_text(tensors if isinstance(tensors, str) else describe(tensors))


def deflate(name, tensors):
    """As `zip` would pack an unpacked file again: deflated, without padding, sizes in the local headers."""
    path = HERE / f"{name}-{VERSION}.pth"
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.namelist():
            target.writestr(zipfile.ZipInfo(entry), source.read(entry), zipfile.ZIP_DEFLATED)
    path.with_suffix(".txt").write_text(describe(tensors))


def model():
    torch.manual_seed(42)
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 2))
    net[1](torch.rand(4, 3, 2, 2))
    return net


def dtypes():
    edge = [0.0, -0.0, 1.0, -1.5, float("inf"), float("-inf"), float("nan"), 1e-7, 65504.0, 6e-8, 3.14159274]
    values = {str(t)[6:]: torch.tensor(edge, dtype=torch.float64).to(t)
              for t in (torch.float64, torch.float32, torch.float16, torch.bfloat16)}
    values["float64.small"] = torch.tensor([5e-324, 1e-310, 1e300, -1e-45, 1.4e-45], dtype=torch.float64)
    values["float32.small"] = torch.tensor([1e-45, -1e-40, 3.4028234e38])
    values["int64"] = torch.tensor([-2**63, -1, 0, 2**63 - 1])
    values["int32"] = torch.tensor([-2**31, -1, 0, 2**31 - 1], dtype=torch.int32)
    values["int16"] = torch.tensor([-2**15, -1, 0, 2**15 - 1], dtype=torch.int16)
    values["int8"] = torch.tensor([-128, -1, 0, 127], dtype=torch.int8)
    values["uint8"] = torch.tensor([0, 1, 255], dtype=torch.uint8)
    values["bool"] = torch.tensor([[True, False], [False, True]])
    return values


def views():
    base = torch.arange(24.0)
    cube = base.view(2, 3, 4)
    return {
        "all": base, "transposed": cube.transpose(0, 2), "permuted": cube.permute(1, 2, 0), "slice": cube[1, :, 1:3],
        "steps": base[1::5], "expanded": base[3:4].expand(2, 3), "rows": base[:3].unsqueeze(1).expand(3, 2),
        "diagonal": cube[0].diagonal(), "overlapping": base.unfold(0, 4, 2)[:3], "scalar": base[23],
        "empty": base[5:5], "empty.rows": cube[:, 3:], "one": cube[1:, 2:, 3:],
        "eight": base.view(1, 2, 1, 3, 1, 2, 2, 1), "bytes": torch.arange(6, dtype=torch.uint8).view(2, 3).t(),
        "halves": torch.arange(6).half().view(3, 2).t(), "flags": (torch.arange(6) % 2 == 0).view(2, 3).t(),
    }


def edges():
    """An OrderedDict that wick writes again byte for byte: no _metadata, every tensor its own storage."""
    torch.manual_seed(7)
    return collections.OrderedDict([
        ("weight", torch.randn(5, 1, 2, 3)), ("bias", torch.randn(70)), ("ünï.cödé", torch.arange(3)),
        ("scalar", torch.tensor(2.5)), ("labels", torch.tensor([[1], [-2]])), ("empty", torch.zeros(0, 3)),
        ("pixels", torch.arange(256, dtype=torch.uint8)), ("none", torch.zeros(0, dtype=torch.int64)),
        ("wide", torch.zeros(70000, 0)), ("six", torch.randn(1, 2, 1, 2, 1, 2)), ("", torch.ones(1)),
    ])


def checkpoint(key, **more):
    net = model()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    net(torch.rand(2, 1, 4, 4)).sum().backward()
    optimizer.step()
    return net, {
        "epoch": 3, "lr": 0.1, key: net.state_dict(), "optimizer_state_dict": optimizer.state_dict(),
        "list": [0.1, 1, None, True, "x", [], [[1], {}]], "tuple": (1, 2, (3, (4, 5), ())), "none": None,
        "negative": -5, "word": 70000, "large": 2**40, "larger": -2**62, "longest": 2**100, "ünï": "cödé",
        "big text": "x" * 300, 7: {"seven": 1.5}, ("a", 1): 2, None: 0, True: {}, 2.5: "float key", **more,
    }


def accepted():
    net = model()
    write("state_dict", net.state_dict(), net.state_dict())
    write("plain_dict", dict(net.state_dict()), net.state_dict())
    write("edges", edges(), edges())
    write("dtypes", dtypes(), dtypes())
    write("views", views(), views())
    write("empty_dict", nn.ReLU().state_dict(), {})
    one = collections.OrderedDict(w=torch.ones(2))
    write("one", one, one)
    for key in ("model_state_dict", "state_dict" if VERSION == "1.13" else "model"):
        net, value = checkpoint(key)
        write(f"under_{key}", value, net.state_dict())
    parameters = {"p": nn.Parameter(torch.ones(2, 2)), "frozen": nn.Parameter(torch.zeros(1), requires_grad=False),
                  "leaf": torch.ones(3, requires_grad=True), "epoch": 3, "name": "net"}
    write("parameters", parameters, {k: v for k, v in parameters.items() if isinstance(v, torch.Tensor)})
    for protocol in (5, 3 if VERSION == "1.13" else 4):
        net, value = checkpoint("state_dict", bytes=b"\0\xff", long_bytes=b"x" * 300)
        write(f"protocol{protocol}", value, net.state_dict(), pickle_protocol=protocol)
    deflate("deflated", edges())
    if VERSION == "1.13":  # more than 1000 items are set in batches; more than 256 memos
        base = torch.arange(1001, dtype=torch.uint8)
        deflate("many", collections.OrderedDict((f"w{i}", base[i]) for i in range(1001)))


class Evil:
    def __reduce__(self):
        import os
        return os.system, ("echo this must never be printed",)


def refused():
    sd = {"w": torch.ones(2)}
    write("legacy", sd, "refused before PyTorch 1.6; save it again\n", **LEGACY)
    write("system", Evil(), "refused refuses to build posix.system\n")
    write("system_inside", {"w": torch.ones(2), "x": [Evil()]}, "refused refuses to build posix.system\n")
    write("system_stacked", Evil(), "refused refuses to build posix.system\n", pickle_protocol=4)
    write("module", nn.Linear(1, 1), "refused refuses to build torch.nn.modules.linear.Linear\n")
    write("tensor", torch.ones(2), "refused holds a tensor; it must be a state_dict\n")
    write("list", [torch.ones(2)], "refused holds a list; it must be a state_dict\n")
    write("complex", {"w": torch.ones(2, dtype=torch.complex64)}, "refused torch.ComplexFloatStorage\n")
    write("sparse", {"w": torch.eye(2).to_sparse()}, "refused refuses to build torch._utils._rebuild_sparse_tensor\n")
    write("size", {"w": torch.ones(2), "s": torch.Size([1])}, "refused refuses to build torch.Size\n")
    write("set", {"w": torch.ones(2), "s": {1}}, "refused refuses to build __builtin__.set\n")
    write("set4", {"w": torch.ones(2), "s": {1}}, "refused refuses the opcode EMPTY_SET\n", pickle_protocol=4)
    write("unknown_key", {"net": sd, "epoch": 1}, "refused the keys are 'net' 'epoch'\n")
    write("nine", {"w": torch.ones([1] * 9)}, "refused a tensor of 9 dimensions; at most 8 are read\n")
    loop = []
    loop.append(loop)
    write("loop", {"w": torch.ones(2), "loop": loop}, "refused puts a list inside itself\n")
    round_trip = {}
    round_trip["list"] = [round_trip]
    write("loop2", {"w": torch.ones(2), "loop": round_trip}, "refused inside another value already\n")
    deep = []
    for _ in range(150):
        deep = [deep]
    write("deep", {"w": torch.ones(2), "deep": deep}, "refused nest too deep\n")
    write("expanded", {"w": torch.ones(1).expand(1 << 30)}, "refused the tensors would take more than\n")
    path = HERE / f"script-{VERSION}.pth"
    torch.jit.save(torch.jit.script(nn.ReLU()), str(path))
    path.with_suffix(".txt").write_text("refused is a TorchScript program\n")


def check(path, text):
    loaded = torch.load(path, weights_only=True)
    assert isinstance(loaded, collections.OrderedDict) and zipfile.ZipFile(path).testzip() is None
    found, wanted = describe(loaded), pathlib.Path(text).read_text()
    assert found == wanted, f"{path}: {found[:300]!r} is not {wanted[:300]!r}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(*sys.argv[2:])
    else:
        accepted()
        refused()
