"""The better of two flows at each pixel, by features that both have warped."""

from __future__ import annotations

import tensorflow as tf

from tfflow.ops.checks import check_flow, check_image, check_same_size


def choose_flow(
    features1: tf.Tensor,
    warped: tf.Tensor,
    other_warped: tf.Tensor,
    flow: tf.Tensor,
    other: tf.Tensor,
    least: float = 0.95,
    window: int = 5,
) -> tf.Tensor:
    """`other` where it explains frame 1 clearly better than `flow` does: [b, h, w, 2], px.

        features = tf.random.uniform([1, 16, 24, 8])
        shifted = tf.roll(features, 1, axis=2)
        flow = ops.choose_flow(features, shifted, features, tf.zeros([1, 16, 24, 2]), tf.ones([1, 16, 24, 2]))
        float(flow[0, 8, 12, 0])  # 1.0

    features1: of frame 1, [b, h, w, c]. warped, other_warped: features of frame 2, warped by `flow` and by `other`.
    least: `other` must differ from features1 by less than this share of the difference of `flow`. A difference is the
        mean over channels of absolute values, then over window x window px.
    Raises ValueError for other shapes.
    """
    for name, features in (("features1", features1), ("warped", warped), ("other_warped", other_warped)):
        check_image(name, features)
        check_same_size("features1", features1, name, features)
    for name, each in (("flow", flow), ("other", other)):
        check_flow(name, each)
        check_same_size("features1", features1, name, each)

    def difference(features):
        apart = tf.abs(tf.cast(features1, tf.float32) - tf.cast(features, tf.float32))
        return tf.nn.avg_pool2d(tf.reduce_mean(apart, axis=-1, keepdims=True), window, 1, "SAME")

    chosen = difference(other_warped) < least * difference(warped)  # [b, h, w, 1]
    return tf.where(chosen, other, flow)
