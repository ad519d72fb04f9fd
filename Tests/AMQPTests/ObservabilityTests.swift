// SPDX-License-Identifier: Apache-2.0

import Disclosure
import InMemoryTracing
import Logging
import Metrics
import MetricsTestKit
import NIOConcurrencyHelpers
import Testing
import Tracing

@testable import AMQP

@Suite("What a connection tells of itself")
struct ObservabilityTests {
  private let message = AMQPMessage(
    properties: AMQPProperties(messageID: "id-1", correlationID: "conversation-1"), applicationProperties: ["a": "b"],
    body: .data(Array("canary-body".utf8)))

  private func run(
    _ observability: AMQPObservability, _ manners: LoopbackServer.Manners = LoopbackServer.Manners(),
    logger: Logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
    _ body: (AMQPConnection) async throws -> Void
  ) async throws {
    try await LoopbackServer.run(manners) { plain in
      var configuration = plain
      configuration.observability = observability
      try await AMQPConnection.withConnection(configuration, logger: logger, body)
    }
  }

  private func dimensions(_ pairs: KeyValuePairs<AMQPAttributeName, String>) -> [(String, String)] {
    pairs.map { ($0.key.rawValue, $0.value) }
  }

  // MARK: Metrics

  @Test("OpenTelemetry's names are as its conventions have them")
  func names() {
    #expect(AMQPMetricName.sentMessages.rawValue == "messaging.client.sent.messages")
    #expect(AMQPMetricName.consumedMessages.rawValue == "messaging.client.consumed.messages")
    #expect(AMQPMetricName.operationDuration.rawValue == "messaging.client.operation.duration")
    #expect(AMQPMetricName.processDuration.rawValue == "messaging.process.duration")
    #expect(Set(AMQPMetricName.allCases.map(\.rawValue)).count == AMQPMetricName.allCases.count)
  }

  @Test("sends are counted by outcome, refused ones by code, and timed")
  func sends() async throws {
    let factory = TestMetrics()
    try await self.run(AMQPObservability(metrics: factory)) { connection in
      let sender = try await connection.openSender(to: "q")
      for _ in 0..<3 { _ = try await sender.send(self.message) }
      _ = try await sender.send(encoded: self.message.encoded())
      await #expect(throws: AMQPError.self) { try await sender.send(AMQPMessage(body: .absent)) }
    }
    let accepted = try factory.expectCounter(
      "messaging.client.sent.messages",
      self.dimensions([.system: "amqp", .destination: "q", .operationName: "send", .outcome: "accepted"]))
    #expect(accepted.totalValue == 4)
    let refused = try factory.expectCounter(
      "messaging.client.sent.messages",
      self.dimensions([.system: "amqp", .destination: "q", .operationName: "send", .error: "AMQP-409"]))
    #expect(refused.totalValue == 1)
    let timer = try factory.expectTimer(
      "messaging.client.operation.duration",
      self.dimensions([.system: "amqp", .destination: "q", .operationName: "send", .outcome: "accepted"]))
    #expect(timer.values.count == 4)
  }

  /// One piece after the other.
  private struct Pieces: AsyncSequence, Sendable {
    let pieces: [[UInt8]]
    struct Iterator: AsyncIteratorProtocol {
      var rest: ArraySlice<[UInt8]>
      mutating func next() async -> [UInt8]? { self.rest.popFirst() }
    }
    func makeAsyncIterator() -> Iterator { Iterator(rest: self.pieces[...]) }
  }

