package tfflow.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What the screen says, and that nothing of it leaves the view. */
class ScreenTest {
    private class Notes(override val width: Float, override val height: Float) : Pen {
        val texts = ArrayList<String>()
        val outside = ArrayList<String>()
        val images = ArrayList<Int>()
        override val unit = 2f

        private fun inside(what: String, vararg xy: Float) {
            for (i in xy.indices) if (xy[i] < -0.5f || xy[i] > (if (i % 2 == 0) width else height) + 0.5f) outside.add("$what ${xy.toList()}")
        }

        override fun fill(left: Float, top: Float, right: Float, bottom: Float, argb: Int) = inside("fill", left, top, right, bottom)

        override fun image(kind: Int, pixels: IntArray, wide: Int, high: Int, left: Float, top: Float, right: Float, bottom: Float) {
            images.add(kind)
            inside("image", left, top, right, bottom)
        }

        override fun line(x0: Float, y0: Float, x1: Float, y1: Float, thick: Float, argb: Int) = Unit

        override fun text(text: String, left: Float, base: Float, size: Float, argb: Int) {
            texts.add(text)
            inside("text", left, base - size, left + textWidth(text, size), base)
        }

        override fun textWidth(text: String, size: Float) = 0.55f * size * text.length
    }

    private fun shown(): Screen {
        val manifest = Manifest.parse(Vectors.part("manifests").getJSONArray("good").getJSONObject(0).toString(), "m")
        val estimator = FlowEstimator(Model(manifest, tensorBuffer(1)), { FakeRuntime(64, 96, false, 1, 1) })
        estimator.still(ramp(40, 30), ramp(40, 30, 1))
        estimator.still(ramp(40, 30), ramp(40, 30, 1))
        return Screen().apply {
            model = manifest.label
            show(estimator, 0)
        }
    }

    @Test
    fun `picture, legend, model and statistics are there, and inside`() {
        for ((width, height) in listOf(1920f to 900f, 720f to 1200f, 640f to 480f)) {
            val screen = shown()
            val pen = Notes(width, height)
            screen.draw(pen)
            assertEquals(listOf(0, 1), pen.images)
            assertTrue("16 px" in pen.texts && "pwcnet_mobile 64x96 fp32" in pen.texts, "${pen.texts}")
            val statistics = pen.texts.first { "median" in it }
            assertTrue("FPS" in statistics && "p90" in statistics && "test" in statistics, statistics)
            assertTrue(pen.outside.isEmpty(), "${pen.outside}")
        }
    }

    @Test
    fun `a message stands in place of the picture, whole, in lines that fit`() {
        val screen = shown()
        screen.message = "The camera was lost: another app took it. Touch here to try again."
        val pen = Notes(720f, 1200f)
        screen.draw(pen)
        assertTrue(pen.images.isEmpty() && pen.outside.isEmpty(), "${pen.outside}")
        assertEquals(screen.message, pen.texts.filter { it != screen.model }.joinToString(" "))
    }

    @Test
    fun `the path of a folder is broken after its slashes, since no line holds it`() {
        val screen = Screen()
        screen.message = "Copy it to /storage/emulated/0/Android/data/tfflow.demo/files/models and ${"x".repeat(200)} again."
        val pen = Notes(720f, 1480f)
        screen.draw(pen)
        assertTrue(pen.outside.isEmpty(), "${pen.outside}")
        assertEquals(screen.message!!.filter { it != ' ' }, pen.texts.joinToString("").filter { it != ' ' })
        assertTrue(pen.texts.any { it.startsWith("/storage") && it.endsWith("/") }, "${pen.texts}")
    }

    @Test
    fun `scale and view go round`() {
        val screen = Screen()
        val scales = List(Screen.SCALES.size) { screen.nextScale(); screen.scale }
        assertEquals(Screen.SCALES, scales.sorted())
        repeat(View.values().size) { screen.nextView() }
        assertEquals(View.COLOURS, screen.view)
    }
}
