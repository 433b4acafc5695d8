package tfflow.demo

import org.tensorflow.lite.DataType
import org.tensorflow.lite.Delegate
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.Tensor
import tfflow.core.FlowRuntime
import tfflow.core.Model
import java.io.Closeable
import java.nio.ByteBuffer

/** TensorFlow Lite: on the GPU where its delegate is in the app and takes the whole network, else on the CPU. */
class TfLiteRuntime private constructor(
    private val interpreter: Interpreter,
    private val delegate: Closeable?,
    override val where: String,
) : FlowRuntime {
    override val inputs = List(interpreter.inputTensorCount) { describe(interpreter.getInputTensor(it)) }
    override val outputs = List(interpreter.outputTensorCount) { describe(interpreter.getOutputTensor(it)) }
    private val results = HashMap<Int, Any>()

    override fun run(inputs: Array<ByteBuffer>, outputs: Array<ByteBuffer>) {
        for (i in outputs.indices) if (results[i] !== outputs[i]) results[i] = outputs[i]
        @Suppress("UNCHECKED_CAST")
        interpreter.runForMultipleInputsOutputs(inputs as Array<Any>, results)
    }

    override fun close() {
        interpreter.close()
        delegate?.close()
    }

    companion object {
        fun open(model: Model): TfLiteRuntime = onGpu(model) ?: onCpu(model)

        private fun onCpu(model: Model): TfLiteRuntime {
            val threads = Math.min(4, Runtime.getRuntime().availableProcessors())
            val options = Interpreter.Options()
            options.setNumThreads(threads)
            return TfLiteRuntime(Interpreter(model.contents, options), null, "CPU, $threads threads")
        }

        /** Null without the delegate's library, on a device that it does not support, and where a part would stay on the CPU. */
        private fun onGpu(model: Model): TfLiteRuntime? {
            var delegate: Delegate? = null
            var interpreter: Interpreter? = null
            try {
                // By name: the library is in the Gradle build, and not in the other.
                val settingsClass = Class.forName("org.tensorflow.lite.gpu.GpuDelegateFactory\$Options")
                val settings = settingsClass.getDeclaredConstructor().newInstance()
                // Flow and places of samples need 32 bits: 16 give a place beyond 256 no finer than a quarter of a pixel.
                settingsClass.getMethod("setPrecisionLossAllowed", Boolean::class.javaPrimitiveType).invoke(settings, false)
                delegate = Class.forName("org.tensorflow.lite.gpu.GpuDelegate").getConstructor(settingsClass).newInstance(settings) as Delegate
                val options = Interpreter.Options()
                options.addDelegate(delegate)
                interpreter = Interpreter(model.contents, options)
                if (nodes(interpreter) == 1) {
                    val runtime = TfLiteRuntime(interpreter, delegate as? Closeable, "GPU")
                    tryOut(runtime, interpreter)
                    return runtime
                }
            } catch (error: Exception) {
                // The CPU takes over, and the screen says so.
            } catch (error: LinkageError) {
                // Likewise.
            }
            interpreter?.close()
            (delegate as? Closeable)?.close()
            return null
        }

        /** How many the graph has after the delegate took its part: one, where it took all. The interpreter keeps that to itself. */
        private fun nodes(interpreter: Interpreter): Int {
            var type: Class<*>? = interpreter.javaClass
            while (type != null) {
                val method = type.declaredMethods.find { it.name == "getExecutionPlanLength" && it.parameterCount == 0 }
                if (method != null) {
                    method.isAccessible = true
                    return method.invoke(interpreter) as Int
                }
                type = type.superclass
            }
            return Int.MAX_VALUE
        }

        private fun tryOut(runtime: TfLiteRuntime, interpreter: Interpreter) {
            fun memory(tensor: Tensor) = tfflow.core.tensorBuffer(tensor.numBytes())
            runtime.run(
                Array(interpreter.inputTensorCount) { memory(interpreter.getInputTensor(it)) },
                Array(interpreter.outputTensorCount) { memory(interpreter.getOutputTensor(it)) },
            )
        }

        private fun describe(tensor: Tensor): FlowRuntime.Tensor {
            val type = when (tensor.dataType()) {
                DataType.FLOAT32 -> "float32"
                DataType.UINT8 -> "uint8"
                else -> tensor.dataType().toString()
            }
            return FlowRuntime.Tensor(tensor.shape().toList(), type)
        }
    }
}
