// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Hummingbird
import NIOCore
import NIOPosix

extension AddressRegisterServer {
  func respondSOAP(to request: Request, at place: RegisterPlace, channel: any Channel) async -> Response {
    guard self.isAllowed(request.headers[.authorization]) else {
      var response = Self.page(.unauthorized)
      response.headers[.wwwAuthenticate] = "Basic realm=\"address register\""
      return response
    }
    let wanted = place.version == .v1_1 ? "text/xml" : "application/soap+xml"
    guard request.headers[.contentType]?.lowercased().hasPrefix(wanted) == true else {
      return Self.page(.unsupportedMediaType)
    }
    let bytes: [UInt8]
    do {
      bytes = Array(try await request.body.collect(upTo: 4 * 1_024 * 1_024).readableBytesView)
    } catch {
      return Self.page(.badRequest)
    }
    if self.configuration.keepsRequests { self.inside.withLock { $0.requests.append(bytes) } }
    var answers = RegisterAnswers(version: place.version)
    let question: RegisterRequest
    do throws(RegisterRequest.Malformed) {
      question = try RegisterRequest(bytes, busNames: self.busNames)
    } catch {
      switch error {
      case .document: return Self.page(.badRequest)
      case .call(_, let reason):
        return Self.soap(answers.plainFault(sender: true, reason: reason), answers, .internalServerError)
      }
    }
    answers.messageID = question.messageID
    guard question.version == place.version, RegisterOperation.reads.contains(question.operation) == place.reads else {
      return Self.soap(answers.plainFault(sender: true, reason: "not at this address"), answers, .internalServerError)
    }
    return await self.scripted(
      question.operation, herID: question.herID, channel: channel, prevented: { self.note(question, .prevented) },
      refuse: { Self.soap(answers.fault(code: $0, message: "Refused by script."), answers, .internalServerError) },
      breakDown: {
        Self.soap(answers.plainFault(sender: false, reason: "The service broke down."), answers, .internalServerError)
      },
      carryOut: { limit in
        let (document, status) = await self.document(question, answers, limit: limit)
        return Self.soap(document, answers, status)
      })
  }

  /// Does what was asked and returns the answer's document.
  private func document(
    _ question: RegisterRequest, _ answers: RegisterAnswers, limit: Int?
  ) async -> (String, HTTPResponse.Status) {
    guard let change = question.change, let herID = question.herID else { return self.reading(question, answers) }
    do {
      let time = self.configuration.clock.milliseconds
      // The file is written in here: not on the cooperative pool.
      let applied = try await NIOThreadPool.singleton.runIfActive { [self] in
        try self.changing {
          try $0.apply(
            change, to: herID, operationID: question.operationID, operation: question.operation.rawValue,
            buses: self.configuration.buses, limit: limit, at: time)
        }
      }
      self.note(question, .applied(applied))
      return (answers.done(question.operation), .ok)
    } catch let refusal as AddressRegisterState.Refusal {
      self.note(question, .refused)
      switch refusal {
      case .fault(let code, let message): return (answers.fault(code: code, message: message), .internalServerError)
      case .validation(let property, let message):
        return (answers.validationFault(property: property, message: message), .internalServerError)
      }
    } catch {
      self.note(question, .refused)
      return (answers.plainFault(sender: false, reason: "The change could not be kept."), .internalServerError)
    }
  }

  private func reading(_ question: RegisterRequest, _ answers: RegisterAnswers) -> (String, HTTPResponse.Status) {
    let unknown = { (herID: HerID) in
      let message = "There is no communication party with HER-ID \(herID)."
      return (answers.fault(code: "InvalidHerIdSupplied", message: message), HTTPResponse.Status.internalServerError)
    }
    switch (question.operation, question.herID) {
    case (.details, let herID?):
      self.inside.withLock { $0.reads[herID, default: 0] += 1 }
      guard let party = self.shown(herID, to: .details) else { return unknown(herID) }
      return (answers.details(party), .ok)
    case (.organisation, let herID?):
      guard let family = self.family(of: herID), let first = family.first, first.record.kind == .organisation else {
        return unknown(herID)
      }
      return (answers.organisation(first, below: Array(family.dropFirst())), .ok)
    case (.changeLog, let herID?):
      let changes: [AddressRegisterState.Change]? = self.cached(.changeLog, "\(herID)") { inside in
        inside.register.record(herID).map { _ in inside.register.changes.filter { $0.herID == herID } }
      }
      guard let changes else { return unknown(herID) }
      return (answers.log(changes), .ok)
    case (.lastChanges, _):
      let times = self.inside.withLock { inside in
        question.herIDs.filter { inside.register.has($0) }.map { (herID: $0, time: inside.register.lastChange(of: $0)) }
      }
      return (answers.lastChanges(times), .ok)
    case (.search, _):
      guard let search = question.search else {
        return (answers.plainFault(sender: true, reason: "no search"), .internalServerError)
      }
      let names: Set<String> = ["Name", "OrganizationNumber", "Type", "ParentHerId"]
      if let stranger = search.constraints.first(where: { !names.contains($0.key) }) {
        let fault = answers.fault(code: "InvalidSearchConstraint", message: "There is no constraint \(stranger.key).")
        return (fault, .internalServerError)
      }
      let (parties, total) = self.found(search, page: question.page)
      return (answers.page(parties, total: total, serverTime: self.nextServerTime()), .ok)
    default: return (answers.pong("testing address register"), .ok)
    }
  }

  private func found(_ search: PartySearch, page: Int) -> ([ShownParty], Int) {
    self.inside.withLock { inside in
      var found: [HerID] = []
      for herID in inside.register.herIDs {
        guard let record = inside.register.record(herID) else { continue }
        let fits = search.constraints.allSatisfy { constraint in
          switch constraint.key {
          case "Name": record.name.lowercased().contains(constraint.value.lowercased())
          case "OrganizationNumber": record.organisationNumber.map(String.init) == constraint.value
          case "ParentHerId": record.parent?.description == constraint.value
          default: RegisterAnswers.name(of: record.kind) == constraint.value
          }
        }
        if fits { found.append(herID) }
      }
      let start = min((page - 1) * search.pageSize, found.count)
      return (found[start..<min(start + search.pageSize, found.count)].compactMap { inside.shown($0) }, found.count)
    }
  }

  private func note(_ question: RegisterRequest, _ outcome: WriteAttempt.Outcome) {
    guard let herID = question.herID, RegisterOperation.writes.contains(question.operation) else { return }
    self.inside.withLock {
      $0.attempts.append(
        WriteAttempt(operation: question.operation, herID: herID, operationID: question.operationID, outcome: outcome))
    }
  }

  private var busNames: [String: BusName] {
    Dictionary(self.configuration.buses.map { ($0.name.text, $0.name) }) { first, _ in first }
  }

  private func isAllowed(_ authorization: String?) -> Bool {
    let credentials = self.configuration.credentials
    let expected = credentials.password.withPlainText { Data("\(credentials.user):\($0)".utf8).base64EncodedString() }
    return authorization == "Basic " + expected
  }
}
