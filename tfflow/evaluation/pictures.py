"""Pictures of flow: colour wheel, legend, arrows, error bands, visibility. Arrays in, 8-bit RGB arrays out."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from tfflow.data.colours import check_flow, colour_wheel, flow_to_colour, known_pixels, robust_scale, to_bytes

__all__ = [
    "arrows",
    "colour_wheel",
    "contact_sheet",
    "error_legend",
    "error_map",
    "flow_to_colour",
    "legend",
    "robust_scale",
    "to_bytes",
    "visibility_overlay",
    "with_legend",
]

_FONT = cv2.FONT_HERSHEY_SIMPLEX

# KITTI 2015: colours of bands of min(error / 3 px, error / 5 % of the true length). Each is twice as wide as the last.
ERROR_BANDS = (0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_BLUES = ((49, 54, 149), (69, 117, 180), (116, 173, 209), (171, 217, 233), (224, 243, 248))  # no outlier
_REDS = ((254, 224, 144), (253, 174, 97), (244, 109, 67), (215, 48, 39), (165, 0, 38))
_ERROR_COLOURS = np.array(_BLUES + _REDS, np.uint8)


def legend(scale: float, size: int = 128) -> np.ndarray:
    """The colour wheel as a disc of radius `scale` px, with the number below it: uint8 RGB [size + 22, size, 3]."""
    y, x = np.mgrid[0:size, 0:size] * (2.0 / (size - 1)) - 1.0
    disc = np.where((np.hypot(x, y) <= 1.0)[..., None], flow_to_colour(np.stack([x, y], -1), 1.0), 255)
    centre = (size - 1) // 2
    picture = np.full((size + 22, size, 3), 255, np.uint8)
    picture[:size] = disc
    cv2.line(picture, (centre, centre), (size - 1, centre), (0, 0, 0), 1, cv2.LINE_AA)
    text = f"{scale:.3g} px"
    (width, _), _ = cv2.getTextSize(text, _FONT, 0.45, 1)
    cv2.putText(picture, text, (max(0, (size - width) // 2), size + 16), _FONT, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return picture


def with_legend(picture: np.ndarray, scale: float) -> np.ndarray:
    """Adds the legend, on white, to the right of `picture` [h, w, 3]."""
    disc = legend(scale, size=int(np.clip(picture.shape[0] // 4, 64, 160)))
    h = max(picture.shape[0], disc.shape[0])
    framed = np.full((h, disc.shape[1] + 12, 3), 255, np.uint8)
    framed[h - disc.shape[0] :, 6:-6] = disc
    return np.concatenate([_to_height(picture, h), framed], axis=1)


def arrows(image: np.ndarray, flow: np.ndarray, step: int = 16, stretch: float = 1.0) -> np.ndarray:
    """Draws the flow of every `step`-th pixel as an arrow on the darkened `image`: uint8 RGB [h, w, 3].

    image: [h, w, 3], uint8 or float in [0, 1]. flow: [h, w, 2], px. An arrow is `stretch` times as long as its flow.
    Arrows below half a pixel are dots. Flow that is not finite is not drawn.
    """
    check_flow(flow)
    picture = (0.6 * to_bytes(image)).astype(np.uint8)
    h, w = flow.shape[:2]
    known = known_pixels(flow)
    thickness = 1 if max(h, w) < 1400 else 2
    far = 2.0 * max(h, w)  # longer arrows would overflow OpenCV's coordinates
    for y in range(min(step // 2, h // 2), h, step):
        for x in range(min(step // 2, w // 2), w, step):
            if not known[y, x]:
                continue
            u, v = np.clip(stretch * flow[y, x].astype(np.float64), -far, far)
            length = float(np.hypot(u, v))
            if length < 0.5:
                cv2.circle(picture, (x, y), thickness, (150, 220, 120), -1, cv2.LINE_AA)
                continue
            end = (round(x + u), round(y + v))
            tip = min(0.4, 5.0 / length)
            cv2.arrowedLine(picture, (x, y), end, (255, 240, 80), thickness, cv2.LINE_AA, tipLength=tip)
    return picture


def error_map(flow: np.ndarray, truth: np.ndarray, valid: np.ndarray, visible: np.ndarray | None = None) -> np.ndarray:
    """The error of a flow in KITTI's logarithmic bands: uint8 RGB [h, w, 3].

    flow, truth: [h, w, 2], px; valid, visible: [h, w, 1]. Blue: error below 3 px or 5 %. Red: outliers, and flow that
    is not finite. Occluded pixels are darker. Pixels without ground truth are black.
    """
    check_flow(flow)
    known = known_pixels(flow)
    error = np.linalg.norm(np.where(known[..., None], flow, 0.0).astype(np.float64) - truth, axis=-1)
    speed = np.linalg.norm(truth.astype(np.float64), axis=-1)
    relative = np.minimum(error / 3.0, error / np.maximum(0.05 * speed, 1e-9))
    band = np.digitize(np.where(known, relative, np.inf), ERROR_BANDS)
    colour = _ERROR_COLOURS[band].astype(np.float64)
    if visible is not None:
        colour *= np.where(visible > 0.5, 1.0, 0.5)
    return np.where(valid > 0.5, colour, 0.0).astype(np.uint8)


def error_legend(width: int = 480) -> np.ndarray:
    """The bands of `error_map` and their upper bounds, px (times 5/3: % of true length): uint8 RGB [34, width, 3]."""
    picture = np.full((34, width, 3), 255, np.uint8)
    edges = np.linspace(0, width, len(_ERROR_COLOURS) + 1).astype(int)
    for i, colour in enumerate(_ERROR_COLOURS):
        picture[:16, edges[i] : edges[i + 1]] = colour
        text = f"<{3.0 * ERROR_BANDS[i]:.2g}" if i < len(ERROR_BANDS) else f">{3.0 * ERROR_BANDS[-1]:.2g} px"
        cv2.putText(picture, text, (int(edges[i]) + 2, 29), _FONT, 0.36, (0, 0, 0), 1, cv2.LINE_AA)
    return picture


def visibility_overlay(image: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Tints the occluded pixels of `image` red. visible: [h, w, 1], 1 = visible."""
    grey = to_bytes(image).astype(np.float64)
    occluded = 1.0 - np.clip(np.nan_to_num(visible.astype(np.float64)), 0.0, 1.0)
    return (grey * (1.0 - 0.6 * occluded) + 0.6 * occluded * np.array([255.0, 30.0, 30.0])).astype(np.uint8)


