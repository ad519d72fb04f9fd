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

  /// By a process's environment: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is set and not empty (POSIX), and before that, as GNU has
  /// it, the first language of the list in `LANGUAGE` that the ladder speaks. Where the locale is `C`, `C.UTF-8`, `POSIX` or none, `LANGUAGE`
  /// does not count, and it is English: so programs that read the text get the same everywhere.
  public init(environment: [String: String]) {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? "C"
    let isNobodys = ["C", "POSIX"].contains(locale.prefix { $0 != "." && $0 != "@" })
    let wanted = (isNobodys ? "" : environment["LANGUAGE"] ?? "").split(separator: ":").map(String.init)
    self.init(locale: wanted.first { Self(locale: $0) == .nb || $0.lowercased().prefix { $0.isLetter } == "en" } ?? locale)
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
