"""Pure tensor functions of optical flow, from built-in TensorFlow operators only. NHWC, flow (u, v) in pixels."""

from tfflow.ops.census import census_distance, census_transform
from tfflow.ops.correlation import cost_volume, displacements
from tfflow.ops.differences import diagonal_differences, differences
from tfflow.ops.least_squares import lucas_kanade
from tfflow.ops.pad import crop_each, crop_to, pad_to_multiple
from tfflow.ops.resize import resize_flow, resize_image, resize_mask
from tfflow.ops.splat import range_map, splat
from tfflow.ops.superpixels import superpixels
from tfflow.ops.upsample import convex_upsample
from tfflow.ops.warp import backward_warp, inside, sample_points

__all__ = [
    "backward_warp",
    "census_distance",
    "census_transform",
    "convex_upsample",
    "cost_volume",
    "crop_each",
    "crop_to",
    "diagonal_differences",
    "differences",
    "displacements",
    "inside",
    "lucas_kanade",
    "pad_to_multiple",
    "range_map",
    "resize_flow",
    "resize_image",
    "resize_mask",
    "sample_points",
    "splat",
    "superpixels",
]
