// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOConcurrencyHelpers

/// The least weighty lines that are logged; can be changed while the daemon runs.
final class SharedLogLevel: Sendable {
  private let level: NIOLockedValueBox<Logger.Level>

  init(_ level: Logger.Level) { self.level = NIOLockedValueBox(level) }

  var current: Logger.Level { self.level.withLockedValue { $0 } }
  func set(_ level: Logger.Level) { self.level.withLockedValue { $0 = level } }
}

/// Logs by a shared level, unless a logger was given one of its own.
struct SharedLevelLogHandler: LogHandler {
  private var inner: any LogHandler
  private let shared: SharedLogLevel
  private var own: Logger.Level?

  init(_ inner: any LogHandler, level: SharedLogLevel) {
    self.inner = inner
    self.inner.logLevel = .trace
    self.shared = level
  }

  var logLevel: Logger.Level {
    get { self.own ?? self.shared.current }
    set { self.own = newValue }
  }

  var metadata: Logger.Metadata {
    get { self.inner.metadata }
    set { self.inner.metadata = newValue }
  }

  var metadataProvider: Logger.MetadataProvider? {
    get { self.inner.metadataProvider }
    set { self.inner.metadataProvider = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { self.inner[metadataKey: key] }
    set { self.inner[metadataKey: key] = newValue }
  }

  func log(event: LogEvent) { self.inner.log(event: event) }
}
