"""Pure tensor functions of optical flow, from built-in TensorFlow operators only. NHWC, flow (u, v) in pixels."""

from tfflow.ops.census import census_distance, census_transform
from tfflow.ops.choice import choose_flow
from tfflow.ops.correlation import cost_volume, displacements
from tfflow.ops.crop import crop_each
from tfflow.ops.differences import diagonal_differences, differences
from tfflow.ops.least_squares import lucas_kanade
from tfflow.ops.resize import halve, resize_flow, resize_image, resize_mask, resize_to_multiple
from tfflow.ops.splat import range_map, splat
from tfflow.ops.superpixels import superpixels
from tfflow.ops.upsample import convex_upsample
from tfflow.ops.warp import backward_warp, inside, sample_points

__all__ = [
    "backward_warp",
    "census_distance",
    "census_transform",
    "choose_flow",
    "convex_upsample",
    "cost_volume",
    "crop_each",
    "diagonal_differences",
    "differences",
    "displacements",
    "halve",
    "inside",
    "lucas_kanade",
    "range_map",
    "resize_flow",
    "resize_image",
    "resize_mask",
    "resize_to_multiple",
    "sample_points",
    "splat",
    "superpixels",
]
