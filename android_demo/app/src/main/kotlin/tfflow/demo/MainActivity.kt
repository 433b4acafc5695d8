package tfflow.demo

import android.Manifest
import android.app.Activity
import android.app.AlertDialog
import android.content.ActivityNotFoundException
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Bundle
import android.os.SystemClock
import android.provider.Settings
import android.widget.Button
import tfflow.core.FlowEstimator
import tfflow.core.FlowThread
import tfflow.core.ModelFiles
import tfflow.core.Refused
import tfflow.core.readManifest
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors

/** Flow of the camera, or of two pictures, in colour. What is at work lives from onStart to onStop. */
class MainActivity : Activity() {
    private lateinit var view: FlowView
    private lateinit var pairButton: Button
    private lateinit var checkButton: Button
    private var models = emptyList<ModelFiles>()
    private var flow: FlowThread? = null
    private var estimatorSize: Pair<Int, Int>? = null // width and height of the images, once the model is ready
    private var camera: Camera? = null
    private var readers: ExecutorService? = null
    private var pair = ArrayList<Uri>() // two: these are shown; one: the second is being chosen
    private var asked = false
    private var checked = false // whether flow is shown with its confidence
    private var retry: (() -> Unit)? = null // what a touch on a message does
    private var started = false

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.main)
        view = findViewById(R.id.flow)
        pairButton = findViewById(R.id.pair)
        checkButton = findViewById(R.id.check)
        asked = state?.getBoolean(ASKED) ?: false
        checked = state?.getBoolean(CHECKED) ?: false
        @Suppress("DEPRECATION") // its successor needs Android 13
        state?.getParcelableArrayList<Uri>(PAIR)?.let { pair = it }
        view.change {
            state?.getDouble(SCALE)?.let { scale = it }
            state?.getInt(VIEW)?.let { this.view = tfflow.core.View.values()[it] }
        }
        view.setOnClickListener { retry?.invoke() }
        findViewById<Button>(R.id.model).setOnClickListener { chooseModel() }
        findViewById<Button>(R.id.view).setOnClickListener {
            view.change { nextView() }
            flow?.again()
        }
        findViewById<Button>(R.id.scale).setOnClickListener {
            view.change { nextScale() }
            flow?.again()
        }
        showChecked()
        checkButton.setOnClickListener {
            checked = !checked
            showChecked()
            flow?.check(checked)
        }
        pairButton.setOnClickListener { if (pair.isEmpty()) choosePicture() else toCamera() }
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        state.putBoolean(ASKED, asked)
        state.putBoolean(CHECKED, checked)
        state.putParcelableArrayList(PAIR, pair)
        synchronized(view.screen) {
            state.putDouble(SCALE, view.screen.scale)
            state.putInt(VIEW, view.screen.view.ordinal)
        }
    }

    override fun onStart() {
        super.onStart()
        started = true
        readers = Executors.newSingleThreadExecutor()
        models = findModels(this)
        startModel()
    }

    override fun onStop() {
        started = false
        stopCamera()
        flow?.close()
        flow = null
        estimatorSize = null
        readers?.shutdown()
        super.onStop()
    }

    private fun tell(message: String?, onTouch: (() -> Unit)? = null) {
        retry = onTouch
        view.tell(message)
    }

    private fun showChecked() {
        checkButton.setText(if (checked) R.string.uncheck else R.string.check)
        checkButton.contentDescription = "${checkButton.text}: ${getString(R.string.check_why)}"
    }

    // The model

    private fun startModel() {
        stopCamera()
        flow?.close()
        flow = null
        estimatorSize = null
        view.change {
            forget()
            model = ""
        }
        val wanted = getPreferences(MODE_PRIVATE).getString(MODEL, null)
        val files = models.find { it.name == wanted } ?: models.firstOrNull()
        if (files == null) return tell(getString(R.string.no_models, modelStorage(this) ?: getString(R.string.no_storage)))
        tell(getString(R.string.loading))
        flow = FlowThread(files, TfLiteRuntime.Companion::open, Reports()).also { it.check(checked) }
    }

    /** What one model's thread tells; after another took its place, nothing of it counts. */
    private inner class Reports : FlowThread.Listener {
        @Volatile private var shown = false

        private fun onMain(task: () -> Unit) = runOnUiThread { if (started && flow != null && current === this) task() }

        init {
            current = this
        }

        override fun ready(estimator: FlowEstimator) {
            val size = estimator.manifest.width to estimator.manifest.height
            onMain {
                view.change { model = estimator.manifest.label }
                estimatorSize = size
                showSource()
            }
        }

        override fun flow(estimator: FlowEstimator) {
            if (current !== this) return
            view.change { show(estimator, SystemClock.elapsedRealtimeNanos()) }
            if (shown) return
            shown = true
            onMain { if (camera != null || pair.size == 2) tell(null) } // else the camera was lost meanwhile, and that is told
        }

        override fun refused(message: String) = onMain { tell(message) }

        override fun failed(message: String) = onMain {
            stopCamera()
            tell(message)
        }

        /** The next flow takes the place of whatever message is shown then. */
        fun await() {
            shown = false
        }
    }

    @Volatile private var current: Reports? = null

    private fun chooseModel() {
        val labels = models.map { files ->
            try {
                "${readManifest(files).label} (${files.name})"
            } catch (error: Refused) {
                getString(R.string.broken_model, files.name)
            }
        }
        if (models.isEmpty()) return
        val wanted = getPreferences(MODE_PRIVATE).getString(MODEL, null)
        val at = Math.max(0, models.indexOfFirst { it.name == wanted })
        AlertDialog.Builder(this).setTitle(R.string.choose_model).setSingleChoiceItems(labels.toTypedArray(), at) { dialog, chosen ->
            dialog.dismiss()
            getPreferences(MODE_PRIVATE).edit().putString(MODEL, models[chosen].name).apply()
            if (started) startModel()
        }.show()
    }

    /** The camera or the pair, once the model is ready. */
    private fun showSource() {
        pairButton.setText(if (pair.isEmpty()) R.string.choose_pair else R.string.back_to_camera)
        if (estimatorSize == null) return
        current?.await()
        flow?.forget()
        view.change { forget() }
        if (pair.size == 2) readPair() else startCamera()
    }

    // The camera

    private fun startCamera() {
        stopCamera()
        val (width, height) = estimatorSize ?: return
        if (checkSelfPermission(Manifest.permission.CAMERA) != PackageManager.PERMISSION_GRANTED) {
            tell(getString(R.string.camera_refused)) { askForCamera() }
            if (!asked) askForCamera()
            return
        }
        tell(getString(R.string.waiting))
        val to = flow ?: return
        @Suppress("DEPRECATION") // its successor needs Android 11
        val display = windowManager.defaultDisplay
        var made: Camera? = null
        made = Camera(this, width, height, { 90 * display.rotation }, { to.offer(it) }) { why ->
            runOnUiThread {
                if (started && camera === made) {
                    camera = null
                    if (why == null) tell(getString(R.string.no_camera)) else tell(getString(R.string.camera_lost, why)) { showSource() }
                }
            }
        }
        camera = made
    }

    private fun stopCamera() {
        camera?.close()
        camera = null
    }

    private fun toCamera() {
        pair.clear()
        showSource()
    }

    private fun askForCamera() {
        if (asked && !shouldShowRequestPermissionRationale(Manifest.permission.CAMERA)) {
            // Refused for good: the system asks no more, its settings remain.
            val settings = Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, Uri.fromParts("package", packageName, null))
            try {
                startActivity(settings)
            } catch (error: ActivityNotFoundException) {
                tell(getString(R.string.no_settings))
            }
        } else {
            asked = true
            requestPermissions(arrayOf(Manifest.permission.CAMERA), ASK_CAMERA)
        }
    }

    override fun onRequestPermissionsResult(request: Int, permissions: Array<String>, results: IntArray) {
        if (request == ASK_CAMERA && results.isNotEmpty() && started && pair.size < 2) showSource()
    }

    // Two pictures

    private fun choosePicture() {
        val intent = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType("image/*")
        intent.putExtra(Intent.EXTRA_ALLOW_MULTIPLE, pair.isEmpty())
        android.widget.Toast.makeText(this, if (pair.isEmpty()) R.string.first_picture else R.string.second_picture, android.widget.Toast.LENGTH_LONG).show()
        try {
            startActivityForResult(intent, CHOOSE_PICTURE)
        } catch (error: ActivityNotFoundException) {
            pair.clear()
            stopCamera()
            tell(getString(R.string.no_gallery)) { showSource() }
        }
    }

    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        if (request != CHOOSE_PICTURE) return
        val several = data?.clipData
        val chosen = if (several != null) (0 until several.itemCount).map { several.getItemAt(it).uri } else listOfNotNull(data?.data)
        if (result != RESULT_OK || chosen.isEmpty()) {
            pair.clear()
        } else if (pair.size + chosen.size > 2) {
            pair.clear()
            android.widget.Toast.makeText(this, getString(R.string.too_many, chosen.size), android.widget.Toast.LENGTH_LONG).show()
        } else {
            pair.addAll(chosen)
        }
        if (pair.size == 1) choosePicture() else showSource() // before onStart, which shows it once the model is ready
    }

    private fun readPair() {
        stopCamera()
        tell(getString(R.string.loading))
        val to = flow ?: return
        val uris = pair.toList()
        readers?.execute {
            try {
                val (first, second) = uris.map { readPicture(contentResolver, it) }
                to.still(first, second)
            } catch (error: Unreadable) {
                runOnUiThread { if (started && pair == uris) tell(getString(R.string.no_picture, error.uri.lastPathSegment)) { toCamera() } }
            }
        }
    }

    private companion object {
        const val MODEL = "model"
        const val ASKED = "asked"
        const val CHECKED = "checked"
        const val PAIR = "pair"
        const val SCALE = "scale"
        const val VIEW = "view"
        const val ASK_CAMERA = 1
        const val CHOOSE_PICTURE = 2
    }
}
