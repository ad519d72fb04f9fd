// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration

/// A group as it goes over the wire, in JSON: whole, or what can change of it. Written field by field: where all of a pulje's groups change at once a
/// general encoder takes most of the time until people see it.
struct GroupLine {
  private var bytes: [UInt8] = []
  private var isFirst = true

  /// - Parameter plan: nil for what can change alone.
  static func json(_ pulje: PuljeName, _ id: GroupID, plan: BoardPicture.GroupPlan?, _ glance: GroupGlance) -> [UInt8] {
    var line = GroupLine()
    line.bytes.reserveCapacity(512)
    line.object {
      $0.field("pulje", pulje.text)
      $0.field("id", Int64(id.lowest.value))
      if let plan {
        if let wave = plan.wave { $0.field("wave", Int64(wave)) }
        $0.list("parties", plan.parties) { line, party in
          line.object {
            $0.field("herID", Int64(party.herID.value))
            $0.field("name", party.name)
            $0.field("vendor", party.vendor)
          }
        }
      }
      $0.glance(glance)
    }
    return line.bytes
  }

  private mutating func glance(_ glance: GroupGlance) {
    self.field("phase", glance.phase.rawValue)
    self.field("since", glance.since.milliseconds)
    self.field("direction", glance.direction.rawValue)
    self.field("turn", glance.turn.rawValue)
    if let doing = glance.doing { self.field("doing", doing) }
    if let wait = glance.wait { self.field("wait", wait.rawValue) }
    if let since = glance.waitSince { self.field("waitSince", since.milliseconds) }
    if let estimate = glance.estimate { self.field("estimate", estimate.rawValue) }
    if let earliest = glance.earliest { self.field("earliest", earliest.milliseconds) }
    if let hold = glance.hold { self.field("hold", hold.rawValue) }
    self.field("isQuarantined", glance.isQuarantined)
    self.field("light", glance.light.rawValue)
    self.list("reasons", glance.reasons) { $0.text($1.rawValue) }
    if let left = glance.left { self.field("left", left) }
    if let arrived = glance.arrived { self.field("arrived", arrived) }
    self.field("lateArrivals", Int64(glance.lateArrivals))
    self.list("late", glance.late) { line, late in
      line.object {
        $0.field("strandedClass", late.strandedClass.rawValue)
        $0.field("code", late.code)
        if let sender = late.sender { $0.field("sender", Int64(sender.value)) }
        if let vendor = late.vendor { $0.field("vendor", vendor) }
        $0.field("count", late.count)
      }
    }
    self.list("standing", glance.standing) { $0.text($1) }
    self.field("pingFailures", Int64(glance.pingFailures))
    if let at = glance.pingedAt { self.field("pingedAt", at.milliseconds) }
  }

  // MARK: JSON

  private mutating func object(_ fields: (inout GroupLine) -> Void) {
    self.bytes.append(UInt8(ascii: "{"))
    self.isFirst = true
    fields(&self)
    self.bytes.append(UInt8(ascii: "}"))
    self.isFirst = false
  }

  private mutating func list<Element>(
    _ name: StaticString, _ elements: [Element], _ write: (inout GroupLine, Element) -> Void
  ) {
    self.name(name)
    self.bytes.append(UInt8(ascii: "["))
    var comesFirst = true
    for element in elements {
      if !comesFirst { self.bytes.append(UInt8(ascii: ",")) }
      comesFirst = false
      write(&self, element)
    }
    self.bytes.append(UInt8(ascii: "]"))
    self.isFirst = false
  }

  private mutating func name(_ name: StaticString) {
    if !self.isFirst { self.bytes.append(UInt8(ascii: ",")) }
    self.isFirst = false
    self.bytes.append(UInt8(ascii: "\""))
    name.withUTF8Buffer { self.bytes.append(contentsOf: $0) }
    self.bytes.append(UInt8(ascii: "\""))
    self.bytes.append(UInt8(ascii: ":"))
  }

  private mutating func field(_ name: StaticString, _ text: String) {
    self.name(name)
    self.text(text)
  }

  private mutating func field(_ name: StaticString, _ number: Int64) {
    self.name(name)
    self.bytes.append(contentsOf: String(number).utf8)
  }

  private mutating func field(_ name: StaticString, _ flag: Bool) {
    self.name(name)
    self.bytes.append(contentsOf: (flag ? "true" : "false").utf8)
  }

  private mutating func text(_ text: String) {
    self.bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        self.bytes.append(UInt8(ascii: "\\"))
        self.bytes.append(byte)
      case 0..<0x20:
        self.bytes.append(contentsOf: "\\u00".utf8)
        for half in [byte >> 4, byte & 15] { self.bytes.append(half < 10 ? 48 + half : 87 + half) }
      default: self.bytes.append(byte)
      }
    }
    self.bytes.append(UInt8(ascii: "\""))
  }
}
