// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import AMQP

/// What is left when something has ended: tasks, parts of connections, descriptors. Counted for one test's own container id and
/// port, so that the tests beside it do not matter.
enum Remains {
  /// Carried by every task that is begun, directly or not, by the one that sets it; gone when the last of them is.
  @TaskLocal private static var witness: Witness?

  private final class Witness: Sendable {
    private let gone: OneShot<Bool>
    init(_ gone: OneShot<Bool>) { self.gone = gone }
    deinit { self.gone.fulfil(true) }
  }

  /// Runs `body` with a container id that nobody else has, and expects that it leaves no task and no part of a connection.
  ///
  /// Both are waited for, as the last closure of an event loop may end a moment after a call returns; the limit only guards
  /// against hanging.
  static func none(after body: (_ containerID: String) async throws -> Void) async throws {
    let containerID = "remains-\(UInt64.random(in: .min ... .max))"
    let tasks = OneShot<Bool>()
    try await self.$witness.withValue(Witness(tasks)) { try await body(containerID) }
    #expect(await self.comes(tasks), "a task is left")
    for owner in [containerID, "\(containerID)-receiving"] {
      let parts = OneShot<Bool>()
      LiveCount.whenNothingIsLeft(of: owner).whenDone { parts.fulfil(true) }
      #expect(await self.comes(parts), "left of \(owner): \(LiveCount.of(owner))")
    }
  }

  private static func comes(_ shot: OneShot<Bool>) async -> Bool {
    let timer = NIOSingletons.posixEventLoopGroup.any().scheduleTask(in: .seconds(60)) { _ = shot.fulfil(false) }
    defer { timer.cancel() }
    return await shot.uncancelledValue()
  }

  /// Descriptors of this process that are sockets to `port` of this machine, whatever state they are in.
  static func descriptors(to port: Int) throws -> Int {
    let ours = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").reduce(into: Set<String>()) { inodes, name in
      // "socket:[1234]"; nothing when another test has closed it in the meantime.
      var target = [CChar](repeating: 0, count: 64)
      let size = readlink("/proc/self/fd/\(name)", &target, target.count)
      let words = String(decoding: target.prefix(max(0, size)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if words.hasPrefix("socket:[") { inodes.insert(String(words.dropFirst(8).dropLast())) }
    }
    // Read to its end: the kernel gives a page at a time, and String(contentsOfFile:) takes no more than the first.
    let bytes = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/net/tcp")).readToEnd() ?? Data()
    let table = String(decoding: bytes, as: UTF8.self)
    let suffix = ":" + String(format: "%04X", port)
    return table.split(separator: "\n").dropFirst().count { line in
      let fields = line.split(separator: " ", omittingEmptySubsequences: true)
      return fields.count > 9 && fields[2].hasSuffix(suffix) && ours.contains(String(fields[9]))
    }
  }
}
