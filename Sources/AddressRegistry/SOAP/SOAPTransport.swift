// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import BusModel
import Disclosure
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// Sends one SOAP request over HTTP and reads the answer; nothing is retried or redirected.
struct SOAPTransport: Sendable {
  /// An organisation's entry with its services is some hundred kilobytes.
  static let answerLimit = 32 * 1_024 * 1_024

  let endpoint: SOAPEndpoint
  private let credentials: RegisterCredentials
  private let http: HTTPClient
  private let host: String

  /// - Throws: `registerConfigurationInvalid` for a URL or credentials that cannot work or would show the password.
  init(endpoint: SOAPEndpoint, credentials: RegisterCredentials, http: HTTPClient) throws(AddressRegistryError) {
    guard let url = URLComponents(string: endpoint.url), let host = url.host, !host.isEmpty,
      let scheme = url.scheme?.lowercased(), scheme == "https" || scheme == "http", url.user == nil, url.password == nil
    else {
      throw .registerConfigurationInvalid("the URL is not of the form https://host/path (without user and password in it)")
    }
    guard scheme == "https" || endpoint.allowsPlainHTTP || Self.isLoopback(host) else {
      throw .registerConfigurationInvalid(
        "\(endpoint.url) would send the password unencrypted; use https, or allow plain HTTP explicitly")
    }
    guard endpoint.timeoutSeconds > 0, endpoint.timeoutSeconds <= 3_600 else {
      throw .registerConfigurationInvalid("a timeout of \(endpoint.timeoutSeconds) s is not between 0 and 3600")
    }
    guard !credentials.user.isEmpty, !credentials.user.contains(":"), !credentials.password.isEmpty else {
      throw .registerConfigurationInvalid("user name or password is empty, or the user name has a colon in it")
    }
    self.endpoint = endpoint
    self.credentials = credentials
    self.http = http
    self.host = host
  }

  /// The first element of the answer's body.
  ///
  /// - Throws: the `register…` cases of ``AddressRegistryError``, `CancellationError`.
  func call(action: String, body: String, headers: String = "") async throws -> XMLNode {
    let messageID = UUID().uuidString.lowercased()
    let request = try self.request(action: action, body: body, headers: headers, messageID: messageID)
    let limit = Duration.milliseconds(Int64(self.endpoint.timeoutSeconds * 1_000))
    let (status, bytes) = try await self.exchange(request, within: limit)
    return try Self.result(status: status, bytes: bytes, url: self.endpoint.url, messageID: messageID)
  }

  private func request(
    action: String, body: String, headers: String, messageID: String
  ) throws(AddressRegistryError) -> HTTPClientRequest {
    guard
      let document = SOAPEnvelope.request(
        version: self.endpoint.version, url: self.endpoint.url, action: action, body: body, headers: headers,
        messageID: messageID),
      action.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\"") })
    else { throw .registerConfigurationInvalid("the SOAP action has characters that cannot be sent") }
    var request = HTTPClientRequest(url: self.endpoint.url)
    request.method = .POST
    self.credentials.password.withPlainText { request.setBasicAuth(username: self.credentials.user, password: $0) }
    switch self.endpoint.version {
    case .v1_1:
      request.headers.add(name: "Content-Type", value: "text/xml; charset=utf-8")
      request.headers.add(name: "SOAPAction", value: "\"\(action)\"")
    case .v1_2:
      request.headers.add(name: "Content-Type", value: "application/soap+xml; charset=utf-8; action=\"\(action)\"")
    }
    request.body = .bytes(ByteBuffer(string: document))
    return request
  }

  /// Status and body; the time limit holds from connecting to the last byte.
  private func exchange(_ request: HTTPClientRequest, within limit: Duration) async throws -> (status: UInt, bytes: [UInt8]) {
    try await withThrowingTaskGroup(of: (status: UInt, bytes: [UInt8])?.self) { group in
      group.addTask { [http] in
        let response = try await http.execute(request, timeout: .nanoseconds(Int64(limit / .nanoseconds(1))))
        let body = try await response.body.collect(upTo: Self.answerLimit)
        return (response.status.code, Array(body.readableBytesView))
      }
      group.addTask {
        try await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      do {
        guard let first = try await group.next(), let answer = first else {
          throw AddressRegistryError.registerTimedOut(url: self.endpoint.url, after: limit)
        }
        return answer
      } catch {
        throw self.explained(error, within: limit)
      }
    }
  }

  private static func result(
    status: UInt, bytes: [UInt8], url: String, messageID: String
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

  /// What is known for certain never to have left becomes `registerUnreachable`; all else may have.
  private func explained(_ error: any Error, within limit: Duration) -> any Error {
    let url = self.endpoint.url
    switch error {
    case let error as AddressRegistryError: return error
    case is CancellationError: return error
    // A host given by its number fails like this; on TCP only connecting is ever refused, so nothing was sent.
    case let error as IOError where error.errnoCode == ECONNREFUSED:
      return AddressRegistryError.registerUnreachable(url: url, seen: "the connection was refused")
    case let error as NIOConnectionError:
      return AddressRegistryError.registerUnreachable(url: url, seen: Self.connectFailure(error))
    case NIOSSLError.handshakeFailed(let reason):
      return AddressRegistryError.registerUnreachable(
        url: url, seen: "the TLS handshake failed: \(String("\(reason)".prefix(200)))")
    case let error as NIOSSLExtraError:
      return AddressRegistryError.registerUnreachable(url: url, seen: String("\(error)".prefix(200)))
    case let error as HTTPClientError:
      switch error {
      case .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout, .socksHandshakeTimeout,
        .httpProxyHandshakeTimeout, .invalidProxyResponse, .proxyAuthenticationRequired, .invalidURL, .emptyHost,
        .emptyScheme, .alreadyShutdown:
        return AddressRegistryError.registerUnreachable(url: url, seen: error.description)
      case .deadlineExceeded, .readTimeout, .writeTimeout:
        return AddressRegistryError.registerTimedOut(url: url, after: limit)
      case .cancelled where Task.isCancelled: return CancellationError()
      default: return AddressRegistryError.registerConnectionLost(url: url, seen: error.description)
      }
    case is NIOTooManyBytesError:
      return AddressRegistryError.registerAnswerUnreadable(url: url, seen: "more than \(Self.answerLimit) bytes")
    default:
      return AddressRegistryError.registerConnectionLost(url: url, seen: String("\(error)".prefix(200)))
    }
  }

  private static func connectFailure(_ error: NIOConnectionError) -> String {
    if let failure = error.dnsAError ?? error.dnsAAAAError, error.connectionErrors.isEmpty {
      return "the name \(error.host) could not be resolved (\(String("\(failure)".prefix(120))))"
    }
    let causes = error.connectionErrors.map { "\($0.target): \(String("\($0.error)".prefix(120)))" }
    return "no connection to \(error.host):\(error.port) (\(causes.joined(separator: "; ")))"
  }

  static func isLoopback(_ host: String) -> Bool {
    let host = host.lowercased()
    return host == "localhost" || host == "::1" || host == "[::1]"
      || (host.hasPrefix("127.") && host.split(separator: ".").count == 4 && host.allSatisfy { $0.isNumber || $0 == "." })
  }
}
