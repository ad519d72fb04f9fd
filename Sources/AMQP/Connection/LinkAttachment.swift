// SPDX-License-Identifier: Apache-2.0

import NIOCore

extension ConnectionCore {
  typealias Sessions = SessionMachine<SessionID, LinkID>
  typealias Watchdog = WatchdogMachine<LinkID>

  /// A link to be attached; at least one of the termini is an address.
  struct Attachment: Sendable {
    var role: LinkRole
    var name: String
    var source: String?
    var target: String?
    var window = 0
    var presettled = false
    var properties: AMQPMap = [:]
    /// Whether it must not have a session that served before.
    var onNewSession = false
    /// Whether bodies are handed out as they come.
    var streamsBodies = false
    /// Whether copies are wanted.
    var browses = false
    /// Whether the peer is to make a node to receive from.
    var isDynamic = false
    /// The address to speak of.
    var address: String { (self.role == .sender ? self.target : self.source) ?? "" }
  }

  /// An attached link, as other tasks may know it.
  struct Attached: Sendable {
    var link: LinkID
    var epoch: AMQPEpoch
    var maximumMessageSize: UInt64
    /// The source as the peer's Attach has it.
    var source: String?
    var buffer: ReceiverBuffer?
  }

  typealias AttachAnswer = OneShot<Result<Attached, AMQPError>>

  /// An Attach that was written and is not answered.
  struct Attaching {
    let attachment: Attachment
    let answer: AttachAnswer
    let since: NIODeadline
    let timeout: Duration
  }

  /// Links to be attached together.
  struct AttachRequest: Sendable {
    let attachments: [Attachment]
    let answers: [AttachAnswer]
    let timeout: Duration
    let since: NIODeadline
    let deadline: NIODeadline
  }
}
