package tfflow.core

/**
 * How far a flow can be trusted, by the flow back: 1 / (1 + residual / 1 px), 1 where both agree, 0 where they do not at
 * all. The residual is how far the flow there and the flow back end from where they began; beyond the images the flow
 * back is 0. As tfflow/models/confidence.py has it, which leaves out flat areas, too.
 */
class Confidence {
    var width = 0
        private set
    private var stride = 1
    private var values = FloatArray(0)

    /** Of each value of `flow`; `back` is on the same grid. */
    fun set(flow: FlowField, back: FlowField) {
        width = flow.width
        stride = flow.stride
        if (values.size < flow.width * flow.height) values = FloatArray(flow.width * flow.height)
        for (y in 0 until flow.height) {
            for (x in 0 until flow.width) {
                val at = y * flow.width + x
                val u = flow.values.get(2 * at)
                val v = flow.values.get(2 * at + 1)
                values[at] = if (FlowColours.known(u, v)) of(u, v, x + u / stride, y + v / stride, back) else 0f
            }
        }
    }

    private fun of(u: Float, v: Float, toX: Float, toY: Float, back: FlowField): Float {
        val left = Math.floor(toX.toDouble()).toInt()
        val top = Math.floor(toY.toDouble()).toInt()
        var x = u
        var y = v
        for (k in 0 until 4) {
            val column = left + (k and 1)
            val row = top + (k shr 1)
            if (column < 0 || row < 0 || column >= back.width || row >= back.height) continue
            val share = (1 - Math.abs(toX - column)) * (1 - Math.abs(toY - row))
            x += share * back.values.get(2 * (row * back.width + column))
            y += share * back.values.get(2 * (row * back.width + column) + 1)
        }
        val residual = Math.sqrt((x * x + y * y).toDouble()).toFloat()
        return if (residual < Float.MAX_VALUE) HALF / (HALF + residual) else 0f // NaN is not less
    }

    /** Of pixel (x, y) of the images. */
    fun at(x: Int, y: Int): Float = values[y / stride * width + x / stride]

    companion object {
        /** px; a residual as large halves the confidence. */
        const val HALF = 1f

        /** Arrows are drawn from here on. */
        const val SURE = 0.5f
    }
}
