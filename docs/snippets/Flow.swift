import Foundation
import TensorFlowLite // the pod TensorFlowLiteSwift

/// What is read of model.json.
struct Manifest: Decodable {
  struct Input: Decodable {
    let type: String
    let range: [Float]
  }
  struct Resize: Decodable { let to: [Int] }
  let format: String
  let file: String
  let signature: String
  let inputs: [Input]
  let resize: Resize
}

/// Flow of two frames by the model.tflite and model.json of a folder.
final class Flow {
  let manifest: Manifest
  private let runner: SignatureRunner
  private let interpreter: Interpreter

  init(folder: URL) throws {
    manifest = try JSONDecoder().decode(Manifest.self, from: Data(contentsOf: folder.appendingPathComponent("model.json")))
    precondition(manifest.format == "tfflow-model-1", "another version of model.json: export again")
    interpreter = try Interpreter(modelPath: folder.appendingPathComponent(manifest.file).path)
    runner = try interpreter.signatureRunner(with: manifest.signature)
    try runner.allocateTensors()
  }

  /// The earlier and the later frame, resize.to pixels of 3 bytes, R G B, rows from the top -> u, v of each pixel of rgb1:
  /// how far it moves to the right and down, in pixels of these images.
  func of(_ rgb1: Data, _ rgb2: Data) throws -> [Float] {
    try runner.copy(image(rgb1), toInputNamed: "image1")
    try runner.copy(image(rgb2), toInputNamed: "image2")
    try runner.invoke()
    return try runner.output(named: "flow12").data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
  }

  private func image(_ rgb: Data) -> Data {
    let input = manifest.inputs[0]
    if input.type == "uint8" { return rgb }
    let values = rgb.map { input.range[0] + (input.range[1] - input.range[0]) * Float($0) / 255 }
    return values.withUnsafeBufferPointer { Data(buffer: $0) }
  }
}
