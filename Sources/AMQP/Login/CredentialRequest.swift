// SPDX-License-Identifier: Apache-2.0

import Disclosure
import NIOCore

/// One question to a credential provider, which ends by its answer, its deadline, or the caller's cancellation.
struct CredentialRequest {
  let provider: AMQPCredentialProvider
  let eventLoop: any EventLoop
  let tried: String

  func login() async throws(AMQPError) -> AMQPLogin {
    let answer = OneShot<Result<AMQPLogin, AMQPError>>()
    let ask = self.provider.ask
    let tried = self.tried
    // Unstructured on purpose: a provider that does not heed its cancellation must not hold the connecting task.
    let task = Task {
      do {
        answer.fulfil(.success(try await ask()))
      } catch {
        answer.fulfil(.failure(Self.unavailable(tried, "the provider failed with \(Self.name(of: error))")))
      }
    }
    let late = Self.unavailable(tried, "the provider did not answer in \(self.provider.timeout)")
    let timer = self.eventLoop.scheduleTask(in: TimeAmount(self.provider.timeout)) { answer.fulfil(.failure(late)) }
    defer {
      timer.cancel()
      task.cancel()
    }
    do {
      return try await answer.wait().get()
    } catch let error as AMQPError {
      throw error
    } catch {
      throw AMQPError(.cancelled, .connection, .local, tried: self.tried, seen: "the task was cancelled")
    }
  }

  static func unavailable(_ tried: String, _ seen: String) -> AMQPError {
    AMQPError(.credentialsUnavailable, .connection, .local, tried: tried, seen: seen)
  }

  /// Its type and code. Not its words: a token service's may hold the token.
  private static func name(of error: any Error) -> String {
    let type = String(describing: type(of: error))
    return (error as? any ExplainedError).map { "\(type) \($0.stableCode)" } ?? type
  }
}
