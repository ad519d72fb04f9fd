// SPDX-License-Identifier: Apache-2.0

extension GroupState {
  /// What was seen and said of a group. It lies behind one reference, since a group is handed on many times for each time it changes:
  /// to a guard that decides, to an errand, to a report.
  struct Evidence: Sendable, Hashable, Codable {
    var members: [Member]
    var hold: Hold?
    var quarantine: Note?
    var lastFailure: String?
    var preflight: PreflightReport?
    var pings: [PingReport] = []
    var drain: DrainLedger = DrainLedger()
    var forwardDrain: DrainLedger?
    var rollBack: Note?
    var acceptedBy: [String] = []
    var withdrawal: Note?
    var tests: [TestSignature] = []
    var hookAnswers: [String: HookAnswer] = [:]
    /// Nil for none.
    var stepAnswers: [StepAnswer]?
    var gates: GateLedger = GateLedger()
    /// Nil for none.
    var shovels: [StandingShovel]?
    var history: [Step]
  }

  public internal(set) var members: [Member] {
    _read { yield self.evidence.value.members }
    _modify { yield &self.evidence.value.members }
  }

  public internal(set) var hold: Hold? {
    _read { yield self.evidence.value.hold }
    _modify { yield &self.evidence.value.hold }
  }

  public internal(set) var quarantine: Note? {
    _read { yield self.evidence.value.quarantine }
    _modify { yield &self.evidence.value.quarantine }
  }

  /// What failed last, in words.
  public internal(set) var lastFailure: String? {
    _read { yield self.evidence.value.lastFailure }
    _modify { yield &self.evidence.value.lastFailure }
  }

  public internal(set) var preflight: PreflightReport? {
    _read { yield self.evidence.value.preflight }
    _modify { yield &self.evidence.value.preflight }
  }

  public internal(set) var pings: [PingReport] {
    _read { yield self.evidence.value.pings }
    _modify { yield &self.evidence.value.pings }
  }

  /// Of the bus being left in the present direction.
  public internal(set) var drain: DrainLedger {
    _read { yield self.evidence.value.drain }
    _modify { yield &self.evidence.value.drain }
  }

  /// Of the source bus, kept when a roll-back starts the other.
  public internal(set) var forwardDrain: DrainLedger? {
    _read { yield self.evidence.value.forwardDrain }
    _modify { yield &self.evidence.value.forwardDrain }
  }

  public internal(set) var rollBack: Note? {
    _read { yield self.evidence.value.rollBack }
    _modify { yield &self.evidence.value.rollBack }
  }

  public internal(set) var acceptedBy: [String] {
    _read { yield self.evidence.value.acceptedBy }
    _modify { yield &self.evidence.value.acceptedBy }
  }

  public internal(set) var withdrawal: Note? {
    _read { yield self.evidence.value.withdrawal }
    _modify { yield &self.evidence.value.withdrawal }
  }

  /// Every word on the party's tests, in order.
  public internal(set) var tests: [TestSignature] {
    _read { yield self.evidence.value.tests }
    _modify { yield &self.evidence.value.tests }
  }

  /// What the hooks said of the present attestation.
  public internal(set) var hookAnswers: [String: HookAnswer] {
    _read { yield self.evidence.value.hookAnswers }
    _modify { yield &self.evidence.value.hookAnswers }
  }

  /// What hooks said at other points than the cut; of the phase that the group stands in, and of its way back.
  var stepAnswers: [StepAnswer] {
    get { self.evidence.value.stepAnswers ?? [] }
    set { self.evidence.value.stepAnswers = newValue.isEmpty ? nil : newValue }
  }

  /// Of the target bus, since the watch began.
  public internal(set) var gates: GateLedger {
    _read { yield self.evidence.value.gates }
    _modify { yield &self.evidence.value.gates }
  }

  /// Every phase ever entered, in order.
  public internal(set) var history: [Step] {
    _read { yield self.evidence.value.history }
    _modify { yield &self.evidence.value.history }
  }
}
