"""Writes the checkpoints in this folder with PyTorch 1.13 (Debian's python3-torch): run it here, with /usr/bin/python3."""
import collections
import os
import zipfile

import torch


def ramp(*shape, dtype=torch.float32):
    count = int(torch.tensor(shape).prod())
    return torch.arange(count, dtype=torch.float32).reshape(shape).to(dtype)


class Hostile:
    def __reduce__(self):
        return (os.system, ("touch /tmp/byteformer-was-here",))


def layouts():
    """Every way in which a tensor may lie in its storage."""
    base = ramp(4, 6)
    tied = ramp(3)
    return collections.OrderedDict(
        whole=base,
        transposed=base.t(),
        sliced=base[1:3, ::2],
        row=base[2],
        expanded=ramp(2).unsqueeze(1).expand(2, 5),
        permuted=ramp(2, 3, 4).permute(2, 0, 1),
        scalar=torch.tensor(7.5),
        empty=torch.zeros(0, 3),
        tied_a=tied,
        tied_b=tied,
        parameter=torch.nn.Parameter(ramp(2, 2)),
        half=ramp(2, 2, dtype=torch.float16),
        bfloat=ramp(2, 2, dtype=torch.bfloat16),
        double=ramp(2, dtype=torch.float64),
        flags=torch.tensor([True, False]),
        num_batches_tracked=torch.tensor(123),
    )


def training_checkpoint():
    """What a training loop leaves: the weights, wrapped for several GPUs, among other things."""
    layer = torch.nn.DataParallel(torch.nn.Linear(3, 2))
    layer.load_state_dict({"module.weight": ramp(2, 3), "module.bias": ramp(2)})
    optimizer = torch.optim.AdamW(layer.parameters(), lr=1e-3)
    layer.module.weight.grad = ramp(2, 3)
    optimizer.step()
    layer.load_state_dict({"module.weight": ramp(2, 3), "module.bias": ramp(2)})
    return {
        "epoch": 3, "best": 0.5, "done": False, "note": None, "seed": 2**70, "negative": -5, "history": [1, 2.5, "x"],
        "shape": torch.Size([1, 2]), "optimizer": optimizer.state_dict(),
        "model_state_dict": layer.state_dict(),
    }


torch.manual_seed(0)
torch.save(layouts(), "layouts.pt")
torch.save(layouts(), "layouts_protocol4.pt", pickle_protocol=4)
torch.save(training_checkpoint(), "training.pt")
torch.save({"a": ramp(2)}, "legacy.pt", _use_new_zipfile_serialization=False)
torch.save({"a": ramp(2), "b": Hostile()}, "hostile.pt")
with zipfile.ZipFile("compressed.pt", "w", zipfile.ZIP_DEFLATED) as packed, zipfile.ZipFile("training.pt") as stored:
    for name in stored.namelist():
        packed.writestr(name, stored.read(name))
