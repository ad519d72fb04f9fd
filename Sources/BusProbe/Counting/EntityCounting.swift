// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import AsyncHTTPClient
import BusModel
import Disclosure
import Foundation
import NIOConcurrencyHelpers
import NIOCore

/// Service Bus for Windows Server by REST (port 9355): `GET /NAMESPACE/QUEUE` gives the queue's entry with every figure, and
/// `GET /NAMESPACE/$Resources/Queues` all of them. Exact, and of now; it does not say who listens.
///
/// The token comes from `/NAMESPACE/$STS/OAuth/` for user and password, is kept until the bus refuses it, and goes out as
/// `WRAP access_token="..."`.
///
/// Sources: Microsoft, "Service Bus REST API", Get Entity and Entity Discovery; the token as the sector's library fetched it. Not seen
/// against a real Service Bus for Windows Server: there is none to be had.
public struct EntityCounting: QueueCounting, BusCensus {
  public let way = DialectCapabilities.Counting.entities
  public let lag = Duration.zero
  private let http: HTTPClient
  private let base: String
  private let user: String
  private let password: Secret
  private let timeout: Duration
  private let pageSize: Int
  private let token = NIOLockedValueBox<Secret?>(nil)

  /// The first version of the interface whose entries have `CountDetails`; the server's own client sends it.
  private static let version = "api-version=2013-07"

  /// - Parameters:
  ///   - http: whoever made it shuts it down; it must verify certificates and follow no redirects.
  ///   - url: `https://host:9355`; no user, no path.
  ///   - namespace: the bus's, which stands before each queue's name.
  ///   - timeout: for each question.
  ///   - pageSize: how many queues of the census are asked for at once.
  /// - Throws: ``ProbeError`` `managementURLInvalid`.
  public init(
    http: HTTPClient, url: String, namespace: String, user: String, password: Secret, timeout: Duration = .seconds(10),
    pageSize: Int = 100
  ) throws(ProbeError) {
    let base = try ManagementURL.base(url)
    let path = namespace.split(separator: "/").map { LinkAddress.percentEncoded(String($0)) }.joined(separator: "/")
    self.http = http
    self.base = path.isEmpty ? base : "\(base)/\(path)"
    self.user = user
    self.password = password
    self.timeout = timeout
    self.pageSize = max(1, pageSize)
  }

  // MARK: Counting

  public func read(_ queues: [String]) async -> [DepthReading] {
    var readings: [DepthReading] = []
    for queue in queues {
      let now = SystemRegistryClock().now
      readings.append(DepthReading(queue: queue, way: self.way, readAt: now, value: await self.count(queue)))
    }
    return readings
  }

  private func count(_ queue: String) async -> DepthReading.Value {
    // The dead letters of a queue stand in the queue's own entry.
    let isDeadLetter = ServiceBusPeeking.isDeadLetterQueue(queue)
    let name = isDeadLetter ? String(queue.dropLast("/$DeadLetterQueue".count)) : queue
    do throws(ProbeError) {
      let path = name.split(separator: "/").map { LinkAddress.percentEncoded(String($0)) }.joined(separator: "/")
      guard let answer = try await self.get("/\(path)?\(Self.version)") else { return .missing }
      let value = Self.value(of: answer)
      return isDeadLetter ? Self.deadLetters(of: value) : value
    } catch {
      return .unreadable(error)
    }
  }

  private static func deadLetters(of value: DepthReading.Value) -> DepthReading.Value {
    guard case .counted(let count) = value else { return value }
    guard let dead = count.figures?.deadLettered, let messages = Int(exactly: dead) else {
      return .unreadable(.countingUnreadable(way: .entities, seen: "no DeadLetterMessageCount in the entry"))
    }
    return .counted(
      QueueCount(messages: messages, includesUnsettled: true, consumers: nil, figures: QueueFigures(active: dead)))
  }

  /// An entry; or a feed, which is the answer where there is no such entity.
  static func value(of answer: [UInt8]) -> DepthReading.Value {
    let root: XMLNode
    do { root = try XMLDocumentReader.read(answer) } catch {
      return .unreadable(.countingUnreadable(way: .entities, seen: "the answer is not the XML it should be"))
    }
    switch root.name {
    case "feed": return .missing
    case "entry": return Self.value(of: root)
    default: return .unreadable(.countingUnreadable(way: .entities, seen: "the answer is neither an entry nor a feed"))
    }
  }

