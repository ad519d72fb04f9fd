// SPDX-License-Identifier: Apache-2.0

import Migration
import MigrationReport
import MigrationStore
import TjenestebussClient

/// Makes reports from the database, beside a daemon that may be writing it.
struct ReportMaker: Sendable {
  let database: String
  /// As the configuration names it.
  let environment: String?

  static let program = TjenestebussVersion.current

  /// - Throws: `StoreError`; ``Refusal`` `unknownPulje`.
  func make(_ pulje: PuljeName, now: Instant) async throws -> ReportDocument {
    let given = ReportFacts.Given(madeAt: now, environment: self.environment, program: Self.program)
    guard let facts = try await self.fold(pulje).facts(given) else {
      throw Refusal(.unknownPulje, tried: "report on \(pulje)", seen: "no pulje of that name")
    }
    return try ReportDocument(facts)
  }

  /// Computes every figure anew from the history up to the report's head, each row of which is checked on the way.
  ///
  /// - Throws: ``ReportError`` `headNotInHistory`; `StoreError` for a history that is not whole.
  func verify(_ written: WrittenReport) async throws -> ReportVerification {
    if let report = written.given.environment, let here = self.environment, report != here {
      throw ReportError.otherEnvironment(report: String(report.prefix(60)), here: here)
    }
    let head = written.head
    let fold = try await self.fold(written.pulje, upTo: max(0, head.sequence))
    guard fold.head.sequence == head.sequence else {
      throw ReportError.headNotInHistory(
        path: self.database, sequence: head.sequence, seen: "it ends at event \(fold.head.sequence)")
    }
    guard fold.head.hash == head.hash else {
      throw ReportError.headNotInHistory(
        path: self.database, sequence: head.sequence, seen: "event \(head.sequence) is another one: its hash is \(fold.head.hash)"
      )
    }
    guard let facts = fold.facts(written.given) else {
      throw Refusal(.unknownPulje, tried: "recompute the report on \(written.pulje)", seen: "no pulje of that name")
    }
    return ReportVerification(written, recomputed: try ReportDocument(facts), program: Self.program)
  }

  private func fold(_ pulje: PuljeName, upTo end: Int64 = .max) async throws -> ReportFold {
    let path = self.database
    return try await SQLiteEventReader.open(path: path).fold(ReportFold(of: pulje), upTo: end) { fold, stored in
      fold.take(ReportFold.Row(sequence: stored.sequence, hash: stored.hash, at: stored.at, event: stored.event))
      if fold.inconsistentAt == stored.sequence {
        throw StoreError.inconsistent(path: path, sequence: stored.sequence, kind: stored.event.kind)
      }
    }
  }
}
