// SPDX-License-Identifier: Apache-2.0

/// How a run of a forwarder ended.
public struct ForwardingReport: Sendable {
  public enum Ending: Sendable, Hashable {
    /// Nothing more had come for the time that was asked.
    case idle
    /// The task was cancelled, or the forwarder asked to stop.
    case asked
    /// The queue stopped, for a reason that people must look at. What the target had not accepted is still on the source.
    case stopped(ForwardingError)
    /// A dry run: so many messages would have been taken.
    case counted(Int)
  }

  public let ending: Ending
  public let counts: ForwardingCounts
  /// All that is set aside of the queue and remembered, from this run and earlier ones.
  public let setAside: [SetAside]
  /// From the first delivery to the last message that the target accepted.
  public let carrying: Duration

  package init(ending: Ending, counts: ForwardingCounts, setAside: [SetAside], carrying: Duration = .zero) {
    self.carrying = carrying
    self.ending = ending
    self.counts = counts
    self.setAside = setAside
  }
}
