import torch
from torch import nn


class GistFieldEncoder(nn.Module):
    kinds = ("text",)

    def __init__(self, options, *, fields, dim):
        super().__init__()
        self.fields = fields
        self.words = nn.Embedding(fields[0].size, dim, padding_idx=0, sparse=True)
        nn.init.normal_(self.words.weight[1:], std=0.1)

    def forward(self, news):
        vectors = []
        for field in self.fields:
            batch = news[field.name]
            hidden = ~batch.mask.unsqueeze(-1)  # (U, L, 1)
            vectors.append(self.words(batch.values).masked_fill(hidden, -1e4).amax(1))
        return torch.stack(vectors, dim=1)  # (U, F, D)
