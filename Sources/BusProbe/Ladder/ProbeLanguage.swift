// SPDX-License-Identifier: Apache-2.0

/// The languages that the ladder speaks. Codes, names of steps and what programs read are the same in both.
public enum ProbeLanguage: String, Sendable, Hashable, Codable, CaseIterable {
  /// Norwegian, bokmål.
  case nb
  case en

  /// By the text of a POSIX locale: `LC_ALL`, else `LC_MESSAGES`, else `LANG`, whichever is set first.
  ///
  /// - Parameter locale: such as `nb_NO.UTF-8`, `nn`, `no_NO`; all else, nil and `C` among it, is English.
  public init(locale: String?) {
    let language = (locale ?? "").lowercased().prefix { $0.isLetter }
    self = ["nb", "nn", "no", "norwegian", "bokmal"].contains(String(language)) ? .nb : .en
  }

  /// By a process's environment, as POSIX has it: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is set and not empty.
  public init(environment: [String: String]) {
    self.init(locale: ["LC_ALL", "LC_MESSAGES", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty })
  }
}

/// A text in both languages.
public struct ProbeText: Sendable, Hashable {
  public var nb: String
  public var en: String

  public init(nb: String, en: String) {
    self.nb = nb
    self.en = en
  }

  public subscript(language: ProbeLanguage) -> String {
    switch language {
    case .nb: self.nb
    case .en: self.en
    }
  }
}
