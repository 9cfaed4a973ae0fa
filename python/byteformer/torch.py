"""ByteFormer as a :class:`torch.nn.Module`: to look inside, to train with one's own loop, and to export.

The same model as the engine's, with the tensors of the published checkpoints under the published names.
:func:`load` reads a model folder, :meth:`ByteFormer.save` writes one that ``byteformer`` loads:

    model = byteformer.torch.load("models/cifar10")
    logits = model([bytes_of_a_file, bytes_of_another])      # [files, classes]
    model.save("mine")

It reads bytes as they are. Files are prepared by :func:`byteformer.encode`.
"""

from __future__ import annotations

import json
import math
import os
import pathlib
import shutil
import tempfile
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

import torch
from torch import nn
from torch.nn import functional

from . import _safetensors
from ._errors import Error

__all__ = ["ByteFormer", "load", "parameter_groups"]

#: A file: its bytes, or a uint8 tensor of them.
File = Union[bytes, bytearray, memoryview, torch.Tensor]

_PADDING = 256  # the id of "no byte here"
_POSITIONS = "pos_embed.pos_embed.pos_embed"
_DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


class _Attention(nn.Module):
    """Multi-head attention of rows inside windows."""

    def __init__(self, hidden_size: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv_proj = nn.Linear(hidden_size, 3 * hidden_size)
        self.out_proj = nn.Linear(hidden_size, hidden_size)

    def forward(self, rows: torch.Tensor, filler: torch.Tensor, windows: "_Windows") -> torch.Tensor:
        """``rows`` [rows, C], and what stands where a window has none, [1, C]."""
        num_rows, hidden_size = rows.shape
        qkv = self.qkv_proj(torch.cat([rows, filler]))[windows.rows]  # [windows, width, 3 C]
        qkv = qkv.view(*windows.rows.shape, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        queries, keys, values = qkv[0], qkv[1], qkv[2]  # [windows, heads, width, head_dim]
        scores = (queries * queries.shape[-1] ** -0.5) @ keys.transpose(-2, -1)
        if windows.is_hidden is not None:
            scores = scores.masked_fill(windows.is_hidden[:, None, None, :], -math.inf)
        mixed = (torch.softmax(scores, -1) @ values).transpose(1, 2).reshape(-1, hidden_size)
        result: torch.Tensor = self.out_proj(mixed[windows.places])
        return result


class _Block(nn.Module):
    def __init__(self, hidden_size: int, num_heads: int, intermediate_size: int, eps: float) -> None:
        super().__init__()
        self.pre_norm_mha = nn.Sequential(nn.LayerNorm(hidden_size, eps), _Attention(hidden_size, num_heads))
        self.pre_norm_ffn = nn.Sequential(
            nn.LayerNorm(hidden_size, eps),
            nn.Linear(hidden_size, intermediate_size),
            nn.GELU(),
            nn.Identity(),  # where the published code has its dropout
            nn.Linear(intermediate_size, hidden_size),
        )

    def forward(self, x: torch.Tensor, windows: "_Windows") -> torch.Tensor:
        norm, attention = self.pre_norm_mha[0], self.pre_norm_mha[1]
        # A filler row is zero before the norm, so after it the norm's bias.
        x = x + attention(norm(x), norm.bias[None].to(x.dtype), windows)
        result: torch.Tensor = x + self.pre_norm_ffn(x)
        return result


class _Merge(nn.Module):
    """Two neighbouring rows become one."""

    def __init__(self, hidden_size: int, eps: float) -> None:
        super().__init__()
        self.reduction = nn.Linear(2 * hidden_size, hidden_size, bias=False)
        self.norm = nn.LayerNorm(hidden_size, eps)

    def forward(self, x: torch.Tensor, pairs: torch.Tensor) -> torch.Tensor:
        """``pairs`` [merged rows, 2]: which rows of ``x`` are joined; len(x) is the zero row."""
        x = torch.cat([x, x.new_zeros(1, x.shape[1])])
        joined = x[pairs].transpose(1, 2).flatten(1)  # channel-major, as published
        result: torch.Tensor = self.norm(self.reduction(joined))
        return result


class _Holder(nn.Module):
    """A module that only gives a parameter, or another module, its place in the state dict."""


class _Windows:
    """Which rows of a packed batch attend to one another in a layer.

    See "Two meanings of masking" and "Windows without rolling" in docs/architecture.md.
    """

    rows: torch.Tensor  #: [windows, width] row of the batch; the number of rows stands for "no row"
    places: torch.Tensor  #: [rows] where each row lies among the windows' places
    is_hidden: Optional[torch.Tensor]  #: [windows, width] places that nobody attends to

    def __init__(self, file_rows: Sequence[int], size: int, shift: int, masking: str, device: torch.device) -> None:
        shift %= size
        places: List[torch.Tensor] = []
        num_places = 0
        for count in file_rows:
            row = torch.arange(count)
            if masking == "masked":  # cut at shift, shift + size, ...: the first window is short of some rows
                place = row + (size - shift) % size
                used = count + (size - shift) % size
            else:  # the file is rolled up by the shift, with the filler rows behind its end
                used = count
                place = (row - shift) % (-(-count // size) * size)
            places.append(num_places + place)
            num_places += -(-used // size) * size
        self.places = torch.cat(places).to(device)
        rows = torch.full((num_places,), len(self.places), device=device)
        rows[self.places] = torch.arange(len(self.places), device=device)
        self.rows = rows.view(-1, size)
        self.is_hidden = self.rows == len(self.places) if masking == "masked" else None


def _pairs(file_rows: Sequence[int], device: torch.device) -> torch.Tensor:
    """Rows of a packed batch that a merge joins, [merged rows, 2]; the number of rows stands for the zero row."""
    num_rows, first = sum(file_rows), 0
    pairs: List[torch.Tensor] = []
    for count in file_rows:
        rows = torch.arange(first, first + count)
        pairs.append(functional.pad(rows, (0, count % 2), value=num_rows))
        first += count
    return torch.cat(pairs).view(-1, 2).to(device)


class ByteFormer(nn.Module):
    """The model of a ``config.json``, which docs/model-format.md describes, with untrained weights.

    ``masking`` is ``"released"`` or ``"masked"``, and may be changed.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.config: Dict[str, Any] = dict(config)
        hidden, kernel = int(config["hidden_size"]), int(config["conv_kernel_size"])
        eps = float(config.get("layer_norm_eps", 1e-5))
        self.masking: str = config.get("masking", "masked")
        self.embeddings = nn.Embedding(257, hidden, padding_idx=_PADDING)
        if kernel > 0:
            self.token_reduction_net = nn.Conv1d(hidden, hidden, kernel, stride=kernel // 2, bias=False)
        self._add_positions(int(config["max_position_embeddings"]), hidden)
        self.transformer = nn.ModuleList(
            _Block(hidden, int(config["num_attention_heads"]), int(config["intermediate_size"]), eps)
            for _ in range(int(config["num_hidden_layers"]))
        )
        self.downsamplers = nn.ModuleDict(
            {f"downsample_{i}": _Merge(hidden, eps) for i, merges in enumerate(config["downsample"]) if merges}
        )
        self.post_transformer_norm = nn.LayerNorm(hidden, eps)
        self.classifier = nn.Linear(hidden, int(config["num_labels"]))
        self.reset_parameters()

    @property
    def labels(self) -> List[str]:
        """Names of the classes."""
        return [self.config["id2label"][str(i)] for i in range(self.config["num_labels"])]

    @property
    def has_learned_positions(self) -> bool:
        return bool(self.config.get("position_embedding_type", "learned") == "learned")

    def reset_parameters(self) -> None:
        """The published initialisation."""
        std = float(self.config["hidden_size"]) ** -0.5
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    nn.init.xavier_uniform_(module.weight)
                    if module.bias is not None:
                        module.bias.zero_()
            self.embeddings.weight.normal_(0, std).clamp_(-2, 2)[_PADDING] = 0
            if self.has_learned_positions:
                self._stored_positions.normal_(0, std).clamp_(-2, 2)

    def num_tokens(self, num_bytes: int) -> int:
        """Tokens of a file of ``num_bytes`` bytes."""
        kernel = int(self.config["conv_kernel_size"])
        if kernel == 0:
            return num_bytes
        stride = kernel // 2
        return -(-num_bytes // stride) if self.masking == "masked" else max(1, (num_bytes - kernel) // stride + 1)

    def forward(self, files: Union[torch.Tensor, Sequence[File]]) -> torch.Tensor:
        """Logits [files, classes], before temperature and softmax.

        ``files`` are the bytes of each: a list of any lengths, or a uint8 tensor [files, bytes]. A file is never
        padded: its logits do not depend on the others.

        Raises :class:`byteformer.Error` of code ``empty_file`` or ``too_many_tokens``.
        """
        result: torch.Tensor = self.classifier(self.features(files))
        return result

    def features(self, files: Union[torch.Tensor, Sequence[File]]) -> torch.Tensor:
        """The mean vectors before the head, [files, hidden_size]."""
        x, file_rows = self._stem([self._bytes_of(file) for file in files])
        for layer, block in enumerate(self.transformer):
            size, shift = self.config["window_sizes"][layer], self.config["window_shifts"][layer]
            x = block(x, _Windows(file_rows, size, shift, self.masking, x.device))
            if self.config["downsample"][layer]:
                x = self.downsamplers[f"downsample_{layer}"](x, _pairs(file_rows, x.device))
                file_rows = [-(-count // 2) for count in file_rows]
        x = self.post_transformer_norm(x)
        return torch.stack([rows.mean(0) for rows in torch.split(x, file_rows)])

    def save(self, path: "str | os.PathLike[str]") -> None:
        """Writes a model folder for ``byteformer`` and :func:`load`, whole or not at all.

        Raises :class:`FileExistsError` where ``path`` exists and is not an empty folder.
        """
        target = pathlib.Path(path)
        if target.exists() and not (target.is_dir() and not any(target.iterdir())):
            message = f"{target}: exists already; name a folder that does not exist or is empty"
            raise Error.of("already_exists", message, str(target))
        tensors = {name: _as_stored(name, tensor) for name, tensor in self.state_dict().items()}
        config = {**self.config, "masking": self.masking}
        temporary = tempfile.mkdtemp(prefix=target.name + ".tmp-", dir=target.parent)
        try:
            os.chmod(temporary, 0o777 & ~_umask())
            with open(os.path.join(temporary, "model.safetensors"), "wb") as file:
                _safetensors.write(file, tensors)
            with open(os.path.join(temporary, "config.json"), "w", encoding="utf-8") as text:
                json.dump(config, text, indent=2, ensure_ascii=False)
            os.rename(temporary, target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise

    # Positions stand in the state dict three levels deep, as published.

    def _add_positions(self, count: int, hidden: int) -> None:
        self.pos_embed = _Holder()
        self.pos_embed.pos_embed = inner = _Holder()
        if self.has_learned_positions:
            inner.pos_embed = nn.Parameter(torch.zeros(1, 1, count, hidden))
        else:
            inner.register_buffer("pos_embed", _sinusoids(torch.arange(count, dtype=torch.float32), hidden)[None, None])

    @property
    def _stored_positions(self) -> torch.Tensor:
        """[positions, hidden_size]"""
        stored: Any = self.pos_embed.pos_embed
        result: torch.Tensor = stored.pos_embed[0, 0]
        return result

    def _positions(self, count: int) -> torch.Tensor:
        stored = self._stored_positions
        if count <= len(stored):
            return stored[:count]
        if self.has_learned_positions:
            message = f"a file needs {count} tokens, but there are positions for {len(stored)}"
            raise Error.of("too_many_tokens", message)
        # Beyond the buffer the formula goes on, in double precision: angles are large there.
        beyond = _sinusoids(torch.arange(len(stored), count, dtype=torch.float64), stored.shape[1])
        return torch.cat([stored, beyond.to(stored)])

    def _bytes_of(self, file: File) -> torch.Tensor:
        if isinstance(file, torch.Tensor):
            if file.dtype != torch.uint8 or file.dim() != 1:
                raise TypeError(f"a file is a uint8 tensor of one dimension, not {file.dtype} {list(file.shape)}")
            tensor = file
        else:
            tensor = torch.frombuffer(bytearray(file), dtype=torch.uint8) if len(file) else torch.empty(0)
        if tensor.numel() == 0:
            raise Error.of("empty_file", "a file of the batch is empty")
        return tensor.to(self.embeddings.weight.device, torch.int64)

    def _stem(self, files: Sequence[torch.Tensor]) -> Tuple[torch.Tensor, List[int]]:
        """Tokens of all files one after another, [rows, C], and how many each file has.

        A token is a sum of rows of the table that has each tap's product with each byte's embedding: the convolution
        over the embeddings, for less.
        """
        kernel = int(self.config["conv_kernel_size"])
        taps, stride = (kernel, kernel // 2) if kernel > 0 else (1, 1)
        file_rows = [self.num_tokens(len(file)) for file in files]
        positions = self._positions(max(file_rows))
        table = torch.cat([self.embeddings.weight[:_PADDING], self.embeddings.weight.new_zeros(1, positions.shape[1])])
        if kernel > 0:
            table = torch.einsum("vi,oij->jvo", table, self.token_reduction_net.weight).flatten(0, 1)
        offsets = torch.arange(taps, device=table.device) * 257
        entries = []
        for file, count in zip(files, file_rows):
            num_ids = (count - 1) * stride + taps
            ids = functional.pad(file[:num_ids], (0, max(0, num_ids - len(file))), value=_PADDING)
            entries.append(ids.unfold(0, taps, stride) + offsets)
        sums = functional.embedding_bag(torch.cat(entries), table, mode="sum")
        return sums + torch.cat([positions[:count] for count in file_rows]), file_rows


def load(path: "str | os.PathLike[str]", *, masking: Optional[str] = None) -> ByteFormer:
    """The model of the folder ``path``, in float32 whatever its file holds, ready to answer (``eval()``).

    ``masking`` overrides the meaning of masking that the configuration names.
    """
    folder = pathlib.Path(path)
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tensors = _safetensors.read(folder / "model.safetensors")
    except FileNotFoundError as missing:
        message = f"{folder}: has no {pathlib.Path(missing.filename).name}; a model is a folder of two files"
        raise Error.of("not_found", message, str(folder)) from None
    model = ByteFormer(config)
    weights = {name: _as_float32(tensor) for name, tensor in tensors.items()}
    if not model.has_learned_positions:  # they may be left out, and are computed then
        weights.setdefault(_POSITIONS, model.state_dict()[_POSITIONS])
    try:
        model.load_state_dict(weights, strict=True)
    except RuntimeError as problem:
        raise Error.of(
            "invalid_model", f"{folder}: configuration and weights disagree: {problem}", str(folder)
        ) from None
    if masking is not None:
        if masking not in ("masked", "released"):
            raise Error.of("invalid_argument", f"masking is {masking!r}; expected 'masked' or 'released'")
        model.masking = masking
    return model.eval()


def parameter_groups(model: nn.Module, weight_decay: float = 0.05) -> List[Dict[str, Any]]:
    """Parameters for ``torch.optim.AdamW`` as the trainer has them: tensors of one dimension do not decay."""
    parameters: Iterable[nn.Parameter] = list(model.parameters())
    return [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]


def _sinusoids(positions: torch.Tensor, hidden: int) -> torch.Tensor:
    """[positions, hidden]: sines, then cosines. The frequencies are float32 in any case, in the published order."""
    half = hidden // 2
    step = math.log(10000.0) / (half - 1)
    frequencies = torch.exp(torch.arange(half, dtype=torch.float32) * -step)
    angles = positions[:, None] * frequencies.to(positions.dtype)[None]
    return functional.pad(torch.cat([angles.sin(), angles.cos()], 1), (0, hidden % 2))


def _as_float32(tensor: _safetensors.Tensor) -> torch.Tensor:
    if tensor.data.nbytes == 0:
        return torch.empty(tensor.shape)
    return torch.frombuffer(tensor.data, dtype=_DTYPES[tensor.dtype]).view(tensor.shape).float()


def _as_stored(name: str, tensor: torch.Tensor) -> _safetensors.Tensor:
    for dtype, kind in _DTYPES.items():
        if tensor.dtype == kind:
            raw = tensor.detach().cpu().contiguous().flatten().view(torch.int16 if dtype != "F32" else torch.int32)
            return _safetensors.Tensor(dtype, tuple(tensor.shape), memoryview(raw.numpy()).cast("B"))
    raise Error.of("unsupported", f"tensor {name} is {tensor.dtype}; a model folder holds float32, float16 or bfloat16")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
