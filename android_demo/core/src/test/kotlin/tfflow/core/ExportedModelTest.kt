package tfflow.core

import org.json.JSONObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import java.awt.image.BufferedImage
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.Base64
import javax.imageio.ImageIO

/**
 * Exports of export/to_tflite.py through the estimator on a desktop's TensorFlow Lite, against Python's flow of the same
 * frames. `-Dtfflow.models=DIR=GOLDEN:DIR=GOLDEN`, each GOLDEN from `python -m tfflow.commands.vectors --model DIR --out
 * GOLDEN`; `-Dtfflow.screens=FOLDER` keeps the screens that they give.
 */
class ExportedModelTest {
    private val models = System.getProperty("tfflow.models").orEmpty().split(':').filter { it.isNotEmpty() }.map { it.split('=').map(::File) }

    @Test
    fun `an export gives the flow that Python has of it`() {
        assumeTrue(models.isNotEmpty(), "no -Dtfflow.models")
        for ((folder, golden) in models) {
            val expected = JSONObject(golden.readText())
            val estimator = FlowEstimator(readModel(ModelFolder(folder)), { DesktopRuntime(it, 1) })
            val (first, second) = listOf("image1", "image2").map { name ->
                RgbImage(expected.getInt("width"), expected.getInt("height")).apply {
                    Base64.getDecoder().decode(expected.getString(name)).copyInto(bytes)
                }
            }
            estimator.warmUp(1)
            estimator.still(first, second)
            val theirs = ByteBuffer.wrap(Base64.getDecoder().decode(expected.getString("flow12"))).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer()
            val ours = estimator.flow.values
            assertEquals(theirs.capacity(), ours.capacity())
            val distances = (0 until theirs.capacity() / 2).map { Math.hypot((ours[2 * it] - theirs[2 * it]).toDouble(), (ours[2 * it + 1] - theirs[2 * it + 1]).toDouble()) }
            val moved = (0 until theirs.capacity() / 2).map { Math.hypot(theirs[2 * it].toDouble(), theirs[2 * it + 1].toDouble()) }.average()
            println(
                String.format(
                    java.util.Locale.ROOT, "%s: flow of mean %.3f px, to Python mean %.1e largest %.1e px, %.0f ms",
                    estimator.manifest.label, moved, distances.average(), distances.max(), estimator.network.median,
                ),
            )
            val eight = estimator.manifest.precision.startsWith("int")
            assertTrue(distances.average() <= (if (eight) 0.05 else 1e-3), "mean ${distances.average()} px")
            assertTrue(distances.max() <= (if (eight) 1.0 else 0.05), "largest ${distances.max()} px")
            screens(estimator)
            estimator.close()
        }
    }

    private fun screens(estimator: FlowEstimator) {
        val folder = File(System.getProperty("tfflow.screens").orEmpty().ifEmpty { return }).apply { mkdirs() }
        val screen = Screen()
        screen.model = estimator.manifest.label
        screen.scale = 8.0
        for (view in View.values()) {
            screen.view = view
            screen.show(estimator, 0)
            draw(screen, 1280, 640, File(folder, "${estimator.manifest.label.replace(' ', '-')}-${view.label.lowercase()}.png"))
        }
        draw(screen, 640, 1100, File(folder, "portrait.png"))
        screen.message = "The camera may not be used. Allow it, or choose Pair to see the flow of two pictures."
        draw(screen, 1280, 640, File(folder, "message.png"))
    }

    private fun draw(screen: Screen, width: Int, height: Int, to: File) {
        val image = BufferedImage(width, height, BufferedImage.TYPE_INT_RGB)
        screen.draw(DesktopPen(image, 1.6f))
        ImageIO.write(image, "png", to)
    }
}
