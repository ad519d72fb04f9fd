// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Which client libraries a pulje lets its parties run.
public struct LibraryPolicy: Sendable, Hashable, Codable {
  public struct Minimum: Sendable, Hashable, Codable {
    public var library: String
    public var version: String
    /// The first day on which it holds; nil for at once.
    public var from: LocalDate?

    public init(library: String, version: String, from: LocalDate? = nil) {
      self.library = library
      self.version = version
      self.from = from
    }
  }

  public var minimum: [Minimum]
  /// A library must have been updated within so many days (six months are 183); nil for no such demand.
  public var updatedWithinDays: Int?

  public init(minimum: [Minimum] = [], updatedWithinDays: Int? = nil) {
    self.minimum = minimum
    self.updatedWithinDays = updatedWithinDays
  }
}

/// A client library that a party was seen, or said, to run.
public struct LibrarySighting: Sendable, Hashable, Codable {
  public enum Source: String, Sendable, Hashable, Codable, CaseIterable {
    case ping
    case message
    case connection
    case vendorList = "vendor-list"
  }

  /// nil: what is said holds for all parties of the vendor.
  public var herID: HerID?
  public var vendor: String?
  public var library: String
  /// nil when it was not told.
  public var version: String?
  /// When this version was released, or installed.
  public var updated: LocalDate?
  /// What is spoken on the connection, as the bus names it; nil when it was not seen.
  public var wire: String?
  public var source: Source

  public init(
    herID: HerID?, vendor: String? = nil, library: String, version: String?, updated: LocalDate? = nil, wire: String? = nil,
    source: Source
  ) {
    self.herID = herID
    self.vendor = vendor
    self.library = library
    self.version = version
    self.updated = updated
    self.wire = wire
    self.source = source
  }

  /// Whether it speaks AMQP 1.0; nil when that was not seen.
  var speaksAMQP10: Bool? {
    self.wire.map { wire in
      let digits = wire.filter(\.isNumber)
      return wire.uppercased().contains("AMQP") && (digits == "10" || digits == "100")
    }
  }

  var words: String { "\(self.library) \(self.version ?? "of unknown version") (\(self.source.rawValue))" }
}

/// A version as numbers between dots; what comes after a hyphen or plus does not count.
struct LibraryVersion: Comparable {
  let numbers: [Int]

  /// nil for what is no such version.
  init?(_ text: String) {
    let core = text.drop { $0 == "v" || $0 == "V" }.prefix { $0 != "-" && $0 != "+" }
    let parts = core.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    guard !parts.isEmpty, parts.allSatisfy({ ($0 ?? -1) >= 0 }) else { return nil }
    var numbers = parts.compactMap { $0 }
    while numbers.count > 1, numbers.last == 0 { numbers.removeLast() }
    self.numbers = numbers
  }

  static func < (lhs: LibraryVersion, rhs: LibraryVersion) -> Bool { lhs.numbers.lexicographicallyPrecedes(rhs.numbers) }
}

extension LibraryPolicy {
  /// What is wrong with the libraries of one party, by all that was seen of it: the oldest counts, since a party may have several
  /// machines. Nothing seen is not a pass.
  func findings(_ sightings: [LibrarySighting], today: LocalDate) -> [(code: PlanFinding.Code, seen: String)] {
    guard !sightings.isEmpty else { return [(.libraryUnknown, "no library was seen or named")] }
    var found: [(PlanFinding.Code, String)] = []
    for sighting in sightings {
      for minimum in self.minimum where minimum.library.lowercased() == sighting.library.lowercased() {
        guard let least = LibraryVersion(minimum.version), let version = sighting.version.flatMap(LibraryVersion.init) else {
          found.append((.libraryUnknown, "\(sighting.words), and \(minimum.version) is the least"))
          continue
        }
        guard version < least else { continue }
        let from = minimum.from.map { $0 > today ? ", from \($0)" : "" } ?? ""
        found.append(
          (from.isEmpty ? .libraryTooOld : .librarySoonTooOld, "\(sighting.words), \(minimum.version) is the least\(from)"))
      }
    }
    guard let days = self.updatedWithinDays else { return found }
    let updates = sightings.compactMap(\.updated)
    guard let oldest = updates.min() else { return found + [(.libraryUnknown, "when its library was updated is not known")] }
    if oldest < today.advanced(by: -Int64(days)) {
      found.append((.libraryNotUpdated, "updated \(oldest), more than \(days) days ago"))
    }
    return found
  }

  /// What is wrong with the policy itself, in words.
  var faults: [String] {
    var faults = self.minimum.filter { LibraryVersion($0.version) == nil }.map { "\"\($0.version)\" is no version" }
    if let days = self.updatedWithinDays, days < 1 { faults.append("a library updated within \(days) days") }
    return faults
  }
}
