"""The table of networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tfflow.errors import InputError
from tfflow.models.flownet2 import FlowNet2
from tfflow.models.flownetc import FlowNetC
from tfflow.models.flownets import FlowNetS
from tfflow.models.graph import Network, frames_of
from tfflow.models.mobile_lk import (
    PWCNetMobileLK,
    PWCNetMobileV3,
    PWCNetMobileV4,
    PWCNetMobileV5,
    SpyNetMobileV3,
    SpyNetMobileV4,
)
from tfflow.models.multiframe import MultiFrameHard, MultiFrameSoft
from tfflow.models.pwclite import PWCLite
from tfflow.models.pwcnet import PWCNet
from tfflow.models.pwcnet_ddflow import PWCNetDDFlow
from tfflow.models.pwcnet_mobile import PWCNetMobile
from tfflow.models.pwcnet_mobile_v2 import PWCNetMobileV2
from tfflow.models.pwcnet_uflow import PWCNetUFlow
from tfflow.models.selflow import SelFlow
from tfflow.models.spynet import SpyNet
from tfflow.models.spynet_mobile import SpyNetMobile
from tfflow.models.spynet_mobile_v2 import SpyNetMobileV2
from tfflow.models.unflow import UnFlowC, UnFlowCS, UnFlowCSS, UnFlowThinCSS
from tfflow.registry import Registry


@dataclass(frozen=True)
class Variant:
    """A network, its source and its number of parameters.

    build: called with the name of a Keras dtype policy. parameters: as published, 0 = not stated. published_weights:
    licence of the authors' weights. idle: number of published parameters that do not affect the flow and are left out
    here (PWC-Net and UFlow declare an upsampling layer that they do not use).
    extends: a network that shares layers with this one, by the same names, so that training can start from their
    weights.
    """

    name: str
    build: Callable[[str], Network]
    paper: str
    parameters: int
    published_weights: str
    idle: int = 0
    extends: str = ""

    @property
    def stride(self) -> int:
        """Height and width must be multiples of this. `FlowModel` pads and crops."""
        return self.build.stride  # type: ignore[attr-defined]

    @property
    def frames(self) -> int:
        """The number of frames that the network takes: 2, or 3 with the frame before the pair."""
        return frames_of(self.build)  # type: ignore[arg-type]


OURS = "ours, Apache-2.0"
JANAI = "Janai et al., ECCV 2018 (back2future)"
UFLOW = "Jonschkowski et al., ECCV 2020 (UFlow)"
MEISTER = "Meister et al., AAAI 2018 (UnFlow)"
_PUBLISHED = (
    Variant("flownets", FlowNetS, "Dosovitskiy et al., ICCV 2015", 38_676_506, "research only"),
    Variant("flownetc", FlowNetC, "Dosovitskiy et al., ICCV 2015", 39_175_298, "research only"),
    Variant("flownet2", FlowNet2, "Ilg et al., CVPR 2017", 162_518_834, "research only"),
    Variant("unflow_c", UnFlowC, MEISTER, 39_175_298, "MIT"),
    Variant("unflow_cs", UnFlowCS, MEISTER, 77_876_900, "MIT"),
    Variant("unflow_css", UnFlowCSS, MEISTER, 116_578_502, "MIT"),
    Variant("unflow_css_thin", UnFlowThinCSS, MEISTER, 16_712_922, "MIT"),
    Variant("spynet", SpyNet, "Ranjan and Black, CVPR 2017", 6 * 240_050, "research only"),
    Variant("pwcnet", PWCNet, "Sun et al., CVPR 2018", 9_374_340, "CC BY-NC-SA", idle=66),
    Variant("pwcnet_ddflow", PWCNetDDFlow, "Liu et al., AAAI 2019 (DDFlow)", 4_273_628, "none stated"),
    Variant("pwclite", PWCLite, "Liu et al., CVPR 2020 (ARFlow)", 2_236_660, "MIT"),
    Variant("selflow", SelFlow, "Liu et al., CVPR 2019 (SelFlow)", 4_790_876, "none stated"),
    Variant("multiframe_hard", MultiFrameHard, JANAI, 7_193_316, "research only"),
    Variant("multiframe_soft", MultiFrameSoft, JANAI, 10_168_302, "research only"),
    Variant("pwcnet_uflow", PWCNetUFlow, UFLOW, 5_718_218, "never published", idle=16_416),
    Variant("pwcnet_mobile", PWCNetMobile, "this package", 1_178_362, OURS),
    Variant("pwcnet_mobile_lk", PWCNetMobileLK, "this package", 1_178_362, OURS, extends="pwcnet_mobile"),
    Variant("pwcnet_mobile_v2", PWCNetMobileV2, "this package", 1_183_114, OURS, extends="pwcnet_mobile"),
    Variant("pwcnet_mobile_v3", PWCNetMobileV3, "this package", 1_183_114, OURS, extends="pwcnet_mobile_v2"),
    Variant("pwcnet_mobile_v4", PWCNetMobileV4, "this package", 1_183_114, OURS, extends="pwcnet_mobile_v3"),
    Variant("pwcnet_mobile_v5", PWCNetMobileV5, "this package", 1_063_658, OURS, extends="pwcnet_mobile_v4"),
    Variant("spynet_mobile", SpyNetMobile, "this package", 339_500, OURS),
    Variant("spynet_mobile_v2", SpyNetMobileV2, "this package", 331_358, OURS, extends="pwcnet_mobile_v2"),
    Variant("spynet_mobile_v3", SpyNetMobileV3, "this package", 331_358, OURS, extends="spynet_mobile_v2"),
    Variant("spynet_mobile_v4", SpyNetMobileV4, "this package", 331_358, OURS, extends="spynet_mobile_v3"),
)
VARIANTS: Registry[Variant] = Registry("model", {v.name: v for v in _PUBLISHED})
"""All networks by name, including registered ones. The code of the built-in ones is Apache-2.0."""


def variant(name: str) -> Variant:
    """The network called `name`. InputError for an unknown name, with the nearest known ones."""
    return VARIANTS.find(name)


def lineage(name: str) -> tuple[str, ...]:
    """The network called `name`, the one that it extends, the one that this extends, and so on.

        lineage("pwcnet_mobile_v2")  # ("pwcnet_mobile_v2", "pwcnet_mobile")

    Raises InputError for an unknown name.
    """
    before = variant(name).extends
    return (name, *lineage(before)) if before else (name,)


def register_network(
    name: str,
    build: Callable[[str], Network],
    *,
    paper: str = "not stated",
    licence: str = "not stated",
    extends: str = "",
) -> None:
    """Registers a network of your own for every function and command: `model="mine"`, `--model mine`.

        class Mine:                          # see `tfflow.models.graph.Network`
            stride = 8
            def __init__(self, dtype="float32"): ...
            def encode(self, images): ...
            def decode(self, features1, features2): ...

        tfflow.register_network("mine", Mine)

    build: called with the name of a Keras dtype policy; `stride`: frames are enlarged to multiples of it.
    extends: a network that shares layers with this one, by the same names, so that training can start from their
    weights. Raises InputError if another network has the name, or `build` is no network.
    """
    if not callable(build) or not isinstance(getattr(build, "stride", None), int):  # encode may be made by __init__
        raise InputError(f"a network is a class with a whole-number `stride`, encode and decode, got {build!r}")
    if extends:
        variant(extends)
    VARIANTS.register(name, Variant(name, build, paper, 0, licence, extends=extends))
