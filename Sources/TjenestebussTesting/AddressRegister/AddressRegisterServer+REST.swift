// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Hummingbird
import NIOCore

/// What the REST services of the testing register are asked.
enum RESTQuestion {
  case token
  case party(HerID)
  case export
  case events(after: String?)
  case profile(HerID)
  case agreement(id: String)
  case agreementBetween(HerID, HerID)
  case summaries(HerID)

  /// Nil when there is nothing at this path.
  init?(path: String, query: String) {
    let parts = path.split(separator: "/").map(String.init)
    func herID(_ text: String) -> HerID? { try? HerID(text: text) }
    switch (parts.first, parts.count) {
    case ("connect", 2) where parts[1] == "token": self = .token
    case ("CommunicationParties", 2):
      guard let herID = herID(parts[1]) else { return nil }
      self = .party(herID)
    case ("CommunicationPartyExport", 1): self = .export
    case ("CommunicationPartyEvents", 1):
      let pairs = query.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
      let id = pairs.first { $0.first?.lowercased() == "eventid" && $0.count == 2 }?[1].removingPercentEncoding
      self = .events(after: id)
    case ("v2", 3) where parts[1] == "Profiles":
      guard let herID = herID(parts[2]) else { return nil }
      self = .profile(herID)
    case ("v2", 3) where parts[1] == "Agreements": self = .agreement(id: parts[2])
    case ("v2", 5) where parts[1] == "Agreements" && parts[2] == "HerIds":
      guard let one = herID(parts[3]), let other = herID(parts[4]) else { return nil }
      self = .agreementBetween(one, other)
    case ("v2", 3) where parts[1] == "AgreementSummaries":
      guard let herID = herID(parts[2]) else { return nil }
      self = .summaries(herID)
    default: return nil
    }
  }

  var operation: RegisterOperation {
    switch self {
    case .token: .token
    case .party: .restParty
    case .export: .restExport
    case .events: .restEvents
    case .profile: .profile
    case .agreement, .agreementBetween: .agreement
    case .summaries: .agreementSummaries
    }
  }

  var herID: HerID? {
    switch self {
    case .party(let herID), .profile(let herID), .summaries(let herID): herID
    default: nil
    }
  }

  var scope: String {
    switch self {
    case .token, .party, .export, .events: AddressRegisterServer.partyScope
    case .profile, .agreement, .agreementBetween, .summaries: AddressRegisterServer.protocolScope
    }
  }
}

extension AddressRegisterServer {
  /// What a token for the CommunicationParty API asks for.
  public static let partyScope = "nhn:cp-api/access-v2-dpop"
  /// What a token for the CPPA API asks for.
  public static let protocolScope = "nhn:cppa/access-with-dpop"

  func respondREST(to request: Request, _ question: RESTQuestion, base: String, channel: any Channel) async -> Response {
    await self.scripted(
      question.operation, herID: question.herID, channel: channel,
      refuse: { code in
        Self.json("{\"error\":\"\(code)\",\"error_description\":\"Refused by script.\"}", status: .badRequest)
      },
      breakDown: { Self.page(.internalServerError) },
      carryOut: { _ in await self.answer(request, question, base: base) })
  }

  private func answer(_ request: Request, _ question: RESTQuestion, base: String) async -> Response {
    if case .token = question { return await self.answerToken(request, base: base) }
    let now = self.configuration.clock.milliseconds
    let proof = HTTPFields.Element.Name("DPoP").flatMap { request.headers[$0] }
    do throws(HelseIDDesk.Refusal) {
      try self.inside.withLock { inside throws(HelseIDDesk.Refusal) in
        try inside.helseID.check(
          authorization: request.headers[.authorization], proof: proof, method: request.method.rawValue,
          url: base + request.uri.path, scope: question.scope, now: now)
      }
    } catch {
      let status: HTTPResponse.Status = error.error == "insufficient_scope" ? .forbidden : .unauthorized
      var response = Self.json("{\"error\":\"\(error.error)\"}", status: status)
      response.headers[.wwwAuthenticate] = "DPoP error=\"\(error.error)\", error_description=\"\(error.description)\""
      if error.nonceWanted { self.addNonce(&response) }
      return response
    }
    switch question {
    case .token: return Self.page(.notFound)
    case .party(let herID):
      guard let party = self.shown(herID, to: .restParty) else { return Self.json("{}", status: .notFound) }
      return Self.json(RegisterJSONAnswers.lookUp(party))
    case .export: return self.exportAnswer(request)
    case .events(let id): return self.eventsAnswer(after: id, base: base)
    case .profile(let herID):
      return Self.xml(self.inside.withLock { $0.protocols.profile(herID) })
    case .agreement(let id):
      return Self.xml(self.inside.withLock { inside in inside.protocols.agreements.first { $0.id == id } })
    case .agreementBetween(let one, let other):
      return Self.xml(
        self.inside.withLock { inside in
          inside.protocols.agreements.first { Set($0.parties.map(\.herID)) == [one, other] }
        })
    case .summaries(let herID):
      let ids = self.inside.withLock { inside in
        inside.protocols.agreements.filter { $0.parties.contains { $0.herID == herID } }.map(\.id)
      }
      let entries = ids.map { "<AgreementSummary><CpaId>\($0)</CpaId></AgreementSummary>" }.joined()
      return Self.document("<AgreementSummaries>\(entries)</AgreementSummaries>")
    }
  }

