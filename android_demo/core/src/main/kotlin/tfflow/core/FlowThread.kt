package tfflow.core

import java.io.Closeable
import java.util.concurrent.Executors
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.atomic.AtomicBoolean

/** The one thread on which a [FlowEstimator] lives, from loading to closing. Methods here may be called from any other. */
class FlowThread(
    private val files: ModelFiles,
    private val open: (Model) -> FlowRuntime,
    private val listener: Listener,
) : Closeable {
    /** All are called on the thread. After [failed] nothing follows. */
    interface Listener {
        fun ready(estimator: FlowEstimator)

        /** New flow. `estimator` keeps it until the next. */
        fun flow(estimator: FlowEstimator)

        /** What to tell the person; the pictures were refused, the network goes on. */
        fun refused(message: String)

        /** What to tell the person; this thread does no more. */
        fun failed(message: String)
    }

    /** A frame of a camera, which the thread closes as soon as it has read it. */
    interface Frame : Closeable {
        fun planes(): YuvFrame

        val rotation: Int
        val nanos: Long
    }

    private val executor = Executors.newSingleThreadExecutor { Thread(it, "flow") }
    private val busy = AtomicBoolean(true)
    private var estimator: FlowEstimator? = null

    init {
        execute {
            val made = FlowEstimator(readModel(files), open)
            estimator = made
            made.warmUp()
            listener.ready(made)
            busy.set(false)
        }
    }

    /** False where the last frame is still at work: the frame is closed unread, and the next will be fresher. */
    fun offer(frame: Frame): Boolean {
        if (!busy.compareAndSet(false, true)) {
            frame.close()
            return false
        }
        val taken = execute {
            val isPair = frame.use { estimator?.take(it.planes(), it.rotation, it.nanos) }
            if (isPair == true) {
                estimator!!.estimate()
                listener.flow(estimator!!)
            }
            busy.set(false)
        }
        if (!taken) frame.close()
        return taken
    }

    fun still(image1: RgbImage, image2: RgbImage) {
        execute {
            val on = estimator ?: return@execute
            try {
                on.still(image1, image2)
                listener.flow(on)
            } catch (error: Refused) {
                listener.refused(error.message!!)
            }
        }
    }

    /** Tells the last flow again, if there is one: after another view of it was chosen. */
    fun again() {
        execute { estimator?.let { if (it.total.count > 0) listener.flow(it) } }
    }

    /** Whether flow comes with its confidence from now on; the last flow is told again with it, or without. */
    fun check(on: Boolean) {
        execute {
            val made = estimator ?: return@execute
            made.checked = on
            if (made.total.count == 0) return@execute
            made.compute()
            listener.flow(made)
        }
    }

    /** After a pause of the camera. */
    fun forget() {
        execute { estimator?.forget() }
    }

    /** Frees the network once what runs has ended. Returns at once. */
    override fun close() {
        busy.set(true)
        execute { end() }
        executor.shutdown()
    }

    private fun end() {
        busy.set(true)
        estimator?.close()
        estimator = null
    }

    /** False where the thread was closed. A failure ends the estimator and is told. */
    private fun execute(task: () -> Unit): Boolean {
        try {
            executor.execute {
                try {
                    task()
                } catch (error: Refused) {
                    end()
                    listener.failed(error.message!!)
                } catch (error: Exception) {
                    end()
                    listener.failed("the network stopped ($error): choose another model, or start the app again")
                } catch (error: OutOfMemoryError) {
                    end()
                    listener.failed("this model needs more memory than the device gives: export a smaller size")
                } catch (error: LinkageError) {
                    end()
                    listener.failed("the TensorFlow Lite library does not run on this device ($error)")
                }
            }
            return true
        } catch (error: RejectedExecutionException) {
            return false
        }
    }
}
