// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import BusModel
import Disclosure
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1

/// Access tokens from HelseID by client credentials: asked for once for all who wait, kept while they hold, renewed before they
/// end. Bound to a key of this process (DPoP), so that a token that leaks is of no use to others.
public final class HelseIDTokens: Sendable {
  struct AccessToken: Sendable, Hashable {
    var text: Secret
    var expiresAt: RegistryInstant
    /// When another one is asked for: a tenth of its life before the end, at least 20 s.
    var renewAt: RegistryInstant
  }

  private struct State {
    var token: AccessToken?
    /// The last nonce of each server, by origin.
    var nonces: [String: String] = [:]
  }

  public let configuration: HelseIDConfiguration
  /// What proofs are signed with.
  let proofKey: SigningKey
  private let key: SigningKey
  private let http: HTTPClient
  private let clock: any RegistryClock
  private let state = NIOLockedValueBox(State())
  private let flight = SingleFlight<Int, AccessToken>()

  /// - Parameters:
  ///   - key: signs assertions; HelseID knows its public part.
  ///   - proofKey: signs proofs; by default a new one that lives as long as this object.
  ///   - http: made with ``RegisterHTTP``; whoever made it shuts it down.
  /// - Throws: ``AddressRegistryError`` `registerConfigurationInvalid`.
  public init(
    _ configuration: HelseIDConfiguration, key: SigningKey, proofKey: SigningKey = .ephemeral(), http: HTTPClient,
    clock: any RegistryClock = SystemRegistryClock()
  ) throws(AddressRegistryError) {
    try RegisterHTTP.check(configuration.tokenEndpoint, allowsPlainHTTP: configuration.allowsPlainHTTP)
    guard !configuration.clientID.isEmpty, !configuration.scope.isEmpty, configuration.timeoutSeconds > 0 else {
      throw .registerConfigurationInvalid("HelseID needs a client id, a scope and a timeout above 0")
    }
    self.configuration = configuration
    self.key = key
    self.proofKey = proofKey
    self.http = http
    self.clock = clock
  }

  /// A token that holds.
  ///
  /// - Parameter rejected: one that an API did not take: another one is asked for.
  /// - Throws: ``AddressRegistryError`` `tokenRefused`, `tokenUnreadable`, the `register…` cases of a service that cannot be reached
  ///   (about HelseID's URL), `CancellationError`.
  func token(rejected: AccessToken? = nil) async throws -> AccessToken {
    let now = self.clock.now
    let kept: AccessToken? = self.state.withLockedValue { state in
      if let rejected, state.token == rejected { state.token = nil }
      return state.token
    }
    if let kept, now < kept.renewAt { return kept }
    do {
      return try await self.flight.value(for: 0, joiningRunning: true) { [self] in
        let token = try await self.fetch()
        self.state.withLockedValue { $0.token = token }
        return token
      }
    } catch {
      // A token that still holds for a while is better than none while HelseID is away.
      if !(error is CancellationError), let kept, self.clock.now.advanced(by: .seconds(5)) < kept.expiresAt { return kept }
      throw error
    }
  }

  /// A proof for one request.
  func proof(method: String, url: String, accessToken: AccessToken?) throws(AddressRegistryError) -> String {
    let nonce = self.state.withLockedValue { $0.nonces[Self.origin(url)] }
    let text = accessToken?.text.withPlainText { $0 }
    return try DPoPProof.token(
      method: method, url: url, key: self.proofKey, now: self.clock.now, id: UUID().uuidString.lowercased(), nonce: nonce,
      accessToken: text)
  }

  /// Keeps the nonce that a server gave along.
  ///
  /// - Returns: whether there was one.
  @discardableResult
  func learn(nonce: String?, from url: String) -> Bool {
    guard let nonce, !nonce.isEmpty, nonce.utf8.count <= 1_000 else { return false }
    self.state.withLockedValue { $0.nonces[Self.origin(url)] = nonce }
    return true
  }

  static func origin(_ url: String) -> String {
    guard let parts = URLComponents(string: url) else { return url }
    return "\(parts.scheme ?? "")://\(parts.host ?? ""):\(parts.port ?? -1)"
  }

  private func fetch() async throws -> AccessToken {
    // The first request has no nonce; HelseID answers with one, and the second has it.
    let first = try await self.request()
    if case .nonceWanted = first, case let second = try await self.request() {
      return try self.token(second)
    }
    return try self.token(first)
  }

  private enum Answer {
    case token(AccessToken)
    case nonceWanted
  }

  private func token(_ answer: Answer) throws(AddressRegistryError) -> AccessToken {
    guard case .token(let token) = answer else {
      throw .tokenRefused(
        url: self.configuration.tokenEndpoint, error: "use_dpop_nonce", description: "a nonce is wanted again and again")
    }
    return token
  }

  private func request() async throws -> Answer {
    let url = self.configuration.tokenEndpoint
    let now = self.clock.now
    let assertion = try ClientAssertion.token(
      self.configuration, key: self.key, now: now, id: UUID().uuidString.lowercased())
    let form = [
      ("client_id", self.configuration.clientID), ("scope", self.configuration.scope), ("grant_type", "client_credentials"),
      ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), ("client_assertion", assertion),
    ]
    let headers: HTTPHeaders = [
      "Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json",
      "DPoP": try self.proof(method: "POST", url: url, accessToken: nil),
    ]
    let body = form.map { "\($0)=\(Self.formEncoded($1))" }.joined(separator: "&")
    let request = try RegisterHTTP.request(.POST, try RegisterHTTP.url(url), headers, ByteBuffer(string: body))
    let limit = Duration.milliseconds(Int64(self.configuration.timeoutSeconds * 1_000))
    let answer = try await RegisterHTTP.exchange(request, over: self.http, limit: limit, sizeLimit: 1_024 * 1_024)
    let learnt = self.learn(nonce: answer.nonce, from: url)
    let document = try? JSONDocumentReader.read(answer.bytes)
    guard (200..<300).contains(answer.status) else {
      guard let document, let error = document["error"]?.text else {
        throw AddressRegistryError.registerHTTPError(url: url, status: Int(answer.status))
      }
      if error == "use_dpop_nonce", learnt { return .nonceWanted }
      throw AddressRegistryError.tokenRefused(
        url: url, error: String(error.prefix(100)), description: String((document["error_description"]?.text ?? "").prefix(300)))
    }
    guard let document, let text = document["access_token"]?.text, !text.isEmpty,
      text.utf8.allSatisfy({ $0 > 32 && $0 < 127 }), let life = document["expires_in"]?.integer, life > 0, life < 1 << 31
    else { throw AddressRegistryError.tokenUnreadable(url: url, seen: "no access_token with expires_in in it") }
    guard document["token_type"]?.text?.lowercased() == "dpop" else {
      throw AddressRegistryError.tokenUnreadable(url: url, seen: "the token is not bound to our key (token_type is not DPoP)")
    }
    let expiresAt = now.advanced(by: .seconds(life))
    let renewAt = now.advanced(by: .seconds(max(0, life - max(20, life / 10))))
    return .token(AccessToken(text: Secret(text), expiresAt: expiresAt, renewAt: renewAt))
  }

  private static func formEncoded(_ text: String) -> String {
    text.utf8.map { byte in
      let character = Character(Unicode.Scalar(byte))
      if byte < 128, character.isLetter || character.isNumber || "-._~".contains(character) { return String(character) }
      let digits = String(byte, radix: 16, uppercase: true)
      return "%" + (digits.count == 1 ? "0" : "") + digits
    }.joined()
  }
}
