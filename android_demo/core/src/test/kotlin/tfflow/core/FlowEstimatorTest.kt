package tfflow.core

import org.json.JSONArray
import org.json.JSONObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import java.io.InputStream
import java.nio.ByteBuffer
import java.security.MessageDigest
import java.util.concurrent.CountDownLatch
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit

/** The estimator and its thread with a network of the test: any manifest drives them. */
class FlowEstimatorTest {
    private val contents = byteArrayOf(1, 2, 3)

    private fun manifest(height: Int, width: Int, uint8: Boolean, stride: Int, first: Int): JSONObject {
        val made = copy(Vectors.part("manifests").getJSONArray("good").getJSONObject(0))
        for (i in 0 until 2) {
            made.getJSONArray("inputs").getJSONObject(i).put("shape", JSONArray("[1, $height, $width, 3]"))
                .put("type", if (uint8) "uint8" else "float32").put("range", JSONArray(if (uint8) "[0, 255]" else "[0.0, 1.0]"))
                .put("index", if (i == 0) first else 1 - first)
        }
        made.getJSONArray("outputs").getJSONObject(0).put("shape", JSONArray("[1, ${height / stride}, ${width / stride}, 2]")).put("stride", stride)
        made.getJSONObject("resize").put("to", JSONArray("[$height, $width]"))
        val sha = MessageDigest.getInstance("SHA-256").digest(contents).joinToString("") { "%02x".format(it) }
        return made.put("bytes", contents.size).put("sha256", sha)
    }

    private fun files(manifest: JSONObject, contents: ByteArray = this.contents) = object : ModelFiles {
        override val name = "test"

        override fun open(file: String): InputStream = (if (file == "model.json") manifest.toString().toByteArray() else contents).inputStream()
    }

    private fun grey(width: Int, height: Int, level: Int): YuvFrame {
        fun plane(size: Int, value: Int) = ByteBuffer.wrap(ByteArray(size) { value.toByte() })
        return YuvFrame(width, height, plane(width * height, level), width, plane(width * height / 4, 128), plane(width * height / 4, 128), width / 2, 1)
    }

    @Test
    fun `a model of any size, type, stride and order works by its manifest alone`() {
        for ((size, uint8, stride, first) in listOf(
            Case(64 to 96, false, 1, 1), Case(32 to 160, true, 4, 0), Case(128 to 32, false, 4, 0), Case(48 to 48, true, 1, 1),
        )) {
            val (height, width) = size
            lateinit var runtime: FakeRuntime
            val estimator = FlowEstimator(
                readModel(files(manifest(height, width, uint8, stride, first))),
                { FakeRuntime(height, width, uint8, stride, first).also { runtime = it } },
            )
            estimator.warmUp()
            assertEquals(FlowEstimator.WARM_UP, runtime.runs)
            assertFalse(estimator.take(grey(40, 30, 50), 0, 1_000))
            assertTrue(estimator.take(grey(40, 30, 101), 0, 2_000))
            estimator.estimate()
            val place = estimator.placement
            assertEquals(Math.min(width / 40.0, height / 30.0), place.width / 40.0, 0.02)
            assertEquals(51 / 255f, estimator.flow.u(place.left + place.width / 2, place.top + place.height / 2), 1e-5f)
            if (place.left >= stride) assertEquals(0f, estimator.flow.u(0, height / 2))
            assertEquals(0xFF323232.toInt(), estimator.pixel(place.left + place.width / 2, place.top + place.height / 2))
            assertEquals(1, estimator.total.count)
            assertTrue(estimator.total.median >= estimator.network.median)

            // A turned phone gives another shape: no pair across it.
            assertFalse(estimator.take(grey(40, 30, 50), 90, 3_000))
            assertTrue(estimator.placement.height > estimator.placement.width)
            assertTrue(estimator.take(grey(40, 30, 50), 90, 4_000))
            estimator.estimate()

            // The network of the test gives back the opposite, everywhere: all is sure, after one more run.
            assertNull(estimator.confidence)
            estimator.checked = true
            val runs = runtime.runs
            assertFalse(estimator.take(grey(40, 30, 50), 0, 5_000))
            assertTrue(estimator.take(grey(40, 30, 101), 0, 6_000))
            estimator.estimate()
            assertEquals(runs + 2, runtime.runs)
            val middle = estimator.placement.left + estimator.placement.width / 2 to estimator.placement.top + estimator.placement.height / 2
            assertEquals(1f, estimator.confidence!!.at(middle.first, middle.second), 1e-5f)
            assertEquals(51 / 255f, estimator.flow.u(middle.first, middle.second), 1e-5f) // still the flow there
            estimator.checked = false
            estimator.compute()
            assertNull(estimator.confidence)

            for (view in View.values()) {
                val picture = FlowPicture().apply { paint(estimator, view, 4.0) }
                assertEquals(estimator.placement.width to estimator.placement.height, picture.width to picture.height)
            }
            estimator.close()
            assertTrue(runtime.closed)
        }
    }

