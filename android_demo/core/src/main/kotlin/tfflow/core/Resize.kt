package tfflow.core

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** Where a picture lies in the network's input: as large as fits, its shape kept, in the middle; black around it. */
class Placement(val sourceWidth: Int, val sourceHeight: Int, toWidth: Int, toHeight: Int) {
    private val scale = Math.min(toWidth.toDouble() / sourceWidth, toHeight.toDouble() / sourceHeight)
    val width: Int = Math.floor(sourceWidth * scale + 0.5).toInt().coerceIn(1, toWidth)
    val height: Int = Math.floor(sourceHeight * scale + 0.5).toInt().coerceIn(1, toHeight)
    val left: Int = (toWidth - width) / 2
    val top: Int = (toHeight - height) / 2

    /** What turns u and v of the network into pixels of the source: the ratios of widths and of heights. */
    val uToSource: Float get() = sourceWidth.toFloat() / width
    val vToSource: Float get() = sourceHeight.toFloat() / height
}

/**
 * Writes pictures of any size into the buffer of one input: resized as the manifest's rule says ([Manifest.RULE]),
 * letterboxed as [Placement] says, in the input's type and range. Tables and rows are kept from frame to frame.
 */
class Resizer(private val spec: ImageSpec) {
    var placement = Placement(spec.width, spec.height, spec.width, spec.height)
        private set
    private var columns = Taps(spec.width, spec.width)
    private var rows = Taps(spec.height, spec.height)
    private var wide = arrayOf(FloatArray(spec.width * 3), FloatArray(spec.width * 3)) // two rows of the source, resized along x
    private val wideRow = IntArray(2)
    private val sum = FloatArray(spec.width * 3)
    private val floats = FloatArray(spec.width * 3)
    private val levels = ByteArray(spec.width * 3)

    fun write(image: RgbImage, to: ByteBuffer) {
        if (image.width != placement.sourceWidth || image.height != placement.sourceHeight) place(image)
        wideRow.fill(-1)
        to.clear()
        val out = if (spec.uint8) null else to.asFloatBuffer()
        for (y in 0 until spec.height) {
            floats.fill(spec.low.toFloat())
            val inside = y - placement.top
            if (inside in 0 until placement.height) row(image, inside)
            if (out != null) {
                out.put(floats)
            } else {
                for (i in floats.indices) levels[i] = Math.rint(floats[i].toDouble()).toInt().toByte()
                to.put(levels)
            }
        }
        to.rewind()
    }

    private fun place(image: RgbImage) {
        placement = Placement(image.width, image.height, spec.width, spec.height)
        columns = Taps(image.width, placement.width)
        rows = Taps(image.height, placement.height)
    }

    /** Row `y` of the placed picture into `floats`. */
    private fun row(image: RgbImage, y: Int) {
        val count = placement.width * 3
        java.util.Arrays.fill(sum, 0, count, 0f)
        for (tap in rows.start[y] until rows.start[y + 1]) {
            val line = widened(image, rows.source[tap])
            val weight = rows.weight[tap]
            for (i in 0 until count) sum[i] += weight * line[i]
        }
        val low = spec.low.toFloat()
        val gain = ((spec.high - spec.low) / 255.0).toFloat()
        val left = placement.left * 3
        for (i in 0 until count) floats[left + i] = low + gain * sum[i]
    }

    private fun widened(image: RgbImage, y: Int): FloatArray {
        val line = wide[y and 1]
        if (wideRow[y and 1] == y) return line
        wideRow[y and 1] = y
        val from = image.bytes
        val begin = y * image.width * 3
        for (x in 0 until placement.width) {
            var r = 0f
            var g = 0f
            var b = 0f
            for (tap in columns.start[x] until columns.start[x + 1]) {
                val at = begin + 3 * columns.source[tap]
                val weight = columns.weight[tap]
                r += weight * (from[at].toInt() and 255)
                g += weight * (from[at + 1].toInt() and 255)
                b += weight * (from[at + 2].toInt() and 255)
            }
            line[3 * x] = r
            line[3 * x + 1] = g
            line[3 * x + 2] = b
        }
        return line
    }

    /** Along one axis, which old pixels make a new one: entries start[i] until start[i + 1] belong to new pixel i. */
    private class Taps(old: Int, new: Int) {
        val start = IntArray(new + 1)
        val source: IntArray
        val weight: FloatArray

        init {
            val sources = ArrayList<Int>()
            val weights = ArrayList<Float>()
            val ratio = old.toDouble() / new
            for (i in 0 until new) {
                start[i] = sources.size
                if (ratio > 1) {
                    val begin = i * ratio
                    val end = Math.min(begin + ratio, old.toDouble())
                    for (pixel in Math.floor(begin).toInt() until Math.min(old, Math.ceil(end).toInt())) {
                        val covered = Math.min(end, pixel + 1.0) - Math.max(begin, pixel.toDouble())
                        if (covered > SLIVER) {
                            sources.add(pixel)
                            weights.add((covered / (end - begin)).toFloat())
                        }
                    }
                } else {
                    val centre = (i + 0.5) * ratio - 0.5
                    val low = Math.floor(centre).toInt()
                    val part = (centre - low).toFloat()
                    sources.add(low.coerceIn(0, old - 1))
                    weights.add(1f - part)
                    sources.add((low + 1).coerceIn(0, old - 1))
                    weights.add(part)
                }
            }
            start[new] = sources.size
            source = sources.toIntArray()
            weight = weights.toFloatArray()
        }
    }

    private companion object {
        /** OpenCV leaves out what covers less of a pixel, and with it the rounding of positions. */
        const val SLIVER = 1e-3
    }
}

/** Memory for one tensor, in the byte order and the place that a runtime reads without copying. */
fun tensorBuffer(bytes: Int): ByteBuffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())
