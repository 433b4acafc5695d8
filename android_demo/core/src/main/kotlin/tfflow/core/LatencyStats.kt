package tfflow.core

/** Of the last `size` runs: median and 90th percentile, linear between ranks as NumPy has them, and runs a second. */
class LatencyStats(private val size: Int = 60) {
    private val millis = DoubleArray(size)
    private val ends = LongArray(size)
    private val sorted = DoubleArray(size)
    private var added = 0L

    val count: Int get() = Math.min(added, size.toLong()).toInt()

    /** A run that took `millis` and ended at `endNanos`, of any clock that only rises. */
    fun add(millis: Double, endNanos: Long) {
        val at = (added++ % size).toInt()
        this.millis[at] = millis
        ends[at] = endNanos
    }

    fun clear() {
        added = 0
    }

    val median: Double get() = percentile(50.0)
    val p90: Double get() = percentile(90.0)

    /** Ends a second between the oldest run that is kept and the newest; NaN with less than two. */
    val perSecond: Double
        get() {
            if (count < 2) return Double.NaN
            val newest = ends[((added - 1) % size).toInt()]
            val oldest = ends[((added - count) % size).toInt()]
            return (count - 1) * 1e9 / (newest - oldest)
        }

    /** NaN before the first run. */
    fun percentile(percent: Double): Double {
        if (count == 0) return Double.NaN
        System.arraycopy(millis, 0, sorted, 0, count)
        java.util.Arrays.sort(sorted, 0, count)
        val rank = percent / 100.0 * (count - 1)
        val low = rank.toInt()
        val high = Math.min(low + 1, count - 1)
        return sorted[low] + (rank - low) * (sorted[high] - sorted[low])
    }
}
