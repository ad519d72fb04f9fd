// SPDX-License-Identifier: Apache-2.0

import Foundation
import PowerCut

/// A folder whose files are worked on under `tools/power-cut`, from one power cut to the next.
actor RecordedFolder {
  /// What a power cut did.
  struct Cut: Sendable {
    var loss: Disk.Loss
    /// Recorded since the last cut.
    var operations: Int
    /// Whether anything was there to lose.
    var hadUnsynced: Bool
  }

  private let folder: URL
  private let recorder: PowerCutRecorder
  private var random: Seeded
  private var lives = 0
  private var before: [String: [UInt8]] = [:]

  init(_ folder: URL, recorder: PowerCutRecorder, seed: UInt64) {
    self.folder = folder
    self.recorder = recorder
    self.random = Seeded(seed)
  }

  private var journal: URL {
    self.folder.deletingLastPathComponent().appendingPathComponent("journal-\(self.lives)")
  }

  /// Takes the folder as it is for what is on disk.
  ///
  /// - Returns: what every program gets in its environment until the next cut.
  func begin() throws -> [String: String] {
    self.before = try Self.content(of: self.folder)
    self.lives += 1
    try Data().write(to: self.journal)
    var environment = [
      "LD_PRELOAD": self.recorder.library.path, "POWER_CUT_DIRECTORY": self.folder.path, "POWER_CUT_JOURNAL": self.journal.path,
    ]
    if self.recorder.swallowsSyncs { environment["POWER_CUT_SWALLOW"] = "1" }
    return environment
  }

  /// Makes the folder anew as a power cut leaves it. Nobody may be working in it.
  func cut() throws -> Cut {
    let operations = try DiskJournal(Array(try Data(contentsOf: self.journal))).operations
    let (disk, wasSeen) = try self.replayed(operations)
    guard wasSeen else { throw RehearsalError.notRebuilt("something was written to \(self.folder.path) that was not recorded") }
    let loss = Disk.Loss.allCases.randomElement(using: &self.random) ?? .everything
    let left = disk.afterPowerCut(loss, using: &self.random)
    // New files, so that a program that outlived the cut, which none should, could not write to them.
    for name in try Self.names(in: self.folder) {
      try FileManager.default.removeItem(at: self.folder.appendingPathComponent(name))
    }
    for (name, bytes) in left {
      let place = self.folder.appendingPathComponent(name)
      try Data(bytes).write(to: place)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: place.path)
    }
    try FileManager.default.removeItem(at: self.journal)
    return Cut(loss: loss, operations: operations.count, hadUnsynced: !disk.isAllOnDisk)
  }

  /// The disk after all operations, and whether the folder looks as they say. Where a program killed itself with an operation, that
  /// one is recorded and not done.
  private func replayed(_ operations: [DiskOperation]) throws -> (Disk, wasSeen: Bool) {
    let there = try Self.content(of: self.folder)
    var disk = Disk(self.before)
    for operation in operations.dropLast() { disk.take(operation) }
    var isSeen = disk.visible == there
    if let last = operations.last { disk.take(last) }
    isSeen = isSeen || disk.visible == there
    return (disk, isSeen)
  }

  /// What is recorded: all files but maps and sockets.
  private static func names(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
  }

  private static func content(of folder: URL) throws -> [String: [UInt8]] {
    var content: [String: [UInt8]] = [:]
    for name in try Self.names(in: folder) where !name.hasSuffix("-shm") {
      content[name] = Array(try Data(contentsOf: folder.appendingPathComponent(name)))
    }
    return content
  }
}
