// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Forwarding
import Foundation
import Migration

/// What a shovel has carried, by what the source bus counts as settled by the login that shovels have there: the bus's own count, seconds
/// late, and less than there was when a receiver went between two looks. Where that login has other receivers on the queue it is more.
actor ShovelTally {
  private let source: (any ShovelNode)?
  private let queue: String
  private let user: String?
  private let run = UUID().uuidString
  private var before: [String: Int64] = [:]
  private var seen: [String: Int64] = [:]

  /// - Parameters:
  ///   - source: the bus that is carried from; nil where it has no management interface: then nothing is counted.
  ///   - address: the shovel's login there.
  init(source: (any ShovelNode)?, queue: String, address: Secret) {
    self.source = source
    self.queue = queue
    self.user = address.withPlainText { URLComponents(string: $0)?.user }
  }

  /// What was settled before this shovel does not count.
  func begin() async {
    for settled in await self.read() ?? [] { self.before[settled.receiver] = settled.count }
  }

  /// nil when nothing was read, or nothing carried.
  func count() async -> ForwardingCount? {
    guard let found = await self.read() else { return nil }
    for settled in found { self.seen[settled.receiver] = max(settled.count, self.seen[settled.receiver] ?? 0) }
    let carried = self.seen.reduce(Int64(0)) { $0 + max(0, $1.value - (self.before[$1.key] ?? 0)) }
    return carried > 0 ? ForwardingCount(run: self.run, received: carried, accepted: carried) : nil
  }

  private func read() async -> [ShovelManagement.Settled]? {
    guard let source, let user else { return nil }
    return try? await source.settled(of: self.queue).filter { $0.user == user }
  }
}
