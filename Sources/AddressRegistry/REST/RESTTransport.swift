// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Disclosure
import NIOCore

/// Asks a REST service of the register with a token and a proof that it is ours. A nonce that the service wants, and a token
/// that it does not take any more, cost one more request; nothing else is sent twice, and nothing is redirected.
struct RESTTransport: Sendable {
  /// What one look-up or page of events may weigh.
  static let answerLimit = 32 * 1_024 * 1_024

  let endpoint: RESTEndpoint
  private let tokens: HelseIDTokens
  private let http: HTTPClient

  init(endpoint: RESTEndpoint, tokens: HelseIDTokens, http: HTTPClient) throws(AddressRegistryError) {
    try RegisterHTTP.check(endpoint.url, allowsPlainHTTP: endpoint.allowsPlainHTTP)
    guard endpoint.timeoutSeconds > 0, endpoint.timeoutSeconds <= 3_600, endpoint.exportTimeoutSeconds > 0 else {
      throw .registerConfigurationInvalid("a timeout of \(endpoint.timeoutSeconds) s is not between 0 and 3600")
    }
    var endpoint = endpoint
    if endpoint.url.hasSuffix("/") { endpoint.url.removeLast() }
    self.endpoint = endpoint
    self.tokens = tokens
    self.http = http
  }

  /// The answer to a GET.
  ///
  /// - Parameter path: with a slash before it; `query` is percent-encoded already.
  /// - Returns: nil when the service says that there is no such thing (404).
  func get(_ path: String, query: String = "", accept: String) async throws -> [UInt8]? {
    let limit = Duration.milliseconds(Int64(self.endpoint.timeoutSeconds * 1_000))
    return try await self.asking(path, query: query, accept: accept, limit: limit) { response in
      Array(try await response.body.collect(upTo: Self.answerLimit).readableBytesView)
    }
  }

  /// The answer to a GET while it comes in.
  func stream<Value: Sendable>(
    _ path: String, accept: String, _ body: @escaping @Sendable (HTTPClientResponse) async throws -> Value
  ) async throws -> Value? {
    let limit = Duration.milliseconds(Int64(self.endpoint.exportTimeoutSeconds * 1_000))
    return try await self.asking(path, query: "", accept: accept, encodings: "gzip, application/gzip", limit: limit, body)
  }

  private enum Turn<Value: Sendable>: Sendable {
    case answer(Value?)
    case refused(status: Int, hadNonce: Bool, wantsNonce: Bool)
  }

  private func asking<Value: Sendable>(
    _ path: String, query: String, accept: String, encodings: String? = nil, limit: Duration,
    _ body: @escaping @Sendable (HTTPClientResponse) async throws -> Value
  ) async throws -> Value? {
    let url = self.endpoint.url + path
    var rejected: HelseIDTokens.AccessToken?
    var turns = 0
    while true {
      let token = try await self.tokens.token(rejected: rejected)
      var request = HTTPClientRequest(url: query.isEmpty ? url : url + "?" + query)
      request.method = .GET
      token.text.withPlainText { request.headers.add(name: "Authorization", value: "DPoP \($0)") }
      request.headers.add(name: "DPoP", value: try self.tokens.proof(method: "GET", url: url, accessToken: token))
      request.headers.add(name: "Accept", value: accept)
      if let encodings { request.headers.add(name: "Accept-Encoding", value: encodings) }
      let turn: Turn<Value> = try await RegisterHTTP.withResponse(
        to: request, over: self.http, limit: limit, sizeLimit: Self.answerLimit
      ) { [tokens] response in
        let status = Int(response.status.code)
        let learnt = tokens.learn(nonce: response.headers.first(name: "DPoP-Nonce"), from: url)
        if status == 401 {
          let challenge = response.headers["WWW-Authenticate"].joined(separator: ",")
          return .refused(status: status, hadNonce: learnt, wantsNonce: challenge.contains("use_dpop_nonce"))
        }
        if status == 403 { return .refused(status: status, hadNonce: false, wantsNonce: false) }
        if status == 404 { return .answer(nil) }
        guard (200..<300).contains(status) else { throw AddressRegistryError.registerHTTPError(url: url, status: status) }
        return .answer(try await body(response))
      }
      turns += 1
      switch turn {
      case .answer(let value): return value
      // The nonce was learnt: the same token again, with it.
      case .refused(_, hadNonce: true, wantsNonce: true) where turns <= 2: continue
      case .refused(status: 401, _, wantsNonce: false) where rejected == nil: rejected = token
      case .refused(let status, _, _): throw AddressRegistryError.registerLoginRefused(url: url, status: status)
      }
    }
  }
}
