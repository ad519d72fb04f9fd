// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// Messages that a server hands to its engine in pieces, because Proton takes ages over large ones that it is given whole, and what
/// waits behind them on their links.
struct ServerOutbox {
  private struct Sending {
    let delivery: DeliveryID
    let settled: Bool
    var rest: ArraySlice<UInt8>
  }

  /// Bytes that Proton may hold of a link's session.
  private static let bound = 256 << 10

  private var sendings: [LinkID: Deque<Sending>] = [:]

  /// How many messages of the link have not left whole: its credit is still counted without them.
  func count(of link: LinkID) -> Int { self.sendings[link]?.count ?? 0 }

  /// Whether this message has to take this way.
  func takes(_ payload: [UInt8], on link: LinkID) -> Bool {
    payload.count > SenderCore.pieceSize || self.sendings[link] != nil
  }

  mutating func send(
    _ payload: [UInt8], on link: LinkID, settled: Bool, tag: [UInt8]?, _ engine: ProtonEngine
  ) -> DeliveryID? {
    guard let delivery = engine.beginTransfer(on: link, tag: tag) else { return nil }
    self.sendings[link, default: []].append(Sending(delivery: delivery, settled: settled, rest: payload[...]))
    self.feed(link, engine)
    return delivery
  }

  /// Hands over what there is room for.
  mutating func feed(_ engine: ProtonEngine) {
    for link in Array(self.sendings.keys) { self.feed(link, engine) }
  }

  private mutating func feed(_ link: LinkID, _ engine: ProtonEngine) {
    while var sending = self.sendings[link]?.first, engine.outgoingBytes(of: link) < ServerOutbox.bound {
      if sending.rest.isEmpty {
        engine.finishTransfer(sending.delivery, on: link, settled: sending.settled)
        self.sendings[link]?.removeFirst()
        if self.sendings[link]?.isEmpty == true { self.sendings[link] = nil }
      } else {
        engine.append(sending.rest.prefix(SenderCore.pieceSize), on: link)
        sending.rest = sending.rest.dropFirst(SenderCore.pieceSize)
        self.sendings[link]?[0] = sending
      }
    }
  }

  /// All other links are gone.
  mutating func forgetAll(but links: some Collection<LinkID>) {
    let kept = Set(links)
    self.sendings = self.sendings.filter { kept.contains($0.key) }
  }
}