  // MARK: - Tokens

  private func answerToken(_ request: Request, base: String) async -> Response {
    guard request.method == .post,
      let body = try? await request.body.collect(upTo: 64 * 1_024)
    else { return Self.page(.badRequest) }
    var form: [String: String] = [:]
    for pair in String(buffer: body).split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, let name = parts[0].removingPercentEncoding, let value = parts[1].removingPercentEncoding else {
        return Self.page(.badRequest)
      }
      form[name] = value
    }
    let now = self.configuration.clock.milliseconds
    let proof = HTTPFields.Element.Name("DPoP").flatMap { request.headers[$0] }
    if self.configuration.keepsRequests {
      self.inside.withLock { inside in inside.tokenRequests.append((form["client_assertion"] ?? "", proof ?? "")) }
    }
    let filled = form
    do throws(HelseIDDesk.Refusal) {
      let (token, life, scope) = try self.inside.withLock { inside throws(HelseIDDesk.Refusal) in
        try inside.helseID.token(form: filled, proof: proof, url: base + "/connect/token", issuer: base, now: now)
      }
      var response = Self.json(
        "{\"access_token\":\"\(token)\",\"expires_in\":\(life),\"token_type\":\"DPoP\",\"scope\":\"\(scope)\"}")
      self.addNonce(&response)
      return response
    } catch {
      var response = Self.json(
        "{\"error\":\"\(error.error)\",\"error_description\":\"\(error.description)\"}", status: .badRequest)
      if error.nonceWanted { self.addNonce(&response) }
      return response
    }
  }

  private func addNonce(_ response: inout Response) {
    guard let name = HTTPFields.Element.Name("DPoP-Nonce") else { return }
    response.headers[name] = self.inside.withLock { $0.helseID.nonce }
  }

  // MARK: - Export and events

  /// All active parties, packed where the client can unpack, made while it is sent.
  private func exportAnswer(_ request: Request) -> Response {
    let packs = request.headers[.acceptEncoding]?.contains("gzip") == true
    var headers: HTTPFields = [.contentType: "application/json"]
    if packs, !self.configuration.packsSilently { headers[.contentEncoding] = "gzip" }
    let (register, serverTime) = (self.inside.withLock { $0 }, self.nextServerTime())
    return Response(
      status: .ok, headers: headers,
      body: ResponseBody { writer in
        let deflater = packs ? Deflater() : nil
        func send(_ text: String, isLast: Bool = false) async throws {
          guard let deflater else { return try await writer.write(ByteBuffer(string: text)) }
          var packed = deflater.pack(Array(text.utf8), isLast: isLast)
          // The last eight bytes are the checksum and the length.
          if isLast, register.damagesChecksums, packed.count >= 8 { packed[packed.count - 8] ^= 1 }
          if !packed.isEmpty { try await writer.write(ByteBuffer(bytes: packed)) }
        }
        let last = RegisterJSONAnswers.eventID(register.register.changes.count)
        var text = "{\"LastDateTimeOffset\":\"\(serverTime)\",\"LastEventId\":\"\(last)\",\"CommunicationParties\":["
        var isFirst = true
        for herID in register.register.herIDs {
          guard var party = register.shown(herID), party.record.active else { continue }
          party.serverTime = serverTime
          if !isFirst { text += "," }
          isFirst = false
          if let spoilt = register.spoilt[herID] { text += spoilt } else { RegisterJSONAnswers.party(party, to: &text) }
          if text.utf8.count > 256 * 1_024 {
            try await send(text)
            text = ""
          }
        }
        try await send(text + "]}", isLast: true)
        try await writer.finish(nil)
      })
  }

  /// How many events one answer holds.
  static let eventsPerPage = 100

  private func eventsAnswer(after id: String?, base: String) -> Response {
    let serverTime = self.nextServerTime()
    return self.inside.withLock { inside in
      var start = 0
      if let id, !id.isEmpty {
        guard let sequence = RegisterJSONAnswers.sequence(id), sequence <= inside.register.changes.count else {
          return Self.json("{\"title\":\"There is no such event.\"}", status: .badRequest)
        }
        start = sequence
      }
      var text = "{\"communicationParties\":["
      let changes = inside.register.changes[start...].prefix(Self.eventsPerPage)
      for (index, change) in changes.enumerated() {
        guard var party = inside.shown(change.herID) else { continue }
        party.serverTime = serverTime
        if index > 0 { text += "," }
        RegisterJSONAnswers.event(change, party, to: &text)
      }
      text += "],\"links\":{\"next\":"
      if start + changes.count < inside.register.changes.count {
        let next = RegisterJSONAnswers.eventID(start + changes.count)
        text += "{\"href\":\"\(base)/CommunicationPartyEvents?EventId=\(next)\"}"
      } else {
        text += "null"
      }
      return Self.json(text + "}}")
    }
  }

  // MARK: - Documents

  private static func json(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "application/json; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  private static func document(_ text: String) -> Response {
    Response(
      status: .ok, headers: [.contentType: "application/xml; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: "<?xml version=\"1.0\" encoding=\"utf-8\"?>" + text)))
  }

  private static func xml(_ document: CollaborationProtocol?) -> Response {
    document.map { Self.document(ProtocolDocuments.text($0)) } ?? Self.json("{}", status: .notFound)
  }
}
