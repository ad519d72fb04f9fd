// SPDX-License-Identifier: Apache-2.0

import GRDB

/// SQLite's result codes in our own words.
enum CacheFailure {
  /// Our own errors and cancellation pass as they are. SQL and its arguments never come into the text.
  static func explained(_ error: any Error, path: String) -> any Error {
    if case AddressRegistryError.cacheCorrupt(path: "", let seen) = error {
      return AddressRegistryError.cacheCorrupt(path: path, seen: seen)
    }
    guard let failure = error as? DatabaseError else {
      if error is AddressRegistryError || error is CancellationError { return error }
      return AddressRegistryError.cacheUnusable(path: path, seen: String("\(error)".prefix(200)))
    }
    let seen = "SQLite \(failure.extendedResultCode.rawValue): \(failure.message ?? "no message")"
    if Task.isCancelled, [.SQLITE_INTERRUPT, .SQLITE_ABORT].contains(failure.resultCode) { return CancellationError() }
    return switch failure.resultCode {
    case .SQLITE_READONLY, .SQLITE_PERM: AddressRegistryError.cacheReadOnly(path: path, seen: seen)
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: AddressRegistryError.cacheCorrupt(path: path, seen: seen)
    case .SQLITE_FULL, .SQLITE_IOERR: AddressRegistryError.cacheFull(path: path, seen: seen)
    case .SQLITE_BUSY, .SQLITE_LOCKED: AddressRegistryError.cacheBusy(path: path, seen: seen)
    default: AddressRegistryError.cacheUnusable(path: path, seen: seen)
    }
  }
}
