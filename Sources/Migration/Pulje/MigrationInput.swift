// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What comes to the whole: a person's command, or an action's result for one group.
public enum MigrationInput: Sendable, Hashable {
  indirect case seal(Plan, by: String)
  /// Seals and starts in one: all of it or nothing. `planHash` is what was approved; nil when only the names were given.
  indirect case begin(Plan, planHash: String?, approvals: [String])
  case start(PuljeName, planHash: String?, approvals: [String])
  case pause(PuljeName, by: String, why: String)
  case resume(PuljeName, by: String)
  /// Back to the source bus: these parties' groups, or all. Groups of which nothing was written are withdrawn.
  case rollBack(PuljeName, herIDs: [HerID]?, by: String, why: String)
  case release(PuljeName, herID: HerID, by: String)
  case quarantine(PuljeName, herID: HerID, by: String, why: String)
  case readmit(PuljeName, herID: HerID, by: String)
  case waive(PuljeName, herID: HerID, by: String, why: String, until: Instant)
  case except(PuljeName, herID: HerID, DrainException)
  case approveForwarding(PuljeName, herID: HerID, ForwardingOrder)
  case pauseForwarding(PuljeName, herID: HerID, by: String, why: String)
  case resumeForwarding(PuljeName, herID: HerID, by: String)
  case endForwarding(PuljeName, herID: HerID, by: String, why: String)
  case accept(PuljeName, approvals: [String])
  case group(PuljeName, GroupID, GroupInput)
  case retire(PuljeName, herID: HerID, approvals: [String])
  case approveRemoval(PuljeName, herID: HerID, approvals: [String])
  case signTest(PuljeName, herID: HerID, TestItem, passed: Bool, by: String, seen: String)
  /// No register write is begun from here on, in no pulje, neither forward nor back; one person is enough.
  case stopTheLine(by: String, why: String)
  /// Two different people.
  case releaseTheLine(approvals: [String])
  /// Two different people.
  indirect case closeBus(BusClosing, approvals: [String])
  case daemonStarted
}
