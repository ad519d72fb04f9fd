// SPDX-License-Identifier: Apache-2.0

/// What earlier runs left on hand, and what must come before anything that came after it.
package struct Awaited: Sendable, Equatable {
  /// What the last link held, in its order.
  package var held: [Fingerprint] = []
  /// Whether the source gives ``held`` back in this order.
  package var isWhole = true
  /// What goes behind it, in its order, however it comes.
  package var behind: [Fingerprint] = []
  /// Whether the bus knows of all links that are dead. One of which it does not may hold what nobody has read.
  package var isNoticed = true

  package init() {}
}
