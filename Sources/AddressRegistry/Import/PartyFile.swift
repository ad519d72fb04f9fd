// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation

/// A JSON file of parties: an array of objects `herID`, `name`, `kind`, `parent` (absent or null for none), `active`,
/// `valid`, `addresses` (objects `typeCode`, `text`, `inherited`). `docs/address-register.md` shows one.
///
/// Reading is strict: a field that is missing, unknown or of the wrong type, a HER-ID that stands twice, or a queue address
/// that is none, fails the whole file and names the entry.
public enum PartyFile {
  /// - Throws: ``AddressRegistryError`` `importUnreadable`, `importNotJSON`, `importEntryInvalid`, `importDuplicate`.
  public static func read(path: String) throws(AddressRegistryError) -> [PartyRecord] {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw .importUnreadable(path: path, seen: FileTrouble.words(error))
    }
    return try Self.parse(data, path: path)
  }

  /// Reads the file's content.
  ///
  /// - Parameter path: only for error texts.
  public static func parse(_ data: Data, path: String) throws(AddressRegistryError) -> [PartyRecord] {
    let entries: [StrictParty]
    do { entries = try JSONDecoder().decode([StrictParty].self, from: data) } catch {
      throw Self.explained(error, data: data, path: path)
    }
    var positions: [HerID: [Int]] = [:]
    for (index, entry) in entries.enumerated() {
      if let problem = entry.problem {
        throw .importEntryInvalid(
          path: path, entry: index + 1, herID: entry.record.herID, field: problem.field, problem: problem.text)
      }
      positions[entry.record.herID, default: []].append(index + 1)
    }
    if let (herID, places) = positions.filter({ $0.value.count > 1 }).min(by: { $0.key < $1.key }) {
      throw .importDuplicate(path: path, herID, entries: places)
    }
    return entries.map(\.record)
  }

  /// The records as such a file, in order of HER-ID, the same bytes for the same records.
  public static func data(of records: [PartyRecord]) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(records.sorted { $0.herID < $1.herID })
  }

  private static func explained(_ error: any Error, data: Data, path: String) -> AddressRegistryError {
    guard let failure = error as? DecodingError else { return .importNotJSON(path: path, seen: String("\(error)".prefix(200))) }
    let (context, problem): (DecodingError.Context, String) =
      switch failure {
      case .keyNotFound(let key, let context): (context, "the field \(key.stringValue) is missing")
      case .typeMismatch(_, let context), .valueNotFound(_, let context): (context, context.debugDescription)
      case .dataCorrupted(let context): (context, context.debugDescription)
      @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), "an error of unknown kind")
      }
    guard let entry = context.codingPath.first?.intValue else {
      let below = (context.underlyingError as NSError?)?.userInfo[NSDebugDescriptionErrorKey] as? String
      let seen = below ?? problem
      return .importNotJSON(path: path, seen: seen.hasSuffix(".") ? String(seen.dropLast()) : seen)
    }
    let field = context.codingPath.dropFirst().reduce("") { path, key in
      if let index = key.intValue { return path + "[\(index + 1)]" }
      return path.isEmpty ? key.stringValue : path + "." + key.stringValue
    }
    return .importEntryInvalid(
      path: path, entry: entry + 1, herID: Self.herID(ofEntry: entry, in: data), field: field, problem: problem)
  }

  /// The HER-ID of an entry that could not be read whole, to help find it.
  private static func herID(ofEntry entry: Int, in data: Data) -> HerID? {
    struct OnlyHerID: Decodable { var herID: HerID? }
    struct Lenient: Decodable {
      var herID: HerID?
      init(from decoder: any Decoder) { self.herID = (try? OnlyHerID(from: decoder))?.herID }
    }
    guard let entries = try? JSONDecoder().decode([Lenient].self, from: data), entries.indices.contains(entry) else { return nil }
    return entries[entry].herID
  }
}
