// SPDX-License-Identifier: Apache-2.0

internal import CProton

// Between Proton's values and ours. Maps cross as encoded bytes, so that our own codec is the only one to know all types.

/// Our numbers ride in Proton's context pointers, which Proton never follows.
func context(_ number: Int) -> UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: number) }

func number(_ context: UnsafeMutableRawPointer?) -> Int { context.map(Int.init(bitPattern:)) ?? 0 }

func text(_ pointer: UnsafePointer<CChar>?) -> String? { pointer.map { String(cString: $0) } }

func condition(_ pointer: OpaquePointer?) -> AMQPCondition? {
  guard let pointer, pn_condition_is_set(pointer) else { return nil }
  return AMQPCondition(
    text(pn_condition_get_name(pointer)) ?? "", text: text(pn_condition_get_description(pointer)),
    info: map(pn_condition_info(pointer)))
}

func set(_ condition: AMQPCondition, on pointer: OpaquePointer?) {
  pn_condition_set_name(pointer, condition.name)
  if let text = condition.text { pn_condition_set_description(pointer, text) }
  if !condition.info.isEmpty { write(condition.info, to: pn_condition_info(pointer)) }
}

/// A map that Proton holds; empty when it holds none or something else.
func map(_ data: OpaquePointer?) -> AMQPMap {
  guard let data, pn_data_size(data) > 0 else { return [:] }
  let size = pn_data_encoded_size(data)
  guard size > 0 else { return [:] }
  var bytes = [UInt8](repeating: 0, count: size)
  let written = bytes.withUnsafeMutableBytes { raw in
    raw.withMemoryRebound(to: CChar.self) { pn_data_encode(data, $0.baseAddress, $0.count) }
  }
  guard written == size else { return [:] }
  var decoder = AMQPDecoder(bytes)
  guard case .map(let map)? = try? decoder.value() else { return [:] }
  return map
}

/// Symbol keys, as properties of connections and links must have.
func write(_ map: AMQPMap, to data: OpaquePointer?) {
  var encoder = AMQPEncoder()
  encoder.encode(
    .map(AMQPMap(map.entries.map { AMQPMap.Entry(key: $0.key.text.map(AMQPValue.symbol) ?? $0.key, value: $0.value) })))
  pn_data_clear(data)
  encoder.bytes.withUnsafeBytes { raw in
    raw.withMemoryRebound(to: CChar.self) { _ = pn_data_decode(data, $0.baseAddress, $0.count) }
  }
}
