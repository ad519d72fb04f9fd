// SPDX-License-Identifier: Apache-2.0

import AMQP
import AsyncHTTPClient
import BusModel
import BusProbe
import Disclosure
import Foundation
import NIOCore

/// Watches thousands of queues of the real brokers that `scripts/with-brokers` has started, and prints what that costs this process and
/// how soon a change is seen. Arguments: `queues=10000 seconds=240 ways=list,each brokers=RABBITMQ3,RABBITMQ4`.
@main
struct WatchBenchmark {
  static func main() async throws {
    var settings = ["queues": "10000", "seconds": "240", "ways": "list,each"]
    let environment = ProcessInfo.processInfo.environment
    settings["brokers"] = environment["TJENESTEBUSS_BROKERS"] ?? "RABBITMQ3,RABBITMQ4"
    for argument in CommandLine.arguments.dropFirst() {
      let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
      if parts.count == 2 { settings[parts[0]] = parts[1] }
    }
    let count = Int(settings["queues"] ?? "") ?? 10_000
    let seconds = Int(settings["seconds"] ?? "") ?? 240
    let ways = (settings["ways"] ?? "").split(separator: ",").map(String.init)
    let brokers = (settings["brokers"] ?? "").split(separator: ",").map(String.init)
    try await HTTPClient.withHTTPClient { http in
      for broker in brokers where broker != "ACTIVEMQ" {
        let prefix = "TJENESTEBUSS_\(broker)"
        guard let management = environment["\(prefix)_MANAGEMENT_URL"], let amqp = environment["\(prefix)_URL"],
          let url = URL(string: amqp), let host = url.host, let port = url.port
        else {
          print("\(prefix)_URL is not set: run beside scripts/with-brokers")
          continue
        }
        let bus = WatchedBus(
          name: broker, dialect: broker == "RABBITMQ3" ? .rabbitMQ3 : .rabbitMQ4AddressV2, http: http, management: management,
          host: host, port: port, queues: (0..<count).map { "watched_\($0)_async" })
        try await bus.withQueues {
          for way in ways {
            if way == "list" { try await bus.measure("list by HTTP", try bus.byList(), wholeBus: true, seconds: seconds) }
            if way == "each", bus.dialect != .rabbitMQ3 {
              try await bus.withManagementOverAMQP {
                try await bus.measure("each by AMQP /management", $0, wholeBus: false, seconds: seconds)
              }
            }
          }
        }
      }
    }
  }
}
