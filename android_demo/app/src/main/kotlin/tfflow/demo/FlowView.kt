package tfflow.demo

import android.content.Context
import android.graphics.Canvas
import android.util.AttributeSet
import android.view.View
import tfflow.core.Screen

/** The screen of the core on a view. Whoever changes the screen holds its lock. */
class FlowView(context: Context, attributes: AttributeSet) : View(context, attributes) {
    val screen = Screen()
    private val pen = CanvasPen(resources.displayMetrics.density)

    override fun onDraw(canvas: Canvas) {
        pen.canvas = canvas
        pen.width = width.toFloat()
        pen.height = height.toFloat()
        synchronized(screen) { screen.draw(pen) }
    }

    /** From any thread. */
    fun change(change: Screen.() -> Unit) {
        synchronized(screen) { screen.change() }
        postInvalidate()
    }

    /** A message in place of the picture, or null for the picture. From the main thread. */
    fun tell(message: String?) {
        change { this.message = message }
        contentDescription = message
        if (message != null) announceForAccessibility(message)
    }
}
