// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import AsyncHTTPClient
import BusModel
import Disclosure
import Foundation
import NIOCore

/// RabbitMQ's management interface over HTTP: on every version, but some seconds late. Counts unsettled messages too.
///
/// Two questions are asked: the totals without statistics, which RabbitMQ 4 has at once, and the statistics, which have the
/// consumers. A number that neither has is not known, and not zero. A virtual host that does not exist reads as a missing
/// queue: the interface says the same of both.
///
/// On a bus whose dialect counts arrivals the statistics have these too, and they are the latest of all figures to come: a message may be gone
/// again before it is counted, but a later reading has it.
public struct ManagementHTTPCounting: QueueCounting {
  public let way = DialectCapabilities.Counting.managementHTTP
  public let lag = Duration.seconds(6)
  private let http: HTTPClient
  let base: String
  private let authorization: Secret
  let virtualHost: String
  private let timeout: Duration
  let countsArrivals: Bool

  /// - Parameters:
  ///   - http: whoever made it shuts it down; it must verify certificates and follow no redirects.
  ///   - url: `http://host:15672` or `https://host:15671`; no user, no path.
  ///   - dialect: the bus's; tells whether its count of arrivals is one.
  ///   - timeout: for each question.
  /// - Throws: ``ProbeError`` `managementURLInvalid`.
  public init(
    http: HTTPClient, url: String, user: String, password: Secret, dialect: Dialect, virtualHost: String = "/",
    timeout: Duration = .seconds(10)
  ) throws(ProbeError) {
    self.http = http
    self.base = try ManagementURL.base(url)
    self.authorization = password.withPlainText { Secret("Basic " + Data("\(user):\($0)".utf8).base64EncodedString()) }
    self.virtualHost = virtualHost
    self.timeout = timeout
    self.countsArrivals = dialect.capabilities.countsArrivals
  }

  public func read(_ queues: [String]) async -> [DepthReading] {
    var readings: [DepthReading] = []
    let keepsStatistics: Bool
    do throws(ProbeError) { keepsStatistics = self.countsArrivals ? try await self.keepsStatistics() : false } catch {
      // Whether nothing came or nothing is counted is not known: read again at the next look.
      return queues.map {
        DepthReading(queue: $0, way: self.way, readAt: SystemRegistryClock().now, value: .unreadable(error), lag: self.lag)
      }
    }
    for queue in queues {
      let now = SystemRegistryClock().now
      let totals = await self.ask(queue, "disable_stats=true&enable_queue_totals=true")
      let value: DepthReading.Value
      switch totals {
      case .failure(let error): value = .unreadable(error)
      case .success(nil): value = .missing
      case .success(let totals?):
        let columns =
          "messages,messages_ready,messages_unacknowledged,consumers,message_stats.publish,arguments,effective_policy_definition"
        switch await self.ask(queue, "columns=\(columns)") {
        case .failure(let error): value = .unreadable(error)
        case .success(nil): value = .missing
        case .success(let statistics?):
          value = Self.value(totals: totals, statistics: statistics, keepsStatistics: keepsStatistics)
        }
      }
      readings.append(DepthReading(queue: queue, way: self.way, readAt: now, value: value, lag: self.lag))
    }
    return readings
  }

  /// One question to the interface.
  ///
  /// - Parameter path: from `/api` on.
  func get(_ path: String) async throws(ProbeError) -> Data {
    let url = self.base + path
    var request = HTTPClientRequest(url: url)
    self.authorization.withPlainText { request.headers.add(name: "Authorization", value: $0) }
    let status: UInt
    let body: ByteBuffer
    do {
      let response = try await self.http.execute(request, timeout: TimeAmount(self.timeout))
      status = response.status.code
      body = try await response.body.collect(upTo: 64 << 20)
    } catch {
      throw .countingUnreachable(url: url, seen: String("\(error)".prefix(200)))
    }
    guard status == 200 else { throw .countingRefused(url: url, status: Int(status)) }
    return Data(body.readableBytesView)
  }

