// Flow of two frames by model.tflite, through the C interface of TensorFlow Lite 2.16 and later.
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "tensorflow/lite/c/c_api.h"

// What model.json says, read by the JSON library of your app.
struct Manifest {
  const char* signature;  // signature
  int height, width;      // resize.to
  bool bytes;             // inputs[].type is uint8, else float32
  float low, high;        // inputs[].range
};

// rgb1, rgb2: the earlier and the later frame, resized to height * width pixels of 3 bytes, R G B, rows from the top.
// Returns u, v of each pixel of rgb1: how far it moves to the right and down, in pixels of these images.
std::vector<float> flow(const char* file, const Manifest& m, const uint8_t* rgb1, const uint8_t* rgb2) {
  std::unique_ptr<TfLiteModel, void (*)(TfLiteModel*)> model(TfLiteModelCreateFromFile(file), TfLiteModelDelete);
  if (!model) throw std::runtime_error("model.tflite cannot be read");
  std::unique_ptr<TfLiteInterpreter, void (*)(TfLiteInterpreter*)> interpreter(
      TfLiteInterpreterCreate(model.get(), nullptr), TfLiteInterpreterDelete);
  if (!interpreter) throw std::runtime_error("model.tflite has an operator that this library lacks");
  std::unique_ptr<TfLiteSignatureRunner, void (*)(TfLiteSignatureRunner*)> runner(
      TfLiteInterpreterGetSignatureRunner(interpreter.get(), m.signature), TfLiteSignatureRunnerDelete);
  if (!runner || TfLiteSignatureRunnerAllocateTensors(runner.get()) != kTfLiteOk)
    throw std::runtime_error("model.tflite is not the file of this model.json");
  const size_t count = size_t(m.height) * m.width * 3;
  const auto put = [&](const char* name, const uint8_t* rgb) {
    TfLiteTensor* input = TfLiteSignatureRunnerGetInputTensor(runner.get(), name);
    if (m.bytes) return TfLiteTensorCopyFromBuffer(input, rgb, count);
    std::vector<float> values(count);
    for (size_t i = 0; i < count; i++) values[i] = m.low + (m.high - m.low) * rgb[i] / 255;
    return TfLiteTensorCopyFromBuffer(input, values.data(), count * sizeof(float));
  };
  if (put("image1", rgb1) != kTfLiteOk || put("image2", rgb2) != kTfLiteOk ||
      TfLiteSignatureRunnerInvoke(runner.get()) != kTfLiteOk)
    throw std::runtime_error("the network did not run");
  const TfLiteTensor* output = TfLiteSignatureRunnerGetOutputTensor(runner.get(), "flow12");
  std::vector<float> uv(TfLiteTensorByteSize(output) / sizeof(float));
  TfLiteTensorCopyToBuffer(output, uv.data(), uv.size() * sizeof(float));
  return uv;  // for a frame of another size: u * its width / m.width, v * its height / m.height
}
