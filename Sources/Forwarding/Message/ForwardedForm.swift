// SPDX-License-Identifier: Apache-2.0

/// The form in which a message is sent on: a new header, then the bare message as it came.
package enum ForwardedForm {
  /// Durable, nothing else said: what nearly all messages need.
  package static let plainHeader: [UInt8] = [0x00, 0x53, 0x70, 0xc0, 0x02, 0x01, 0x41]

  /// - Parameter timeToLive: what is left of it, in milliseconds.
  package static func header(priority: UInt8?, timeToLive: UInt32?) -> [UInt8] {
    guard priority != nil || timeToLive != nil else { return self.plainHeader }
    var fields: [UInt8] = [0x41]
    if let priority { fields += [0x50, priority] } else { fields.append(0x40) }
    if let timeToLive {
      fields.append(0x70)
      withUnsafeBytes(of: timeToLive.bigEndian) { fields += Array($0) }
    }
    return [0x00, 0x53, 0x70, 0xc0, UInt8(fields.count + 1), timeToLive == nil ? 2 : 3] + fields
  }

  /// The message with its user-id made null. Every other byte of the bare message stays; only the size that the list of properties
  /// states is less by as much.
  package static func withoutUserID(_ payload: [UInt8], _ place: StrandedMessage.UserIDPlace) -> [UInt8] {
    let removed = place.value.count - 1
    var bytes = payload
    if place.width == 1 {
      bytes[place.size] -= UInt8(removed)
    } else {
      let size = (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[place.size + $1]) } - UInt32(removed)
      withUnsafeBytes(of: size.bigEndian) { bytes.replaceSubrange(place.size..<place.size + 4, with: $0) }
    }
    bytes.replaceSubrange(place.value, with: CollectionOfOne(0x40))
    return bytes
  }

  /// How long a message may still live.
  package enum Age: Equatable, Sendable {
    /// It has no end.
    case unlimited
    case left(UInt32)
    case expired
    /// It has a time to live, and nobody knows when it began.
    case unknown(UInt32)
  }

  /// - Parameter now: in milliseconds since 1970.
  package static func age(of message: StrandedMessage, at now: Int64) -> Age {
    if let expiry = message.absoluteExpiryTime, expiry > 0, expiry <= now { return .expired }
    guard let whole = message.timeToLive else { return .unlimited }
    if let enqueued = message.enqueuedTime ?? message.enqueuedTimeUTC {
      // A clock ahead of ours gives nobody more than the whole; a time from before all clocks is as old as can be.
      let (elapsed, isTooLong) = now.subtractingReportingOverflow(enqueued)
      let left = isTooLong ? (enqueued < now ? 0 : Int64(whole)) : Int64(whole) - min(max(0, elapsed), Int64(whole))
      return left <= 0 ? .expired : .left(UInt32(left))
    }
    if let expiry = message.absoluteExpiryTime, expiry > now { return .left(UInt32(clamping: min(Int64(whole), expiry - now))) }
    return .unknown(whole)
  }
}
