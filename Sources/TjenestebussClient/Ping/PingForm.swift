// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The form of ping messages and their echoes (decision Q6): ordinary messages of the form receivers check, with a subject of
/// their own, that never reach the EPJ.
///
/// A **request** names in `reply-to` the queue that the echo shall go to. An **echo** goes back on the bus the request came by;
/// it carries the id of the request and the version of the library that answered. Both die by themselves within a minute.
/// Echoes are never answered, nor is anything read from an error queue: two systems could answer each other for ever.
public enum PingForm {
  /// What subject pings have unless configured otherwise.
  public static let defaultSubject = "TJENESTEBUSS_PING"
  /// The longest time to live of a ping or echo.
  public static let longestTimeToLive: Duration = .seconds(60)
  /// The body of both: never empty, since RabbitMQ 3 ends the session over an empty payload.
  public static let body = Array("TJENESTEBUSS_PING".utf8)

  public enum PropertyName {
    /// `request` or `echo`.
    public static let role = "tjenestebussPing"
    /// In an echo: the message id of the request.
    public static let originalMessageID = "originalMessageId"
    /// The version of the library that sent it; in an echo: of the one that answered.
    public static let libraryVersion = "tjenestebussVersion"
    /// What the library that sent it was told to call itself; in an echo: the one that answered.
    public static let product = "tjenestebussProduct"
    /// In an echo: the version of that, where it has told one.
    public static let productVersion = "tjenestebussProductVersion"
    /// In an echo: the queue that the request was read from.
    public static let queue = "tjenestebussQueue"
    /// In an echo: how many whole seconds ago the answering system's copy of its own party's entry was read from the address register.
    /// Left out where it has no such copy, or does not know.
    public static let cacheAge = "tjenestebussCacheAge"
    /// In an echo: the names of the buses on which the answering system receives from that queue now, as it calls them, separated by
    /// commas. Left out where it does not know.
    public static let buses = "tjenestebussBuses"
  }

  public enum Role: String, Sendable, Hashable { case request, echo }

  /// A request.
  ///
  /// - Parameters:
  ///   - replyTo: the short name of the prober's own reply queue on the same bus, or a full address; nil to ask for no echo.
  ///   - timeToLive: cut to ``longestTimeToLive``, at least a second.
  public static func request(
    from: HerID, to: HerID, replyTo: String?, subject: String = PingForm.defaultSubject,
    timeToLive: Duration = PingForm.longestTimeToLive, messageID: String = UniqueID.random(), timestamp: MessageTimestamp = .now
  ) -> HealthMessage {
    HealthMessage(
      messageID: messageID, from: from, to: to, subject: subject, timestamp: timestamp, replyTo: replyTo,
      timeToLiveMilliseconds: Self.milliseconds(timeToLive), properties: [PropertyName.role: Role.request.rawValue],
      body: Self.body)
  }

  /// The echo of a request.
  ///
  /// - Parameters:
  ///   - copyAge: of what answers has of the register; nil when it is not known, and then it is not said.
  ///   - hears: the names of the buses on which the queue is received from; empty when they are not known.
  public static func echo(
    of request: HealthMessage, readFrom queue: String, product: String, productVersion: String = "",
    copyAge: Duration? = nil, hears: [String] = [],
    messageID: String = UniqueID.random(),
    timestamp: MessageTimestamp = .now
  ) -> HealthMessage {
    // What is left to the request is not known; the echo is worth no more than it was.
    let life = min(request.timeToLiveMilliseconds ?? .max, Self.milliseconds(Self.longestTimeToLive))
    var properties = [
      PropertyName.role: Role.echo.rawValue, PropertyName.originalMessageID: request.messageID,
      PropertyName.libraryVersion: TjenestebussVersion.current, PropertyName.product: product, PropertyName.queue: queue,
    ]
    if !productVersion.isEmpty { properties[PropertyName.productVersion] = productVersion }
    if let copyAge, copyAge >= .zero { properties[PropertyName.cacheAge] = String(copyAge.components.seconds) }
    if !hears.isEmpty { properties[PropertyName.buses] = hears.joined(separator: ",") }
    return HealthMessage(
      messageID: messageID, from: request.to, to: request.from, subject: request.subject, timestamp: timestamp,
      correlationID: request.messageID, timeToLiveMilliseconds: max(life, 1_000), properties: properties, body: Self.body)
  }

  /// What kind of ping a message is; nil when it is none. A ping without a role is a request: any system may send one.
  public static func role(of message: HealthMessage, subject: String) -> Role? {
    guard message.subject == subject else { return nil }
    guard let text = message.properties[PropertyName.role] else { return .request }
    // A role of a later version is not answered.
    return Role(rawValue: text) ?? .echo
  }

  static func milliseconds(_ timeToLive: Duration) -> UInt32 {
    let wanted = min(max(timeToLive, .seconds(1)), Self.longestTimeToLive).components
    return UInt32(wanted.seconds * 1_000 + wanted.attoseconds / 1_000_000_000_000_000)
  }
}
