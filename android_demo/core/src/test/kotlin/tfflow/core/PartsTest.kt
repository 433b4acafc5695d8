package tfflow.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotSame
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.nio.ByteBuffer
import java.nio.FloatBuffer

/** Laws that need no vectors. */
class PartsTest {
    @Test
    fun `each of the 65536 colour pairs is the formula's to the bit`() {
        fun plane(value: Int) = ByteBuffer.allocate(256).apply { for (i in 0 until 256) put((if (value < 0) i else value).toByte()) }
        val rgb = RgbImage()
        val converter = YuvToRgb()
        for (cr in 0 until 256) {
            converter.convert(YuvFrame(512, 1, ByteBuffer.wrap(ByteArray(512) { 128.toByte() }), 512, plane(-1), plane(cr), 256, 1), 0, rgb)
            for (cb in 0 until 256) {
                val b = cb - 128
                val r = cr - 128
                val exact = listOf(1402 * r to 1000, -114 * 1772 * b - 299 * 1402 * r to 587_000, 1772 * b to 1000) // over what
                for (i in 0 until 3) {
                    val (over, under) = exact[i]
                    val level = (128 + Math.floorDiv(2 * over + under, 2 * under)).coerceIn(0, 255)
                    assertEquals(level, rgb.bytes[6 * cb + i].toInt() and 255, "$cb $cr $i")
                }
            }
        }
    }

    @Test
    fun `two buffers swap and none is made`() {
        val pair = FramePair(8, 100)
        val (a, b) = pair.first to pair.second
        assertNotSame(a, b)
        repeat(5) {
            val next = pair.next
            pair.push(it * 10L)
            assertSame(next, pair.second)
            assertTrue(setOf(pair.first, pair.second).all { buffer -> buffer === a || buffer === b } && pair.first !== pair.second)
        }
        pair.forget()
        assertFalse(pair.push(60))
        assertTrue(pair.push(70))
    }

    @Test
    fun `the wheel has 55 hues and no motion is white`() {
        assertEquals(55, FlowColours.WHEEL.size)
        assertEquals(0xFFFFFFFF.toInt(), FlowColours.colour(0f, 0f, 3.0))
        assertEquals(0xFF000000.toInt(), FlowColours.colour(Float.NaN, 0f, 3.0))
        assertEquals(0xFF000000.toInt(), FlowColours.colour(0f, Float.POSITIVE_INFINITY, 3.0))
        assertEquals(0xFFBF0000.toInt(), FlowColours.colour(9f, 0f, 3.0))
    }

    @Test
    fun `arrows begin on a grid, end where the flow points, and leave out what is unknown`() {
        val values = FloatArray(64 * 2)
        values[2 * (2 * 8 + 6)] = 3f // at (6, 2) of the grid: pixels 24..27, 8..11
        values[2 * (2 * 8 + 6) + 1] = -2f
        values[0] = Float.NaN
        val arrows = Arrows()
        arrows.set(FlowField(FloatBuffer.wrap(values), 8, 8, 4), Placement(32, 32, 32, 32), 8)
        assertEquals(16, arrows.count) // (0, 0) of the grid is met by no arrow: the first is at pixel (4, 4)
        val drawn = (0 until arrows.count).map { arrows.ends.slice(4 * it until 4 * it + 4) }
        assertEquals(16, drawn.count { it[0] == it[2] && it[1] == it[3] }) // pixel (28, 12) lies in cell (7, 3)
        values[2 * (1 * 8 + 1)] = Float.NaN
        values[2 * (3 * 8 + 7)] = 3f
        values[2 * (3 * 8 + 7) + 1] = -2f
        arrows.set(FlowField(FloatBuffer.wrap(values), 8, 8, 4), Placement(32, 32, 32, 32), 8)
        val again = (0 until arrows.count).map { arrows.ends.slice(4 * it until 4 * it + 4) }
        assertEquals(15, again.size)
        assertTrue(listOf(28f, 12f, 31f, 10f) in again, "$again")
    }

    @Test
    fun `statistics of nothing are no number, and forget`() {
        val stats = LatencyStats(4)
        assertTrue(stats.median.isNaN() && stats.perSecond.isNaN())
        stats.add(5.0, 0)
        assertEquals(5.0, stats.p90)
        assertTrue(stats.perSecond.isNaN())
        stats.clear()
        assertTrue(stats.median.isNaN())
    }

    @Test
    fun `flow comes back in pixels of the source`() {
        val place = Placement(640, 480, 448, 256)
        assertEquals(listOf(53, 0, 341, 256), listOf(place.left, place.top, place.width, place.height))
        assertEquals(640f / 341f, place.uToSource)
        assertEquals(480f / 256f, place.vToSource)
    }

    @Test
    fun `a camera is asked for the least that fills the images in their shape`() {
        val sizes = listOf(4000 to 3000, 1920 to 1080, 1280 to 720, 640 to 480, 640 to 360, 320 to 240)
        assertEquals(640 to 360, chooseCameraSize(sizes, 448, 256))
        assertEquals(320 to 240, chooseCameraSize(sizes, 320, 240))
        assertEquals(1280 to 720, chooseCameraSize(sizes, 1024, 448))
        assertEquals(4000 to 3000, chooseCameraSize(sizes, 5000, 4000))
        assertEquals(null, chooseCameraSize(emptyList(), 448, 256))
    }

    @Test
    fun `frames are turned upright however the phone is held`() {
        assertEquals(listOf(90, 0, 270, 180), listOf(0, 90, 180, 270).map { uprightRotation(90, it, false) })
        assertEquals(listOf(270, 0, 90, 180), listOf(0, 90, 180, 270).map { uprightRotation(270, it, true) })
    }
}
