package tfflow.demo

import android.content.Context
import android.content.res.AssetManager
import tfflow.core.ModelFiles
import tfflow.core.ModelFolder
import java.io.File
import java.io.InputStream

/** A folder of the app's package, assets/models/NAME. */
private class PackagedModel(private val assets: AssetManager, override val name: String) : ModelFiles {
    override fun open(file: String): InputStream = assets.open("models/$name/$file")
}

/** Where `adb push` may put models: /sdcard/Android/data/<app>/files/models. Null while that storage is away. */
fun modelStorage(context: Context): File? = context.getExternalFilesDir("models")

/** The models of the package, then those of the storage; where both have a name, the storage's is taken. */
fun findModels(context: Context): List<ModelFiles> {
    val stored = modelStorage(context)?.listFiles()?.filter { it.isDirectory }?.sorted().orEmpty().map { ModelFolder(it) }
    val packaged = context.assets.list("models").orEmpty().sorted().map { PackagedModel(context.assets, it) }
    return packaged.filter { inside -> stored.none { it.name == inside.name } } + stored
}
