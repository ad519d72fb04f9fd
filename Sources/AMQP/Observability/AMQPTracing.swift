// SPDX-License-Identifier: Apache-2.0

import Tracing

/// Spans for sending, receiving and processing, and the trace's context in messages, so that both ends' spans join.
///
/// The context is written as the tracer wants it (`traceparent` and `tracestate` with W3C's) into the *application
/// properties*, as strings: that is where W3C's draft for AMQP and the buses' own libraries put the creator's context, every
/// dialect carries it unchanged, and the profile's rule that application properties are strings holds. Message annotations
/// would have to be called `x-...`, which nobody else reads, and any broker on the way may change them.
///
/// Application properties belong to the bare message, which nobody but its creator may change. So context is written only by
/// the call that takes a message of our own (``AMQPSender/send(_:checks:within:)``); what is passed on as bytes is never
/// touched, and a connection that moves messages has no tracing. A context that a message has already is left alone.
public struct AMQPTracing: Sendable {
  private let tracer: any Tracer
  /// Whether messages we create get the context; if not, there are spans only.
  private let writesContext: Bool

  /// - Parameters:
  ///   - tracer: `InstrumentationSystem.tracer` for the process's own.
  ///   - writesContext: default true.
  public init(_ tracer: any Tracer, writesContext: Bool = true) {
    self.tracer = tracer
    self.writesContext = writesContext
  }

  /// The context that the creator of `message` gave it, on top of the current one.
  public func context(of message: AMQPMessage) -> ServiceContext {
    var context = ServiceContext.current ?? .topLevel
    self.tracer.extract(message.applicationProperties, into: &context, using: PropertyExtractor())
    return context
  }

  func sending(
    _ message: AMQPMessage, to address: String, at peer: AMQPConnectionConfiguration,
    _ send: (AMQPMessage) async throws(AMQPError) -> AMQPOutcome
  ) async throws(AMQPError) -> AMQPOutcome {
    let span = self.span("send", .producer, address, peer, ServiceContext.current ?? .topLevel)
    defer { span.end() }
    self.describe(message, on: span)
    var carried = message
    if self.writesContext { self.tracer.inject(span.context, into: &carried.applicationProperties, using: PropertyInjector()) }
    do {
      let outcome = try await send(carried)
      span.attributes[AMQPAttributeName.outcome.rawValue] = outcome.metricLabel
      if !outcome.isAccepted { span.setStatus(SpanStatus(code: .error)) }
      return outcome
    } catch {
      self.fail(span, error)
      throw error
    }
  }

  /// A span for a batch that arrived, linked to the traces of its messages (the first 32).
  func received(_ batch: [AMQPDelivery], from address: String, at peer: AMQPConnectionConfiguration) {
    guard !batch.isEmpty else { return }
    let span = self.span("receive", .client, address, peer, ServiceContext.current ?? .topLevel)
    span.attributes[AMQPAttributeName.batchCount.rawValue] = batch.count
    for delivery in batch.prefix(32) {
      guard let message = try? AMQPMessage(decodingBeforeBody: delivery.payload) else { continue }
      var context = ServiceContext.topLevel
      self.tracer.extract(message.applicationProperties, into: &context, using: PropertyExtractor())
      if !context.isEmpty { span.addLink(SpanLink(context: context, attributes: [:])) }
    }
    span.end()
  }

  func processing<Result>(
    _ message: AMQPMessage, from address: String, at peer: AMQPConnectionConfiguration?, _ body: () async throws -> Result
  ) async throws -> Result {
    let span = self.span("process", .consumer, address, peer, self.context(of: message))
    defer { span.end() }
    self.describe(message, on: span)
    do {
      return try await ServiceContext.withValue(span.context) { try await body() }
    } catch {
      self.fail(span, error)
      throw error
    }
  }

  private func span(
    _ operation: String, _ kind: SpanKind, _ address: String, _ peer: AMQPConnectionConfiguration?, _ context: ServiceContext
  ) -> any Span {
    let span = self.tracer.startAnySpan("\(operation) \(address)", context: context, ofKind: kind)
    span.updateAttributes { attributes in
      attributes[AMQPAttributeName.system.rawValue] = "amqp"
      attributes[AMQPAttributeName.operationName.rawValue] = operation
      attributes[AMQPAttributeName.operationType.rawValue] = operation
      attributes[AMQPAttributeName.destination.rawValue] = address
      if let peer {
        attributes[AMQPAttributeName.server.rawValue] = peer.host
        attributes[AMQPAttributeName.port.rawValue] = peer.port
      }
    }
    return span
  }

  private func describe(_ message: AMQPMessage, on span: any Span) {
    if let id = message.properties.messageID { span.attributes[AMQPAttributeName.messageID.rawValue] = id.description }
    if let id = message.properties.correlationID { span.attributes[AMQPAttributeName.conversationID.rawValue] = id.description }
  }

  /// A span's recorded error would carry the error's words; the code says enough.
  private func fail(_ span: any Span, _ error: any Error) {
    span.attributes[AMQPAttributeName.error.rawValue] = AMQPObservability.code(error)
    span.setStatus(SpanStatus(code: .error))
  }
}

private struct PropertyInjector: Injector {
  func inject(_ value: String, forKey key: String, into carrier: inout AMQPMap) {
    if carrier[key] == nil { carrier[key] = .string(value) }
  }
}

private struct PropertyExtractor: Extractor {
  func extract(key: String, from carrier: AMQPMap) -> String? { carrier[key]?.text }
}
