// SPDX-License-Identifier: Apache-2.0

/// Who may do what. The one place that says so: a new verb or route does not compile before it is placed here.
enum ControlRights {
  typealias Verb = ControlAPI.Command.Verb

  /// Who runs puljer and who gives leave; each sees everything.
  private static let staff: Set<ControlRole> = [.viewer, .operator, .approver]
  private static let everybody = Set(ControlRole.allCases)

  static func roles(for verb: Verb) -> Set<ControlRole> {
    switch verb {
    // Back to what was, by one person, at any hour.
    case .rollback: [.operator, .approver]
    // A vendor signs its own confirmation only: ``ControlAsker/refusal(of:own:)``.
    case .signTest: [.operator, .vendor]
    // Looks, and changes nothing; who closes the bus wants to have seen it.
    case .checkBus: [.operator, .approver]
    // The brake is everybody's who may change anything.
    case .pause, .stop: [.operator, .approver]
    case .resume, .quarantine, .readmit, .pauseForwarding, .resumeForwarding, .endForwarding, .retrySetAside: [.operator]
    // What cannot be taken back, and what people answer for by name.
    case .start, .accept, .retire, .release, .approveRemoval, .closeBus, .approveForwarding, .except, .waive: [.approver]
    }
  }

  static func roles(for route: ControlRoute) -> Set<ControlRole> {
    switch route {
    case .health: self.everybody
    // A vendor gets its own parties, and nothing of others.
    case .status, .report, .drain: self.everybody
    // Who one is, is everybody's to know. The board shows all parties; what is live is a vendor's own.
    case .me, .live: self.everybody
    // A report names everybody's parties.
    case .reports, .reportNow, .reportFile: self.staff
    case .board, .group: self.staff
    case .explainDrain, .forwarding, .busDrain, .metrics: self.staff
    case .forwardingTrial: [.operator, .approver]
    // Announcing a ping changes nothing here: the echo is the pinger's own.
    case .echoQueue, .echoes: self.staff
    // Whoever may do any of it; which verb it is, is looked at when it is read.
    case .command: Verb.allCases.reduce(into: []) { $0.formUnion(self.roles(for: $1)) }
    }
  }
}
