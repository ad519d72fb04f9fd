// SPDX-License-Identifier: Apache-2.0

import TjenestebussTesting

/// What happens to the network.
enum FaultKind: String, Sendable, CaseIterable {
  case latency
  case cut
  case halfOpen = "half-open"
  case slowClose = "slow close"
  case timeout, reset, slicing
  case byteLimit = "byte limit"

  /// Whether connections live through it.
  var isHarmless: Bool { self == .latency || self == .slicing }

  /// - Parameter bytes: what still passes before a byte limit strikes.
  func fault(byteLimit bytes: Int) -> NetworkFault {
    switch self {
    case .latency: .latency(.milliseconds(5), jitter: .milliseconds(20))
    case .cut: .cut
    case .halfOpen: .halfOpen
    case .slowClose: .slowClose(.milliseconds(100))
    case .timeout: .timeout
    case .reset: .reset
    case .slicing: .slicing(bytes: 11)
    case .byteLimit: .byteLimit(bytes)
    }
  }
}

/// While what is done.
protocol FaultPhase: RawRepresentable<String>, CaseIterable, Sendable {
  /// So many bytes and a byte limit strikes: in the middle of a frame, of a message or of the settlements.
  var byteLimit: Int { get }
  /// Which way they go.
  var limited: ProxyDirections { get }
}

/// What is done over one connection, by a user who recovers himself.
enum ConnectionPhase: String, FaultPhase {
  case send, receive, settle, close

  var byteLimit: Int { self == .send || self == .receive ? 333 : 35 }
  var limited: ProxyDirections { self == .receive ? .toClient : .toServer }
}

/// What is done with a client that recovers by itself.
enum ClientPhase: String, FaultPhase {
  case send, withReceiver, process, shutdown

  var byteLimit: Int { self == .shutdown ? 35 : 333 }
  var limited: ProxyDirections { self == .withReceiver || self == .process ? .toClient : .toServer }
}
