// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Foundation
import TjenestebussClient

/// Logins of organisations at one bus: named one by one, or every credential whose name begins as the configuration says.
extension MigratorConfiguration {
  static func organisations(
    _ fields: ConfigurationNode.Fields, bus: BusName, own: BusConnectionString, _ environment: [String: String]
  ) throws -> [Int32: BusConnectionString] {
    var logins: [Int32: BusConnectionString] = [:]
    func add(_ number: Int32, _ secret: Secret, place: String) throws {
      let place = "\(place), organisation \(number) at bus \(bus)"
      guard logins[number] == nil else {
        throw CommandLineError.valueWrong(place: place, seen: "a second login", wanted: "one login for each organisation")
      }
      logins[number] = try Self.login(secret, own: own, place: place)
    }
    for node in try fields.optional("organisations")?.elements ?? [] {
      let entry = try node.mapping()
      let number = try entry.required("organisation")
      guard let value = PuljeFile.organisationNumber(try number.text) else {
        throw number.wrong(wanted: PuljeFile.organisationWanted)
      }
      guard let secret = try Credentials.secret("connection-string", in: entry, environment: environment) else {
        throw CommandLineError.keyMissing(place: node.place, key: "connection-string-file")
      }
      try add(value, secret, place: node.place)
    }
    guard let node = fields.optional("organisation-credentials") else { return logins }
    let prefix = try node.text
    let names = try Credentials.names(beginningWith: prefix, place: node.place, environment: environment)
    for name in names {
      // One that is misspelt must not be passed over.
      guard let value = PuljeFile.organisationNumber(String(name.dropFirst(prefix.count))) else {
        throw CommandLineError.credentials(
          place: node.place, seen: "credential \"\(name)\" does not end in \(PuljeFile.organisationWanted)")
      }
      let path = try Credentials.path(ofCredential: name, place: node.place, environment: environment)
      try add(value, try Credentials.secret(inFile: path, shown: path, place: node.place), place: node.place)
    }
    return logins
  }

  /// Where it connects to is said for the bus; an organisation only logs in there.
  private static func login(_ secret: Secret, own: BusConnectionString, place: String) throws -> BusConnectionString {
    let login: BusConnectionString
    do { login = try secret.withPlainText { try BusConnectionString($0) } } catch let error as any ExplainedError {
      throw CommandLineError.credentials(place: place, seen: "[\(error.stableCode)] \(error.explanation.seen)")
    }
    guard login.host.lowercased() == own.host.lowercased(), login.port == own.port, login.encrypted == own.encrypted,
      login.path == own.path
    else {
      throw CommandLineError.valueWrong(
        place: place, seen: "a connection string to another place than the bus's own",
        wanted:
          "\(own.encrypted ? "amqps" : "amqp")://USER:PASSWORD@ and then as in the bus's connection-string: an organisation has a login of its own, and no bus"
      )
    }
    return login
  }
}
