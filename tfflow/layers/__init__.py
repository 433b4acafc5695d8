"""Thin Keras layers over `tfflow.ops`: what a network, the quantizer and the converter meet."""

from tfflow.layers.convolution import DilatedConv2D
from tfflow.layers.dropout import LevelDropout
from tfflow.layers.frames import CropLike, Frame, PadToMultiple, StackFrames, SwapFrames
from tfflow.layers.matching import CostVolume, Warp
from tfflow.layers.upsampling import ConvexUpsample, UpsampleFlow
from tfflow.layers.values import (
    AbsoluteDifference,
    CentrePair,
    L2Normalize,
    Length,
    Normalize,
    NormalizePair,
    Scale,
    ZeroFlow,
)

LAYERS = {
    layer.__name__: layer
    for layer in (
        AbsoluteDifference,
        CentrePair,
        ConvexUpsample,
        CostVolume,
        CropLike,
        DilatedConv2D,
        Frame,
        L2Normalize,
        Length,
        LevelDropout,
        Normalize,
        NormalizePair,
        PadToMultiple,
        Scale,
        StackFrames,
        SwapFrames,
        UpsampleFlow,
        Warp,
        ZeroFlow,
    )
}
"""Every layer by its name: `keras.models.model_from_json(text, custom_objects=LAYERS)`."""

__all__ = ["LAYERS", *LAYERS]
