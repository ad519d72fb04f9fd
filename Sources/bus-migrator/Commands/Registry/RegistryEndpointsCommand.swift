// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser
import BusModel

struct RegistryEndpointsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "endpoints",
    abstract: "Which profiles and agreements (CPPA) name another bus for a party than the address register does.",
    discussion: """
      Whoever sends by such a document writes to a queue that nobody reads any more. Asks the register of collaboration protocols \
      (register.cppa in the configuration) and compares with the cache, or with --live with what the address register says now. \
      Before a pulje, --moved-to shows which documents would be left behind by it. By default every party of the cache is asked about.
      """)

  @OptionGroup var registry: RegistryPlace
  @OptionGroup var output: JSONOption
  @Option(name: .customLong("her-id"), help: "These parties only; repeat, or separate by commas.") var herIDs: [String] = []
  @Option(help: "As if these parties had moved to this bus, by its name in the configuration.") var movedTo: String?
  @Flag(help: "Ask the address register what these parties' entries say now. Others are compared with the cache.") var live =
    false
  @Option(help: "Parties asked about at once.") var concurrency = 8

  func validate() throws {
    if !(1...50).contains(self.concurrency) { throw ValidationError("--concurrency is from 1 to 50") }
  }

  func run() async throws {
    let configuration = try self.registry.configuration()
    let target = try self.movedTo.map { try RegistryPlace.bus($0, option: "--moved-to", configuration) }
    let wanted = try PuljeArgument.herIDs(self.herIDs)
    var records = try await RegistryPlace.withCache(configuration, .readOnly) { cache in
      Dictionary(try await cache.parties().map { ($0.record.herID, $0.record) }) { first, _ in first }
    }
    let asked = wanted.isEmpty ? records.keys.sorted() : wanted
    if self.live {
      let read = try await RegistryPlace.withRegister(configuration) { register in
        let patient = PatientRegister(register)
        var read: [HerID: PartyRecord?] = [:]
        for herID in asked {
          do { read[herID] = try await patient.party(herID) } catch let error as AddressRegistryError {
            if let givenUp = patient.givenUp { throw givenUp }
            Console.complain("HER-ID \(herID) could not be read: [\(error.stableCode)] \(error.explanation.seen)")
            // What the cache has is not what was asked for: it is listed among those that nothing can be said of.
            read[herID] = PartyRecord?.none
          }
        }
        return read
      }
      for (herID, record) in read { records[herID] = record }
    }
    if let target {
      for herID in asked {
        guard let record = records[herID] else { continue }
        // An address that is none cannot move; what is said of it stays.
        records[herID] = (try? record.moved(to: target)) ?? record
      }
    }
    let known = records
    let bar = ProgressBar("asking for profiles and agreements")
    defer { bar.end() }
    let findings = try await RegistryPlace.withProtocols(configuration) { register in
      try await EndpointSurvey(register: register, concurrency: self.concurrency) {
        bar.show(done: $0.done, total: $0.total, failed: $0.failed)
      }.findings(of: asked, records: known, buses: configuration.busValues)
    }
    bar.end()
    let answer = EndpointsAnswer(findings, asked: asked.count)
    if self.output.json {
      try Console.say(json: answer, of: configuration.environment.text)
    } else {
      Console.say(answer.text, of: configuration.environment.text)
    }
    if !answer.failures.isEmpty { throw ExitCode(Exit.failed) }
    if !answer.stale.isEmpty { throw ExitCode(Exit.differs) }
  }
}

/// What `registry endpoints` says.
struct EndpointsAnswer: Codable {
  struct Stale: Codable {
    var herID: HerID
    var document: CollaborationProtocol.Kind
    var documentID: String
    /// The other party of an agreement: the one that would send there.
    var counterpart: HerID?
    var endpoint: String
    var transportID: String
    var channels: [String]
    /// `other-bus`, `unknown-bus`, or `malformed`.
    var problem: String
    /// The bus that the endpoint names, where it names one.
    var bus: BusName?
    /// The buses that the address register names for the party; more than one while it is half moved.
    var register: [BusName]
  }

  struct Failure: Codable {
    var herID: HerID
    var documentID: String?
    var code: String
    var seen: String
  }

  var schema = "bus-migrator/registry-endpoints/1"
  /// Parties asked about.
  var parties: Int
  var profiles: Int
  var agreements: Int
  var stale: [Stale]
  /// Parties with an endpoint that nothing can be said of: not in the cache, or on no configured bus.
  var unjudged: [HerID]
  var failures: [Failure]

  init(_ findings: EndpointSurvey.Findings, asked: Int) {
    self.parties = asked
    (self.profiles, self.agreements, self.unjudged) = (findings.profiles, findings.agreements, findings.unjudged)
    self.stale = findings.stale.map { found in
      let (problem, bus, register): (String, BusName?, [BusName]) =
        switch found.problem {
        case .otherBus(let named, let register): ("other-bus", named, register)
        case .unknownBus(_, let register): ("unknown-bus", nil, register)
        case .malformed: ("malformed", nil, [])
        }
      return Stale(
        herID: found.herID, document: found.document, documentID: found.documentID, counterpart: found.counterpart,
        endpoint: found.endpoint.text, transportID: found.endpoint.transportID, channels: found.endpoint.channels,
        problem: problem, bus: bus, register: register)
    }
    self.failures = findings.failures.map {
      Failure(herID: $0.herID, documentID: $0.documentID, code: $0.error.stableCode, seen: $0.error.explanation.seen)
    }
  }

  var text: String {
    var lines = [
      "\(self.parties) parties, \(self.profiles) profiles, \(self.agreements) agreements: \(self.stale.count) endpoints that the "
        + "address register has left behind"
    ]
    for stale in self.stale {
      let who = stale.counterpart.map { ", used by HER-ID \($0)" } ?? ""
      let register = stale.register.map(\.text).joined(separator: " and ")
      let what =
        switch stale.problem {
        case "malformed": "is no queue address"
        case "unknown-bus": "is on no configured bus; the address register says \(register)"
        default: "is on \(stale.bus?.text ?? "?"); the address register says \(register)"
        }
      lines.append("HER-ID \(stale.herID), \(stale.document.rawValue) \(stale.documentID)\(who): \(stale.endpoint) \(what)")
    }
    if !self.unjudged.isEmpty {
      let list = self.unjudged.prefix(20).map(\.description).joined(separator: ", ")
      lines.append(
        "nothing can be said of the endpoints of HER-ID \(list)\(self.unjudged.count > 20 ? ", ..." : ""): not in the cache, or on no "
          + "configured bus")
    }
    for failure in self.failures {
      lines.append(
        "not read: HER-ID \(failure.herID)\(failure.documentID.map { ", agreement \($0)" } ?? ""): [\(failure.code)] \(failure.seen)"
      )
    }
    return lines.joined(separator: "\n")
  }
}
