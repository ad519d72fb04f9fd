// SPDX-License-Identifier: Apache-2.0

/// Read strictly: a field that nobody knows is an error. A roll-back whose `herIDs` is misspelt would be one of the whole pulje.
extension ControlAPI.Command: Decodable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case verb, pulje, herIDs, bus, wave, by, why, until, lasts, planHash, test, approvedPlan, request, order, exception, preview
  }

  init(from decoder: any Decoder) throws {
    try StrictFields.check(decoder, known: CodingKeys.allCases.map(\.rawValue), what: "the command")
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      verb: try fields.decode(Verb.self, forKey: .verb), pulje: try fields.decodeIfPresent(forKey: .pulje),
      herIDs: try fields.decodeIfPresent(forKey: .herIDs), bus: try fields.decodeIfPresent(forKey: .bus),
      wave: try fields.decodeIfPresent(forKey: .wave), by: try fields.decodeIfPresent(forKey: .by) ?? [],
      why: try fields.decodeIfPresent(forKey: .why) ?? "", until: try fields.decodeIfPresent(forKey: .until),
      lasts: try fields.decodeIfPresent(forKey: .lasts), planHash: try fields.decodeIfPresent(forKey: .planHash),
      test: try fields.decodeIfPresent(forKey: .test), approvedPlan: try fields.decodeIfPresent(forKey: .approvedPlan),
      request: try fields.decodeIfPresent(forKey: .request))
    self.order = try fields.decodeIfPresent(forKey: .order)
    self.exception = try fields.decodeIfPresent(forKey: .exception)
    self.preview = try fields.decodeIfPresent(forKey: .preview)
  }
}

extension KeyedDecodingContainer {
  fileprivate func decodeIfPresent<Value: Decodable>(forKey key: Key) throws -> Value? {
    try self.decodeIfPresent(Value.self, forKey: key)
  }
}

/// Fields by whatever name they have.
enum StrictFields {
  private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  static func check(_ decoder: any Decoder, known: [String], what: String) throws {
    let fields = try decoder.container(keyedBy: AnyKey.self)
    if let strange = fields.allKeys.map(\.stringValue).filter({ !known.contains($0) }).min() {
      throw CommandLineError.argumentWrong(
        name: what, seen: "the field \(strange.prefix(60))", wanted: "no fields but \(known.joined(separator: ", "))")
    }
  }
}
