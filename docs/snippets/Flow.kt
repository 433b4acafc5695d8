import org.json.JSONObject
import org.tensorflow.lite.Interpreter
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

/** Flow of two frames by the model.tflite and model.json of a folder. */
class Flow(folder: File) : AutoCloseable {
    private val manifest = JSONObject(File(folder, "model.json").readText())
    private val input = manifest.getJSONArray("inputs").getJSONObject(0)
    private val range = input.getJSONArray("range")
    private val interpreter = Interpreter(File(folder, manifest.getString("file")))

    init {
        require(manifest.getString("format") == "tfflow-model-1") { "another version of model.json: export again" }
    }

    /** Height and width of the images; frames of another size are resized to them. */
    val size = manifest.getJSONObject("resize").getJSONArray("to").let { it.getInt(0) to it.getInt(1) }

    /**
     * The earlier and the later frame, height * width pixels of 3 bytes, R G B, rows from the top -> u, v of each pixel of
     * rgb1: how far it moves to the right and down, in pixels of these images. Every `stride`-th pixel, see the manifest.
     */
    fun of(rgb1: ByteArray, rgb2: ByteArray): FloatBuffer {
        val output = manifest.getJSONArray("outputs").getJSONObject(0).getJSONArray("shape")
        val flow = direct(4 * output.getInt(1) * output.getInt(2) * output.getInt(3))
        val images = mapOf<String, Any>("image1" to image(rgb1), "image2" to image(rgb2))
        interpreter.runSignature(images, mapOf<String, Any>("flow12" to flow), manifest.getString("signature"))
        flow.rewind()
        return flow.asFloatBuffer()
    }

    private fun image(rgb: ByteArray): ByteBuffer {
        val bytes = input.getString("type") == "uint8"
        val buffer = direct(rgb.size * (if (bytes) 1 else 4))
        val (low, high) = range.getDouble(0) to range.getDouble(1)
        for (value in rgb) {
            val level = value.toInt() and 255
            if (bytes) buffer.put(value) else buffer.putFloat((low + (high - low) * level / 255).toFloat())
        }
        buffer.rewind()
        return buffer
    }

    private fun direct(size: Int) = ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder())

    override fun close() = interpreter.close()
}
