// SPDX-License-Identifier: Apache-2.0

internal import CProton

/// What Proton reports, turned into ``EngineEvent``s.
extension ProtonEngine {
  /// The next thing that happened; nil when there is nothing more for now.
  package func nextEvent() -> EngineEvent? {
    while let event = pn_connection_driver_next_event(self.driver) {
      if let value = self.value(of: event) { return value }
    }
    guard self.isAborted, !self.failureReported else { return nil }
    self.failureReported = true
    pn_connection_driver_write_close(self.driver)
    return .transportFailed(AMQPCondition(AMQPCondition.framingError, text: "connection aborted in the middle of a frame"))
  }

  private func value(of event: OpaquePointer) -> EngineEvent? {
    switch pn_event_type(event) {
    case PN_CONNECTION_REMOTE_OPEN: return .remoteOpened(self.peerOpen())
    case PN_CONNECTION_REMOTE_CLOSE:
      return .remoteClosed(condition(pn_connection_remote_condition(pn_event_connection(event))))
    case PN_SESSION_REMOTE_OPEN: return self.sessionBegun(pn_event_session(event))
    case PN_SESSION_REMOTE_CLOSE: return self.sessionEnded(pn_event_session(event))
    case PN_LINK_REMOTE_OPEN: return self.linkAttached(pn_event_link(event))
    case PN_LINK_REMOTE_CLOSE: return self.linkDetached(pn_event_link(event), closed: true)
    case PN_LINK_REMOTE_DETACH: return self.linkDetached(pn_event_link(event), closed: false)
    case PN_LINK_FLOW: return self.flow(pn_event_link(event))
    case PN_DELIVERY: return self.delivery(pn_event_delivery(event))
    case PN_TRANSPORT_ERROR: return self.transportFailed(pn_event_transport(event))
    case PN_TRANSPORT_CLOSED:
      guard !self.closeReported else { return nil }
      self.closeReported = true
      return .transportClosed
    default: return nil
    }
  }

  private func peerOpen() -> PeerOpen {
    let connection = self.driver.pointee.connection
    let transport = self.driver.pointee.transport
    return PeerOpen(
      containerID: text(pn_connection_remote_container(connection)) ?? "",
      hostname: text(pn_connection_remote_hostname(connection)),
      properties: map(pn_connection_remote_properties(connection)),
      idleTimeoutMilliseconds: pn_transport_get_remote_idle_timeout(transport),
      maxFrameSize: pn_transport_get_remote_max_frame(transport),
      channelMax: pn_transport_remote_channel_max(transport))
  }

  private func sessionBegun(_ pointer: OpaquePointer?) -> EngineEvent? {
    guard let pointer else { return nil }
    if let known = self.sessionID(pointer) {
      if self.endedBeforeBegun.remove(known) != nil { pn_session_close(pointer) }
      return nil
    }
    let id = SessionID(number: self.nextNumber())
    pn_session_set_context(pointer, context(id.number))
    self.sessions[id] = pointer
    return .sessionBegunByPeer(id)
  }

  private func sessionEnded(_ pointer: OpaquePointer?) -> EngineEvent? {
    guard let pointer, let id = self.sessionID(pointer) else { return nil }
    let reason = condition(pn_session_remote_condition(pointer))
    for (link, state) in self.links where state.session == id { self.forget(link) }
    // Whoever owns the engine answers an End that the peer began, by ``endSession(_:_:)``.
    if Int32(bitPattern: UInt32(pn_session_state(pointer))) & PN_LOCAL_CLOSED != 0 { self.release(id, pointer) }
    return .sessionEndedByPeer(id, reason)
  }

  func release(_ id: SessionID, _ pointer: OpaquePointer) {
    self.endedBeforeBegun.remove(id)
    self.sessions[id] = nil
    self.leftOver[id] = nil
    self.freeWhenWritten(pointer)
  }

  private func linkAttached(_ pointer: OpaquePointer?) -> EngineEvent? {
    guard let pointer else { return nil }
    let source = pn_link_remote_source(pointer)
    let target = pn_link_remote_target(pointer)
    let attach = PeerAttach(
      name: text(pn_link_name(pointer)) ?? "", source: text(pn_terminus_get_address(source)),
      target: text(pn_terminus_get_address(target)), hasSource: pn_terminus_get_type(source) != PN_UNSPECIFIED,
      hasTarget: pn_terminus_get_type(target) != PN_UNSPECIFIED, maxMessageSize: pn_link_remote_max_message_size(pointer),
      properties: map(pn_link_remote_properties(pointer)),
      senderSettles: pn_link_remote_snd_settle_mode(pointer) == PN_SND_SETTLED,
      settlesSecond: pn_link_remote_rcv_settle_mode(pointer) == PN_RCV_SECOND,
      browses: pn_terminus_get_distribution_mode(source) == PN_DIST_MODE_COPY,
      isDynamic: pn_terminus_is_dynamic(source) || pn_terminus_is_dynamic(target),
      isCoordinator: pn_terminus_get_type(target) == PN_COORDINATOR)
    if let id = self.linkID(pointer) { return .linkAttachAnswered(id, attach) }
    guard let session = pn_link_session(pointer).flatMap(self.sessionID) else { return nil }
    let role: LinkRole = pn_link_is_sender(pointer) ? .sender : .receiver
    return .linkAttachedByPeer(self.register(pointer, session: session, role: role), session, role, attach)
  }

