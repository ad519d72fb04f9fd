// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure

/// What a bus's connections say of themselves, in the words of the sector: which queue, and whose it is to mend. Pure.
struct LinkFinding: Sendable, Hashable {
  /// A queue on a bus, and what is done with it. The queue is empty for what concerns a whole connection.
  struct Place: Sendable, Hashable {
    var bus: BusName
    var queue: String
    var use: ClientDiagnosis.Queue.Use
  }

  var place: Place
  var diagnosis: AMQPDiagnosis
  var finding: ClientDiagnosis.Finding

  /// - Returns: nil for what the status of the client tells already.
  init?(_ diagnosis: AMQPDiagnosis, on endpoint: BusEndpoint, among receivers: [ClientStatus.Receiver]) {
    let weight: ClientDiagnosis.Finding.Weight
    let owner: FaultOwner
    switch diagnosis.reason {
    case .ended, .notStarted, .notConnected, .notAttached, .moving: return nil
    case .idle: (weight, owner) = (.note, .bus)
    // A handler may take its time: only after a minute it looks as if it stood still.
    case .unsettled: (weight, owner) = ((diagnosis.oldest ?? .zero) < .seconds(60) ? .note : .fault, .caller)
    case .held, .withdrawn: (weight, owner) = (.fault, .caller)
    case .untaken: (weight, owner) = (.fault, .tjenestebuss)
    case .noCredit, .outcomesMissing, .attachUnanswered: (weight, owner) = (.fault, .bus)
    case .notWritable, .peerSilent: (weight, owner) = (.fault, .network)
    }
    let bus = endpoint.name
    var queue = ""
    if let address = diagnosis.address {
      // The last part of an address is the queue, in every dialect; our own are known by the address they are attached to.
      let own = receivers.first { $0.bus == bus && endpoint.receivingAddress(ofQueue: $0.queue).text == address }
      queue = own?.queue ?? address.split(separator: "/").last.map(String.init) ?? address
    }
    self.place = Place(bus: bus, queue: queue, use: diagnosis.role == .sender ? .sending : .receiving)
    self.diagnosis = diagnosis
    self.finding = ClientDiagnosis.Finding(
      weight: weight, text: "\(bus): \(diagnosis.sentence)", owner: owner, bus: bus)
  }
}
