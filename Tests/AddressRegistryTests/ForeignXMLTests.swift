// SPDX-License-Identifier: Apache-2.0

import ForeignPrograms
import Foundation
import Testing
import TjenestebussTesting

@testable import AddressRegistry

/// Our reader against lxml: what ours takes, lxml takes too, and makes the same tree of it.
@Suite("XML as lxml reads it", .timeLimit(.minutes(20)))
struct ForeignXMLTests {
  /// name, namespace, attributes, text, children.
  private struct Tree: Decodable, Equatable {
    var name: String
    var namespace: String
    var attributes: [String]
    var text: String
    var children: [Tree]

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      self.name = try container.decode(String.self)
      self.namespace = try container.decode(String.self)
      self.attributes = try container.decode([String].self).sorted()
      self.text = try container.decode(String.self)
      self.children = try container.decode([Tree].self)
    }

    init(_ node: XMLNode) {
      self.name = node.name
      self.namespace = node.namespace
      self.attributes = node.attributes.map { "\($0.key.split(separator: ":").last ?? "")=\($0.value)" }.sorted()
      self.text = node.text
      self.children = node.children.map { Tree($0) }
    }
  }

  private static let documents: [String] =
    TestingAnswers.all(.v1_1, records: family()) + TestingAnswers.all(.v1_2, records: family()) + [
      "<?xml version='1.0' encoding=\"utf-8\" standalone='yes'?>\r\n<!-- c --><?pi x?><a xmlns='urn:a' xmlns:b='urn:b' b:x='1&lt;\t2' "
        + "x=\"&#233;&#x1F600;\"><b:c/>\r\n t&amp;<![CDATA[<e>]]&gt;]]><c xmlns=''>x</c>\ré</a ><!--x--> ",
      "<a><b x='&#10;'>&#13;\r\n</b><b xmlns:p='urn:p'><p:q p:r='1' r='2'/></b><c/><?x?></a>",
    ]

  /// What makes other documents of good ones: bits, bytes that mean something, pieces taken out or doubled.
  private static func damaged(_ bytes: [UInt8], _ draw: (Int) -> Int) -> [UInt8] {
    var bytes = bytes
    let marks = Array("<>/&;#x\"'=:!-[]?\r\n\t x0AæÆ".utf8)
    for _ in 0..<(1 + draw(2)) {
      let position = draw(bytes.count)
      switch draw(6) {
      case 0: bytes[position] ^= 1 << UInt8(draw(8))
      case 1: bytes[position] = marks[draw(marks.count)]
      case 2: bytes.insert(marks[draw(marks.count)], at: position)
      case 3: bytes.remove(at: position)
      case 4: bytes.removeSubrange(position..<min(bytes.count, position + 1 + draw(12)))
      default: bytes.insert(contentsOf: bytes[position..<min(bytes.count, position + 1 + draw(12))], at: draw(bytes.count))
      }
      if bytes.isEmpty { return [0] }
    }
    return bytes
  }

  @Test("good documents make the same tree, six thousand damaged ones too or are refused")
  func same() async throws {
    var state: UInt64 = 11
    func draw(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
    let good = Self.documents.map { Array($0.utf8) }
    var documents = good
    for number in 0..<6_000 { documents.append(Self.damaged(good[number % good.count], draw)) }
    let asked = documents
    let trees = try await withTemporaryFolder { folder in
      let file = folder + "/documents"
      let lines = asked.map { Data($0).base64EncodedString() + "\n" }.joined()
      try Data(lines.utf8).write(to: URL(fileURLWithPath: file))
      let result = try await ForeignPython.run("xml_trees.py", [file])
      try #require(result.exitCode == 0, "\(result.errors)")
      return try result.output.split(separator: "\n").map { try JSONDecoder().decode(Tree?.self, from: Data($0.utf8)) }
    }
    try #require(trees.count == documents.count)
    var (same, stricter, refused) = (0, 0, 0)
    for (index, (bytes, tree)) in zip(documents, trees).enumerated() {
      guard let ours = try? XMLDocumentReader.read(bytes) else {
        #expect(index >= good.count, "\(String(decoding: bytes.prefix(300), as: UTF8.self))")
        if tree == nil { refused += 1 } else { stricter += 1 }
        continue
      }
      #expect(Tree(ours) == tree, "\(String(decoding: bytes, as: UTF8.self))")
      same += 1
    }
    #expect(same > 300)
    #expect(refused > 1_500)
    #expect(stricter < 300)
  }
}
