import { loadAndCompile, Tensor } from "@litertjs/core"; // after: await loadLiteRt(folder of its .wasm files)

/** Flow of two frames by the model.json at an address and the .tflite beside it. */
export async function openFlow(address) {
  const manifest = await (await fetch(address)).json();
  if (manifest.format !== "tfflow-model-1") throw new Error("another version of model.json: export again");
  const file = await fetch(new URL(manifest.file, new URL(address, location.href)));
  const model = await loadAndCompile(new Uint8Array(await file.arrayBuffer()), { accelerator: "wasm" });

  /** RGBA of a canvas of the manifest's size -> the network's numbers. */
  function image({ data }, { type, range: [low, high], shape }) {
    const bytes = type === "uint8";
    const values = new (bytes ? Uint8Array : Float32Array)((data.length / 4) * 3);
    for (let pixel = 0, i = 0; pixel < data.length; pixel += 4) {
      for (let c = 0; c < 3; c++, i++) values[i] = bytes ? data[pixel + c] : low + ((high - low) * data[pixel + c]) / 255;
    }
    return new Tensor(values, shape);
  }

  /**
   * The earlier and the later frame, ImageData of manifest.resize.to (height, width) pixels -> u, v of each pixel of
   * the first: how far it moves to the right and down, in pixels of these images.
   */
  async function flow(frame1, frame2) {
    const frames = { image1: frame1, image2: frame2 };
    const inputs = Object.fromEntries(manifest.inputs.map((input) => [input.name, image(frames[input.name], input)]));
    const outputs = await model.run(manifest.signature, inputs);
    const uv = await outputs.flow12.data();
    for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.delete();
    return uv;
  }
  return { manifest, flow };
}
