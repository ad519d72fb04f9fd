// SPDX-License-Identifier: Apache-2.0

internal import CProton
import NIOCore

/// One AMQP connection inside Proton's IO-less driver: bytes in, bytes out, events in between. Login and encryption are done
/// before and around it.
///
/// Not `Sendable`, on purpose: it is created, used and destroyed on one event loop (or one test's thread). It knows no
/// socket and no clock; the time comes in by ``tick(nowMilliseconds:)``. No Proton pointer leaves this folder.
package final class ProtonEngine {
  package struct Settings: Sendable {
    package var isServer = false
    package var containerID: String
    package var hostname: String?
    /// What we tell the peer is half of it (Proton's rule); 0 for none.
    package var idleTimeoutMilliseconds: UInt32 = 0
    package var maxFrameSize: UInt32 = 65_536
    package var maxMessageSize: Int = 64 << 20
    package var properties: AMQPMap = [:]
    /// Server role: a Detach is answered by one that does not close, as RabbitMQ 3 does it.
    package var detachesWithoutClosing = false

    package init(containerID: String) { self.containerID = containerID }
  }

  let driver: UnsafeMutablePointer<pn_connection_driver_t>
  let settings: Settings
  var sessions: [SessionID: OpaquePointer] = [:]
  /// Sessions that we have done with before the peer had answered their Begin.
  var endedBeforeBegun: Set<SessionID> = []
  var links: [LinkID: LinkState] = [:]
  var deliveries = OpenDeliveries()
  /// The one that was last spoken of: most events in a row are about one link.
  private var lastLink: LinkState?
  private var lastNumber = 0
  var failureReported = false
  /// The peer's end came where Proton does not see it.
  var isAborted = false
  var closeReported = false
  private let mark: LiveCount.Mark
  /// Sessions that are over, to be freed when all that was to be said has been written.
  private var over: [OpaquePointer] = []
  /// Links that are over and stay until their session is, because of what was never settled on them.
  var leftOver: [SessionID: Int] = [:]
  /// Server role: the client spoke of a link of this session that is no more.
  package var strayFlow: ((SessionID) -> Void)?

  /// Proton's link refers to it as long as ``links`` holds it.
  final class LinkState {
    let id: LinkID
    let pointer: OpaquePointer
    let session: SessionID
    let sessionPointer: OpaquePointer?
    let role: LinkRole
    /// Bytes of a message of which not all transfers have come.
    var partial: [UInt8] = []
    var oversized = false
    /// Whether its owner reads messages as they come.
    var streams = false

    init(_ id: LinkID, _ pointer: OpaquePointer, session: SessionID, sessionPointer: OpaquePointer?, role: LinkRole) {
      self.id = id
      self.pointer = pointer
      self.session = session
      self.sessionPointer = sessionPointer
      self.role = role
    }
  }

  package init(_ settings: Settings) {
    self.settings = settings
    self.mark = LiveCount.Mark(.engine, of: settings.containerID)
    self.driver = .allocate(capacity: 1)
    self.driver.initialize(to: pn_connection_driver_t())
    // Fails only when out of memory, where Swift itself would stop.
    let status = pn_connection_driver_init(self.driver, nil, nil)
    precondition(status == 0, "Proton could not allocate a connection")
    let transport = self.driver.pointee.transport
    let connection = self.driver.pointee.connection
    if settings.isServer { pn_transport_set_server(transport) }
    pn_transport_set_max_frame(transport, settings.maxFrameSize)
    pn_transport_set_idle_timeout(transport, settings.idleTimeoutMilliseconds)
    pn_connection_set_container(connection, settings.containerID)
    if let hostname = settings.hostname { pn_connection_set_hostname(connection, hostname) }
    if !settings.properties.isEmpty { write(settings.properties, to: pn_connection_properties(connection)) }
  }

  deinit {
    pn_connection_driver_destroy(self.driver)
    self.driver.deinitialize(count: 1)
    self.driver.deallocate()
  }

  // MARK: Bytes and time

  /// Takes in bytes from the peer. Events that follow from them are had by ``nextEvent()``.
  package func receive(_ bytes: inout ByteBuffer) {
    while bytes.readableBytes > 0 {
      var space = pn_connection_driver_read_buffer_sized(self.driver, bytes.readableBytes)
      // The sized form never grows a buffer that a partial frame has filled, and would return 0 for ever.
      if space.size == 0 { space = pn_connection_driver_read_buffer(self.driver) }
      guard space.size > 0, let start = space.start else {
        bytes.moveReaderIndex(forwardBy: bytes.readableBytes)
        return
      }
      let count = min(space.size, bytes.readableBytes)
      bytes.readWithUnsafeReadableBytes { source in
        if let base = source.baseAddress { UnsafeMutableRawPointer(start).copyMemory(from: base, byteCount: count) }
        return count
      }
      pn_connection_driver_read_done(self.driver, count)
    }
  }

  /// All bytes to be written now, appended to `buffer`.
  package func takeOutput(into buffer: inout ByteBuffer) {
    while true {
      let output = pn_connection_driver_write_buffer(self.driver)
      guard output.size > 0, let start = output.start else { return self.freeWhatIsOver() }
      buffer.writeBytes(UnsafeRawBufferPointer(start: start, count: output.size))
      // Always the whole of it: Proton moves what is left to the front of its buffer.
      _ = pn_connection_driver_write_done(self.driver, output.size)
    }
  }

  /// Proton settles what is unsettled on whatever is freed, and tells the peer so, without an outcome, as long as the session stands.
  /// Who reads that may take it for an outcome. Behind our End nothing is told.
  private func freeWhatIsOver() {
    for pointer in self.over { pn_session_free(pointer) }
    self.over = []
  }

  /// Frees a session whose End was handed over, as soon as that is written.
  func freeWhenWritten(_ session: OpaquePointer) { self.over.append(session) }

  /// Frees a link that is closed, or leaves it to its session.
  func free(_ link: OpaquePointer, of session: SessionID) {
    guard pn_link_unsettled(link) > 0 else { return pn_link_free(link) }
    self.leftOver[session, default: 0] += 1
    // Bytes that nobody has read count against the session's window. Those of one message can be dropped here.
    while pn_link_is_receiver(link), let delivery = pn_link_current(link), pn_delivery_pending(delivery) > 0 {
      var dropped = [CChar](repeating: 0, count: min(pn_delivery_pending(delivery), 64 << 10))
      guard pn_link_recv(link, &dropped, dropped.count) > 0 else { return }
    }
  }

  /// Whether the session should serve no more links: few that are over may stay on it.
  func isSpent(_ session: SessionID) -> Bool { self.leftOver[session, default: 0] >= 8 }

  /// The peer will send no more.
  package func readClosed() {
    pn_connection_driver_read_close(self.driver)
    // Proton finds the end only between frames: with the beginning of one in its buffer it would wait for the rest for ever.
    let isClosedByPeer = pn_connection_state(self.driver.pointee.connection) & PN_REMOTE_CLOSED != 0
    self.isAborted = !isClosedByPeer && !pn_condition_is_set(pn_transport_condition(self.driver.pointee.transport))
  }

  /// The socket takes no more.
  package func writeClosed() { pn_connection_driver_write_close(self.driver) }

  /// Whether Proton has nothing more to write, ever.
  package var isWriteClosed: Bool { pn_connection_driver_write_closed(self.driver) }

  /// Whether Proton expects nothing more from the peer: its Close has come, or its bytes have ended.
  package var isReadClosed: Bool { pn_connection_driver_read_closed(self.driver) }

  /// Tells Proton the time: sends a heartbeat or finds the peer silent, as due.
  ///
  /// - Returns: when to call again, on the same clock; nil for never.
  package func tick(nowMilliseconds now: Int64) -> Int64? {
    guard !pn_transport_closed(self.driver.pointee.transport) else { return nil }
    let next = pn_transport_tick(self.driver.pointee.transport, now)
    return next > 0 ? next : nil
  }

  // MARK: Connection and session

  package func openConnection() { pn_connection_open(self.driver.pointee.connection) }

  package func closeConnection(_ condition: AMQPCondition? = nil) {
    if let condition { set(condition, on: pn_connection_condition(self.driver.pointee.connection)) }
    pn_connection_close(self.driver.pointee.connection)
  }

  package func beginSession() -> SessionID {
    let pointer = pn_session(self.driver.pointee.connection)
    let id = SessionID(number: self.nextNumber())
    pn_session_set_context(pointer, context(id.number))
    self.sessions[id] = pointer
    pn_session_open(pointer)
    return id
  }

  /// Answers a session that the peer began.
  package func acceptSession(_ id: SessionID) {
    if let pointer = self.sessions[id] { pn_session_open(pointer) }
  }

  /// Ends the session, and forgets its links. The peer's End is still reported when it comes later.
  package func endSession(_ id: SessionID, _ condition: AMQPCondition? = nil) {
    guard let pointer = self.sessions[id] else { return }
    for (link, state) in self.links where state.session == id { self.forget(link) }
    if let condition { set(condition, on: pn_session_condition(pointer)) }
    // Its Begin is not answered yet. Proton forgets the channel with our End, and would take the peer's Begin, when it comes
    // after all, for a broken rule that costs the connection: so our End follows that Begin.
    guard Int32(bitPattern: UInt32(pn_session_state(pointer))) & PN_REMOTE_UNINIT == 0 else {
      self.endedBeforeBegun.insert(id)
      return
    }
    pn_session_close(pointer)
    if Int32(bitPattern: UInt32(pn_session_state(pointer))) & PN_REMOTE_CLOSED != 0 { self.release(id, pointer) }
  }

  /// Ends the session and keeps it until the peer answers, so that the answer is still reported.
  package func startEnd(_ id: SessionID) {
    if let pointer = self.sessions[id] { pn_session_close(pointer) }
  }

  // MARK: Links

  /// Attaches a link that sends to `target`, or receives from `source`.
  package func attach(
    _ role: LinkRole, session: SessionID, name: String, source: String?, target: String?, presettled: Bool = false,
    properties: AMQPMap = [:], streams: Bool = false, browses: Bool = false, isDynamic: Bool = false
  ) -> LinkID? {
    guard let sessionPointer = self.sessions[session],
      let pointer = role == .sender ? pn_sender(sessionPointer, name) : pn_receiver(sessionPointer, name)
    else { return nil }
    if let source { pn_terminus_set_address(pn_link_source(pointer), source) }
    if let target { pn_terminus_set_address(pn_link_target(pointer), target) }
    if browses { pn_terminus_set_distribution_mode(pn_link_source(pointer), PN_DIST_MODE_COPY) }
    if isDynamic { pn_terminus_set_dynamic(pn_link_source(pointer), true) }
    pn_link_set_snd_settle_mode(pointer, presettled ? PN_SND_SETTLED : PN_SND_UNSETTLED)
    pn_link_set_rcv_settle_mode(pointer, PN_RCV_FIRST)
    if role == .receiver { pn_link_set_max_message_size(pointer, UInt64(self.settings.maxMessageSize)) }
    if !properties.isEmpty { write(properties, to: pn_link_properties(pointer)) }
    // What the peer may send before any of it was read; told to it with the first credit. 0 stands for no bound.
    pn_session_set_incoming_capacity(sessionPointer, streams ? Int(self.settings.maxFrameSize) * 4 : 0)
    let id = self.register(pointer, session: session, role: role)
    self.links[id]?.streams = streams
    pn_link_open(pointer)
    return id
  }

  /// Detaches and closes the link, and forgets it.
  package func detach(_ id: LinkID, _ condition: AMQPCondition? = nil) {
    guard let link = self.links[id] else { return }
    if let condition { set(condition, on: pn_link_condition(link.pointer)) }
    pn_link_close(link.pointer)
    self.forget(id)
    self.free(link.pointer, of: link.session)
  }

  /// Detaches and keeps the link until the peer answers, so that the answer is still reported.
  package func startDetach(_ id: LinkID) {
    if let pointer = self.links[id]?.pointer { pn_link_close(pointer) }
  }

  /// Grants the peer `credit` more messages on a receiving link.
  package func grant(_ credit: Int, on id: LinkID) {
    if let pointer = self.links[id]?.pointer { pn_link_flow(pointer, Int32(clamping: credit)) }
  }

  /// Takes credit back that was granted and not used. Proton writes the flow before dispositions and Detach, so that the peer
  /// has no credit left when it reads what is given back.
  package func withdraw(_ credit: Int, from id: LinkID) {
    if let pointer = self.links[id]?.pointer { pn_link_flow(pointer, -Int32(clamping: credit)) }
  }

  /// Asks the peer to use up its credit or give it back (spec 2.6.7).
  package func drain(_ id: LinkID) {
    if let pointer = self.links[id]?.pointer { pn_link_drain(pointer, 0) }
  }

  /// On a sending link: gives unused credit back, as the peer's drain asked.
  package func drained(_ id: LinkID) {
    if let pointer = self.links[id]?.pointer { _ = pn_link_drained(pointer) }
  }

  /// The credit of a sending link.
  package func credit(of id: LinkID) -> Int { self.links[id].map(self.credit) ?? 0 }

  func credit(of link: LinkState) -> Int { Int(pn_link_credit(link.pointer)) }

  /// Bytes that the link's session has taken and not yet written out.
  package func outgoingBytes(of id: LinkID) -> Int { self.links[id].map(self.outgoingBytes) ?? 0 }

  func outgoingBytes(of link: LinkState) -> Int { link.sessionPointer.map { pn_session_outgoing_bytes($0) } ?? 0 }

  // MARK: Deliveries

  /// Settles a delivery without an outcome of our own: the sender's last word after the peer's outcome.
  package func settle(_ id: DeliveryID) {
    if let pointer = self.deliveries.close(id) { pn_delivery_settle(pointer) }
  }

  /// States an outcome for a received delivery and settles it.
  ///
  /// - Returns: whether the delivery was still there to be settled.
  @discardableResult
  package func settle(_ id: DeliveryID, _ disposition: AMQPDisposition) -> Bool {
    guard let pointer = self.deliveries.close(id) else { return false }
    self.state(disposition, on: pointer)
    pn_delivery_settle(pointer)
    return true
  }

  /// States an outcome for a received delivery without settling it (server role: the sender settles).
  package func update(_ id: DeliveryID, _ disposition: AMQPDisposition) {
    if let pointer = self.deliveries[id] { self.state(disposition, on: pointer) }
  }

  private func state(_ disposition: AMQPDisposition, on delivery: OpaquePointer) {
    let local = pn_delivery_local(delivery)
    switch disposition {
    case .accepted: pn_delivery_update(delivery, UInt64(PN_ACCEPTED))
    case .released: pn_delivery_update(delivery, UInt64(PN_RELEASED))
    case .rejected(let condition):
      if let condition { set(condition, on: pn_disposition_condition(local)) }
      pn_delivery_update(delivery, UInt64(PN_REJECTED))
    case .modified(let failed, let undeliverable, let annotations):
      pn_disposition_set_failed(local, failed)
      pn_disposition_set_undeliverable(local, undeliverable)
      if !annotations.isEmpty { write(annotations, to: pn_disposition_annotations(local)) }
      pn_delivery_update(delivery, UInt64(PN_MODIFIED))
    }
  }

  // MARK: Numbers and pointers

  func nextNumber() -> Int {
    self.lastNumber += 1
    return self.lastNumber
  }

  func register(_ pointer: OpaquePointer, session: SessionID, role: LinkRole) -> LinkID {
    let id = LinkID(number: self.nextNumber())
    let state = LinkState(id, pointer, session: session, sessionPointer: self.sessions[session], role: role)
    pn_link_set_context(pointer, Unmanaged.passUnretained(state).toOpaque())
    self.links[id] = state
    return id
  }

  func forget(_ id: LinkID) {
    guard let state = self.links.removeValue(forKey: id) else { return }
    if self.lastLink === state { self.lastLink = nil }
    self.deliveries.closeAll { pn_delivery_link($0) == state.pointer }
    pn_link_set_context(state.pointer, nil)
  }

  func sessionID(_ pointer: OpaquePointer) -> SessionID? {
    let id = SessionID(number: number(pn_session_get_context(pointer)))
    return self.sessions[id] == nil ? nil : id
  }

  /// Nil once it is forgotten.
  func link(_ pointer: OpaquePointer) -> LinkState? {
    if let lastLink, lastLink.pointer == pointer { return lastLink }
    let link = pn_link_get_context(pointer).map { Unmanaged<LinkState>.fromOpaque($0).takeUnretainedValue() }
    self.lastLink = link
    return link
  }

  func linkID(_ pointer: OpaquePointer) -> LinkID? { self.link(pointer)?.id }

  func deliveryID(_ pointer: OpaquePointer) -> DeliveryID? {
    self.deliveries.id(at: number(pn_delivery_get_context(pointer)) - 1, of: pointer)
  }
}
