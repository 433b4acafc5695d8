package tfflow.core

/**
 * Which of a camera's sizes (width to height) to ask for, for a network's images of `width` x `height`: of those that
 * need no enlarging, the one nearest in shape, and of equals the smallest, since each pixel costs time. Null of none.
 */
fun chooseCameraSize(sizes: List<Pair<Int, Int>>, width: Int, height: Int): Pair<Int, Int>? {
    val large = sizes.filter { Math.min(width.toDouble() / it.first, height.toDouble() / it.second) <= 1 }
    val shape = width.toDouble() / height
    if (large.isEmpty()) return sizes.maxByOrNull { it.first.toLong() * it.second }
    fun off(size: Pair<Int, Int>): Long {
        val ratio = size.first.toDouble() / size.second / shape
        return Math.round(Math.max(ratio, 1 / ratio) * 20) // shapes within 5 % are equals
    }
    val nearest = large.minOf(::off)
    return large.filter { off(it) == nearest }.minByOrNull { it.first.toLong() * it.second }
}

/**
 * By how many degrees a camera's frame must be turned clockwise to stand upright. sensor: how the camera is built in,
 * display: how the screen is turned from its natural way, both in degrees.
 */
fun uprightRotation(sensor: Int, display: Int, facesUser: Boolean): Int =
    ((if (facesUser) sensor + display else sensor - display) + 360) % 360
