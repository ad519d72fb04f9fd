// SPDX-License-Identifier: Apache-2.0

import Logging
import Migration
import Testing

@testable import bus_migrator

@Suite("Figures and journal fields")
struct MetricsPageTests {
  @Test("labels are escaped, whole numbers are whole, and a figure without samples is left out")
  func form() {
    var page = MetricsPage()
    page.add("nothing", .gauge, "Nothing.", [])
    page.add("groups", .gauge, "Groups.", [([("pulje", "a\"b\\c\nd")], 3), ([("pulje", "x")], 0.5)])
    #expect(
      page.text == """
        # HELP bus_migrator_groups Groups.
        # TYPE bus_migrator_groups gauge
        bus_migrator_groups{pulje="a\\"b\\\\c\\nd"} 3
        bus_migrator_groups{pulje="x"} 0.5

        """)
  }

  @Test("a journal entry: fields by name, a line's end with its length before it, the same id for the same kind")
  func journal() {
    let entry = JournalEntry(
      level: .error, message: "two\nlines",
      metadata: ["kind": "group.held", "pulje": "p7", "phase-before": "READY", "her-id": "200", "1x": "y"],
      identifier: "bus-migrator")
    let fields = Dictionary(entry.fields.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    #expect(fields["PRIORITY"] == "3")
    #expect(fields["PULJE"] == "p7" && fields["STATE_FROM"] == "READY" && fields["HERID"] == "200" && fields["X1X"] == "y")
    #expect(fields["MESSAGE_ID"] == JournalEntry.messageID(kind: "group.held"))
    #expect(fields["MESSAGE_ID"]?.count == 32)
    let text = Array("MESSAGE\n".utf8) + [9, 0, 0, 0, 0, 0, 0, 0] + Array("two\nlines\nPRIORITY=3\n".utf8)
    #expect(Array(entry.bytes.prefix(text.count)) == text)
  }

  @Test("a field that is too long is cut: a datagram that is too long would be lost whole")
  func long() {
    let entry = JournalEntry(
      level: .info, message: String(repeating: "x", count: 100_000), metadata: [:], identifier: "bus-migrator")
    #expect(entry.bytes.count < 9_000)
  }
}
