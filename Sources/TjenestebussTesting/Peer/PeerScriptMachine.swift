// SPDX-License-Identifier: Apache-2.0

import AMQP

/// One connection's script: what came goes in, what to do comes out. No IO and no clock.
///
/// What comes before it is expected waits in line. After the last step the peer is polite: it answers Detach, End and Close and
/// passes over all else, so that a client can close in order.
struct PeerScriptMachine {
  enum Event {
    case header(PeerHeader)
    case frame(PeerFrame)
    case heartbeat
    /// Bytes that are no frame.
    case garbage(String)
    /// The client has ended its half of the connection.
    case inputEnded
    case released(String)
    /// A pause is over, or the patience for a step, by the number that the timer was set with.
    case timeIsUp(Int)
  }

  enum Action: Equatable {
    case write([UInt8], chunk: Int?)
    /// Ends the connection, after all that was written.
    case cut
    case reset
    /// The script has come to this hold.
    case reached(String)
    /// Call `timeIsUp` with this number after so long; nil stands for the patience.
    case setTimer(Int, Duration?)
    case finished
    case failed(ScriptedPeerError)
  }

  private enum State {
    case waiting
    /// At a pause, until its timer.
    case paused
    case polite
    /// Silent, cut or failed.
    case mute
  }

  private let steps: [PeerStep.Placed]
  private let ignoring: Set<PeerFrame.Kind>
  private var state = State.waiting
  private var position = 0
  private var inbox: [Event] = []
  private var memory = PeerMemory()
  private var chunk: Int?
  /// Frames still to be taken by a `take`.
  private var left: Int?
  private var released: Set<String> = []
  private var heldAt: String?
  private var timer = 0
  /// Answers to Begin, Detach and End that were passed over.
  private var answers: [Action] = []
  /// What was passed over since the last step was met.
  private var passedOver: [String] = []

  init(_ steps: [PeerStep], ignoring: Set<PeerFrame.Kind>) {
    self.steps = steps.flatMap(\.actions)
    self.ignoring = ignoring
  }

  var hasFinished: Bool { self.position >= self.steps.count }

  /// The steps that were not reached, each with its place in the script.
  var unreached: [String] {
    self.steps.indices.dropFirst(self.position).map {
      "step \($0 + 1), \(self.steps[$0].place): \(PeerScriptMachine.text(self.steps[$0].action))"
    }
  }

  mutating func begin() -> [Action] { self.goOn() }

  mutating func handle(_ event: Event) -> [Action] {
    switch event {
    case .timeIsUp(let number):
      guard number == self.timer else { return [] }
      switch self.state {
      case .paused:
        self.state = .waiting
        self.position += 1
        return self.goOn()
      case .waiting: return self.hasFinished ? [] : self.fail(.timedOut, seen: "nothing that fits came")
      case .polite, .mute: return []
      }
    case .released(let name):
      self.released.insert(name)
      return self.heldAt == name ? self.goOn() : []
    case .header, .frame, .heartbeat, .garbage, .inputEnded:
      switch self.state {
      case .mute: return []
      case .polite: return self.answerPolitely(event)
      case .waiting, .paused:
        self.inbox.append(event)
        return self.state == .waiting ? self.goOn() : []
      }
    }
  }

  /// Does all steps that can be done now.
  private mutating func goOn() -> [Action] {
    var actions: [Action] = []
    while self.state == .waiting {
      guard !self.hasFinished else {
        self.state = .polite
        actions.append(.finished)
        for event in self.inbox { actions += self.answerPolitely(event) }
        self.inbox = []
        return actions
      }
      let progress = self.step(self.steps[self.position].action)
      actions += self.answers
      self.answers = []
      switch progress {
      case .done(let more):
        self.position += 1
        self.passedOver = []
        self.left = nil
        actions += more
      case .waits:
        self.timer += 1
        return actions + (self.heldAt == nil ? [.setTimer(self.timer, nil)] : [])
      case .pauses(let duration):
        self.state = .paused
        self.timer += 1
        return actions + [.setTimer(self.timer, duration)]
      case .ends(let more):
        self.position += 1
        self.state = .mute
        return actions + more + (self.hasFinished ? [.finished] : [])
      case .holds(let name):
        if self.heldAt == name { return actions }
        self.heldAt = name
        // The test may take its time: a timer of the step before must not end it.
        self.timer += 1
        return actions + [.reached(name)]
      case .fails(let code, let seen): return actions + self.fail(code, seen: seen)
      }
    }
    return actions
  }

  private enum Progress {
    case done([Action])
    /// Done, and nothing is read or written from here on.
    case ends([Action])
    case waits
    case holds(String)
    case pauses(Duration)
    case fails(ScriptedPeerError.Code, String)
  }

  private mutating func step(_ action: PeerStep.Action) -> Progress {
    switch action {
    case .expect(let expectation): return self.expect { expectation.kind == $0.kind ? expectation.differences(in: $0) : nil }
    case .expectHeader(let header): return self.expect(header)
    case .expectEnd: return self.expectEnd()
    case .respond(let reply):
      guard let frame = reply.frame(self.memory) else {
        return .fails(.nothingToAnswer, "the client has sent nothing that a \(reply.name) could be an answer to")
      }
      self.memory.goes(frame)
      return .done([.write(frame.encoded, chunk: self.chunk)])
    case .write(let bytes): return .done([.write(bytes, chunk: self.chunk)])
    case .chunk(let size):
      self.chunk = size.map { max(1, $0) }
      return .done([])
    case .take(let frames): return self.take(frames)
    case .hold(let name):
      guard self.released.contains(name) else { return .holds(name) }
      self.heldAt = nil
      return .done([])
    case .pause(let duration): return .pauses(duration)
    case .cut: return .ends([.cut])
    case .reset: return .ends([.reset])
    case .silence: return .ends([])
    }
  }

