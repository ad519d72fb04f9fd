// SPDX-License-Identifier: Apache-2.0

/// What came of ``AMQPReceiver/drain(within:)``.
public struct AMQPDrainResult: Sendable, Hashable {
  /// Deliveries that came while it drained.
  public var arrived: Int
  /// Credit that the peer gave back unused.
  public var creditGivenBack: Int

  public init(arrived: Int, creditGivenBack: Int) {
    self.arrived = arrived
    self.creditGivenBack = creditGivenBack
  }
}
