// SPDX-License-Identifier: Apache-2.0

/// A folder's files as programs see them, and what of them is on disk. Pure: operations in, what a power cut leaves out.
///
/// A file's content is on disk up to its last sync; of what was done since, any part may be. Which files there are is on disk up
/// to the folder's last sync; of what was done since, the disk has the first so many steps, since file systems keep these in
/// order. A file whose making is not on disk is gone, whatever was synced of its content.
package struct Disk: Sendable {
  /// What was done to a file since its last sync.
  enum Change: Sendable, Hashable {
    case wrote(offset: Int, bytes: [UInt8])
    case resized(to: Int)

    func apply(to content: inout [UInt8]) {
      switch self {
      case .wrote(let offset, let bytes):
        let end = offset + bytes.count
        if content.count < end { content += [UInt8](repeating: 0, count: end - content.count) }
        content.replaceSubrange(offset..<end, with: bytes)
      case .resized(let size):
        if content.count > size {
          content.removeLast(content.count - size)
        } else {
          content += [UInt8](repeating: 0, count: size - content.count)
        }
      }
    }
  }

  struct File: Sendable {
    var onDisk: [UInt8]
    var since: [Change] = []

    var visible: [UInt8] {
      var content = self.onDisk
      for change in self.since { change.apply(to: &content) }
      return content
    }
  }

  enum Naming: Sendable {
    case made(String, Int)
    case removed(String)
    case renamed(String, to: String)

    func apply(to names: inout [String: Int]) {
      switch self {
      case .made(let name, let file): names[name] = file
      case .removed(let name): names[name] = nil
      case .renamed(let old, let new):
        names[new] = names[old]
        names[old] = nil
      }
    }
  }

  private(set) var files: [File] = []
  /// As programs see it.
  private(set) var names: [String: Int] = [:]
  private(set) var namesOnDisk: [String: Int] = [:]
  private(set) var namings: [Naming] = []

  /// - Parameter content: the folder's files, all of it on disk.
  package init(_ content: [String: [UInt8]]) {
    for (name, bytes) in content.sorted(by: { $0.key < $1.key }) {
      self.names[name] = self.files.count
      self.files.append(File(onDisk: bytes))
    }
    self.namesOnDisk = self.names
  }

  package mutating func take(_ operation: DiskOperation) {
    switch operation {
    case .created(let name): self.make(name)
    case .wrote(let name, let offset, let bytes): self.change(name, .wrote(offset: offset, bytes: bytes))
    case .resized(let name, let size): self.change(name, .resized(to: size))
    case .synced(let name):
      guard let file = self.names[name] else { return }
      self.files[file].onDisk = self.files[file].visible
      self.files[file].since = []
    case .folderSynced:
      self.namesOnDisk = self.names
      self.namings = []
    case .removed(let name): self.note(.removed(name))
    case .renamed(let old, let new): self.note(.renamed(old, to: new))
    }
  }

  private mutating func make(_ name: String) {
    self.files.append(File(onDisk: []))
    self.note(.made(name, self.files.count - 1))
  }

  private mutating func note(_ naming: Naming) {
    naming.apply(to: &self.names)
    self.namings.append(naming)
  }

  private mutating func change(_ name: String, _ change: Change) {
    if self.names[name] == nil { self.make(name) }
    guard let file = self.names[name] else { return }
    self.files[file].since.append(change)
  }

  /// What programs see: everything that was done.
  package var visible: [String: [UInt8]] { self.names.mapValues { self.files[$0].visible } }

  /// One file as programs see it; nil when there is none of that name.
  package func visible(_ name: String) -> [UInt8]? { self.names[name].map { self.files[$0].visible } }

  /// Whether nothing is left to lose.
  package var isAllOnDisk: Bool { self.namings.isEmpty && self.files.allSatisfy { $0.since.isEmpty } }
}
