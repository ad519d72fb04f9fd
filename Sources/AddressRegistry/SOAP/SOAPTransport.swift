// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Disclosure
import Foundation
import NIOCore
import NIOHTTP1

/// Sends one SOAP request over HTTP and reads the answer; nothing is retried or redirected.
struct SOAPTransport: Sendable {
  /// An organisation's entry with its services is some hundred kilobytes.
  static let answerLimit = 32 * 1_024 * 1_024

  let endpoint: SOAPEndpoint
  private let url: URL
  /// The header `Authorization`, made once for all requests.
  private let authorization: Secret
  private let http: HTTPClient

  /// - Throws: `registerConfigurationInvalid` for a URL or credentials that cannot work or would show the password.
  init(endpoint: SOAPEndpoint, credentials: RegisterCredentials, http: HTTPClient) throws(AddressRegistryError) {
    try RegisterHTTP.check(endpoint.url, allowsPlainHTTP: endpoint.allowsPlainHTTP)
    guard endpoint.timeoutSeconds > 0, endpoint.timeoutSeconds <= 3_600 else {
      throw .registerConfigurationInvalid("a timeout of \(endpoint.timeoutSeconds) s is not between 0 and 3600")
    }
    guard !credentials.user.isEmpty, !credentials.user.contains(":"), !credentials.password.isEmpty else {
      throw .registerConfigurationInvalid("user name or password is empty, or the user name has a colon in it")
    }
    self.url = try RegisterHTTP.url(endpoint.url)
    self.endpoint = endpoint
    self.authorization = credentials.password.withPlainText { password in
      var request = HTTPClientRequest(url: endpoint.url)
      request.setBasicAuth(username: credentials.user, password: password)
      return Secret(request.headers.first(name: "Authorization") ?? "")
    }
    self.http = http
  }

  /// The first element of the answer's body.
  ///
  /// - Throws: the `register…` cases of ``AddressRegistryError``, `CancellationError`.
  func call(action: String, body: String, headers: String = "") async throws -> XMLNode {
    // Only the newer form names its messages.
    let messageID = self.endpoint.version == .v1_2 ? UUID().uuidString.lowercased() : nil
    let request = try self.request(action: action, body: body, headers: headers, messageID: messageID)
    let limit = Duration.milliseconds(Int64(self.endpoint.timeoutSeconds * 1_000))
    let answer = try await RegisterHTTP.exchange(request, over: self.http, limit: limit, sizeLimit: Self.answerLimit)
    return try Self.result(status: answer.status, bytes: answer.bytes, url: self.endpoint.url, messageID: messageID)
  }

  private func request(
    action: String, body: String, headers: String, messageID: String?
  ) throws(AddressRegistryError) -> HTTPClient.Request {
    guard
      let document = SOAPEnvelope.request(
        version: self.endpoint.version, url: self.endpoint.url, action: action, body: body, headers: headers,
        messageID: messageID),
      action.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\"") })
    else { throw .registerConfigurationInvalid("the SOAP action has characters that cannot be sent") }
    var headers = HTTPHeaders()
    self.authorization.withPlainText { headers.add(name: "Authorization", value: $0) }
    switch self.endpoint.version {
    case .v1_1:
      headers.add(name: "Content-Type", value: "text/xml; charset=utf-8")
      headers.add(name: "SOAPAction", value: "\"\(action)\"")
    case .v1_2:
      headers.add(name: "Content-Type", value: "application/soap+xml; charset=utf-8; action=\"\(action)\"")
    }
    return try RegisterHTTP.request(.POST, self.url, headers, ByteBuffer(string: document))
  }

  private static func result(
    status: UInt, bytes: [UInt8], url: String, messageID: String?
  ) throws(AddressRegistryError) -> XMLNode {
    if status == 401 || status == 403 { throw .registerLoginRefused(url: url, status: Int(status)) }
    let answer: SOAPEnvelope.Answer
    do { answer = try SOAPEnvelope.answer(bytes, to: messageID) } catch {
      if (200..<300).contains(status) { throw .registerAnswerUnreadable(url: url, seen: error.description) }
      throw .registerHTTPError(url: url, status: Int(status))
    }
    switch answer {
    case .result(let node):
      guard (200..<300).contains(status) else { throw .registerHTTPError(url: url, status: Int(status)) }
      return node
    case .fault(let fault):
      if let problems = fault.validation { throw .registerValidationFault(url: url, problems: problems) }
      throw .registerFault(url: url, code: fault.code, message: fault.message)
    }
  }
}
