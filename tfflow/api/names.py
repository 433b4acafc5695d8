"""`tfflow.list_networks`, `tfflow.list_weights`: what there is, by name."""

from __future__ import annotations

from tfflow.models import VARIANTS, pretrained_names
from tfflow.models.variants import register_network
from tfflow.recipes import register_recipe

__all__ = ["list_networks", "list_weights", "register_network", "register_recipe"]


def list_networks() -> list[str]:
    """Names of all networks, those that you registered included: what `model=` and `--model` take."""
    return sorted(VARIANTS)


def list_weights(network: str | None = None) -> list[str]:
    """Names of the pretrained weights, of all networks or of one: what `tfflow.load` and `--weights` take.

    A name is "NETWORK" or "NETWORK.TAG"; the bare name is the network's default.
    """
    if network is not None:
        VARIANTS.find(network)
    return [name for name in pretrained_names() if network in (None, name.partition(".")[0])]
