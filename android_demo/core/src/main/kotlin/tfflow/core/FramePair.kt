package tfflow.core

import java.nio.ByteBuffer

/**
 * The last two frames of a camera, in two buffers that swap: a new frame overwrites the older one, nothing is copied.
 *
 *     write(pair.next); if (pair.push(time)) run(pair.first, pair.second)
 */
class FramePair(bytes: Int, private val maxGapNanos: Long) {
    var first: ByteBuffer = tensorBuffer(bytes)
        private set
    var second: ByteBuffer = tensorBuffer(bytes)
        private set
    private var time = 0L
    private var holds = false

    /** Where the new frame belongs, before [push] names it the second. */
    val next: ByteBuffer get() = first

    /**
     * The frame of `nanos` was written into [next]. True where it and the one before make a pair: frames further apart
     * than the gap do not, since all has moved too far by then; the newer one waits for the next.
     */
    fun push(nanos: Long): Boolean {
        val newer = first
        first = second
        second = newer
        val gap = nanos - time
        val pairs = holds && gap > 0 && gap <= maxGapNanos
        time = nanos
        holds = true
        return pairs
    }

    /** After a pause or another camera: the next frame is a first one again. */
    fun forget() {
        holds = false
    }
}
