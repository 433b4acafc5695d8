package tfflow.demo

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.ImageFormat
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.media.Image
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread
import tfflow.core.FlowThread
import tfflow.core.YuvFrame
import tfflow.core.chooseCameraSize
import tfflow.core.uprightRotation
import java.io.Closeable

/**
 * Frames of the camera on the back, or of any that there is, until it is closed. One use: after [close] or a loss, make another.
 *
 * displayDegrees: how the screen is turned now. frames: gets each newest frame, on the camera's thread, and closes it.
 * lost: told at most once, on the camera's thread, why there are no more frames; null where the device has no camera.
 */
class Camera(
    context: Context,
    private val width: Int,
    private val height: Int,
    private val displayDegrees: () -> Int,
    private val frames: (FlowThread.Frame) -> Unit,
    private val lost: (String?) -> Unit,
) : Closeable {
    private val manager = context.getSystemService(Context.CAMERA_SERVICE) as CameraManager
    private val thread = HandlerThread("camera").apply { start() }
    private val handler = Handler(thread.looper)
    private var reader: ImageReader? = null
    private var device: CameraDevice? = null
    private var opening = false
    private var ended = false // what opens and closes runs on the thread, so that closing meets no half-opened camera
    private val held = HashSet<Image>() // guards itself and the next: the memory of images that are read is the reader's
    private var readerFree = false

    init {
        handler.post { orEnd { start() } }
    }

    /** What the camera refuses ends it, and is told. */
    private fun orEnd(task: () -> Unit) {
        try {
            task()
        } catch (error: CameraAccessException) {
            end(error.message ?: "no access")
        } catch (error: SecurityException) {
            end("not allowed")
        } catch (error: IllegalArgumentException) {
            end(error.message ?: "it refused its settings")
        } catch (error: IllegalStateException) {
            end("closed")
        }
    }

    @SuppressLint("MissingPermission") // the activity asked; taken back meanwhile, it is a SecurityException
    private fun start() {
        if (ended) return
        val cameras = manager.cameraIdList
        val facing = { id: String -> manager.getCameraCharacteristics(id).get(CameraCharacteristics.LENS_FACING) }
        val id = cameras.firstOrNull { facing(it) == CameraCharacteristics.LENS_FACING_BACK } ?: cameras.firstOrNull() ?: return end(null)
        val facts = manager.getCameraCharacteristics(id)
        val sizes = facts.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP)?.getOutputSizes(ImageFormat.YUV_420_888).orEmpty()
        val size = chooseCameraSize(sizes.map { it.width to it.height }, width, height) ?: return end("it gives no YUV_420_888")
        val sensor = facts.get(CameraCharacteristics.SENSOR_ORIENTATION) ?: 0
        val facesUser = facing(id) == CameraCharacteristics.LENS_FACING_FRONT
        reader = ImageReader.newInstance(size.first, size.second, ImageFormat.YUV_420_888, IMAGES).apply {
            setOnImageAvailableListener({ from ->
                val image = try {
                    from.acquireLatestImage()
                } catch (error: IllegalStateException) { // all are held: the next frame finds one
                    null
                }
                if (image != null) frames(CameraFrame(image, uprightRotation(sensor, displayDegrees(), facesUser)))
            }, handler)
        }
        opening = true
        manager.openCamera(id, opened, handler)
    }

    private val opened = object : CameraDevice.StateCallback() {
        override fun onOpened(camera: CameraDevice) {
            opening = false
            if (ended) {
                camera.close()
                thread.quitSafely()
                return
            }
            device = camera
            @Suppress("DEPRECATION") // its successor needs Android 9
            orEnd { camera.createCaptureSession(listOf(reader!!.surface), configured, handler) }
        }

        override fun onDisconnected(camera: CameraDevice) = gone(camera, "disconnected")

        override fun onError(camera: CameraDevice, error: Int) = gone(camera, "error $error")

        private fun gone(camera: CameraDevice, why: String) {
            opening = false
            camera.close()
            if (ended) thread.quitSafely() else end(why)
        }
    }

    private val configured = object : CameraCaptureSession.StateCallback() {
        override fun onConfigured(session: CameraCaptureSession) {
            if (ended) return
            orEnd {
                val request = session.device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW)
                request.addTarget(reader!!.surface)
                session.setRepeatingRequest(request.build(), null, handler)
            }
        }

        override fun onConfigureFailed(session: CameraCaptureSession) = end("it refused its settings")
    }

    private fun end(why: String?) {
        if (ended) return
        free()
        lost(why)
    }

    private fun free() {
        ended = true
        device?.close()
        device = null
        reader?.setOnImageAvailableListener(null, null)
        synchronized(held) {
            readerFree = true
            if (held.isEmpty()) reader?.close()
        }
        if (!opening) thread.quitSafely() // else once it is open: an opened camera that nobody hears of stays taken
    }

    /** Returns once the camera is free for others, or soon. */
    override fun close() {
        handler.post { if (!ended) free() }
        thread.join(CLOSE_MILLIS)
    }

    private inner class CameraFrame(private val image: Image, override val rotation: Int) : FlowThread.Frame {
        override val nanos: Long = image.timestamp

        init {
            synchronized(held) { held.add(image) }
        }

        override fun planes(): YuvFrame {
            val (y, u, v) = image.planes
            return YuvFrame(image.width, image.height, y.buffer, y.rowStride, u.buffer, v.buffer, u.rowStride, u.pixelStride)
        }

        override fun close() {
            synchronized(held) {
                if (!held.remove(image)) return
                image.close()
                if (readerFree && held.isEmpty()) reader?.close()
            }
        }
    }

    private companion object {
        /** One at work, one waiting, one being filled. */
        const val IMAGES = 3
        const val CLOSE_MILLIS = 500L
    }
}