    private data class Case(val size: Pair<Int, Int>, val uint8: Boolean, val stride: Int, val first: Int)

    @Test
    fun `what the flow back contradicts fades, and has no arrow`() {
        // Of a network that says the same both ways, 3 px to the right: 6 px apart.
        val same = object : FlowRuntime by FakeRuntime(32, 32, false, 1, 1) {
            override fun run(inputs: Array<ByteBuffer>, outputs: Array<ByteBuffer>) {
                for (i in 0 until 32 * 32) outputs[0].putFloat(8 * i, 3f)
            }
        }
        val estimator = FlowEstimator(readModel(files(manifest(32, 32, false, 1, 1))), { same })
        fun shown(view: View) = FlowPicture().apply { paint(estimator, view, 4.0) }
        estimator.still(RgbImage(32, 32).apply { bytes.fill(10) }, RgbImage(32, 32).apply { bytes.fill(11) })
        val plain = shown(View.COLOURS).pixels[5]
        assertEquals(FlowColours.colour(3f, 0f, 4.0), plain)
        assertTrue(shown(View.ARROWS).arrows.count > 0)
        estimator.checked = true
        estimator.compute()
        assertEquals(1 / 7f, estimator.confidence!!.at(5, 5), 1e-5f)
        val red = (plain shr 16) and 255
        assertEquals((0x60 + (red - 0x60) / 7f).toInt(), (shown(View.COLOURS).pixels[5] shr 16) and 255)
        assertEquals(0, shown(View.ARROWS).arrows.count)
        assertEquals(1, estimator.total.count) // the second computation counts in no statistics
    }

    @Test
    fun `two pictures that are equal in every bit do not move, whatever the network gives`() {
        for (uint8 in listOf(false, true)) {
            val moves = object : FlowRuntime by FakeRuntime(32, 32, uint8, 1, 1) {
                override fun run(inputs: Array<ByteBuffer>, outputs: Array<ByteBuffer>) {
                    for (buffer in inputs) buffer.position(buffer.limit()) // as a runtime may leave it that reads by position
                    for (i in 0 until 2 * 32 * 32) outputs[0].putFloat(3f)
                }
            }
            val estimator = FlowEstimator(readModel(files(manifest(32, 32, uint8, 1, 1))), { moves })
            estimator.checked = true
            val black = RgbImage(32, 32)
            val nearly = RgbImage(32, 32).apply { bytes[bytes.size - 1] = 1 }
            estimator.still(black, nearly)
            assertEquals(3f, estimator.flow.u(5, 5))
            estimator.still(black, RgbImage(32, 32))
            assertEquals(listOf(0f, 0f), listOf(estimator.flow.u(5, 5), estimator.flow.v(31, 31)))
            assertEquals(1f, estimator.confidence!!.at(5, 5))
            assertFalse(estimator.take(grey(32, 32, 16), 0, 1_000))
            assertTrue(estimator.take(grey(32, 32, 16), 0, 2_000))
            estimator.estimate()
            assertEquals(0f, estimator.flow.u(5, 5))
        }
    }

    @Test
    fun `two pictures give flow from the first to the second, and must be of one size`() {
        val estimator = FlowEstimator(readModel(files(manifest(32, 32, false, 1, 1))), { FakeRuntime(32, 32, false, 1, 1) })
        val dark = RgbImage(20, 20).apply { bytes.fill(10) }
        val light = RgbImage(20, 20).apply { bytes.fill(112) }
        estimator.still(dark, light)
        assertEquals(102 / 255f, estimator.flow.u(16, 16), 1e-6f)
        estimator.still(light, dark)
        assertEquals(-102 / 255f, estimator.flow.v(16, 16), 1e-6f)
        assertTrue("20x20 and 10x20" in assertThrows<Refused> { estimator.still(dark, RgbImage(10, 20)) }.message!!)
        assertFalse(estimator.take(grey(20, 20, 0), 0, 2)) // a picture is no camera's frame
    }