def contact_sheet(rows: Sequence[Sequence[tuple[str, np.ndarray]]], gap: int = 6) -> np.ndarray:
    """Arranges titled pictures in rows on white, without scaling: uint8 RGB.

    rows: lists of (title, picture [h, w, 3], uint8 or float in [0, 1]). Pictures are aligned at the top and the left.
    Titles are truncated to the width of their picture.
    """
    bands = []
    for row in rows:
        h = max(picture.shape[0] for _, picture in row)
        cells = []
        for title, picture in row:
            picture = to_bytes(picture)
            strip = np.full((18, picture.shape[1], 3), 255, np.uint8)
            cv2.putText(strip, title, (2, 13), _FONT, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
            cells.append(np.concatenate([strip, _to_height(picture, h)]))
            cells.append(np.full((h + 18, gap, 3), 255, np.uint8))
        bands.append(np.concatenate(cells[:-1], axis=1))
    w = max(band.shape[1] for band in bands)
    wide = [np.pad(b, ((0, gap), (0, w - b.shape[1]), (0, 0)), constant_values=255) for b in bands]
    return np.pad(np.concatenate(wide), ((gap, 0), (gap, gap), (0, 0)), constant_values=255)


def _to_height(picture: np.ndarray, h: int) -> np.ndarray:
    return np.pad(picture, ((0, h - picture.shape[0]), (0, 0), (0, 0)), constant_values=255)
