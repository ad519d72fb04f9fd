// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Sees to it that no party is pinged too often, whoever asks: one ping per HER-ID in 10 s, 20 at once, over all processes of this
/// machine that share a folder.
///
/// The folder holds one file with the last pings and one lock file for each ping that may be under way. A process that dies gives
/// both back. Where the folder cannot be written, nothing is let go, and the refusal says so.
public struct PingRation: Sendable {
  /// Why a ping may not go.
  public enum Refusal: Error, Sendable, Hashable {
    /// The party was pinged a moment ago, by whomever: it may be again after so long.
    case pingedLately(after: Duration)
    /// As many pings are under way as may be.
    case tooManyAtOnce(Int)
    /// The folder or a file in it cannot be used.
    case stateUnusable(path: String, why: String)

    var value: ProbeValue {
      switch self {
      case .pingedLately(let after):
        .words([
          .term(.pingedLately),
          .number((after.components.seconds * 1_000) + after.components.attoseconds / 1_000_000_000_000_000), "ms",
        ])
      case .tooManyAtOnce(let count): .words([.number(count), .term(.pingsUnderWay)])
      case .stateUnusable(let path, let why): .words([.term(.stateUnusable), .text("\(path) (\(why))")])
      }
    }
  }

  /// Leave for one ping. It must be ended when the ping is over.
  public final class Permit: Sendable {
    private let descriptor: CInt
    init(_ descriptor: CInt) { self.descriptor = descriptor }
    // The lock goes with the last descriptor: a permit that is let go cannot leave one behind.
    deinit { close(self.descriptor) }
  }

  public let place: PingRationPlace
  public var folder: String { self.place.folder }
  private let rules: PingRationRules
  private let atOnce: Int
  private let now: @Sendable () -> Int64
  /// How long the file of last pings is waited for. It is held for microseconds, unless its holder was stopped.
  private static let patience = 200

  /// - Parameters:
  ///   - place: its folder is made when it is not there. All who may ping from this machine must be able to write there.
  ///   - interval: default 10 s.
  ///   - atOnce: default 20.
  ///   - now: milliseconds since 1970; tests give their own.
  public init(
    _ place: PingRationPlace, interval: Duration = .seconds(10), atOnce: Int = 20,
    now: @escaping @Sendable () -> Int64 = { SystemRegistryClock().now.millisecondsSinceEpoch }
  ) {
    self.place = place
    self.rules = PingRationRules(interval: Int64(interval.inMilliseconds))
    self.atOnce = max(1, atOnce)
    self.now = now
  }

  /// Asks for leave as ``ask(_:)``; where as many pings are under way as may be, again and again for so long.
  ///
  /// No call tells that another process has let go of a lock, so it is tried again.
  public func ask(_ herID: HerID, waitingForPlace limit: Duration) async -> Result<Permit, Refusal> {
    let until = ContinuousClock.now + limit
    while true {
      let answer = await self.ask(herID)
      guard case .failure(.tooManyAtOnce) = answer, ContinuousClock.now < until else { return answer }
      do { try await ContinuousClock().sleep(for: .milliseconds(100)) } catch { return answer }
    }
  }

  /// Asks for leave. The ping counts from now on, whatever becomes of it.
  public func ask(_ herID: HerID) async -> Result<Permit, Refusal> {
    let (folder, rules, atOnce, now) = (self.folder, self.rules, self.atOnce, self.now)
    do {
      // Files are waited for, so not on a thread that others need.
      return try await NIOThreadPool.singleton.runIfActive {
        do throws(Refusal) {
          let permit = try Self.place(in: folder, atOnce)
          try Self.note(herID.value, in: folder, rules, now)
          return .success(permit)
        } catch {
          return .failure(error)
        }
      }
    } catch {
      return .failure(.stateUnusable(path: folder, why: "cancelled"))
    }
  }

  /// One of the places for pings under way.
  private static func place(in folder: String, _ atOnce: Int) throws(Refusal) -> Permit {
    // Others' processes run as other users of one group: what is made here, they must be able to use.
    if mkdir(folder, 0o2775) == 0 {
      // The daemon's umask leaves nothing to others.
      chmod(folder, 0o2775)
    } else if errno != EEXIST {
      throw Self.unusable(folder)
    }
    for number in 0..<atOnce {
      let path = "\(folder)/under-way-\(number)"
      let file = Self.opened(path, in: folder)
      guard file >= 0 else { throw Self.unusable(path) }
      if flock(file, LOCK_EX | LOCK_NB) == 0 { return Permit(file) }
      close(file)
    }
    throw .tooManyAtOnce(atOnce)
  }

  /// Opens a file, or makes it, for whoever may write in its folder.
  private static func opened(_ path: String, in folder: String) -> CInt {
    let there = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    guard there < 0, errno == ENOENT else { return there }
    let made = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard made >= 0 else { return errno == EEXIST ? open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : made }
    var status = stat()
    if stat(folder, &status) == 0 { fchmod(made, status.st_mode & 0o666) }
    return made
  }

  private static func note(
    _ herID: Int32, in folder: String, _ rules: PingRationRules, _ now: () -> Int64
  ) throws(Refusal) {
    let path = "\(folder)/last-pings"
    let file = Self.opened(path, in: folder)
    guard file >= 0 else { throw Self.unusable(path) }
    defer { close(file) }
    // No call locks with a deadline. The holder needs microseconds, so trying again beats a thread that hangs on a stopped one.
    var tries = 0
    while flock(file, LOCK_EX | LOCK_NB) != 0 {
      tries += 1
      guard errno == EWOULDBLOCK || errno == EINTR, tries < Self.patience else { throw Self.unusable(path) }
      usleep(10_000)
    }
    var records = PingRationRules.decoded(try Self.read(file, path))
    switch rules.ask(herID, at: now(), &records) {
    case .lately(let milliseconds): throw .pingedLately(after: .milliseconds(milliseconds))
    case .tooMany: throw .tooManyAtOnce(PingRationRules.limit)
    case .go: try Self.write(PingRationRules.encoded(records), to: file, path)
    }
  }

  private static func read(_ file: CInt, _ path: String) throws(Refusal) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: PingRationRules.limit * PingRationRules.recordSize)
    var count = 0
    while count < bytes.count {
      let got = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress?.advanced(by: count), $0.count - count, off_t(count)) }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw Self.unusable(path) }
      if got == 0 { break }
      count += got
    }
    return Array(bytes.prefix(count))
  }

  private static func write(_ bytes: [UInt8], to file: CInt, _ path: String) throws(Refusal) {
    var written = 0
    while written < bytes.count {
      let put = bytes.withUnsafeBytes { pwrite(file, $0.baseAddress?.advanced(by: written), $0.count - written, off_t(written)) }
      if put < 0, errno == EINTR { continue }
      guard put > 0 else { throw Self.unusable(path) }
      written += put
    }
    // Cut last: a crash before it leaves records too many, which expire by themselves, and none too few.
    guard ftruncate(file, off_t(bytes.count)) == 0 else { throw Self.unusable(path) }
  }

  private static func unusable(_ path: String) -> Refusal {
    .stateUnusable(path: path, why: String(cString: strerror(errno)))
  }
}