    @Test
    fun `a file that is not what its manifest says is refused, and closed`() {
        val other = FakeRuntime(32, 64, false, 1, 1)
        val told = assertThrows<Refused> { FlowEstimator(readModel(files(manifest(32, 32, false, 1, 1))), { other }) }.message!!
        assertTrue("[1, 32, 64, 3]" in told && "[1, 32, 32, 3]" in told, told)
        assertTrue(other.closed)
    }

    private class Told : FlowThread.Listener {
        val words = LinkedBlockingQueue<String>()

        override fun ready(estimator: FlowEstimator) = words.put("ready on ${Thread.currentThread().name}")

        override fun flow(estimator: FlowEstimator) = words.put("flow ${estimator.flow.u(16, 16)}")

        override fun refused(message: String) = words.put("refused $message")

        override fun failed(message: String) = words.put("failed $message")

        fun next(): String = words.poll(20, TimeUnit.SECONDS) ?: "nothing"
    }

    private inner class Frame(override val nanos: Long, private val level: Int, private val wait: CountDownLatch? = null) : FlowThread.Frame {
        @Volatile var closed = 0
        override val rotation = 0

        override fun planes(): YuvFrame {
            wait?.await(20, TimeUnit.SECONDS)
            return grey(32, 32, level)
        }

        override fun close() {
            closed++
        }
    }

    /** The first frame that is taken. */
    private fun offered(thread: FlowThread, make: () -> Frame): Frame {
        val end = System.nanoTime() + 20_000_000_000
        while (true) {
            val frame = make()
            if (thread.offer(frame)) return frame
            check(System.nanoTime() < end) { "never ready" }
            Thread.sleep(1)
        }
    }

    @Test
    fun `the thread drops frames while it works, and closes every one`() {
        val told = Told()
        lateinit var runtime: FakeRuntime
        val thread = FlowThread(files(manifest(32, 32, false, 1, 1)), { FakeRuntime(32, 32, false, 1, 1).also { runtime = it } }, told)
        assertEquals("ready on flow", told.next())
        val wait = CountDownLatch(1)
        val slow = offered(thread) { Frame(1_000, 0, wait) }
        val dropped = Frame(2_000, 9)
        assertFalse(thread.offer(dropped))
        assertEquals(1, dropped.closed)
        wait.countDown()
        offered(thread) { Frame(3_000, 51) }
        assertTrue(told.next().startsWith("flow 0.2"))
        assertEquals(1, slow.closed)
        thread.still(RgbImage(8, 8), RgbImage(9, 8))
        assertTrue(told.next().startsWith("refused"))
        thread.again()
        assertTrue(told.next().startsWith("flow"))
        thread.close()
        thread.close()
        assertFalse(thread.offer(dropped))
        val end = System.nanoTime() + 20_000_000_000
        while (!runtime.closed && System.nanoTime() < end) Thread.sleep(5)
        assertTrue(runtime.closed)
        assertNull(told.words.poll())
    }

    @Test
    fun `whatever fails is told once, in words`() {
        val good = manifest(32, 32, false, 1, 1)
        val failures = mapOf(
            "damaged" to { told: Told -> FlowThread(files(good, byteArrayOf(1, 2, 4)), { error("unused") }, told) },
            "does not run on this device" to { told: Told -> FlowThread(files(good), { throw UnsatisfiedLinkError("no library") }, told) },
            "more memory" to { told: Told -> FlowThread(files(good), { throw OutOfMemoryError() }, told) },
            "choose another model" to { told: Told -> FlowThread(files(good), { throw IllegalArgumentException("bad graph") }, told) },
        )
        for ((word, start) in failures) {
            val told = Told()
            val thread = start(told)
            val message = told.next()
            assertTrue(message.startsWith("failed") && word in message, message)
            val frame = Frame(0, 0)
            assertFalse(thread.offer(frame))
            assertEquals(1, frame.closed)
            thread.close()
        }
    }

    @Test
    fun `a network that fails later is closed and told`() {
        val told = Told()
        lateinit var runtime: FakeRuntime
        val thread = FlowThread(files(manifest(32, 32, false, 1, 1)), { FakeRuntime(32, 32, false, 1, 1).also { runtime = it } }, told)
        told.next()
        runtime.fail = IllegalStateException("device lost")
        thread.still(RgbImage(8, 8), RgbImage(8, 8))
        assertTrue("device lost" in told.next())
        assertTrue(runtime.closed)
        thread.still(RgbImage(8, 8), RgbImage(8, 8))
        thread.close()
    }
}
