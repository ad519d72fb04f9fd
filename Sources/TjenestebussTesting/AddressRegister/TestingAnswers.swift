// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel

/// The testing register's answers as documents, without a server: for those who judge or damage them.
package enum TestingAnswers {
  private static func shown(_ record: PartyRecord) -> ShownParty {
    ShownParty(
      record: record, parentName: record.parent.map { "Over \($0)" }, lastChanged: RegisterAnswers.time(1_790_000_000_000),
      serverTime: MessageTimestamp(secondsSinceEpoch: 1_750_000_000))
  }

  /// The details of one party.
  package static func details(_ record: PartyRecord, version: SOAPVersion) -> String {
    RegisterAnswers(version: version).details(Self.shown(record))
  }

  /// An organisation with those below it.
  package static func organisation(_ record: PartyRecord, below: [PartyRecord], version: SOAPVersion) -> String {
    RegisterAnswers(version: version).organisation(Self.shown(record), below: below.map(Self.shown))
  }

  /// One document of each kind that holds parties or changes.
  ///
  /// - Parameter records: the first is an organisation.
  package static func all(_ version: SOAPVersion, records: [PartyRecord]) -> [String] {
    let answers = RegisterAnswers(version: version)
    guard let first = records.first else { return [] }
    let change = AddressRegisterState.Change(
      sequence: 1, herID: first.herID, operationID: nil, operation: "put", followed: false, before: first.hash, after: first.hash,
      time: 1_790_000_000_000)
    return records.map { answers.details(Self.shown($0)) } + [
      answers.pong("æ <&>"), answers.organisation(Self.shown(first), below: records.dropFirst().map(Self.shown)),
      answers.page(records.map(Self.shown), total: 7, serverTime: MessageTimestamp(secondsSinceEpoch: 1_750_000_000)),
      answers.log([change]), answers.lastChanges([(herID: first.herID, time: 1_790_000_000_000)]),
    ]
  }

  /// Packed as gzip; nil when zlib does not start.
  package static func packed(_ plain: [UInt8]) -> [UInt8]? { Deflater()?.pack(plain, isLast: true) }

  /// A look-up over REST.
  package static func lookUp(_ record: PartyRecord) -> String { RegisterJSONAnswers.lookUp(Self.shown(record)) }

  /// An export of these parties.
  package static func export(_ records: [PartyRecord]) -> String {
    var text = "{\"LastDateTimeOffset\":\"2026-01-01T00:00:00Z\",\"LastEventId\":\"an-event\",\"CommunicationParties\":["
    for (index, record) in records.enumerated() {
      if index > 0 { text += "," }
      RegisterJSONAnswers.party(Self.shown(record), to: &text)
    }
    return text + "]}"
  }
}
