// SPDX-License-Identifier: Apache-2.0

import NIOSSL
import TjenestebussTesting

@testable import AMQP

/// One connection of a play.
final class ExchangeLine {
  let play: Exchange
  let client: ExchangeClient
  private var isQuiet = false
  /// What is said while all goes as it should; told when it does not.
  private var unsaid: [String] = []
  private var hasCredit: Set<Int64> = []
  /// Where the peer receives: only there is its credit worth telling.
  private var peerReceives: Set<Int64> = []
  private var drains: Set<Int64> = []
  private var payloads: [Int64: [UInt8]] = [:]
  private var lastDeliveryID: Int64 = 0
  private(set) var nextOutgoingID: UInt32 = 0
  /// What the peer's next transfer will be, by channel, and how many deliveries each of its links has made.
  private var nextIncomingID: [UInt16: UInt32] = [:]
  private var deliveryCounts: [Int64: UInt32] = [:]
  private var hasSessionEnded = false
  private(set) var isOver = false
  private(set) var lastOutcome: String?

  /// The last complete message: its delivery id and payload.
  private(set) var lastDelivery: UInt32 = 0
  private(set) var lastPayload: [UInt8] = []

  init(_ play: Exchange, _ client: ExchangeClient) {
    self.play = play
    self.client = client
  }

  private func did(_ line: String) {
    if self.isQuiet { self.unsaid.append("> " + self.play.frameLines.plain(line)) } else { self.play.did(line) }
  }
  private func saw(_ line: String) { if self.isQuiet { self.unsaid.append("< " + line) } else { self.play.saw(line) } }

  /// What happens in `body` is told only when it ends the connection, a session or a link.
  func quietly(_ body: () async throws -> Void) async throws {
    self.isQuiet = true
    self.unsaid = []
    try await body()
    self.isQuiet = false
    let isBad = self.unsaid.contains { line in
      ["< end", "< close", "< detach", "< tcp", "< sasl-outcome 1"].contains { line.hasPrefix($0) }
    }
    if isBad { for line in self.unsaid { self.play.note(line) } }
  }

  // MARK: Writing

  func write(_ frame: AMQPFrame) { self.client.write(frame.encoded()) }

  func write(_ code: UInt64, channel: UInt16 = 0, _ fields: [AMQPValue?], payload: [UInt8] = []) {
    self.write(.amqp(code, channel: channel, fields, payload: payload))
  }

  func login(_ user: String, _ password: String) {
    self.did("login PLAIN \(user)")
    self.write(
      .performative(
        channel: 0, isSASL: true, code: AMQPFrame.Code.saslInit,
        fields: [.symbol("PLAIN"), .binary([0] + Array(user.utf8) + [0] + Array(password.utf8))], payload: []))
  }

  /// RabbitMQ's own mechanism: a table of AMQP 0-9-1.
  func loginByTable(_ user: String, _ password: String) {
    self.did("login AMQPLAIN \(user)")
    var table: [UInt8] = []
    for (name, value) in [("LOGIN", user), ("PASSWORD", password)] {
      table.append(UInt8(name.utf8.count))
      table += Array(name.utf8)
      table += [UInt8(ascii: "S"), 0, 0, 0, UInt8(value.utf8.count)]
      table += Array(value.utf8)
    }
    self.write(
      .performative(
        channel: 0, isSASL: true, code: AMQPFrame.Code.saslInit, fields: [.symbol("AMQPLAIN"), .binary(table)], payload: []))
  }

  func login(mechanism: String) {
    self.did("login \(mechanism)")
    self.write(
      .performative(
        channel: 0, isSASL: true, code: AMQPFrame.Code.saslInit, fields: [.symbol(mechanism), .binary([])], payload: []))
  }

  func open(host: String? = "localhost", idleTimeout: UInt32? = nil, maximumFrameSize: UInt32? = 65_536) {
    self.write(
      AMQPFrame.Code.open,
      [
        .string("exchange-\(self.client.localPort)"), host.map(AMQPValue.string), maximumFrameSize.map(AMQPValue.uint),
        .ushort(255), idleTimeout.map(AMQPValue.uint),
      ])
  }

