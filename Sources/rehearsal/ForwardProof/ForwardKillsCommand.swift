// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import Foundation

/// `rehearsal forward-kills`: messages are carried from bus to bus by a forwarder that is killed, between buses that are killed, over
/// connections that break; every one is accounted for by its id, its bytes and its place.
struct ForwardKillsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forward-kills",
    abstract: "Carries messages between two buses under kills and network cuts, and accounts for every one.",
    discussion: """
      Run beside scripts/with-brokers. What the chunks come to adds up in the file of progress, and the next run goes on there. A \
      witness queue on the source bus gets the same messages: its bytes are what the target must hold.
      """)

  @Option(help: "Where journals and the forwarder's log are written.")
  var directory: String

  @Option(help: "A file in which results add up.")
  var progress: String

  @Option(help: "How many chunks in this run.")
  var chunks = 1

  @Option(help: "Messages of a chunk.")
  var messages = 20_000

  @Option(help: "How often something goes wrong in a chunk.")
  var troubles = 8

  @Option(help: "classic or quorum; every second chunk has the other when it is both.")
  var queues = "both"

  @Option(help: "fast or strict.")
  var mode = "fast"

  @Option(help: "RABBITMQ4 or RABBITMQ43.")
  var target = "RABBITMQ4"

  @Option(help: "there: from RabbitMQ 3.10 to the target; back: from it to RabbitMQ 3.10, as after a roll-back.")
  var way = ForwardWay.there

  func run() async throws {
    let http = HTTPClient(eventLoopGroupProvider: .singleton)
    let isSound: Bool
    do {
      isSound = try await self.hold(http)
      try await http.shutdown()
    } catch {
      try? await http.shutdown()
      throw error
    }
    guard isSound else { throw ExitCode.failure }
  }

  private func hold(_ http: HTTPClient) async throws -> Bool {
    let environment = ProcessInfo.processInfo.environment
    let old = try ForwardSite(
      "servicebus", prefix: "TJENESTEBUSS_RABBITMQ3", dialect: .rabbitMQ3, environment: environment, http: http)
    let new = try ForwardSite(
      "tjenestebuss", prefix: "TJENESTEBUSS_\(self.target)", dialect: .rabbitMQ4AddressV2, environment: environment, http: http)
    let (source, target) = self.way == .there ? (old, new) : (new, old)
    let folder = URL(fileURLWithPath: self.directory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = URL(fileURLWithPath: self.progress)
    let terminal = Terminal()
    for _ in 0..<self.chunks {
      var progress = try ForwardProgress.read(file)
      let kind = self.queues == "both" ? (progress.chunks % 2 == 0 ? "classic" : "quorum") : self.queues
      let settings = ForwardChunk.Settings(
        messages: self.messages, troubles: self.troubles, seed: UInt64(progress.chunks + 1), queueKind: kind, mode: self.mode,
        way: self.way,
        directory: folder, program: URL(fileURLWithPath: CommandLine.arguments[0]))
      let begun = ContinuousClock.now
      let result = try await ForwardChunk(settings: settings, source: source, target: target, terminal: terminal).hold()
      let took = Double((ContinuousClock.now - begun).components.seconds)
      terminal.say("chunk \(settings.seed), \(kind), \(result.troubles.count) troubles, \(Int(took)) s: \(result.balance.words)")
      progress.chunks += 1
      progress.seconds += took
      progress.settledAgain += result.settledAgain
      progress.balance.add(result.balance)
      for trouble in result.troubles { progress.troubles[trouble.rawValue, default: 0] += 1 }
      try progress.write(file)
      guard result.balance.isSound else { return false }
    }
    let all = try ForwardProgress.read(file)
    terminal.say("all \(all.chunks) chunks: \(all.balance.words); settled again \(all.settledAgain); \(all.troubles)")
    return true
  }
}
