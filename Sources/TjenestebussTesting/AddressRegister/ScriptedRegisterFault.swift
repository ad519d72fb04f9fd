// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Something that is to go wrong, once or several times.
public struct ScriptedRegisterFault: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    /// A `GenericFault` with this code; nothing is done.
    case refuse(code: String)
    /// A fault of the platform without detail, as when the service breaks; nothing is done, but nobody can tell.
    case breakDown
    /// This HTTP status with a page of HTML; nothing is done.
    case httpStatus(Int)
    /// Done, and then the connection is closed without an answer.
    case replyLostAfterApplying
    /// The connection is closed without an answer; nothing is done.
    case replyLostBeforeApplying
    /// Done, but the answer never comes while the connection stays.
    case silenceAfterApplying
    /// Nothing is done, and no answer ever comes while the connection stays.
    case silenceBeforeApplying
    /// Done and answered after this long.
    case delay(Duration)
    /// Done, and answered with the first half of the document.
    case halfDocument
    /// Only this many entries are written, then the service breaks: a fault of the platform, or, where `answers`, an answer as if
    /// all were well.
    case applyOnly(Int, answers: Bool)
    /// Somebody else changes this entry right before; then all goes its way.
    case strangerFirst(PartyRecord)
  }

  public var kind: Kind
  /// Which operations it hits.
  public var operations: Set<RegisterOperation>
  /// Which party it hits; nil for any.
  public var herID: HerID?
  /// How many requests it hits before it is spent.
  public var times: Int

  public init(
    _ kind: Kind, on operations: Set<RegisterOperation> = Set(RegisterOperation.allCases), herID: HerID? = nil, times: Int = 1
  ) {
    self.kind = kind
    self.operations = operations
    self.herID = herID
    self.times = times
  }
}

/// The faults still to come, in the order they were scripted.
struct RegisterFaultScript: Sendable {
  private var faults: [ScriptedRegisterFault] = []

  mutating func append(_ fault: ScriptedRegisterFault) { if fault.times > 0 { self.faults.append(fault) } }

  mutating func removeAll() { self.faults.removeAll() }

  var remaining: Int { self.faults.reduce(0) { $0 + $1.times } }

  /// Takes the first fault that hits this request.
  mutating func take(_ operation: RegisterOperation, herID: HerID?) -> ScriptedRegisterFault.Kind? {
    let index = self.faults.firstIndex {
      $0.operations.contains(operation) && ($0.herID == nil || $0.herID == herID)
    }
    guard let index else { return nil }
    self.faults[index].times -= 1
    let kind = self.faults[index].kind
    if self.faults[index].times == 0 { self.faults.remove(at: index) }
    return kind
  }
}
