package tfflow.core

import org.json.JSONArray
import org.json.JSONObject
import java.nio.ByteBuffer

/** What Python computed: `python -m tfflow.commands.vectors` wrote it. */
object Vectors {
    private val root = JSONObject(Vectors::class.java.getResource("/vectors.json")!!.readText())

    fun part(key: String): JSONObject = root.getJSONObject(key)

    fun cases(key: String): List<JSONObject> = root.getJSONArray(key).let { list -> (0 until list.length()).map(list::getJSONObject) }

    fun tolerance(key: String): Double = part("tolerance").getDouble(key)
}

fun JSONObject.doubles(key: String): DoubleArray = getJSONArray(key).let { list -> DoubleArray(list.length(), list::getDouble) }

fun JSONObject.ints(key: String): IntArray = getJSONArray(key).let { list -> IntArray(list.length(), list::getInt) }

fun JSONObject.bytes(key: String): ByteArray = ints(key).let { list -> ByteArray(list.size) { list[it].toByte() } }

/** Of colours 0xAARRGGBB, the levels one after the other, as Python has them. */
fun levels(pixels: IntArray): IntArray = IntArray(3 * pixels.size) { (pixels[it / 3] shr (16 - 8 * (it % 3))) and 255 }

fun levels(bytes: ByteArray): IntArray = IntArray(bytes.size) { bytes[it].toInt() and 255 }

fun largest(ours: IntArray, theirs: IntArray): Int {
    require(ours.size == theirs.size) { "${ours.size} values, Python has ${theirs.size}" }
    return ours.indices.maxOf { Math.abs(ours[it] - theirs[it]) }
}

/** A picture whose rows and columns all differ. */
fun ramp(width: Int, height: Int, shift: Int = 0) = RgbImage(width, height).apply {
    for (i in bytes.indices) bytes[i] = ((i * 7 + i / (3 * width) * 13 + shift * 31) % 251).toByte()
}

/** Only as many bytes as a camera gives: its last rows end with the picture. */
fun plane(values: ByteArray, row: Int, used: Int): ByteBuffer = ByteBuffer.allocateDirect(values.size - row + used).put(values, 0, values.size - row + used)

fun copy(value: JSONObject): JSONObject = JSONObject(value.toString())

/** `value` with what lies at `path`, keys and places from the outside in, left out or replaced. */
fun changed(value: Any, path: List<Any>, change: JSONObject): Any {
    val replace = change.has("value")
    val here = path.first()
    if (value is JSONObject) {
        val made = copy(value)
        val inner = made.opt(here as String)
        made.remove(here)
        if (path.size > 1) made.put(here, changed(inner!!, path.drop(1), change)) else if (replace) made.put(here, change.get("value"))
        return made
    }
    val made = JSONArray()
    for (i in 0 until (value as JSONArray).length()) {
        if (i != here) made.put(value.get(i))
        else if (path.size > 1) made.put(changed(value.get(i), path.drop(1), change))
        else if (replace) made.put(change.get("value"))
    }
    return made
}
