// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Foundation

/// One message on a queue of the source bus that nobody fetches from any more, and its way over: what a newcomer sees of `drain forward`.
struct StrandedMail: Sendable {
  private let buses: any RehearsalBuses
  private let queue: String
  private let id = "stranded-\(UInt32.random(in: .min ... .max))"

  /// - Parameter herID: whose error queue it is: the systems of the rehearsal do not listen there.
  init(_ buses: any RehearsalBuses, of herID: HerID) {
    self.buses = buses
    self.queue = "\(herID)_error"
  }

  /// Sends it as a party would that still goes by an old address.
  func strand() async throws {
    let site = self.buses.source.endpoint
    let message = AMQPMessage(
      properties: AMQPProperties(messageID: .string(self.id), subject: "APPREC", contentType: "application/xml"),
      body: .data(Array("<apprec/>".utf8)))
    try await AMQPConnection.withConnection(site.amqpConfiguration(role: "stranded", product: "rehearsal")) { connection in
      try await connection.withSender(to: site.sendingAddress(ofQueue: self.queue).text) { sender in
        let outcome = try await sender.send(message)
        guard outcome == .accepted else { throw RehearsalError.tookTooLong("the message that is to strand: \(outcome)") }
      }
    }
  }

  /// Fetches what was carried over from the target bus.
  func fetch() async throws {
    let site = self.buses.target.endpoint
    let found = try await AMQPConnection.withConnection(
      site.amqpConfiguration(role: "stranded", product: "rehearsal")
    ) { connection in
      try await connection.withReceiver(from: site.receivingAddress(ofQueue: self.queue).text) { receiver in
        var found: [String] = []
        for delivery in try await receiver.nextBatch() ?? [] {
          found.append(try delivery.message().properties.messageID?.description ?? "")
          try delivery.accept()
        }
        return found
      }
    }
    guard found == [self.id] else { throw RehearsalError.tookTooLong("the stranded message, and not \(found)") }
  }
}
