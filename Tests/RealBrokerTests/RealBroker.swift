// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import ForeignPrograms
import Foundation
import Testing

/// A real broker that `make test` has started. Where its address is missing the tests fail: they are never skipped.
struct RealBroker: Sendable, CustomTestStringConvertible {
  let name: String
  let dialect: Dialect
  private let prefix: String

  static let rabbitMQ3 = RealBroker(name: "RabbitMQ 3.10", dialect: .rabbitMQ3, prefix: "TJENESTEBUSS_RABBITMQ3")
  static let rabbitMQ4 = RealBroker(name: "RabbitMQ 4.0", dialect: .rabbitMQ4AddressV2, prefix: "TJENESTEBUSS_RABBITMQ4")
  static let rabbitMQ43 = RealBroker(name: "RabbitMQ 4.3", dialect: .rabbitMQ4AddressV2, prefix: "TJENESTEBUSS_RABBITMQ43")
  static let activeMQ = RealBroker(name: "ActiveMQ 6.1", dialect: .activeMQ, prefix: "TJENESTEBUSS_ACTIVEMQ")

  /// What the suite of client behaviour runs on: the brokers that `scripts/with-brokers` says it has started. `make test` has RabbitMQ
  /// 3.10 and 4.0, `make prove` RabbitMQ 4.3 and ActiveMQ too. Without a word from it, the two; missing ones fail.
  static let proven: [RealBroker] = {
    let named = (ProcessInfo.processInfo.environment["TJENESTEBUSS_BROKERS"] ?? "RABBITMQ3,RABBITMQ4").split(separator: ",")
    return [rabbitMQ3, rabbitMQ4, rabbitMQ43, activeMQ].filter { broker in named.contains { broker.prefix.hasSuffix("_\($0)") } }
  }()
  /// The RabbitMQs among them: those have a management API.
  static let all = proven.filter { $0.dialect != .activeMQ }
  /// RabbitMQ 4.0, and 4.3 where it was started too.
  static let fours = all.filter { $0.dialect == .rabbitMQ4AddressV2 }

  var testDescription: String { self.name }

  /// The target of a move that this one takes part in.
  var asTarget: RealBroker { self.dialect == .rabbitMQ3 ? .rabbitMQ4 : self }

  /// Whether this one takes back what a receiver holds for longer than the queue's `x-consumer-timeout`.
  var withdraws: Bool { self.name == RealBroker.rabbitMQ43.name }

  /// RabbitMQ's kinds of queue; ActiveMQ has one.
  var queueKinds: [String] { self.dialect == .activeMQ ? ["classic"] : ["classic", "quorum"] }

  private struct Missing: Error, CustomStringConvertible {
    let variable: String
    var description: String { "\(variable) is not set: run the tests with `make test`, which starts the brokers" }
  }

  func variable(_ suffix: String) throws -> String {
    guard let value = ProcessInfo.processInfo.environment["\(self.prefix)_\(suffix)"], !value.isEmpty else {
      throw Missing(variable: "\(self.prefix)_\(suffix)")
    }
    return value
  }

  private func hostAndPort(_ suffix: String) throws -> (String, Int) {
    guard let url = URL(string: try self.variable(suffix)), let host = url.host, let port = url.port else {
      throw Missing(variable: "\(self.prefix)_\(suffix)")
    }
    return (host, port)
  }

  /// Plain TCP.
  func configuration(
    user: String = "app", password: String = "app", login: AMQPLogin? = nil
  ) throws -> AMQPConnectionConfiguration {
    let (host, port) = try self.hostAndPort("URL")
    return AMQPConnectionConfiguration(
      host: host, port: port, encryption: .none, login: login ?? .plain(user: user, password: Secret(password)),
      containerID: "real-broker-tests-\(UUID().uuidString)", connectTimeout: .seconds(60))
  }

  /// TLS, with the broker's own authority or the system's.
  func secureConfiguration(trusting authority: Bool, host: String? = nil) throws -> AMQPConnectionConfiguration {
    let (ownHost, port) = try self.hostAndPort("AMQPS_URL")
    return AMQPConnectionConfiguration(
      host: host ?? ownHost, port: port, encryption: .tls(authorities: authority ? [try self.variable("CA")] : []),
      login: .plain(user: "app", password: Secret("app")), containerID: "real-broker-tests-\(UUID().uuidString)",
      connectTimeout: .seconds(60))
  }

