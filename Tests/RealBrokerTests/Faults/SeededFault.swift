// SPDX-License-Identifier: Apache-2.0

import BusProbe
import Testing

/// A fault that is made on purpose, and what the pinger must say of it.
struct SeededFault: Sendable, CustomTestStringConvertible {
  /// In a few words, for the table.
  let fault: String
  /// Where it is made.
  let place: String
  /// What must be found.
  let finding: ProbeFinding
  /// The step and the owner by themselves, so that a finding that moves is noticed.
  let code: Int
  let owner: ProbeOwner?
  /// What the line "seen" must have in it, in Norwegian.
  let sees: String
  /// The broker that must have been started for it; nil for none.
  let broker: RealBroker?
  let seed: @Sendable () async throws -> FaultSight

  init(
    _ code: Int, _ owner: ProbeOwner?, _ finding: ProbeFinding, _ fault: String, on place: String, sees: String,
    seed: @escaping @Sendable () async throws -> ProbeReport
  ) {
    self.fault = fault
    self.place = place
    self.finding = finding
    self.code = code
    self.owner = owner
    self.sees = sees
    self.broker = nil
    self.seed = { FaultSight(try await seed()) }
  }

  init(
    _ code: Int, _ owner: ProbeOwner?, _ finding: ProbeFinding, _ fault: String, on broker: RealBroker, sees: String,
    seed: @escaping @Sendable (RealBroker) async throws -> ProbeReport
  ) {
    self.fault = fault
    self.place = broker.name
    self.finding = finding
    self.code = code
    self.owner = owner
    self.sees = sees
    self.broker = broker
    self.seed = { FaultSight(try await seed(broker)) }
  }

  /// One that is seen by the pinger's own program.
  init(
    _ code: Int, _ owner: ProbeOwner?, _ finding: ProbeFinding, _ fault: String, in place: String, sees: String,
    seed: @escaping @Sendable () async throws -> FaultSight
  ) {
    self.fault = fault
    self.place = place
    self.finding = finding
    self.code = code
    self.owner = owner
    self.sees = sees
    self.broker = nil
    self.seed = seed
  }

  var testDescription: String { "\(self.code) \(self.fault) (\(self.place))" }

  /// All that are seeded, in the order of the ladder.
  static let all: [SeededFault] =
    (Self.ofParty + Self.ofNetwork + Self.ofCertificates + Self.ofLogin + Self.ofLinks + Self.ofMessages + Self.ofArrival)
    .enumerated().sorted { ($0.element.code, $0.offset) < ($1.element.code, $1.offset) }.map(\.element)

  /// Those whose place is there now: `make prove` has RabbitMQ 4.3 too.
  static let here = Self.all.filter { fault in
    fault.broker.map { broker in RealBroker.proven.contains { $0.name == broker.name } } ?? true
  }

  /// The table in docs/pinger-faults.md.
  static var table: String {
    var text = "| # | step | fault | made on | finding | whose | what it means |\n| --- | --- | --- | --- | --- | --- | --- |\n"
    for (number, fault) in Self.all.enumerated() {
      let words = fault.finding.words
      let whose = fault.finding.owner?.rawValue ?? "-"
      text +=
        "| \(number + 1) | \(words.code.rawValue) \(words.code.name) | \(fault.fault) | \(fault.place) "
        + "| `\(fault.finding.rawValue)` | \(whose) | \(words.means.nb) |\n"
    }
    return text
  }
}
