// SPDX-License-Identifier: Apache-2.0

import Migration

/// Programs of the operator's own that are asked before a group is cut over.
public protocol HookPort: Sendable {
  /// Asks once. Ends soon after it was cancelled: the engine waits no longer than its settings say.
  func ask(_ question: HookQuestion) async -> HookAnswer
}

/// Knows none, and so assents to nothing.
public struct NoHooks: HookPort {
  public init() {}
  public func ask(_ question: HookQuestion) async -> HookAnswer { .silent("no hook of that name is configured") }
}
