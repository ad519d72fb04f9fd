// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import BusModel
import Foundation

/// The register of collaboration protocols (CPPA), over its REST interface, version 2 (domain facts 9): read only.
public struct CollaborationProtocolRegister: Sendable {
  private let transport: RESTTransport

  /// - Parameters:
  ///   - endpoint: with the version, such as `https://cppa.test.grunndata.nhn.no/v2`.
  ///   - tokens: with the scope `nhn:cppa/access-with-dpop`.
  ///   - http: made with ``RegisterHTTP``; whoever made it shuts it down.
  /// - Throws: ``AddressRegistryError`` `registerConfigurationInvalid`.
  public init(endpoint: RESTEndpoint, tokens: HelseIDTokens, http: HTTPClient) throws(AddressRegistryError) {
    self.transport = try RESTTransport(endpoint: endpoint, tokens: tokens, http: http)
  }

  /// The party's profile; nil when it has none.
  ///
  /// - Throws: the `register…` and `token…` cases of ``AddressRegistryError``, `CancellationError`.
  public func profile(_ herID: HerID) async throws -> CollaborationProtocol? {
    let found = try await self.get("/Profiles/\(herID)")
    guard let found, found.kind != .profile || found.parties.first?.herID != herID else { return found }
    throw self.foreign("/Profiles/\(herID)")
  }

  /// The agreement between two parties; nil when there is none.
  public func agreement(between one: HerID, and other: HerID) async throws -> CollaborationProtocol? {
    let path = "/Agreements/HerIds/\(one)/\(other)"
    guard let found = try await self.get(path) else { return nil }
    guard found.kind == .agreement, Set(found.parties.map(\.herID)) == [one, other] else { throw self.foreign(path) }
    return found
  }

  /// The agreement with this id; nil when there is none.
  public func agreement(id: String) async throws -> CollaborationProtocol? {
    guard let encoded = id.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-")))
    else {
      throw AddressRegistryError.registerConfigurationInvalid("an agreement's id that cannot be sent")
    }
    let path = "/Agreements/\(encoded)"
    guard let found = try await self.get(path) else { return nil }
    guard found.kind == .agreement, found.id.lowercased() == id.lowercased() else { throw self.foreign(path) }
    return found
  }

  /// The ids of the party's agreements.
  ///
  /// The answer's own form is not public: the ids are what stands in its members or elements named `cpaId`, whatever is around
  /// them. An answer without any, and without being empty, is an error.
  public func agreementIDs(of herID: HerID) async throws -> [String] {
    let path = "/AgreementSummaries/\(herID)"
    guard let bytes = try await self.transport.get(path, accept: "application/xml, application/json;q=0.9") else { return [] }
    guard let ids = AgreementSummaries.ids(bytes) else {
      throw AddressRegistryError.registerAnswerUnreadable(
        url: self.transport.endpoint.url + path, seen: "\(bytes.count) bytes without an agreement's id in a place we know")
    }
    return ids
  }

  private func get(_ path: String) async throws -> CollaborationProtocol? {
    guard let bytes = try await self.transport.get(path, accept: "application/xml") else { return nil }
    let url = self.transport.endpoint.url + path
    let root: XMLNode
    do { root = try XMLDocumentReader.read(bytes) } catch {
      throw AddressRegistryError.registerAnswerUnreadable(url: url, seen: error.description)
    }
    do throws(PartyDetails.Problem) { return try CollaborationProtocol(root) } catch {
      throw AddressRegistryError.registerAnswerIncomplete(url: url, missing: error.field)
    }
  }

  private func foreign(_ path: String) -> AddressRegistryError {
    .registerAnswerIncomplete(
      url: self.transport.endpoint.url + path, missing: "document about the parties that were asked about")
  }
}

/// The ids in an answer whose form is not public.
enum AgreementSummaries {
  private static let names: Set<String> = ["cpaid", "agreementid"]

  /// Nil when there are none and the answer is not empty either.
  static func ids(_ bytes: [UInt8]) -> [String]? {
    var ids: [String] = []
    var isEmpty = true
    if let value = try? JSONDocumentReader.read(bytes) {
      Self.collect(value, &ids, &isEmpty)
    } else if let root = try? XMLDocumentReader.read(bytes) {
      Self.collect(root, &ids, &isEmpty, isRoot: true)
    } else {
      return nil
    }
    return ids.isEmpty && !isEmpty ? nil : ids
  }

  private static func collect(_ value: JSONValue, _ ids: inout [String], _ isEmpty: inout Bool) {
    switch value {
    case .array(let values): for value in values { Self.collect(value, &ids, &isEmpty) }
    case .object(let members):
      for member in members {
        if Self.names.contains(member.name.lowercased()), let id = member.value.text, !id.isEmpty {
          ids.append(id)
        } else {
          Self.collect(member.value, &ids, &isEmpty)
        }
      }
    case .null: break
    default: isEmpty = false
    }
  }

  private static func collect(_ node: XMLNode, _ ids: inout [String], _ isEmpty: inout Bool, isRoot: Bool = false) {
    let text = node.text.trimmed
    if Self.names.contains(node.name.lowercased()), !text.isEmpty {
      ids.append(text)
    } else if !text.isEmpty {
      isEmpty = false
    }
    for (name, value) in node.attributes {
      let local = name.split(separator: ":").last.map { $0.lowercased() } ?? ""
      if Self.names.contains(local), !value.isEmpty { ids.append(value) }
    }
    for child in node.children { Self.collect(child, &ids, &isEmpty) }
  }
}
