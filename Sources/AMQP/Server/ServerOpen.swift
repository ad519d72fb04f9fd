// SPDX-License-Identifier: Apache-2.0

/// What the client's Open says, before it is answered. As it stands on the wire: Proton would mend some of it.
package struct ServerOpen: Sendable, Equatable {
  package var maximumFrameSize: UInt32?
  package var channelMax: UInt16?
  package var idleTimeoutMilliseconds: UInt32?
  package var hostname: String?

  init(_ fields: [AMQPValue]) {
    if fields.count > 1 { self.hostname = fields[1].text }
    if fields.count > 2, case .uint(let size) = fields[2] { self.maximumFrameSize = size }
    if fields.count > 3, case .ushort(let channel) = fields[3] { self.channelMax = channel }
    if fields.count > 4, case .uint(let milliseconds) = fields[4] { self.idleTimeoutMilliseconds = milliseconds }
  }
}

/// What a server says to an Open.
package enum ServerOpenVerdict: Sendable, Equatable {
  case answered
  /// Nothing is answered, ever: whoever decided so cuts the connection.
  case ignored
}
