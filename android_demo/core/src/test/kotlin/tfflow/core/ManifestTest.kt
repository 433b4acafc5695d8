package tfflow.core

import org.json.JSONObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.security.MessageDigest

class ManifestTest {
    private val good = Vectors.part("manifests").getJSONArray("good").let { list -> (0 until list.length()).map(list::getJSONObject) }

    @Test
    fun `everything is read from the manifest, the order of inputs too`() {
        val plain = Manifest.parse(good[0].toString(), "a")
        assertEquals(listOf(64, 96, 1, 0), listOf(plain.height, plain.width, plain.image1.index, plain.image2.index))
        assertEquals(listOf(1, 64, 96), plain.flow12.let { listOf(it.stride, it.height, it.width) })
        assertEquals(64 * 96 * 3 * 4, plain.image1.bytes)
        val full = Manifest.parse(good[1].toString(), "a")
        assertEquals(listOf("flow21", "flow12"), full.flows.map { it.name })
        assertEquals(listOf(4, 32, 8), full.flow12.let { listOf(it.stride, it.height, it.width) })
        assertTrue(full.image1.uint8)
        assertEquals(128 * 32 * 3, full.image1.bytes)
        assertEquals("pwcnet_mobile 128x32 int8-qat", full.label)
    }

    @Test
    fun `what the schema refuses is refused`() {
        val changes = Vectors.part("manifests").getJSONArray("bad")
        assertTrue(changes.length() > 100)
        for (i in 0 until changes.length()) {
            val change = changes.getJSONObject(i)
            val path = change.getJSONArray("path").let { list -> (0 until list.length()).map(list::get) }
            val bad = changed(good[0], path, change).toString()
            val told = assertThrows<Refused>("$change") { Manifest.parse(bad, "here/model.json") }.message!!
            assertTrue(told.startsWith("here/model.json") && "export the network again" in told, told)
        }
    }

    @Test
    fun `a manifest of another version says so`() {
        val told = assertThrows<Refused> { Manifest.parse("""{"format": "tfflow-model-2"}""", "m") }.message!!
        assertTrue("tfflow-model-2" in told && "tfflow-model-1" in told && "update the app" in told, told)
        for (text in listOf("", "[]", "{", "null", "\u0000")) assertThrows<Refused>(text) { Manifest.parse(text, "m") }
    }

    @Test
    fun `a manifest that contradicts itself is refused`() {
        fun refused(change: JSONObject.() -> Unit) = assertThrows<Refused> { Manifest.parse(copy(good[0]).apply(change).toString(), "m") }.message!!
        assertTrue("resize.to" in refused { getJSONObject("resize").getJSONArray("to").put(0, 32) })
        assertTrue("resize.to" in refused { getJSONObject("resize").put("to", good[1].getJSONObject("resize").getJSONArray("to")) })
        assertTrue("rule" in refused { getJSONObject("resize").put("rule", "nearest") })
        assertTrue("image2" in refused { getJSONArray("inputs").getJSONObject(1).put("name", "image1") })
        assertTrue("indices" in refused { getJSONArray("inputs").getJSONObject(1).put("index", 1) })
        assertTrue("indices" in refused { getJSONArray("outputs").getJSONObject(0).put("index", 1) })
        assertTrue("flow12" in refused { getJSONArray("outputs").getJSONObject(0).put("name", "flow21") })
        assertTrue("stride" in refused { getJSONArray("outputs").getJSONObject(0).put("stride", 4) })
    }

    @Test
    fun `a model that is missing, cut or changed is refused`(@TempDir folder: File) {
        fun refused() = assertThrows<Refused> { readModel(ModelFolder(folder)) }.message!!
        assertTrue("model.json is missing" in refused())
        val bytes = ByteArray(100_000) { (it * 7).toByte() }
        val sha = MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }
        File(folder, "model.json").writeText(copy(good[0]).put("bytes", bytes.size).put("sha256", sha).toString())
        assertTrue("model.tflite is missing" in refused())
        val file = File(folder, "model.tflite")
        file.writeBytes(bytes.copyOf(99_999))
        assertTrue("99999 bytes of the 100000" in refused())
        file.writeBytes(bytes + 1)
        assertTrue("more than the 100000 bytes" in refused())
        file.writeBytes(bytes.clone().also { it[50_000]++ })
        assertTrue("damaged" in refused())
        file.writeBytes(bytes)
        val contents = readModel(ModelFolder(folder)).contents
        assertTrue(contents.isDirect && contents.remaining() == bytes.size && contents.get(50_000) == bytes[50_000])
    }
}
