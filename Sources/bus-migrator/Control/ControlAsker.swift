// SPDX-License-Identifier: Apache-2.0

import Migration

/// Whoever asks, as the machine knows it and not as somebody says.
struct ControlAsker: Sendable, Hashable {
  var giver: CommandRecord.Giver
  var roles: Set<ControlRole> = []
  /// Root, or who the daemon runs as: everything, so that there is a way in when groups and tokens are wrong.
  var isRescue = false
  /// Of a vendor's token: whose parties it sees.
  var vendor: String?

  func may(_ roles: Set<ControlRole>) -> Bool { self.isRescue || !self.roles.isDisjoint(with: roles) }

  /// Sees nothing but its own parties.
  var isVendorOnly: Bool { !self.isRescue && self.roles == [.vendor] }

  /// How it stands in the audit: the role that lets it do `verb`.
  func role(for verb: ControlAPI.Command.Verb) -> String {
    if self.isRescue { return "rescue" }
    let fitting = ControlRights.roles(for: verb).intersection(self.roles)
    return ControlRole.allCases.first(where: fitting.contains)?.rawValue ?? "none"
  }

  /// Who it is, in words for those who are refused.
  var words: String { self.giver.description }
}
