// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL
import NIOTLS

/// Does the login on a fresh channel, then has the engine's handler put behind it and lets all bytes through.
///
/// Failures before that end here, TLS's too: the certificate that was refused can be looked at only from inside its handler.
final class ClientLoginHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Told once, on the event loop: the mechanisms that were offered, or why there is no login. Called inside the pipeline, so
  /// that a handler it adds after this one gets the bytes that follow.
  typealias Completion = (Result<[String], AMQPError>, ChannelHandlerContext) -> Void

  private var machine: ClientLoginMachine
  private let tls: NIOSSLClientHandler?
  private let failure: TLSFailure
  private let tried: String
  private var completion: Completion?
  private var context: ChannelHandlerContext?
  private var hasBegun = false
  private var isEncrypted: Bool
  private var firstBytes: [UInt8] = []
  private let mark: LiveCount.Mark

  init(
    _ login: AMQPLogin, hostname: String, containerID: String = "", tls: NIOSSLClientHandler?, failure: TLSFailure, tried: String,
    completion: @escaping Completion
  ) {
    self.machine = ClientLoginMachine(login, hostname: hostname)
    self.tls = tls
    self.failure = failure
    self.tried = tried
    self.completion = completion
    self.isEncrypted = tls == nil
    self.mark = LiveCount.Mark(.login, of: containerID)
  }

  /// What is being waited for.
  var waiting: String {
    self.isEncrypted ? self.machine.waiting.rawValue : "the TLS handshake"
  }

  var isDone: Bool { self.completion == nil }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelActive(context: ChannelHandlerContext) {
    self.begin(context)
    context.fireChannelActive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? TLSUserEvent, case .handshakeCompleted = event { self.isEncrypted = true }
    if case ChannelEvent.inputClosed? = event as? ChannelEvent, !self.isDone {
      self.fail(.connectionLost, "the server closed the connection while \(self.waiting) was awaited", context)
      return
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !self.isDone else { return context.fireChannelRead(data) }
    let bytes = self.unwrapInboundIn(data).readableBytesView
    self.firstBytes += bytes.prefix(64 - self.firstBytes.count)
    for action in self.machine.receive(bytes) {
      switch action {
      case .write(let bytes): self.write(bytes, context)
      case .failed(let failure): self.end(.failure(failure.error(tried: self.tried)), context)
      case .loggedIn(let offered, let remaining):
        self.end(.success(offered), context)
        if !remaining.isEmpty { context.fireChannelRead(self.wrapInboundOut(ByteBuffer(bytes: remaining))) }
      }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard !self.isDone else { return context.fireErrorCaught(error) }
    var failure = self.failure
    failure.certificate = self.tls?.peerCertificate.flatMap {
      guard let bytes = try? $0.toDERBytes() else { return nil }
      return CertificateFacts(der: bytes, beginsAt: Int64($0.notValidBefore), endsAt: Int64($0.notValidAfter))
    }
    failure.now = CertificateTime.now()
    self.end(.failure(failure.error(error, tried: self.tried) ?? ConnectionFailure.error(error, tried: self.tried)), context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    if !self.isDone {
      self.fail(.connectionLost, "the connection was cut while \(self.waiting) was awaited", context)
    }
    context.fireChannelInactive()
  }

  /// The deadline of connecting has passed, or the caller went away.
  func end(because error: AMQPError) {
    if let context = self.context, !self.isDone { self.end(.failure(error), context) }
  }

  private func begin(_ context: ChannelHandlerContext) {
    guard !self.hasBegun else { return }
    self.hasBegun = true
    self.write(self.machine.begin(), context)
  }

  private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
    context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
  }

  private func fail(_ code: AMQPError.Code, _ seen: String, _ context: ChannelHandlerContext) {
    self.end(.failure(AMQPError(code, .connection, .remote, tried: self.tried, seen: seen)), context)
  }

  private func end(_ result: Result<[String], AMQPError>, _ context: ChannelHandlerContext) {
    guard let completion = self.completion else { return }
    self.completion = nil
    let offered = self.machine.offered
    let firstBytes = self.firstBytes
    let result = result.mapError { error in
      var error = error
      error.opening = AMQPError.Opening(offeredMechanisms: offered, isLoggedIn: false, firstBytes: firstBytes)
      return error
    }
    completion(result, context)
    if case .failure = result { context.close(promise: nil) }
  }
}
