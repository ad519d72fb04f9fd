// SPDX-License-Identifier: Apache-2.0

/// What somebody is to the daemon. One login may be several of them, a token is one.
enum ControlRole: String, Sendable, Hashable, Codable, CaseIterable {
  /// Sees everything.
  case viewer
  /// Runs puljer: everything that can be taken back.
  case `operator`
  /// Gives leave to what cannot be taken back, or what people answer for.
  case approver
  /// Sees the parties of one vendor, and confirms their tests.
  case vendor
}
