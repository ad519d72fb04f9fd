// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import BusProbe

/// Walks up the ladder as the command line asked for, and times it.
struct PartyLooks: Sendable {
  private let probe: PartyProbe
  private let climb: PartyProbe.Climb

  /// - Throws: ``PingerError`` `addressUnusable` for an address that is none.
  init(_ probe: PartyProbe, _ target: TargetOptions, _ recorded: VendorRecord.Grounds) throws(PingerError) {
    var climb = PartyProbe.Climb()
    climb.kind = target.kind
    climb.sending = target.noSend ? .no : target.send ? .yes : .asConfigured
    climb.through = target.quitAfter ?? .echo
    climb.looksAtOtherBuses = target.both
    climb.told = target.told
    climb.recorded = recorded
    if let address = target.address {
      do throws(BusModelError) { climb.address = try QueueAddress(text: address) } catch {
        throw .addressUnusable(text: String(address.prefix(200)), seen: error.explanation.seen)
      }
    }
    self.probe = probe
    self.climb = climb
  }

  func look(_ herID: String?) async -> ProbeLook { await self.look(herID, self.climb) }

  /// The party's queue on one of several buses: under the name that the register gives it, wherever that is.
  ///
  /// - Parameter decided: a look up to the decision.
  func look(_ herID: String, on bus: Bus, decided: ProbeLook) async -> ProbeLook {
    guard let address = decided.report.address, let host = bus.hosts.first else { return decided }
    var climb = self.climb
    // It was pinged on the bus before this one a moment ago.
    climb.waitsToPing = true
    climb.address = decided.report.bus == bus.name ? address : QueueAddress(host: host, path: bus.path, queue: address.queue)
    return await self.look(herID, climb)
  }

  /// Up to the decision which bus and queue it is.
  func decision(_ herID: String) async -> ProbeLook {
    var climb = self.climb
    climb.through = .decision
    return await self.look(herID, climb)
  }

  private func look(_ herID: String?, _ climb: PartyProbe.Climb) async -> ProbeLook {
    let at = SystemRegistryClock().now
    let clock = ContinuousClock()
    let begun = clock.now
    let report = await self.probe.run(herID ?? Self.herID(in: climb.address), climb)
    let taken = (clock.now - begun).components
    return ProbeLook(report, at: at, totalMilliseconds: Double(taken.seconds) * 1_000 + Double(taken.attoseconds) / 1e15)
  }

  /// Queues are named after their HER-ID, 93238_async: where only an address is given, the ping is addressed to that one.
  static func herID(in address: QueueAddress?) -> String {
    String((address?.queue ?? "").prefix { $0.isASCII && $0.isNumber })
  }
}