  /// Declares a durable queue by the management API; its name is new for every call. ActiveMQ makes it at the first attach.
  func declareQueue(
    _ kind: String = "classic", arguments: [String: Any] = [:], virtualHost: String = "%2F"
  ) async throws -> String {
    let name = "test_\(UUID().uuidString.prefix(8).lowercased())_async"
    if self.dialect == .activeMQ { return name }
    var all = arguments
    all["x-queue-type"] = kind
    try await self.management("PUT", "/api/queues/\(virtualHost)/\(name)", ["durable": true, "arguments": all])
    return name
  }

  /// A queue, and the one where its dead letters lie.
  func declareQueueWithDeadLetters(_ kind: String = "classic") async throws -> (queue: String, deadLetters: String) {
    if self.dialect == .activeMQ {
      let queue = try await self.declareQueue()
      return (queue, "DLQ.\(queue)")
    }
    let deadLetters = try await self.declareQueue()
    let arguments: [String: Any] = ["x-dead-letter-exchange": "", "x-dead-letter-routing-key": deadLetters]
    return (try await self.declareQueue(kind, arguments: arguments), deadLetters)
  }

  func deleteQueue(_ name: String) async throws { try await self.management("DELETE", "/api/queues/%2F/\(name)") }

  /// A virtual host of the test's own, with every permission for guest and app: there it may cut connections.
  func withVirtualHost<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let name = "test-\(UUID().uuidString.prefix(8).lowercased())"
    try await self.management("PUT", "/api/vhosts/\(name)", [:])
    do {
      for user in ["guest", "app"] {
        try await self.management(
          "PUT", "/api/permissions/\(name)/\(user)", ["configure": ".*", "write": ".*", "read": ".*"])
      }
      let result = try await body(name)
      try await self.management("DELETE", "/api/vhosts/\(name)")
      return result
    } catch {
      _ = try? await self.management("DELETE", "/api/vhosts/\(name)")
      throw error
    }
  }

  @discardableResult
  func management(_ method: String, _ path: String, _ body: [String: Any]? = nil) async throws -> Data {
    guard let url = URL(string: try self.variable("MANAGEMENT_URL") + path) else { throw Missing(variable: "MANAGEMENT_URL") }
    var request = URLRequest(url: url)
    request.httpMethod = method
    request.setValue("Basic " + Data("guest:guest".utf8).base64EncodedString(), forHTTPHeaderField: "Authorization")
    if let body {
      request.httpBody = try JSONSerialization.data(withJSONObject: body)
      request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    }
    let (data, response) = try await URLSession.shared.data(for: request)
    let status = (response as? HTTPURLResponse)?.statusCode ?? 0
    struct Refused: Error { let status: Int }
    guard (200..<300).contains(status) else { throw Refused(status: status) }
    return data
  }

  /// Runs the broker's own control program.
  func control(_ arguments: String?...) async throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try self.variable("CTL"))
    process.arguments = arguments.compactMap { $0 }
    process.standardOutput = FileHandle.nullDevice
    let status = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    struct Failed: Error { let status: Int32 }
    guard status == 0 else { throw Failed(status: status) }
  }

  /// Whether the brokers were started for one test at a time, which may stop them, kill them and set alarms (`make prove`).
  static let areOurs = ProcessInfo.processInfo.environment["TJENESTEBUSS_OWN_BROKERS"] != nil

  /// Sets off the memory alarm, or ends it, and waits until the broker has noticed.
  func setMemoryAlarm(_ isOn: Bool) async throws {
    struct Unmoved: Error { let isOn: Bool }
    try await self.control("set_vm_memory_high_watermark", isOn ? "absolute" : "0.4", isOn ? "1MB" : nil)
    for _ in 0..<40 {
      let alarms = try await ForeignProgram.run(try self.variable("CTL"), ["eval", "rabbit_alarm:get_alarms()."])
      if alarms.output.contains("memory") == isOn { return }
      try await Task.sleep(for: .milliseconds(250))
    }
    throw Unmoved(isOn: isOn)
  }

  enum NodeVerb: String, CaseIterable { case stop, kill, start }

  /// Stops, kills or starts the broker itself.
  func node(_ verb: NodeVerb) async throws {
    let result = try await ForeignProgram.runBounded(try self.variable("NODE"), [verb.rawValue], seconds: 120)
    struct Failed: Error { let output: String }
    guard result.exitCode == 0 else { throw Failed(output: "\(verb.rawValue): \(result.errors)\(result.output)") }
  }

  func sending(to queue: String) -> String {
    LinkAddress.sending(to: queue, path: "", dialect: self.dialect).text
  }

  func receiving(from queue: String) -> String { LinkAddress.receiving(from: queue, path: "", dialect: self.dialect).text }
}

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif
