"""The published networks once more, as slow NumPy in float64: one pair, images [h, w, 3], RGB in [0, 1] -> flow, px.

Weights are under the authors' names and in their layout. Nothing is shared with tfflow.
"""

from __future__ import annotations

import numpy as np

Weights = dict[str, np.ndarray]


def leaky(x: np.ndarray, slope: float) -> np.ndarray:
    return np.where(x > 0, x, slope * x)


def convolve(x, weight, bias, stride: int = 1, dilation: int = 1, before: int | None = None) -> np.ndarray:
    """x [h, w, in], weight [out, in, k, k]. before: rows and columns of zeros in front; as many as fit are behind."""
    k = weight.shape[-1]
    reach = dilation * (k - 1)
    before = reach // 2 if before is None else before
    h, w = -(-x.shape[0] // stride), -(-x.shape[1] // stride)
    padded = np.zeros([(h - 1) * stride + reach + 1 + stride, (w - 1) * stride + reach + 1 + stride, x.shape[-1]])
    padded[before : before + x.shape[0], before : before + x.shape[1]] = x
    taps = np.ascontiguousarray(weight.transpose(2, 3, 1, 0), np.float64)
    out = np.zeros([h * w, weight.shape[0]]) + bias
    for i in range(k):
        for j in range(k):
            top, left = i * dilation, j * dilation
            seen = padded[top : top + (h - 1) * stride + 1 : stride, left : left + (w - 1) * stride + 1 : stride]
            out += seen.reshape([h * w, -1]) @ taps[i, j]
    return out.reshape([h, w, -1])


def transposed(x, weight, bias) -> np.ndarray:
    """ConvTranspose2d(4, stride 2, padding 1): x [h, w, in], weight [in, out, 4, 4] -> [2h, 2w, out]."""
    h, w, _ = x.shape
    whole = np.zeros([2 * h + 2, 2 * w + 2, weight.shape[1]])
    for i in range(4):
        for j in range(4):
            whole[i : i + 2 * h : 2, j : j + 2 * w : 2] += x @ weight[:, :, i, j]
    return whole[1:-1, 1:-1] + bias


def costs(x1, x2) -> np.ndarray:
    """Sum over channels for displacements of up to 4 px, rows outer: [h, w, 81]."""
    h, w, _ = x1.shape
    padded = np.pad(x2, [(4, 4), (4, 4), (0, 0)])
    planes = [(x1 * padded[i : i + h, j : j + w]).sum(-1) for i in range(9) for j in range(9)]
    return np.stack(planes, -1)


def wide_costs(x1, x2) -> np.ndarray:
    """FlowNetC's: mean over channels, every other displacement of up to 20 px, rows outer: [h, w, 441]."""
    h, w, _ = x1.shape
    padded = np.pad(x2, [(20, 20), (20, 20), (0, 0)])
    return np.stack(
        [(x1 * padded[i : i + h, j : j + w]).mean(-1) for i in range(0, 41, 2) for j in range(0, 41, 2)], -1
    )


def targets(flow) -> tuple[np.ndarray, np.ndarray]:
    h, w, _ = flow.shape
    return np.arange(w) + flow[..., 0], np.arange(h)[:, None] + flow[..., 1]


def corners(x, y, h: int, w: int):
    """The four pixels around each point with their bilinear weights, and whether each is inside."""
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    for i in (0, 1):
        for j in (0, 1):
            weight = (1 - np.abs(y - y0 - i)) * (1 - np.abs(x - x0 - j))
            inside = (y0 + i >= 0) & (y0 + i < h) & (x0 + j >= 0) & (x0 + j < w)
            yield np.clip(y0 + i, 0, h - 1), np.clip(x0 + j, 0, w - 1), weight, inside


def warp_border(image, flow) -> np.ndarray:
    """Coordinates are cut to the frame."""
    h, w, _ = image.shape
    x, y = targets(flow)
    x, y = np.clip(x, 0, w - 1), np.clip(y, 0, h - 1)
    return sum(weight[..., None] * image[row, column] for row, column, weight, _ in corners(x, y, h, w))


def warp_masked(image, flow) -> np.ndarray:
    """Zeros beyond the frame, and wherever ones warped alike come to less than 0.9999."""
    h, w, _ = image.shape
    parts = list(corners(*targets(flow), h, w))
    ones = sum(weight * inside for _, _, weight, inside in parts)
    warped = sum((weight * inside)[..., None] * image[row, column] for row, column, weight, inside in parts)
    return warped * (ones >= 0.9999)[..., None]


def warp_ddflow(image, flow) -> np.ndarray:
    """Corners cut off towards zero, clipped to the frame, and weighted by their distances after that."""
    h, w, _ = image.shape
    x, y = targets(flow)
    x0, y0 = np.trunc(x), np.trunc(y)
    x0, x1, y0, y1 = np.clip(x0, 0, w - 1), np.clip(x0 + 1, 0, w - 1), np.clip(y0, 0, h - 1), np.clip(y0 + 1, 0, h - 1)

    def part(row, column, weight):
        return weight[..., None] * image[row.astype(int), column.astype(int)]

    return (
        part(y0, x0, (x1 - x) * (y1 - y))
        + part(y1, x0, (x1 - x) * (y - y0))
        + part(y0, x1, (x - x0) * (y1 - y))
        + part(y1, x1, (x - x0) * (y - y0))
    )


def enlarge(flow, factor: int, align_corners: bool) -> np.ndarray:
    """Bilinear, values times the factor."""
    for axis in (0, 1):
        old = flow.shape[axis]
        new = np.arange(factor * old)
        if align_corners:
            at = new * (old - 1) / (factor * old - 1)
        else:
            at = np.clip((new + 0.5) / factor - 0.5, 0, old - 1)
        low = np.minimum(np.floor(at).astype(int), max(old - 2, 0))
        share = (at - low).reshape([-1, 1, 1] if axis == 0 else [1, -1, 1])
        flow = flow.take(low, axis) * (1 - share) + flow.take(np.minimum(low + 1, old - 1), axis) * share
    return factor * flow


def spynet(levels: list[list[tuple]], image1, image2) -> np.ndarray:
    """levels: coarse to fine, each five (weight, bias)."""
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    pyramid = [((image1 - mean) / std, (image2 - mean) / std)]
    for _ in levels[1:]:
        pyramid.append(tuple(x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2, 3).mean((1, 3)) for x in pyramid[-1]))
    flow = None
    for convolutions, (first, second) in zip(levels, reversed(pyramid), strict=True):
        up = np.zeros([*first.shape[:2], 2]) if flow is None else enlarge(flow, 2, align_corners=True)
        x = np.concatenate([first, warp_border(second, up), up], -1)
        for i, (weight, bias) in enumerate(convolutions):
            x = convolve(x if i == 0 else np.maximum(x, 0), weight, bias)
        flow = up + x
    return flow