  func begin(channel: UInt16 = 0) {
    self.write(
      AMQPFrame.Code.begin, channel: channel, [nil, .uint(0), .uint(10_000), .uint(10_000), .uint(1_023)])
  }

  struct Terminus {
    var address: String?
    var isNull = false
    var distributionMode: String?
    var isDynamic = false
    var isCoordinator = false

    static let null = Terminus(isNull: true)
    static func at(_ address: String?) -> Terminus { Terminus(address: address) }

    func encoded(isSource: Bool) -> AMQPValue? {
      if self.isNull { return nil }
      if self.isCoordinator {
        return .described(descriptor: .ulong(0x30), value: .list([.array([.symbol("amqp:local-transactions")])]))
      }
      var fields: [AMQPValue] = [self.address.map(AMQPValue.string) ?? .null, .uint(0), .symbol("session-end"), .uint(0)]
      fields.append(.boolean(self.isDynamic))
      if isSource, let mode = self.distributionMode { fields += [.null, .symbol(mode)] }
      return .described(descriptor: .ulong(isSource ? 0x28 : 0x29), value: .list(fields))
    }
  }

  /// Attaches without waiting for the answer.
  func startAttach(
    _ role: LinkRole, handle: UInt32 = 0, channel: UInt16 = 0, source: Terminus = .at("client"), target: Terminus = .at("client"),
    settled: UInt8 = 0, receiverSettles: UInt8 = 0, properties: AMQPMap? = nil, name: String? = nil
  ) {
    let address = (role == .receiver ? source : target)
    self.did("attach \(role) \(address.isNull ? "null" : address.address ?? "without address")")
    self.write(
      AMQPFrame.Code.attach, channel: channel,
      [
        .string(name ?? "link-\(handle)"), .uint(handle), .boolean(role == .receiver), .ubyte(settled), .ubyte(receiverSettles),
        source.encoded(isSource: true), target.encoded(isSource: false), nil, nil, role == .sender ? .uint(0) : nil, nil, nil,
        nil,
        properties.map(AMQPValue.map),
      ])
  }

  /// Attaches and reads the answer; with a refusal, the Detach after it too.
  func attach(
    _ role: LinkRole, handle: UInt32 = 0, channel: UInt16 = 0, source: Terminus = .at("client"), target: Terminus = .at("client"),
    settled: UInt8 = 0, receiverSettles: UInt8 = 0, properties: AMQPMap? = nil, name: String? = nil
  ) async throws {
    self.startAttach(
      role, handle: handle, channel: channel, source: source, target: target, settled: settled, receiverSettles: receiverSettles,
      properties: properties, name: name)
    try await self.readAttach(role)
  }

  func readAttach(_ role: LinkRole) async throws {
    guard let fields = try await self.read(until: AMQPFrame.Code.attach) else { return }
    let isRefused = role == .receiver ? (fields.at(5) ?? .null) == .null : (fields.at(6) ?? .null) == .null
    if isRefused {
      try await self.read(until: AMQPFrame.Code.detach)
    } else if role == .sender {
      try await self.read(until: AMQPFrame.Code.flow)
    }
  }

  func attachReceiver(_ address: String? = nil, handle: UInt32 = 0, mode: String? = nil, settled: UInt8 = 0) async throws {
    var source = Terminus.at(address ?? self.play.bus.address(self.play.queue))
    source.distributionMode = mode
    try await self.attach(.receiver, handle: handle, source: source, settled: settled)
  }

  func attachSender(_ address: String? = nil, handle: UInt32 = 0, settled: UInt8 = 0) async throws {
    try await self.attach(
      .sender, handle: handle, target: .at(address ?? self.play.bus.address(self.play.queue)), settled: settled)
  }

