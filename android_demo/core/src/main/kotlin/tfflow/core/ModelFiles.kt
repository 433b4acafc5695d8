package tfflow.core

import java.io.File
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.MessageDigest

/** A folder that holds a model.json and its .tflite: in the app's package or on its storage. */
interface ModelFiles {
    /** How messages call it. */
    val name: String

    /** Raises IOException where there is no such file. */
    fun open(file: String): InputStream
}

class ModelFolder(private val folder: File) : ModelFiles {
    override val name: String get() = folder.name

    override fun open(file: String): InputStream = File(folder, file).inputStream()
}

/** A manifest and the file that it describes, which is whole: its SHA-256 was taken. `contents` is direct, as the runtime wants it. */
class Model(val manifest: Manifest, val contents: ByteBuffer)

/** Reads the manifest alone. Raises [Refused] where there is none or it is of another version. */
fun readManifest(files: ModelFiles): Manifest {
    val where = "${files.name}/model.json"
    val text = try {
        files.open("model.json").use { it.readBytes().toString(Charsets.UTF_8) }
    } catch (error: IOException) {
        throw Refused("$where is missing: put in what export/to_tflite.py wrote, model.json and model.tflite", error)
    }
    return Manifest.parse(text, where)
}

/** Raises [Refused] where a file is missing, or the .tflite is not the one that the manifest describes. */
fun readModel(files: ModelFiles): Model {
    val manifest = readManifest(files)
    val where = "${files.name}/${manifest.file}"
    if (manifest.bytes > Int.MAX_VALUE) throw Refused("$where has ${manifest.bytes} bytes, at most ${Int.MAX_VALUE} can be loaded: export a smaller one")
    val digest = MessageDigest.getInstance("SHA-256")
    val contents = ByteBuffer.allocateDirect(manifest.bytes.toInt()).order(ByteOrder.nativeOrder())
    try {
        files.open(manifest.file).use { stream ->
            val part = ByteArray(1 shl 16)
            while (true) {
                val count = stream.read(part)
                if (count < 0) break
                if (count > contents.remaining()) throw Refused("$where has more than the ${manifest.bytes} bytes of its manifest: copy both files again")
                digest.update(part, 0, count)
                contents.put(part, 0, count)
            }
        }
    } catch (error: IOException) {
        throw Refused("$where is missing or cannot be read: put in both files that export/to_tflite.py wrote", error)
    }
    if (contents.hasRemaining()) throw Refused("$where has ${contents.position()} bytes of the ${manifest.bytes} of its manifest: copy it again")
    val sha256 = digest.digest().joinToString("") { "%02x".format(it) }
    if (sha256 != manifest.sha256) throw Refused("$where is damaged or another file: its SHA-256 is not that of its manifest: copy both files again")
    contents.rewind()
    return Model(manifest, contents)
}
