// SPDX-License-Identifier: Apache-2.0

/// Runs `operation` to its end even when the calling task is cancelled.
func uncancelled<Value: Sendable>(_ operation: @escaping @Sendable () async -> Value) async -> Value {
  await Task { await operation() }.value
}
