// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// Whose a finding is to mend, as a support desk knows them.
public enum ProbeOwner: String, Sendable, Hashable, Codable, CaseIterable {
  /// Those who run this program: its configuration, its machine, its copy of the register.
  case us
  /// Norsk helsenett: the buses and the address register.
  case nhn
  /// Whoever makes the party's system.
  case vendor = "epj-vendor"
  /// The party itself: its machines, its services, its agreements.
  case party
  /// Name service, routes and firewalls between here and the bus.
  case network

  /// Whose an error is that the ladder has no words of its own for.
  public init(_ owner: FaultOwner) {
    self =
      switch owner {
      case .caller, .host, .tjenestebuss: .us
      case .network: .network
      case .bus, .addressRegister: .nhn
      case .party: .party
      }
  }

  public var name: ProbeText {
    switch self {
    case .us:
      ProbeText(nb: "oss: oppsettet, maskinen eller mellomlageret her", en: "us: configuration, machine or cache on this side")
    case .nhn: ProbeText(nb: "Norsk helsenett: bussen eller Adresseregisteret", en: "NHN: the bus or the address register")
    case .vendor: ProbeText(nb: "EPJ-leverandøren", en: "the EPJ vendor")
    case .party: ProbeText(nb: "parten i den andre enden", en: "the party at the other end")
    case .network: ProbeText(nb: "nettet: navn, ruter, brannmurer", en: "the network: names, routes, firewalls")
    }
  }

  /// What is said where there is nothing to mend.
  public static let nobody = ProbeText(nb: "ingen: her er ingenting å rette", en: "nobody: there is nothing to mend")
}
