package tfflow.core

/** Flow as lines on a coarse grid, in the pixels of the picture: entries x0, y0, x1, y1 of each; one of no length is a dot. */
class Arrows {
    var ends = FloatArray(0)
        private set
    var count = 0
        private set

    /** An arrow for each `step`-th pixel inside `place`, from its corner; dots where it is under half a pixel; none where unknown or not `drawn`, a pixel of the images. */
    fun set(flow: FlowField, place: Placement, step: Int, drawn: (Int, Int) -> Boolean = { _, _ -> true }) {
        val most = 4 * ((place.width + step - 1) / step) * ((place.height + step - 1) / step)
        if (ends.size < most) ends = FloatArray(most)
        count = 0
        for (y in Math.min(step / 2, place.height / 2) until place.height step step) {
            for (x in Math.min(step / 2, place.width / 2) until place.width step step) {
                val u = flow.u(place.left + x, place.top + y)
                val v = flow.v(place.left + x, place.top + y)
                if (!FlowColours.known(u, v) || !drawn(place.left + x, place.top + y)) continue
                val moves = Math.sqrt((u * u + v * v).toDouble()) >= SHORTEST
                val at = 4 * count++
                ends[at] = x.toFloat()
                ends[at + 1] = y.toFloat()
                ends[at + 2] = x + (if (moves) u else 0f)
                ends[at + 3] = y + (if (moves) v else 0f)
            }
        }
    }

    private companion object {
        const val SHORTEST = 0.5
    }
}
