"""The operations once more, as slow loops in float64 written from their definitions. Nothing is shared with tfflow."""

from __future__ import annotations

import math

import numpy as np


def pixel(image: np.ndarray, y: int, x: int, outside: str) -> np.ndarray:
    """The pixel of [h, w, c] at row y, column x; beyond the frame 0, or the nearest one."""
    h, w, _ = image.shape
    if outside == "border":
        return image[min(max(y, 0), h - 1), min(max(x, 0), w - 1)]
    return image[y, x] if 0 <= y < h and 0 <= x < w else np.zeros_like(image[0, 0])


def sample(image: np.ndarray, y: float, x: float, outside: str) -> np.ndarray:
    """Bilinear interpolation between the four pixels around (x, y)."""
    if outside == "strict":
        ones = sample(np.ones_like(image[..., :1]), y, x, "zero")[0]
        return sample(image, y, x, "zero") * (ones >= 0.9999)
    if outside == "ddflow":
        return _sample_clipped(image, y, x)
    y0, x0 = math.floor(y), math.floor(x)
    wy, wx = y - y0, x - x0
    return (
        (1 - wy) * (1 - wx) * pixel(image, y0, x0, outside)
        + (1 - wy) * wx * pixel(image, y0, x0 + 1, outside)
        + wy * (1 - wx) * pixel(image, y0 + 1, x0, outside)
        + wy * wx * pixel(image, y0 + 1, x0 + 1, outside)
    )


def _sample_clipped(image: np.ndarray, y: float, x: float) -> np.ndarray:
    """As DDFlow: corners are cut off towards zero and clipped to the frame, and then weighted by their distance."""
    h, w, _ = image.shape
    columns = [min(max(int(x) + i, 0), w - 1) for i in (0, 1)]
    rows = [min(max(int(y) + i, 0), h - 1) for i in (0, 1)]
    wx, wy = (columns[1] - x, x - columns[0]), (rows[1] - y, y - rows[0])
    return sum(wy[i] * wx[j] * image[rows[i], columns[j]] for i in (0, 1) for j in (0, 1))


def backward_warp(image2: np.ndarray, flow: np.ndarray, outside: str = "zero") -> np.ndarray:
    b, h, w, c = image2.shape
    warped = np.zeros([b, h, w, c])
    for i, y, x in np.ndindex(b, h, w):
        u, v = flow[i, y, x].astype(float)
        warped[i, y, x] = sample(image2[i].astype(float), y + v, x + u, outside)
    return warped


def inside(flow: np.ndarray) -> np.ndarray:
    b, h, w, _ = flow.shape
    mask = np.zeros([b, h, w, 1])
    for i, y, x in np.ndindex(b, h, w):
        u, v = flow[i, y, x].astype(float)
        mask[i, y, x] = 0 <= x + u <= w - 1 and 0 <= y + v <= h - 1
    return mask


def splat(values: np.ndarray, flow: np.ndarray) -> np.ndarray:
    b, h, w, c = values.shape
    landed = np.zeros([b, h, w, c])
    for i, y, x in np.ndindex(b, h, w):
        u, v = flow[i, y, x].astype(float)
        for ty, tx in np.ndindex(h, w):
            weight = max(0.0, 1 - abs(x + u - tx)) * max(0.0, 1 - abs(y + v - ty))
            landed[i, ty, tx] += weight * values[i, y, x]
    return landed


def cost_volume(features1: np.ndarray, features2: np.ndarray, radius: int, stride: int = 1) -> np.ndarray:
    b, h, w, c = features1.shape
    steps = list(range(-radius, radius + 1, stride))
    costs = np.zeros([b, h, w, len(steps) ** 2])
    for i, y, x in np.ndindex(b, h, w):
        for channel, (dy, dx) in enumerate((dy, dx) for dy in steps for dx in steps):
            other = pixel(features2[i].astype(float), y + dy, x + dx, "zero")
            costs[i, y, x, channel] = np.dot(features1[i, y, x].astype(float), other) / c
    return costs


def census_transform(images: np.ndarray, radius: int) -> np.ndarray:
    b, h, w, c = images.shape
    grey_weights = np.array([0.2989, 0.5870, 0.1140]) if c == 3 else np.ones(1)
    grey = 255 * (images.astype(float) @ grey_weights)[..., None]
    census = np.zeros([b, h, w, (2 * radius + 1) ** 2])
    for i, y, x in np.ndindex(b, h, w):
        channel = 0
        for dy in range(-radius, radius + 1):
            for dx in range(-radius, radius + 1):
                d = float(pixel(grey[i], y + dy, x + dx, "zero")[0] - grey[i, y, x, 0])
                census[i, y, x, channel] = d / math.sqrt(0.81 + d * d)
                channel += 1
    return census


def differences(x: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    kernel = {1: [-1, 1], 2: [1, -2, 1]}[order]
    b, h, w, c = x.shape
    dx, dy = np.zeros([b, h, w - order, c]), np.zeros([b, h - order, w, c])
    for i, row, column in np.ndindex(b, h, w - order):
        dx[i, row, column] = sum(k * x[i, row, column + n] for n, k in enumerate(kernel))
    for i, row, column in np.ndindex(b, h - order, w):
        dy[i, row, column] = sum(k * x[i, row + n, column] for n, k in enumerate(kernel))
    return dx, dy


def resize(images: np.ndarray, to: tuple[int, int], align_corners: bool = False) -> np.ndarray:
    """Tent-weighted mean around each new pixel's centre; the tent is as wide as the larger of both pixels."""
    b, h, w, c = images.shape
    rows, columns = _tents(h, to[0], align_corners), _tents(w, to[1], align_corners)
    resized = np.zeros([b, *to, c])
    for i, y, x in np.ndindex(b, *to):
        for sy, sx in np.ndindex(h, w):
            resized[i, y, x] += rows[y, sy] * columns[x, sx] * images[i, sy, sx].astype(float)
    return resized


def _tents(old: int, new: int, align_corners: bool) -> np.ndarray:
    weights = np.zeros([new, old])
    for i in range(new):
        if align_corners:
            centre, half_width = (i * (old - 1) / (new - 1) if new > 1 else 0.0), 1.0
        else:
            centre, half_width = (i + 0.5) * old / new - 0.5, max(old / new, 1.0)
        for j in range(old):
            weights[i, j] = max(0.0, 1 - abs(j - centre) / half_width)
        weights[i] /= weights[i].sum()
    return weights


def gradient(function, inputs: list[np.ndarray], which: int, upstream: np.ndarray, delta: float = 1e-5) -> np.ndarray:
    """d sum(upstream * function(*inputs)) / d inputs[which], by central differences in float64."""
    inputs = [np.array(x, np.float64) for x in inputs]
    slope = np.zeros(inputs[which].shape)
    for index in np.ndindex(slope.shape):
        ends = []
        for sign in (1, -1):
            moved = [x.copy() for x in inputs]
            moved[which][index] += sign * delta
            ends.append(np.sum(upstream * function(*moved)))
        slope[index] = (ends[0] - ends[1]) / (2 * delta)
    return slope
