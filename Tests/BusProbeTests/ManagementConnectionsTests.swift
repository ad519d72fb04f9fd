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
