"""A dilated convolution that is one operator on phones, and has a gradient on CPUs."""

from __future__ import annotations

import tensorflow as tf
import tf_keras as keras

from tfflow.layers.plain import FlowLayer, without_autograph


class DilatedConv2D(FlowLayer, keras.layers.Conv2D):
    """Conv2D of stride 1, odd kernel, "same" padding and a dilation: [b, h, w, c] -> [b, h, w, filters].

    Keras's layer becomes SPACE_TO_BATCH_ND + CONV_2D + BATCH_TO_SPACE_ND, which phones run slowly or not at all.
    TensorFlow has the one operator, but not its gradient on CPUs. The gradient is written here.
    """

    def __init__(self, filters, kernel_size=3, dilation_rate=1, **kwargs):
        kwargs["padding"] = "same"
        super().__init__(filters, kernel_size, dilation_rate=dilation_rate, **kwargs)
        if any(k % 2 == 0 for k in self.kernel_size) or self.strides != (1, 1):
            raise ValueError(f"DilatedConv2D needs odd kernels and stride 1, got {self.kernel_size}, {self.strides}")
        if self.groups != 1:
            raise ValueError(f"DilatedConv2D takes no groups, got {self.groups}")

    @without_autograph
    def convolution_op(self, inputs, kernel):
        return dilated_conv2d(inputs, tf.convert_to_tensor(kernel), self.dilation_rate)


def dilated_conv2d(x: tf.Tensor, kernel: tf.Tensor, dilation: tuple[int, int]) -> tf.Tensor:
    """Convolution with "same" padding: x [b, h, w, c], kernel [kh, kw, c, o] (odd) -> [b, h, w, o]."""

    @tf.custom_gradient
    def convolve(x, kernel):
        def gradient(dy):
            turned = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2])  # [kh, kw, o, c]
            dx = tf.nn.conv2d(dy, turned, 1, "SAME", dilations=dilation)
            return dx, _kernel_gradient(x, dy, kernel.shape, dilation)

        return tf.nn.conv2d(x, kernel, 1, "SAME", dilations=dilation), gradient

    return convolve(x, kernel)


def _kernel_gradient(x, dy, kernel_shape, dilation):
    """Gradient of the kernel: for each kernel position, a product of the shifted input and the upstream gradient."""
    kh, kw, channels, filters = kernel_shape
    h, w = tf.shape(x)[1], tf.shape(x)[2]
    ry, rx = dilation[0] * (kh // 2), dilation[1] * (kw // 2)
    padded = tf.pad(x, [[0, 0], [ry, ry], [rx, rx], [0, 0]])
    back = tf.reshape(dy, [-1, filters])
    taps = []
    for i in range(kh):
        for j in range(kw):
            top, left = i * dilation[0], j * dilation[1]
            shifted = tf.reshape(padded[:, top : top + h, left : left + w], [-1, channels])
            taps.append(tf.matmul(shifted, back, transpose_a=True))  # [c, o]
    return tf.reshape(tf.stack(taps), [kh, kw, channels, filters])
