// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import BusModel
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// What the clients of the register's services share below their protocols.
extension RegisterHTTP {
  /// An answer that came in whole.
  struct Answer: Sendable {
    var status: UInt
    var bytes: [UInt8]
    /// The header `DPoP-Nonce`.
    var nonce: String?
  }

  /// - Throws: `registerConfigurationInvalid` for a URL that cannot work, or over which secrets would go in plain sight.
  static func check(_ text: String, allowsPlainHTTP: Bool) throws(AddressRegistryError) {
    guard let url = URLComponents(string: text), let host = url.host, !host.isEmpty,
      let scheme = url.scheme?.lowercased(), scheme == "https" || scheme == "http", url.user == nil, url.password == nil
    else {
      throw .registerConfigurationInvalid("the URL is not of the form https://host/path (without user and password in it)")
    }
    guard scheme == "https" || allowsPlainHTTP || Self.isLoopback(host) else {
      throw .registerConfigurationInvalid(
        "\(text) would send the password unencrypted; use https, or allow plain HTTP explicitly")
    }
  }

  /// - Throws: `registerConfigurationInvalid` for a URL that cannot work.
  static func request(
    _ method: HTTPMethod, _ url: URL, _ headers: HTTPHeaders, _ body: ByteBuffer
  ) throws(AddressRegistryError) -> HTTPClient.Request {
    do { return try HTTPClient.Request(url: url, method: method, headers: headers, body: .byteBuffer(body)) } catch {
      throw .registerConfigurationInvalid("the URL \(url) cannot be asked: \(String("\(error)".prefix(200)))")
    }
  }

  /// - Throws: the same.
  static func url(_ text: String) throws(AddressRegistryError) -> URL {
    guard let url = URL(string: text) else { throw .registerConfigurationInvalid("\(text) is no URL") }
    return url
  }

  static func isLoopback(_ host: String) -> Bool {
    let host = host.lowercased()
    return host == "localhost" || host == "::1" || host == "[::1]"
      || (host.hasPrefix("127.") && host.split(separator: ".").count == 4 && host.allSatisfy { $0.isNumber || $0 == "." })
  }

  /// One request and the whole answer; the time limit holds from connecting to the last byte.
  ///
  /// - Throws: the `register…` cases of ``AddressRegistryError``, `CancellationError`.
  static func exchange(
    _ request: HTTPClient.Request, over http: HTTPClient, limit: Duration, sizeLimit: Int
  ) async throws -> Answer {
    try Task.checkCancellation()
    // By the client's older form: its deadline holds for the body too, so that no task of ours has to keep the time.
    let exchange = http.execute(
      request: request, delegate: ResponseAccumulator(request: request, maxBodySize: sizeLimit),
      deadline: .now() + .nanoseconds(Int64(limit / .nanoseconds(1))))
    do {
      let response = try await withTaskCancellationHandler {
        try await exchange.get()
      } onCancel: {
        exchange.cancel()
      }
      return Answer(
        status: response.status.code, bytes: response.body.map { Array($0.readableBytesView) } ?? [],
        nonce: response.headers.first(name: "DPoP-Nonce"))
    } catch {
      throw Self.explained(error, url: request.url.absoluteString, limit: limit, sizeLimit: sizeLimit)
    }
  }

  /// One request, and `body` with the answer while it comes in; the time limit holds for all of it.
  ///
  /// - Throws: the same, and what `body` throws of its own.
  static func withResponse<Value: Sendable>(
    to request: HTTPClientRequest, over http: HTTPClient, limit: Duration, sizeLimit: Int,
    _ body: @escaping @Sendable (HTTPClientResponse) async throws -> Value
  ) async throws -> Value {
    let url = request.url
    let exchange = Task {
      try await body(try await http.execute(request, timeout: .nanoseconds(Int64(limit / .nanoseconds(1)))))
    }
    // An alarm of the event loop and not a second task that sleeps: it costs less, and taken back it is gone.
    let isOverdue = NIOLockedValueBox(false)
    let alarm = http.eventLoopGroup.any().scheduleTask(in: .nanoseconds(Int64(limit / .nanoseconds(1)))) {
      isOverdue.withLockedValue { $0 = true }
      exchange.cancel()
    }
    defer { alarm.cancel() }
    do {
      return try await withTaskCancellationHandler {
        try await exchange.value
      } onCancel: {
        exchange.cancel()
      }
    } catch {
      if isOverdue.withLockedValue({ $0 }), !Task.isCancelled {
        throw AddressRegistryError.registerTimedOut(url: url, after: limit)
      }
      throw Self.explained(error, url: url, limit: limit, sizeLimit: sizeLimit)
    }
  }

  /// What is known for certain never to have left becomes `registerUnreachable`; all else may have.
  private static func explained(_ error: any Error, url: String, limit: Duration, sizeLimit: Int) -> any Error {
    switch error {
    case let error as AddressRegistryError: return error
    case let error as ForeignError: return error.error
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
    case is NIOTooManyBytesError, is ResponseAccumulator.ResponseTooBigError:
      return AddressRegistryError.registerAnswerUnreadable(url: url, seen: "more than \(sizeLimit) bytes")
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

  /// An error of the caller's own, which is handed on as it is.
  struct ForeignError: Error {
    var error: any Error
  }
}
