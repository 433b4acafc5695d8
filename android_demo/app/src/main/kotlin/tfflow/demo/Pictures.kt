package tfflow.demo

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import android.media.ExifInterface
import android.net.Uri
import tfflow.core.RgbImage
import java.io.IOException

/** A picture that can not be read has no pixels to give. */
class Unreadable(val uri: Uri) : Exception()

/** The picture upright, halved until it has at most [MOST] pixels a side. Raises [Unreadable]. */
fun readPicture(resolver: ContentResolver, uri: Uri): RgbImage {
    try {
        val bounds = BitmapFactory.Options().apply { inJustDecodeBounds = true }
        open(resolver, uri).use { BitmapFactory.decodeStream(it, null, bounds) }
        val options = BitmapFactory.Options()
        options.inSampleSize = 1
        while (Math.max(bounds.outWidth, bounds.outHeight) / options.inSampleSize > MOST) options.inSampleSize *= 2
        val decoded = open(resolver, uri).use { BitmapFactory.decodeStream(it, null, options) } ?: throw Unreadable(uri)
        val upright = turned(decoded, open(resolver, uri).use { degrees(ExifInterface(it)) })
        val pixels = IntArray(upright.width * upright.height)
        upright.getPixels(pixels, 0, upright.width, 0, 0, upright.width, upright.height)
        return RgbImage().apply { setPixels(pixels, upright.width, upright.height) }
    } catch (error: IOException) {
        throw Unreadable(uri)
    } catch (error: SecurityException) { // the permission to read it ended with the app's last run
        throw Unreadable(uri)
    } catch (error: OutOfMemoryError) {
        throw Unreadable(uri)
    }
}

private const val MOST = 2048

private fun open(resolver: ContentResolver, uri: Uri) = resolver.openInputStream(uri) ?: throw Unreadable(uri)

private fun degrees(exif: ExifInterface): Float = when (exif.getAttributeInt(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL)) {
    ExifInterface.ORIENTATION_ROTATE_90 -> 90f
    ExifInterface.ORIENTATION_ROTATE_180 -> 180f
    ExifInterface.ORIENTATION_ROTATE_270 -> 270f
    else -> 0f
}

private fun turned(bitmap: Bitmap, degrees: Float): Bitmap {
    if (degrees == 0f) return bitmap
    return Bitmap.createBitmap(bitmap, 0, 0, bitmap.width, bitmap.height, Matrix().apply { setRotate(degrees) }, false)
}