  func grant(_ credit: UInt32, handle: UInt32 = 0, drain: Bool = false) {
    self.did("flow credit=\(credit)\(drain ? " drain" : "")")
    if drain { self.drains.insert(Int64(handle)) }
    self.write(
      AMQPFrame.Code.flow,
      [
        .uint(self.nextIncomingID[0] ?? 0), .uint(10_000), .uint(self.nextOutgoingID), .uint(10_000), .uint(handle),
        .uint(self.deliveryCounts[Int64(handle)] ?? 0), .uint(credit), nil, .boolean(drain),
      ])
  }

  /// Sends a message in frames of at most 60,000 bytes.
  func transfer(_ payload: [UInt8], as what: String = "a message", handle: UInt32 = 0, settled: Bool = false) {
    self.did("transfer \(what)\(settled ? " settled" : "")")
    let id = self.nextOutgoingID
    var rest = payload[...]
    var isFirst = true
    repeat {
      let part = rest.prefix(60_000)
      rest = rest.dropFirst(part.count)
      self.write(
        AMQPFrame.Code.transfer,
        [
          .uint(handle), isFirst ? .uint(id) : nil, isFirst ? .binary(Array("tag-\(id)".utf8)) : nil, isFirst ? .uint(0) : nil,
          .boolean(settled), .boolean(!rest.isEmpty),
        ], payload: Array(part))
      isFirst = false
      self.nextOutgoingID += 1
    } while !rest.isEmpty
  }

  /// Sends and reads until there is an outcome, or the end of something.
  func send(_ payload: [UInt8], as what: String = "a message", handle: UInt32 = 0) async throws {
    self.transfer(payload, as: what, handle: handle)
    try await self.read(until: AMQPFrame.Code.disposition)
  }

  func dispose(_ delivery: UInt32, _ outcome: AMQPValue?, as what: String, settled: Bool = true) {
    self.did("disposition \(what)\(settled ? " settled" : "")")
    self.write(
      AMQPFrame.Code.disposition, [.boolean(true), .uint(delivery), .uint(delivery), .boolean(settled), outcome])
  }

  func detach(handle: UInt32 = 0) {
    self.did("detach")
    self.write(AMQPFrame.Code.detach, [.uint(handle), .boolean(true)])
  }

  func endSession(channel: UInt16 = 0) {
    self.did("end")
    self.write(AMQPFrame.Code.end, channel: channel, [])
  }

  // MARK: Reading

  /// Reads and tells until such a frame has come, or a session, the connection or TCP has ended, or nothing comes any more.
  @discardableResult
  func read(until wanted: UInt64, within limit: Duration = .seconds(30)) async throws -> [AMQPValue]? {
    while true {
      let patience = self.hasSessionEnded ? self.play.stage.patience : min(limit, self.play.stage.longest)
      guard let arrival = try await self.client.next(within: patience) else {
        self.saw("nothing more")
        return nil
      }
      guard case .frame(let frame) = arrival else {
        self.tellEnd()
        return nil
      }
      if let code = self.tell(frame) {
        if code == wanted, case .performative(_, _, _, let fields, _) = frame { return fields }
        if code == AMQPFrame.Code.end || code == AMQPFrame.Code.close { return nil }
        if code == AMQPFrame.Code.detach, wanted != AMQPFrame.Code.flow { return nil }
      }
    }
  }

  /// Reads what comes until it is quiet.
  func readRest() async throws {
    while !self.isOver {
      guard let arrival = try await self.client.next(within: self.play.stage.patience) else { return }
      guard case .frame(let frame) = arrival else { return self.tellEnd() }
      _ = self.tell(frame)
    }
  }

  /// Reads until it is quiet, and says so.
  func readSilence() async throws {
    let before = self.play.lines.count
    try await self.readRest()
    if self.play.lines.count == before { self.saw("nothing") }
  }

  /// Waits for what comes late, tells how late it was, and reads on until it is quiet.
  ///
  /// - Parameter candidates: the seconds it may take, ascending.
  func readLate(_ candidates: [Int]) async throws {
    if let seconds = try await self.play.stage.wait(for: self.client, candidates: candidates) {
      self.play.note("  after \(seconds) s")
    }
    try await self.readRest()
  }

