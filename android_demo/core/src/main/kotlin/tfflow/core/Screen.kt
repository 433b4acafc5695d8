package tfflow.core

/** Something to draw on, in its own pixels: a phone's canvas, or a picture on a desktop. */
interface Pen {
    val width: Float
    val height: Float

    /** Pixels of one of the screen's own: of 160 to the inch. */
    val unit: Float

    fun fill(left: Float, top: Float, right: Float, bottom: Float, argb: Int)

    /** `pixels`, [high x wide] 0xAARRGGBB, stretched onto the rectangle. `kind` says whose they are, to reuse memory. */
    fun image(kind: Int, pixels: IntArray, wide: Int, high: Int, left: Float, top: Float, right: Float, bottom: Float)

    fun line(x0: Float, y0: Float, x1: Float, y1: Float, thick: Float, argb: Int)

    /** One line of text from `left`, its baseline at `base`. */
    fun text(text: String, left: Float, base: Float, size: Float, argb: Int)

    fun textWidth(text: String, size: Float): Float
}

/** What the app shows between its buttons: the picture, its arrows, legend, statistics, or a message in its place. */
class Screen {
    /** Of the last flow; its size is 0 before the first. */
    val picture = FlowPicture()

    /** The length of flow, px of the network's images, that the legend's rim stands for; fixed, so that colours mean the same all the time. */
    var scale = SCALES[2]
    var view = View.COLOURS

    /** Instead of the picture, where not null. */
    var message: String? = null
    var model = ""
    private var statistics = ""
    private var statisticsUntil = Long.MIN_VALUE
    private val disc = FlowColours.disc(DISC)

    fun nextScale() {
        scale = SCALES[(SCALES.indexOf(scale) + 1) % SCALES.size]
    }

    fun nextView() {
        view = View.values()[(view.ordinal + 1) % View.values().size]
    }

    /** Takes the estimator's last flow. The statistics' text changes twice a second. */
    fun show(estimator: FlowEstimator, nanos: Long) {
        picture.paint(estimator, view, scale)
        if (nanos < statisticsUntil) return
        statisticsUntil = nanos + STATISTICS_NANOS
        val perSecond = estimator.total.perSecond
        val rate = if (perSecond.isNaN()) "" else String.format(java.util.Locale.ROOT, "%.1f FPS   ", perSecond)
        statistics = rate + String.format(
            java.util.Locale.ROOT, "median %.0f ms   p90 %.0f ms   network %.0f ms   %s",
            estimator.total.median, estimator.total.p90, estimator.network.median, estimator.where,
        )
    }

    /** The statistics begin anew with the next flow. */
    fun forget() {
        statistics = ""
        statisticsUntil = Long.MIN_VALUE
    }

    fun draw(pen: Pen) {
        pen.fill(0f, 0f, pen.width, pen.height, BACK)
        val told = message
        if (told != null) {
            write(pen, told)
        } else if (picture.width > 0) {
            drawPicture(pen)
            drawLegend(pen)
        }
        val size = 14 * pen.unit
        val bar = size * 1.6f
        var base = bar * 0.72f
        for (line in listOf(model, if (told == null) statistics else "")) {
            if (line.isEmpty()) continue
            var fitting = size
            while (fitting > 6 * pen.unit && pen.textWidth(line, fitting) > pen.width - size) fitting *= 0.95f
            pen.fill(0f, base - bar * 0.72f, pen.textWidth(line, fitting) + size, base + bar * 0.28f, SHADE)
            pen.text(line, size / 2, base, fitting, INK)
            base += bar
        }
    }

