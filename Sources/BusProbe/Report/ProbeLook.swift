// SPDX-License-Identifier: Apache-2.0

import AddressRegistry

/// One walk up the ladder, with when it was and how long it took: what all writers write.
public struct ProbeLook: Sendable, Hashable {
  public var report: ProbeReport
  /// When it began.
  public var at: RegistryInstant
  /// From the number that was typed to the last step.
  public var totalMilliseconds: Double

  public init(_ report: ProbeReport, at: RegistryInstant, totalMilliseconds: Double) {
    self.report = report
    self.at = at
    self.totalMilliseconds = totalMilliseconds
  }

  /// How long the way to the queue and back took: to the answer of the party's system, else to the bus's outcome. Nil when the
  /// bus did not take the ping.
  public var roundTripMilliseconds: Double? {
    if let echo = self.report[.echo], echo.finding == .echoCame { return echo.milliseconds }
    guard let outcome = self.report[.outcome], outcome.finding == .accepted || outcome.finding == .acceptedProvesNothing else {
      return nil
    }
    return outcome.milliseconds
  }

  /// Whether a ping was to be sent, and so can be lost.
  public var wasToSend: Bool {
    switch self.report[.outcome]?.finding {
    case .sendingNotWanted, .sendingNotAllowed, .pingedLately, .sendingWouldStay: false
    case nil: self.report.firstFailure != nil
    default: true
    }
  }

  /// Everything measured, in the units of thresholds: seconds and counts. What was not measured is not there.
  public var measured: [NagiosThresholds.Measure: Double] {
    func seconds(_ code: ProbeCode) -> Double? { self.report[code]?.milliseconds.map { $0 / 1_000 } }
    var values: [NagiosThresholds.Measure: Double] = [:]
    values[.total] = self.totalMilliseconds / 1_000
    values[.dns] = seconds(.names)
    values[.connect] = seconds(.reach)
    values[.tls] = seconds(.encryption)
    values[.login] = seconds(.open) ?? seconds(.login)
    values[.settle] = seconds(.outcome)
    values[.rtt] = self.report[.echo]?.finding == .echoCame ? seconds(.echo) : nil
    values[.depth] = self.report.messages.map(Double.init)
    values[.consumers] = self.report.consumers.map(Double.init)
    return values
  }

  /// The status with thresholds taken into it.
  public func status(_ thresholds: NagiosThresholds = .init()) -> ProbeReport.Status {
    thresholds.crossings(self.measured).reduce(self.report.status) { $0.worse($1.status) }
  }
}

extension ProbeReport {
  private func number(_ code: ProbeCode, _ fact: ProbeFact) -> Int? {
    switch self[code]?.facts[fact] {
    case .number(let number): Int(exactly: number)
    // "3 -> 4": the later one.
    case .text(let text): Int(text.reversed().prefix { $0.isASCII && $0.isNumber }.reversed().map(String.init).joined())
    default: nil
    }
  }

  /// Messages on the party's queue, as last counted.
  public var messages: Int? { self.number(.arrival, .depth) }
  /// Who listens on the party's queue, as last counted.
  public var consumers: Int? { self.number(.arrival, .consumers) }
  /// Days until the bus's certificate ends.
  public var certificateDaysLeft: Int? {
    switch self[.encryption]?.finding {
    case .encrypted, .certificateEndsSoon: self.number(.encryption, .days)
    default: nil
    }
  }
}

extension ProbeReport.Status {
  /// For "worst of": critical is worse than unknown, whose number is higher.
  public var severity: Int {
    switch self {
    case .ok: 0
    case .warning: 1
    case .unknown: 2
    case .critical: 3
    }
  }

  /// The worse of the two.
  public func worse(_ other: ProbeReport.Status) -> ProbeReport.Status { self.severity >= other.severity ? self : other }
}
