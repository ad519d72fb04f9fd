// SPDX-License-Identifier: Apache-2.0

/// An encoded message for ``AMQPSender/send(parcels:)``: a head of the caller's own, then the bytes of somebody else's message
/// from ``start`` on, which are not copied on the way.
package struct AMQPParcel: Sendable {
  /// What the caller calls it; told back with its end. Each number at most once on a link.
  package let number: UInt64
  /// What comes first: header, annotations.
  package let head: [UInt8]
  package let payload: [UInt8]
  /// Where in ``payload`` the rest begins.
  package let start: Int

  package init(number: UInt64, head: [UInt8], payload: [UInt8], start: Int) {
    self.number = number
    self.head = head
    self.payload = payload
    self.start = min(max(0, start), payload.count)
  }

  /// The encoded size in bytes.
  package var size: Int { self.head.count + self.payload.count - self.start }
}

/// What became of a parcel. Each has exactly one end.
package struct AMQPParcelEnd: Sendable, Equatable {
  package enum Fate: Sendable, Equatable {
    case outcome(AMQPOutcome)
    /// It is certain that it did not leave.
    case notSent(AMQPError)
  }

  package let number: UInt64
  package let fate: Fate

  package init(number: UInt64, fate: Fate) {
    self.number = number
    self.fate = fate
  }
}

extension AMQPSender {
  /// Sends many encoded messages, in their order, with one wake-up of the event loop.
  ///
  /// They wait for credit as long as it takes: no deadline is set on each, and a link that ends ends them all. What was handed over
  /// by then ends as ``AMQPOutcome/unknown(_:)``, the rest as not sent.
  ///
  /// - Parameter told: called on the connection's event loop with the ends as they come, many at a time and in any order; it must be
  ///   quick. A link has one such listener: the first call's.
  package func send(parcels: [AMQPParcel], told: @escaping @Sendable ([AMQPParcelEnd]) -> Void) {
    guard !parcels.isEmpty else { return }
    self.putParcels(parcels, told: told)
  }

  /// Takes back the parcels that wait for credit: from now on none of those that were given before leaves, but for one that has begun to.
  /// Those on their way end as always.
  ///
  /// - Parameter told: called on the connection's event loop with the numbers of those that were taken back and have no other end, after
  ///   all ends that came before.
  package func withdrawParcels(told: @escaping @Sendable ([UInt64]) -> Void) { self.takeParcelsBack(told) }
}
