// SPDX-License-Identifier: Apache-2.0

import AMQP
import Foundation
import NIOConcurrencyHelpers
import NIOCore

/// What the connections of a scripted peer have in common: the scripts, the holds, the end.
final class PeerStage: Sendable {
  struct Script: Sendable {
    let number: Int
    let steps: [PeerStep]
    let ignoring: Set<PeerFrame.Kind>
    let patience: Duration
  }

  private struct State {
    var connectionCount = 0
    var finished: Set<Int> = []
    var failure: ScriptedPeerError?
    var released: Set<String> = []
    var holds: [String: OneShot<Result<Void, ScriptedPeerError>>] = [:]
    var connections: [Int: @Sendable (String) -> Void] = [:]
    var unreached: [Int: [String]] = [:]
  }

  let done = OneShot<Result<Void, ScriptedPeerError>>()
  private let scripts: [[PeerStep]]
  private let ignoring: Set<PeerFrame.Kind>
  private let patience: Duration
  private let state = NIOLockedValueBox(State())

  init(_ scripts: [[PeerStep]], ignoring: Set<PeerFrame.Kind>, patience: Duration) {
    self.scripts = scripts
    self.ignoring = ignoring
    self.patience = patience
    if scripts.isEmpty { self.done.fulfil(.success(())) }
  }

  var connectionCount: Int { self.state.withLockedValue { $0.connectionCount } }
  var failure: ScriptedPeerError? { self.state.withLockedValue { $0.failure } }

  /// A connection has come. - Parameter release: tells it that a hold was released. - Returns: nil when no script is left.
  func next(release: @escaping @Sendable (String) -> Void) -> (Script, released: Set<String>)? {
    self.state.withLockedValue { state in
      let number = state.connectionCount
      state.connectionCount += 1
      guard number < self.scripts.count else { return nil }
      state.connections[number] = release
      let script = Script(number: number, steps: self.scripts[number], ignoring: self.ignoring, patience: self.patience)
      return (script, state.released)
    }
  }

  func release(_ hold: String) {
    let connections = self.state.withLockedValue { state in
      state.released.insert(hold)
      return Array(state.connections.values)
    }
    for connection in connections { connection(hold) }
  }

  func hold(_ name: String) -> OneShot<Result<Void, ScriptedPeerError>> {
    self.state.withLockedValue { state in
      let hold = state.holds[name] ?? OneShot()
      state.holds[name] = hold
      if let failure = state.failure { hold.fulfil(.failure(failure)) }
      return hold
    }
  }

  func reached(_ name: String) { self.hold(name).fulfil(.success(())) }

  func finished(_ script: Int) {
    let isDone = self.state.withLockedValue { state in
      state.finished.insert(script)
      return state.finished.count == self.scripts.count && state.failure == nil
    }
    if isDone { self.done.fulfil(.success(())) }
  }

  func failed(_ error: ScriptedPeerError) {
    let holds = self.state.withLockedValue { state in
      if state.failure == nil { state.failure = error }
      return Array(state.holds.values)
    }
    for hold in holds { hold.fulfil(.failure(error)) }
    self.done.fulfil(.failure(error))
  }

  /// What a connection has still to do, kept up to date by it.
  func note(_ unreached: [String], of script: Int) { self.state.withLockedValue { $0.unreached[script] = unreached } }

  func stopped() {
    self.done.fulfil(.failure(self.notReached(in: .zero)))
    // They hold their handlers, and those this stage.
    self.state.withLockedValue { $0.connections = [:] }
  }

  func notReached(in time: Duration) -> ScriptedPeerError {
    let (unreached, count) = self.state.withLockedValue { ($0.unreached, $0.connectionCount) }
    let missing = self.scripts.indices.dropFirst(count).map { "connection \($0 + 1) did not come" }
    let steps = unreached.sorted { $0.key < $1.key }.filter { !$0.value.isEmpty }
      .map { "connection \($0.key + 1): \($0.value.joined(separator: "; "))" }
    return ScriptedPeerError(
      .notReached, tried: "play \(self.scripts.count) scripts to their ends", seen: (steps + missing).joined(separator: "; "))
  }
}

