// SPDX-License-Identifier: Apache-2.0

/// What a pulje's groups wait for, counted.
public struct WaitCounts: Sendable, Hashable {
  public struct Entry: Sendable, Hashable {
    public var code: WaitReason.Code
    public var count: Int
    public var needsPerson: Bool
    /// When the last of them may be over; nil where that is not known, or a person is needed.
    public var until: Instant?
  }

  /// Those that need a person first, then the most common.
  public var ordered: [Entry]

  public init(_ pulje: PuljeState, stop: Note?, now: Instant) {
    let contexts = pulje.contexts(stop: stop, now: now)
    var entries: [WaitReason.Code: Entry] = [:]
    for place in pulje.groups.indices {
      let group = pulje.groups[place]
      guard !group.phase.isClosed else { continue }
      let context = contexts.context(at: place)
      guard case .wait(let wait) = group.next(in: context, now: now) else { continue }
      let estimate = WaitEstimate(wait, group: group, context: context, now: now)
      let until = [.earliest, .atThisPace].contains(estimate.kind) ? estimate.earliest : nil
      var entry = entries[wait.code] ?? Entry(code: wait.code, count: 0, needsPerson: false, until: until)
      entry.count += 1
      entry.needsPerson = entry.needsPerson || wait.clears == .person
      if let known = entry.until { entry.until = until.map { max($0, known) } }
      entries[wait.code] = entry
    }
    self.ordered = entries.values.sorted { one, other in
      (one.needsPerson ? 0 : 1, -one.count, one.code.rawValue) < (other.needsPerson ? 0 : 1, -other.count, other.code.rawValue)
    }
  }
}

extension WaitReason.Code {
  /// The code in two or three words.
  public var shortWords: String {
    var words = ""
    for character in "\(self)" { words += character.isUppercase ? " \(character.lowercased())" : String(character) }
    return words
  }
}
