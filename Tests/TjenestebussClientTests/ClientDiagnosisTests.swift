// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing

@testable import TjenestebussClient

@Suite("Why nothing moves, in one sentence")
struct ClientDiagnosisTests {
  private let refused = AMQPError(.loginRefused, .connection, .remote, tried: "log in", seen: "the password was refused")
  private let denied = AMQPError(
    .unauthorized, .link, .remote, condition: AMQPCondition("amqp:unauthorized-access"), tried: "attach", seen: "")

  private func status(_ change: (inout ClientStatus) -> Void = { _ in }) -> ClientStatus {
    var status = ClientStatus()
    status.sending = ["a": .connected, "b": .connected]
    status.receivers = ["a", "b"].map { .init(bus: $0, queue: "1_async", kind: .asynchronous, state: .receiving) }
    change(&status)
    return status
  }

  private func diagnosis(_ status: ClientStatus, isRunning: Bool = true) -> ClientDiagnosis {
    ClientDiagnosis(status, buses: ["b", "a"], isRunning: isRunning, concurrency: { _ in 5 })
  }

  @Test("All is well")
  func well() {
    let diagnosis = self.diagnosis(self.status())
    #expect(diagnosis.isWell)
    #expect(diagnosis.sentence == "all is well: 2 of 2 buses connected, 2 of 2 receivers attached.")
  }

  @Test("A client that does not run is ours to mend")
  func notRunning() {
    let diagnosis = self.diagnosis(ClientStatus(), isRunning: false)
    #expect(diagnosis.findings.first?.owner == .caller)
    #expect(diagnosis.sentence.hasPrefix("run() does not run"))
    #expect(diagnosis.sentence.hasSuffix("(ours to mend)."))
  }

  @Test("A bus that refuses our login is named with code and owner; when no bus is connected that is a standstill")
  func refusedLogin() {
    let one = self.diagnosis(self.status { $0.sending["b"] = .waiting(.seconds(1), because: self.refused) })
    #expect(one.findings.map(\.weight) == [.fault])
    #expect(one.findings.first?.bus == "b")
    #expect(one.findings.first?.text.contains("AMQP-105") == true)
    let both = self.diagnosis(
      self.status {
        $0.sending["b"] = .ended(self.refused)
        $0.sending["a"] = nil
      })
    #expect(both.findings.map(\.weight) == [.standstill, .standstill])
    #expect(both.sentence.contains("and 1 more"))
  }

  @Test("A queue that is on one bus only is a note; on no bus it is a standstill, and the bus's")
  func missingQueue() {
    let moving = self.diagnosis(self.status { $0.receivers[1].state = .queueMissing(retryIn: .seconds(30)) })
    #expect(moving.isWell)
    #expect(moving.findings.map(\.weight) == [.note])
    let gone = self.diagnosis(
      self.status {
        $0.receivers[0].state = .queueMissing(retryIn: .seconds(30))
        $0.receivers[1].state = .queueMissing(retryIn: .seconds(30))
      })
    #expect(gone.findings.map(\.weight) == [.standstill, .standstill])
    #expect(gone.findings.allSatisfy { $0.owner == .bus })
  }

  @Test("A queue we may not read is named with the bus's own condition")
  func deniedQueue() {
    let diagnosis = self.diagnosis(self.status { $0.receivers[0].state = .waiting(.seconds(30), because: self.denied) })
    #expect(diagnosis.findings.map(\.weight) == [.fault])
    #expect(diagnosis.sentence.contains("AMQP-302"))
  }

  @Test("A register that does not tell our queues is the register's, or whoever the error says")
  func register() {
    let error = TjenestebussError.nothingToReceive
    let diagnosis = self.diagnosis(self.status { $0.waitingForRegister = error })
    #expect(diagnosis.findings.first?.weight == .standstill)
    #expect(diagnosis.findings.first?.owner == error.explanation.owner)
  }

  @Test("Handlers that fail in a row are ours; when what they hold fills the credit, that is the standstill")
  func failingHandlers() {
    let some = self.diagnosis(self.status { $0.receivers[0].failuresInARow = 5 })
    #expect(some.findings.map(\.weight) == [.fault])
    #expect(some.findings.first?.owner == .caller)
    let all = self.diagnosis(
      self.status {
        $0.receivers[0].failuresInARow = 12
        $0.receivers[0].held = 10
      })
    #expect(all.findings.map(\.weight) == [.standstill])
    #expect(all.sentence == "the handler has failed 12 times in a row on 1_async on a, 10 messages are held back (ours to mend).")
    let busy = self.diagnosis(self.status { $0.receivers[0].atWork = 5 })
    #expect(busy.isWell)
    #expect(busy.findings.map(\.weight) == [.note])
  }

  @Test("The weightiest comes first")
  func order() {
    let diagnosis = self.diagnosis(
      self.status {
        $0.receivers[1].atWork = 5
        $0.sending["a"] = .ended(self.refused)
        $0.receivers[0].failuresInARow = 12
        $0.receivers[0].held = 10
      })
    #expect(diagnosis.findings.map(\.weight) == [.standstill, .fault, .note])
  }
}