  @Test("a streamed send is checked, counted, timed and traced like any other")
  func streamedSends() async throws {
    let factory = TestMetrics()
    let tracer = InMemoryTracer()
    let received = NIOLockedValueBox<[[UInt8]]>([])
    var manners = LoopbackServer.Manners()
    manners.payload = { payload in received.withLockedValue { $0.append(payload) } }
    let observability = AMQPObservability(metrics: factory, tracing: AMQPTracing(tracer))
    try await self.run(observability, manners) { connection in
      let sender = try await connection.openSender(to: "q")
      let pieces = Pieces(pieces: [[1, 2], [3]])
      #expect(try await sender.send(self.message, bodyLength: 3, body: pieces) == .accepted)
      // Too few bytes; then what no check lets through.
      await #expect(throws: AMQPError.self) { try await sender.send(self.message, bodyLength: 4, body: pieces) }
      var keyed = self.message
      keyed.messageAnnotations = ["no-x": .int(1)]
      let refused = keyed
      await #expect(throws: AMQPError.self) { try await sender.send(refused, bodyLength: 3, body: pieces) }
    }
    for result: KeyValuePairs<AMQPAttributeName, String> in [[.outcome: "accepted"], [.error: "AMQP-407"], [.error: "AMQP-409"]] {
      let dimensions = self.dimensions([.system: "amqp", .destination: "q", .operationName: "send"]) + self.dimensions(result)
      #expect(try factory.expectCounter("messaging.client.sent.messages", dimensions).totalValue == 1)
      #expect(try factory.expectTimer("messaging.client.operation.duration", dimensions).values.count == 1)
    }
    let spans = tracer.finishedSpans
    #expect(spans.map(\.operationName) == ["send q", "send q", "send q"])
    #expect(spans.map { $0.attributes.get("error.type") } == [nil, .string("AMQP-407"), .string("AMQP-409")])
    let arrived = try AMQPMessage(decoding: try #require(received.withLockedValue { $0 }.first))
    #expect(arrived.applicationProperties[InMemoryTracer.traceIDKey]?.text == spans.first?.traceID)
    #expect(arrived.applicationProperties["a"] == "b")
    #expect(arrived.body == .data([1, 2, 3]))
  }

  @Test("an unknown outcome is counted as such")
  func unknown() async throws {
    let factory = TestMetrics()
    var manners = LoopbackServer.Manners()
    manners.answers = false
    try await self.run(AMQPObservability(metrics: factory, destinationLabel: { _ in nil }), manners) { connection in
      let sender = try await connection.openSender(to: "q")
      _ = try await sender.send(self.message, within: .milliseconds(50))
      await connection.close(within: .milliseconds(50))
    }
    let unknown = try factory.expectCounter(
      "messaging.client.sent.messages",
      self.dimensions([.system: "amqp", .operationName: "send", .outcome: "unknown"]))
    #expect(unknown.totalValue == 1)
  }

  @Test("what the other rooms report has its name and dimensions")
  func reported() throws {
    let factory = TestMetrics()
    let metrics = try #require(AMQPObservability(metrics: factory).metrics)
    metrics.consumed(7, from: "q")
    metrics.consumed(0, from: "nothing")
    metrics.recovered(tier: "link", address: "q")
    metrics.withdrawn(from: "q")
    metrics.stalled("q")
    metrics.link("q", role: "receiver", credit: 10, unsettled: 3, buffered: 2)
    metrics.link("q", role: "sender", credit: 5, waitingSends: 4)
    metrics.lastFrame(age: .milliseconds(1_500))
    metrics.processed("q", for: .seconds(2), failure: nil)
    let q = self.dimensions([.system: "amqp", .destination: "q"])
    func with(_ more: KeyValuePairs<AMQPAttributeName, String>) -> [(String, String)] { q + self.dimensions(more) }
    #expect(try factory.expectCounter("messaging.client.consumed.messages", with([.operationName: "receive"])).totalValue == 7)
    #expect(factory.counters(label: "messaging.client.consumed.messages").count == 1)
    #expect(try factory.expectCounter("amqp.client.recoveries", with([.tier: "link"])).totalValue == 1)
    #expect(try factory.expectCounter("amqp.client.deliveries.withdrawn", q).totalValue == 1)
    #expect(try factory.expectCounter("amqp.client.stalls", q).totalValue == 1)
    let receiver = with([.role: "receiver"])
    #expect(try factory.expectMeter("amqp.client.link.credit", receiver).lastValue == 10)
    #expect(try factory.expectMeter("amqp.client.link.unsettled", receiver).lastValue == 3)
    #expect(try factory.expectMeter("amqp.client.link.buffered", receiver).lastValue == 2)
    #expect(try factory.expectMeter("amqp.client.link.waiting_sends", with([.role: "sender"])).lastValue == 4)
    #expect(
      try factory.expectMeter("amqp.client.last_frame_age", self.dimensions([.system: "amqp"])).lastValue == 1.5)
    let timer = try factory.expectTimer("messaging.process.duration", with([.operationName: "process"]))
    #expect(timer.lastValue == 2_000_000_000)
  }

  private func statistics(_ links: [AMQPLinkStatistics], withdrawn: Int = 0, stalled: Int = 0) -> AMQPConnectionStatistics {
    AMQPConnectionStatistics(
      state: .open, epoch: 1, lastFrameReceivedAge: .seconds(3), withdrawnDeliveries: withdrawn, stalledLinks: stalled,
      links: links)
  }

