package tfflow.core

import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.nio.FloatBuffer

/** This code against Python's on the same numbers; prints the largest differences. */
class VectorsTest {
    @Test
    fun `camera colours are Python's to the bit, turned upright`() {
        val largest = Vectors.cases("yuv").maxOf { case ->
            val width = case.getInt("width")
            val height = case.getInt("height")
            val apart = case.getInt("chroma_pixel")
            val yRow = case.getInt("y_row")
            val chromaRow = case.getInt("chroma_row")
            val used = ((width + 1) / 2 - 1) * apart + 1
            val frame = YuvFrame(
                width, height, plane(case.bytes("y"), yRow, width), yRow,
                plane(case.bytes("u"), chromaRow, used), plane(case.bytes("v"), chromaRow, used), chromaRow, apart,
            )
            val rgb = RgbImage(40, 40) // of an earlier, larger frame
            YuvToRgb().convert(frame, case.getInt("rotation"), rgb)
            val turned = case.getInt("rotation") % 180 != 0
            assertEquals(if (turned) height else width, rgb.width)
            assertEquals(if (turned) width else height, rgb.height)
            largest(levels(rgb.bytes.copyOf(width * height * 3)), case.ints("rgb"))
        }
        told("YUV to RGB, levels", largest.toDouble(), Vectors.tolerance("yuv"))
    }

    @Test
    fun `resizing and letterboxing are Python's`() {
        var floats = 0.0
        var levels = 0.0
        for (case in Vectors.cases("resize")) {
            val to = case.ints("to")
            val range = case.doubles("range")
            val uint8 = case.getString("type") == "uint8"
            val spec = ImageSpec("image1", 0, to[0], to[1], uint8, range[0], range[1])
            val image = RgbImage(case.getInt("width"), case.getInt("height"))
            case.bytes("image").copyInto(image.bytes)
            val buffer = tensorBuffer(spec.bytes)
            val resizer = Resizer(spec)
            resizer.write(ramp(31, 29), buffer) // tables of another size must not stay
            resizer.write(image, buffer)
            val placed = resizer.placement
            assertArrayEquals(case.ints("placed"), intArrayOf(placed.top, placed.left, placed.height, placed.width))
            val theirs = case.doubles("values")
            if (uint8) {
                levels = Math.max(levels, theirs.indices.maxOf { Math.abs((buffer.get(it).toInt() and 255) - theirs[it]) })
            } else {
                floats = Math.max(floats, theirs.indices.maxOf { Math.abs(buffer.getFloat(4 * it) - theirs[it]) } / (range[1] - range[0]))
            }
        }
        told("resize, share of the range", floats, Vectors.tolerance("resize"))
        told("resize to uint8, levels", levels, Vectors.tolerance("resize_uint8"))
    }

    @Test
    fun `colours of flow are Python's`() {
        val case = Vectors.part("colour")
        val flow = case.doubles("flow")
        val ours = IntArray(flow.size / 2) { FlowColours.colour(flow[2 * it].toFloat(), flow[2 * it + 1].toFloat(), case.getDouble("scale")) }
        told("flow to colour, levels", largest(levels(ours), case.ints("rgb")).toDouble(), Vectors.tolerance("colour"))
    }

    @Test
    fun `confidence is Python's, on any grid`() {
        val case = Vectors.part("confidence")
        val (height, width) = case.getInt("height") to case.getInt("width")
        for (stride in listOf(1, 4)) {
            // On a grid of every fourth pixel, flow four times as long leads to the same places.
            val (there, back) = listOf("flow12", "flow21").map { name ->
                FlowField(FloatBuffer.wrap(case.doubles(name).map { (stride * it).toFloat() }.toFloatArray()), width, height, stride)
            }
            val confidence = Confidence().apply { set(there, back) }
            val theirs = case.doubles("values").map { 1 / (1 + stride * (1 / it - 1)) }
            val apart = theirs.indices.maxOf { Math.abs(confidence.at(stride * (it % width), stride * (it / width)) - theirs[it]) }
            told("confidence, stride $stride", apart, Vectors.tolerance("confidence"))
        }
    }

    @Test
    fun `flow that is not known is not sure`() {
        val unknown = FlowField(FloatBuffer.wrap(floatArrayOf(Float.NaN, 1f)), 1, 1, 1)
        assertEquals(0f, Confidence().apply { set(unknown, FlowField(FloatBuffer.wrap(floatArrayOf(0f, 0f)), 1, 1, 1)) }.at(0, 0))
    }

    @Test
    fun `the legend's disc is Python's`() {
        val case = Vectors.part("disc")
        val disc = FlowColours.disc(case.getInt("size"))
        val theirs = case.ints("rgb")
        // Python has the line to the rim on it, and white around it.
        val middle = (case.getInt("size") - 1) / 2
        val size = case.getInt("size")
        val kept = disc.indices.filter { Math.abs(it / size - middle) > 1 && disc[it] != 0 }
        assertTrue(kept.size > size * size / 2)
        told("legend, levels", largest(levels(kept.map { disc[it] }.toIntArray()), kept.flatMap { p -> List(3) { theirs[3 * p + it] } }.toIntArray()).toDouble(), Vectors.tolerance("disc"))
    }

    @Test
    fun `frames pair as Python says`() {
        val case = Vectors.part("pairs")
        val nanos = case.ints("nanos")
        val pair = FramePair(4, case.getInt("gap").toLong())
        val others = nanos.indices.count { i ->
            pair.next.putInt(0, i)
            val before = if (pair.push(nanos[i].toLong())) pair.first.getInt(0) else null
            before != case.getJSONArray("first").opt(i).takeIf { it is Int } || pair.second.getInt(0) != i
        }
        told("pairing, frames of ${nanos.size}", others.toDouble(), Vectors.tolerance("pairs"))
    }

    @Test
    fun `median, p90 and rate are NumPy's`() {
        val case = Vectors.part("latency")
        val stats = LatencyStats(case.getInt("window"))
        var end = 0.0
        for (millis in case.doubles("millis")) {
            end += millis
            stats.add(millis, Math.round(end * 1e6))
        }
        val difference = listOf(stats.median - case.getDouble("median"), stats.p90 - case.getDouble("p90"), stats.perSecond - case.getDouble("per_second"))
        told("latency, ms", difference.maxOf { Math.abs(it) }, 1000 * Vectors.tolerance("latency")) // ends are whole nanoseconds
    }

    private fun told(what: String, difference: Double, tolerance: Double) {
        lines.add(String.format(java.util.Locale.ROOT, "  %-28s %.1e (may %.1e)", what, difference, tolerance))
        assertTrue(difference <= tolerance, "$what: $difference")
    }

    companion object {
        private val lines = ArrayList<String>()

        @JvmStatic
        @AfterAll
        fun print() = println("largest difference to Python\n" + lines.sorted().joinToString("\n"))
    }
}
