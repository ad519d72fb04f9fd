// SPDX-License-Identifier: Apache-2.0

import BusModel

/// A person's command that was carried out: who, as what, why. It stands in the history before what it brought about, in the same
/// transaction: there is no change by a person without it, and none of it without the change.
public struct CommandRecord: Sendable, Hashable, Codable {
  /// Who gave it, as the machine knows it and not as somebody says.
  public enum Giver: Sendable, Hashable, Codable, CustomStringConvertible {
    /// At the other end of the control socket, by the kernel's word. The name where the machine has one.
    case login(uid: UInt32, name: String?)
    case token(name: String)

    public var description: String {
      switch self {
      case .login(let uid, let name): "uid \(uid)\(name.map { " (\($0))" } ?? "")"
      case .token(let name): "token \(name)"
      }
    }
  }

  /// In whose name; several where several approve.
  public var by: [String]
  public var giver: Giver
  /// The role that let the giver do it: `operator`, `approver`, `vendor`, or `rescue` for root and the daemon's own user.
  public var role: String
  /// As the control interface names it.
  public var verb: String
  public var pulje: PuljeName?
  public var herIDs: [HerID]
  public var reason: String
  /// Of the plan that was approved, with a start.
  public var planHash: String?
  /// The giver's idempotency key.
  public var key: String?
  /// SHA-256 of the command as it came: another command with the same key is told from it.
  public var fingerprint: String
  /// `done`, or `already_...` when it was so before.
  public var status: String
  /// Kinds of the events that it brought about.
  public var kinds: [String]

  public init(
    by: [String], giver: Giver, role: String, verb: String, pulje: PuljeName? = nil, herIDs: [HerID] = [], reason: String,
    planHash: String? = nil, key: String? = nil, fingerprint: String
  ) {
    self.by = by
    self.giver = giver
    self.role = role
    self.verb = verb
    self.pulje = pulje
    self.herIDs = herIDs
    self.reason = reason
    self.planHash = planHash
    self.key = key
    self.fingerprint = fingerprint
    self.status = Self.done
    self.kinds = []
  }

  public static let done = "done"
}

/// Commands that came with an idempotency key, for as long as their keys are heeded: what was answered, so that a command that is sent
/// again is not carried out again, also after the daemon was started anew.
public struct CommandBook: Sendable, Hashable, Codable {
  /// Bounds: by age, and by number.
  public static let life = TimeSpan.hours(24)
  public static let most = 1_000

  public struct Entry: Sendable, Hashable, Codable {
    public var at: Instant
    /// A key is its giver's own: nobody hits upon another's.
    public var giver: CommandRecord.Giver
    public var key: String
    public var fingerprint: String
    public var pulje: PuljeName?
    public var status: String
    public var kinds: [String]
  }

  /// What is known of a key.
  public enum Word: Sendable, Hashable {
    case unknown
    case same(Entry)
    /// It came with another command.
    case other
  }

  /// In the order in which they came.
  public private(set) var entries: [Entry] = []

  public init() {}

  mutating func take(_ record: CommandRecord, at now: Instant) {
    guard let key = record.key else { return }
    self.entries.removeAll { !Self.isHeeded($0, now) || $0.key == key && $0.giver == record.giver }
    if self.entries.count >= Self.most { self.entries.removeFirst(self.entries.count - Self.most + 1) }
    self.entries.append(
      Entry(
        at: now, giver: record.giver, key: key, fingerprint: record.fingerprint, pulje: record.pulje, status: record.status,
        kinds: record.kinds))
  }

  public func word(on record: CommandRecord, now: Instant) -> Word {
    guard let key = record.key,
      let entry = self.entries.last(where: { $0.key == key && $0.giver == record.giver && Self.isHeeded($0, now) })
    else { return .unknown }
    return entry.fingerprint == record.fingerprint ? .same(entry) : .other
  }

  private static func isHeeded(_ entry: Entry, _ now: Instant) -> Bool { now.since(entry.at) < Self.life }
}
