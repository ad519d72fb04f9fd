// SPDX-License-Identifier: Apache-2.0

/// What befalls the forwarder while it carries.
enum ForwardTrouble: String, Sendable, Codable, CaseIterable {
  case forwarderKilled = "forwarder killed"
  case sourceKilled = "source bus killed"
  case targetKilled = "target bus killed"
  case sourceCut = "source connection cut"
  case targetCut = "target connection cut"
  case sourceReset = "source connection reset"
  case targetReset = "target connection reset"
  case targetHalfOpen = "target connection forgotten on the way"
  /// The bus keeps what the dead connection holds for ``forgotten``.
  case sourceHalfOpen = "source connection forgotten on the way"

  /// Longer than we take to miss the bus and a minute more; shorter than RabbitMQ 3.10 takes to miss us (360 s).
  static let forgotten = Duration.seconds(150)

  /// Which troubles, and after how many messages carried each.
  ///
  /// - Parameters:
  ///   - count: how many troubles; every kind once before any twice.
  static func plan(_ count: Int, over messages: Int, seed: UInt64) -> [(after: Int, trouble: ForwardTrouble)] {
    var random = Seeded(seed)
    var kinds: [ForwardTrouble] = []
    while kinds.count < count { kinds += Self.allCases.shuffled(using: &random) }
    let points = (0..<count).map { _ in Int.random(in: 1...max(1, messages * 9 / 10), using: &random) }.sorted()
    return zip(points, kinds).map { ($0, $1) }
  }
}
