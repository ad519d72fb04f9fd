// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing

@Suite("Queue addresses and HER-IDs as the register writes them")
struct QueueAddressTests {
  @Test(
    "parts",
    arguments: [
      ("sb.test.nhn.no/DigitalDialog/93238_async", "sb.test.nhn.no", "DigitalDialog", "93238_async"),
      ("SB.Test.nhn.no/DigitalDialog/93238_ASYNC", "sb.test.nhn.no", "DigitalDialog", "93238_ASYNC"),
      ("host/queue", "host", "", "queue"), ("host/a/b/queue", "host", "a/b", "queue"),
    ])
  func parts(_ text: String, _ host: String, _ path: String, _ queue: String) throws {
    let address = try QueueAddress(text: text)
    #expect(address.host == host)
    #expect(address.path == path)
    #expect(address.queue == queue)
    #expect(try QueueAddress(text: address.description) == address)
  }

  @Test("no address", arguments: ["", "/", "queue", "host/", "/queue", "host/a b", " host/queue", "host/queue\n", "//"])
  func malformed(_ text: String) {
    #expect(throws: BusModelError.queueAddressMalformed(text)) { try QueueAddress(text: text) }
  }

  @Test("as JSON it is its text")
  func json() throws {
    let address = try QueueAddress(text: "h/p/q")
    let data = try JSONEncoder().encode([address])
    #expect(String(decoding: data, as: UTF8.self) == "[\"h\\/p\\/q\"]")
    #expect(try JSONDecoder().decode([QueueAddress].self, from: data) == [address])
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([QueueAddress].self, from: Data("[\"q\"]".utf8)) }
  }

  @Test("HER-IDs", arguments: [("1", Int32(1)), ("93238", 93_238), ("2147483647", .max), ("007", 7)])
  func herIDs(_ text: String, _ value: Int32) throws { #expect(try HerID(text: text).value == value) }

  @Test("no HER-IDs", arguments: ["", "0", "-1", "+1", " 1", "1 ", "1.0", "2147483648", "12345678901", "１", "abc", "0x1"])
  func noHerIDs(_ text: String) { #expect(throws: BusModelError.herIDMalformed(text)) { try HerID(text: text) } }

  @Test("a HER-ID as JSON is a number greater than zero")
  func herIDJSON() throws {
    #expect(try JSONDecoder().decode([HerID].self, from: Data("[7]".utf8)).map(\.value) == [7])
    for text in ["[0]", "[-7]", "[\"7\"]", "[2147483648]"] {
      #expect(throws: DecodingError.self) { try JSONDecoder().decode([HerID].self, from: Data(text.utf8)) }
    }
  }

  @Test("the register's codes name three kinds of queue and no more")
  func kinds() {
    for kind in QueueKind.inRegister { #expect(kind.registerCode.flatMap { QueueKind(registerCode: $0) } == kind) }
    #expect(QueueKind.inRegister == [.asynchronous, .synchronous, .error])
    #expect(QueueKind.synchronousReply.registerCode == nil)
    #expect(QueueKind.deadLetter.registerCode == nil)
    for code in ["E_EDI", "E_DS", "e_sb_async", "E_SB_SYNCREPLY", ""] { #expect(QueueKind(registerCode: code) == nil) }
  }

  @Test("a bus holds an address by its host, whatever the path")
  func holds() throws {
    let bus = Bus(name: "servicebus", dialect: .serviceBusWindowsServer, hosts: ["SB.nhn.no", "sb2.nhn.no"], path: "P")
    #expect(bus.holds(try QueueAddress(text: "sb.NHN.no/Other/q")))
    #expect(bus.holds(try QueueAddress(text: "sb2.nhn.no/q")))
    #expect(!bus.holds(try QueueAddress(text: "tb.nhn.no/P/q")))
    #expect(bus.address(ofQueue: "q")?.description == "sb.nhn.no/P/q")
    #expect(Bus(name: "x", dialect: .activeMQ, hosts: [], path: "").address(ofQueue: "q") == nil)
  }
}
