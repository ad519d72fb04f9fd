// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What a person is to do in the register's own user interface, in Norwegian and English.
public struct ManualInstruction: Sendable, Hashable, Codable {
  public enum Language: String, Sendable, Hashable, Codable, CaseIterable {
    case norwegian = "nb"
    case english = "en"
  }

  /// One thing to do, in plain words; it names exact values to enter.
  public struct Step: Sendable, Hashable, Codable {
    public var norwegian: String
    public var english: String

    public init(norwegian: String, english: String) {
      self.norwegian = norwegian
      self.english = english
    }

    /// A line that is the same in both: a value.
    public init(value: String) { self.init(norwegian: value, english: value) }

    public func text(_ language: Language) -> String {
      switch language {
      case .norwegian: self.norwegian
      case .english: self.english
      }
    }
  }

  public var herID: HerID
  public var operationID: OperationID
  /// In this order.
  public var steps: [Step]
  /// What the entry's addresses must read afterwards; nil when that was not worked out beforehand.
  public var expectedAddresses: [PartyRecord.Address]?

  public init(herID: HerID, operationID: OperationID, steps: [Step], expectedAddresses: [PartyRecord.Address]?) {
    self.herID = herID
    self.operationID = operationID
    self.steps = steps
    self.expectedAddresses = expectedAddresses
  }

  /// One line a step.
  public func text(_ language: Language) -> String { self.steps.map { $0.text(language) }.joined(separator: "\n") }
}
