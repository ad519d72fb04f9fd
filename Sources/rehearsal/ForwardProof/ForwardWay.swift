// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Which way messages are carried.
enum ForwardWay: String, Sendable, CaseIterable, ExpressibleByArgument {
  /// From the old bus to the new one.
  case there
  /// As after a roll-back.
  case back
}
