// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AddressRegistry

@Suite("XML is read whole or refused, and written so that nothing in a value can become markup")
struct XMLTests {
  private func read(_ text: String) throws -> XMLNode { try XMLDocumentReader.read(Array(text.utf8)) }

  @Test("names, namespaces, attributes, text and CDATA")
  func plain() throws {
    let root = try self.read(
      "<?xml version=\"1.0\" encoding=\"utf-8\"?><!-- note --><a xmlns=\"urn:one\" xmlns:b=\"urn:two\" x=\"1\">"
        + "<b:c i:nil=\"true\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"/><d> t&amp;<![CDATA[<e>]]>&#233; </d></a>")
    #expect(root.name == "a")
    #expect(root.namespace == "urn:one")
    #expect(root.attributes["x"] == "1")
    #expect(root.children.map(\.name) == ["c", "d"])
    #expect(root.children[0].namespace == "urn:two")
    #expect(root.children[0].isNil)
    #expect(root.children[1].namespace == "urn:one")
    #expect(root.children[1].text == " t&<e>é ")
    #expect(root.value("d") == "t&<e>é")
    #expect(root.value("c") == nil)
  }

  @Test(
    "every value comes back as it was, through escaping and parsing",
    arguments: [
      "", "a<b>&\"c\"'", "]]>", "&amp;", " \t\r\n ", "Ærø\u{1F600}\u{FFFD}", "</herId><herId>2",
    ])
  func escaping(_ text: String) throws {
    let escaped = try #require(XMLText.escaped(text))
    let root = try self.read("<a x=\"\(escaped)\"><v>\(escaped)</v></a>")
    #expect(root.child("v")?.text == text)
    #expect(root.attributes["x"] == text)
    #expect(root.children.count == 1)
  }

  @Test("characters that XML cannot carry are refused", arguments: ["\u{0}", "\u{8}", "\u{1B}[0m", "\u{FFFE}"])
  func uncarriable(_ text: String) { #expect(XMLText.escaped(text) == nil) }

  @Test(
    "element names",
    arguments: [
      ("herId", true), ("_a-b.c9", true), ("9a", false), ("", false), ("a b", false), ("a>", false), ("é", false), ("a:b", false),
    ])
  func names(_ name: String, _ good: Bool) { #expect(XMLText.isName(name) == good) }

  @Test("a text of very many pieces is put together")
  func pieces() throws {
    let root = try self.read("<a>" + String(repeating: "x&amp;<![CDATA[y]]><b/>", count: 50_000) + "</a>")
    #expect(root.text == String(repeating: "x&y", count: 50_000))
    #expect(root.children.count == 50_000)
  }

  @Test("children stand right below: what is deeper is not theirs")
  func nested() throws {
    let root = try self.read("<a><b><c>1</c><b>2</b></b><c/><b xmlns='urn:x'>3<d/>4</b></a>")
    #expect(root.children.map(\.name) == ["b", "c", "b"])
    #expect(root.children("b").map(\.text) == ["", "34"])
    #expect(root.child("c")?.text == "" && root.child("d") == nil)
    #expect(root.child("b")?.children("b").map(\.text) == ["2"])
    #expect(root.children("b").map(\.namespace) == ["", "urn:x"] && root.children.last?.children.first?.namespace == "urn:x")
  }

  @Test("every true prefix of a document is refused")
  func cutOff() throws {
    let document = Array("<?xml version=\"1.0\"?><a><b c=\"d\">é&amp;</b><e/></a>".utf8)
    _ = try XMLDocumentReader.read(document)
    for length in 0..<document.count {
      #expect(throws: XMLDocumentReader.Unreadable.self, "\(length) bytes") {
        try XMLDocumentReader.read(Array(document.prefix(length)))
      }
    }
  }

  private static let unreadable: [String] = [
    "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "<a>&undeclared;</a>",
    "<a></b>", "<a/><b/>", "a", "{}", "<a x='1' x='2'/>", "<p:a/>", "</a>", " </a><a/>", "<!-- --></a>",
    "<?xml version=\"1.0\"?></a>",
    String(repeating: "<a>", count: 100) + String(repeating: "</a>", count: 100),
  ]

  /// More attributes of one element, more namespaces, more declarations than anybody needs.
  private static let large: [String] = {
    let attributes = (0..<300).map { number in " x\(number)=''" }.joined()
    let elements = (0..<1_100).map { number in "<b xmlns='urn:\(number)'/>" }.joined()
    let declarations = (0..<1_100).map { number in " xmlns:p\(number)='urn:x'" }.joined()
    return ["<a\(attributes)/>", "<a>\(elements)</a>", "<a\(declarations)/>"]
  }()

  @Test("entities, DOCTYPE, depth, garbage, trailing matter and what is far too much are refused", arguments: unreadable + large)
  func refused(_ text: String) { #expect(throws: XMLDocumentReader.Unreadable.self) { try self.read(text) } }

  @Test("a DOCTYPE far inside does not slip by")
  func lateDoctype() {
    let text = "<!--" + String(repeating: "x", count: 5_000) + "--><!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"
    #expect(throws: XMLDocumentReader.Unreadable.self) { try self.read(text) }
  }

  @Test("another encoding is refused: a DOCTYPE could hide in it")
  func encodings() throws {
    let bomb = "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"
    let wide = ("<?xml version=\"1.0\" encoding=\"UTF-16\"?>" + bomb).utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    let documents: [[UInt8]] = [
      [0xFF, 0xFE] + wide, wide, Array("<?xml version=\"1.0\" encoding=\"UTF-7\"?><a>+ADw-</a>".utf8),
      Array("<?xml version='1.0' encoding = 'iso-8859-1'?><a/>".utf8), Array("<a>".utf8) + [0xC3, 0x28] + Array("</a>".utf8),
      Array(("<?xml version=\"1.0\"" + String(repeating: " ", count: 400) + "encoding=\"UTF-7\"?><a/>").utf8),
    ]
    for document in documents {
      #expect(throws: XMLDocumentReader.Unreadable.self) { try XMLDocumentReader.read(document) }
    }
    for name in ["utf-8", "UTF-8", "us-ascii"] {
      #expect(try self.read("<?xml version=\"1.0\" encoding=\"\(name)\"?><a>b</a>").text == "b")
    }
    #expect(try XMLDocumentReader.read([0xEF, 0xBB, 0xBF] + Array("<?xml version=\"1.0\"?><a>b</a>".utf8)).text == "b")
  }
}
