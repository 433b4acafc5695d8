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

    /** scale: the length, px, that is shown fully saturated. */
    fun paint(estimator: FlowEstimator, view: View, scale: Double) {
        val place = estimator.placement
        width = place.width
        height = place.height
        this.view = view
        if (pixels.size < width * height) pixels = IntArray(width * height)
        val flow = estimator.flow
        for (y in 0 until height) {
            for (x in 0 until width) {
                val atX = place.left + x
                val atY = place.top + y
                pixels[y * width + x] = when (view) {
                    View.COLOURS -> FlowColours.colour(flow.u(atX, atY), flow.v(atX, atY), scale)
                    View.BLEND -> mix(FlowColours.colour(flow.u(atX, atY), flow.v(atX, atY), scale), estimator.pixel(atX, atY))
                    View.ARROWS -> dark(estimator.pixel(atX, atY))
                }
            }
        }
        if (view == View.ARROWS) arrows.set(flow, place, STEP)
    }

    private fun mix(a: Int, b: Int): Int = 0xFF000000.toInt() or (((a and 0xFEFEFE) shr 1) + ((b and 0xFEFEFE) shr 1))

    private fun dark(pixel: Int): Int {
        var made = 255
        for (shift in CHANNELS) made = (made shl 8) or (((pixel shr shift) and 255) * 6 / 10)
        return made
    }

    private companion object {
        const val STEP = 16
        val CHANNELS = intArrayOf(16, 8, 0)
    }
}
