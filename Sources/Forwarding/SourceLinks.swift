// SPDX-License-Identifier: Apache-2.0

/// Who says how many links there are on the source queue: asked once, after a crash, before the forwarder attaches its own.
///
/// A process that dies while its network is gone leaves a link that the bus takes for alive, for minutes (``Dialect``). What that link was given
/// and nobody has read is in no journal; a new link gets what lies behind it, which would overtake. With nobody on the queue there is no such link, and
/// the forwarder goes on at once; otherwise it holds what comes until something is given back, or the bus must have noticed.
public struct SourceLinks: Sendable {
  /// How old may be what is said.
  public var lag: Duration
  /// The links on the queue, of anybody; nil where the bus does not say. It must end by itself.
  public var count: @Sendable () async -> Int?

  public init(lag: Duration, count: @escaping @Sendable () async -> Int?) {
    self.lag = lag
    self.count = count
  }
}
