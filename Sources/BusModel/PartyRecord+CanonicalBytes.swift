// SPDX-License-Identifier: Apache-2.0

extension PartyRecord {
  /// The bytes of ``canonicalForm``, put together without a string for each field: every reading of the register is hashed.
  ///
  /// Nil when an address holds more than ASCII, since texts then sort otherwise than their bytes do.
  var canonicalBytes: [UInt8]? {
    var form = CanonicalFields()
    form.bytes.reserveCapacity(256 + 128 * (self.addresses.count + self.futureAddresses.count))
    form.append("record", "party/1")
    form.append("her-id", self.herID.description)
    form.append("name", self.name)
    form.append("kind", self.kind.rawValue)
    form.append("parent", self.parent?.description ?? "-")
    form.append("active", self.active ? "true" : "false")
    form.append("valid", self.valid ? "true" : "false")
    if let number = self.organisationNumber { form.append("organisation-number", String(number)) }
    form.isASCII = true
    form.appendSorted(self.addresses) { line, address in
      line.append("type", address.typeCode)
      line.append("address", address.text)
      line.append("inherited", address.inherited ? "true" : "false")
    }
    form.appendSorted(self.futureAddresses) { line, future in
      line.append("future-type", future.address.typeCode)
      line.append("future-address", future.address.text)
      line.append("future-inherited", future.address.inherited ? "true" : "false")
      line.append("valid-from", future.validFrom)
    }
    return form.isASCII ? form.bytes : nil
  }
}

private struct CanonicalFields {
  var bytes: [UInt8] = []
  /// Whether everything appended since it was set true is.
  var isASCII = true

  mutating func append(_ name: StaticString, _ value: String) {
    self.bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    self.bytes.append(UInt8(ascii: ":"))
    self.append(decimal: value.utf8.count)
    self.bytes.append(UInt8(ascii: ":"))
    let start = self.bytes.count
    self.bytes.append(contentsOf: value.utf8)
    if self.isASCII { self.isASCII = self.bytes[start...].allSatisfy { $0 < 0x80 } }
    self.bytes.append(UInt8(ascii: "\n"))
  }

  private mutating func append(decimal number: Int) {
    if number >= 10 { self.append(decimal: number / 10) }
    self.bytes.append(UInt8(ascii: "0") + UInt8(number % 10))
  }

  /// A line of fields for each element, in the order of the lines' bytes.
  mutating func appendSorted<Element>(_ elements: [Element], _ fields: (inout CanonicalFields, Element) -> Void) {
    let start = self.bytes.count
    var lines: [Range<Int>] = []
    lines.reserveCapacity(elements.count)
    for element in elements {
      let from = self.bytes.count
      fields(&self, element)
      lines.append(from..<self.bytes.count)
    }
    let written = self.bytes
    lines.sort { written[$0].lexicographicallyPrecedes(written[$1]) }
    self.bytes.removeSubrange(start...)
    for line in lines { self.bytes.append(contentsOf: written[line]) }
  }
}
