// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where the registry has the time from. Tests hand in their own.
public protocol RegistryClock: Sendable {
  /// The time by the wall clock: it can jump when the machine's clock is set.
  var now: RegistryInstant { get }
}

/// The machine's wall clock.
public struct SystemRegistryClock: RegistryClock {
  public init() {}

  public var now: RegistryInstant {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return RegistryInstant(millisecondsSinceEpoch: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
  }
}
