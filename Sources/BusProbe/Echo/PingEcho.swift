// SPDX-License-Identifier: Apache-2.0

import BusModel
import TjenestebussClient

/// The answer of a party's system to our ping.
public struct PingEcho: Sendable, Hashable {
  /// The message id of the ping it answers.
  public var originalMessageID: String
  /// The version of the library that answered.
  public var libraryVersion: String?
  /// What the system that answered calls itself, with its version where it has told one.
  public var product: String?
  /// The queue that the ping was read from.
  public var queue: String?
  /// How old that system's copy of the address register is; nil when it has not told.
  public var cacheAge: Duration?
  /// The buses that it hears, by their names in its configuration.
  public var hears: [String] = []

  /// As somebody else has read it.
  init(
    originalMessageID: String, libraryVersion: String?, product: String?, queue: String?, cacheAge: Duration?, hears: [String]
  ) {
    self.originalMessageID = originalMessageID
    self.libraryVersion = libraryVersion
    self.product = product
    self.queue = queue
    self.cacheAge = cacheAge
    self.hears = hears
  }

  /// Reads an echo.
  ///
  /// - Returns: nil when `message` is none.
  public init?(_ message: HealthMessage, subject: String) {
    guard PingForm.role(of: message, subject: subject) == .echo,
      let original = message.properties[PingForm.PropertyName.originalMessageID] ?? message.correlationID
    else { return nil }
    self.originalMessageID = original
    // A stranger chose all these: short, without what steers a terminal, a number in bounds, and few names.
    self.libraryVersion = message.properties[PingForm.PropertyName.libraryVersion].map(Self.short)
    let version = message.properties[PingForm.PropertyName.productVersion].map { " \($0)" } ?? ""
    self.product = message.properties[PingForm.PropertyName.product].map { Self.short($0 + version) }
    self.queue = message.properties[PingForm.PropertyName.queue].map(Self.short)
    self.cacheAge = message.properties[PingForm.PropertyName.cacheAge].flatMap { Int64($0) }
      .flatMap { (0...315_360_000).contains($0) ? .seconds($0) : nil }
    let names = message.properties[PingForm.PropertyName.buses]?.split(separator: ",") ?? []
    self.hears = names.prefix(8).map { Self.short(String($0.prefix(40))) }
  }

  private static func short(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.prefix(200).filter { $0.properties.generalCategory != .control }))
  }
}
