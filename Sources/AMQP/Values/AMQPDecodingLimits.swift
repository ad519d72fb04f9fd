// SPDX-License-Identifier: Apache-2.0

/// How much of a peer's choosing is read into memory.
///
/// A message's size is limited before it is read (``AMQPConnectionConfiguration/maximumMessageSize``). These limit what can
/// become of few bytes: AMQP 1.0 has arrays whose elements take no byte at all, and nesting that costs one byte a level.
/// Binary data is as long as its bytes, and is not limited further.
public struct AMQPDecodingLimits: Sendable, Hashable {
  /// Levels of nesting. Default 32.
  public var depth: Int
  /// Values in one message, over all levels. Default 100,000, which take some 10 MB.
  public var elements: Int
  /// Entries of one map. Default 10,000.
  public var mapEntries: Int
  /// UTF-8 bytes of one string or symbol. Default 16 MiB.
  public var textLength: Int

  public init(depth: Int = 32, elements: Int = 100_000, mapEntries: Int = 10_000, textLength: Int = 16 << 20) {
    self.depth = depth
    self.elements = elements
    self.mapEntries = mapEntries
    self.textLength = textLength
  }
}
