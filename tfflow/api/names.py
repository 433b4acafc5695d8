"""`tfflow.list_networks`, `tfflow.list_weights`: what there is, by name."""

from __future__ import annotations

from tfflow.models import VARIANTS, pretrained_names
from tfflow.models.variants import register_network
from tfflow.recipes import register_recipe

__all__ = ["list_networks", "list_weights", "register_network", "register_recipe"]


def list_networks() -> list[str]:
    """Names of all networks: what the parameter `model` takes.

        assert "pwcnet_mobile" in tfflow.list_networks()

    Networks of `tfflow.register_network` are among them.
    """
    return sorted(VARIANTS)


def list_weights(network: str | None = None) -> list[str]:
    """Names of the pretrained weights: what `tfflow.load` takes.

        assert "pwcnet_mobile" in tfflow.list_weights()
        assert set(tfflow.list_weights("pwcnet_mobile")) <= set(tfflow.list_weights())

    network: only the weights of this one. A name is "NETWORK" or "NETWORK.TAG"; the bare name is the network's default.
    Raises InputError where there is no such network.
    """
    if network is not None:
        VARIANTS.find(network)
    return [name for name in pretrained_names() if network in (None, name.partition(".")[0])]
