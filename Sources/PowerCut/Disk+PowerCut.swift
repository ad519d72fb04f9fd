// SPDX-License-Identifier: Apache-2.0

extension Disk {
  /// How much of what was not synced a power cut takes.
  package enum Loss: Sendable, Hashable, CaseIterable {
    /// All of it.
    case everything
    /// None: the disk happened to have it all.
    case nothing
    /// Whole writes, each by itself: later ones may be there where earlier ones are not.
    case writes
    /// Sectors of 512 bytes of each write, each by itself: writes are torn too.
    case sectors
    /// Pages of 4096 bytes, as a page cache writes them.
    case pages
  }

  /// The folder as the next start finds it.
  ///
  /// - Parameters:
  ///   - loss: how much is lost.
  ///   - random: draws what; the same numbers give the same folder.
  package func afterPowerCut(
    _ loss: Loss, using random: inout some RandomNumberGenerator
  ) -> [String: [UInt8]] {
    var names = self.namesOnDisk
    let kept =
      switch loss {
      case .everything: 0
      case .nothing: self.namings.count
      default: Int.random(in: 0...self.namings.count, using: &random)
      }
    for naming in self.namings.prefix(kept) { naming.apply(to: &names) }
    var content: [String: [UInt8]] = [:]
    for (name, file) in names.sorted(by: { $0.key < $1.key }) {
      content[name] = Self.content(of: self.files[file], loss, maybeOld: Self.isSQLite(name), using: &random)
    }
    return content
  }

  private static func content(
    of file: File, _ loss: Loss, maybeOld: Bool, using random: inout some RandomNumberGenerator
  ) -> [UInt8] {
    switch loss {
    case .everything: return file.onDisk
    case .nothing: return file.visible
    case .writes, .sectors, .pages: break
    }
    var content = file.onDisk
    // Now most of it is there, now hardly anything.
    let share = Double.random(in: 0...1, using: &random)
    for change in file.since {
      switch change {
      case .resized:
        if Double.random(in: 0..<1, using: &random) < share { change.apply(to: &content) }
      case .wrote(let offset, let bytes):
        for range in self.pieces(offset: offset, count: bytes.count, loss) {
          if Double.random(in: 0..<1, using: &random) < share {
            Change.wrote(offset: range.lowerBound, bytes: Array(bytes[(range.lowerBound - offset)..<(range.upperBound - offset)]))
              .apply(to: &content)
          } else if range.upperBound > content.count, Bool.random(using: &random) {
            // The file has grown, and what it grew by was never written.
            let old = content.count
            Change.resized(to: range.upperBound).apply(to: &content)
            if maybeOld, Bool.random(using: &random) {
              for index in old..<content.count { content[index] = UInt8.random(in: 0...255, using: &random) }
            }
          }
        }
      }
    }
    return content
  }

  /// What a file grew by and was never written reads as zeros; a file system that shows what lay on the disk before is a rarity, but
  /// SQLite says that it copes with that, so its files are held to it.
  private static func isSQLite(_ name: String) -> Bool {
    [".sqlite", "-wal", "-journal"].contains { name.hasSuffix($0) }
  }

  /// The parts of a write that reach the disk, or do not, each by itself: those that lie in one sector or page.
  private static func pieces(offset: Int, count: Int, _ loss: Loss) -> [Range<Int>] {
    let size =
      switch loss {
      case .sectors: 512
      case .pages: 4096
      default: Int.max
      }
    guard size < Int.max, count > 0 else { return [offset..<(offset + count)] }
    var pieces: [Range<Int>] = []
    var start = offset
    while start < offset + count {
      let end = min((start / size + 1) * size, offset + count)
      pieces.append(start..<end)
      start = end
    }
    return pieces
  }
}
