// SPDX-License-Identifier: Apache-2.0

import AMQP
import AsyncHTTPClient
import BusModel
import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import TjenestebussClient

/// A bus of the proof, started by `scripts/with-brokers`, which says by environment where: its queues are declared, filled and read here, and it
/// is killed and started again.
struct ForwardSite: Sendable {
  let name: BusName
  let host: String
  let port: Int
  let dialect: Dialect
  let managementURL: String
  private let node: URL
  private let http: HTTPClient

  static let exchange = "forward-proof"

  /// - Parameter prefix: of the environment's variables: `TJENESTEBUSS_RABBITMQ3`.
  init(_ name: BusName, prefix: String, dialect: Dialect, environment: [String: String], http: HTTPClient) throws {
    guard let text = environment["\(prefix)_URL"], let url = URL(string: text), let host = url.host, let port = url.port,
      let managementURL = environment["\(prefix)_MANAGEMENT_URL"], let node = environment["\(prefix)_NODE"]
    else { throw RehearsalError.brokersMissing("\(prefix)_URL, \(prefix)_MANAGEMENT_URL and \(prefix)_NODE") }
    self.name = name
    self.host = host
    self.port = port
    self.dialect = dialect
    self.managementURL = managementURL
    self.node = URL(fileURLWithPath: node)
    self.http = http
  }

  /// - Parameter port: the bus's own, or that of a proxy before it.
  static func endpoint(_ name: BusName, host: String, port: Int, dialect: Dialect) throws -> BusEndpoint {
    BusEndpoint(
      bus: Bus(name: name, dialect: dialect, hosts: [host], path: exchange),
      connection: try BusConnectionString("amqp://app:app@\(host):\(port)/\(exchange)"))
  }

  var endpoint: BusEndpoint {
    get throws { try Self.endpoint(self.name, host: self.host, port: self.port, dialect: self.dialect) }
  }

  // MARK: Queues

