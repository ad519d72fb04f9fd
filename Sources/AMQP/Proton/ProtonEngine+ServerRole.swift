// SPDX-License-Identifier: Apache-2.0

internal import CProton

/// How a server answers an Attach that it grants.
package struct ServerLinkAnswer: Sendable {
  package enum DistributionMode: Sendable { case echoed, move }

  /// In bytes; 0 for none stated.
  package var maximumMessageSize: UInt64 = 0
  /// What stands in the source, when the client receives.
  package var distributionMode = DistributionMode.echoed
  /// Whether the client's own terminus is left out: RabbitMQ answers a receiver with a null target.
  package var omitsClientTerminus = false
  /// The address of the node that was made for the client, when it asked for one.
  package var dynamicAddress: String?

  package init() {}
}

extension ProtonEngine {
  /// What our Open is to say, where that depends on the peer's.
  package func announce(maximumFrameSize: UInt32? = nil, channelMax: UInt16? = nil) {
    let transport = self.driver.pointee.transport
    if let maximumFrameSize { pn_transport_set_max_frame(transport, maximumFrameSize) }
    if let channelMax { _ = pn_transport_set_channel_max(transport, channelMax) }
  }

  /// Takes frames of any size, whatever our Open said.
  package func toleratesLargeFrames() { pn_transport_set_max_frame(self.driver.pointee.transport, 0) }

  /// The highest channel that the peer's Open allows.
  package var remoteChannelMax: UInt16 { pn_transport_remote_channel_max(self.driver.pointee.transport) }

  /// Answers a peer's attach with its own termini.
  package func acceptLink(_ id: LinkID, _ answer: ServerLinkAnswer = ServerLinkAnswer()) {
    guard let link = self.links[id] else { return }
    let pointer = link.pointer
    self.copyTermini(pointer)
    if link.role == .sender {
      if answer.omitsClientTerminus { pn_terminus_set_type(pn_link_target(pointer), PN_UNSPECIFIED) }
      if let address = answer.dynamicAddress { pn_terminus_set_address(pn_link_source(pointer), address) }
      if answer.distributionMode == .move { pn_terminus_set_distribution_mode(pn_link_source(pointer), PN_DIST_MODE_MOVE) }
    }
    if answer.maximumMessageSize > 0 { pn_link_set_max_message_size(pointer, answer.maximumMessageSize) }
    pn_link_open(pointer)
  }

  /// Answers a peer's attach with our terminus null, then detaches with `condition`: how a link is refused (spec 2.6.3).
  package func refuseLink(_ id: LinkID, _ condition: AMQPCondition) {
    guard let link = self.links[id] else { return }
    self.copyTermini(link.pointer)
    let ours = link.role == .sender ? pn_link_source(link.pointer) : pn_link_target(link.pointer)
    pn_terminus_set_type(ours, PN_UNSPECIFIED)
    pn_link_open(link.pointer)
    self.detach(id, condition)
  }

  private func copyTermini(_ pointer: OpaquePointer) {
    pn_terminus_copy(pn_link_source(pointer), pn_link_remote_source(pointer))
    pn_terminus_copy(pn_link_target(pointer), pn_link_remote_target(pointer))
    pn_link_set_snd_settle_mode(pointer, pn_link_remote_snd_settle_mode(pointer))
    pn_link_set_rcv_settle_mode(pointer, pn_link_remote_rcv_settle_mode(pointer))
  }

  /// Answers the peer's Detach without closing.
  func detachWithoutClosing(_ id: LinkID) {
    guard let link = self.links[id] else { return }
    pn_link_detach(link.pointer)
    self.forget(id)
    self.free(link.pointer, of: link.session)
  }

  /// The annotations that the peer's `modified` brings.
  package func remoteAnnotations(of id: DeliveryID) -> AMQPMap {
    self.deliveries[id].map { map(pn_disposition_annotations(pn_delivery_remote($0))) } ?? [:]
  }
}
