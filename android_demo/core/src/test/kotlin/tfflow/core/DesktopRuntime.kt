package tfflow.core

import org.bytedeco.javacpp.BytePointer
import org.bytedeco.javacpp.Pointer
import org.bytedeco.tensorflowlite.BuiltinOpResolver
import org.bytedeco.tensorflowlite.FlatBufferModel
import org.bytedeco.tensorflowlite.Interpreter
import org.bytedeco.tensorflowlite.InterpreterBuilder
import org.bytedeco.tensorflowlite.TfLiteTensor
import java.nio.ByteBuffer

/** TensorFlow Lite 2.18 on a desktop's CPU: its C++ interface behind the one that the app has of its runtime. */
class DesktopRuntime(private val model: Model, threads: Int) : FlowRuntime {
    private val contents = BytePointer(model.contents) // read at every run, so it must not be collected
    private val network = FlatBufferModel.BuildFromBuffer(contents, model.contents.capacity().toLong())
    private val interpreter = Interpreter(null as Pointer?)
    override val where = "desktop CPU"

    init {
        check(InterpreterBuilder(network, BuiltinOpResolver()).apply(interpreter, threads) == 0) { "no interpreter" }
        check(interpreter.AllocateTensors() == 0) { "no tensors" }
    }

    override val inputs = List(2) { tensor(interpreter.input_tensor(it.toLong())) }
    override val outputs = List(model.manifest.flows.size) { tensor(interpreter.output_tensor(it.toLong())) }

    override fun run(inputs: Array<ByteBuffer>, outputs: Array<ByteBuffer>) {
        for (i in inputs.indices) memory(interpreter.input_tensor(i.toLong())).put(inputs[i].duplicate())
        check(interpreter.Invoke() == 0) { "the run failed" }
        for (i in outputs.indices) outputs[i].duplicate().put(memory(interpreter.output_tensor(i.toLong())))
    }

    private fun memory(tensor: TfLiteTensor): ByteBuffer = tensor.data().raw().capacity(tensor.bytes()).asByteBuffer()

    private fun tensor(tensor: TfLiteTensor): FlowRuntime.Tensor {
        val dims = tensor.dims()
        val type = mapOf(1 to "float32", 3 to "uint8")[tensor.type()] ?: "type ${tensor.type()}"
        return FlowRuntime.Tensor(List(dims.size()) { dims.data(it) }, type)
    }

    override fun close() {
        interpreter.deallocate()
        network.deallocate()
        contents.deallocate()
    }
}
