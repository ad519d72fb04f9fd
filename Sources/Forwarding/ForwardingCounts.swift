// SPDX-License-Identifier: Apache-2.0

/// What a forwarder has done since it was made. Absolute figures: none ever falls but ``onTheirWay``, ``held`` and ``rate``.
public struct ForwardingCounts: Sendable, Hashable, Codable {
  /// Deliveries taken from the source, each time one came.
  public var received = 0
  /// Messages that the target has accepted.
  public var accepted = 0
  /// Messages that were settled on the source.
  public var settled = 0
  /// Messages that were on the source although the target had them: settled there, and not sent again.
  public var settledAgain = 0
  /// Sent although the target may have them; each is in the journal's list.
  public var possibleDuplicates = 0
  /// Set aside in this run, by why. Those of earlier runs that are only held again are in ``held``.
  public var setAside: [SetAside.Reason: Int] = [:]
  /// Sent, and the target has not said yet what becomes of it.
  public var onTheirWay = 0
  /// On the source, set aside, and kept from others while this runs.
  public var held = 0
  /// What was on hand when the link to the source was lost, and has not come again in time: fetched by somebody else, or expired.
  public var notReturned = 0
  /// How often a link or connection had to be made anew.
  public var reconnects = 0
  /// What holds it up, with its code; nil when nothing does.
  public var notice: String?
  /// Messages accepted a second, over the last seconds.
  public var rate: Double = 0

  public init() {}

  /// Messages whose time to live was over.
  public var expired: Int { self.setAside[.expired] ?? 0 }
}
