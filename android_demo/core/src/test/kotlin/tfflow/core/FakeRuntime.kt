package tfflow.core

import java.nio.ByteBuffer

/**
 * A network of the tests, of any size, uint8 or float: u is the red of image2's pixel less that of image1's, in units of
 * its range, v the same of green.
 */
class FakeRuntime(private val height: Int, private val width: Int, private val uint8: Boolean, private val stride: Int, private val first: Int) : FlowRuntime {
    var runs = 0
    var closed = false
    var fail: Throwable? = null
    override val where = "test"
    override val inputs = List(2) { FlowRuntime.Tensor(listOf(1, height, width, 3), if (uint8) "uint8" else "float32") }
    override val outputs = listOf(FlowRuntime.Tensor(listOf(1, height / stride, width / stride, 2), "float32"))

    override fun run(inputs: Array<ByteBuffer>, outputs: Array<ByteBuffer>) {
        check(!closed)
        fail?.let { throw it }
        runs++
        for (buffer in inputs) check(buffer.isDirect && buffer.position() == 0 && buffer.remaining() == height * width * 3 * (if (uint8) 1 else 4))
        for (y in 0 until height / stride) {
            for (x in 0 until width / stride) {
                for (i in 0 until 2) {
                    val at = 3 * (y * stride * width + x * stride) + i
                    outputs[0].putFloat(4 * (2 * (y * width / stride + x) + i), value(inputs[1 - first], at) - value(inputs[first], at))
                }
            }
        }
    }

    private fun value(buffer: ByteBuffer, at: Int): Float = if (uint8) (buffer.get(at).toInt() and 255) / 255f else buffer.getFloat(4 * at)

    override fun close() {
        check(!closed)
        closed = true
    }
}
