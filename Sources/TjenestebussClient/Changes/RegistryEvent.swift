// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// An event of NHN's registers as it comes by the bus: `eventName` and `herId` among the properties. Pure.
enum RegistryEvent: Sendable, Hashable {
  /// A party's entry was made or changed, or its transport was switched.
  case addressChanged(AddressChange)
  /// Another event (an agreement, a future one): of no concern here.
  case other
  /// It says that a party changed, and not which.
  case unreadable

  private static let names: Set<String> = [
    "CommunicationPartyCreated", "CommunicationPartyUpdated", "CommunicationPartyTransportEnabled",
  ]

  init(_ message: AMQPMessage) {
    func text(_ name: String) -> String? {
      // As header of a 0-9-1 message it comes as application property; in any case, since sources disagree on it.
      message.applicationProperties.entries.first { $0.key.text?.lowercased() == name }?.value.plainText
    }
    let name = text("eventname") ?? message.properties.subject ?? ""
    guard Self.names.contains(name) else {
      self = .other
      return
    }
    guard let herID = text("herid").flatMap({ try? HerID(text: $0.trimmingBlanks) }) else {
      self = .unreadable
      return
    }
    self = .addressChanged(AddressChange(herID: herID, event: name))
  }
}
