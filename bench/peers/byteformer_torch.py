"""ByteFormer in plain PyTorch, as one would write it for a file of known length: the yardstick of scripts/compare.sh.

Meaning `released`; parameters have the published names, so that checkpoints load with strict=True.
"""
import torch
from torch import nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Multi-head self-attention over the rows of each window: [windows, rows, C] to the same."""

    def __init__(self, size, heads):
        super().__init__()
        self.heads = heads
        self.qkv_proj = nn.Linear(size, 3 * size)
        self.out_proj = nn.Linear(size, size)

    def forward(self, x):
        windows, rows, size = map(int, x.shape)
        q, k, v = self.qkv_proj(x).reshape(windows, rows, 3, self.heads, size // self.heads).permute(2, 0, 3, 1, 4)
        scores = (q * (size // self.heads) ** -0.5) @ k.transpose(-1, -2)
        return self.out_proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(windows, rows, size))


class Block(nn.Module):
    """A transformer block on windows of a sequence that is rolled by `shift` first: [B, N, C] to the same."""

    def __init__(self, size, heads, feed_forward, window, shift):
        super().__init__()
        self.window, self.shift = window, shift
        self.pre_norm_mha = nn.Sequential(nn.LayerNorm(size), Attention(size, heads))
        # Dropout stands where the published list has it: it counts in the names.
        self.pre_norm_ffn = nn.Sequential(
            nn.LayerNorm(size), nn.Linear(size, feed_forward), nn.GELU(), nn.Dropout(0.0), nn.Linear(feed_forward, size))

    def forward(self, x):
        batch, rows, size = map(int, x.shape)
        padded = -(-rows // self.window) * self.window
        shift = self.shift % padded
        x = F.pad(x, (0, 0, 0, padded - rows)).roll(-shift, 1).reshape(-1, self.window, size)
        x = x + self.pre_norm_mha(x)
        x = x + self.pre_norm_ffn(x)
        return x.reshape(batch, padded, size).roll(shift, 1)[:, :rows]


class Merge(nn.Module):
    """Two rows become one, channels of both interleaved: [B, N, C] to [B, ceil(N / 2), C]."""

    def __init__(self, size):
        super().__init__()
        self.reduction = nn.Linear(2 * size, size, bias=False)
        self.norm = nn.LayerNorm(size)

    def forward(self, x):
        batch, rows, size = map(int, x.shape)
        pairs = F.pad(x, (0, 0, 0, rows % 2)).reshape(batch, -1, 2, size)
        return self.norm(self.reduction(pairs.transpose(2, 3).reshape(batch, -1, 2 * size)))


class Positions(nn.Module):
    def __init__(self, most_rows, size):
        super().__init__()
        self.pos_embed = nn.Parameter(torch.randn(1, 1, most_rows, size) * size ** -0.5)

    def forward(self, rows):
        return self.pos_embed[0, :, :rows]


class ByteFormer(nn.Module):
    """[B, L] uint8 to [B, classes] logits. `config` has the keys of config.json."""

    def __init__(self, config):
        super().__init__()
        size, kernel = config["hidden_size"], config["conv_kernel_size"]
        self.stride = kernel // 2
        self.embeddings = nn.Embedding(257, size, padding_idx=256)
        self.token_reduction_net = nn.Conv1d(size, size, kernel, stride=self.stride, bias=False)
        self.pos_embed = nn.ModuleDict({"pos_embed": Positions(config["max_position_embeddings"], size)})
        self.transformer = nn.ModuleList(
            Block(size, config["num_attention_heads"], config["intermediate_size"], window, shift)
            for window, shift in zip(config["window_sizes"], config["window_shifts"]))
        self.downsamplers = nn.ModuleDict(
            {f"downsample_{i}": Merge(size) for i, merges in enumerate(config["downsample"]) if merges})
        self.post_transformer_norm = nn.LayerNorm(size)
        self.classifier = nn.Linear(size, config["num_labels"])

    def forward(self, files):
        x = self.token_reduction_net(self.embeddings(files.long()).transpose(1, 2)).transpose(1, 2)
        x = x + self.pos_embed["pos_embed"](x.shape[1])
        for i, block in enumerate(self.transformer):
            x = block(x)
            if f"downsample_{i}" in self.downsamplers:
                x = self.downsamplers[f"downsample_{i}"](x)
        return self.classifier(self.post_transformer_norm(x).mean(1))


def tiny(kernel, classes=1000, most_rows=12288):
    """config.json of the paper's smallest model, BF-Ti, with windows of 128."""
    return {
        "model_type": "byteformer", "hidden_size": 192, "num_hidden_layers": 12, "num_attention_heads": 3,
        "intermediate_size": 768, "vocab_size": 257, "pad_token_id": 256, "layer_norm_eps": 1e-5,
        "conv_kernel_size": kernel, "max_position_embeddings": most_rows, "position_embedding_type": "learned",
        "window_sizes": [128] * 12, "window_shifts": [0, 64] * 6,
        "downsample": [True, True, False, True, False, True, False, True, False, True, False, False],
        "masking": "released", "num_labels": classes, "id2label": {str(i): f"class_{i}" for i in range(classes)}}
