// SPDX-License-Identifier: Apache-2.0

import Logging
import MigrationEngine

/// The metadata keys this program logs under. None carries message content or a secret.
enum LogKey: String {
  case kind, pulje, group, phase, code, bus, database, socket, actor
  case phaseBefore = "phase-before"
  case herID = "her-id"
  case operation
}

/// Notices as log lines, with their codes as metadata.
struct LogNotifier: Notifier {
  let logger: Logger

  func notify(_ notice: Notice) {
    var metadata: Logger.Metadata = [LogKey.kind.rawValue: "\(notice.kind)"]
    if let pulje = notice.pulje { metadata[LogKey.pulje.rawValue] = "\(pulje)" }
    if let group = notice.group { metadata[LogKey.group.rawValue] = "\(group)" }
    if let phase = notice.phase { metadata[LogKey.phase.rawValue] = "\(phase.rawValue)" }
    if let before = notice.phaseBefore { metadata[LogKey.phaseBefore.rawValue] = "\(before.rawValue)" }
    if let herID = notice.herID { metadata[LogKey.herID.rawValue] = "\(herID)" }
    if let operation = notice.operation { metadata[LogKey.operation.rawValue] = "\(operation)" }
    if let actor = notice.actor { metadata[LogKey.actor.rawValue] = "\(actor)" }
    if let code = notice.code { metadata[LogKey.code.rawValue] = "\(code)" }
    switch notice.weight {
    case .information: self.logger.info("\(notice.words)", metadata: metadata)
    case .warning: self.logger.warning("\(notice.words)", metadata: metadata)
    case .alarm: self.logger.error("\(notice.words)", metadata: metadata)
    }
  }
}
