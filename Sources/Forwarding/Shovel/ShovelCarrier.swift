// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure

/// Carries queues by RabbitMQ's own shovels: declares them, watches them, takes them away again. Nothing passes through this process.
///
/// What differs from our forwarder: **a shovel drops (or dead-letters at the source) what the target rejects, may send again what it had
/// on its way when it or the target starts anew, and journals neither**. A time to live begins anew at the target, and the user-id goes
/// along, so its login at the target needs the tag `impersonator`. Fields and body arrive as they were sent; they are encoded anew.
public struct ShovelCarrier: Sendable {
  private let management: any ShovelNode
  private let source: (any ShovelNode)?
  private let owner: String

  /// - Parameters:
  ///   - management: of the RabbitMQ 4 node that the shovels run on: the target.
  ///   - source: of the source bus, to see that a queue is there before it is taken from; nil where it has none.
  ///   - owner: whose shovels these are: letters and digits, kept for good, and other than every other daemon's on the same bus.
  public init(target management: any ShovelNode, source: (any ShovelNode)?, owner: String) {
    self.management = management
    self.source = source
    self.owner = owner
  }

  /// Declares one shovel.
  ///
  /// - Throws: ``ShovelError`` `queueMissing`, `anotherShovel`, or what the management interface gives. Whatever is thrown: call ``end(_:)``
  ///   before anything else is done with the queue.
  public func begin(_ shovel: ShovelDefinition) async throws(ShovelError) {
    if let source, try await !source.hasQueue(shovel.sourceQueue) {
      throw .queueMissing(queue: shovel.sourceQueue, role: "source")
    }
    guard try await self.management.hasQueue(shovel.targetQueue) else {
      throw .queueMissing(queue: shovel.targetQueue, role: "target")
    }
    let others = try await self.management.standing().filter { $0.sourceQueue == shovel.sourceQueue && $0.name != shovel.name }
    if let other = others.first { throw .anotherShovel(queue: shovel.sourceQueue, name: other.name) }
    try await self.management.declare(shovel)
  }

  /// How each of our shovels is doing, by name; one that is declared and not listed is `starting`. One that is listed and not declared any
  /// more is none: RabbitMQ 4.0 goes on listing a shovel for a moment after it was removed, and one that never ran for good.
  public func states() async throws(ShovelError) -> [String: String] {
    let prefix = ShovelDefinition.prefix(owner: self.owner)
    var states: [String: String] = [:]
    for name in try await self.management.declared() where name.hasPrefix(prefix) { states[name] = "starting" }
    for shovel in try await self.management.standing() where states[shovel.name] != nil { states[shovel.name] = shovel.state }
    return states
  }

  /// Whether the bus has it no more: neither declared nor at work.
  public func isGone(_ name: String) async throws(ShovelError) -> Bool {
    if try await self.management.declared().contains(name) { return false }
    return try await !self.management.standing().contains { $0.name == name && $0.state == "running" }
  }

  /// Removes one, and looks that it is gone.
  ///
  /// - Throws: ``ShovelError``; then it may still take from the queue.
  public func end(_ name: String) async throws(ShovelError) {
    try await self.management.remove(name)
    // It ends a moment after its definition is gone, and the broker tells nobody of its own accord.
    for _ in 0..<Self.looksForTheEnd {
      if try await self.isGone(name) { return }
      guard (try? await Task.sleep(for: Self.lookPause)) != nil else { break }
    }
    throw .notRemoved(name: name)
  }

  private static let looksForTheEnd = 40
  private static let lookPause = Duration.milliseconds(250)

  /// The names of shovels of this owner that are declared, whoever declared them.
  public func ours() async throws(ShovelError) -> [String] {
    let prefix = ShovelDefinition.prefix(owner: self.owner)
    return try await self.management.declared().filter { $0.hasPrefix(prefix) }
  }
}
