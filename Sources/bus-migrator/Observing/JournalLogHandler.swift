// SPDX-License-Identifier: Apache-2.0

import Logging

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Logs to systemd's journal in its own form. What the journal does not take goes where it would have gone without it.
struct JournalLogHandler: LogHandler {
  /// Where the journal listens.
  static let usualPath = "/run/systemd/journal/socket"

  private let path: String
  private let identifier: String
  private var fallback: any LogHandler

  init(path: String, identifier: String, fallback: any LogHandler) {
    self.path = path
    self.identifier = identifier
    self.fallback = fallback
    self.fallback.logLevel = .trace
  }

  /// Whether what this process writes to standard error goes to the journal: then it is spoken to natively. systemd says so in `JOURNAL_STREAM`,
  /// which names the stream; one that was turned elsewhere since is another.
  static func isOurs(_ environment: [String: String]) -> Bool {
    guard let stream = environment["JOURNAL_STREAM"] else { return false }
    var status = stat()
    guard fstat(STDERR_FILENO, &status) == 0 else { return false }
    return stream == "\(status.st_dev):\(status.st_ino)"
  }

  var logLevel = Logger.Level.trace
  var metadata: Logger.Metadata = [:] { didSet { self.fallback.metadata = self.metadata } }
  var metadataProvider: Logger.MetadataProvider? { didSet { self.fallback.metadataProvider = self.metadataProvider } }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { self.metadata[key] }
    set { self.metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let metadata = self.metadata.merging(self.metadataProvider?.get() ?? [:]) { $1 }.merging(event.metadata ?? [:]) { $1 }
    let entry = JournalEntry(
      level: event.level, message: "\(event.message)", metadata: metadata, identifier: self.identifier)
    if !self.send(entry.bytes) { self.fallback.log(event: event) }
  }

  /// A local datagram: taken at once or not at all.
  private func send(_ bytes: [UInt8]) -> Bool {
    UnixAddress.withAddress(self.path) { address, length in
      let descriptor = socket(AF_UNIX, UnixAddress.datagram, 0)
      guard descriptor >= 0 else { return false }
      defer { close(descriptor) }
      return sendto(descriptor, bytes, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL), address, length) == bytes.count
    }
  }
}
