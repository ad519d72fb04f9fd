// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel
import Disclosure
import TjenestebussClient

@testable import BusProbe

/// Values that tests share.
enum ProbeFixture {
  static let buses = [
    Bus(name: "servicebus", dialect: .rabbitMQ3, hosts: ["sb.test"], path: "NHN"),
    Bus(name: "tjenestebuss", dialect: .rabbitMQ4AddressV2, hosts: ["tb.test"], path: "NHN"),
  ]

  /// A long-lived probe of a broker in memory.
  static func busProbe(_ dialect: Dialect, port: Int) throws -> BusProbe {
    let endpoint = BusEndpoint(
      bus: Bus(name: "tjenestebuss", dialect: dialect, hosts: ["tb.test"], path: ""),
      connection: BusConnectionString(
        host: "127.0.0.1", port: port, encrypted: false, user: "guest", password: Secret("guest"), path: ""))
    let settings = ProbeSettings(ownHerID: try Self.herID(100), timeout: .seconds(60), echoTimeout: .seconds(60))
    return BusProbe(endpoint, replyQueue: nil, settings: settings)
  }

  static func herID(_ number: Int32 = 200) throws -> HerID { try HerID(text: String(number)) }

  static func record(
    _ number: Int32 = 200, async asyncAddress: String = "tb.test/NHN/200_async", sync syncAddress: String = "tb.test/NHN/200_sync"
  ) throws -> PartyRecord {
    PartyRecord(
      herID: try herID(number), name: "Legekontoret", kind: .service, parent: try herID(100), active: true, valid: true,
      addresses: [
        .init(typeCode: "E_SB_ASYNC", text: asyncAddress, inherited: false),
        .init(typeCode: "E_SB_SYNC", text: syncAddress, inherited: false),
      ])
  }

  static func entry(_ record: PartyRecord, source: RecordSource = .file, minutesOld: Int64 = 1) -> RegistryEntry {
    RegistryEntry(
      record: record, source: source, readAt: RegistryInstant(millisecondsSinceEpoch: 1_000_000_000 - minutesOld * 60_000),
      version: 1)
  }

  static let now = RegistryInstant(millisecondsSinceEpoch: 1_000_000_000)

  static func error(_ code: AMQPError.Code, _ condition: String? = nil) -> AMQPError {
    AMQPError(code, .link, .remote, condition: condition.map { AMQPCondition($0) }, tried: "send", seen: "")
  }

  static func depth(_ messages: Int, consumers: Int?) -> DepthReading {
    DepthReading(
      queue: "200_async", way: .managementAMQP, readAt: now,
      value: .counted(QueueCount(messages: messages, includesUnsettled: false, consumers: consumers)))
  }

  static func reading(_ value: DepthReading.Value) -> DepthReading {
    DepthReading(queue: "200_async", way: .managementHTTP, readAt: now, value: value)
  }

  static func observation(_ dialect: Dialect = .rabbitMQ4AddressV2, _ change: (inout PingObservation) -> Void = { _ in })
    -> PingObservation
  {
    var seen = PingObservation(dialect: dialect, linkAddress: "/queues/200_async", messageID: "m-1")
    seen.ping = .outcome(.accepted)
    seen.control = .notSent(error(.notFound, "amqp:not-found"))
    seen.before = depth(0, consumers: 1)
    seen.after = depth(0, consumers: 1)
    seen.echo = .noReplyQueue
    change(&seen)
    return seen
  }
}
