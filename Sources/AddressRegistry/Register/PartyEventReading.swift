// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The register asked for what happened after an event.
public protocol PartyEventReading: Sendable {
  /// The next events after `eventID` (nil: from the first one the register still has), oldest first.
  ///
  /// - Throws: the `register…` cases of ``AddressRegistryError``, `CancellationError`.
  func events(after eventID: String?) async throws -> PartyEventPage
}

/// A party was created or changed.
public struct PartyEvent: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    case created
    case updated
    /// A kind we do not know, by the register's name; the party is to be read anew.
    case other(String)
  }

  public var id: String
  public var kind: Kind
  public var herID: HerID
  /// When, as the register writes it.
  public var time: String?
  /// The party as it was after the event; unreadable or absent ones are read by their number.
  public var party: PartyResult?

  public init(id: String, kind: Kind, herID: HerID, time: String?, party: PartyResult?) {
    self.id = id
    self.kind = kind
    self.herID = herID
    self.time = time
    self.party = party
  }
}

/// Some events, and where to go on.
public struct PartyEventPage: Sendable, Hashable {
  public var events: [PartyEvent]
  /// Events that could not be read: no id or no HER-ID. After one of these only a full reading is sure to be complete.
  public var failures: [PartyFailure]
  /// What to ask with next: the last event's id; what was asked with when there were none.
  public var lastEventID: String?
  /// Whether the register says that there are more.
  public var hasMore: Bool

  public init(events: [PartyEvent], failures: [PartyFailure], lastEventID: String?, hasMore: Bool) {
    self.events = events
    self.failures = failures
    self.lastEventID = lastEventID
    self.hasMore = hasMore
  }
}

extension PartyEventReading {
  /// All events after `eventID`, page by page, until the register has no more.
  ///
  /// - Returns: what to ask with next time.
  /// - Throws: also what `take` throws.
  public func allEvents(
    after eventID: String?, isolation: isolated (any Actor)? = #isolation, _ take: (PartyEventPage) async throws -> Void
  ) async throws -> String? {
    var last = eventID
    while true {
      let page = try await self.events(after: last)
      if !page.events.isEmpty || !page.failures.isEmpty { try await take(page) }
      // No step forward would be the same page for ever.
      guard page.hasMore, page.lastEventID != last else { return page.lastEventID ?? last }
      last = page.lastEventID
    }
  }
}
