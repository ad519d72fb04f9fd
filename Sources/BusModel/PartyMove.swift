// SPDX-License-Identifier: Apache-2.0

extension PartyRecord {
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
