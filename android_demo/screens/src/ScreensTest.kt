package tfflow.demo

import android.Manifest
import android.app.Activity
import android.app.Application
import android.content.ClipData
import android.content.Context
import android.content.Intent
import android.content.res.Configuration
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.ImageFormat
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.net.Uri
import android.os.Looper
import android.provider.Settings
import android.view.View
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowCameraCharacteristics
import org.robolectric.shadows.StreamConfigurationMapBuilder
import java.io.ByteArrayOutputStream
import java.io.File
import java.util.Base64

/**
 * The app itself, its activity and its views, on Android's framework for a desktop's JVM, with what a person sees drawn by
 * Android's own graphics into -Dtfflow.screens. -Dtfflow.models=DIR=GOLDEN:DIR=GOLDEN, as ExportedModelTest of the core.
 */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "w360dp-h740dp-port-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ScreensTest {
    private val exports = System.getProperty("tfflow.models").split(':').map { it.split('=').map(::File) }
    private val application: Application = RuntimeEnvironment.getApplication()
    private val storage = application.getExternalFilesDir("models")!!
    private lateinit var controller: ActivityController<MainActivity>
    private val activity: MainActivity get() = controller.get()
    private val view: FlowView get() = activity.findViewById(R.id.flow)

    @Before
    fun noModels() {
        storage.deleteRecursively()
    }

    /** Puts an export into the app's storage, as `adb push` does. */
    private fun push(export: List<File>): File = File(storage, export[0].name).also { export[0].copyRecursively(it) }

    private fun start() {
        controller = Robolectric.buildActivity(MainActivity::class.java).setup()
    }

    private fun allow() = shadowOf(application).grantPermissions(Manifest.permission.CAMERA)

    private fun until(what: String, done: () -> Boolean) {
        val end = System.nanoTime() + 60_000_000_000
        while (true) {
            shadowOf(Looper.getMainLooper()).idle()
            if (synchronized(view.screen) { done() }) return
            check(System.nanoTime() < end) { "no \"$what\": the screen says \"${view.screen.message}\"" }
            Thread.sleep(5)
        }
    }

    private fun untilTold(words: String) = until(words) { view.screen.message?.contains(words) == true }

    private fun untilFlow() = until("flow") { view.screen.message == null && view.screen.picture.width > 0 }

    private fun click(id: Int) = activity.findViewById<View>(id).performClick()

    private fun picture(name: String) {
        shadowOf(Looper.getMainLooper()).idle()
        val root = activity.window.decorView
        val bitmap = Bitmap.createBitmap(root.width, root.height, Bitmap.Config.ARGB_8888)
        root.draw(Canvas(bitmap))
        val folder = File(System.getProperty("tfflow.screens")).apply { mkdirs() }
        File(folder, "$name.png").outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
    }

    /** Two frames of the export's golden file, as pictures of a gallery. */
    private fun gallery(golden: File): List<Uri> {
        val frames = JSONObject(golden.readText())
        val width = frames.getInt("width")
        val height = frames.getInt("height")
        return listOf("image1", "image2").map { name ->
            val rgb = Base64.getDecoder().decode(frames.getString(name))
            val pixels = IntArray(width * height) { i ->
                (0 until 3).fold(255) { pixel, c -> (pixel shl 8) or (rgb[3 * i + c].toInt() and 255) }
            }
            val png = ByteArrayOutputStream()
            Bitmap.createBitmap(pixels, width, height, Bitmap.Config.ARGB_8888).compress(Bitmap.CompressFormat.PNG, 100, png)
            Uri.parse("content://gallery/$name.png").also { uri ->
                shadowOf(application.contentResolver).registerInputStreamSupplier(uri) { png.toByteArray().inputStream() }
            }
        }
    }

    private fun choose(uris: List<Uri>) {
        click(R.id.pair)
        val asked = shadowOf(activity).nextStartedActivityForResult.intent
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, asked.action)
        val clips = ClipData.newRawUri("", uris[0])
        for (uri in uris.drop(1)) clips.addItem(ClipData.Item(uri))
        shadowOf(activity).receiveResult(asked, Activity.RESULT_OK, Intent().apply { clipData = clips })
    }

    @Test
    fun `without a model it says where to put one`() {
        start()
        untilTold("No model here")
        assertTrue(view.screen.message!!.contains(storage.path))
        picture("no-model")
    }

    @Test
    fun `a damaged model, and a manifest of another version, are told`() {
        val file = File(push(exports[0]), "model.tflite")
        file.writeBytes(file.readBytes().also { it[it.size / 2]++ })
        start()
        untilTold("its SHA-256 is not that of its manifest")
        picture("damaged-model")
        controller.pause().stop()
        val manifest = File(file.parentFile, "model.json")
        manifest.writeText(manifest.readText().replace("tfflow-model-1", "tfflow-model-9"))
        controller.start().resume() // the person copied another, and comes back
        untilTold("\"tfflow-model-9\", this app reads \"tfflow-model-1\"")
        controller.pause().stop()
        file.parentFile!!.deleteRecursively()
        push(exports[0])
        allow()
        controller.start().resume()
        untilTold("no camera")
    }

    @Test
    fun `a refused camera is told, and a touch leads to where it can be allowed`() {
        push(exports[0])
        start()
        untilTold("The camera may not be used")
        picture("camera-refused")
        assertEquals("android.content.pm.action.REQUEST_PERMISSIONS", shadowOf(activity).nextStartedActivity.action)
        activity.onRequestPermissionsResult(1, arrayOf(Manifest.permission.CAMERA), intArrayOf(-1))
        untilTold("The camera may not be used")
        view.performClick()
        assertEquals(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, shadowOf(activity).nextStartedActivity.action)
        controller.pause().stop()
        allow()
        controller.start().resume()
        untilTold("This device has no camera")
        picture("no-camera")
    }

    @Test
    fun `a lost camera is told, and a touch opens it again`() {
        val manager = application.getSystemService(Context.CAMERA_SERVICE) as CameraManager
        val facts = ShadowCameraCharacteristics.newCameraCharacteristics()
        shadowOf(facts).set(CameraCharacteristics.LENS_FACING, CameraCharacteristics.LENS_FACING_BACK)
        val sizes = StreamConfigurationMapBuilder.newBuilder().addOutputSize(ImageFormat.YUV_420_888, android.util.Size(640, 480)).build()
        shadowOf(facts).set(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP, sizes)
        shadowOf(manager).addCamera("0", facts)
        push(exports[0])
        allow()
        start()
        untilTold("Waiting for the camera")
        until("a lost camera") {
            shadowOf(manager).triggerDisconnect() // which nobody hears until the camera's thread has opened it
            view.screen.message?.contains("The camera was lost") == true
        }
        println(view.screen.message)
        picture("camera-lost")
        shadowOf(manager).removeCamera("0")
        view.performClick()
        untilTold("This device has no camera")
    }

    @Test
    fun `two pictures, every view, turned, in the background and back`() {
        push(exports[0])
        allow()
        start()
        untilTold("no camera")
        val uris = gallery(exports[0][1])
        choose(uris)
        untilFlow()
        picture("pair-colours")
        click(R.id.view)
        until("blend") { view.screen.picture.view == tfflow.core.View.BLEND }
        picture("pair-blend")
        val plain = view.screen.picture.pixels.copyOf()
        click(R.id.check)
        until("confidence") { !view.screen.picture.pixels.contentEquals(plain) }
        picture("pair-confidence")
        click(R.id.view)
        until("arrows") { view.screen.picture.view == tfflow.core.View.ARROWS }
        click(R.id.scale)
        val scale = view.screen.scale
        picture("pair-arrows")

        val before = activity
        RuntimeEnvironment.setQualifiers("w740dp-h360dp-land-xhdpi")
        controller.recreate() // as the system does where the phone is turned
        assertTrue(activity !== before && activity.resources.configuration.orientation == Configuration.ORIENTATION_LANDSCAPE)
        untilFlow()
        assertEquals(scale, view.screen.scale, 0.0)
        assertEquals(tfflow.core.View.ARROWS, view.screen.picture.view)
        picture("turned")

        controller.pause().stop()
        controller.start().resume()
        untilFlow()
        click(R.id.pair)
        untilTold("no camera")
    }

    @Test
    fun `a model of another size that is dropped in works`() {
        val sizes = exports.map { export ->
            noModels()
            push(export)
            allow()
            start()
            untilTold("no camera")
            choose(gallery(export[1]))
            untilFlow()
            picture("model-${export[0].name}")
            controller.pause().stop().destroy()
            view.screen.model.also(::println)
        }
        assertEquals(exports.size, sizes.toSet().size)
    }
}
