// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import MigrationEngine
import NIOCore

/// A picture and its changes as they go over the wire. The schema is stable; times are milliseconds since 1970 UTC.
enum BoardText {
  static let schema = "bus-migrator/board/1"

  /// Why a whole picture comes.
  enum Reason: String, Sendable, Codable {
    case asked
    /// There are other puljer or groups than before.
    case other
    /// What happened since the event named in `Last-Event-ID` is not kept any more.
    case notKept = "not-kept"
  }

  private struct Head: Encodable {
    var schema = BoardText.schema
    var reason: Reason
    var environment: String?
    var sequence: Int64
    var now: Instant
    var line: BoardPicture.Line
    var puljer: [BoardPicture.Pulje]
    var alerts: [BoardAlert]
    /// By pulje and bus: time and messages, oldest first.
    var trails: [String: [String: [DepthTrail.Point]]]
  }

  static func group(_ pulje: PuljeName, _ group: BoardPicture.Group) -> Data {
    Data(GroupLine.json(pulje, group.id, plan: group.plan, group.glance))
  }

  /// - Parameter groups: each as ``group(_:_:)`` gave it.
  static func board(
    _ picture: BoardPicture, environment: String?, reason: Reason, trails: [PuljeName: [BusName: DepthTrail]], groups: [[Data]]
  ) -> ByteBuffer {
    let head = self.encode(
      Head(
        reason: reason, environment: environment, sequence: picture.sequence, now: picture.now, line: picture.line,
        puljer: picture.puljer, alerts: picture.alerts,
        trails: Dictionary(
          uniqueKeysWithValues: trails.map { pulje, buses in
            (pulje.text, Dictionary(uniqueKeysWithValues: buses.map { ($0.key.text, $0.value.points) }))
          })))
    var text = ByteBuffer()
    text.reserveCapacity(head.count + groups.reduce(16) { $0 + $1.reduce(0) { $0 + $1.count + 1 } })
    // The groups go into the head's own braces.
    text.writeBytes(head.dropLast())
    text.writeString(",\"groups\":[")
    var isFirst = true
    for line in groups.joined() {
      if !isFirst { text.writeString(",") }
      isFirst = false
      text.writeBytes(line)
    }
    text.writeString("]}")
    return text
  }

  static func event(_ name: String, id: Int64?, _ data: ByteBuffer) -> ByteBuffer {
    var text = ByteBuffer()
    text.reserveCapacity(data.readableBytes + 64)
    Self.add(name, id: id, data.readableBytesView, to: &text)
    return text
  }

  private static func add(_ name: String, id: Int64?, _ data: some Collection<UInt8>, to text: inout ByteBuffer) {
    if let id { text.writeString("id: \(id)\n") }
    text.writeString("event: ")
    text.writeString(name)
    text.writeString("\ndata: ")
    text.writeBytes(data)
    text.writeString("\n\n")
  }

  /// One chunk of all changes of one moment.
  static func changes(_ changes: [BoardChange], id: Int64) -> ByteBuffer {
    var text = ByteBuffer()
    text.reserveCapacity(changes.count * 512)
    for change in changes {
      switch change {
      case .line(let line): Self.add(change.event, id: id, self.encode(line), to: &text)
      case .pulje(let pulje): Self.add(change.event, id: id, self.encode(pulje), to: &text)
      case .group(let pulje, let group, let glance):
        Self.add(change.event, id: id, GroupLine.json(pulje, group, plan: nil, glance), to: &text)
      case .alert(let alert): Self.add(change.event, id: id, self.encode(alert), to: &text)
      }
    }
    return text
  }

  /// Says that the reader begins anew, and why; then the connection ends.
  static func again(_ why: String) -> ByteBuffer {
    self.event("again", id: nil, ByteBuffer(bytes: self.encode(["reason": why])))
  }

  /// A comment, by which a reader knows that the connection lives.
  static func heartbeat(_ now: Instant) -> ByteBuffer { ByteBuffer(string: ": \(now.milliseconds)\n\n") }

  private static func encode(_ value: some Encodable) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    // None of these values can fail to be written: numbers are whole, keys are text.
    return (try? encoder.encode(value)) ?? Data("{}".utf8)
  }
}
