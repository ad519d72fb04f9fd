// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Testing

@Suite("A route is read from the register's address, and never guessed")
struct RouteDecisionTests {
  private func decide(
    _ record: PartyRecord, _ kind: QueueKind = .asynchronous, buses: [Bus] = bothBuses
  ) throws -> RouteDecision {
    try RouteDecision.decide(
      RegistryEntry(record: record, source: .soap, readAt: start, version: 3), kind: kind, buses: buses,
      now: start.advanced(by: .seconds(90)))
  }

  @Test("the host names the bus, the address the queue, the entry the age")
  func plain() throws {
    let decision = try self.decide(party(93_238))
    #expect(decision.bus == serviceBus)
    #expect(decision.address == QueueAddress(host: "sb.test.nhn.no", path: "DigitalDialog", queue: "93238_async"))
    #expect(decision.origin == .own)
    #expect(decision.age == .seconds(90))
    #expect(decision.entry.version == 3)
    #expect(try self.decide(party(5, addresses: queues(of: 5, host: "TB.test.nhn.no"))).bus == tjenestebuss)
    #expect(try self.decide(party(5), .synchronous).address.queue == "5_sync")
    #expect(try self.decide(party(5), .error).address.queue == "5_error")
  }

  @Test("the path does not decide: one bus has had several")
  func path() throws {
    let decision = try self.decide(party(5, addresses: queues(of: 5, path: "NHNTESTServiceBus")))
    #expect(decision.bus == serviceBus)
    #expect(decision.address.path == "NHNTESTServiceBus")
  }

  @Test("an inherited queue is the organisation's, named by the register and not by the HER-ID")
  func inherited() throws {
    let decision = try self.decide(family()[1])
    #expect(decision.origin == .inherited(from: her(100)))
    #expect(decision.address.queue == "100_async")
    let orphan = party(9, addresses: queues(of: 8, inherited: true))
    #expect(try self.decide(orphan).origin == .inheritedFromUnnamed)
  }

  @Test("an organisation is not a valid communication party in the register, and has queues all the same")
  func notValid() throws {
    #expect(try self.decide(family()[0]).address.queue == "100_async")
  }

  @Test("what is missing, malformed, doubled, foreign or switched off is an error of its own")
  func errors() {
    #expect(throws: AddressRegistryError.partyNotActive(her(1))) { try self.decide(party(1, active: false)) }
    #expect(throws: AddressRegistryError.addressMissing(her(1), .asynchronous)) {
      try self.decide(party(1, addresses: Array(queues(of: 1).dropFirst())))
    }
    #expect(throws: AddressRegistryError.kindNotInRegister(.synchronousReply)) { try self.decide(party(1), .synchronousReply) }
    #expect(throws: AddressRegistryError.kindNotInRegister(.deadLetter)) { try self.decide(party(1), .deadLetter) }
    let foreign = party(1, addresses: queues(of: 1, host: "mq.example.no"))
    #expect(
      throws: AddressRegistryError.addressOnNoBus(
        her(1), .asynchronous, QueueAddress(host: "mq.example.no", path: "DigitalDialog", queue: "1_async"),
        configured: ["servicebus", "tjenestebuss"])
    ) { try self.decide(foreign) }
    var broken = party(1)
    broken.addresses[0].text = "1_async"
    #expect(throws: AddressRegistryError.addressMalformed(her(1), .asynchronous, text: "1_async")) { try self.decide(broken) }
  }

  @Test("a party that speaks something else than AMQP is told from one that lacks an address")
  func otherTransport() {
    let edi = PartyRecord.Address(typeCode: "E_EDI", text: "post@edi.example.no", inherited: false)
    let certificate = PartyRecord.Address(typeCode: "E_DS", text: "ldap://cert.example.no", inherited: false)
    let odd = PartyRecord.Address(typeCode: "E_NEW", text: "x", inherited: false)
    #expect(throws: AddressRegistryError.otherTransport(her(1), .asynchronous, typeCodes: ["E_EDI", "E_NEW"])) {
      try self.decide(party(1, addresses: [edi, certificate, odd, edi]))
    }
    // A certificate is no way to anybody, and one queue of three is a fault in the entry, not another transport.
    for addresses in [[certificate], [], [edi] + queues(of: 1).dropFirst()] {
      #expect(throws: AddressRegistryError.addressMissing(her(1), .asynchronous)) {
        try self.decide(party(1, addresses: addresses))
      }
    }
    let text = "\(AddressRegistryError.otherTransport(her(1), .asynchronous, typeCodes: ["E_EDI"]))"
    #expect(text.contains("[AR-210]") && text.contains("E_EDI (EDI by mail)"))
  }

  @Test("two different addresses of one kind are not chosen between; the same one twice is one")
  func doubled() throws {
    var record = party(1)
    record.addresses.append(record.addresses[0])
    #expect(try self.decide(record).address.queue == "1_async")
    record.addresses.append(queues(of: 1, host: "tb.test.nhn.no")[0])
    #expect(
      throws: AddressRegistryError.addressAmbiguous(
        her(1), .asynchronous,
        texts: [
          "sb.test.nhn.no/DigitalDialog/1_async", "sb.test.nhn.no/DigitalDialog/1_async", "tb.test.nhn.no/DigitalDialog/1_async",
        ])
    ) { try self.decide(record) }
  }

  @Test("a host that two buses claim is not chosen between")
  func claimedTwice() {
    var other = tjenestebuss
    other.hosts.append("sb.test.nhn.no")
    #expect(
      throws: AddressRegistryError.addressOnSeveralBuses(
        her(1), .asynchronous, QueueAddress(host: "sb.test.nhn.no", path: "DigitalDialog", queue: "1_async"),
        ["servicebus", "tjenestebuss"])
    ) { try self.decide(party(1), buses: [serviceBus, other]) }
  }
}
