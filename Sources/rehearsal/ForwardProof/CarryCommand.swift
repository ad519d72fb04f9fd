// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import BusModel
import Dispatch
import Foundation
import Forwarding

/// `rehearsal carry`: the forwarder itself, as a child of `forward-kills`. It carries until it is told to stop, and says what it has done.
struct CarryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "carry", abstract: "Carries one queue from bus to bus; `forward-kills` starts it.", shouldDisplay: false)

  @Option var sourcePort: Int
  @Option var targetPort: Int
  @Option var queue: String
  @Option var journal: String
  @Option var mode: String
  @Option var way: ForwardWay
  @Option(help: "The management interface of the bus that is carried from.") var management: String

  func run() async throws {
    var rules = ForwardingRules()
    guard let mode = ForwardingRules.Mode(rawValue: self.mode) else { throw ValidationError("--mode is strict or fast") }
    rules.mode = mode
    let journal = try await ForwardingJournal.open(at: self.journal)
    let (old, new) = self.way == .there ? (self.sourcePort, self.targetPort) : (self.targetPort, self.sourcePort)
    let oldBus = try ForwardSite.endpoint("servicebus", host: "127.0.0.1", port: old, dialect: .rabbitMQ3)
    let newBus = try ForwardSite.endpoint("tjenestebuss", host: "127.0.0.1", port: new, dialect: .rabbitMQ4AddressV2)
    let (source, target) = self.way == .there ? (oldBus, newBus) : (newBus, oldBus)
    let forwarder = Forwarder(
      source: source, sourceQueue: self.queue, target: target, targetQueue: self.queue, rules: rules, journal: journal,
      stopLimit: .seconds(10), sourceLinks: self.links)
    signal(SIGTERM, SIG_IGN)
    let terminated = DispatchSource.makeSignalSource(signal: SIGTERM)
    terminated.setEventHandler { forwarder.stop() }
    terminated.resume()
    defer { terminated.cancel() }
    var last = try await withThrowingTaskGroup(of: CarryLine?.self) { group in
      group.addTask {
        while !Task.isCancelled {
          try Self.say(CarryLine(forwarder.counts))
          // The pace of the report, not a wait for anything.
          try? await Task.sleep(for: .milliseconds(250))
        }
        return nil
      }
      group.addTask {
        let report = try await forwarder.run()
        var line = CarryLine(report.counts)
        if case .stopped(let error) = report.ending { line.stopped = "\(error)" }
        return line
      }
      defer { group.cancelAll() }
      for try await line in group { if let line { return line } }
      return CarryLine()
    }
    last.duplicates = Array(Set(journal.possibleDuplicates().map(\.messageID)))
    last.hasEnded = true
    await journal.close()
    try Self.say(last)
  }

  /// RabbitMQ's statistics are five seconds late.
  private var links: SourceLinks {
    let url = "\(self.management)/api/queues/%2F/\(self.queue)"
    return SourceLinks(lag: .seconds(12)) {
      struct Queue: Decodable { var consumers: Int }
      var request = HTTPClientRequest(url: url)
      request.headers.add(name: "Authorization", value: "Basic \(Data("guest:guest".utf8).base64EncodedString())")
      guard let response = try? await HTTPClient.shared.execute(request, timeout: .seconds(10)), response.status == .ok,
        let body = try? await response.body.collect(upTo: 1 << 20)
      else { return nil }
      return (try? JSONDecoder().decode(Queue.self, from: Data(body.readableBytesView)))?.consumers
    }
  }

  private static func say(_ line: CarryLine) throws {
    FileHandle.standardOutput.write(try JSONEncoder().encode(line) + Data("\n".utf8))
  }
}

extension CarryLine {
  init(_ counts: ForwardingCounts) {
    self.init(
      received: counts.received, accepted: counts.accepted, settledAgain: counts.settledAgain,
      setAside: counts.setAside.values.reduce(0, +), notReturned: counts.notReturned)
  }
}
