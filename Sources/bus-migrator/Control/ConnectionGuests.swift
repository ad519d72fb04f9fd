// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import NIOCore

/// The connections that were let in.
final class ConnectionGuests: Sendable {
  private struct State {
    var room: ConnectionRoom
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isQuiescing = false
  }

  private let state: NIOLockedValueBox<State>

  init(_ room: ConnectionRoom) { self.state = NIOLockedValueBox(State(room: room)) }

  /// - Returns: whether there is room; then its place is kept until it closes.
  func arrived(_ channel: any Channel, _ guest: ConnectionGuest) -> Bool {
    let (isIn, isQuiescing) = self.state.withLockedValue { state in
      let isIn = state.room.arrived(guest)
      if isIn { state.channels[ObjectIdentifier(channel)] = channel }
      return (isIn, state.isQuiescing)
    }
    if isIn { channel.closeFuture.whenComplete { _ in self.left(channel, guest) } }
    if isIn, isQuiescing { Self.quiesce(channel) }
    return isIn
  }

  private func left(_ channel: any Channel, _ guest: ConnectionGuest) {
    self.state.withLockedValue { state in
      state.room.left(guest)
      state.channels[ObjectIdentifier(channel)] = nil
    }
  }

  /// Each ends once what was asked on it is answered.
  func quiesce() {
    let channels = self.state.withLockedValue { state in
      state.isQuiescing = true
      return state.channels.values
    }
    for channel in channels { Self.quiesce(channel) }
  }

  private static func quiesce(_ channel: any Channel) {
    channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
  }
}
