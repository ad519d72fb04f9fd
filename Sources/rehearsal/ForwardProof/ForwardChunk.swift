// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Foundation
import TjenestebussTesting

/// One chunk of the proof: a queue is filled, carried over while things go wrong, and every message accounted for.
struct ForwardChunk {
  struct Settings: Sendable {
    var messages: Int
    var troubles: Int
    var seed: UInt64
    var queueKind: String
    var mode: String
    var way: ForwardWay
    var directory: URL
    /// This program, for the child that carries.
    var program: URL
  }

  struct Result: Sendable {
    var balance: ForwardLedger.Balance
    var troubles: [ForwardTrouble]
    var settledAgain: Int
  }

  let settings: Settings
  let source: ForwardSite
  let target: ForwardSite
  let terminal: Terminal

  private static let senders = 10
  private static let carried = "forward-proof"
  private static let witness = "forward-proof-witness"

  func hold() async throws -> Result {
    let queues = [Self.carried, Self.witness]
    let asValues = self.target.dialect == .rabbitMQ3
    try await self.source.delete(queues)
    try await self.target.delete([Self.carried])
    try await self.source.declare(queues, kind: self.settings.queueKind)
    try await self.target.declare([Self.carried], kind: self.settings.queueKind)
    // A queue declared a moment before its bus is killed is not on the disk yet, nor is what was accepted into it (seen on all RabbitMQs).
    try await Task.sleep(for: .seconds(3))
    var ledger = ForwardLedger()
    try await self.source.send(self.messages())
    for sighting in try await self.source.take(
      Self.witness, expected: self.settings.messages, quiet: .seconds(10), asValues: asValues, tell: self.terminal.say)
    {
      ledger.witnessed(sighting)
    }
    let journal = self.settings.directory.appendingPathComponent("journal")
    try? FileManager.default.removeItem(at: journal)
    let carried = try await self.carry(journal: journal)
    for id in carried.duplicates { ledger.listed(id) }
    let copies = self.settings.messages + carried.duplicates.count
    for sighting in try await self.target.take(
      Self.carried, expected: .max, quiet: .seconds(4), asValues: asValues, tell: self.terminal.say)
    { ledger.arrived(sighting) }
    for sighting in try await self.source.take(Self.carried, expected: copies, quiet: .seconds(2), tell: self.terminal.say) {
      ledger.left(sighting.id)
    }
    let balance = ledger.balance()
    if !balance.isSound { try self.keep(ledger.course, journal) }
    return Result(balance: balance, troubles: carried.troubles, settledAgain: carried.settledAgain)
  }

  /// For whoever looks for the reason: the next chunk begins with a new journal.
  private func keep(_ course: String, _ journal: URL) throws {
    func file(_ name: String) -> URL { self.settings.directory.appendingPathComponent("unsound-\(self.settings.seed)-\(name)") }
    try Data(course.utf8).write(to: file("course.txt"))
    try? FileManager.default.removeItem(at: file("journal"))
    try FileManager.default.copyItem(at: journal, to: file("journal"))
    self.terminal.say("the target's order and the journal are kept: \(file("*").path)")
  }