DILATIONS = (1, 2, 4, 8, 16, 1, 1)


def pwcnet(weights: Weights, image1, image2) -> np.ndarray:
    """NVlabs' PWCDCNet on BGR."""

    def conv(x, name, **how):
        return leaky(convolve(x, weights[f"{name}.0.weight"], weights[f"{name}.0.bias"], **how), 0.1)

    def linear(x, name, how=convolve):
        return how(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def features(image):
        pyramid, x = {}, image[..., ::-1]
        for level in range(1, 7):
            first, second = ("aa", "a") if level == 6 else ("a", "aa")
            x = conv(conv(conv(x, f"conv{level}{first}", stride=2), f"conv{level}{second}"), f"conv{level}b")
            pyramid[level] = x
        return pyramid

    c1, c2 = features(image1), features(image2)
    for level in (6, 5, 4, 3, 2):
        n = c1[level].shape[-1]
        if level == 6:
            x = leaky(costs(c1[6], c2[6]) / n, 0.1)
        else:
            up_flow = linear(flow, f"deconv{level + 1}", transposed)  # noqa: F821
            up_features = linear(x, f"upfeat{level + 1}", transposed)
            warped = warp_masked(c2[level], up_flow * {5: 0.625, 4: 1.25, 3: 2.5, 2: 5.0}[level])
            x = np.concatenate([leaky(costs(c1[level], warped) / n, 0.1), c1[level], up_flow, up_features], -1)
        for i in range(5):
            x = np.concatenate([conv(x, f"conv{level}_{i}"), x], -1)
        flow = linear(x, f"predict_flow{level}")
    for i in range(6):
        x = conv(x, f"dc_conv{i + 1}", dilation=DILATIONS[i])
    return 20 * enlarge(flow + linear(x, "dc_conv7"), 4, align_corners=False) / 4


def pwclite(weights: Weights, image1, image2) -> np.ndarray:
    """ARFlow's PWCLite, two frames, reduced dense connections."""

    def linear(x, name, **how):
        return convolve(x, weights[f"{name}.0.weight"], weights[f"{name}.0.bias"], **how)

    def conv(x, name, **how):
        return leaky(linear(x, name, **how), 0.1)

    def features(x):
        pyramid = []
        for level in range(6):
            name = f"feature_pyramid_extractor.convs.{level}"
            x = conv(conv(x, f"{name}.0", stride=2), f"{name}.1")
            pyramid.append(x)
        return pyramid[::-1]

    flow = None
    for i, (x1, x2) in enumerate(list(zip(features(image1), features(image2), strict=True))[:5]):
        if flow is None:
            flow = np.zeros([*x1.shape[:2], 2])
        else:
            flow = enlarge(flow, 2, align_corners=True)
            x2 = warp_border(x2, flow)
        matches = leaky(costs(x1, x2) / x1.shape[-1], 0.1)
        a = conv(np.concatenate([matches, conv(x1, f"conv_1x1.{i}"), flow], -1), "flow_estimators.conv1")
        b = conv(a, "flow_estimators.conv2")
        c = conv(np.concatenate([a, b], -1), "flow_estimators.conv3")
        d = conv(np.concatenate([b, c], -1), "flow_estimators.conv4")
        e = conv(np.concatenate([c, d], -1), "flow_estimators.conv5")
        flow = flow + linear(np.concatenate([d, e], -1), "flow_estimators.predict_flow")
        x = np.concatenate([e, flow], -1)
        for k in range(6):
            x = conv(x, f"context_networks.convs.{k}", dilation=DILATIONS[k])
        flow = flow + linear(x, "context_networks.convs.6")
    return enlarge(flow, 4, align_corners=True)


def slim_layers(weights: Weights):
    """(convolution without and with activation, encoder) of DDFlow's and SelFlow's code; kernels [k, k, in, out]."""

    def linear(x, name, **how):
        return convolve(x, weights[f"{name}/weights"].transpose(3, 2, 0, 1), weights[f"{name}/biases"], **how)

    def conv(x, name, **how):
        return leaky(linear(x, name, **how), 0.2)

    def features(x):
        pyramid = {}
        for level in range(1, 7):
            x = conv(x, f"feature_extractor/conv{level}_1", stride=2, before=0)  # SAME: even sizes are padded behind
            x = conv(x, f"feature_extractor/conv{level}_2")
            pyramid[level] = x
        return pyramid

    return linear, conv, features


def normalized(x):
    return x / np.sqrt(np.maximum((x**2).sum(-1, keepdims=True), 1e-12))


def ddflow(weights: Weights, image1, image2) -> np.ndarray:
    """DDFlow's network."""
    linear, conv, features = slim_layers(weights)
    c1, c2 = features(image1), features(image2)
    flow = None
    for level in (6, 5, 4, 3, 2):
        flow = np.zeros([*c1[6].shape[:2], 2]) if flow is None else enlarge(flow, 2, align_corners=True)
        x1 = normalized(c1[level])
        x = np.concatenate([costs(x1, normalized(warp_ddflow(c2[level], flow))), x1, flow], -1)
        for i in range(1, 6):
            x = conv(x, f"estimator_level_{level}/conv{i}")
        flow = linear(x, f"estimator_level_{level}/conv6")
    x = np.concatenate([x, flow], -1)
    for i in range(6):
        x = conv(x, f"context_network/dilated_conv{i + 1}", dilation=DILATIONS[i])
    return enlarge(flow + linear(x, "context_network/dilated_conv7"), 4, align_corners=True)


def selflow(weights: Weights, image0, image1, image2) -> np.ndarray:
    """SelFlow's network: flow from image1 to image2, of which image0 is the past."""
    linear, conv, features = slim_layers(weights)
    past, c1, c2 = features(image0), features(image1), features(image2)
    to_next = to_past = np.zeros([*c1[6].shape[:2], 2])
    for level in (6, 5, 4, 3, 2):
        if level < 6:
            to_next, to_past = (enlarge(flow, 2, align_corners=True) for flow in (to_next, to_past))
        x1 = normalized(c1[level])
        costs_next = costs(x1, normalized(warp_ddflow(c2[level], to_next)))
        costs_past = costs(x1, normalized(warp_ddflow(past[level], to_past)))
        there = np.concatenate([costs_next, costs_past, c1[level], to_next, -to_past], -1)
        back = np.concatenate([costs_past, costs_next, c1[level], to_past, -to_next], -1)
        for i in range(1, 6):
            there, back = (conv(x, f"estimator_level_{level}/conv{i}") for x in (there, back))
        to_next, to_past = (linear(x, f"estimator_level_{level}/conv6") for x in (there, back))
    x = np.concatenate([there, back, to_next, -to_past], -1)
    for i in range(6):
        x = conv(x, f"context_network/dilated_conv{i + 1}", dilation=DILATIONS[i])
    return enlarge(linear(x, "context_network/dilated_conv7"), 4, align_corners=True)


def flownet(weights: Weights, net: str, x, x2=None) -> np.ndarray:
    """NVIDIA's FlowNetS on x, FlowNetC on x and x2, or FlowNetSD where it has a conv0: flow of 1/4, in its own unit."""

    def linear(x, name, **how):
        return convolve(x, weights[f"{net}{name}.weight"], weights[f"{net}{name}.bias"], **how)

    def conv(x, name, **how):
        return leaky(linear(x, f"{name}.0", **how), 0.1)

    def up(x, name):
        weight = weights[f"{net}{name}.weight"]
        return transposed(x, weight, weights.get(f"{net}{name}.bias", np.zeros(weight.shape[1])))

    between = f"{net}inter_conv2.0.weight" in weights
    if between:
        x = conv(conv(conv(x, "conv0"), "conv1", stride=2), "conv1_1")
        skip2 = conv(conv(x, "conv2", stride=2), "conv2_1")
        x = conv(conv(skip2, "conv3", stride=2), "conv3_1")
    elif x2 is None:
        skip2 = conv(conv(x, "conv1", stride=2), "conv2", stride=2)
        x = conv(conv(skip2, "conv3", stride=2), "conv3_1")
    else:
        skip2, other = (conv(conv(image, "conv1", stride=2), "conv2", stride=2) for image in (x, x2))
        first, second = conv(skip2, "conv3", stride=2), conv(other, "conv3", stride=2)
        seen = [conv(first, "conv_redir"), leaky(wide_costs(first, second), 0.1)]
        x = conv(np.concatenate(seen, -1), "conv3_1")
    skips = [x, skip2]
    for n in (4, 5, 6):
        x = conv(conv(x, f"conv{n}", stride=2), f"conv{n}_1")
        skips.insert(0, x)
    flow = linear(x, "predict_flow6")
    for n, skip in zip((5, 4, 3, 2), skips[1:], strict=True):
        x = np.concatenate([skip, leaky(up(x, f"deconv{n}.0"), 0.1), up(flow, f"upsampled_flow{n + 1}_to_{n}")], -1)
        flow = linear(linear(x, f"inter_conv{n}.0") if between else x, f"predict_flow{n}")
    return flow


def centred(image1, image2) -> tuple[np.ndarray, np.ndarray]:
    mean = np.stack([image1, image2]).astype(np.float64).mean((0, 1, 2))
    return image1 - mean, image2 - mean


def flownets(weights: Weights, image1, image2) -> np.ndarray:
    """NVIDIA's FlowNet2S."""
    return 5 * enlarge(flownet(weights, "", np.concatenate(centred(image1, image2), -1)), 4, align_corners=False)


def flownetc(weights: Weights, image1, image2) -> np.ndarray:
    """NVIDIA's FlowNet2C."""
    return 5 * enlarge(flownet(weights, "", *centred(image1, image2)), 4, align_corners=False)


def flownet2(weights: Weights, image1, image2) -> np.ndarray:
    """NVIDIA's FlowNet2."""
    one, two = centred(image1, image2)

    def smooth(flow):
        return 5 * enlarge(flow, 4, align_corners=False)

    def blocky(flow):
        return flow.repeat(4, 0).repeat(4, 1)

    def length(x):
        return np.sqrt((x**2).sum(-1, keepdims=True))

    def seen(flow):
        warped = warp_border(two, flow)
        return np.concatenate([one, two, warped, flow / 20, length(one - warped)], -1)

    flow = smooth(flownet(weights, "flownetc.", one, two))
    flow = smooth(flownet(weights, "flownets_1.", seen(flow)))
    flow = blocky(20 * flownet(weights, "flownets_2.", seen(flow)))
    small = blocky(flownet(weights, "flownets_d.", np.concatenate([one, two], -1)) / 20)

    def linear(x, name, how=convolve, **options):
        return how(x, *(weights[f"flownetfusion.{name}.{part}"] for part in ("weight", "bias")), **options)

    def conv(x, name, **options):
        return leaky(linear(x, f"{name}.0", **options), 0.1)

    errors = [length(one - warp_border(two, f)) for f in (small, flow)]
    skip0 = conv(np.concatenate([one, small, flow, length(small), length(flow), *errors], -1), "conv0")
    skip1 = conv(conv(skip0, "conv1", stride=2), "conv1_1")
    x = conv(conv(skip1, "conv2", stride=2), "conv2_1")
    flow = linear(x, "predict_flow2")
    for n, skip in ((1, skip1), (0, skip0)):
        up = leaky(linear(x, f"deconv{n}.0", transposed), 0.1)
        x = np.concatenate([skip, up, linear(flow, f"upsampled_flow{n + 1}_to_{n}", transposed)], -1)
        flow = linear(linear(x, f"inter_conv{n}.0"), f"predict_flow{n}")
    return flow