  private static func value(of entry: XMLNode) -> DepthReading.Value {
    guard let description = entry.child("content")?.child("QueueDescription") else {
      return .unreadable(.countingUnreadable(way: .entities, seen: "the entry describes no queue"))
    }
    func number(_ node: XMLNode?, _ name: String) -> Int64? {
      node?.value(name).flatMap { Int64($0) }.flatMap { $0 < 0 ? nil : $0 }
    }
    let details = description.child("CountDetails")
    let figures = QueueFigures(
      active: number(details, "ActiveMessageCount"), scheduled: number(details, "ScheduledMessageCount"),
      deadLettered: number(details, "DeadLetterMessageCount"), transfer: number(details, "TransferMessageCount"),
      transferDeadLettered: number(details, "TransferDeadLetterMessageCount"))
    let whole = number(description, "MessageCount")
    // What the whole has beyond its parts, such as what was deferred, lies there too; without parts all of it may.
    let dead = (figures.deadLettered ?? 0) + (figures.transferDeadLettered ?? 0)
    guard let lying = [figures.lying, whole.map { max(0, $0 - dead) }].compactMap({ $0 }).max(),
      let messages = Int(exactly: lying)
    else { return .unreadable(.countingUnreadable(way: .entities, seen: "no count in the entry")) }
    return .counted(
      QueueCount(
        messages: messages, includesUnsettled: true, consumers: nil, figures: figures == QueueFigures() ? nil : figures))
  }

  // MARK: Census

  /// How often the list is read anew when queues came or went meanwhile.
  private static let tries = 3

  public func census() async -> CensusReading {
    let now = SystemRegistryClock().now
    var reading = CensusReading(way: self.way, readAt: now, value: .listed([]), tellsConsumers: false)
    do throws(ProbeError) {
      for _ in 0..<Self.tries {
        if let queues = try await self.list(readAt: now) {
          reading.value = .listed(queues)
          return reading
        }
      }
      reading.value = .unreadable(.censusUnsteady(tries: Self.tries))
    } catch {
      reading.value = .unreadable(error)
    }
    return reading
  }

  /// - Returns: nil when a name came twice: the list shifted between two pages, and may lack another.
  private func list(readAt now: RegistryInstant) async throws(ProbeError) -> [DepthReading]? {
    var queues: [String: DepthReading] = [:]
    var skip = 0
    while true {
      let path = "/$Resources/Queues?\(Self.version)&$skip=\(skip)&$top=\(self.pageSize)"
      guard let answer = try await self.get(path) else {
        throw .countingUnreadable(way: .entities, seen: "the bus knows no list of queues")
      }
      let page = try Self.page(of: answer, readAt: now)
      if page.isEmpty { return queues.values.sorted { $0.queue < $1.queue } }
      for reading in page {
        guard queues.updateValue(reading, forKey: reading.queue) == nil else { return nil }
      }
      skip += page.count
    }
  }

  static func page(of answer: [UInt8], readAt now: RegistryInstant) throws(ProbeError) -> [DepthReading] {
    guard let root = try? XMLDocumentReader.read(answer), root.name == "feed" else {
      throw .countingUnreadable(way: .entities, seen: "the list is not the feed it should be")
    }
    var page: [DepthReading] = []
    for entry in root.children("entry") {
      guard let name = entry.value("title") else {
        throw .countingUnreadable(way: .entities, seen: "an entry of the list has no title")
      }
      page.append(DepthReading(queue: name, way: .entities, readAt: now, value: Self.value(of: entry)))
    }
    return page
  }

  // MARK: Asking

  /// - Returns: nil when there is nothing of that name.
  private func get(_ path: String) async throws(ProbeError) -> [UInt8]? {
    let url = self.base + path
    if let token = self.token.withLockedValue({ $0 }) {
      let (status, body) = try await self.execute(self.request(url, token))
      if status != 401 { return try Self.answer(status, body, url) }
    }
    // None yet, or it is over.
    let token = try await self.fetchToken()
    self.token.withLockedValue { $0 = token }
    let (status, body) = try await self.execute(self.request(url, token))
    return try Self.answer(status, body, url)
  }

  private static func answer(_ status: Int, _ body: [UInt8], _ url: String) throws(ProbeError) -> [UInt8]? {
    switch status {
    case 200: return body
    case 404, 410: return nil
    default: throw .countingRefused(url: url, status: status)
    }
  }

  private func request(_ url: String, _ token: Secret) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: url)
    token.withPlainText { request.headers.add(name: "Authorization", value: "WRAP access_token=\"\($0)\"") }
    return request
  }

  private func fetchToken() async throws(ProbeError) -> Secret {
    let url = "\(self.base)/$STS/OAuth/"
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
    let form = self.password.withPlainText { password in
      [
        ("grant_type", "authorization_code"), ("client_id", self.user), ("client_secret", password), ("scope", "\(self.base)/"),
      ].map { "\($0.0)=\(LinkAddress.percentEncoded($0.1))" }.joined(separator: "&")
    }
    request.body = .bytes(ByteBuffer(string: form))
    let (status, body) = try await self.execute(request)
    guard status == 200, !body.isEmpty, let text = String(validating: body, as: UTF8.self) else {
      throw .countingRefused(url: url, status: status)
    }
    return Secret(text)
  }

  private func execute(_ request: HTTPClientRequest) async throws(ProbeError) -> (Int, [UInt8]) {
    do {
      let response = try await self.http.execute(request, timeout: TimeAmount(self.timeout))
      let body = try await response.body.collect(upTo: 64 << 20)
      return (Int(response.status.code), Array(body.readableBytesView))
    } catch {
      throw .countingUnreachable(url: request.url, seen: String("\(error)".prefix(200)))
    }
  }
}
