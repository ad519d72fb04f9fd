// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import Testing

@testable import MigrationStore
@testable import bus_migrator

@Suite("The doctor's judgement of what it sees")
struct DoctorTests {
  private let now = Instant(milliseconds: 1_790_000_000_000)
  private func head(_ sequence: Int64, _ letter: Character = "a") -> ChainHead {
    ChainHead(sequence: sequence, hash: String(repeating: letter, count: 64))
  }
  private func backup(_ age: TimeSpan, environment: String? = "test") -> HistoryBackup {
    HistoryBackup(
      madeAt: Instant(milliseconds: self.now.milliseconds - age.milliseconds), environment: environment, head: self.head(7),
      files: [])
  }

  @Test("a disk has room for twice the history and a gibibyte at least")
  func disk() {
    #expect(DoctorJudgement.disk(free: 5 << 30, history: 1 << 30).mark == .fine)
    #expect(DoctorJudgement.disk(free: (1 << 30) - 1, history: 0).mark == .wrong)
    let full = DoctorJudgement.disk(free: 3 << 30, history: 2 << 30)
    #expect(full.mark == .wrong && full.seen == "3.0 GiB free, the history is 2.0 GiB" && full.owner == .host)
  }

  @Test("a back-up is young, of this environment, and there as soon as there is a history")
  func backups() {
    func judged(_ backup: HistoryBackup?, head: Int64? = 9) -> DoctorFinding.Mark {
      DoctorJudgement.backup(backup, environment: "test", head: head, now: self.now, folder: "/b").mark
    }
    #expect(judged(self.backup(.hours(12))) == .fine && judged(self.backup(.hours(14))) == .wrong)
    #expect(
      judged(self.backup(.hours(1), environment: "production")) == .wrong
        && judged(self.backup(.hours(1), environment: nil)) == .fine)
    #expect(judged(nil) == .wrong && judged(nil, head: nil) == .fine)
  }

  @Test("a head that was kept outside is behind the history, or is its end")
  func heads() {
    func judged(_ last: ChainHead?) -> DoctorFinding.Mark {
      DoctorJudgement.heads(last: last, head: self.head(7), file: "/h").mark
    }
    #expect(judged(self.head(6, "b")) == .fine && judged(self.head(7)) == .fine && judged(nil) == .notice)
    #expect(judged(self.head(7, "b")) == .wrong && judged(self.head(8)) == .wrong)
  }

  @Test("a history that is over is to be erased when the time that was said has passed, and never while a pulje is open")
  func retention() {
    func judged(ended days: Int64?, kept: TimeSpan? = .days(730)) -> DoctorFinding {
      let ended = days.map { Instant(milliseconds: self.now.milliseconds - TimeSpan.days($0).milliseconds) }
      return DoctorJudgement.retention(ended: ended, kept: kept, now: self.now)
    }
    #expect(judged(ended: 729).mark == .fine && judged(ended: nil).mark == .fine)
    #expect(judged(ended: 730).mark == .notice && judged(ended: 730).next?.contains("docs/privacy.md") == true)
    #expect(judged(ended: 1, kept: nil).mark == .notice)
  }

  @Test("what runs out is told a month before")
  func expiry() {
    func judged(_ days: Int64) -> DoctorFinding.Mark {
      DoctorJudgement.expiry("the token of kari", at: self.now + .hours(days * 24), now: self.now).mark
    }
    #expect(judged(31) == .fine && judged(29) == .notice && judged(0) == .wrong)
  }

  @Test("units and clock by systemd's own words; what it does not say is not known to be wrong")
  func systemd() {
    #expect(DoctorJudgement.unit("u", active: "active", enabled: "enabled").mark == .fine)
    #expect(DoctorJudgement.unit("u", active: "inactive", enabled: "disabled").next == "systemctl enable --now u")
    #expect(DoctorJudgement.unit("u", active: "failed", enabled: "enabled").next == "journalctl -u u tells why")
    #expect(DoctorJudgement.clock("yes").mark == .fine && DoctorJudgement.clock("no").mark == .wrong)
    #expect(DoctorJudgement.clock("not known: x").mark == .skipped)
  }

  @Test("a secret that others may read is told with the way to mend it; every step has a code of its own")
  func secrets() {
    let wrong = DoctorJudgement.secrets(looked: 2, others: [("/s", 0o644)], unseen: [])
    #expect(wrong.mark == .wrong && wrong.seen == "/s (mode 644)" && wrong.next?.hasPrefix("chmod 600 /s") == true)
    #expect(DoctorJudgement.secrets(looked: 0, others: [], unseen: []).mark == .fine)
    #expect(DoctorJudgement.secrets(looked: 1, others: [], unseen: ["/x"]).mark == .skipped)
    #expect(Set(DoctorStep.allCases.map(\.rawValue)).count == DoctorStep.allCases.count)
    #expect(
      !DoctorAnswer(file: "f", findings: [wrong]).isFine && DoctorAnswer(file: "f", findings: [.skipped(.clock, "x")]).isFine)
  }
}