  /// Declares queues that all get what is sent to the exchange with the key `all`, and each what is sent with its name.
  func declare(_ queues: [String], kind: String) async throws {
    try await self.call("exchanges/%2F/\(Self.exchange)", #"{"type":"direct","durable":true}"#)
    for queue in queues {
      try await self.call("queues/%2F/\(queue)", #"{"durable":true,"arguments":{"x-queue-type":"\#(kind)"}}"#)
      for key in ["all", queue] {
        try await self.call("bindings/%2F/e/\(Self.exchange)/q/\(queue)", #"{"routing_key":"\#(key)"}"#, method: .POST)
      }
    }
  }

  func delete(_ queues: [String]) async throws {
    for queue in queues { try await self.call("queues/%2F/\(queue)", "", method: .DELETE) }
  }

  private func call(_ path: String, _ body: String, method: HTTPMethod = .PUT) async throws {
    var request = HTTPClientRequest(url: "\(self.managementURL)/api/\(path)")
    request.method = method
    request.headers.add(name: "Authorization", value: "Basic \(Data("guest:guest".utf8).base64EncodedString())")
    request.headers.add(name: "Content-Type", value: "application/json")
    request.body = .bytes(ByteBuffer(string: body))
    let response = try await self.http.execute(request, timeout: .seconds(60))
    guard (200..<300).contains(response.status.code) || (method == .DELETE && response.status.code == 404) else {
      throw RehearsalError.declaring(path, status: Int(response.status.code))
    }
  }

  // MARK: Messages

  /// Sends each sender's messages in their order, all senders at once; each must be accepted.
  func send(_ messages: [[AMQPMessage]]) async throws {
    let address = self.dialect == .rabbitMQ3 ? "/exchange/\(Self.exchange)/all" : "/exchanges/\(Self.exchange)/all"
    try await AMQPConnection.withConnection(try self.endpoint.amqpConfiguration(role: "filling", product: "rehearsal")) {
      connection in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for mine in messages {
          group.addTask {
            let sender = try await connection.openSender(to: address)
            for message in mine {
              let outcome = try await sender.send(message)
              guard outcome == .accepted else { throw RehearsalError.forwarding("fill the source queue", seen: "\(outcome)") }
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  /// Takes all that lies on a queue, in its order.
  ///
  /// RabbitMQ 3 detaches receivers of classic queues in mid-stream, without a reason: then it attaches again, and what could not be settled
  /// comes once more.
  ///
  /// - Parameters:
  ///   - tell: takes what goes on.
  ///   - asValues: whether messages are compared by what they say and not by their bytes.
  ///   - expected: how many it takes to be done; with fewer, when nothing came for `quiet`.
  func take(
    _ queue: String, expected: Int, quiet: Duration, asValues: Bool = false, tell: (String) -> Void
  ) async throws -> [ForwardLedger.Sighting] {
    var found: [ForwardLedger.Sighting] = []
    // Settled over a connection that broke: the bus may not have read that, and hands them out once more.
    var inDoubt: Set<SHA256.Digest> = []
    for _ in 0..<100 {
      let (read, broken) = try await self.read(queue, expected: expected - found.count, quiet: quiet, asValues: asValues)
      let new = read.filter { !$0.isAgain || inDoubt.remove($0.hash) == nil }
      if new.count < read.count {
        tell("\(read.count - new.count) on \(queue) came again after the reading had broken off: not counted twice")
      }
      found += new
      guard let broken else { return found }
      tell("[\(broken.stableCode)] while \(queue) was read, after \(found.count) messages")
      inDoubt.formUnion(read.suffix(2 * Self.window).map(\.hash))
    }
    throw RehearsalError.forwarding("read \(queue)", seen: "link or connection is lost again and again")
  }

  private static let window = 1_000

  /// Over one connection.
  ///
  /// - Returns: what it settled, and what broke off the reading and says nothing of the messages: a bus that detaches its link, or after that hands out more than
  ///   it was asked for (RabbitMQ 3.10).
  private func read(
    _ queue: String, expected: Int, quiet: Duration, asValues: Bool
  ) async throws -> (found: [ForwardLedger.Sighting], broken: AMQPError?) {
    let endpoint = try self.endpoint
    return try await AMQPConnection.withConnection(endpoint.amqpConfiguration(role: "reading", product: "rehearsal")) {
      connection in
      var found: [ForwardLedger.Sighting] = []
      do {
        let receiver = try await connection.openReceiver(
          from: endpoint.receivingAddress(ofQueue: queue).text, credit: Self.window)
        while found.count < expected, let batch = try await receiver.nextBatch(within: quiet) {
          let sightings = try batch.map { try ForwardLedger.Sighting($0, asValue: asValues) }
          try receiver.settle(batch, as: .accepted)
          found += sightings
        }
        await receiver.close(within: endpoint.dialect.capabilities.answersCloseOfLink ? .seconds(3) : .milliseconds(500))
        return (found, nil)
      } catch let error as AMQPError
        where [.settlementLost, .linkDetached, .protocolViolated, .connectionLost].contains(error.code)
      {
        return (found, error)
      }
    }
  }

  // MARK: Life

  enum Order: String { case kill, start }

  func tell(_ order: Order) async throws {
    let code = try await ChildProgram.run(self.node, [order.rawValue])
    guard code == 0 else { throw RehearsalError.forwarding("\(order) the \(self.name) bus", seen: "exit code \(code)") }
  }
}

extension ForwardLedger.Sighting {
  static let senderProperty = "fromHerId"
  static let numberProperty = "number"

  /// - Parameter asValue: RabbitMQ 3.10 encodes anew what it hands out (255 bytes of data, that came with a length of one byte, get one of four): where
  ///   it is the target, the message as we would encode it is compared.
  init(_ delivery: AMQPDelivery, asValue: Bool) throws {
    let message = try delivery.message()
    let start = try AMQPMessageSections(delivery.payload).bareStart
    let bare =
      asValue
      ? AMQPMessage(
        properties: message.properties, applicationProperties: message.applicationProperties, body: message.body
      ).encoded()[...] : delivery.payload[start...]
    self.init(
      id: message.properties.messageID?.description ?? "",
      sender: message.applicationProperties[Self.senderProperty]
        .flatMap { $0.text.flatMap { Int($0) } } ?? -1,
      number: message.applicationProperties[Self.numberProperty].flatMap { $0.text.flatMap { Int($0) } } ?? -1,
      hash: SHA256.hash(data: bare),
      isAgain: (message.header?.deliveryCount ?? 0) > 0 || message.header?.firstAcquirer == false)
  }
}

extension AMQPReceiver {
  /// - Returns: nil when nothing came within `limit`.
  fileprivate func nextBatch(within limit: Duration) async throws -> [AMQPDelivery]? {
    try await withThrowingTaskGroup(of: [AMQPDelivery]?.self) { group in
      group.addTask { try await self.nextBatch() }
      group.addTask {
        try? await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }
}
