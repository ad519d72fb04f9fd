// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// The SOAP version a service is spoken to with. NHN's `/Basic` addresses want 1.1, the others 1.2.
public enum SOAPVersion: String, Sendable, Hashable, Codable {
  case v1_1 = "1.1"
  /// With WS-Addressing headers.
  case v1_2 = "1.2"

  var envelopeNamespace: String {
    switch self {
    case .v1_1: "http://schemas.xmlsoap.org/soap/envelope/"
    case .v1_2: "http://www.w3.org/2003/05/soap-envelope"
    }
  }
}

/// Where a service of the register is and how it is spoken to.
public struct SOAPEndpoint: Sendable, Hashable, Codable {
  /// The address of the service, such as `https://ws-web.test.nhn.no/v1/AR/Basic`.
  public var url: String
  /// Default 1.1.
  public var version: SOAPVersion
  /// Seconds that one question may take from connecting to the last byte of the answer. Default 30.
  public var timeoutSeconds: Double
  /// Whether `http://` is spoken to another machine, password in plain sight. Default false; loopback is always allowed.
  public var allowsPlainHTTP: Bool

  public init(url: String, version: SOAPVersion = .v1_1, timeoutSeconds: Double = 30, allowsPlainHTTP: Bool = false) {
    self.url = url
    self.version = version
    self.timeoutSeconds = timeoutSeconds
    self.allowsPlainHTTP = allowsPlainHTTP
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.url = try container.decode(String.self, forKey: .url)
    self.version = try container.decodeIfPresent(SOAPVersion.self, forKey: .version) ?? .v1_1
    self.timeoutSeconds = try container.decodeIfPresent(Double.self, forKey: .timeoutSeconds) ?? 30
    self.allowsPlainHTTP = try container.decodeIfPresent(Bool.self, forKey: .allowsPlainHTTP) ?? false
  }
}

/// The user of the register's services (HTTP Basic).
public struct RegisterCredentials: Sendable, Hashable {
  public var user: String
  public var password: Secret

  public init(user: String, password: Secret) {
    self.user = user
    self.password = password
  }
}
