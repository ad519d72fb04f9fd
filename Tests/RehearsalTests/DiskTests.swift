// SPDX-License-Identifier: Apache-2.0

import PowerCut
import Testing

@testable import rehearsal

@Suite("What a disk keeps when the power goes")
struct DiskTests {
  private func disk(_ content: [String: [UInt8]] = [:], _ operations: [DiskOperation]) -> Disk {
    var disk = Disk(content)
    for operation in operations { disk.take(operation) }
    return disk
  }

  private func left(_ disk: Disk, _ loss: Disk.Loss, seed: UInt64 = 1) -> [String: [UInt8]] {
    var random = Seeded(seed)
    return disk.afterPowerCut(loss, using: &random)
  }

  @Test("what was synced is there, whatever is lost; what was not may be")
  func synced() {
    let disk = self.disk(
      [:],
      [.created("a"), .wrote("a", offset: 0, bytes: [1, 2, 3]), .synced("a"), .folderSynced, .wrote("a", offset: 1, bytes: [9])])
    #expect(disk.visible == ["a": [1, 9, 3]])
    #expect(self.left(disk, .everything) == ["a": [1, 2, 3]])
    #expect(self.left(disk, .nothing) == ["a": [1, 9, 3]])
    let seen = Set((0..<40).map { self.left(disk, .writes, seed: $0)["a"] })
    #expect(seen == [[1, 2, 3], [1, 9, 3]])
  }

  @Test("a file whose making is not on disk is gone, however well its content was synced")
  func names() {
    let disk = self.disk(["b": [7]], [.created("a"), .wrote("a", offset: 0, bytes: [1]), .synced("a")])
    #expect(self.left(disk, .everything) == ["b": [7]])
    #expect(self.left(disk, .nothing) == ["a": [1], "b": [7]])
  }

  @Test("a file that was removed may come back; names change in order")
  func removed() {
    let disk = self.disk(["a": [1]], [.removed("a"), .created("b"), .renamed("b", to: "c")])
    #expect(disk.visible == ["c": []])
    #expect(self.left(disk, .everything) == ["a": [1]])
    let seen = Set((0..<60).map { self.left(disk, .writes, seed: $0) })
    #expect(seen == [["a": [1]], [:], ["b": []], ["c": []]])
  }

  @Test("later writes can be there where earlier ones are not, and a write can be torn between sectors")
  func tornAndReordered() {
    let old = [UInt8](repeating: 0, count: 1024)
    let two = self.disk(["a": old], [.wrote("a", offset: 0, bytes: [1]), .wrote("a", offset: 1, bytes: [2])])
    #expect((0..<60).contains { self.left(two, .writes, seed: $0)["a"]?.prefix(2) == [0, 2] })
    let one = self.disk(["a": old], [.wrote("a", offset: 500, bytes: [UInt8](repeating: 5, count: 100))])
    let torn = (0..<60).compactMap { self.left(one, .sectors, seed: $0)["a"] }
    #expect(torn.contains { $0[511] == 5 && $0[512] == 0 })
    #expect(torn.contains { $0[511] == 0 && $0[512] == 5 })
    #expect((0..<60).allSatisfy { self.left(one, .pages, seed: $0)["a"].map { $0[511] == $0[512] } ?? false })
  }

  @Test("a file may have grown without what it grew by")
  func grown() {
    let disk = self.disk(["a": [1]], [.wrote("a", offset: 1, bytes: [2, 2, 2, 2])])
    let seen = Set((0..<80).compactMap { self.left(disk, .writes, seed: $0)["a"] })
    #expect(seen.contains([1]) && seen.contains([1, 2, 2, 2, 2]) && seen.contains([1, 0, 0, 0, 0]))
    #expect(seen.allSatisfy { $0[0] == 1 && ($0.count == 1 || $0.count == 5) })
  }

  @Test("a journal that is none, or holds what is not modelled, is refused")
  func unusable() {
    #expect(throws: DiskJournal.Unusable.notAJournal) { try DiskJournal(Array(repeating: 1, count: 40)) }
    var bytes = Array("PWRCUT01".utf8) + [28, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 28)
    #expect(throws: DiskJournal.Unusable.notModelled(" of ")) { try DiskJournal(bytes) }
    bytes[8] = 40
    #expect(throws: DiskJournal.Unusable.cutOff(at: 44)) { try DiskJournal(bytes) }
    #expect(throws: Never.self) { try DiskJournal([]) }
  }
}
