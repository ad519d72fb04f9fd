// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// How long from one look to the next: `5s`, `500ms`, `1m`; a number alone is seconds.
struct WatchInterval: ExpressibleByArgument, Equatable {
  static let allowed: ClosedRange<Duration> = .milliseconds(100)...(.seconds(86_400))
  let duration: Duration

  init?(argument: String) {
    let digits = argument.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let number = Double(digits), number.isFinite else { return nil }
    let seconds: Double
    switch argument.dropFirst(digits.count) {
    case "ms": seconds = number / 1_000
    case "s", "": seconds = number
    case "m": seconds = number * 60
    case "h": seconds = number * 3_600
    default: return nil
    }
    guard seconds <= 1e6 else { return nil }
    let duration = Duration.milliseconds(Int64((seconds * 1_000).rounded()))
    guard Self.allowed.contains(duration) else { return nil }
    self.duration = duration
  }

  init(atLeast shortest: Duration, _ wanted: WatchInterval) { self.duration = max(shortest, wanted.duration) }

  /// As it is written on the screen.
  var text: String {
    let milliseconds = self.duration.components.seconds * 1_000 + self.duration.components.attoseconds / 1_000_000_000_000_000
    return milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000) s" : "\(milliseconds) ms"
  }

  var defaultValueDescription: String { self.text }
}
