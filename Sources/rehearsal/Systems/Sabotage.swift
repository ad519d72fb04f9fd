// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Synchronization

/// One deliberate fault, so that one sees the ledger find it: a rehearsal that cannot end red proves nothing.
final class Sabotage: Sendable {
  enum Kind: String, Sendable, CaseIterable, ExpressibleByArgument {
    /// A system takes one message off its queue and forgets it.
    case dropOne = "drop-one"
    /// A system sends one message twice.
    case duplicateOne = "duplicate-one"
    /// One message goes to a queue that nobody reads.
    case leaveOne = "leave-one"
  }

  let kind: Kind?
  private let calls = Atomic(0)

  init(_ kind: Kind?) { self.kind = kind }

  /// True once, some way into the run, when this is the fault asked for.
  func takes(_ kind: Kind) -> Bool {
    guard self.kind == kind else { return false }
    return self.calls.wrappingAdd(1, ordering: .relaxed).newValue == 100
  }
}