  @Test("a connection's gauges: links to one address together, gone ones at zero, counters by what they gained")
  func reporter() throws {
    let factory = TestMetrics()
    let reporter = MetricsReporter(try #require(AMQPObservability(metrics: factory).metrics))
    func link(_ role: AMQPLinkStatistics.Role, _ number: UInt64, withdrawn: Int = 0) -> AMQPLinkStatistics {
      AMQPLinkStatistics(
        role: role, address: "q", name: "l", epoch: AMQPEpoch(connection: 1, link: number), credit: 10, buffered: 2, unsettled: 3,
        waitingSends: 4, inFlight: 5, withdrawn: withdrawn)
    }
    func meter(_ name: AMQPMetricName, _ role: String) throws -> Double? {
      try factory.expectMeter(
        name.rawValue, self.dimensions([.system: "amqp", .destination: "q", .role: role])
      ).lastValue
    }
    reporter.report(self.statistics([link(.receiver, 1, withdrawn: 2), link(.receiver, 2), link(.sender, 3)], withdrawn: 2))
    #expect(try meter(.credit, "receiver") == 20)
    #expect(try meter(.unsettled, "receiver") == 6)
    #expect(try meter(.buffered, "receiver") == 4)
    #expect(try meter(.unsettled, "sender") == 5)
    #expect(try meter(.waitingSends, "sender") == 4)
    // The first link took back one more, the second went after three that were never reported; one link stalled.
    reporter.report(self.statistics([link(.receiver, 1, withdrawn: 3)], withdrawn: 6, stalled: 1))
    #expect(try meter(.credit, "receiver") == 10)
    #expect(try meter(.credit, "sender") == 0)
    #expect(try meter(.waitingSends, "sender") == 0)
    let named = try factory.expectCounter(
      AMQPMetricName.withdrawn.rawValue, self.dimensions([.system: "amqp", .destination: "q"]))
    let unnamed = try factory.expectCounter(AMQPMetricName.withdrawn.rawValue, self.dimensions([.system: "amqp"]))
    #expect(named.totalValue == 3)
    #expect(unnamed.totalValue == 3)
    #expect(try factory.expectCounter(AMQPMetricName.stalls.rawValue, self.dimensions([.system: "amqp"])).totalValue == 1)
    reporter.report(self.statistics([link(.receiver, 1, withdrawn: 3)], withdrawn: 6, stalled: 1))
    #expect(named.totalValue == 3 && unnamed.totalValue == 3)
    reporter.end()
    #expect(try meter(.credit, "receiver") == 0)
    #expect(try meter(.unsettled, "receiver") == 0)
  }

  /// Tells of every gauge that is set.
  private struct ToldGauges: MetricsFactory {
    struct Setting: Sendable {
      var label: String
      var role: String?
      var value: Double
    }

    private final class Handler: MeterHandler {
      let label: String
      let role: String?
      let told: AsyncStream<Setting>.Continuation
      init(label: String, role: String?, told: AsyncStream<Setting>.Continuation) {
        self.label = label
        self.role = role
        self.told = told
      }
      func set(_ value: Int64) { self.set(Double(value)) }
      func set(_ value: Double) { self.told.yield(Setting(label: self.label, role: self.role, value: value)) }
      func increment(by amount: Double) {}
      func decrement(by amount: Double) {}
    }

    let others = TestMetrics()
    let told: AsyncStream<Setting>.Continuation

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
      Handler(label: label, role: dimensions.first { $0.0 == AMQPAttributeName.role.rawValue }?.1, told: self.told)
    }
    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
      self.others.makeCounter(label: label, dimensions: dimensions)
    }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
      self.others.makeRecorder(label: label, dimensions: dimensions, aggregate: aggregate)
    }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
      self.others.makeTimer(label: label, dimensions: dimensions)
    }
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
  }

  @Test("a real connection reports its gauges, and zero when it has ended", .timeLimit(.minutes(5)))
  func gauges() async throws {
    let (settings, told) = AsyncStream.makeStream(of: ToldGauges.Setting.self)
    var iterator = settings.makeAsyncIterator()
    func wait(for label: AMQPMetricName, _ value: Double) async {
      while let setting = await iterator.next() {
        if setting.label == label.rawValue, setting.role == "sender", setting.value == value { return }
      }
    }
    var manners = LoopbackServer.Manners()
    manners.answers = false
    let observability = AMQPObservability(metrics: ToldGauges(told: told), gaugeInterval: .milliseconds(10))
    let message = self.message
    try await LoopbackServer.run(manners) { plain in
      var configuration = plain
      configuration.observability = observability
      let connection = try await AMQPConnection.open(configuration)
      let sender = try await connection.openSender(to: "q")
      let send = Task { try await sender.send(message) }
      // Granted were 10; one is under way.
      await wait(for: .credit, 9)
      await wait(for: .unsettled, 1)
      send.cancel()
      _ = try await send.value
      await connection.close(within: .milliseconds(100))
      await wait(for: .credit, 0)
      await wait(for: .unsettled, 0)
    }
  }

  @Test("destinations without end are counted together from a bound on")
  func manyDestinations() throws {
    let factory = TestMetrics()
    let metrics = try #require(AMQPObservability(metrics: factory).metrics)
    for number in 0..<2_000 { metrics.consumed(1, from: "q-\(number)") }
    #expect(factory.counters(label: "messaging.client.consumed.messages").count == AMQPMetrics.destinationLimit + 1)
    let others = try factory.expectCounter(
      "messaging.client.consumed.messages",
      self.dimensions([.system: "amqp", .destination: AMQPMetrics.otherDestinations, .operationName: "receive"]))
    #expect(others.totalValue == 1_500)
  }

  // MARK: Traces

  @Test("a send's span, and its context in the message's application properties; both ends join")
  func joined() async throws {
    let tracer = InMemoryTracer()
    let observability = AMQPObservability(tracing: AMQPTracing(tracer))
    let received = NIOLockedValueBox<[[UInt8]]>([])
    var manners = LoopbackServer.Manners()
    manners.payload = { payload in received.withLockedValue { $0.append(payload) } }
    try await self.run(observability, manners) { connection in
      let sender = try await connection.openSender(to: "q")
      _ = try await sender.send(self.message)
    }
    let arrived = try AMQPMessage(decoding: try #require(received.withLockedValue { $0 }.first))
    #expect(arrived.applicationProperties["a"] == "b")
    let sent = try #require(tracer.finishedSpans.first)
    #expect(sent.operationName == "send q")
    #expect(sent.kind == .producer)
    #expect(sent.attributes.get("messaging.destination.name") == .string("q"))
    #expect(sent.attributes.get("messaging.message.id") == .string("id-1"))
    #expect(sent.attributes.get("messaging.message.conversation_id") == .string("conversation-1"))
    #expect(arrived.applicationProperties[InMemoryTracer.traceIDKey]?.text == sent.traceID)
    let inside = try await observability.processing(arrived, from: "q") { ServiceContext.current?.inMemorySpanContext }
    let processed = try #require(tracer.finishedSpans.last)
    #expect(processed.operationName == "process q")
    #expect(processed.kind == .consumer)
    #expect(processed.traceID == sent.traceID)
    #expect(processed.parentSpanID == sent.spanID)
    #expect(inside?.spanID == processed.spanID)
    #expect(!"\(sent.attributes) \(processed.attributes)".contains("canary"))
  }

  @Test("the message of a mover, and one with a context of its own, leave as they are")
  func untouched() async throws {
    let tracer = InMemoryTracer()
    let received = NIOLockedValueBox<[[UInt8]]>([])
    var manners = LoopbackServer.Manners()
    manners.payload = { payload in received.withLockedValue { $0.append(payload) } }
    var traced = self.message
    traced.applicationProperties[InMemoryTracer.traceIDKey] = "theirs"
    traced.applicationProperties[InMemoryTracer.spanIDKey] = "theirs"
    let theirs = traced
    try await self.run(AMQPObservability(tracing: AMQPTracing(tracer)), manners) { connection in
      let sender = try await connection.openSender(to: "q")
      _ = try await sender.send(encoded: self.message.encoded())
      _ = try await sender.send(theirs)
    }
    #expect(received.withLockedValue { $0 } == [self.message.encoded(), theirs.encoded()])
    try await self.run(AMQPObservability(tracing: AMQPTracing(tracer, writesContext: false)), manners) { connection in
      _ = try await connection.openSender(to: "q").send(self.message)
    }
    #expect(received.withLockedValue { $0 }.last == self.message.encoded())
  }

  @Test("a failure in a span is its code, never its words")
  func failures() async throws {
    struct Handler: Error { let words = "canary-words" }
    let tracer = InMemoryTracer()
    let factory = TestMetrics()
    let observability = AMQPObservability(metrics: factory, tracing: AMQPTracing(tracer))
    await #expect(throws: Handler.self) {
      try await observability.processing(self.message, from: "q") { throw Handler() }
    }
    try await self.run(observability) { connection in
      let sender = try await connection.openSender(to: "q")
      await #expect(throws: AMQPError.self) { try await sender.send(AMQPMessage(header: nil, body: .data([]))) }
    }
    let spans = tracer.finishedSpans
    #expect(spans.map { $0.attributes.get("error.type") } == [.string("Handler"), .string("AMQP-409")])
    #expect(spans.allSatisfy { $0.status?.code == .error && $0.errors.isEmpty })
    let timer = try factory.expectTimer(
      "messaging.process.duration",
      self.dimensions([.system: "amqp", .destination: "q", .operationName: "process", .error: "Handler"]))
    #expect(timer.values.count == 1)
  }

  // MARK: Frames

  /// Keeps what was logged.
  private struct Recorder: LogHandler {
    let lines: NIOLockedValueBox<[String]>
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { self.metadata[key] }
      set { self.metadata[key] = newValue }
    }
    func log(event: LogEvent) {
      let pairs = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      self.lines.withLockedValue { $0.append("\(event.message) \(pairs.joined(separator: " "))") }
    }
  }

  private func lines(level: Logger.Level, _ observability: AMQPObservability) async throws -> [String] {
    let lines = NIOLockedValueBox<[String]>([])
    let logger = Logger(label: "test", factory: { _ in Recorder(lines: lines, logLevel: level) })
    try await LoopbackServer.run { plain in
      var configuration = plain
      configuration.credentials = .login(.plain(user: "app", password: Secret("canary-password")))
      configuration.observability = observability
      try await AMQPConnection.withConnection(configuration, logger: logger) { connection in
        let sender = try await connection.openSender(to: "q")
        var sent = self.message
        sent.applicationProperties = ["canary-key": "canary-value"]
        _ = try await sender.send(sent)
        await sender.close()
      }
    }
    return lines.withLockedValue { $0 }
  }

  @Test("every frame both ways, at level trace, and nothing of content or secrets")
  func frames() async throws {
    let lines = try await self.lines(level: .trace, AMQPObservability(logsFrames: true))
    let all = lines.joined(separator: "\n")
    for wanted in [
      "direction=out endpoint=amqp://127.0.0.1", "performative=header", "fields=mechanisms=PLAIN,ANONYMOUS",
      "fields=mechanism=PLAIN ", "fields=code=0", "performative=open", "performative=begin", "role=sender", "target=q",
      "link-credit=10", "performative=transfer", "state=accepted", "performative=detach", "performative=close",
    ] {
      #expect((all + " ").contains(wanted), "\(wanted) in\n\(all)")
    }
    #expect(all.contains("payload_bytes="))
    #expect(!all.contains("canary"))
  }

  @Test("no frames at a higher level, nor unasked")
  func noFrames() async throws {
    let debug = try await self.lines(level: .debug, AMQPObservability(logsFrames: true))
    #expect(!debug.contains { $0.hasPrefix("frame") })
    let unasked = try await self.lines(level: .trace, .none)
    #expect(!unasked.contains { $0.hasPrefix("frame") })
  }

  @Test("a frame in words: errors without what Erlang prints of messages; random frames never crash", arguments: 0..<10)
  func words(_ seed: UInt64) {
    func frame(_ code: UInt64, _ fields: [AMQPValue]) -> FrameTrace {
      FrameTrace(.performative(channel: 1, isSASL: false, code: code, fields: fields, payload: [1, 2]))
    }
    let error = AMQPValue.described(
      descriptor: .ulong(0x1d), value: .list([.symbol("amqp:internal-error"), .string("crash {badarg,<<\"canary\">>}")]))
    #expect(frame(0x17, [error]).fields == "error=amqp:internal-error: crash {badarg,<<..>>}")
    #expect(
      frame(0x15, [.boolean(true), .uint(1), .null, .boolean(true), .described(descriptor: .ulong(0x25), value: .list([error]))])
        .fields == "role=receiver first=1 settled=true state=rejected(amqp:internal-error: crash {badarg,<<..>>})")
    #expect(frame(0x14, [.uint(0), .uint(5), .binary([9])]).payloadBytes == 2)
    #expect(frame(0x41, [.symbol("PLAIN"), .binary(Array("canary".utf8))]).fields == "mechanism=PLAIN")
    var generator = SplitMix(seed: seed)
    for _ in 0..<500 {
      let fields = (0..<Int.random(in: 0..<12, using: &generator)).map { _ in generator.value() }
      _ = frame(.random(in: 0x0f...0x46, using: &generator), fields)
    }
  }
}