  private func messages() -> [[AMQPMessage]] {
    var random = Seeded(self.settings.seed)
    let begun = MessageTimestamp(secondsSinceEpoch: Int64(Date().timeIntervalSince1970)).description
    return (0..<Self.senders).map { sender in
      (0..<self.settings.messages / Self.senders).map { number in
        let body = (0..<Int.random(in: 20...600, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        return AMQPMessage(
          header: AMQPHeader(durable: true, timeToLive: Bool.random(using: &random) ? 86_400_000 : nil),
          properties: AMQPProperties(
            messageID: .string("m-\(self.settings.seed)-\(sender)-\(number)"), to: "93238_async", subject: "APPREC",
            contentType: "text/plain"),
          applicationProperties: [
            "fromHerId": .string("\(93_000 + sender)"), "toHerId": "93238", "number": .string("\(number)"),
            "enqueuedTimeUtc": .string(begun),
          ],
          body: .data(body))
      }
    }
  }

  // MARK: Carrying

  private struct Carried {
    var troubles: [ForwardTrouble] = []
    var duplicates: Set<String> = []
    var settledAgain = 0
  }

  private func carry(journal: URL) async throws -> Carried {
    let log = try Self.log(self.settings.directory.appendingPathComponent("carry.log"))
    return try await FaultProxy.withProxy(to: self.source.host, port: self.source.port) { sourceProxy in
      try await FaultProxy.withProxy(to: self.target.host, port: self.target.port) { targetProxy in
        let arguments = [
          "carry", "--source-port", "\(sourceProxy.port)", "--target-port", "\(targetProxy.port)", "--queue", Self.carried,
          "--journal", journal.path, "--mode", self.settings.mode, "--way", self.settings.way.rawValue, "--management",
          (self.settings.way == .there ? self.source : self.target).managementURL,
        ]
        var carried = Carried()
        // Since when the source holds messages for a connection that nobody has any more.
        var forgottenSince: ContinuousClock.Instant?
        var plan = ForwardTrouble.plan(self.settings.troubles, over: self.settings.messages, seed: self.settings.seed)[...]
        var before = 0
        var lives = 0
        // Each life of the child; the last one ends in order, with nothing left to carry and no trouble to come.
        while lives < 200 {
          lives += 1
          let child = ChildProgram()
          var last = CarryLine()
          var idle = 0
          var isStopping = false
          for await text in try child.lines(self.settings.program, arguments, log: log) {
            guard let line = try? JSONDecoder().decode(CarryLine.self, from: Data(text.utf8)) else { continue }
            idle = line.received == last.received && line.accepted == last.accepted ? idle + 1 : 0
            if let since = forgottenSince, ContinuousClock.now - since > ForwardTrouble.forgotten {
              forgottenSince = nil
              idle = 0
              try await sourceProxy.closeHalfOpen()
            }
            last = line
            if line.hasEnded { carried.duplicates.formUnion(line.duplicates ?? []) }
            while let next = plan.first, before + line.accepted >= next.after || idle >= 20 {
              plan.removeFirst()
              idle = 0
              carried.troubles.append(next.trouble)
              self.terminal.progress(next.trouble.rawValue, "after \(before + line.accepted)")
              if next.trouble == .sourceHalfOpen { forgottenSince = .now }
              try await self.happen(next.trouble, child, sourceProxy, targetProxy)
              if next.trouble == .forwarderKilled { break }
            }
            // It looks for what a dead connection holds every half minute at the least.
            let isLong = carried.troubles.contains(.sourceHalfOpen)
            if idle >= (isLong ? 200 : 40), plan.isEmpty, forgottenSince == nil, !isStopping {
              isStopping = true
              child.stop()
            }
          }
          if last.notReturned > 0 { self.terminal.say("\(last.notReturned) messages were not awaited any longer") }
          if let words = last.stopped { throw RehearsalError.forwarding("carry \(self.settings.messages) messages", seen: words) }
          before += last.accepted
          carried.settledAgain += last.settledAgain
          try await targetProxy.closeHalfOpen()
          guard last.hasEnded, plan.isEmpty, forgottenSince == nil else { continue }
          // What came back in the child's last moment, or had not yet come back when it was idle, is carried by another life.
          if last.accepted == 0 { return carried }
        }
        throw RehearsalError.forwarding(
          "carry \(self.settings.messages) messages", seen: "not done after \(lives) lives of the forwarder")
      }
    }
  }

  private func happen(
    _ trouble: ForwardTrouble, _ child: ChildProgram, _ sourceProxy: FaultProxy, _ targetProxy: FaultProxy
  ) async throws {
    switch trouble {
    case .forwarderKilled: child.kill()
    case .sourceKilled:
      try await self.source.tell(.kill)
      try await self.source.tell(.start)
    case .targetKilled:
      try await self.target.tell(.kill)
      try await self.target.tell(.start)
    case .sourceCut: try await sourceProxy.inject(.cut)
    case .targetCut: try await targetProxy.inject(.cut)
    case .sourceReset: try await sourceProxy.inject(.reset)
    case .targetReset: try await targetProxy.inject(.reset)
    case .targetHalfOpen: try await targetProxy.inject(.halfOpen)
    case .sourceHalfOpen: try await sourceProxy.inject(.halfOpen)
    }
  }

  private static func log(_ file: URL) throws -> FileHandle {
    if !FileManager.default.fileExists(atPath: file.path) { try Data().write(to: file) }
    let handle = try FileHandle(forWritingTo: file)
    try handle.seekToEnd()
    return handle
  }
}

/// What the child says of itself, a line each quarter of a second and one when it has ended in order.
struct CarryLine: Sendable, Codable {
  var received = 0
  var accepted = 0
  var settledAgain = 0
  var setAside = 0
  /// On hand when a link was lost, and not come again in time.
  var notReturned = 0
  var hasEnded = false
  /// Ids of which the journal says that they may be on the target twice; with the last line.
  var duplicates: [String]?
  /// Why a queue stopped.
  var stopped: String?
}
