package tfflow.core

import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject

/** An image that the network takes: [1, height, width, 3], RGB from `low` (black) to `high` (white). */
class ImageSpec(val name: String, val index: Int, val height: Int, val width: Int, val uint8: Boolean, val low: Double, val high: Double) {
    val bytes: Int get() = height * width * 3 * (if (uint8) 1 else 4)
}

/** A flow that it gives: float32 [1, height, width, 2], (u, v) in pixels of the images, one for `stride` x `stride` of these. */
class FlowSpec(val name: String, val index: Int, val height: Int, val width: Int, val stride: Int) {
    val bytes: Int get() = height * width * 2 * 4
}

/**
 * `model.json`: all that an app must know of the .tflite beside it. The format is tfflow/exporting/manifest.schema.json,
 * and [parse] refuses what that refuses.
 */
class Manifest private constructor(
    val network: String,
    val precision: String,
    val file: String,
    val bytes: Long,
    val sha256: String,
    val signature: String,
    val image1: ImageSpec,
    val image2: ImageSpec,
    /** In the order of their index; flow12 is one of them. */
    val flows: List<FlowSpec>,
) {
    val height: Int get() = image1.height
    val width: Int get() = image1.width
    val flow12: FlowSpec get() = flows.first { it.name == "flow12" }

    /** "pwcnet_mobile 256x448 int8-qat": for a person to choose by. */
    val label: String get() = "$network ${height}x$width $precision"

    companion object {
        const val FORMAT = "tfflow-model-1"

        /** The one way of resizing that this code has. */
        const val RULE = "bilinear with half-pixel centres; averaged over the covered pixels where it shrinks"

        private val PRECISIONS = listOf("fp32", "fp16", "int8-weights", "int8-dynamic", "int8-ptq", "int8-qat", "int16x8")

        /** Raises [Refused] on what is no manifest of this version. `where` names it in the message. */
        fun parse(text: String, where: String): Manifest {
            try {
                val root = JSONObject(text)
                val format = root.opt("format")
                if (format != FORMAT) {
                    throw Refused("$where has format \"$format\", this app reads \"$FORMAT\": export the network again, or update the app")
                }
                return read(root)
            } catch (error: JSONException) {
                throw Refused("$where is no model.json (${error.message}): export the network again", error)
            } catch (error: Bad) {
                throw Refused("$where: ${error.message}: export the network again", error)
            }
        }

        private fun read(root: JSONObject): Manifest {
            root.only(
                "format", "name", "network", "parameters", "precision", "file", "bytes", "sha256", "signature", "inputs",
                "outputs", "resize", "padding", "stride", "weights", "numbers",
            )
            root.text("name")
            root.whole("parameters", 1)
            root.text("padding")
            root.whole("stride", 1)
            checkWeights(root.part("weights"))
            checkNumbers(root.part("numbers"))
            val file = root.text("file")
            root.check("file", Regex("[^/\\\\]+\\.tflite").matches(file), "a name that ends in .tflite", file)
            val sha256 = root.text("sha256")
            root.check("sha256", Regex("[0-9a-f]{64}").matches(sha256), "64 hexadecimal digits", sha256)
            val images = root.list<JSONObject>("inputs", 2..2).map(::image)
            val flows = root.list<JSONObject>("outputs", 1..2).map(::flow)
            val image1 = images.find { it.name == "image1" } ?: throw Bad("inputs has no image1")
            val image2 = images.find { it.name == "image2" } ?: throw Bad("inputs has no image2")
            if (image1.height != image2.height || image1.width != image2.width || image1.uint8 != image2.uint8) {
                throw Bad("image1 and image2 must be of one size and type")
            }
            if (images.map { it.index }.sorted() != listOf(0, 1)) throw Bad("the indices of inputs must be 0 and 1")
            if (flows.map { it.index }.sorted() != flows.indices.toList()) throw Bad("the indices of outputs must be 0, 1")
            if (flows.none { it.name == "flow12" }) throw Bad("outputs has no flow12")
            for (flow in flows) {
                if (flow.height * flow.stride != image1.height || flow.width * flow.stride != image1.width) {
                    throw Bad("${flow.name} of ${flow.height}x${flow.width} with stride ${flow.stride} does not fit images of ${image1.height}x${image1.width}")
                }
            }
            checkResize(root.part("resize"), image1)
            return Manifest(
                root.text("network"), root.oneOf("precision", PRECISIONS), file, root.whole("bytes", 1), sha256,
                root.text("signature"), image1, image2, flows.sortedBy { it.index },
            )
        }

        private fun image(part: JSONObject): ImageSpec {
            part.only("name", "index", "shape", "type", "range", "layout", "channels")
            part.oneOf("layout", listOf("NHWC"))
            part.oneOf("channels", listOf("RGB"))
            val shape = shape(part, 3)
            val range = part.list<Any>("range", 2..2).map { (it as? Number ?: throw Bad("range must hold two numbers")).toDouble() }
            if (range[0] >= range[1]) throw Bad("range must rise, got $range")
            val uint8 = part.oneOf("type", listOf("float32", "uint8")) == "uint8"
            if (uint8 && (range[0] < 0 || range[1] > 255)) throw Bad("range of uint8 must lie in 0 to 255, got $range")
            val name = part.oneOf("name", listOf("image1", "image2"))
            return ImageSpec(name, part.whole("index", 0).toInt(), shape[1], shape[2], uint8, range[0], range[1])
        }

        private fun flow(part: JSONObject): FlowSpec {
            part.only("name", "index", "shape", "type", "layout", "components", "unit", "axes", "meaning", "stride")
            part.oneOf("layout", listOf("NHWC"))
            part.oneOf("type", listOf("float32"))
            part.oneOf("unit", listOf("pixels of the input images"))
            part.text("axes")
            part.text("meaning")
            val components = part.list<Any>("components", 2..2)
            if (components != listOf("u", "v")) throw Bad("components must be u, v, got $components")
            val shape = shape(part, 2)
            val stride = part.whole("stride", 1).toInt()
            part.check("stride", stride == 1 || stride == 4, "1 or 4", stride)
            val name = part.oneOf("name", listOf("flow12", "flow21"))
            return FlowSpec(name, part.whole("index", 0).toInt(), shape[1], shape[2], stride)
        }

        private fun shape(part: JSONObject, channels: Int): List<Int> {
            val shape = part.list<Any>("shape", 4..4).map { whole("shape", it, 1).toInt() }
            if (shape[0] != 1 || shape[3] != channels) throw Bad("shape must be [1, height, width, $channels], got $shape")
            if (shape[1] > LARGEST || shape[2] > LARGEST) throw Bad("shape must be at most $LARGEST high and wide, got $shape")
            return shape
        }

        private fun checkResize(part: JSONObject, image: ImageSpec) {
            part.only("to", "rule", "flow")
            val to = part.list<Any>("to", 2..2).map { whole("to", it, 1).toInt() }
            if (to != listOf(image.height, image.width)) throw Bad("resize.to is $to, but the images are ${image.height}x${image.width}")
            part.oneOf("rule", listOf(RULE))
            part.text("flow")
        }

        private fun checkWeights(part: JSONObject) {
            part.only("licence", "recipe", "data", "steps")
            for (key in listOf("licence", "recipe", "data")) part.text(key)
            part.whole("steps", 0)
        }

        private fun checkNumbers(part: JSONObject) {
            for (key in part.entries()) part.check("numbers.$key", part.opt(key) is Number, "a number", part.opt(key))
        }

        /** Beyond this a buffer's size would not be an Int. */
        private const val LARGEST = 8192

        private class Bad(message: String) : Exception(message)

        private fun JSONObject.check(key: String, good: Boolean, expected: String, came: Any?) {
            if (!good) throw Bad("$key must be $expected, got $came")
        }

        /** Of all entries; as text, since older versions of the library do not say what keys are. */
        private fun JSONObject.entries(): List<String> = keys().asSequence().map { it.toString() }.toList()

        private fun JSONObject.only(vararg known: String) {
            for (key in entries()) if (key !in known) throw Bad("\"$key\" is unknown in $FORMAT")
            for (key in known) if (!has(key)) throw Bad("$key is missing")
        }

        private fun JSONObject.text(key: String): String {
            val value = opt(key)
            check(key, value is String && value.isNotEmpty(), "a text", value)
            return value as String
        }

        private fun JSONObject.oneOf(key: String, known: List<String>): String {
            val value = opt(key)
            check(key, value in known, known.joinToString(" or ") { "\"$it\"" }, value)
            return value as String
        }

        private fun JSONObject.part(key: String): JSONObject = opt(key) as? JSONObject ?: throw Bad("$key must be an object")

        private fun JSONObject.whole(key: String, least: Long): Long = whole(key, opt(key), least)

        private fun whole(key: String, value: Any?, least: Long): Long {
            if ((value !is Int && value !is Long) || (value as Number).toLong() < least) throw Bad("$key must be a whole number from $least, got $value")
            return value.toLong()
        }

        /** The elements of an array: of objects, where that is what the caller takes. */
        private inline fun <reified T : Any> JSONObject.list(key: String, count: IntRange): List<T> {
            val array = opt(key) as? JSONArray ?: throw Bad("$key must be a list")
            if (array.length() !in count) throw Bad("$key must have ${count.last} entries, got ${array.length()}")
            return (0 until array.length()).map { array.opt(it) as? T ?: throw Bad("$key has an entry of the wrong type: ${array.opt(it)}") }
        }
    }
}
