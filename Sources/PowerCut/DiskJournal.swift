// SPDX-License-Identifier: Apache-2.0

/// What `tools/power-cut` recorded of one run: every operation on the folder's files, in the order in which it was done.
package struct DiskJournal: Sendable {
  package private(set) var operations: [DiskOperation] = []

  /// Why a journal is no basis for anything.
  package enum Unusable: Error, Hashable, CustomStringConvertible {
    case notAJournal
    /// It ends in the middle of a record that it says it holds.
    case cutOff(at: Int)
    /// The program did something that cannot be recorded or is not modelled.
    case notModelled(String)

    package var description: String {
      switch self {
      case .notAJournal: "this is no journal of tools/power-cut"
      case .cutOff(let at): "the journal ends within the record at byte \(at)"
      case .notModelled(let what): "not modelled: \(what)"
      }
    }
  }

  private static let magic: [UInt8] = Array("PWRCUT01".utf8)
  /// Magic, and the number of bytes that count.
  private static let headSize = 16

  /// - Throws: ``Unusable``.
  package init(_ bytes: [UInt8]) throws(Unusable) {
    if bytes.isEmpty { return }
    guard bytes.count >= Self.headSize, Array(bytes[0..<8]) == Self.magic else { throw .notAJournal }
    // What stands behind was being written when the process was killed.
    let end = Self.headSize + Self.number(bytes, at: 8, size: 8)
    guard end <= bytes.count else { throw .cutOff(at: bytes.count) }
    var place = Self.headSize
    while place < end {
      guard place + 28 <= end else { throw .cutOff(at: place) }
      let kind = Self.number(bytes, at: place, size: 4)
      let offset = Self.number(bytes, at: place + 4, size: 8)
      let sizes = (
        path: Self.number(bytes, at: place + 12, size: 4), other: Self.number(bytes, at: place + 16, size: 4),
        data: Self.number(bytes, at: place + 20, size: 8)
      )
      let next = place + 28 + sizes.path + sizes.other + sizes.data
      guard next <= end else { throw .cutOff(at: place) }
      let path = String(decoding: bytes[(place + 28)..<(place + 28 + sizes.path)], as: UTF8.self)
      let otherStart = place + 28 + sizes.path
      let other = String(decoding: bytes[otherStart..<(otherStart + sizes.other)], as: UTF8.self)
      switch kind {
      case 1: self.operations.append(.created(path))
      case 2: self.operations.append(.wrote(path, offset: offset, bytes: Array(bytes[(otherStart + sizes.other)..<next])))
      case 3: self.operations.append(.resized(path, to: offset))
      case 4: self.operations.append(path.isEmpty ? .folderSynced : .synced(path))
      case 5: self.operations.append(.removed(path))
      case 6: self.operations.append(.renamed(path, to: other))
      default: throw .notModelled("\(other) of \(path)")
      }
      place = next
    }
  }

  private static func number(_ bytes: [UInt8], at place: Int, size: Int) -> Int {
    var value: UInt64 = 0
    for index in (0..<size).reversed() { value = value << 8 | UInt64(bytes[place + index]) }
    return Int(truncatingIfNeeded: value)
  }
}
