package org.tensorflow.lite

import org.bytedeco.javacpp.BytePointer
import org.bytedeco.javacpp.Pointer
import org.bytedeco.tensorflowlite.BuiltinOpResolver
import org.bytedeco.tensorflowlite.FlatBufferModel
import org.bytedeco.tensorflowlite.InterpreterBuilder
import org.bytedeco.tensorflowlite.TfLiteTensor
import java.io.Closeable
import java.nio.ByteBuffer
import org.bytedeco.tensorflowlite.Interpreter as Desktop

/** As much of the phone's library as the app uses, of the same names, over TensorFlow Lite of a desktop: the phone's runs on Android alone. */
class Interpreter(model: ByteBuffer, options: Options) : Closeable {
    class Options {
        internal var threads = 1

        fun setNumThreads(count: Int): Options = apply { threads = count }

        fun addDelegate(delegate: Delegate): Options = throw UnsupportedOperationException("no delegate here: $delegate")
    }

    private val contents = BytePointer(model) // read at every run, so it must not be collected
    private val network = FlatBufferModel.BuildFromBuffer(contents, model.capacity().toLong())
    private val desktop = Desktop(null as Pointer?)

    init {
        check(InterpreterBuilder(network, BuiltinOpResolver()).apply(desktop, options.threads) == 0) { "no interpreter" }
        check(desktop.AllocateTensors() == 0) { "no tensors" }
    }

    val inputTensorCount: Int get() = desktop.inputs().limit().toInt()
    val outputTensorCount: Int get() = desktop.outputs().limit().toInt()

    fun getInputTensor(index: Int): Tensor = DesktopTensor(desktop.input_tensor(index.toLong()))

    fun getOutputTensor(index: Int): Tensor = DesktopTensor(desktop.output_tensor(index.toLong()))

    fun runForMultipleInputsOutputs(inputs: Array<Any>, outputs: Map<Int, Any>) {
        for (i in inputs.indices) memory(desktop.input_tensor(i.toLong())).put((inputs[i] as ByteBuffer).duplicate())
        check(desktop.Invoke() == 0) { "the run failed" }
        for ((i, buffer) in outputs) (buffer as ByteBuffer).duplicate().put(memory(desktop.output_tensor(i.toLong())))
    }

    override fun close() {
        desktop.deallocate()
        network.deallocate()
        contents.deallocate()
    }
}

interface Delegate

enum class DataType { FLOAT32, UINT8, OTHER }

interface Tensor {
    fun numBytes(): Int

    fun shape(): IntArray

    fun dataType(): DataType
}

private class DesktopTensor(private val of: TfLiteTensor) : Tensor {
    override fun numBytes(): Int = of.bytes().toInt()

    override fun shape(): IntArray = of.dims().let { dims -> IntArray(dims.size()) { dims.data(it) } }

    override fun dataType(): DataType = mapOf(1 to DataType.FLOAT32, 3 to DataType.UINT8)[of.type()] ?: DataType.OTHER
}

private fun memory(tensor: TfLiteTensor): ByteBuffer = tensor.data().raw().capacity(tensor.bytes()).asByteBuffer()
