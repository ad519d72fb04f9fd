// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// A value behind a lock that the thread sanitizer sees, with typed errors.
struct LockedBox<Value: Sendable>: Sendable {
  private let box: NIOLockedValueBox<Value>

  init(_ value: Value) { self.box = NIOLockedValueBox(value) }

  func withLock<Result, Failure: Error>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure) -> Result {
    try self.box.withLockedValue { value in
      Swift.Result { () throws(Failure) -> Result in try body(&value) }
    }.get()
  }
}