/// One connection of a scripted peer on its event loop: carries out what ``PeerScriptMachine`` decides.
final class PeerConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Output {
    case bytes(ArraySlice<UInt8>)
    case cut
    case reset
  }

  private let stage: PeerStage
  private let gate: LoopGate
  private var script: PeerStage.Script?
  private var machine: PeerScriptMachine?
  private var parser = AMQPFrameParser(maximumFrameSize: 64 << 20)
  private var isReadable = true
  private var output: [Output] = []
  private var isWriting = false
  private var context: ChannelHandlerContext?

  init(_ stage: PeerStage, _ gate: LoopGate) {
    self.stage = stage
    self.gate = gate
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelActive(context: ChannelHandlerContext) {
    let this = NIOLoopBound(self, eventLoop: context.eventLoop)
    let gate = self.gate
    let next = self.stage.next { hold in gate.execute { this.value.handle(.released(hold)) } }
    guard let (script, released) = next else { return context.close(promise: nil) }
    self.script = script
    self.machine = PeerScriptMachine(script.steps, ignoring: script.ignoring)
    for hold in released { self.handle(.released(hold)) }
    self.perform(self.machine?.begin() ?? [])
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard self.isReadable else { return }
    self.parser.append(self.unwrapInboundIn(data).readableBytesView)
    do throws(AMQPDecodingError) {
      while let frame = try self.parser.next() { self.handle(PeerConnectionHandler.event(frame)) }
    } catch {
      self.isReadable = false
      self.handle(.garbage("bytes that are no frame: \(error)"))
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { self.handle(.inputEnded) }
  }

  func channelInactive(context: ChannelHandlerContext) { self.handle(.inputEnded) }

  /// A reset by the client, or TLS that did not come about: the channel closes, and the script sees its end.
  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private static func event(_ frame: AMQPFrame) -> PeerScriptMachine.Event {
    switch frame {
    case .header(let id, let version): return .header(PeerHeader(Array("AMQP".utf8) + [id] + version))
    case .empty: return .heartbeat
    case .performative(let channel, _, let code, let fields, let payload):
      guard let frame = PeerFrame(channel: channel, code: code, fields: fields, payload: payload) else {
        return .garbage("a performative that AMQP 1.0 does not have: \(code)")
      }
      return .frame(frame)
    }
  }

  private func handle(_ event: PeerScriptMachine.Event) { self.perform(self.machine?.handle(event) ?? []) }

  private func perform(_ actions: [PeerScriptMachine.Action]) {
    guard let script = self.script else { return }
    self.stage.note(self.machine?.unreached ?? [], of: script.number)
    for action in actions {
      switch action {
      case .write(let bytes, let chunk): self.enqueue(bytes, chunk)
      case .cut: self.output.append(.cut)
      case .reset: self.output.append(.reset)
      case .reached(let hold): self.stage.reached(hold)
      case .setTimer(let number, let duration): self.setTimer(number, duration ?? script.patience)
      case .finished: self.stage.finished(script.number)
      case .failed(let error): self.stage.failed(error)
      }
    }
    self.writeNext()
  }

  private func enqueue(_ bytes: [UInt8], _ chunk: Int?) {
    guard let chunk else { return self.output.append(.bytes(bytes[...])) }
    for start in stride(from: 0, to: bytes.count, by: chunk) {
      self.output.append(.bytes(bytes[start..<min(start + chunk, bytes.count)]))
    }
  }

  /// One piece after the other, each in a turn of the event loop of its own: so that slices go out as slices.
  private func writeNext() {
    guard !self.isWriting, !self.output.isEmpty, let context = self.context else { return }
    switch self.output.removeFirst() {
    case .bytes(let bytes):
      self.isWriting = true
      let this = NIOLoopBound(self, eventLoop: context.eventLoop)
      context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: bytes))).whenComplete { _ in
        this.value.isWriting = false
        this.value.writeNext()
      }
    case .cut: context.close(promise: nil)
    case .reset:
      context.channel.closeWithReset()
    }
  }

  private func setTimer(_ number: Int, _ duration: Duration) {
    self.context?.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(duration)) { [weak self] in
      self?.handle(.timeIsUp(number))
    }
  }
}

extension Channel {
  /// Closes by a TCP reset: what was written and not read yet may be lost on the way.
  func closeWithReset() {
    guard let socket = self as? any SocketOptionProvider else { return self.close(promise: nil) }
    socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in self.close(promise: nil) }
  }
}
