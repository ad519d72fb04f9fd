// SPDX-License-Identifier: Apache-2.0

import Disclosure

extension BusConnectionString {
  private enum Key: String, CaseIterable {
    case endpoint, stsendpoint, runtimeport, managementport, oauthusername, oauthpassword, sharedaccesskeyname, sharedaccesskey
    case transporttype, operationtimeout, entitypath

    /// As people write it.
    var spelling: String {
      switch self {
      case .endpoint: "Endpoint"
      case .stsendpoint: "StsEndpoint"
      case .runtimeport: "RuntimePort"
      case .managementport: "ManagementPort"
      case .oauthusername: "OAuthUsername"
      case .oauthpassword: "OAuthPassword"
      case .sharedaccesskeyname: "SharedAccessKeyName"
      case .sharedaccesskey: "SharedAccessKey"
      case .transporttype: "TransportType"
      case .operationtimeout: "OperationTimeout"
      case .entitypath: "EntityPath"
      }
    }
  }

  /// `Endpoint=sb://host/namespace;Key=value;...`. Keys in any case; a value is everything behind the first `=`.
  init(keysAndValues text: String) throws(TjenestebussError) {
    var values: [Key: Substring] = [:]
    for (index, part) in text.split(separator: ";", omittingEmptySubsequences: false).enumerated() {
      if part.allSatisfy(\.isWhitespace) { continue }
      guard let equals = part.firstIndex(of: "=") else {
        throw .connectionStringMalformed(
          part: .keyValue, problem: "part \(index + 1) has no =; a password with a semicolon cannot be written in this form")
      }
      guard let key = Key(rawValue: part[..<equals].trimmingBlanks.lowercased()) else {
        throw .connectionStringKeyUnknown(position: index + 1)
      }
      if values[key] != nil { throw .connectionStringKeyTwice(key.spelling) }
      values[key] = part[part.index(after: equals)...]
    }
    guard let endpoint = values[.endpoint]?.trimmingBlanks, !endpoint.isEmpty else {
      throw .connectionStringPartMissing(.endpoint)
    }
    guard endpoint.lowercased().hasPrefix("sb://") else {
      throw .connectionStringMalformed(part: .endpoint, problem: "it must begin with sb://")
    }
    if endpoint.contains(",") { throw .connectionStringSeveralHosts }
    let rest = endpoint.dropFirst(5)
    let authority = rest.prefix { $0 != "/" }
    let path = rest.dropFirst(authority.count).dropFirst()
    if authority.contains("@") || path.contains(where: { $0 == "?" || $0 == "#" || $0 == "@" }) {
      throw .connectionStringMalformed(part: .endpoint, problem: "it holds host and namespace only, no login and no query")
    }
    let (host, port) = try Self.hostAndPort(authority)
    let user = values[.oauthusername] ?? values[.sharedaccesskeyname]
    let password = values[.oauthpassword] ?? values[.sharedaccesskey]
    guard let user = user?.trimmingBlanks, !user.isEmpty else { throw .connectionStringPartMissing(.user) }
    guard let password, !password.isEmpty else { throw .connectionStringPartMissing(.password) }
    self.init(
      host: host, port: port ?? 5671, encrypted: true, user: user, password: Secret(String(password)),
      path: String(path.last == "/" ? path.dropLast() : path))
  }
}
