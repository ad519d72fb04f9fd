// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Reads a whole XML document from bytes that another machine sent.
package enum XMLDocumentReader {
  /// Why a document could not be read.
  package struct Unreadable: Error, Hashable, CustomStringConvertible {
    package var description: String
  }

  /// Deeper than any answer of the register.
  static let depthLimit = 64
  static let elementLimit = 1_000_000
  static let sizeLimit = 64 * 1_024 * 1_024

  /// - Throws: when the document is cut off, malformed, too deep, too large, not UTF-8, or has a DOCTYPE (SOAP forbids it, and
  ///   entities are a way to make a reader swell).
  package static func read(_ bytes: [UInt8]) throws(Unreadable) -> XMLNode {
    guard !bytes.isEmpty else { throw Unreadable(description: "an empty document") }
    guard bytes.count <= Self.sizeLimit else { throw Unreadable(description: "more than \(Self.sizeLimit) bytes of XML") }
    // One encoding only: in another one a DOCTYPE could hide from the search below.
    guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil, Self.declaresUTF8(bytes) else {
      throw Unreadable(description: "\(bytes.count) bytes that are no UTF-8, or say that they are not")
    }
    // Refused wherever it stands: in SOAP it can only be a trick, or text in a CDATA section that nobody needs.
    guard Data(bytes).range(of: Data("<!DOCTYPE".utf8)) == nil else {
      throw Unreadable(description: "a document with a DOCTYPE")
    }
    let parser = XMLParser(data: Data(bytes))
    parser.shouldProcessNamespaces = true
    parser.shouldResolveExternalEntities = false
    let builder = Builder()
    parser.delegate = builder
    let complete = parser.parse()
    if let refusal = builder.refusal { throw Unreadable(description: refusal) }
    guard complete, parser.parserError == nil, builder.roots == 1, let root = builder.root, builder.isAtEnd else {
      let line = parser.lineNumber
      let code = (parser.parserError as NSError?)?.code ?? 0
      throw Unreadable(description: "\(bytes.count) bytes of broken or cut-off XML (parser error \(code) at line \(line))")
    }
    return root
  }

  /// Whether the XML declaration, where there is one, names no other encoding than UTF-8 (or its part ASCII).
  private static func declaresUTF8(_ bytes: [UInt8]) -> Bool {
    var head = String(decoding: bytes.prefix(300), as: UTF8.self)
    if head.hasPrefix("\u{FEFF}") { head.removeFirst() }
    guard head.hasPrefix("<?xml") else { return true }
    guard let end = head.range(of: "?>") else { return false }
    head = String(head[..<end.lowerBound])
    guard let encoding = head.range(of: "encoding") else { return true }
    let name = head[encoding.upperBound...].drop { " =\t\r\n\"'".contains($0) }.prefix { !"\"' \t\r\n".contains($0) }
    return ["utf-8", "utf8", "us-ascii", "ascii"].contains(name.lowercased())
  }

  private final class Builder: NSObject, XMLParserDelegate {
    var root: XMLNode?
    var roots = 0
    var refusal: String?
    private var open: [XMLNode] = []
    private var elements = 0

    var isAtEnd: Bool { self.open.isEmpty }

    func parser(
      _ parser: XMLParser, didStartElement elementName: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      self.elements += 1
      guard self.open.count < XMLDocumentReader.depthLimit, self.elements <= XMLDocumentReader.elementLimit else {
        self.refusal =
          "a document deeper than \(XMLDocumentReader.depthLimit) or larger than \(XMLDocumentReader.elementLimit) elements"
        parser.abortParsing()
        return
      }
      self.open.append(XMLNode(name: elementName, namespace: namespaceURI ?? "", attributes: attributes))
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
      guard !self.open.isEmpty else { return }
      self.open[self.open.count - 1].text += string
    }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
      guard !self.open.isEmpty else { return }
      self.open[self.open.count - 1].text += String(decoding: block, as: UTF8.self)
    }

    func parser(_ parser: XMLParser, didEndElement elementName: String, namespaceURI: String?, qualifiedName: String?) {
      guard let done = self.open.popLast() else { return }
      if self.open.isEmpty {
        self.root = done
        self.roots += 1
      } else {
        self.open[self.open.count - 1].children.append(done)
      }
    }
  }
}