  /// Whether the bus counts messages at all: it can be told not to (`rates_mode` none), or not to tell this user.
  ///
  /// - Throws: ``ProbeError`` when it did not answer.
  func keepsStatistics() async throws(ProbeError) -> Bool {
    struct Overview: Decodable {
      var mode: String
      private enum CodingKeys: String, CodingKey { case mode = "rates_mode" }
    }
    let answer: Data
    do throws(ProbeError) { answer = try await self.get("/api/overview?columns=rates_mode") } catch {
      if case .countingRefused = error { return false }
      throw error
    }
    let mode = (try? JSONDecoder().decode(Overview.self, from: answer))?.mode
    return mode == "basic" || mode == "detailed"
  }

  /// The numbers an answer may have.
  struct Numbers: Decodable, Equatable {
    struct Flow: Decodable, Equatable { var publish: Int? }
    var messages: Int?
    /// Of these, those that wait, and those that are handed out.
    var ready: Int?
    var unsettled: Int?
    var consumers: Int?
    /// Not there before the first message.
    var flow: Flow?
    var arguments: QueueArguments?
    var policy: QueueArguments?

    var settings: QueueSettings? {
      QueueSettings(arguments: { self.arguments?.values[$0] }, policy: { self.policy?.values[$0] })
    }

    private enum CodingKeys: String, CodingKey {
      case messages, consumers, arguments
      case policy = "effective_policy_definition"
      case ready = "messages_ready"
      case unsettled = "messages_unacknowledged"
      case flow = "message_stats"
    }
  }

  /// - Parameter keepsStatistics: whether a queue of which no message was ever counted had none.
  static func value(totals: Numbers, statistics: Numbers, keepsStatistics: Bool = false) -> DepthReading.Value {
    guard let messages = totals.messages ?? statistics.messages, messages >= 0 else {
      return .unreadable(.countNotYet(way: .managementHTTP))
    }
    // Statistics that are not there yet have no consumers either: then nothing is known of arrivals.
    let arrivals = keepsStatistics && statistics.consumers != nil ? statistics.flow?.publish ?? 0 : nil
    let told = totals.messages == nil ? statistics : totals
    let figures = QueueFigures(active: told.ready.map(Int64.init), locked: told.unsettled.map(Int64.init))
    return .counted(
      QueueCount(
        messages: messages, includesUnsettled: true, consumers: statistics.consumers, arrivals: arrivals,
        figures: told.ready == nil && told.unsettled == nil ? nil : figures, settings: statistics.settings ?? totals.settings))
  }

  static func path(_ queue: String, virtualHost: String) -> String {
    "/api/queues/\(LinkAddress.percentEncoded(virtualHost))/\(LinkAddress.percentEncoded(queue))"
  }

  /// - Returns: nil when there is no such queue.
  private func ask(_ queue: String, _ query: String) async -> Result<Numbers?, ProbeError> {
    let url = self.base + Self.path(queue, virtualHost: self.virtualHost)
    var request = HTTPClientRequest(url: "\(url)?\(query)")
    self.authorization.withPlainText { request.headers.add(name: "Authorization", value: $0) }
    do {
      let response = try await self.http.execute(request, timeout: TimeAmount(self.timeout))
      let body = try await response.body.collect(upTo: 1 << 20)
      switch response.status.code {
      case 200: return Self.numbers(Array(body.readableBytesView))
      case 404: return .success(nil)
      default: return .failure(.countingRefused(url: url, status: Int(response.status.code)))
      }
    } catch {
      return .failure(.countingUnreachable(url: url, seen: String("\(error)".prefix(200))))
    }
  }

  /// Statistics that are not there yet come as an empty list instead of an object.
  static func numbers(_ body: [UInt8]) -> Result<Numbers?, ProbeError> {
    let data = Data(body)
    if let numbers = try? JSONDecoder().decode(Numbers.self, from: data) { return .success(numbers) }
    if let list = try? JSONDecoder().decode([Numbers].self, from: data), list.isEmpty { return .success(Numbers()) }
    return .failure(.countingUnreadable(way: .managementHTTP, seen: "the answer is not the JSON it should be"))
  }
}
