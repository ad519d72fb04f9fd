// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import BusModel
import Disclosure
import Foundation
import NIOCore
import NIOHTTP1
import TjenestebussClient

/// RabbitMQ 3.10 as source and RabbitMQ 4.0 as target, started by `scripts/with-brokers`, which says by environment where.
struct RabbitMQBuses: RehearsalBuses {
  let source: BusSite
  let target: BusSite
  private let http: HTTPClient

  static let exchange = "NHNTESTServiceBus"

  init(environment: [String: String], http: HTTPClient) throws {
    self.http = http
    self.source = try Self.site("TJENESTEBUSS_RABBITMQ3", "servicebus", .rabbitMQ3, "sb.test.nhn.no", environment)
    self.target = try Self.site("TJENESTEBUSS_RABBITMQ4", "tjenestebuss", .rabbitMQ4AddressV2, "tb.test.nhn.no", environment)
  }

  private static func site(
    _ prefix: String, _ name: BusName, _ dialect: Dialect, _ host: String, _ environment: [String: String]
  ) throws -> BusSite {
    guard let url = environment["\(prefix)_URL"], let management = environment["\(prefix)_MANAGEMENT_URL"] else {
      throw RehearsalError.brokersMissing("\(prefix)_URL and \(prefix)_MANAGEMENT_URL")
    }
    let address = url.replacingOccurrences(of: "amqp://", with: "")
    return BusSite(
      endpoint: BusEndpoint(
        bus: Bus(name: name, dialect: dialect, hosts: [host], path: exchange),
        connection: try BusConnectionString("amqp://app:app@\(address)/\(exchange)")),
      managementURL: management, managementUser: "guest", managementPassword: "guest")
  }

  func declare(queues: [String]) async throws {
    for site in [self.source, self.target] {
      try await self.call(site, "exchanges/%2F/\(Self.exchange)", #"{"type":"direct","durable":true}"#)
      for queue in queues {
        try await self.call(site, "queues/%2F/\(queue)", #"{"durable":true,"arguments":{"x-queue-type":"classic"}}"#)
        // What an earlier rehearsal left would be aliens in the ledger of this one.
        try await self.call(site, "queues/%2F/\(queue)/contents", "", method: .DELETE)
        try await self.call(
          site, "bindings/%2F/e/\(Self.exchange)/q/\(queue)", #"{"routing_key":"\#(queue)"}"#, method: .POST)
      }
    }
  }

  /// Makes the practice's users, with drawn passwords.
  func withOwnLogins() async throws -> PracticeBuses {
    func made(_ site: BusSite) async throws -> BusSite {
      let password = PracticeBuses.drawnPassword()
      let counterPassword = PracticeBuses.drawnPassword()
      for (user, secret, tags) in [
        (PracticeBuses.user, password, ""), (PracticeBuses.counter, counterPassword, "monitoring,policymaker"),
      ] {
        try await self.call(
          site, "users/\(user)", secret.withPlainText { #"{"password":"\#($0)","tags":"\#(tags)"}"# })
        try await self.call(site, "permissions/%2F/\(user)", #"{"configure":".*","write":".*","read":".*"}"#)
      }
      return PracticeBuses.site(site, password: password, counterPassword: counterPassword)
    }
    return PracticeBuses(self, source: try await made(self.source), target: try await made(self.target))
  }

  private func call(_ site: BusSite, _ path: String, _ body: String, method: HTTPMethod = .PUT) async throws {
    var request = HTTPClientRequest(url: "\(site.managementURL)/api/\(path)")
    request.method = method
    let login = Data("\(site.managementUser):\(site.managementPassword)".utf8).base64EncodedString()
    request.headers.add(name: "Authorization", value: "Basic \(login)")
    request.headers.add(name: "Content-Type", value: "application/json")
    request.body = .bytes(ByteBuffer(string: body))
    let response = try await self.http.execute(request, timeout: .seconds(60))
    guard (200..<300).contains(response.status.code) else {
      throw RehearsalError.declaring(path, status: Int(response.status.code))
    }
  }
}
