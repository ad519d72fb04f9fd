// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Testing

@testable import bus_migrator

/// Also part of `make sanitize`: there both processes are built for the thread sanitizer, and one that has anything to report ends with
/// another exit code than 0.
@Suite("Two processes share the cache of the register", .timeLimit(.minutes(10)))
struct TwoProcessesTests {
  @Test("another process writes the cache while 16 readers of this one read: no answer is a mixture, and none is missing")
  func sixteenReaders() async throws {
    let folder = URL(fileURLWithPath: "/tmp/two-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let configuration = folder.appendingPathComponent("m.yaml")
    let text = ConfigurationFileTests.good.replacing("  user: u", with: "  user: u\n  cache: cache.sqlite")
    try Data(text.utf8).write(to: configuration)
    let here = try (Int32(1)...200).map { try Stage.record($0) }
    let there = here.map { record in
      var record = record
      for index in record.addresses.indices { record.addresses[index].text.replace("a.example", with: "b.example") }
      return record
    }
    let files = try [here, there].enumerated().map { index, records in
      let file = folder.appendingPathComponent("parties-\(index).json")
      try PartyFile.data(of: records).write(to: file)
      return file.path
    }
    func take(_ file: String) async throws {
      let ending = try await ChildProgram.run(
        "bus-migrator", ["registry", "import", "--execute", file, "--config", configuration.path], folder: folder)
      #expect(ending.exitCode == 0, "\(ending.complaint)")
      #expect(!ending.complaint.contains("Sanitizer"), "\(ending.complaint)")
    }
    try await take(files[0])
    let cache = try await AddressCache.open(
      path: folder.appendingPathComponent("cache.sqlite").path, access: .readOnly, environment: "test")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<16 {
        group.addTask {
          var place = index
          while !Task.isCancelled {
            if index.isMultiple(of: 2) {
              let parties = try await cache.parties().map(\.record)
              // An import is one transaction: all of one file, or all of the other.
              #expect(parties == here || parties == there)
            } else {
              // A look-up on the calling thread never suspends: the others must get their turn all the same.
              await Task.yield()
              place = (place + 7) % here.count
              let found = try cache.partyNow(here[place].herID)?.record
              #expect(found == here[place] || found == there[place])
            }
          }
        }
      }
      for round in 1...6 { try await take(files[round % 2]) }
      group.cancelAll()
      while let result = await group.nextResult() {
        if case .failure(let error) = result, !(error is CancellationError) { throw error }
      }
    }
    #expect(try await cache.parties().map(\.record) == here)
    try await cache.close()
  }
}
