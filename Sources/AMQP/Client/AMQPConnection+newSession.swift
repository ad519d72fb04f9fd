// SPDX-License-Identifier: Apache-2.0

extension AMQPConnection {
  /// As ``openSender(to:presettled:within:)``, on a session begun for it when `onNewSession` says so.
  func openSender(to address: String, onNewSession: Bool) async throws(AMQPError) -> AMQPSender {
    guard onNewSession else { return try await self.openSender(to: address) }
    let attachment = ConnectionCore.Attachment(
      role: .sender, name: self.newLinkName(), source: self.configuration.containerID, target: address, onNewSession: true)
    let attached = try await self.attach([attachment], within: nil)[0]
    return AMQPSender(attached, address: address, presettled: false, connection: self)
  }

  /// As ``openReceiver(from:credit:within:)``, on a session begun for it when `onNewSession` says so.
  func openReceiver(from address: String, credit: Int, onNewSession: Bool) async throws(AMQPError) -> AMQPReceiver {
    guard onNewSession else { return try await self.openReceiver(from: address, credit: credit) }
    let attachment = ConnectionCore.Attachment(
      role: .receiver, name: self.newLinkName(), source: address, target: self.configuration.containerID, window: credit,
      onNewSession: true)
    let attached = try await self.attach([attachment], within: nil)[0]
    return AMQPReceiver(attached, address: address, buffer: attached.buffer ?? ReceiverBuffer(), connection: self)
  }

  /// Unique: a second link of the same name would steal the first (spec 2.6.1).
  private func newLinkName() -> String { "\(self.configuration.containerID)/\(UInt64.random(in: .min ... .max))" }
}
