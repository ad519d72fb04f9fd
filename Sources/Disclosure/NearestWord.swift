// SPDX-License-Identifier: Apache-2.0

/// What was likely meant by a word that is none of those known.
package enum NearestWord {
  /// - Returns: the known word that is fewest changed letters away, where it is so near that it was likely meant: at most one letter in three, and
  ///   two letters changing places count as one. Of several the first.
  package static func to(_ word: String, among known: [String]) -> String? {
    let letters = Array(word.lowercased())
    var nearest: (word: String, distance: Int)?
    for other in known {
      let limit = max(1, max(letters.count, other.count) / 3)
      let distance = Self.distance(letters, Array(other.lowercased()))
      if distance <= limit, distance < nearest?.distance ?? .max { nearest = (other, distance) }
    }
    return nearest?.word
  }

  /// Damerau's and Levenshtein's, without a letter changed twice.
  private static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var twoAgo: [Int] = []
    var last = Array(0...b.count)
    for (i, letter) in a.enumerated() {
      var row = [i + 1]
      for (j, other) in b.enumerated() {
        var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (letter == other ? 0 : 1))
        if i > 0, j > 0, letter == b[j - 1], a[i - 1] == other { best = min(best, twoAgo[j - 1] + 1) }
        row.append(best)
      }
      (twoAgo, last) = (last, row)
    }
    return last[b.count]
  }
}
