package tfflow.core

import java.nio.FloatBuffer

/**
 * Direction as hue, length as saturation: the coding of Baker et al. 2007, as tfflow/evaluation/pictures.py has it.
 * Right is red, down yellow, left cyan, up violet; no motion white, longer than the scale dark, unknown black.
 */
object FlowColours {
    private const val UNKNOWN = 1e9f
    private val CORNERS = arrayOf(
        doubleArrayOf(1.0, 0.0, 0.0), doubleArrayOf(1.0, 1.0, 0.0), doubleArrayOf(0.0, 1.0, 0.0),
        doubleArrayOf(0.0, 1.0, 1.0), doubleArrayOf(0.0, 0.0, 1.0), doubleArrayOf(1.0, 0.0, 1.0),
    )
    private val STEPS = intArrayOf(15, 6, 4, 11, 13, 6)

    /** 55 hues, RGB in [0, 1]. */
    val WHEEL: Array<DoubleArray> = Array(STEPS.sum()) { i ->
        var corner = 0
        var step = i
        while (step >= STEPS[corner]) step -= STEPS[corner++]
        val from = CORNERS[corner]
        val to = CORNERS[(corner + 1) % CORNERS.size]
        DoubleArray(3) { from[it] + (to[it] - from[it]) * (step.toDouble() / STEPS[corner]) }
    }

    fun known(u: Float, v: Float): Boolean = Math.abs(u) < UNKNOWN && Math.abs(v) < UNKNOWN // false for NaN

    /** 0xFFRRGGBB of one flow, px; scale: the length, px, that is shown fully saturated. */
    fun colour(u: Float, v: Float, scale: Double): Int {
        return if (known(u, v)) colour(u.toDouble(), v.toDouble(), scale) else 0xFF000000.toInt()
    }

    private fun colour(u: Double, v: Double, scale: Double): Int {
        val x = u / scale
        val y = v / scale
        val length = Math.sqrt(x * x + y * y)
        var angle = Math.atan2(y, x)
        if (angle < 0) angle += 2.0 * Math.PI
        val position = angle / (2.0 * Math.PI) * (WHEEL.size - 1)
        val low = position.toInt()
        val part = position - low
        val hue = WHEEL[low]
        val next = WHEEL[(low + 1) % WHEEL.size]
        var pixel = 255
        for (i in 0 until 3) {
            val full = (1.0 - part) * hue[i] + part * next[i]
            val value = if (length <= 1.0) 1.0 - length * (1.0 - full) else 0.75 * full
            pixel = (pixel shl 8) or (255.0 * value).toInt()
        }
        return pixel
    }

    /** The disc of all directions up to the scale, [size x size] 0xAARRGGBB, clear around it. */
    fun disc(size: Int): IntArray = IntArray(size * size) { i ->
        val x = (i % size) * (2.0 / (size - 1)) - 1.0
        val y = (i / size) * (2.0 / (size - 1)) - 1.0
        if (Math.sqrt(x * x + y * y) <= 1.0) colour(x, y, 1.0) else 0
    }
}

/** Flow on a grid, [height, width, 2]: one for `stride` x `stride` pixels of the images, in px of these. */
class FlowField(val values: FloatBuffer, val width: Int, val height: Int, val stride: Int) {
    /** Of pixel (x, y) of the images. */
    fun u(x: Int, y: Int): Float = values.get(2 * (y / stride * width + x / stride))

    fun v(x: Int, y: Int): Float = values.get(2 * (y / stride * width + x / stride) + 1)
}
