// SPDX-License-Identifier: Apache-2.0

import AMQP
import Foundation
import Forwarding
import TjenestebussClient

/// One run of the forwarder between two brokers, and what fills the source. `Benchmarks/forward-baseline` runs it in turn with
/// `perf move` and shovels.
///
///     forward-benchmark fill  amqp://user:password@host:port ADDRESS COUNT SIZE
///     forward-benchmark carry amqp://... QUEUE COUNT amqp://... QUEUE strict|fast [WINDOW]
@main
struct ForwardBenchmark {
  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "fill": try await Self.fill(arguments)
    case "carry": try await Self.carry(arguments)
    default: print("usage: forward-benchmark fill URL ADDRESS COUNT SIZE | carry URL QUEUE COUNT URL QUEUE strict|fast [WINDOW]")
    }
  }

  /// Distinct messages as health messages are, so that each has its own fingerprint.
  static func fill(_ arguments: [String]) async throws {
    let endpoint = try Self.endpoint(arguments[1], "source")
    let (count, size) = (Int(arguments[3]) ?? 0, Int(arguments[4]) ?? 0)
    let body = [UInt8](repeating: 0x78, count: size)
    try await AMQPConnection.withConnection(endpoint.amqpConfiguration(role: "fill")) { connection in
      let sender = try await connection.openSender(to: arguments[2])
      try await withThrowingTaskGroup(of: Void.self) { group in
        for lane in 0..<200 {
          group.addTask {
            for number in stride(from: lane, to: count, by: 200) {
              let message = AMQPMessage(
                header: AMQPHeader(durable: true),
                properties: AMQPProperties(messageID: .string("benchmark-message-\(number)"), subject: "APPREC"),
                applicationProperties: ["fromHerId": .string("\(number % 50 + 1000)"), "toHerId": "93238"], body: .data(body))
              guard try await sender.send(message).isAccepted else { throw NotFilled() }
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  static func carry(_ arguments: [String]) async throws {
    let source = try Self.endpoint(arguments[1], "source")
    let target = try Self.endpoint(arguments[4], "target")
    let count = Int(arguments[3]) ?? 0
    var rules = ForwardingRules()
    rules.mode = arguments[6] == "strict" ? .strict : .fast
    if arguments.count > 7 { rules.window = Int(arguments[7]) ?? rules.window }
    let path = NSTemporaryDirectory() + "/forward-benchmark-\(ProcessInfo.processInfo.processIdentifier)"
    let journal = try await ForwardingJournal.open(at: path)
    let forwarder = Forwarder(
      source: source, sourceQueue: arguments[2], target: target, targetQueue: arguments[5], rules: rules, journal: journal)
    let before = Self.processorSeconds()
    let progress = forwarder.progress
    let watch = Task { for await counts in progress where counts.settled + counts.settledAgain >= count { forwarder.stop() } }
    let report = try await forwarder.run(untilIdleFor: .seconds(5))
    watch.cancel()
    let processor = Self.processorSeconds() - before
    await journal.close()
    try? FileManager.default.removeItem(atPath: path)
    try? FileManager.default.removeItem(atPath: path + ".lock")
    let seconds = Double(report.carrying.components.seconds) + Double(report.carrying.components.attoseconds) / 1e18
    print(
      String(
        format: "forward %d messages %.3f s %.0f msg/s %.2f us/msg, %d possible duplicates, %d set aside", report.counts.accepted,
        seconds, Double(report.counts.accepted) / max(seconds, 0.000_001),
        processor * 1e6 / Double(max(1, report.counts.accepted)), report.counts.possibleDuplicates, report.setAside.count))
    if report.counts.accepted != count { print("not whole: \(report.ending)") }
  }

  struct NotFilled: Error {}

  /// The dialect is what the bus says of itself.
  static func endpoint(_ url: String, _ name: String) throws -> BusEndpoint {
    let connection = try BusConnectionString(url)
    return try BusEndpoint(
      bus: .init(name: .init(name), dialect: name == "source" ? .rabbitMQ3 : .rabbitMQ4AddressV2, hosts: [name], path: ""),
      connection: connection)
  }

  static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
