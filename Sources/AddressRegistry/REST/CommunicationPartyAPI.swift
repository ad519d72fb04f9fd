// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import BusModel
import Foundation

/// The address register's REST interface, the CommunicationParty API (domain facts 8.4): look-up, export and events, each party in the
/// model of the SOAP interface.
public struct CommunicationPartyAPI: AddressRegisterReading, PartyEventReading {
  private let transport: RESTTransport

  /// - Parameters:
  ///   - tokens: with the scope `nhn:cp-api/access-v2-dpop`.
  ///   - http: made with ``RegisterHTTP``; whoever made it shuts it down.
  /// - Throws: ``AddressRegistryError`` `registerConfigurationInvalid`.
  public init(endpoint: RESTEndpoint, tokens: HelseIDTokens, http: HTTPClient) throws(AddressRegistryError) {
    self.transport = try RESTTransport(endpoint: endpoint, tokens: tokens, http: http)
  }

  public func party(_ herID: HerID) async throws -> PartyRecord {
    let path = "/CommunicationParties/\(herID)"
    guard let bytes = try await self.transport.get(path, accept: "application/json") else {
      throw AddressRegistryError.partyUnknown(herID, askedRegister: true)
    }
    let record = try self.read(bytes, path) { value throws(PartyDetails.Problem) in try PartyJSON.record(value) }
    guard record.herID == herID else {
      throw AddressRegistryError.registerAnswerIncomplete(
        url: self.transport.endpoint.url + path, missing: "HerId (of the party that was asked about)")
    }
    return record
  }

  public func events(after eventID: String?) async throws -> PartyEventPage {
    let path = "/CommunicationPartyEvents"
    var query = ""
    if let eventID {
      guard let encoded = eventID.addingPercentEncoding(withAllowedCharacters: .alphanumerics) else {
        throw AddressRegistryError.registerConfigurationInvalid("an event id that cannot be sent")
      }
      query = "EventId=\(encoded)"
    }
    let url = self.transport.endpoint.url + path
    guard let bytes = try await self.transport.get(path, query: query, accept: "application/json") else {
      throw AddressRegistryError.registerHTTPError(url: url, status: 404)
    }
    return try self.read(bytes, path) { value throws(PartyDetails.Problem) in
      try Self.page(value, after: eventID, url: url)
    }
  }

  static func page(_ value: JSONValue, after eventID: String?, url: String) throws(PartyDetails.Problem) -> PartyEventPage {
    guard let answer = RegisterJSON(value), case .array(let values)? = try answer.member("CommunicationParties") else {
      throw PartyDetails.Problem(field: "CommunicationParties")
    }
    let next = try answer.element("Links")?.element("Next")?.value("Href")
    var page = PartyEventPage(events: [], failures: [], lastEventID: eventID, hasMore: next != nil)
    for (index, value) in values.enumerated() {
      do throws(PartyDetails.Problem) {
        guard let event = RegisterJSON(value) else { throw PartyDetails.Problem(field: "event (it is no object)") }
        guard let id = try event.value("EventId") else { throw PartyDetails.Problem(field: "EventId") }
        let herID = try PartyDetails.herID(event)
        let party = try event.member("CommunicationParty").map { PartyJSON.result($0, place: index + 1, url: url) }
        if case .party(let record)? = party, record.herID != herID { throw PartyDetails.Problem(field: "HerId (there are two)") }
        page.events.append(
          PartyEvent(
            id: id, kind: Self.kind(try event.value("EventType")), herID: herID, time: try event.value("FromDatetime"),
            party: party))
        page.lastEventID = id
      } catch {
        page.failures.append(
          PartyFailure(herID: nil, place: index + 1, error: .registerAnswerIncomplete(url: url, missing: error.field)))
      }
    }
    return page
  }

  private static func kind(_ text: String?) -> PartyEvent.Kind {
    switch text {
    case "CommunicationPartyCreated", "Created": .created
    case "CommunicationPartyUpdated", "Updated": .updated
    default: .other(text ?? "")
    }
  }

  private func read<Value>(
    _ bytes: [UInt8], _ path: String, _ body: (JSONValue) throws(PartyDetails.Problem) -> Value
  ) throws(AddressRegistryError) -> Value {
    let url = self.transport.endpoint.url + path
    let value: JSONValue
    do { value = try JSONDocumentReader.read(bytes) } catch {
      throw .registerAnswerUnreadable(url: url, seen: error.description)
    }
    do { return try body(value) } catch { throw .registerAnswerIncomplete(url: url, missing: error.field) }
  }
}

extension CommunicationPartyAPI: PartyExporting {
  /// How many parties are handed over at once, at most.
  static let batch = 500

  public func export(_ take: @Sendable ([PartyResult]) async throws -> Void) async throws -> PartyExportEnd {
    let path = "/CommunicationPartyExport"
    let url = self.transport.endpoint.url + path
    let end = try await withoutActuallyEscaping(take) { take in
      try await self.transport.stream(path, accept: "application/json") { response in
        try await Self.read(response, url: url, take)
      }
    }
    guard let end else { throw AddressRegistryError.registerHTTPError(url: url, status: 404) }
    return end
  }

  private static func read(
    _ response: HTTPClientResponse, url: String, _ take: @Sendable ([PartyResult]) async throws -> Void
  ) async throws -> PartyExportEnd {
    // Some servers pack without a word: no JSON begins with gzip's first byte.
    var isPacked = response.headers.first(name: "Content-Encoding").map { $0.lowercased().contains("gzip") }
    var inflater: Inflater?
    var splitter = ExportSplitter()
    var end = PartyExportEnd(lastEventID: nil, parties: 0, unreadable: 0)
    var batch: [PartyResult] = []
    func hand() async throws {
      let full = batch
      batch.removeAll(keepingCapacity: true)
      do { try await take(full) } catch { throw RegisterHTTP.ForeignError(error: error) }
    }
    do {
      for try await chunk in response.body {
        guard let first = chunk.readableBytesView.first else { continue }
        if isPacked == nil { isPacked = first == 0x1F }
        if isPacked == true, inflater == nil { inflater = try Inflater() }
        var parties: [[UInt8]] = []
        if let inflater {
          try inflater.unpack(Array(chunk.readableBytesView)) { (piece) throws(JSONDocumentReader.Unreadable) in
            parties += try splitter.take(piece)
          }
        } else {
          parties = try splitter.take(chunk.readableBytesView)
        }
        for party in parties {
          end.parties += 1
          let result = PartyJSON.result(party, place: end.parties, url: url)
          if let failure = result.failure {
            end.unreadable += 1
            if failure.herID == nil { end.unnamed += 1 }
          }
          batch.append(result)
          if batch.count >= Self.batch { try await hand() }
        }
      }
      if !batch.isEmpty { try await hand() }
      if let inflater, !inflater.isAtEnd { throw Inflater.Broken(description: "the packed answer is cut off") }
      try splitter.finish()
    } catch let error as JSONDocumentReader.Unreadable {
      throw AddressRegistryError.registerAnswerUnreadable(url: url, seen: error.description)
    } catch let error as Inflater.Broken {
      throw AddressRegistryError.registerAnswerUnreadable(url: url, seen: error.description)
    }
    if let id = splitter.values["lasteventid"], let value = try? JSONDocumentReader.read(id) { end.lastEventID = value.text }
    return end
  }
}
