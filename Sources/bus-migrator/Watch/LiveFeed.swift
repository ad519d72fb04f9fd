// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore

/// What the daemon tells live, through restarts of it: when it goes, its return is waited for, and it is asked for what happened meanwhile.
struct LiveFeed {
  enum News: Sendable {
    case event(name: String, id: Int64?, data: [UInt8])
    /// Time has gone on.
    case heartbeat
    /// The daemon does not answer any more, with what was seen of it.
    case lost(String)
    /// It answers again.
    case back
  }

  let place: PlaceOptions
  /// Its name when the watch began: another one afterwards is another daemon.
  let environment: String?

  /// A daemon tells something every 15 s.
  private static let patience = TimeAmount.seconds(45)
  /// Nothing tells when a socket is served again: it is knocked at, at these distances.
  private static let pauses: [Duration] = [.milliseconds(200), .seconds(1), .seconds(2), .seconds(5)]

  /// Hands `take` what comes, in order, until cancelled.
  ///
  /// - Throws: what `take` throws; ``CommandLineError`` `environmentsDiffer` when another daemon answers; what is no matter of the connection.
  func run(take: (News) async throws -> Void) async throws {
    var after: Int64?
    var failures = 0
    var isLost = false
    while !Task.isCancelled {
      var seen = "it has ended the connection"
      do {
        let daemon = try await DaemonReached.at(self.place)
        guard daemon.environment == self.environment else {
          throw CommandLineError.environmentsDiffer(named: self.environment ?? "not named", answered: daemon.environment)
        }
        var reader = EventStreamReader()
        try await daemon.client.live(after: after, silence: Self.patience) { bytes in
          for item in reader.take(bytes) {
            if isLost {
              isLost = false
              try await take(.back)
            }
            failures = 0
            switch item {
            case .heartbeat: try await take(.heartbeat)
            case .event("again", _, let data): seen = Self.why(data)
            case .event(let name, let id, let data):
              if let id { after = id }
              try await take(.event(name: name, id: id, data: data))
            }
          }
        }
      } catch let error as CommandLineError {
        guard error.isOfNoDaemon else { throw error }
        seen = error.explanation.seen
      }
      if !isLost {
        isLost = true
        try await take(.lost(seen))
      }
      try await Task.sleep(for: Self.pauses[min(failures, Self.pauses.count - 1)])
      failures += 1
    }
  }

  private static func why(_ data: [UInt8]) -> String {
    struct Again: Decodable { var reason: String }
    let reason = (try? JSONDecoder().decode(Again.self, from: Data(data)))?.reason
    return switch reason {
    case "the-daemon-stops": "it stops"
    case "rights-ended": "it takes who asks for nobody who may watch any more"
    case "too-slow": "this terminal reads too slowly"
    default: "it has begun anew"
    }
  }
}
