// SPDX-License-Identifier: Apache-2.0

import BusModel

/// An object of a REST answer. Names are compared without regard to case: the service's outer objects begin their names with a
/// small letter, those inside with a capital one.
struct RegisterJSON: RegisterFields {
  private let members: [JSONValue.Member]

  /// Nil when it is no object.
  init?(_ value: JSONValue) {
    guard case .object(let members) = value else { return nil }
    self.members = members
  }

  func member(_ name: String) throws(Problem) -> JSONValue? {
    var found: JSONValue?
    for member in self.members where Self.isSame(member.name, name) {
      guard found == nil else { throw Problem(field: "\(name) (it is there twice)") }
      found = member.value
    }
    if case .null? = found { return nil }
    return found
  }

  func demand(_ name: String) throws(Problem) {
    guard self.members.contains(where: { Self.isSame($0.name, name) }) else { throw Problem(field: name) }
  }

  func element(_ name: String) throws(Problem) -> RegisterJSON? {
    guard let value = try self.member(name) else { return nil }
    guard let element = RegisterJSON(value) else { throw Problem(field: "\(name) (it is no object)") }
    return element
  }

  /// Numbers count as their text.
  func text(_ name: String) throws(Problem) -> String? {
    switch try self.member(name) {
    case nil: return nil
    case .string(let text): return text
    case .number(let text): return text
    default: throw Problem(field: "\(name) (it is no text)")
    }
  }

  func number(_ name: String) throws(Problem) -> Int32? {
    guard let value = try self.value(name) else { return nil }
    guard let number = Int32(value) else { throw Problem(field: name) }
    return number
  }

  func boolean(_ name: String) throws(Problem) -> Bool {
    guard case .bool(let value)? = try self.member(name) else { throw Problem(field: name) }
    return value
  }

  func list(_ name: String, of item: String) throws(Problem) -> [RegisterJSON]? {
    guard let value = try self.member(name) else { return nil }
    guard case .array(let values) = value else { throw Problem(field: "\(name) (it is no list)") }
    var items: [RegisterJSON] = []
    for value in values where value != .null {
      guard let item = RegisterJSON(value) else { throw Problem(field: "\(item) (something else is in its place)") }
      items.append(item)
    }
    return items
  }

  private static func isSame(_ one: String, _ other: String) -> Bool {
    one == other || (one.utf8.count == other.utf8.count && one.lowercased() == other.lowercased())
  }
}

/// A party as the CommunicationParty API writes it: the SOAP model as JSON, bare in exports and events, in an envelope with
/// `communicationParty` in look-ups.
enum PartyJSON {
  typealias Problem = PartyDetails.Problem

  static func record(_ value: JSONValue) throws(Problem) -> PartyRecord {
    guard let outer = RegisterJSON(value) else { throw Problem(field: "party (it is no object)") }
    guard let inner = try outer.element("communicationParty") else { return try PartyDetails.record(outer) }
    let record = try PartyDetails.record(inner)
    if let stated = try outer.number("herId"), stated != record.herID.value { throw Problem(field: "herId (there are two)") }
    if try outer.member("parentHerId") != nil, try outer.number("parentHerId").flatMap(HerID.init) != record.parent {
      throw Problem(field: "parentHerId (there are two)")
    }
    return record
  }

  /// The party of an export or event, or why it cannot be read.
  static func result(_ bytes: [UInt8], place: Int, url: String) -> PartyResult {
    do throws(JSONDocumentReader.Unreadable) {
      return Self.result(try JSONDocumentReader.read(bytes), place: place, url: url)
    } catch {
      return .unreadable(
        PartyFailure(herID: nil, place: place, error: .registerAnswerUnreadable(url: url, seen: error.description)))
    }
  }

  static func result(_ value: JSONValue, place: Int, url: String) -> PartyResult {
    do throws(Problem) { return .party(try Self.record(value)) } catch {
      let herID = RegisterJSON(value).flatMap { try? PartyDetails.herID($0) }
      return .unreadable(
        PartyFailure(herID: herID, place: place, error: .registerAnswerIncomplete(url: url, missing: error.field)))
    }
  }
}
