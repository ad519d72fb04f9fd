// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Hummingbird
import NIOCore
import NIOPosix
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
    var settings = ServiceGroupConfiguration(services: [application], logger: self.logger)
    settings.maximumGracefulShutdownDuration = .seconds(30)
    let group = ServiceGroup(configuration: settings)
    // In a task that our own cancellation does not reach: a Hummingbird server whose task is cancelled while a connection
    // waits to be taken up traps. Cancelling shuts down in order instead.
    let running = Task { try await group.run() }
    do {
      try await withTaskCancellationHandler {
        try await withGracefulShutdownHandler {
          try await running.value
        } onGracefulShutdown: {
          Task { await group.triggerGracefulShutdown() }
        }
      } onCancel: {
        Task { await group.triggerGracefulShutdown() }
      }
    } catch {
      self.address.resolve(.failure(error))
      throw error
    }
    self.address.resolve(.failure(CancellationError()))
  }

  private func respond(to request: Request, channel: any Channel) async -> Response {
    guard request.method == .post, let place = RegisterPlace(path: request.uri.path) else {
      return Self.page(.notFound)
    }
    guard self.isAllowed(request.headers[.authorization]) else {
      var response = Self.page(.unauthorized)
      response.headers[.wwwAuthenticate] = "Basic realm=\"address register\""
      return response
    }
    let answers = RegisterAnswers(version: place.version)
    let wanted = place.version == .v1_1 ? "text/xml" : "application/soap+xml"
    guard request.headers[.contentType]?.lowercased().hasPrefix(wanted) == true else {
      return Self.page(.unsupportedMediaType)
    }
    let bytes: [UInt8]
    do {
      bytes = Array(try await request.body.collect(upTo: 4 * 1_024 * 1_024).readableBytesView)
    } catch {
      return Self.page(.badRequest)
    }
    let question: RegisterRequest
    do throws(RegisterRequest.Malformed) {
      question = try RegisterRequest(bytes, busNames: self.busNames)
    } catch {
      switch error {
      case .document: return Self.page(.badRequest)
      case .call(_, let reason):
        return Self.soap(answers.plainFault(sender: true, reason: reason), answers, .internalServerError)
      }
    }
    guard question.version == place.version, RegisterOperation.reads.contains(question.operation) == place.reads else {
      return Self.soap(answers.plainFault(sender: true, reason: "not at this address"), answers, .internalServerError)
    }
    return await self.answer(question, answers, channel: channel)
  }

  private func answer(_ question: RegisterRequest, _ answers: RegisterAnswers, channel: any Channel) async -> Response {
    let fault = self.inside.withLock { $0.script.take(question.operation, herID: question.herID) }
    switch fault {
    case .refuse, .breakDown, .httpStatus, .replyLostBeforeApplying, .silenceBeforeApplying:
      self.note(question, .prevented)
    case .replyLostAfterApplying, .silenceAfterApplying, .delay, .halfDocument, nil: break
    }
    switch fault {
    case nil: return await self.carryOut(question, answers)
    case .refuse(let code):
      return Self.soap(answers.fault(code: code, message: "Refused by script."), answers, .internalServerError)
    case .breakDown:
      return Self.soap(answers.plainFault(sender: false, reason: "The service broke down."), answers, .internalServerError)
    case .httpStatus(let status):
      return Self.page(HTTPResponse.Status(code: status))
    case .replyLostBeforeApplying:
      return await Self.hangUp(channel)
    case .replyLostAfterApplying:
      _ = await self.carryOut(question, answers)
      return await Self.hangUp(channel)
    case .silenceBeforeApplying:
      return await Self.stayAway(channel)
    case .silenceAfterApplying:
      _ = await self.carryOut(question, answers)
      return await Self.stayAway(channel)
    case .delay(let span):
      do {
        try await cancelWhenGracefulShutdown { try await Task.sleep(for: span) }
      } catch {
        return await Self.hangUp(channel)
      }
      return await self.carryOut(question, answers)
    case .halfDocument:
      let (document, status) = await self.document(question, answers)
      return Self.soap(String(decoding: Array(document.utf8).prefix(document.utf8.count / 2), as: UTF8.self), answers, status)
    }
  }

  private func carryOut(_ question: RegisterRequest, _ answers: RegisterAnswers) async -> Response {
    let (document, status) = await self.document(question, answers)
    return Self.soap(document, answers, status)
  }

  /// Does what was asked and returns the answer's document.
  private func document(_ question: RegisterRequest, _ answers: RegisterAnswers) async -> (String, HTTPResponse.Status) {
    guard let herID = question.herID else { return (answers.pong("testing address register"), .ok) }
    guard let change = question.change else { return self.details(herID, answers) }
    do {
      // The file is written in here: not on the cooperative pool.
      let applied = try await NIOThreadPool.singleton.runIfActive { [self] in
        try self.changing {
          try $0.apply(
            change, to: herID, operationID: question.operationID, operation: question.operation.rawValue,
            buses: self.configuration.buses)
        }
      }
      self.note(question, .applied(applied))
      return (answers.done(question.operation), .ok)
    } catch let refusal as AddressRegisterState.Refusal {
      self.note(question, .refused)
      switch refusal {
      case .fault(let code, let message): return (answers.fault(code: code, message: message), .internalServerError)
      case .validation(let property, let message):
        return (answers.validationFault(property: property, message: message), .internalServerError)
      }
    } catch {
      self.note(question, .refused)
      return (answers.plainFault(sender: false, reason: "The change could not be kept."), .internalServerError)
    }
  }

  private func details(_ herID: HerID, _ answers: RegisterAnswers) -> (String, HTTPResponse.Status) {
    let (record, parentName, answer) = self.inside.withLock { inside -> (PartyRecord?, String?, Int64) in
      inside.answers += 1
      inside.reads[herID, default: 0] += 1
      let record = inside.register.record(herID)
      return (record, record?.parent.flatMap { inside.register.record($0)?.name }, inside.answers)
    }
    guard let record else {
      let message = "There is no communication party with HER-ID \(herID)."
      return (answers.fault(code: "InvalidHerIdSupplied", message: message), .internalServerError)
    }
    // A made-up time that no two answers share: whoever hashes it will notice.
    let serverTime = MessageTimestamp(secondsSinceEpoch: 1_750_000_000 + answer)
    return (answers.details(record, parentName: parentName, serverTime: serverTime), .ok)
  }

  private func note(_ question: RegisterRequest, _ outcome: WriteAttempt.Outcome) {
    guard let herID = question.herID, RegisterOperation.writes.contains(question.operation) else { return }
    self.inside.withLock {
      $0.attempts.append(
        WriteAttempt(operation: question.operation, herID: herID, operationID: question.operationID, outcome: outcome))
    }
  }

  private var busNames: [String: BusName] {
    Dictionary(self.configuration.buses.map { ($0.name.text, $0.name) }) { first, _ in first }
  }

  private func isAllowed(_ authorization: String?) -> Bool {
    let credentials = self.configuration.credentials
    let expected = credentials.password.withPlainText { Data("\(credentials.user):\($0)".utf8).base64EncodedString() }
    return authorization == "Basic " + expected
  }

  // MARK: - Responses

  private static func soap(_ document: String, _ answers: RegisterAnswers, _ status: HTTPResponse.Status) -> Response {
    Response(
      status: status, headers: [.contentType: answers.contentType],
      body: ResponseBody(byteBuffer: ByteBuffer(string: document)))
  }

  private static func page(_ status: HTTPResponse.Status) -> Response {
    Response(
      status: status, headers: [.contentType: "text/html"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: "<html><body><p>\(status.code)</p></body></html>")))
  }

  /// Closes the connection; what is returned finds nobody to go to.
  private static func hangUp(_ channel: any Channel) async -> Response {
    try? await channel.close()
    return Response(status: .ok)
  }

  /// Says nothing until the server stops, then hangs up. An hour is longer than any question waits.
  private static func stayAway(_ channel: any Channel) async -> Response {
    try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(3_600)) }
    return await Self.hangUp(channel)
  }
}

/// Which of the server's addresses a request went to.
private struct RegisterPlace {
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
