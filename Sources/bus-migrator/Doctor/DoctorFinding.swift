// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// What is looked at in an installation, in this order. The codes are stable.
enum DoctorStep: String, CaseIterable, Codable {
  case configuration = "DOC-001"
  case files = "DOC-002"
  case secrets = "DOC-003"
  case history = "DOC-004"
  case heads = "DOC-005"
  case disk = "DOC-006"
  case backups = "DOC-007"
  case daemon = "DOC-008"
  case units = "DOC-009"
  case clock = "DOC-010"
  case register = "DOC-011"
  case cache = "DOC-012"
  case bus = "DOC-013"
  case interface = "DOC-014"
  case telling = "DOC-015"
  case reports = "DOC-016"
  case pings = "DOC-017"
  case retention = "DOC-018"

  var title: String {
    switch self {
    case .configuration: "the configuration can be read, and makes sense"
    case .files: "the files and folders that it names are there"
    case .secrets: "files with secrets are nobody else's"
    case .history: "the history can be read, and is of this environment"
    case .heads: "the chain's heads that were kept outside fit the history"
    case .disk: "the history's disk has room"
    case .backups: "there is a young back-up"
    case .daemon: "the daemon answers"
    case .units: "systemd's units are as they should be"
    case .clock: "the machine's clock is set by a time server"
    case .register: "the address register lets us in, and knows our own HER-ID"
    case .cache: "the register's cache is whole, and of this environment"
    case .bus: "the bus lets us in, and can be counted"
    case .interface: "what the interface over TCP rests on does not run out"
    case .telling: "somebody is told"
    case .reports: "reports can be printed"
    case .retention: "nothing is kept longer than was said"
    case .pings: "pings of this machine are counted together"
    }
  }
}

/// What came of looking at one thing.
struct DoctorFinding: Codable, Hashable {
  enum Mark: String, Codable {
    case fine
    /// Nothing is broken; somebody should know.
    case notice
    case wrong
    /// Could not be looked at, and why. Says nothing of the thing itself.
    case skipped
  }

  var step: DoctorStep
  /// Which of several: a bus's name, a unit's.
  var about: String?
  var mark: Mark
  var seen: String
  /// What to do; nil where nothing is to be done.
  var next: String?
  /// Whose it is.
  var owner: FaultOwner?

  static func fine(_ step: DoctorStep, _ seen: String, about: String? = nil) -> DoctorFinding {
    DoctorFinding(step: step, about: about, mark: .fine, seen: seen)
  }

  static func notice(_ step: DoctorStep, _ seen: String, next: String, owner: FaultOwner = .caller, about: String? = nil)
    -> DoctorFinding
  {
    DoctorFinding(step: step, about: about, mark: .notice, seen: seen, next: next, owner: owner)
  }

  static func wrong(_ step: DoctorStep, _ seen: String, next: String, owner: FaultOwner, about: String? = nil) -> DoctorFinding {
    DoctorFinding(step: step, about: about, mark: .wrong, seen: seen, next: next, owner: owner)
  }

  static func skipped(_ step: DoctorStep, _ seen: String, next: String? = nil, about: String? = nil) -> DoctorFinding {
    DoctorFinding(step: step, about: about, mark: .skipped, seen: seen, next: next)
  }

  /// An error in its own words, code and remedy included.
  static func wrong(_ step: DoctorStep, _ error: any Error, about: String? = nil) -> DoctorFinding {
    guard let error = error as? any ExplainedError else {
      return .wrong(step, String("\(error)".prefix(300)), next: "Report it.", owner: .tjenestebuss, about: about)
    }
    let explanation = error.explanation
    return .wrong(
      step, "[\(error.stableCode)] \(explanation.seen)", next: explanation.next, owner: explanation.owner, about: about)
  }
}

/// What `doctor` says.
struct DoctorAnswer: Codable {
  var schema = "bus-migrator/doctor/1"
  var file: String
  /// Nothing is wrong. What was skipped is not known to be right.
  var isFine: Bool
  var findings: [DoctorFinding]

  init(file: String, findings: [DoctorFinding]) {
    self.file = file
    self.isFine = !findings.contains { $0.mark == .wrong }
    self.findings = findings
  }

  var text: String {
    let lines = self.findings.flatMap { finding -> [String] in
      let mark =
        switch finding.mark {
        case .fine: "ok     "
        case .notice: "notice "
        case .wrong: "WRONG  "
        case .skipped: "skipped"
        }
      let about = finding.about.map { " (\($0))" } ?? ""
      let owner = finding.owner.map { " (owner: \($0.rawValue))" } ?? ""
      return ["\(mark) \(finding.step.rawValue) \(finding.step.title)\(about)", "        \(finding.seen)"]
        + (finding.next.map { ["        next: \($0)\(owner)"] } ?? [])
    }
    func count(_ mark: DoctorFinding.Mark) -> Int { self.findings.filter { $0.mark == mark }.count }
    let sum = "\(count(.wrong)) wrong, \(count(.notice)) to know of, \(count(.skipped)) not looked at, \(count(.fine)) in order"
    return (lines + ["", sum]).joined(separator: "\n")
  }
}
