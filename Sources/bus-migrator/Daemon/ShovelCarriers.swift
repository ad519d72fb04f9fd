// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Forwarding
import Foundation
import Logging
import Migration
import MigrationEngine

/// The shovels of all buses on which they may run, as the configuration has them.
struct ShovelCarriers: Sendable {
  struct Side: Sendable {
    var dialect: Dialect
    var management: ShovelManagement?
    /// As a RabbitMQ 4 node reaches this bus.
    var address: Secret?
  }

  let sides: [BusName: Side]
  /// Tells our shovels from others': kept beside the database.
  let owner: String
  let logger: Logger

  /// Between two looks at a shovel.
  private static let pause = Duration.seconds(5)
  private static let triesToRemove = 5

  /// What runs that died have left, on every bus that can have any.
  func removeLeftovers() async {
    for (bus, side) in self.sides {
      guard let management = side.management, side.address != nil else { continue }
      do throws(ShovelError) {
        let carrier = ShovelCarrier(target: management, source: nil, owner: self.owner)
        for name in try await carrier.removeLeftovers() {
          self.logger.warning("removed shovel \(name), which an earlier run had left", metadata: [LogKey.bus.rawValue: "\(bus)"])
        }
      } catch {
        // A bus without the shovel plugins has none of ours.
        self.logger.info(
          "whether shovels of an earlier run are left is not known: [\(error.stableCode)] \(error.explanation.seen)",
          metadata: [LogKey.bus.rawValue: "\(bus)"])
      }
    }
  }

  /// Carries one queue until cancelled: the shovel stands as long as this runs.
  func carry(_ errand: ForwardingErrand) async -> ForwardingEnd {
    guard let from = self.sides[errand.from], let to = self.sides[errand.to], let management = to.management,
      let source = from.address, let target = to.address
    else {
      return .stopped(
        code: CommandLineError.wayNotConfigured(seen: "").stableCode,
        seen: "shovels need management on bus \(errand.to), and shovel-address on \(errand.from) and \(errand.to)")
    }
    let carrier = ShovelCarrier(target: management, source: from.management, owner: self.owner)
    do throws(ShovelError) {
      try ShovelWay.check(source: from.dialect, target: to.dialect)
    } catch { return .stopped(code: error.stableCode, seen: error.explanation.seen) }
    let shovel = ShovelDefinition(
      name: ShovelDefinition.name(
        owner: self.owner, source: errand.from.text, queue: errand.route.from.queue, target: errand.to.text),
      sourceQueue: errand.route.from.queue, targetQueue: errand.route.to.queue, source: source, target: target,
      rules: errand.order.rules())
    let end = await self.watch(shovel, carrier)
    // Whatever ended it, the shovel must not go on: not even when the daemon is told to stop.
    return await self.remove(shovel.name, carrier) ?? end
  }

  private func watch(_ shovel: ShovelDefinition, _ carrier: ShovelCarrier) async -> ForwardingEnd {
    do throws(ShovelError) { try await carrier.begin(shovel) } catch {
      switch error {
      case .unreachable, .refused: return .interrupted(code: error.stableCode, seen: error.explanation.seen)
      default: return .stopped(code: error.stableCode, seen: error.explanation.seen)
      }
    }
    // The broker tells nobody of its own accord how a shovel is doing.
    var lastState = ""
    while (try? await Task.sleep(for: Self.pause)) != nil {
      guard let states = try? await carrier.states() else { continue }
      guard let state = states[shovel.name] else {
        return .stopped(code: "SHOVEL-008", seen: "somebody has removed shovel \(shovel.name)")
      }
      if state != lastState, state != "running" {
        self.logger.warning("shovel \(shovel.name) is \(state)", metadata: [LogKey.code.rawValue: "SHOVEL-008"])
      }
      lastState = state
    }
    return .cancelled
  }

  /// - Returns: how it ended when it could not be removed; nil when it is gone.
  private func remove(_ name: String, _ carrier: ShovelCarrier) async -> ForwardingEnd? {
    // Of its own, since the caller may be cancelled; bounded by its tries and the questions' time.
    let logger = self.logger
    return await Task {
      for attempt in 1...Self.triesToRemove {
        do throws(ShovelError) {
          try await carrier.end(name)
          return nil
        } catch {
          logger.error("\(error)", metadata: [LogKey.code.rawValue: "\(error.stableCode)"])
          if attempt < Self.triesToRemove { try? await Task.sleep(for: .seconds(2)) }
        }
      }
      return ForwardingEnd.stopped(
        code: "SHOVEL-007", seen: "shovel \(name) could not be removed and may still take from the queue")
    }.value
  }

  /// Reads the owner's mark beside the database, or makes it.
  static func owner(besideDatabase database: String) throws -> String {
    let path = database + ".shovels"
    if let data = FileManager.default.contents(atPath: path), let text = String(validating: data, as: UTF8.self) {
      let mark = text.trimmingCharacters(in: .whitespacesAndNewlines)
      if !mark.isEmpty, mark.allSatisfy({ $0.isLetter || $0.isNumber }) { return mark }
    }
    let mark = String(UUID().uuidString.lowercased().filter { $0 != "-" }.prefix(12))
    guard FileManager.default.createFile(atPath: path, contents: Data((mark + "\n").utf8)) else {
      throw CommandLineError.fileUnwritable(path: path, seen: "it cannot be made")
    }
    return mark
  }
}
