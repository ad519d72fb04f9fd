// SPDX-License-Identifier: Apache-2.0

import Migration

/// What a report can be written in.
public enum ReportLanguage: String, Sendable, Hashable, Codable, CaseIterable {
  /// Norwegian, bokmål.
  case nb
  case en

  func say(_ word: ReportWord, _ arguments: String...) -> String { self.fill(word.phrase[self], arguments) }

  /// Each place is filled once: what is filled in is never read for places. `{0|group|groups}` is the one word where the figure is 1, else the other.
  func fill(_ text: String, _ arguments: [String]) -> String {
    var filled = ""
    var rest = Substring(text)
    while let open = rest.firstIndex(of: "{") {
      filled += rest[..<open]
      rest = rest[rest.index(after: open)...]
      let close = rest.firstIndex(of: "}")
      let parts = close.map { rest[..<$0].split(separator: "|") } ?? []
      guard let close, let place = parts.first.flatMap({ Int($0) }), arguments.indices.contains(place),
        [1, 3].contains(parts.count)
      else {
        filled += "{"
        continue
      }
      filled += parts.count == 3 ? String(arguments[place] == "1" ? parts[1] : parts[2]) : arguments[place]
      rest = rest[rest.index(after: close)...]
    }
    return filled + rest
  }

  // MARK: figures

  func number(_ value: some BinaryInteger) -> String {
    let digits = String(value.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += self == .nb ? "\u{a0}" : "," }
      text.append(digit)
    }
    return (value < 0 ? "\u{2212}" : "") + text
  }

  /// With one decimal, from tenths.
  func decimal(tenths: Int64) -> String {
    "\(self.number(tenths / 10))\(self == .nb ? "," : ".")\(abs(tenths % 10))"
  }

  func percent(_ part: Int, of whole: Int) -> String {
    guard whole > 0 else { return "\u{2013}" }
    return self.decimal(tenths: (Int64(part) * 2_000 + Int64(whole)) / (2 * Int64(whole))) + "\u{a0}%"
  }

  /// What clocks in Norway showed. In the hour that comes twice in October the offset from UTC stands with it.
  func time(_ instant: Instant?, seconds: Bool = false) -> String {
    guard let instant else { return "\u{2013}" }
    let (date, time) = OsloTime.reading(at: instant)
    var text = "\(self.date(date)) \(time)"
    if seconds {
      let second = ((instant.milliseconds / 1_000) % 60 + 60) % 60
      text += second < 10 ? ":0\(second)" : ":\(second)"
    }
    if OsloTime.reading(at: instant + .hours(1)) == (date, time) { text += " (+02:00)" }
    if OsloTime.reading(at: instant + TimeSpan(milliseconds: -3_600_000)) == (date, time) { text += " (+01:00)" }
    return text
  }

  func date(_ date: LocalDate) -> String {
    let parts = date.description.split(separator: "-")
    return self == .nb && parts.count == 3 ? "\(parts[2]).\(parts[1]).\(parts[0])" : date.description
  }

  /// The two largest units that there are.
  func span(_ milliseconds: Int64?) -> String {
    guard let milliseconds else { return "\u{2013}" }
    if milliseconds < 1_000 { return "\(self.number(max(0, milliseconds)))\u{a0}ms" }
    let seconds = milliseconds / 1_000
    let parts = [
      (seconds / 86_400, self == .nb ? "d" : "d"), (seconds / 3_600 % 24, self == .nb ? "t" : "h"), (seconds / 60 % 60, "min"),
      (seconds % 60, "s"),
    ]
    let from = parts.firstIndex { $0.0 > 0 } ?? 3
    return parts[from..<min(from + 2, 4)].filter { $0.0 > 0 }.map { "\(self.number($0.0))\u{a0}\($0.1)" }.joined(separator: " ")
  }

  func people(_ names: [String]) -> String { names.isEmpty ? self.say(.nobody) : names.joined(separator: ", ") }
}

/// The same in each language. All of them are needed: a phrase that lacks one cannot be made.
public struct Phrase: Sendable, Hashable {
  let nb: String
  let en: String

  init(_ nb: String, _ en: String) {
    self.nb = nb
    self.en = en
  }

  public subscript(language: ReportLanguage) -> String { language == .nb ? self.nb : self.en }
}
