"""Several losses as one, such as cross entropy and Dice (doi:10.1038/s41592-020-01008-z)."""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn


class WeightedSum(nn.Module):
    """The sum of losses, each multiplied by a factor.

    Parameters
    ----------
    terms
        The losses by name.
    weights
        Factors by name; a term without one has the factor 1.

    >>> from unet_exp.losses.dice import Dice
    >>> loss = WeightedSum({"dice": Dice(), "same": Dice()}, {"same": 0.5})
    >>> loss(torch.zeros(1, 2, 1, 1), torch.tensor([[[1]]]), torch.ones(1, 1, 1))
    tensor(0.3000)
    """

    def __init__(self, terms: dict | None = None, weights: dict | None = None) -> None:
        super().__init__()
        if not terms:
            raise ValueError("There is nothing to sum. Name at least one loss in `terms`.")
        unknown = sorted(set(weights or {}) - set(terms))
        if unknown:
            raise ValueError(
                f"weights names {', '.join(unknown)}, but the terms are {', '.join(terms)}."
            )
        self.terms = nn.ModuleDict(terms)
        self.weights = {name: float((weights or {}).get(name, 1)) for name in terms}

    def forward(
        self,
        logits: Float[Tensor, "b k h w"],
        target: Shaped[Tensor, "b *c h w"],
        weights: Float[Tensor, "b h w"],
    ) -> Float[Tensor, ""]:
        """Loss of a batch."""
        return torch.stack(
            [
                factor * self.terms[name](logits, target, weights)
                for name, factor in self.weights.items()
            ]
        ).sum()
