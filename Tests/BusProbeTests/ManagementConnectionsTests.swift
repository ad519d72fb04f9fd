// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import BusProbe

@Suite("Who is connected, as RabbitMQ's management interface says")
struct ManagementConnectionsTests {
  @Test("connections with their library, and the queues they receive from; what is not told is nil")
  func read() throws {
    let connections = #"""
      [{"name":"10.0.0.1:5 -> 10.0.0.2:5671","user":"org1","protocol":"AMQP 1-0","vhost":"/",
        "client_properties":{"product":"EPJ","version":"4.2","ignored":{"a":[1]}}},
       {"name":"10.0.0.3:5 -> 10.0.0.2:5671","client_properties":[]}]
      """#
    let consumers = #"""
      [{"queue":{"name":"200_async","vhost":"/"},"channel_details":{"connection_name":"10.0.0.1:5 -> 10.0.0.2:5671"}},
       {"queue":{"name":"200_async","vhost":"/"},"channel_details":{"connection_name":"10.0.0.1:5 -> 10.0.0.2:5671"}},
       {"queue":{"name":"300_async","vhost":"/"},"channel_details":[]}]
      """#
    let read = try ManagementConnections.read(connections: Data(connections.utf8), consumers: Data(consumers.utf8))
    #expect(read.count == 2)
    #expect(read[0].product == "EPJ" && read[0].version == "4.2" && read[0].wire == "AMQP 1-0" && read[0].queues == ["200_async"])
    #expect(read[1].user == nil && read[1].product == nil && read[1].queues.isEmpty)
  }

  @Test("a user's tags, as RabbitMQ 3.8 and as later ones write them; another form says nothing")
  func tags() throws {
    #expect(
      try ManagementConnections.tags(Data(#"{"name":"a","tags":["management","monitoring"]}"#.utf8)) == [
        "management", "monitoring",
      ])
    #expect(try ManagementConnections.tags(Data(#"{"name":"a","tags":"administrator,x"}"#.utf8)) == ["administrator", "x"])
    #expect(try ManagementConnections.tags(Data(#"{"name":"a","tags":[]}"#.utf8)).isEmpty)
    #expect(throws: ProbeError.self) { try ManagementConnections.tags(Data(#"{"name":"a"}"#.utf8)) }
  }

  @Test("the links of a connection's sessions, as RabbitMQ 4.3 told them; what is of another form is nothing")
  func sessions() {
    let answer = #"""
      [{"channel_number":0,"incoming_links":[],"outgoing_links":[
        {"handle":0,"link_name":"perf-r","source_address":"/queues/200_async","queue_name":"200_async","filter":[],"credit":1},
        {"handle":1,"source_address":"/queues/200%5Fsync"}]}]
      """#
    #expect(ManagementConnections.queues(sessions: Data(answer.utf8)) == ["200_async", "200_sync"])
    #expect(ManagementConnections.queues(sessions: Data("[]".utf8)) == [])
    #expect(ManagementConnections.queues(sessions: Data(#"{"error":"Object Not Found"}"#.utf8)) == nil)
  }

  @Test("RabbitMQ 4 names no connection with its consumers, RabbitMQ 3.10 does; both as they were recorded")
  func recorded() throws {
    let connections =
      #"[{"name":"127.0.0.1:57146 -> 127.0.0.1:5610","protocol":"AMQP 1.0","user":"guest","client_properties":{},"type":"direct"}]"#
    let four = #"[{"channel_details":{},"consumer_tag":"0","queue":{"name":"200_async","vhost":"/"}}]"#
    let three =
      #"[{"channel_details":{"connection_name":"127.0.0.1:57146 -> 127.0.0.1:5610","user":"guest"},"queue":{"name":"200_async","vhost":"/"}}]"#
    #expect(try ManagementConnections.read(connections: Data(connections.utf8), consumers: Data(four.utf8))[0].queues.isEmpty)
    #expect(
      try ManagementConnections.read(connections: Data(connections.utf8), consumers: Data(three.utf8))[0].queues == ["200_async"])
  }

  @Test("messages by queue; a queue without a number is not taken for empty, and neither is an answer of another form")
  func messages() throws {
    let found = try ManagementConnections.messages(Data(#"[{"name":"a","messages":0},{"name":"b","messages":3}]"#.utf8))
    #expect(found.queues == 2 && found.filled == ["b": 3])
    for text in [#"[{"name":"a"}]"#, #"{"error":"x"}"#, ""] {
      #expect(throws: ProbeError.self) { try ManagementConnections.messages(Data(text.utf8)) }
    }
    #expect(throws: ProbeError.self) { try ManagementConnections.read(connections: Data("{}".utf8), consumers: Data("[]".utf8)) }
  }
}
