// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird

extension Router where Context == ControlContext {
  /// Whatever `answer` throws is answered as a failure.
  func on(_ route: ControlRoute, answer: @escaping @Sendable (Request, ControlAsker) async throws -> Response) {
    self.on(RouterPath(route.path), method: route.method) { request, context in
      guard let asker = context.asker else {
        return ControlAnswer.failure(CommandLineError.notAllowed(who: "somebody", roles: "any"))
      }
      do { return try await answer(request, asker) } catch let error as HTTPError { throw error } catch {
        return ControlAnswer.failure(error)
      }
    }
  }
}

extension Request {
  /// Of the question's parameters; nil when it is not there.
  func word(_ name: Substring) -> String? {
    self.uri.queryParameters[name].map { String($0).removingPercentEncoding ?? String($0) }
  }

  func number(_ name: Substring) throws -> Int64? {
    guard let text = self.word(name) else { return nil }
    guard let number = Int64(text) else {
      throw CommandLineError.argumentWrong(name: String(name), seen: String(text.prefix(40)), wanted: "a whole number")
    }
    return number
  }
}

extension DrainControl.Query {
  init(_ request: Request) throws {
    try self.init(pulje: request.word("pulje"), herIDs: request.word("her-id"))
  }
}
