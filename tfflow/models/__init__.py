"""Flow networks, and trained models by name, file or run.

A network has a name in a table, and so have its pretrained weights:

    import tensorflow as tf
    from tfflow.models import VARIANTS, load, one_direction, pretrained_names, variant

    "pwcnet_mobile" in VARIANTS, "pwcnet_mobile" in pretrained_names()  # (True, True)
    network = variant("pwcnet_mobile").build("float32")
    graph = one_direction(network, size=(64, 96), batch=1)
    images = tf.random.uniform([1, 64, 96, 3])
    graph([images, images])[0]  # [1, 64, 96, 2]
    load("pwcnet_mobile").batch(images.numpy(), images.numpy())  # [1, 64, 96, 2]
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfflow import defaults
from tfflow.data.arrays import as_image
from tfflow.errors import InputError, unknown_name
from tfflow.limits import parse_json
from tfflow.models.scales import ONCE, check_scales
from tfflow.models.tflite import SUFFIX, TFLiteModel

if TYPE_CHECKING:
    from tfflow.models.flow_model import FlowModel
    from tfflow.models.graph import Network, any_size, both_directions, one_direction
    from tfflow.models.variants import VARIANTS, Variant, lineage, register_network, variant

_PLACES = {
    "FlowModel": "flow_model",
    "Network": "graph",
    "VARIANTS": "variants",
    "Variant": "variants",
    "any_size": "graph",
    "both_directions": "graph",
    "one_direction": "graph",
    "lineage": "variants",
    "register_network": "variants",
    "variant": "variants",
}
"""Of each name the module that has it. These need TensorFlow, which is slow to import; an exported file does not."""

PRETRAINED = Path(__file__).parent.parent / "weights"
"""The folder of pretrained weights: `<name>.safetensors`, and `<name>.json`, how they were trained and their scores."""

DEFAULT = defaults.WEIGHTS
"""The default pretrained weights."""

RUN_WEIGHTS = "weights.safetensors"
"""The file of the final weights in the folder of a run."""

__all__ = [
    "DEFAULT",
    "PRETRAINED",
    "RUN_WEIGHTS",
    "VARIANTS",
    "FlowModel",
    "Network",
    "TFLiteModel",
    "Variant",
    "any_size",
    "as_image",
    "both_directions",
    "lineage",
    "load",
    "load_float",
    "one_direction",
    "pretrained_names",
    "record",
    "register_network",
    "untrained",
    "variant",
    "weights_file",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


def untrained(name: str, scales: Sequence[float] = ONCE) -> FlowModel:
    """A network with random weights, by its name in `VARIANTS`."""
    from tfflow.models.flow_model import FlowModel

    return FlowModel(name, scales=scales)


def load(weights: str | os.PathLike, scales: Sequence[float] = ONCE) -> FlowModel | TFLiteModel:
    """A trained network.

    weights: the name of pretrained weights, a .safetensors file, the folder of a run, or an exported .tflite file.
    scales: sizes of the passes as shares of the frame size, see `FlowModel`; not for exported networks.
    Raises InputError if there are no such weights.
    """
    if Path(weights).suffix == SUFFIX:
        if check_scales(scales) != ONCE:
            raise InputError(f"{str(weights)!r} is exported for one frame size: it takes no `scales`")
        return TFLiteModel(weights)
    return load_float(weights, scales)


def load_float(weights: str | os.PathLike, scales: Sequence[float] = ONCE) -> FlowModel:
    """As `load`, but refuses exported files: the network can be trained further and exported."""
    from tfflow.models.flow_model import FlowModel
    from tfflow.models.variants import VARIANTS
    from tfflow.models.weights import assign, read_arrays

    if Path(weights).suffix == SUFFIX:
        raise InputError(f"{str(weights)!r} is an exported network; give the weights that it was exported from")
    path = weights_file(weights)
    arrays, metadata = read_arrays(path)
    if metadata.get("model") not in VARIANTS:
        raise InputError(
            f"{str(path)!r} holds weights of a network that is not known here: {metadata.get('model')!r}; if it is "
            "your own, register it first, by tfflow.register_network in a file that a command executes (`plugin`)"
        )
    model = FlowModel(metadata["model"], metadata, scales=scales)
    assign(model.one_way, arrays, repr(str(path)))
    model.origin = str(weights)
    return model


def pretrained_names() -> list[str]:
    """The names of all pretrained weights."""
    return sorted(p.stem for p in PRETRAINED.glob("*.safetensors"))


def record(name: str) -> dict[str, Any]:
    """How the pretrained weights `name` were trained, and their scores: see `tfflow.release`."""
    if name not in pretrained_names():
        raise unknown_name("weights", name, pretrained_names())
    return parse_json((PRETRAINED / f"{name}.json").read_bytes())


def weights_file(weights: str | os.PathLike) -> Path:
    """The file that `load` reads. InputError if there is none."""
    path = Path(weights)
    if path.is_dir():
        if (path / RUN_WEIGHTS).is_file():
            return path / RUN_WEIGHTS
        raise InputError(f"folder {str(path)!r} holds no {RUN_WEIGHTS}: is it the folder of a training that ended?")
    if path.is_file():
        return path
    if (PRETRAINED / f"{weights}.safetensors").is_file():
        return PRETRAINED / f"{weights}.safetensors"
    from tfflow.models.variants import VARIANTS

    if str(weights) in VARIANTS:
        known = ", ".join(pretrained_names()) or "none"
        raise InputError(f"there are no pretrained weights of {str(weights)!r} ({known})")
    network, dot, _ = str(weights).partition(".")
    if dot and network in VARIANTS and path.suffix != ".safetensors":
        of_network = [name for name in pretrained_names() if name.partition(".")[0] == network]
        raise unknown_name("weights", str(weights), of_network or pretrained_names())
    if path.suffix or len(path.parts) > 1:
        raise InputError(f"no such file or folder of weights: {str(path)!r}")
    raise unknown_name("weights", str(weights), pretrained_names())
