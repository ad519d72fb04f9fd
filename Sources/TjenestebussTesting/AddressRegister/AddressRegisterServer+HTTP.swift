// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Hummingbird
import NIOCore
import NIOPosix
import OrderlyService
import ServiceLifecycle

extension AddressRegisterServer {
  /// Listens until the task is cancelled or the service group shuts down; both let answers under way go out, and cut
  /// scripted silences short. Once per server.
  public func run() async throws {
    let application = Application(
      responder: CallbackResponder { [self] (request: Request, context: RegisterRequestContext) in
        await self.respond(to: request, channel: context.channel)
      },
      configuration: ApplicationConfiguration(
        address: .hostname(self.configuration.host, port: self.configuration.port), serverName: nil),
      onServerRunning: { [address] channel in
        if let port = channel.localAddress?.port { address.resolve(.success(port)) }
      },
      logger: self.logger)
    do {
      try await OrderlyService(application, logger: self.logger).run()
    } catch {
      self.address.resolve(.failure(error))
      throw error
    }
    self.address.resolve(.failure(CancellationError()))
  }

  private func respond(to request: Request, channel: any Channel) async -> Response {
    let path = request.uri.path
    if request.method == .get, let place = RegisterPlace(path: path), place.reads {
      return self.contract(request.uri.query ?? "", base: Self.base(request))
    }
    if let place = RegisterPlace(path: path), request.method == .post {
      return await self.respondSOAP(to: request, at: place, channel: channel)
    }
    if let question = RESTQuestion(path: path, query: request.uri.query ?? "") {
      return await self.respondREST(to: request, question, base: Self.base(request), channel: channel)
    }
    return Self.page(.notFound)
  }

  /// Where the client thinks we are.
  private static func base(_ request: Request) -> String { "http://\(request.head.authority ?? "127.0.0.1")" }

  /// Carries an operation out as the script says, or does to it what the script says.
  ///
  /// - Parameters:
  ///   - prevented: told when the script keeps it from being done.
  ///   - refuse: the answer of a refusal with this code.
  ///   - breakDown: the answer of a service that breaks.
  ///   - carryOut: does it; with a limit only so many entries are written. The answer's body must be whole in memory for
  ///     `halfDocument` to cut it.
  func scripted(
    _ operation: RegisterOperation, herID: HerID?, channel: any Channel, prevented: () -> Void = {},
    refuse: (String) -> Response, breakDown: () -> Response, carryOut: (_ limit: Int?) async -> Response
  ) async -> Response {
    switch self.inside.withLock({ $0.script.take(operation, herID: herID) }) {
    case nil: return await carryOut(nil)
    case .refuse(let code):
      prevented()
      return refuse(code)
    case .breakDown:
      prevented()
      return breakDown()
    case .httpStatus(let status):
      prevented()
      return Self.page(HTTPResponse.Status(code: status))
    case .replyLostBeforeApplying:
      prevented()
      return await Self.hangUp(channel)
    case .replyLostAfterApplying:
      _ = await carryOut(nil)
      return await Self.hangUp(channel)
    case .silenceBeforeApplying:
      prevented()
      return await Self.stayAway(channel)
    case .silenceAfterApplying:
      _ = await carryOut(nil)
      return await Self.stayAway(channel)
    case .delay(let span):
      do {
        try await cancelWhenGracefulShutdown { try await Task.sleep(for: span) }
      } catch {
        return await Self.hangUp(channel)
      }
      return await carryOut(nil)
    case .halfDocument:
      var response = await carryOut(nil)
      let body = Collected()
      guard (try? await response.body.write(body)) != nil else { return await Self.hangUp(channel) }
      let bytes = body.bytes.withLock { $0 }
      response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes.prefix(bytes.count / 2)))
      response.headers[.contentLength] = nil
      return response
    case .applyOnly(let limit, let answers):
      let response = await carryOut(limit)
      return answers ? response : breakDown()
    case .strangerFirst(let record):
      try? self.put(record)
      return await carryOut(nil)
    }
  }

  // MARK: - Responses

  static func soap(_ document: String, _ answers: RegisterAnswers, _ status: HTTPResponse.Status) -> Response {
    Response(
      status: status, headers: [.contentType: answers.contentType],
      body: ResponseBody(byteBuffer: ByteBuffer(string: document)))
  }

  static func page(_ status: HTTPResponse.Status) -> Response {
    Response(
      status: status, headers: [.contentType: "text/html"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: "<html><body><p>\(status.code)</p></body></html>")))
  }

  /// Closes the connection; what is returned finds nobody to go to.
  static func hangUp(_ channel: any Channel) async -> Response {
    try? await channel.close()
    return Response(status: .ok)
  }

  /// Says nothing until the server stops, then hangs up. An hour is longer than any question waits.
  static func stayAway(_ channel: any Channel) async -> Response {
    try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(3_600)) }
    return await Self.hangUp(channel)
  }
}

/// Which of the server's addresses a request went to.
struct RegisterPlace {
  var version: SOAPVersion
  var reads: Bool

  init?(path: String) {
    switch path {
    case "/v1/AR": (self.version, self.reads) = (.v1_2, true)
    case "/v1/AR/Basic": (self.version, self.reads) = (.v1_1, true)
    case "/v1/Migration": (self.version, self.reads) = (.v1_2, false)
    case "/v1/Migration/Basic": (self.version, self.reads) = (.v1_1, false)
    default: return nil
    }
  }
}

/// Knows the connection, so that a scripted fault can cut it.
private struct RegisterRequestContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    self.coreContext = CoreRequestContextStorage(source: source)
    self.channel = source.channel
  }
}

/// Takes in the whole body of a response.
private struct Collected: ResponseBodyWriter {
  let bytes = LockedBox<[UInt8]>([])

  mutating func write(_ buffer: ByteBuffer) async throws {
    self.bytes.withLock { $0 += Array(buffer.readableBytesView) }
  }

  consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
