// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The address of a management interface, as configurations write it.
enum ManagementURL {
  /// - Returns: without a slash at its end.
  /// - Throws: ``ProbeError`` `managementURLInvalid` for anything but `http://host:port` or `https://host:port`.
  static func base(_ url: String) throws(ProbeError) -> String {
    guard let parsed = URL(string: url), let scheme = parsed.scheme, ["http", "https"].contains(scheme), parsed.host != nil,
      parsed.user == nil, parsed.password == nil, parsed.query == nil, ["", "/"].contains(parsed.path)
    else { throw .managementURLInvalid(problem: "it is not of the form http://host:port (not shown: it may hold a password)") }
    return url.hasSuffix("/") ? String(url.dropLast()) : url
  }
}
