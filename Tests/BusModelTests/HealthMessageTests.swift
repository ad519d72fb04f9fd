// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Foundation
import Testing

@Suite("The message form, its time, and what is never printed")
struct HealthMessageTests {
  @Test(
    "times",
    arguments: [
      (Int64(0), "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (951_868_799, "2000-02-29T23:59:59Z"),
      (1_709_164_800, "2024-02-29T00:00:00Z"), (1_735_689_599, "2024-12-31T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
      (-1, "1969-12-31T23:59:59Z"), (-86_400, "1969-12-31T00:00:00Z"), (-2_203_891_200, "1900-03-01T00:00:00Z"),
      (253_402_300_799, "9999-12-31T23:59:59Z"),
    ])
  func times(_ seconds: Int64, _ text: String) {
    #expect(MessageTimestamp(secondsSinceEpoch: seconds).description == text)
  }

  @Test("every day from 1900 to 2200 is the calendar's")
  func calendar() throws {
    let formatter = ISO8601DateFormatter()
    formatter.formatOptions = [.withInternetDateTime]
    for day in stride(from: Int64(-25_567), to: 84_005, by: 1) {
      let seconds = day * 86_400 + 43_261
      let expected = formatter.string(from: Date(timeIntervalSince1970: Double(seconds)))
      let text = MessageTimestamp(secondsSinceEpoch: seconds).description
      if text != expected {
        Issue.record("\(text) instead of \(expected)")
        return
      }
    }
  }

  @Test("the description holds no byte of the body and no property")
  func description() throws {
    let message = HealthMessage(
      messageID: "m-1", from: try HerID(text: "1"), to: try HerID(text: "2"), subject: "APPREC",
      timestamp: MessageTimestamp(secondsSinceEpoch: 0), properties: ["X-Name": "Kari Nordmann"],
      body: Array("Kari Nordmann er syk".utf8))
    for text in ["\(message)", String(describing: message)] {
      #expect(text == "message m-1 APPREC from 1 to 2, 20 bytes")
    }
    #expect(message.contentType == "text/plain")
  }

  @Test("property names in their exact case")
  func names() {
    #expect(HealthMessage.PropertyName.from == "fromHerId")
    #expect(HealthMessage.PropertyName.to == "toHerId")
    #expect(HealthMessage.PropertyName.timestamp == "applicationTimeStamp")
    #expect(HealthMessage.PropertyName.cpaID == "cpaId")
    #expect(HealthMessage.PropertyName.enqueued == "enqueuedTimeUtc")
  }

  @Test("every error of the vocabulary has a code of its own and says all five things")
  func errors() {
    let errors: [BusModelError] = [
      .herIDMalformed("x"), .queueAddressMalformed("y"), .messageFieldMissing(["subject"]), .busWithoutHost("b"),
    ]
    #expect(errors.map(\.stableCode) == ["BUS-001", "BUS-002", "BUS-003", "BUS-004"])
    for error in errors {
      let e = error.explanation
      #expect([e.tried, e.seen, e.meaning, e.next].allSatisfy { !$0.isEmpty })
      #expect(error.description.hasPrefix("[\(error.stableCode)]"))
    }
  }
}
