// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The journal beside a database whose writer died and that is not kept in WAL mode. Ours has one only while it is being made: a file that
/// held something and has one is a copy in another mode, cut off or half written.
enum RollbackJournal {
  private static let magic = Data([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7])

  /// Whether the database held nothing, or one page, before what the journal can take back was begun; false when that cannot be seen.
  static func isOfNewFile(besides path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path + "-journal") else { return false }
    defer { try? file.close() }
    guard let header = try? file.read(upToCount: 20), header.count == 20, header.prefix(8) == Self.magic else { return false }
    return header.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) } <= 1
  }
}
