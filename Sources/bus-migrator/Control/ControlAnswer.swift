// SPDX-License-Identifier: Apache-2.0

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
    case let error as CommandLineError: return Self.failure(.badRequest, ControlAPI.Failure(error, isRefusal: false))
    case let error as any ExplainedError: return Self.failure(.serviceUnavailable, ControlAPI.Failure(error, isRefusal: false))
    default:
      let unknown = CommandLineError.answerUnreadable(seen: "the command ended by an error of unknown kind")
      return Self.failure(.internalServerError, ControlAPI.Failure(unknown, isRefusal: false))
    }
  }

  private static func failure(_ status: HTTPResponse.Status, _ failure: ControlAPI.Failure) -> Response {
    Self.response(status, (try? ControlAPI.encode(failure)) ?? Data())
  }

  private static func response(_ status: HTTPResponse.Status, _ body: Data, _ type: String = "application/json") -> Response {
    Response(
      status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
  }
}
