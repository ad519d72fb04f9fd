// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Migration

/// Where a pulje comes from: its file, and parties beside those that it names.
struct PuljeSourceOptions: ParsableArguments {
  @Argument(help: "The pulje file.") var file: String
  @Option(
    help:
      "A CSV file of parties beside those of the pulje file: her-id, vendor, listens, start-confirmed, wave, amqp-1-0, bus-user.")
  var parties: [String] = []
  @Option(
    name: .customLong("organisation"),
    help: "An organisation number: it and all its services, as the registry's cache knows them. Needs --vendor.")
  var organisations: [String] = []
  @Option(help: "The vendor of those that --parties and --organisation add, where the table does not say.")
  var vendor: String?
  @Option(help: "Which buses those that --organisation adds listen on: both or one.")
  var listens: String = "one"

  func request() throws -> PuljeRequest {
    var request = try PuljeFile.read(self.file)
    guard let listens = PuljeRequest.Party.Listens(rawValue: self.listens) else {
      throw CommandLineError.argumentWrong(name: "--listens", seen: self.listens, wanted: "both or one")
    }
    let usual = PuljeFile.Usual(vendor: self.vendor, listens: listens)
    for path in self.parties { request.parties += try PuljeTables.parties(path, usual: usual) }
    if request.waves == nil, request.parties.contains(where: { $0.wave != nil }) { request.waves = .stated }
    for text in self.organisations {
      guard let number = PuljeFile.organisationNumber(text) else {
        throw CommandLineError.argumentWrong(name: "--organisation", seen: text, wanted: PuljeFile.organisationWanted)
      }
      guard let vendor = self.vendor else {
        throw CommandLineError.argumentWrong(name: "--vendor", seen: "", wanted: "the vendor of the organisation's systems")
      }
      request.organisations.append(PuljeRequest.Organisation(number: number, vendor: vendor, listens: listens))
    }
    return request
  }
}
