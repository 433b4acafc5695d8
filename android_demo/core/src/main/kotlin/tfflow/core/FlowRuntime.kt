package tfflow.core

import java.io.Closeable
import java.nio.ByteBuffer

/** What runs a .tflite: TensorFlow Lite on a phone, another on a desktop. Used from one thread. */
interface FlowRuntime : Closeable {
    /** What it runs on, for the screen: "CPU, 4 threads". */
    val where: String

    /** Of each input and output, by index: its shape, and whether it is float32 or else uint8. */
    val inputs: List<Tensor>
    val outputs: List<Tensor>

    /** One run. Buffers by index, direct, in native byte order, each from its start to its end. */
    fun run(inputs: Array<ByteBuffer>, outputs: Array<ByteBuffer>)

    data class Tensor(val shape: List<Int>, val type: String)
}
