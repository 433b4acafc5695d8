package tfflow.core

/** What is shown of a pair. */
enum class View(val label: String) { COLOURS("Colours"), BLEND("Blend"), ARROWS("Arrows") }

/** The part of image1 that holds the picture, painted with its flow: 0xFFRRGGBB pixels, and arrows to draw over them. */
class FlowPicture {
    var width = 0
        private set
    var height = 0
        private set
    var pixels = IntArray(0)
        private set
    val arrows = Arrows()
    var view = View.COLOURS
        private set

    /** scale: the length, px, that is shown fully saturated. What is not sure fades, where the estimator [FlowEstimator.checked]. */
    fun paint(estimator: FlowEstimator, view: View, scale: Double) {
        val place = estimator.placement
        width = place.width
        height = place.height
        this.view = view
        if (pixels.size < width * height) pixels = IntArray(width * height)
        val flow = estimator.flow
        val sure = estimator.confidence
        for (y in 0 until height) {
            for (x in 0 until width) {
                val atX = place.left + x
                val atY = place.top + y
                val share = sure?.at(atX, atY) ?: 1f
                pixels[y * width + x] = when (view) {
                    View.COLOURS -> mix(FlowColours.colour(flow.u(atX, atY), flow.v(atX, atY), scale), GREY, share)
                    View.BLEND -> mix(FlowColours.colour(flow.u(atX, atY), flow.v(atX, atY), scale), estimator.pixel(atX, atY), share / 2)
                    View.ARROWS -> dark(estimator.pixel(atX, atY))
                }
            }
        }
        if (view == View.ARROWS) arrows.set(flow, place, STEP) { x, y -> sure == null || sure.at(x, y) >= Confidence.SURE }
    }

    /** `share` of a, the rest b. */
    private fun mix(a: Int, b: Int, share: Float): Int {
        if (share >= 1f) return a
        var made = 255
        for (shift in CHANNELS) {
            val from = (b shr shift) and 255
            made = (made shl 8) or (from + share * (((a shr shift) and 255) - from)).toInt()
        }
        return made
    }

    private fun dark(pixel: Int): Int {
        var made = 255
        for (shift in CHANNELS) made = (made shl 8) or (((pixel shr shift) and 255) * 6 / 10)
        return made
    }

    private companion object {
        const val STEP = 16
        const val GREY = 0xFF606468.toInt()
        val CHANNELS = intArrayOf(16, 8, 0)
    }
}
