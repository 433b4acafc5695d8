package tfflow.core

import java.awt.BasicStroke
import java.awt.Color
import java.awt.Font
import java.awt.Graphics2D
import java.awt.RenderingHints
import java.awt.geom.AffineTransform
import java.awt.geom.Line2D
import java.awt.geom.Rectangle2D
import java.awt.image.BufferedImage

/** Draws the app's screen into a picture: the same calls as the phone's canvas gets. */
class DesktopPen(val image: BufferedImage, override val unit: Float) : Pen {
    private val graphics: Graphics2D = image.createGraphics().apply {
        setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON)
        setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR)
        setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON)
    }
    override val width: Float get() = image.width.toFloat()
    override val height: Float get() = image.height.toFloat()

    override fun fill(left: Float, top: Float, right: Float, bottom: Float, argb: Int) {
        graphics.color = Color(argb, true)
        graphics.fill(Rectangle2D.Float(left, top, right - left, bottom - top))
    }

    override fun image(kind: Int, pixels: IntArray, wide: Int, high: Int, left: Float, top: Float, right: Float, bottom: Float) {
        val source = BufferedImage(wide, high, BufferedImage.TYPE_INT_ARGB)
        source.setRGB(0, 0, wide, high, pixels, 0, wide)
        graphics.drawImage(source, AffineTransform(((right - left) / wide).toDouble(), 0.0, 0.0, ((bottom - top) / high).toDouble(), left.toDouble(), top.toDouble()), null)
    }

    override fun line(x0: Float, y0: Float, x1: Float, y1: Float, thick: Float, argb: Int) {
        graphics.color = Color(argb, true)
        graphics.stroke = BasicStroke(thick, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND)
        graphics.draw(Line2D.Float(x0, y0, x1, y1))
    }

    override fun text(text: String, left: Float, base: Float, size: Float, argb: Int) {
        graphics.color = Color(argb, true)
        graphics.font = font(size)
        graphics.drawString(text, left, base)
    }

    override fun textWidth(text: String, size: Float): Float = graphics.getFontMetrics(font(size)).stringWidth(text).toFloat()

    private fun font(size: Float) = Font(Font.SANS_SERIF, Font.PLAIN, 1).deriveFont(size)
}