  func readHeader() async throws {
    guard let arrival = try await self.client.next(within: .seconds(30)) else { return self.saw("nothing more") }
    guard case .frame(let frame) = arrival else { return self.tellEnd() }
    _ = self.tell(frame)
  }

  func readHeartbeat() async throws {
    while let arrival = try await self.client.next(within: .seconds(30)) {
      guard case .frame(let frame) = arrival else { return self.tellEnd() }
      if case .empty = frame { return self.saw("heartbeat") }
      _ = self.tell(frame)
    }
    self.saw("nothing more")
  }

  private func tellEnd() {
    // Who ends TCP after a Close or a refused login, and how soon, is all the same.
    let last = self.play.lines.last { $0.hasPrefix("< ") } ?? ""
    let isExpected = last.hasPrefix("< close") || last == "< sasl-outcome 1" || last == "< header AMQP"
    if !self.isOver, !isExpected { self.saw("tcp ends") }
    self.isOver = true
  }

  /// - Returns: what it was, when it was worth telling.
  private func tell(_ frame: AMQPFrame) -> UInt64? {
    switch frame {
    case .header(let id, _):
      self.saw("header \(id == 3 ? "SASL" : "AMQP")")
      return nil
    case .empty: return nil
    case .performative(let channel, _, let code, let fields, let payload):
      self.keepCount(channel, code, fields)
      switch code {
      case AMQPFrame.Code.flow: return self.tellFlow(fields) ? code : nil
      case AMQPFrame.Code.transfer: return self.tellTransfer(fields, payload) ? code : nil
      case AMQPFrame.Code.disposition:
        let first = fields.integer(1) ?? 0
        self.lastOutcome = self.play.frameLines.outcome(fields.at(4))
        for _ in first...max(first, fields.integer(2) ?? first) {
          self.saw("\(self.play.frameLines.outcome(fields.at(4)))\(fields.isTrue(3) ? " settled" : "")")
        }
        return code
      default:
        self.saw(self.play.frameLines.line(code: code, fields))
        return code
      }
    }
  }

  private func keepCount(_ channel: UInt16, _ code: UInt64, _ fields: [AMQPValue]) {
    switch code {
    case AMQPFrame.Code.begin: self.nextIncomingID[channel] = UInt32(fields.integer(1) ?? 0)
    case AMQPFrame.Code.end: self.hasSessionEnded = true
    case AMQPFrame.Code.attach where fields.isTrue(2): self.peerReceives.insert(fields.integer(1) ?? 0)
    case AMQPFrame.Code.attach:
      self.deliveryCounts[fields.integer(1) ?? 0] = UInt32(fields.integer(9) ?? 0)
    case AMQPFrame.Code.transfer:
      self.nextIncomingID[channel, default: 0] &+= 1
      if fields.integer(1) != nil { self.deliveryCounts[fields.integer(0) ?? 0, default: 0] &+= 1 }
    default: break
    }
  }

  /// Only the first credit of a link and the answer to a drain: how often a broker sends Flow besides is chance.
  private func tellFlow(_ fields: [AMQPValue]) -> Bool {
    guard let handle = fields.integer(4), let credit = fields.integer(6) else { return false }
    if self.drains.contains(handle), credit == 0 {
      self.drains.remove(handle)
      self.saw("flow drained")
      return true
    }
    guard credit > 0, self.peerReceives.contains(handle), self.hasCredit.insert(handle).inserted else { return false }
    self.saw("flow credit=\(credit)")
    return true
  }

  private func tellTransfer(_ fields: [AMQPValue], _ payload: [UInt8]) -> Bool {
    let handle = fields.integer(0) ?? 0
    if let id = fields.integer(1) { self.lastDeliveryID = id }
    self.payloads[handle, default: []] += payload
    guard !fields.isTrue(5) else { return false }
    self.lastPayload = self.payloads.removeValue(forKey: handle) ?? []
    self.lastDelivery = UInt32(self.lastDeliveryID)
    self.saw("transfer\(fields.isTrue(4) ? " settled" : "")")
    if self.isQuiet { return true }
    for line in self.play.frameLines.message(self.lastPayload) { self.play.note("    \(line)") }
    return true
  }
}
