// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient

/// Writes to the register over SOAP, by a contract that comes from configuration.
public struct SOAPAddressRegisterWriter: AddressRegisterWriting {
  private let configuration: SOAPWriterConfiguration
  private let transport: SOAPTransport

  /// - Parameter http: made with ``RegisterHTTP``; whoever made it shuts it down.
  /// - Throws: ``AddressRegistryError`` `registerConfigurationInvalid`.
  public init(
    configuration: SOAPWriterConfiguration, credentials: RegisterCredentials, http: HTTPClient
  ) throws(AddressRegistryError) {
    self.configuration = configuration
    self.transport = try SOAPTransport(endpoint: configuration.endpoint, credentials: credentials, http: http)
  }

  public func perform(_ write: RegisterWrite) async -> RegisterWriteOutcome {
    let request: SOAPWriteRequest
    do { request = try SOAPWriteRequest(write, configuration: self.configuration) } catch { return .notSent(error) }
    do {
      let answer = try await self.transport.call(action: request.action, body: request.body, headers: request.headers)
      guard answer.name == request.responseName else {
        return .unknown(.registerAnswerIncomplete(url: self.transport.endpoint.url, missing: request.responseName))
      }
      return .acknowledged
    } catch let error as AddressRegistryError {
      return Self.outcome(of: error)
    } catch {
      let seen = error is CancellationError ? "the caller gave up while it was under way" : "an error of unknown kind"
      return .unknown(.registerConnectionLost(url: self.transport.endpoint.url, seen: seen))
    }
  }

  /// What an error says of the write. Only what is certain counts as not done: everything else is unknown.
  static func outcome(of error: AddressRegistryError) -> RegisterWriteOutcome {
    switch error {
    case .registerUnreachable, .registerConfigurationInvalid, .registerWriteNotConfigured: .notSent(error)
    // The platform's own word for "something broke in here": it may have broken after the change.
    case .registerFault(_, let code, _) where ["Server", "Receiver", "InternalServiceFault", "fault"].contains(code):
      .unknown(error)
    case .registerFault, .registerValidationFault, .registerLoginRefused: .refused(error)
    case .registerHTTPError(_, let status) where (400..<500).contains(status) && status != 408: .refused(error)
    default: .unknown(error)
    }
  }
}
