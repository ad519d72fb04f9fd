// SPDX-License-Identifier: Apache-2.0

import AMQP
import AsyncHTTPClient
import BusModel
import BusProbe
import Disclosure
import Foundation
import NIOCore
import NIOHTTP1

/// A real RabbitMQ with thousands of queues in a virtual host of their own.
struct WatchedBus: Sendable {
  static let virtualHost = "watch-benchmark"
  let name: String
  let dialect: Dialect
  let http: HTTPClient
  let management: String
  let host: String
  let port: Int
  let queues: [String]

  private struct Refused: Error {
    let path: String
    let status: UInt
  }

  private func call(_ method: HTTPMethod, _ path: String, _ body: String? = nil) async throws {
    var request = HTTPClientRequest(url: self.management + path)
    request.method = method
    request.headers.add(name: "Authorization", value: "Basic " + Data("guest:guest".utf8).base64EncodedString())
    request.headers.add(name: "Content-Type", value: "application/json")
    if let body { request.body = .bytes(ByteBuffer(string: body)) }
    let response = try await self.http.execute(request, timeout: .seconds(60))
    _ = try await response.body.collect(upTo: 1 << 20)
    guard (200..<300).contains(response.status.code) else { throw Refused(path: path, status: response.status.code) }
  }

  /// Makes the queues, and removes them.
  func withQueues(_ body: @Sendable () async throws -> Void) async throws {
    try await self.call(.PUT, "/api/vhosts/\(Self.virtualHost)", "{}")
    try await self.call(
      .PUT, "/api/permissions/\(Self.virtualHost)/guest", #"{"configure":".*","write":".*","read":".*"}"#)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (place, queue) in self.queues.enumerated() {
        if place >= 8 { try await group.next() }
        group.addTask { try await self.call(.PUT, "/api/queues/\(Self.virtualHost)/\(queue)", #"{"durable":true}"#) }
      }
      try await group.waitForAll()
    }
    Self.say("\(self.name): \(self.queues.count) queues")
    do { try await body() } catch {
      try? await self.call(.DELETE, "/api/vhosts/\(Self.virtualHost)")
      throw error
    }
    try await self.call(.DELETE, "/api/vhosts/\(Self.virtualHost)")
  }

  /// At once, into a file too.
  private static func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

  func byList() throws -> any QueueCounting {
    try ManagementHTTPCounting(
      http: self.http, url: self.management, user: "guest", password: Secret("guest"), dialect: self.dialect,
      virtualHost: Self.virtualHost, timeout: .seconds(60))
  }

  func withManagementOverAMQP(_ body: @Sendable (any QueueCounting) async throws -> Void) async throws {
    let configuration = AMQPConnectionConfiguration(
      host: self.host, port: self.port, encryption: .none, login: .plain(user: "guest", password: Secret("guest")),
      containerID: "watch-benchmark", virtualHost: "vhost:\(Self.virtualHost)")
    try await AMQPConnection.withConnection(configuration) { connection in
      try await body(ManagementAMQPCounting(timeout: .seconds(60)) { connection })
    }
  }

  /// Watches for so long, changing a queue now and then, and prints what was seen.
  func measure(_ way: String, _ counting: any QueueCounting, wholeBus: Bool, seconds: Int) async throws {
    let log = ChangeLog(count: self.queues.count)
    let watch = QueueWatch(self.queues, counting: counting, wholeBus: wholeBus)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await watch.run { await log.saw($0) } }
      try await log.waitForAll()
      let begun = (cpu: ProcessCost.cpuSeconds, at: ContinuousClock.now)
      var number = 0
      while ContinuousClock.now - begun.at < .seconds(seconds) {
        number += 1
        // Spread over all queues, at times that no interval divides.
        let queue = self.queues[(number * 7_919) % self.queues.count]
        await log.changed(queue)
        try await self.call(
          .POST, "/api/exchanges/\(Self.virtualHost)/amq.default/publish",
          #"{"properties":{},"routing_key":"\#(queue)","payload":"x","payload_encoding":"string"}"#)
        try await Task.sleep(for: .milliseconds(6_300))
      }
      // The last ones are given their minute.
      let used = ProcessCost.cpuSeconds - begun.cpu
      let passed = (ContinuousClock.now - begun.at) / .seconds(1)
      let resident = ProcessCost.residentMegabytes
      await log.waitForLast(.seconds(60))
      let delays = await log.delays.sorted()
      let open = await log.open
      func at(_ share: Double) -> String {
        delays.isEmpty ? "-" : String(format: "%.1f", delays[min(delays.count - 1, Int(Double(delays.count) * share))])
      }
      Self.say(
        "\(self.name), \(way): CPU \(String(format: "%.2f", used / passed * 100)) % of a core over \(Int(passed)) s, "
          + "\(resident.now) MB resident (at most \(resident.most) MB since the start), \(delays.count) changes seen after "
          + "median \(at(0.5)) s, at most \(at(1)) s; \(open) not seen within 60 s")
      group.cancelAll()
      try await group.waitForAll()
    }
  }
}

/// What this process has used.
enum ProcessCost {
  static var cpuSeconds: Double {
    var usage = rusage()
    // Itself: the header has it as an enumeration, which the function does not take.
    getrusage(0, &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  static var residentMegabytes: (now: Int, most: Int) {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    func value(_ name: String) -> Int {
      status.split(separator: "\n").first { $0.hasPrefix(name) }
        .flatMap { Int($0.filter(\.isNumber)) }.map { $0 / 1_024 } ?? 0
    }
    return (value("VmRSS:"), value("VmHWM:"))
  }
}

/// When a queue was changed, and when that was seen.
actor ChangeLog {
  private let count: Int
  private var known: Set<String> = []
  private var begun: [String: ContinuousClock.Instant] = [:]
  private(set) var delays: [Double] = []
  private var waiting: CheckedContinuation<Void, Never>?

  init(count: Int) { self.count = count }

  var open: Int { self.begun.count }

  func changed(_ queue: String) { self.begun[queue] = .now }

  func saw(_ changes: [QueueChange]) {
    for change in changes {
      guard case .counted(let count) = change.reading.value else { continue }
      self.known.insert(change.reading.queue)
      if count.messages > 0, let begun = self.begun.removeValue(forKey: change.reading.queue) {
        self.delays.append((ContinuousClock.now - begun) / .seconds(1))
      }
    }
    if self.known.count == self.count { self.wake() }
    if self.begun.isEmpty { self.wake() }
  }

  private func wake() {
    self.waiting?.resume()
    self.waiting = nil
  }

  /// Until every queue has been counted once.
  func waitForAll() async throws {
    while self.known.count < self.count {
      await withCheckedContinuation { self.waiting = $0 }
      try Task.checkCancellation()
    }
  }

  /// Until nothing is open, or so long.
  func waitForLast(_ limit: Duration) async {
    let deadline = ContinuousClock.now + limit
    while !self.begun.isEmpty, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(500)) }
  }
}
