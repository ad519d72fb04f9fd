// SPDX-License-Identifier: Apache-2.0

import Testing
import TjenestebussTesting

/// One cell of the matrix: what happens to the network, and while what is done.
struct FaultCell: Sendable, CustomTestStringConvertible {
  enum Phase: String, Sendable, CaseIterable { case send, receive, settle, close }

  enum Kind: String, Sendable, CaseIterable {
    case latency
    case cut
    case halfOpen = "half-open"
    case slowClose = "slow close"
    case timeout, reset, slicing
    case byteLimit = "byte limit"
  }

  let kind: Kind
  let phase: Phase

  var testDescription: String { "\(self.kind.rawValue) while \(self.phase.rawValue)" }

  static let all = Kind.allCases.flatMap { kind in Phase.allCases.map { FaultCell(kind: kind, phase: $0) } }

  /// Every kind once, every phase twice.
  static let some = zip(Kind.allCases, Phase.allCases + Phase.allCases).map { FaultCell(kind: $0, phase: $1) }

  /// Whether connections live through it.
  var isHarmless: Bool { self.kind == .latency || self.kind == .slicing }

  var fault: NetworkFault {
    switch self.kind {
    case .latency: .latency(.milliseconds(5), jitter: .milliseconds(20))
    case .cut: .cut
    case .halfOpen: .halfOpen
    case .slowClose: .slowClose(.milliseconds(100))
    case .timeout: .timeout
    case .reset: .reset
    case .slicing: .slicing(bytes: 11)
    // In the middle of a frame: of a message, or of the settlements.
    case .byteLimit: .byteLimit(self.phase == .send || self.phase == .receive ? 333 : 35)
    }
  }

  var directions: ProxyDirections {
    guard self.kind == .byteLimit else { return .both }
    return self.phase == .receive ? .toClient : .toServer
  }
}
