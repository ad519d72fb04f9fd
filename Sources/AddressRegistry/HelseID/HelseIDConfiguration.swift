// SPDX-License-Identifier: Apache-2.0

import Crypto

/// How HelseID knows us and what we ask it for.
public struct HelseIDConfiguration: Sendable, Hashable, Codable {
  /// The organisation on whose behalf a client of many speaks.
  public struct Organisation: Sendable, Hashable, Codable {
    /// The legal unit's number.
    public var parent: String
    /// The number of the unit below it; nil for the legal unit itself.
    public var child: String?

    public init(parent: String, child: String? = nil) {
      self.parent = parent
      self.child = child
    }

    /// As HelseID wants it from multi-tenant clients (NorskHelsenett/HelseID.Library, OrganizationNumberCreatorForMultiTenantClient).
    var details: JSONValue {
      let identifier = JSONValue.object([
        JSONValue.Member("system", .string("urn:oid:1.0.6523")), JSONValue.Member("type", .string("ENH")),
        JSONValue.Member("value", .string("NO:ORGNR:\(self.parent):\(self.child ?? "")")),
      ])
      return .object([
        JSONValue.Member("type", .string("helseid_authorization")),
        JSONValue.Member(
          "practitioner_role",
          .object([JSONValue.Member("organization", .object([JSONValue.Member("identifier", identifier)]))])),
      ])
    }
  }

  /// Such as `https://helseid-sts.test.nhn.no`; what assertions are made out to.
  public var issuer: String
  /// Default: the issuer and `/connect/token`.
  public var tokenEndpoint: String
  public var clientID: String
  /// Such as `nhn:cp-api/access-v2-dpop`; several with blanks between.
  public var scope: String
  /// For clients of many organisations; nil for a client of one.
  public var organisation: Organisation?
  /// Seconds that one request for a token may take. Default 30.
  public var timeoutSeconds: Double
  /// Whether `http://` is spoken to another machine. Default false; loopback is always allowed.
  public var allowsPlainHTTP: Bool

  public init(
    issuer: String, tokenEndpoint: String? = nil, clientID: String, scope: String, organisation: Organisation? = nil,
    timeoutSeconds: Double = 30, allowsPlainHTTP: Bool = false
  ) {
    self.issuer = issuer
    self.tokenEndpoint = tokenEndpoint ?? (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer) + "/connect/token"
    self.clientID = clientID
    self.scope = scope
    self.organisation = organisation
    self.timeoutSeconds = timeoutSeconds
    self.allowsPlainHTTP = allowsPlainHTTP
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      issuer: try container.decode(String.self, forKey: .issuer),
      tokenEndpoint: try container.decodeIfPresent(String.self, forKey: .tokenEndpoint),
      clientID: try container.decode(String.self, forKey: .clientID), scope: try container.decode(String.self, forKey: .scope),
      organisation: try container.decodeIfPresent(Organisation.self, forKey: .organisation),
      timeoutSeconds: try container.decodeIfPresent(Double.self, forKey: .timeoutSeconds) ?? 30,
      allowsPlainHTTP: try container.decodeIfPresent(Bool.self, forKey: .allowsPlainHTTP) ?? false)
  }
}

extension DPoPProof {
  /// The SHA-256 of an access token, as proofs carry it.
  static func hash(of accessToken: String) -> String { Base64URL.encoded(SHA256.hash(data: Array(accessToken.utf8))) }
}
