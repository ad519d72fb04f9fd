// SPDX-License-Identifier: Apache-2.0

extension PartyRecord {
  /// The record as it shall read once the party uses its organisation's queues (*virksomhetskø*): its queue addresses become the
  /// organisation's, inherited; kinds that the organisation has none of are gone. Other addresses stay as they are.
  public func inheritingQueues(of organisation: PartyRecord) -> PartyRecord {
    let offered = organisation.addresses.filter { $0.queueKind != nil }
    var record = self
    record.addresses.removeAll { address in
      address.queueKind != nil && !offered.contains { $0.queueKind == address.queueKind }
    }
    for source in offered {
      let inherited = Address(typeCode: source.typeCode, text: source.text, inherited: true)
      if let index = record.addresses.firstIndex(where: { $0.queueKind == source.queueKind }) {
        record.addresses[index] = inherited
      } else {
        record.addresses.append(inherited)
      }
    }
    return record
  }

  /// The record as it shall read once the party has moved to `bus`: every queue address keeps its queue name, its
  /// place and its `inherited` flag, and takes the bus's first host and its path. Other addresses (E_EDI, E_DS...)
  /// stay as they are, byte for byte.
  ///
  /// - Throws: ``BusModelError`` `queueAddressMalformed` when a queue address of the entry is none,
  ///   `busWithoutHost` when the bus has no host to write.
  public func moved(to bus: Bus) throws(BusModelError) -> PartyRecord {
    var moved = self
    for index in moved.addresses.indices where moved.addresses[index].queueKind != nil {
      let present = try QueueAddress(text: moved.addresses[index].text)
      guard let address = bus.address(ofQueue: present.queue) else { throw .busWithoutHost(bus.name) }
      moved.addresses[index].text = address.description
    }
    return moved
  }
}
