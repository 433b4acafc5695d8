package tfflow.demo

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.RectF
import tfflow.core.Pen

/** Draws the screen on a view's canvas; bitmaps are kept from frame to frame. */
class CanvasPen(override val unit: Float) : Pen {
    lateinit var canvas: Canvas
    private val paint = Paint(Paint.ANTI_ALIAS_FLAG or Paint.FILTER_BITMAP_FLAG)
    private val place = RectF()
    private val bitmaps = HashMap<Int, Bitmap>()
    override var width = 0f // of the view: a canvas may be that of the whole window
    override var height = 0f

    override fun fill(left: Float, top: Float, right: Float, bottom: Float, argb: Int) {
        paint.color = argb
        canvas.drawRect(left, top, right, bottom, paint)
    }

    override fun image(kind: Int, pixels: IntArray, wide: Int, high: Int, left: Float, top: Float, right: Float, bottom: Float) {
        var bitmap = bitmaps[kind]
        if (bitmap == null || bitmap.width != wide || bitmap.height != high) {
            bitmap = Bitmap.createBitmap(wide, high, Bitmap.Config.ARGB_8888)
            bitmaps[kind] = bitmap
        }
        bitmap.setPixels(pixels, 0, wide, 0, 0, wide, high)
        place.set(left, top, right, bottom)
        paint.alpha = 255
        canvas.drawBitmap(bitmap, null, place, paint)
    }

    override fun line(x0: Float, y0: Float, x1: Float, y1: Float, thick: Float, argb: Int) {
        paint.color = argb
        paint.strokeWidth = thick
        paint.strokeCap = Paint.Cap.ROUND
        canvas.drawLine(x0, y0, x1, y1, paint)
    }

    override fun text(text: String, left: Float, base: Float, size: Float, argb: Int) {
        paint.color = argb
        paint.textSize = size
        canvas.drawText(text, left, base, paint)
    }

    override fun textWidth(text: String, size: Float): Float {
        paint.textSize = size
        return paint.measureText(text)
    }
}
