// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// One sending link on the event loop: carries out what ``SendMachine`` decides.
final class SenderCore {
  let link: LinkID
  let address: String
  let maximumMessageSize: UInt64
  private var machine = PendingSend.Machine()
  private var pending: [PendingSend.Machine.SendID: PendingSend] = [:]
  private var drainAsked = false

  /// Bytes that Proton may hold for the link before we stop handing over: what is not handed over can still be taken back.
  private static let outgoingBytesBound = 256 << 10

  init(link: LinkID, address: String, maximumMessageSize: UInt64) {
    self.link = link
    self.address = address
    self.maximumMessageSize = maximumMessageSize
  }

  var isIdle: Bool { self.machine.isIdle }
  var waitingCount: Int { self.machine.waitingCount }
  var inFlightCount: Int { self.machine.inFlightCount }

  func isPending(_ id: PendingSend.Machine.SendID) -> Bool { self.pending[id] != nil }

  func enqueue(_ send: PendingSend) {
    if let completion = self.machine.enqueue(send.id) {
      send.continuation.resume(returning: self.result(completion))
    } else {
      self.pending[send.id] = send
    }
  }

  /// Hands over as much as credit and the socket allow.
  func flush(_ engine: ProtonEngine, isWritable: Bool) {
    guard isWritable else { return }
    while engine.credit(of: self.link) > 0, engine.outgoingBytes(of: self.link) < SenderCore.outgoingBytesBound,
      let id = self.machine.next()
    {
      guard let send = self.pending[id] else { continue }
      guard let delivery = engine.transfer(send.payload, on: self.link, settled: send.settled) else { return }
      self.machine.transferred(id, as: delivery)
      if send.settled { self.apply(delivery, .accepted, settled: true) }
    }
    if self.drainAsked, self.machine.waitingCount == 0 {
      self.drainAsked = false
      engine.drained(self.link)
    }
  }

  func creditChanged(drain: Bool) { self.drainAsked = drain }

  func disposition(_ delivery: DeliveryID, _ outcome: AMQPOutcome?, settled: Bool, _ engine: ProtonEngine) {
    // Settled at once: Proton keeps about 0.9 kB for every delivery that is not.
    engine.settle(delivery)
    self.apply(delivery, outcome, settled: settled)
  }

  private func apply(_ delivery: DeliveryID, _ outcome: AMQPOutcome?, settled: Bool) {
    guard let (id, outcome) = self.machine.disposition(delivery, outcome, settled: settled) else { return }
    self.pending.removeValue(forKey: id)?.continuation.resume(returning: .success(outcome))
  }

  func end(_ id: PendingSend.Machine.SendID, _ ending: PendingSend.Machine.Ending) {
    guard let completion = self.machine.end(id, ending), let send = self.pending.removeValue(forKey: id) else { return }
    send.continuation.resume(returning: self.result(completion))
  }

  func linkEnded(_ error: AMQPError) {
    for (id, completion) in self.machine.linkEnded(error) {
      self.pending.removeValue(forKey: id)?.continuation.resume(returning: self.result(completion))
    }
  }

  private func result(_ completion: PendingSend.Machine.Completion) -> Result<AMQPOutcome, AMQPError> {
    let tried = "send a message to \(self.address)"
    switch completion {
    case .outcome(let outcome): return .success(outcome)
    case .notSent(.linkEnded(let error)): return .failure(error)
    case .notSent(.timedOut):
      let seen = "no credit before the deadline; \(self.waitingCount) more waiting, \(self.inFlightCount) in flight"
      return .failure(AMQPError(.noCredit, .link, .local, tried: tried, seen: seen))
    case .notSent(.cancelled):
      return .failure(AMQPError(.cancelled, .delivery, .local, tried: tried, seen: "the task was cancelled"))
    }
  }
}
