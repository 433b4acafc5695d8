"""Thin layers of tf_keras (Keras 2) over `tfflow.ops`, for networks, quantization and export.

Warp the features of frame 2 to frame 1 and compare them:

    import tf_keras as keras
    from tfflow.layers import CostVolume, UpsampleFlow, Warp

    features1, features2 = keras.Input([64, 96, 16]), keras.Input([64, 96, 16])
    coarse = keras.Input([32, 48, 2])
    flow = UpsampleFlow()(coarse)
    costs = CostVolume(radius=4)([features1, Warp()([features2, flow])])
    model = keras.Model([features1, features2, coarse], [flow, costs])
    model.output_shape  # [(None, 64, 96, 2), (None, 64, 96, 81)]
"""

from tfflow.layers.convolution import DilatedConv2D
from tfflow.layers.dropout import LevelDropout
from tfflow.layers.frames import Frame, HalveFrames, ResizeFlowLike, ResizeToMultiple, StackFrames, SwapFrames
from tfflow.layers.matching import ChooseFlow, CostVolume, Warp
from tfflow.layers.refining import LucasKanade
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
        ChooseFlow,
        ConvexUpsample,
        CostVolume,
        DilatedConv2D,
        Frame,
        HalveFrames,
        L2Normalize,
        Length,
        LevelDropout,
        LucasKanade,
        Normalize,
        NormalizePair,
        ResizeFlowLike,
        ResizeToMultiple,
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