    private fun drawPicture(pen: Pen) {
        val grow = Math.min(pen.width / picture.width, pen.height / picture.height)
        val left = (pen.width - grow * picture.width) / 2
        val top = (pen.height - grow * picture.height) / 2
        pen.image(0, picture.pixels, picture.width, picture.height, left, top, left + grow * picture.width, top + grow * picture.height)
        if (picture.view != View.ARROWS) return
        val ends = picture.arrows.ends
        for (at in 0 until 4 * picture.arrows.count step 4) {
            val x0 = left + grow * (ends[at] + 0.5f)
            val y0 = top + grow * (ends[at + 1] + 0.5f)
            arrow(pen, x0, y0, left + grow * (ends[at + 2] + 0.5f), top + grow * (ends[at + 3] + 0.5f))
        }
    }

    private fun arrow(pen: Pen, x0: Float, y0: Float, x1: Float, y1: Float) {
        val thick = 1.5f * pen.unit
        val dx = x1 - x0
        val dy = y1 - y0
        val length = Math.sqrt((dx * dx + dy * dy).toDouble()).toFloat()
        if (length == 0f) {
            pen.fill(x0 - thick, y0 - thick, x0 + thick, y0 + thick, STILL)
            return
        }
        val head = Math.min(0.4f * length, 6 * pen.unit) / length
        pen.line(x0, y0, x1, y1, thick, MOVING)
        pen.line(x1, y1, x1 - head * (dx - 0.6f * dy), y1 - head * (dy + 0.6f * dx), thick, MOVING)
        pen.line(x1, y1, x1 - head * (dx + 0.6f * dy), y1 - head * (dy - 0.6f * dx), thick, MOVING)
    }

    private fun drawLegend(pen: Pen) {
        val size = Math.min(88 * pen.unit, pen.width / 4)
        val text = 13 * pen.unit
        val edge = 6 * pen.unit
        val left = pen.width - size - 2 * edge
        val top = pen.height - size - 2 * edge - text
        pen.fill(left - edge, top - edge, pen.width - edge, pen.height - edge, SHADE)
        pen.image(1, disc, DISC, DISC, left, top, left + size, top + size)
        pen.line(left + size / 2, top + size / 2, left + size, top + size / 2, pen.unit, BACK)
        val label = String.format(java.util.Locale.ROOT, "%.0f px", scale)
        pen.text(label, left + (size - pen.textWidth(label, text)) / 2, top + size + text, text, INK)
    }

    /** A message in lines that fit, in the middle. */
    private fun write(pen: Pen, message: String) {
        val size = 18 * pen.unit
        val most = pen.width - 4 * size
        val lines = ArrayList<String>()
        for (word in message.split(' ')) {
            val longer = if (lines.isEmpty()) word else lines.last() + " " + word
            if (lines.isNotEmpty() && pen.textWidth(longer, size) <= most) lines[lines.size - 1] = longer else lines.addAll(broken(pen, word, size, most))
        }
        var base = pen.height / 2 - (lines.size - 2) * 0.7f * size
        for (line in lines) {
            pen.text(line, (pen.width - pen.textWidth(line, size)) / 2, base, size, INK)
            base += 1.4f * size
        }
    }

    /** A word in pieces that fit, such as the path of a folder, which ends a line after a slash where it can. */
    private fun broken(pen: Pen, word: String, size: Float, most: Float): List<String> {
        val pieces = ArrayList<String>()
        var rest = word
        while (pen.textWidth(rest, size) > most && rest.length > 1) {
            var count = rest.length - 1
            while (count > 1 && pen.textWidth(rest.substring(0, count), size) > most) count--
            val slash = rest.lastIndexOf('/', count - 1)
            if (slash > 0) count = slash + 1
            pieces.add(rest.substring(0, count))
            rest = rest.substring(count)
        }
        return pieces + rest
    }

    companion object {
        val SCALES = listOf(4.0, 8.0, 16.0, 32.0, 64.0)
        private const val DISC = 128
        private const val STATISTICS_NANOS = 500_000_000L
        private const val BACK = 0xFF101418.toInt()
        private const val SHADE = 0xA0101418.toInt()
        private const val INK = 0xFFF4F4F4.toInt()
        private const val MOVING = 0xFFFFF050.toInt()
        private const val STILL = 0xFF96DC78.toInt()
    }
}
