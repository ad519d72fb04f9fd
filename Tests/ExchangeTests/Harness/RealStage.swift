// SPDX-License-Identifier: Apache-2.0

import Foundation
import ForeignPrograms
import Testing

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// A real broker.
struct RealStage: Stage {
  let bus: Bus
  let host = "127.0.0.1"
  let port: Int
  let securePort: Int
  let patience = Duration.milliseconds(700)
  let longest = Duration.seconds(30)

  struct Trouble: Error, CustomStringConvertible { let description: String }

  init(_ bus: Bus) throws {
    guard let port = bus.variable("URL").flatMap({ URL(string: $0)?.port }) else {
      throw Trouble(description: "no address of \(bus) in the environment: run the tests with `make test`")
    }
    self.bus = bus
    self.port = port
    self.securePort = bus.variable("AMQPS_URL").flatMap { URL(string: $0)?.port } ?? 0
  }

  func declare(_ queue: StageQueue) async throws {
    guard self.bus.isRabbitMQ else { return }
    var arguments: [String: Any] = ["x-queue-type": queue.kind.rawValue]
    if let length = queue.maximumLength {
      arguments["x-max-length"] = length
      arguments["x-overflow"] = "reject-publish"
    }
    if let name = queue.deadLetterQueue {
      arguments["x-dead-letter-exchange"] = ""
      arguments["x-dead-letter-routing-key"] = name
    }
    if let timeout = queue.consumerTimeout { arguments["x-consumer-timeout"] = timeout }
    try await self.management("PUT", "/api/queues/%2F/\(queue.name)", ["durable": true, "arguments": arguments])
  }

  func delete(queue: String) async throws {
    if self.bus.isRabbitMQ { try await self.management("DELETE", "/api/queues/%2F/\(queue)") }
  }

  func declareExchange(_ name: String) async throws {
    if self.bus.isRabbitMQ {
      try await self.management("PUT", "/api/exchanges/%2F/\(name)", ["type": "direct", "durable": true])
    }
  }

  func delete(exchange: String) async throws {
    if self.bus.isRabbitMQ { try await self.management("DELETE", "/api/exchanges/%2F/\(exchange)") }
  }

  func depth(of queue: String) async throws -> Int {
    // What is on its way, an outcome for one, is there first.
    try await Task.sleep(for: .milliseconds(300))
    guard self.bus.isRabbitMQ else { return try await StatisticsQueue(self).depth(of: queue) }
    let text = try await self.control("list_queues", "--quiet", "--no-table-headers", "name", "messages")
    let line = text.split(separator: "\n").map { $0.split(separator: "\t") }.first { $0.first.map(String.init) == queue }
    return line.flatMap { $0.count > 1 ? Int($0[1]) : nil } ?? -1
  }

  func closeByForce(clientPort: Int, reason: String) async throws {
    // The management learns of a connection some time after it was made.
    for _ in 0..<60 {
      let all = try JSONSerialization.jsonObject(with: try await self.management("GET", "/api/connections")) as? [[String: Any]]
      if let name = all?.first(where: { $0["peer_port"] as? Int == clientPort })?["name"] as? String {
        let path = name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? name
        try await self.management("DELETE", "/api/connections/\(path)", reason: reason)
        return
      }
      try await Task.sleep(for: .milliseconds(250))
    }
    throw Trouble(description: "the management does not know the connection from port \(clientPort)")
  }

  func setAlarm(_ isOn: Bool) async throws {
    _ = try await self.control("set_vm_memory_high_watermark", isOn ? "absolute" : "0.4", isOn ? "1MB" : "")
    // The broker looks at its memory now and then.
    for _ in 0..<40 {
      if try await self.control("eval", "rabbit_alarm:get_alarms().").contains("memory") == isOn { return }
      try await Task.sleep(for: .milliseconds(250))
    }
    throw Trouble(description: "the alarm of \(self.bus) did not go \(isOn ? "on" : "off")")
  }

  func stopBroker() async throws { try await self.node("stop") }

  func killBroker() async throws { try await self.node("kill") }

  func startBroker() async throws { try await self.node("start") }

  private func node(_ verb: String) async throws {
    guard let path = self.bus.variable("NODE") else { throw Trouble(description: "no NODE of \(self.bus)") }
    let result = try await ForeignProgram.runBounded(path, [verb], seconds: 120)
    guard result.exitCode == 0 else { throw Trouble(description: "\(verb): \(result.errors)\(result.output)") }
  }

  func wait(for client: ExchangeClient, candidates: [Int]) async throws -> Int? {
    let clock = ContinuousClock()
    let begun = clock.now
    _ = try await client.waitForArrival(within: .seconds((candidates.last ?? 0) + 20))
    let seconds = (clock.now - begun) / .seconds(1)
    return candidates.last { seconds > Double($0) * 0.85 }
  }

  func end() async {}

  @discardableResult
  func management(_ method: String, _ path: String, _ body: [String: Any]? = nil, reason: String? = nil) async throws -> Data {
    guard let url = URL(string: (self.bus.variable("MANAGEMENT_URL") ?? "") + path) else {
      throw Trouble(description: "no management address of \(self.bus)")
    }
    var request = URLRequest(url: url)
    request.httpMethod = method
    request.setValue("Basic " + Data("guest:guest".utf8).base64EncodedString(), forHTTPHeaderField: "Authorization")
    if let reason { request.setValue(reason, forHTTPHeaderField: "X-Reason") }
    if let body {
      request.httpBody = try JSONSerialization.data(withJSONObject: body)
      request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    }
    let (data, response) = try await URLSession.shared.data(for: request)
    let status = (response as? HTTPURLResponse)?.statusCode ?? 0
    guard (200..<300).contains(status) else {
      throw Trouble(description: "\(method) \(path): \(status) \(String(decoding: data, as: UTF8.self))")
    }
    return data
  }

  private func control(_ arguments: String...) async throws -> String {
    try await self.program("CTL", arguments.filter { !$0.isEmpty })
  }

  private func program(_ variable: String, _ arguments: [String]) async throws -> String {
    guard let path = self.bus.variable(variable) else { throw Trouble(description: "no \(variable) of \(self.bus)") }
    let result = try await ForeignProgram.run(path, arguments)
    guard result.exitCode == 0 else { throw Trouble(description: "\(arguments): \(result.errors)\(result.output)") }
    return result.output
  }
}
