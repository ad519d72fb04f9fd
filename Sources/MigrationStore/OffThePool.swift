// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// Opening a file blocks on the disk; that is done on a queue of its own, never in the cooperative pool.
func offThePool<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue(label: "tjenestebuss.store.open").async {
      continuation.resume(with: Swift.Result { try work() })
    }
  }
}
