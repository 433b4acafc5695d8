"""The authors' names of layers, for each network: our name -> theirs, in the order of the network."""

from __future__ import annotations

LEVELS = (6, 5, 4, 3, 2)

SPYNET = {"conv1": 1, "conv2": 3, "conv3": 5, "conv4": 7, "flow": 9}
"""A level's layers -> indices in its nn.Sequential, which also counts the ReLUs."""


def pwcnet() -> dict[str, str]:
    """NVlabs' PyTorch code (PWCDCNet). The names of level 6 are in another order: conv6aa has stride 2."""
    names: dict[str, str] = {}
    for level in range(1, 7):
        for i, letters in enumerate(("aa", "a", "b") if level == 6 else ("a", "aa", "b"), 1):
            names[f"encoder{level}_conv{i}"] = f"conv{level}{letters}.0"
    for level in LEVELS:
        names |= {f"decoder{level}_conv{i}": f"conv{level}_{i - 1}.0" for i in range(1, 6)}
        names[f"decoder{level}_flow"] = f"predict_flow{level}"
        if level < 6:  # theirs are named after the coarser level
            names[f"up_flow{level}"] = f"deconv{level + 1}"
            names[f"up_features{level}"] = f"upfeat{level + 1}"
    names |= {f"context_conv{i}": f"dc_conv{i}.0" for i in range(1, 7)}
    return names | {"context_flow": "dc_conv7"}


def pwclite() -> dict[str, str]:
    """ARFlow's PyTorch code (PWCLite with reduce_dense, two frames)."""
    names: dict[str, str] = {}
    for level in range(1, 7):
        names |= {f"encoder{level}_conv{i}": f"feature_pyramid_extractor.convs.{level - 1}.{i - 1}.0" for i in (1, 2)}
    names |= {f"narrow{level}": f"conv_1x1.{i}.0" for i, level in enumerate(LEVELS)}
    names |= {f"decoder_conv{i}": f"flow_estimators.conv{i}.0" for i in range(1, 6)}
    names |= {"decoder_flow": "flow_estimators.predict_flow.0"}
    names |= {f"context_conv{i}": f"context_networks.convs.{i - 1}.0" for i in range(1, 7)}
    return names | {"context_flow": "context_networks.convs.6.0"}


def flownets(here: str = "", there: str = "") -> dict[str, str]:
    """NVIDIA's PyTorch code (FlowNetS). here, there: prefixes of our and their names in a stack."""
    names = {f"conv{n}": f"conv{n}.0" for n in ("1", "2", "3", "3_1", "4", "4_1", "5", "5_1", "6", "6_1")}
    for level in LEVELS:
        names[f"flow{level}"] = f"predict_flow{level}"
        if level < 6:
            names[f"up{level}"] = f"deconv{level}.0"
            names[f"up_flow{level}"] = f"upsampled_flow{level + 1}_to_{level}"
    return {f"{here}{ours}": f"{there}{theirs}" for ours, theirs in names.items()}


def flownetc(here: str = "", there: str = "") -> dict[str, str]:
    """NVIDIA's PyTorch code (FlowNetC)."""
    names = flownets(here, there)
    for n in (1, 2, 3):
        names[f"{here}encoder{n}_conv1"] = names.pop(f"{here}conv{n}")
    return names | {f"{here}conv_redir": f"{there}conv_redir.0"}


def flownet2() -> dict[str, str]:
    """NVIDIA's PyTorch code (FlowNet2)."""
    names = flownetc("net1_", "flownetc.")
    for here, there in (("net2_", "flownets_1."), ("net3_", "flownets_2."), ("net4_", "flownets_d.")):
        names |= flownets(here, there)
    for here, there, levels in (("net4_", "flownets_d.", LEVELS[1:]), ("net5_", "flownetfusion.", (1, 0))):
        names |= {f"{here}conv{n}": f"{there}conv{n}.0" for n in ("0", "1", "1_1", "2", "2_1")}
        for n in levels:
            names[f"{here}flow{n}"] = f"{there}predict_flow{n}"
            names[f"{here}between{n}"] = f"{there}inter_conv{n}.0"
            names[f"{here}up{n}"] = f"{there}deconv{n}.0"
            names[f"{here}up_flow{n}"] = f"{there}upsampled_flow{n + 1}_to_{n}"
    return names | {"net5_flow2": "flownetfusion.predict_flow2"}


def without_bias(*nets: str) -> tuple[str, ...]:
    """Our layers of a FlowNetS without a bias: those that upsample flow."""
    return tuple(f"{net}up_flow{level}" for net in nets for level in LEVELS[1:])


def ddflow() -> dict[str, str]:
    """DDFlow's and SelFlow's TensorFlow 1 code (slim)."""
    names: dict[str, str] = {}
    for level in range(1, 7):
        names |= {f"encoder{level}_conv{i}": f"feature_extractor/conv{level}_{i}" for i in (1, 2)}
    for level in LEVELS:
        names |= {f"decoder{level}_conv{i}": f"estimator_level_{level}/conv{i}" for i in range(1, 6)}
        names[f"decoder{level}_flow"] = f"estimator_level_{level}/conv6"
    names |= {f"context_conv{i}": f"context_network/dilated_conv{i}" for i in range(1, 7)}
    return names | {"context_flow": "context_network/dilated_conv7"}
