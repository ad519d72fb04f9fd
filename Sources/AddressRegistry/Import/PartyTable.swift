// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation

/// A table of parties as CSV, for spreadsheets: a row for each address, with the party's own columns repeated; a party without
/// addresses has one row with an empty `type_code`. Rows of one party stand together, in the register's order of addresses.
///
/// Reading is as strict as ``PartyFile``'s, and names the line.
public enum PartyTable {
  private enum Column: String, CaseIterable {
    case herID = "her_id"
    case name, kind, parent, active, valid
    case organisationNumber = "organisation_number"
    case typeCode = "type_code"
    case address, inherited
    /// For an address that is to come: when.
    case validFrom = "valid_from"
  }

  /// - Throws: ``AddressRegistryError`` `importUnreadable`, `importTableInvalid`, `importDuplicate`.
  public static func read(path: String) throws(AddressRegistryError) -> [PartyRecord] {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw .importUnreadable(path: path, seen: FileTrouble.words(error))
    }
    return try Self.parse(data, path: path)
  }

  /// - Parameter path: only for error texts.
  public static func parse(_ data: Data, path: String) throws(AddressRegistryError) -> [PartyRecord] {
    func refuse(_ line: Int, _ problem: String) -> AddressRegistryError {
      .importTableInvalid(path: path, line: line, problem: problem)
    }
    guard var text = String(data: data, encoding: .utf8) else { throw refuse(1, "the file is not UTF-8") }
    if text.hasPrefix("\u{FEFF}") { text.removeFirst() }
    let head = text.prefix { !$0.isNewline }
    let separator: Character = head.contains(";") && !head.contains(",") ? ";" : ","
    let rows: [CSVText.Row]
    do { rows = try CSVText.rows(text, separator: separator) } catch { throw refuse(error.line, error.text) }
    guard let header = rows.first else { throw refuse(1, "the file is empty; its first line names the columns") }
    var places: [Column: Int] = [:]
    for (place, name) in header.fields.enumerated() {
      guard let column = Column(rawValue: name) else {
        throw refuse(header.line, "no such column \"\(name.prefix(60))\" (there are \(Self.columnNames))")
      }
      guard places.updateValue(place, forKey: column) == nil else { throw refuse(header.line, "column \(name) twice") }
    }
    if let absent = Column.allCases.first(where: { places[$0] == nil && $0 != .organisationNumber && $0 != .validFrom }) {
      throw refuse(header.line, "column \(absent.rawValue) is missing")
    }
    var records: [PartyRecord] = []
    var firstLines: [HerID: Int] = [:]
    for row in rows.dropFirst() {
      guard row.fields.count == header.fields.count else {
        throw refuse(row.line, "\(row.fields.count) fields where the first line has \(header.fields.count)")
      }
      let cells = Cells(row: row, places: places)
      let read: (party: PartyRecord, address: PartyRecord.Address?, validFrom: String?)
      do { read = try cells.read() } catch { throw refuse(row.line, "\(error.column): \(error.text)") }
      if let last = records.last, last.herID == read.party.herID {
        var bare = last
        bare.addresses = []
        bare.futureAddresses = []
        guard bare == read.party else { throw refuse(row.line, "HER-ID \(last.herID) with other values than in the line before") }
        guard read.address != nil, !last.addresses.isEmpty || !last.futureAddresses.isEmpty else {
          throw refuse(row.line, "a second row without an address for HER-ID \(last.herID)")
        }
      } else {
        if let first = firstLines.updateValue(row.line, forKey: read.party.herID) {
          throw .importDuplicate(path: path, read.party.herID, entries: [first, row.line])
        }
        records.append(read.party)
      }
      switch (read.address, read.validFrom) {
      case (let address?, let validFrom?):
        records[records.count - 1].futureAddresses.append(.init(address: address, validFrom: validFrom))
      case (let address?, nil): records[records.count - 1].addresses.append(address)
      case (nil, _): break
      }
      if let problem = StrictParty.problem(records[records.count - 1]) {
        throw refuse(row.line, "\(problem.field) \(problem.text)")
      }
    }
    return records
  }

  /// The records as such a table, in order of HER-ID, the same bytes for the same records.
  public static func data(of records: [PartyRecord]) -> Data {
    var text = CSVText.line(Column.allCases.map(\.rawValue))
    for record in records.sorted(by: { $0.herID < $1.herID }) {
      let own = [
        record.herID.description, record.name, record.kind.rawValue, record.parent?.description ?? "", String(record.active),
        String(record.valid), record.organisationNumber.map(String.init) ?? "",
      ]
      for address in record.addresses {
        text += CSVText.line(own + [address.typeCode, address.text, String(address.inherited), ""])
      }
      for future in record.futureAddresses {
        let address = future.address
        text += CSVText.line(own + [address.typeCode, address.text, String(address.inherited), future.validFrom])
      }
      if record.addresses.isEmpty, record.futureAddresses.isEmpty { text += CSVText.line(own + ["", "", "", ""]) }
    }
    return Data(text.utf8)
  }

  private static let columnNames = Column.allCases.map(\.rawValue).joined(separator: ", ")

  private struct CellProblem: Error {
    var column: String
    var text: String
  }

  private struct Cells {
    let row: CSVText.Row
    let places: [Column: Int]

    subscript(_ column: Column) -> String { self.places[column].map { self.row.fields[$0] } ?? "" }

    func read() throws(CellProblem) -> (party: PartyRecord, address: PartyRecord.Address?, validFrom: String?) {
      guard let kind = PartyRecord.Kind(rawValue: self[.kind]) else {
        throw self.problem(.kind, "none of organisation, department, service, person, unknown")
      }
      var party = PartyRecord(
        herID: try self.herID(.herID), name: self[.name], kind: kind,
        parent: self[.parent].isEmpty ? nil : try self.herID(.parent), active: try self.boolean(.active),
        valid: try self.boolean(.valid), addresses: [])
      if !self[.organisationNumber].isEmpty {
        guard let number = Int32(self[.organisationNumber]) else { throw self.problem(.organisationNumber, "no number") }
        party.organisationNumber = number
      }
      guard !self[.typeCode].isEmpty else {
        guard self[.address].isEmpty, self[.inherited].isEmpty, self[.validFrom].isEmpty else {
          throw self.problem(.typeCode, "empty beside an address")
        }
        return (party, nil, nil)
      }
      let address = PartyRecord.Address(
        typeCode: self[.typeCode], text: self[.address], inherited: try self.boolean(.inherited))
      return (party, address, self[.validFrom].isEmpty ? nil : self[.validFrom])
    }

    private func herID(_ column: Column) throws(CellProblem) -> HerID {
      do { return try HerID(text: self[column]) } catch {
        throw self.problem(column, "no HER-ID: digits only, greater than zero")
      }
    }

    private func boolean(_ column: Column) throws(CellProblem) -> Bool {
      switch self[column].lowercased() {
      case "true": return true
      case "false": return false
      default: throw self.problem(column, "neither true nor false")
      }
    }

    private func problem(_ column: Column, _ text: String) -> CellProblem {
      CellProblem(column: column.rawValue, text: "\"\(self[column].prefix(60))\" is \(text)")
    }
  }
}
