// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What an import did, party by party.
public struct ImportSummary: Sendable, Hashable {
  public var added: [HerID] = []
  public var changed: [HerID] = []
  public var confirmed: [HerID] = []
  /// Left alone: the cache's row was read from the register itself.
  public var keptFromRegister: [HerID] = []
  /// Left alone: the cache's row is of a later reading.
  public var keptNewer: [HerID] = []

  public init() {}
}
