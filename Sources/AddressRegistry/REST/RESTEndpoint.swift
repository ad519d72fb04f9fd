// SPDX-License-Identifier: Apache-2.0

/// Where one of the register's REST services is.
public struct RESTEndpoint: Sendable, Hashable, Codable {
  /// Without the operation, such as `https://cpe.test.grunndata.nhn.no` or `https://cppa.test.grunndata.nhn.no/v2`.
  public var url: String
  /// Seconds that one question may take from connecting to the last byte of the answer. Default 30.
  public var timeoutSeconds: Double
  /// Seconds that a whole export may take. Default 1800.
  public var exportTimeoutSeconds: Double
  /// Whether `http://` is spoken to another machine, token in plain sight. Default false; loopback is always allowed.
  public var allowsPlainHTTP: Bool

  public init(
    url: String, timeoutSeconds: Double = 30, exportTimeoutSeconds: Double = 1_800, allowsPlainHTTP: Bool = false
  ) {
    self.url = url
    self.timeoutSeconds = timeoutSeconds
    self.exportTimeoutSeconds = exportTimeoutSeconds
    self.allowsPlainHTTP = allowsPlainHTTP
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      url: try container.decode(String.self, forKey: .url),
      timeoutSeconds: try container.decodeIfPresent(Double.self, forKey: .timeoutSeconds) ?? 30,
      exportTimeoutSeconds: try container.decodeIfPresent(Double.self, forKey: .exportTimeoutSeconds) ?? 1_800,
      allowsPlainHTTP: try container.decodeIfPresent(Bool.self, forKey: .allowsPlainHTTP) ?? false)
  }
}
