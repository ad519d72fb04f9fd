// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser
import Migration
import MigrationEngine
import MigrationStore

/// The program's exit codes. Stable: scripts rest on them.
enum Exit {
  static let done: Int32 = 0
  /// Something failed: the bus, the register, the machine.
  static let failed: Int32 = 1
  /// The command line, the configuration or the pulje file is wrong.
  static let usage: Int32 = 2
  /// The answer was no; nothing has changed.
  static let refused: Int32 = 3
  /// No daemon answers.
  static let noDaemon: Int32 = 4
  /// The database: in use, read-only, damaged, newer.
  static let database: Int32 = 5
  /// Nothing failed, but the cache and the register say different things, or a report and the history.
  static let differs: Int32 = 6

  static func code(of error: any Error) -> Int32 {
    switch error {
    case let error as CommandLineError:
      switch error {
      case .daemonNotReachable, .daemonRecovering: Self.noDaemon
      case .planBlocked, .refusedByDaemon: Self.refused
      case .answerUnreadable, .failedInDaemon, .socketUnusable, .fileUnwritable: Self.failed
      default: Self.usage
      }
    case is StoreError: Self.database
    case is Refusal: Self.refused
    case let error as ReportError:
      switch error {
      case .notAReport, .otherEnvironment: Self.usage
      case .headNotInHistory: Self.database
      case .printerMissing, .printerFailed, .printerTooSlow, .notWritten, .busy: Self.failed
      }
    case let error as AddressRegistryError:
      switch error {
      case .cacheUnusable, .cacheReadOnly, .cacheForeign, .cacheNewer, .cacheCorrupt, .cacheRowDamaged, .cacheFull, .cacheBusy,
        .cacheOlder:
        Self.database
      case .cacheMissing, .cacheOfOtherEnvironment, .importUnreadable, .importNotJSON, .importEntryInvalid, .importDuplicate,
        .importTableInvalid, .registerConfigurationInvalid:
        Self.usage
      default: Self.failed
      }
    default: Self.failed
    }
  }
}
