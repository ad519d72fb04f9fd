// SPDX-License-Identifier: Apache-2.0

/// A place where a process can die between two effects: before and after each durable write and each outside call.
public struct CrashPoint: Sendable, Hashable, CustomStringConvertible {
  public enum Moment: String, Sendable, Hashable, CaseIterable { case before, after }
  public enum Deed: String, Sendable, Hashable, CaseIterable {
    /// Events made durable, other than an intent.
    case append
    /// An intent made durable.
    case intent
    /// The register read.
    case read
    /// The register written.
    case write
    case preflight, ping, look, hook
  }

  public var moment: Moment
  public var deed: Deed

  public init(moment: Moment, deed: Deed) {
    self.moment = moment
    self.deed = deed
  }

  public var description: String { "\(self.moment.rawValue)-\(self.deed.rawValue)" }
}

/// Told of every crash point that is reached, in order. A rehearsal aid: in production it does nothing.
public protocol CrashPoints: Sendable {
  /// - Throws: to make the engine end there as if killed; a real one never returns.
  func reached(_ point: CrashPoint) throws
}

public struct NoCrashPoints: CrashPoints {
  public init() {}
  public func reached(_ point: CrashPoint) throws {}
}
