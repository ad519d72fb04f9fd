// SPDX-License-Identifier: Apache-2.0

/// Where the sections of an encoded message lie, for those who pass it on or judge it without reading it.
package struct AMQPMessageSections: Sendable, Equatable {
  package struct Section: Sendable, Equatable {
    /// Numeric, also when the peer wrote a symbol: 0x70 header ... 0x78 footer.
    package var descriptor: UInt64
    package var range: Range<Int>
  }

  package let sections: [Section]

  /// - Throws: ``AMQPDecodingError`` when the bytes are no sequence of sections. Order and types are not judged.
  package init(_ payload: [UInt8]) throws(AMQPDecodingError) {
    var decoder = AMQPDecoder(payload)
    var sections: [Section] = []
    while !decoder.isAtEnd {
      let start = decoder.position
      guard case .described(.ulong(let descriptor), _) = try decoder.sectionValue() else {
        throw .unexpected("a section without a numeric descriptor")
      }
      sections.append(Section(descriptor: descriptor, range: start..<decoder.position))
    }
    self.sections = sections
  }

  /// Whether there is a data, amqp-sequence or amqp-value section.
  package var hasBody: Bool {
    self.sections.contains { (SectionDescriptor.data...SectionDescriptor.value).contains($0.descriptor) }
  }

  /// Where the bare message begins: after header and annotations.
  package var bareStart: Int {
    self.sections.first { $0.descriptor > SectionDescriptor.messageAnnotations }?.range.lowerBound
      ?? self.sections.last?.range.upperBound ?? 0
  }
}
