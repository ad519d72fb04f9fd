// SPDX-License-Identifier: Apache-2.0

import BusModel
import TjenestebussClient

/// How to probe. The same for every bus.
public struct ProbeSettings: Sendable, Hashable {
  /// Who we are: the `fromHerId` of pings. Must be a HER-ID of our own.
  public var ownHerID: HerID
  /// The subject of pings. Default `TJENESTEBUSS_PING`; all systems must agree on it.
  public var pingSubject: String
  /// How long a ping lives on the bus before it dies by itself. At most 60 s, default 30 s.
  public var timeToLive: Duration
  /// For connecting, and again for attach and outcome. Default 15 s.
  public var timeout: Duration
  /// How long to wait for the answer of the party's system. Default 10 s.
  public var echoTimeout: Duration
  /// Whether to wait out the lag of a way to count that is late, so that the depth after the ping means something. Default true.
  public var waitsForLateCounts: Bool
  /// From this age a cached entry is called old. Default 12 hours.
  public var cacheMaximumAge: Duration
  /// With so many days left a certificate is warned of. Default 30.
  public var certificateWarningDays: Int
  /// Whether a ping is sent only where the caller says so by itself: for production, until the party's library swallows pings. Default
  /// false.
  public var sendsOnlyWhenTold = false
  /// The name servers that are asked why a name has no address, as `127.0.0.1:53`; nil, the default, for the machine's own. Tests give
  /// theirs.
  package var nameServers: [String]?

  public init(
    ownHerID: HerID, pingSubject: String = PingForm.defaultSubject, timeToLive: Duration = .seconds(30),
    timeout: Duration = .seconds(15), echoTimeout: Duration = .seconds(10), waitsForLateCounts: Bool = true,
    cacheMaximumAge: Duration = .seconds(12 * 3_600), certificateWarningDays: Int = 30
  ) {
    self.ownHerID = ownHerID
    self.pingSubject = pingSubject
    self.timeToLive = min(timeToLive, PingForm.longestTimeToLive)
    self.timeout = timeout
    self.echoTimeout = echoTimeout
    self.waitsForLateCounts = waitsForLateCounts
    self.cacheMaximumAge = cacheMaximumAge
    self.certificateWarningDays = certificateWarningDays
  }
}
