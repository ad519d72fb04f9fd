// SPDX-License-Identifier: Apache-2.0

import BusProbe
import Disclosure
import Foundation
import Hummingbird
import Migration

/// How questions on the control socket are answered, yes or no.
enum ControlAnswer {
  static func of(_ type: String = "application/json", _ body: () async throws -> Data) async -> Response {
    do { return Self.response(.ok, try await body(), type) } catch { return Self.failure(error) }
  }

  static func failure(_ error: any Error) -> Response {
    switch error {
    case let refusal as Refusal: return Self.failure(.conflict, ControlAPI.Failure(refusal, isRefusal: true))
    case CommandLineError.daemonRecovering(let socket):
      let failure = ControlAPI.Failure(CommandLineError.daemonRecovering(socket: socket), isRefusal: false)
      return Self.failure(.serviceUnavailable, failure)
    case let error as CommandLineError: return Self.failure(error)
    // Whoever asks has named a bus that is not there.
    case EchoError.busNotRead(let bus):
      return Self.failure(.badRequest, ControlAPI.Failure(EchoError.busNotRead(bus), isRefusal: false))
    case let error as any ExplainedError: return Self.failure(.serviceUnavailable, ControlAPI.Failure(error, isRefusal: false))
    default:
      let unknown = CommandLineError.answerUnreadable(seen: "the command ended by an error of unknown kind")
      return Self.failure(.internalServerError, ControlAPI.Failure(unknown, isRefusal: false))
    }
  }

  private static func failure(_ error: CommandLineError) -> Response {
    switch error {
    case .notAllowed, .speaksForOthers: Self.failure(.forbidden, ControlAPI.Failure(error, isRefusal: true))
    case .keyReused: Self.failure(.conflict, ControlAPI.Failure(error, isRefusal: true))
    case .tokenNotGood:
      Self.failure(.unauthorized, ControlAPI.Failure(error, isRefusal: true), headers: [.wwwAuthenticate: "Bearer"])
    case .routeNotThere: Self.failure(.notFound, ControlAPI.Failure(error, isRefusal: true))
    case .methodNotThere(_, let allowed):
      Self.failure(
        .methodNotAllowed, ControlAPI.Failure(error, isRefusal: true), headers: [.allow: allowed.joined(separator: ", ")])
    // What else is sent on this connection is not read.
    case .tooLarge: Self.failure(.contentTooLarge, ControlAPI.Failure(error, isRefusal: true), headers: [.connection: "close"])
    case .tooMuchAtOnce:
      Self.failure(
        .serviceUnavailable, ControlAPI.Failure(error, isRefusal: false), headers: [.connection: "close", .retryAfter: "1"])
    case .contentTypeWrong: Self.failure(.unsupportedMediaType, ControlAPI.Failure(error, isRefusal: true))
    default: Self.failure(.badRequest, ControlAPI.Failure(error, isRefusal: false))
    }
  }

  /// Of what the router says.
  static func failure(_ status: HTTPResponse.Status) -> Response {
    switch status {
    case .notFound: self.failure(CommandLineError.routeNotThere)
    case .contentTooLarge: self.failure(CommandLineError.tooLarge(limit: CommandControl.largestBody))
    case .internalServerError:
      self.failure(
        status,
        ControlAPI.Failure(
          CommandLineError.answerUnreadable(seen: "the request ended by an error of unknown kind"), isRefusal: false))
    default:
      self.failure(
        status,
        ControlAPI.Failure(
          CommandLineError.argumentWrong(name: "the request", seen: "status \(status.code)", wanted: "what is described"),
          isRefusal: false))
    }
  }

  /// Alive, since it answers; ready when commands are taken.
  static func health(_ readiness: DaemonReadiness, environment: String?) -> Response {
    let health = ControlAPI.Health(
      isReady: readiness.isReady, isRecovered: readiness.isRecovered, environment: environment)
    return Self.response(health.isReady ? .ok : .serviceUnavailable, (try? ControlAPI.encode(health)) ?? Data())
  }

  /// No, and nothing has changed.
  static func refused(_ error: any ExplainedError, _ status: HTTPResponse.Status) -> Response {
    Self.failure(status, ControlAPI.Failure(error, isRefusal: true))
  }

  private static func failure(
    _ status: HTTPResponse.Status, _ failure: ControlAPI.Failure, headers: HTTPFields = [:]
  ) -> Response {
    var response = Self.response(status, (try? ControlAPI.encode(failure)) ?? Data())
    for field in headers { response.headers[field.name] = field.value }
    return response
  }

  private static func response(_ status: HTTPResponse.Status, _ body: Data, _ type: String = "application/json") -> Response {
    Response(
      status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
  }
}
