// SPDX-License-Identifier: Apache-2.0

import Migration

/// How long groups were worked on, waited for a time and waited for a person since the daemon's start: what stood at one look is taken to have
/// stood until the next. The words are those of the pilot report (``Spending``).
struct SpendingTally: Sendable {
  private var books: [PuljeName: SpendingBook] = [:]

  /// Group-seconds.
  var seconds: [PuljeName: [Spending: Double]] {
    self.books.mapValues { book in
      let spent = book.spent
      return Dictionary(uniqueKeysWithValues: Spending.allCases.map { ($0, Double(spent[$0]) / 1_000) })
    }
  }

  mutating func observe(_ state: MigrationState, now: Instant) {
    for pulje in state.ordered {
      self.books[pulje.name]?.look(pulje, stop: state.stop, now: now)
      if self.books[pulje.name] == nil { self.books[pulje.name] = SpendingBook(pulje, stop: state.stop, now: now) }
    }
  }
}
