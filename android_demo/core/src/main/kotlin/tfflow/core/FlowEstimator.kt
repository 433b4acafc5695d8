package tfflow.core

import java.io.Closeable
import java.nio.ByteBuffer

/**
 * Flow of camera frames or of two pictures by one exported network. Owns the runtime and all buffers, takes every size,
 * type, range and index from the manifest, and allocates nothing from frame to frame. Used from one thread, see [FlowThread].
 *
 * Raises [Refused] where the runtime's tensors are not those of the manifest.
 */
class FlowEstimator(model: Model, open: (Model) -> FlowRuntime, maxGapNanos: Long = MAX_GAP_NANOS) : Closeable {
    val manifest: Manifest = model.manifest
    private val pair = FramePair(manifest.image1.bytes, maxGapNanos)
    private val inputs = Array(2) { pair.first }
    private val outputs = Array(manifest.flows.size) { tensorBuffer(manifest.flows[it].bytes) }
    private val resizer = Resizer(manifest.image1)
    private val yuvToRgb = YuvToRgb()
    private val rgb = RgbImage()
    private val runtime: FlowRuntime = open(model)
    private var started = 0L

    /** Flow from image1 to image2, on image1's pixels: of the last pair. */
    val flow: FlowField = outputs[manifest.flow12.index].let { buffer ->
        FlowField(buffer.asFloatBuffer(), manifest.flow12.width, manifest.flow12.height, manifest.flow12.stride)
    }

    /**
     * Whether [estimate] also makes [confidence]: a network that gives one direction then runs twice for a pair, the
     * second time with the images exchanged.
     */
    var checked = false

    private val backward = manifest.flows.find { it.name == "flow21" }
    private val exchanged by lazy { Array(outputs.size) { tensorBuffer(manifest.flows[it].bytes) } }
    private val made = Confidence()

    /** Of the last pair, where it was [checked]. */
    var confidence: Confidence? = null
        private set

    /** Where the picture lies in the images. */
    val placement: Placement get() = resizer.placement

    /** Milliseconds from a frame's arrival here to its flow, and of the network alone. */
    val total = LatencyStats()
    val network = LatencyStats()
    val where: String get() = runtime.where

    init {
        try {
            check("input", listOf(manifest.image1, manifest.image2).sortedBy { it.index }.map(::tensor), runtime.inputs)
            check("output", manifest.flows.map { FlowRuntime.Tensor(listOf(1, it.height, it.width, 2), "float32") }, runtime.outputs)
        } catch (error: Refused) {
            runtime.close()
            throw error
        }
    }

    private fun tensor(image: ImageSpec) =
        FlowRuntime.Tensor(listOf(1, image.height, image.width, 3), if (image.uint8) "uint8" else "float32")

    private fun check(kind: String, expected: List<FlowRuntime.Tensor>, came: List<FlowRuntime.Tensor>) {
        if (expected != came) throw Refused("${manifest.file}: its ${kind}s are $came, its manifest says $expected: export the network again")
    }

    /** First runs are slow: memory is touched, kernels are chosen. They count in no statistics. */
    fun warmUp(runs: Int = WARM_UP) = repeat(runs) { run() }

    /**
     * Reads the next frame of a camera, taken at `nanos`, and turns it upright. True where it makes a pair with the one
     * before: then [estimate] is next. The frame's memory is not needed any more.
     */
    fun take(frame: YuvFrame, rotation: Int, nanos: Long): Boolean {
        started = System.nanoTime()
        yuvToRgb.convert(frame, rotation, rgb)
        if (rgb.width != placement.sourceWidth || rgb.height != placement.sourceHeight) pair.forget()
        resizer.write(rgb, pair.next)
        return pair.push(nanos)
    }

    /** [flow] of the pair that was taken: from the frame before to the last. */
    fun estimate() {
        val before = System.nanoTime()
        compute()
        val ended = System.nanoTime()
        network.add((ended - before) / 1e6, ended)
        total.add((ended - started) / 1e6, ended)
    }

    /** The last pair once more, which counts in no statistics: after [checked] changed. */
    fun compute() {
        run()
        confidence = if (checked) made.also { it.set(flow, back()) } else null
    }

    private fun back(): FlowField {
        val spec = backward ?: manifest.flow12
        if (backward == null) run(pair.second, pair.first, exchanged)
        return FlowField((if (backward == null) exchanged else outputs)[spec.index].asFloatBuffer(), spec.width, spec.height, spec.stride)
    }

    /** Flow from one picture to another of the same size. */
    fun still(image1: RgbImage, image2: RgbImage) {
        if (image1.width != image2.width || image1.height != image2.height) {
            throw Refused(
                "the pictures are ${image1.width}x${image1.height} and ${image2.width}x${image2.height} pixels: " +
                    "choose two of the same size, taken one after the other",
            )
        }
        started = System.nanoTime()
        pair.forget()
        resizer.write(image1, pair.next)
        pair.push(0)
        resizer.write(image2, pair.next)
        pair.push(1)
        pair.forget()
        estimate()
    }

    /** After a pause: the next frame begins a new pair and new statistics. */
    fun forget() {
        pair.forget()
        total.clear()
        network.clear()
    }

    /** A pixel of image1 of the last pair, 0xFFRRGGBB. */
    fun pixel(x: Int, y: Int): Int {
        val spec = manifest.image1
        val at = 3 * (y * spec.width + x)
        var pixel = 255
        for (i in at until at + 3) {
            val value = if (spec.uint8) (pair.first.get(i).toInt() and 255).toDouble() else pair.first.getFloat(4 * i).toDouble()
            pixel = (pixel shl 8) or Math.rint((value - spec.low) / (spec.high - spec.low) * 255.0).toInt().coerceIn(0, 255)
        }
        return pixel
    }

    private fun run() = run(pair.first, pair.second, outputs)

    private fun run(first: ByteBuffer, second: ByteBuffer, into: Array<ByteBuffer>) {
        inputs[manifest.image1.index] = first
        inputs[manifest.image2.index] = second
        rewind(into)
        runtime.run(inputs, into)
        rewind(into) // a runtime may leave buffers at their ends
        if (first == second) for (buffer in into) clear(buffer) // equal in every bit: as tfflow/data/arrays.py has it
    }

    private fun rewind(outputs: Array<ByteBuffer>) {
        for (buffer in inputs) buffer.rewind()
        for (buffer in outputs) buffer.rewind()
    }

    /** No motion, whatever the network gave. */
    private fun clear(flow: ByteBuffer) {
        for (at in 0 until flow.capacity() step 4) flow.putFloat(at, 0f)
    }

    override fun close() = runtime.close()

    companion object {
        const val WARM_UP = 3

        /** Frames further apart are no pair: at 30 frames a second, more than four were missed. */
        const val MAX_GAP_NANOS = 150_000_000L
    }
}