  private func linkDetached(_ pointer: OpaquePointer?, closed: Bool) -> EngineEvent? {
    guard let pointer, let id = self.linkID(pointer) else { return nil }
    let reason = condition(pn_link_remote_condition(pointer))
    if self.settings.detachesWithoutClosing { self.detachWithoutClosing(id) } else { self.detach(id) }
    return .linkDetachedByPeer(id, reason, closed: closed)
  }

  private func flow(_ pointer: OpaquePointer?) -> EngineEvent? {
    guard let pointer else { return nil }
    guard let id = self.linkID(pointer) else {
      if let session = pn_link_session(pointer).flatMap(self.sessionID) { self.strayFlow?(session) }
      return nil
    }
    guard let role = self.links[id]?.role else { return nil }
    if role == .receiver {
      let returned = Int(pn_link_drained(pointer))
      return returned > 0 ? .creditReturned(id, returned) : nil
    }
    return .creditChanged(id, credit: Int(pn_link_credit(pointer)), drain: pn_link_get_drain(pointer))
  }

  private func delivery(_ pointer: OpaquePointer?) -> EngineEvent? {
    guard let pointer, let linkPointer = pn_delivery_link(pointer), let link = self.link(linkPointer) else { return nil }
    if link.role == .receiver, pn_link_current(linkPointer) == pointer {
      if link.streams { return .bodyArrived(link.id) }
      // Read to its end it would not be the current one any more.
      return self.incoming(pointer, link)
    }
    guard let id = self.deliveryID(pointer), pn_delivery_updated(pointer) else { return nil }
    pn_delivery_clear(pointer)
    let settled = pn_delivery_settled(pointer)
    let outcome = self.remoteOutcome(pointer)
    guard outcome != nil || settled else { return nil }
    return .dispositionReceived(link.id, id, outcome, settled: settled)
  }

  /// Reads bytes as they come, so that no message has to fit into a buffer of Proton's.
  private func incoming(_ pointer: OpaquePointer, _ link: LinkState) -> EngineEvent? {
    if pn_delivery_aborted(pointer) {
      link.partial = []
      link.oversized = false
      pn_delivery_settle(pointer)
      return nil
    }
    self.readPending(pointer, link)
    guard !pn_delivery_partial(pointer) else { return nil }
    let payload = link.partial
    let oversized = link.oversized
    link.partial = []
    link.oversized = false
    let number = self.nextNumber()
    let settled = pn_delivery_settled(pointer)
    let tag = Self.tag(of: pointer)
    pn_link_advance(link.pointer)
    let id: DeliveryID
    if settled {
      pn_delivery_settle(pointer)
      id = DeliveryID(number: number, place: -1)
    } else {
      id = self.open(pointer, number)
      pn_delivery_clear(pointer)
    }
    guard !oversized else {
      self.settle(id, .rejected(AMQPCondition(AMQPCondition.messageSizeExceeded)))
      return .oversized(link.id, id)
    }
    return .delivered(link.id, IncomingTransfer(delivery: id, payload: payload, settled: settled, tag: tag))
  }

  static func tag(of pointer: OpaquePointer) -> AMQPDeliveryTag {
    let tag = pn_delivery_tag(pointer)
    return AMQPDeliveryTag(UnsafeRawBufferPointer(start: tag.start, count: tag.start == nil ? 0 : tag.size))
  }

  private func readPending(_ pointer: OpaquePointer, _ link: LinkState) {
    let pending = pn_delivery_pending(pointer)
    guard pending > 0 else { return }
    let piece = [UInt8](unsafeUninitializedCapacity: pending) { buffer, count in
      count = UnsafeMutableRawBufferPointer(buffer).withMemoryRebound(to: CChar.self) {
        max(0, pn_link_recv(link.pointer, $0.baseAddress, pending))
      }
    }
    if link.partial.isEmpty { link.partial = piece } else { link.partial += piece }
    if link.oversized || link.partial.count > self.settings.maxMessageSize {
      link.oversized = true
      link.partial = []
    }
  }

  private func remoteOutcome(_ pointer: OpaquePointer) -> AMQPOutcome? {
    let remote = pn_delivery_remote(pointer)
    switch pn_delivery_remote_state(pointer) {
    case UInt64(PN_ACCEPTED): return .accepted
    case UInt64(PN_REJECTED): return .rejected(condition(pn_disposition_condition(remote)))
    case UInt64(PN_RELEASED): return .released
    case UInt64(PN_MODIFIED):
      return .modified(
        deliveryFailed: pn_disposition_is_failed(remote), undeliverableHere: pn_disposition_is_undeliverable(remote))
    default: return nil
    }
  }

  private func transportFailed(_ transport: OpaquePointer?) -> EngineEvent? {
    guard !self.failureReported else { return nil }
    self.failureReported = true
    return .transportFailed(condition(pn_transport_condition(transport)) ?? AMQPCondition(AMQPCondition.framingError))
  }
}
