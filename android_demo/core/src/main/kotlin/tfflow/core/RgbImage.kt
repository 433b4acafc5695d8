package tfflow.core

/** RGB, one byte each, row by row. Its memory grows and is kept, so that one image serves all frames of a camera. */
class RgbImage(width: Int = 0, height: Int = 0) {
    var width: Int = width
        private set
    var height: Int = height
        private set

    /** The first width * height * 3 are the image. */
    var bytes: ByteArray = ByteArray(width * height * 3)
        private set

    fun reshape(width: Int, height: Int) {
        this.width = width
        this.height = height
        if (bytes.size < width * height * 3) bytes = ByteArray(width * height * 3)
    }

    /** Takes pixels 0xAARRGGBB, of which the alpha is ignored. */
    fun setPixels(argb: IntArray, width: Int, height: Int) {
        reshape(width, height)
        for (i in 0 until width * height) {
            bytes[3 * i] = (argb[i] shr 16).toByte()
            bytes[3 * i + 1] = (argb[i] shr 8).toByte()
            bytes[3 * i + 2] = argb[i].toByte()
        }
    }
}
