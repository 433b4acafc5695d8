package tfflow.core

import java.nio.ByteBuffer

/**
 * A picture of a camera in YUV_420_888: a byte of brightness a pixel, and two of colour for each 2 x 2 of them.
 * Rows may be longer than the picture (`...Row` bytes), and colour bytes may lie `chromaPixel` apart.
 */
class YuvFrame(
    val width: Int,
    val height: Int,
    val y: ByteBuffer,
    val yRow: Int,
    val u: ByteBuffer,
    val v: ByteBuffer,
    val chromaRow: Int,
    val chromaPixel: Int,
)

/**
 * YUV of a camera to RGB, upright. The colours are JFIF's (BT.601, all 256 levels), rounded to the nearest level;
 * each pixel has the colour bytes of its 2 x 2 block. Source: ITU-T T.871, section 7.
 */
class YuvToRgb {
    private var rowY = ByteArray(0)
    private var rowU = ByteArray(0)
    private var rowV = ByteArray(0)

    /** rotation: by how many degrees, 0, 90, 180 or 270, the frame must be turned clockwise to stand upright. */
    fun convert(frame: YuvFrame, rotation: Int, to: RgbImage) {
        val w = frame.width
        val h = frame.height
        if (rotation == 90 || rotation == 270) to.reshape(h, w) else to.reshape(w, h)
        val start: Int
        val right: Int
        val down: Int
        when (rotation) {
            0 -> { start = 0; right = 1; down = w }
            90 -> { start = h - 1; right = h; down = -1 }
            180 -> { start = w * h - 1; right = -1; down = -w }
            270 -> { start = (w - 1) * h; right = -h; down = 1 }
            else -> throw IllegalArgumentException("rotation must be 0, 90, 180 or 270 degrees, got $rotation")
        }
        val chroma = ((w + 1) / 2 - 1) * frame.chromaPixel + 1
        if (rowY.size < w) rowY = ByteArray(w)
        if (rowU.size < chroma) {
            rowU = ByteArray(chroma)
            rowV = ByteArray(chroma)
        }
        val out = to.bytes
        for (y in 0 until h) {
            read(frame.y, y * frame.yRow, rowY, w)
            if (y % 2 == 0) {
                read(frame.u, y / 2 * frame.chromaRow, rowU, chroma)
                read(frame.v, y / 2 * frame.chromaRow, rowV, chroma)
            }
            var at = 3 * (start + y * down)
            for (x in 0 until w) {
                val light = rowY[x].toInt() and 255
                val place = (x shr 1) * frame.chromaPixel
                val cb = rowU[place].toInt() and 255
                val cr = rowV[place].toInt() and 255
                out[at] = level(light + RED[cr])
                out[at + 1] = level(light + ((GREEN_CB[cb] + GREEN_CR[cr] + HALF) shr BITS))
                out[at + 2] = level(light + BLUE[cb])
                at += 3 * right
            }
        }
    }

    private fun read(from: ByteBuffer, position: Int, to: ByteArray, count: Int) {
        from.position(position)
        from.get(to, 0, count)
    }

    private fun level(value: Int): Byte = (if (value < 0) 0 else if (value > 255) 255 else value).toByte()

    private companion object {
        const val BITS = 20
        const val HALF = 1 shl (BITS - 1)
        val RED = IntArray(256) { nearest(1.402 * (it - 128)) }
        val BLUE = IntArray(256) { nearest(1.772 * (it - 128)) }
        val GREEN_CB = IntArray(256) { nearest(-(0.114 * 1.772 / 0.587) * (it - 128) * (1 shl BITS)) }
        val GREEN_CR = IntArray(256) { nearest(-(0.299 * 1.402 / 0.587) * (it - 128) * (1 shl BITS)) }

        fun nearest(value: Double): Int = Math.floor(value + 0.5).toInt()
    }
}