  /// - Parameter differences: in a frame; nil when it is of another kind.
  private mutating func expect(_ differences: (PeerFrame) -> [String]?) -> Progress {
    while !self.inbox.isEmpty {
      let event = self.inbox.removeFirst()
      switch event {
      case .heartbeat: continue
      case .frame(let frame):
        self.memory.came(frame)
        let found = differences(frame)
        if found?.isEmpty == true { return .done([]) }
        if self.ignoring.contains(frame.kind) {
          self.passedOver.append("\(frame)")
          self.answers += self.answerInPassing(frame)
          continue
        }
        return .fails(.mismatch, (["came \(frame)"] + (found ?? [])).joined(separator: "; "))
      default: return self.refuse(event)
      }
    }
    return .waits
  }

  private mutating func expect(_ header: PeerHeader) -> Progress {
    guard !self.inbox.isEmpty else { return .waits }
    let event = self.inbox.removeFirst()
    guard case .header(header) = event else { return self.refuse(event) }
    return .done([])
  }

  private mutating func expectEnd() -> Progress {
    while !self.inbox.isEmpty {
      if case .inputEnded = self.inbox.removeFirst() { return .done([]) }
    }
    return .waits
  }

  private mutating func take(_ frames: Int) -> Progress {
    var left = self.left ?? frames
    while left > 0, !self.inbox.isEmpty {
      let event = self.inbox.removeFirst()
      switch event {
      case .heartbeat: continue
      case .frame(let frame):
        self.memory.came(frame)
        left -= 1
      default: return self.refuse(event)
      }
    }
    self.left = left
    return left > 0 ? .waits : .done([])
  }

  /// Something came that is no frame where a frame was expected, or no header where a header was.
  private func refuse(_ event: Event) -> Progress {
    switch event {
    case .header(let header): .fails(.mismatch, "came \(header)")
    case .frame(let frame): .fails(.mismatch, "came \(frame)")
    case .garbage(let what): .fails(.notAMQP, what)
    case .inputEnded: .fails(.mismatch, "the client ended the connection")
    case .heartbeat, .released, .timeIsUp: .fails(.mismatch, "came a heartbeat before the headers")
    }
  }

  private mutating func fail(_ code: ScriptedPeerError.Code, seen: String) -> [Action] {
    self.state = .mute
    let over = self.passedOver.isEmpty ? "" : "; passed over: \(self.passedOver.suffix(8).joined(separator: "; "))"
    let step = self.steps[self.position]
    let tried = "step \(self.position + 1) of the script, \(step.place): \(PeerScriptMachine.text(step.action))"
    return [.failed(ScriptedPeerError(code, tried: tried, seen: seen + over)), .cut]
  }

  /// The script is done: the client may close what it has.
  private mutating func answerPolitely(_ event: Event) -> [Action] {
    switch event {
    case .frame(let frame):
      self.memory.came(frame)
      guard frame.kind == .close else { return frame.kind == .begin ? [] : self.answerInPassing(frame) }
      self.state = .mute
      return [.write(PeerFrame(.close).encoded, chunk: self.chunk), .cut]
    case .inputEnded:
      self.state = .mute
      return [.cut]
    case .header, .heartbeat, .garbage, .released, .timeIsUp: return []
    }
  }

  private mutating func answerInPassing(_ frame: PeerFrame) -> [Action] {
    guard self.memory.owesAnswer(to: frame) else { return [] }
    let answer: PeerFrame? =
      switch frame.kind {
      case .begin: PeerReply.begin().frame(self.memory)
      case .detach: PeerFrame(.detach, channel: frame.channel, fields: [frame[.handle], .boolean(true)])
      case .end: PeerFrame(.end, channel: frame.channel)
      case .open, .attach, .flow, .transfer, .disposition, .close, .saslMechanisms, .saslInit, .saslChallenge, .saslResponse,
        .saslOutcome:
        nil
      }
    guard let answer else { return [] }
    self.memory.goes(answer)
    return [.write(answer.encoded, chunk: self.chunk)]
  }

  private static func text(_ action: PeerStep.Action) -> String {
    switch action {
    case .expect(let expectation): "expect \(expectation.text)"
    case .expectHeader(let header): "expect \(header)"
    case .expectEnd: "expect the end of the connection"
    case .respond(let reply): "respond \(reply.name)"
    case .write(let bytes): "write \(bytes.count) bytes"
    case .chunk(let size): size.map { "write in slices of \($0) bytes" } ?? "write whole again"
    case .take(let frames): "take \(frames) frames"
    case .hold(let name): "hold until \"\(name)\" is released"
    case .pause(let duration): "pause for \(duration)"
    case .cut: "end the connection"
    case .reset: "reset the connection"
    case .silence: "be silent"
    }
  }
}
