// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import bus_migrator

@Suite("The environment on every screen")
struct EnvironmentScreenTests {
  @Test("production cannot be taken for anything else, on a terminal or in a file")
  func banner() {
    #expect(Banner.line("test", isTerminal: true) == "environment: test")
    #expect(Banner.line(nil, isTerminal: true) == "environment: not named")
    for name in ["production", "Prod", "PRODUKSJON"] {
      #expect(Banner.line(name, isTerminal: false) == "PRODUCTION (environment: \(name))")
      #expect(Banner.line(name, isTerminal: true) == "\u{1B}[1;7m  PRODUCTION (environment: \(name))  \u{1B}[0m")
    }
  }

  @Test("a configuration of another environment reaches no daemon; one that names none takes what is there")
  func mixed() throws {
    try DaemonReached.check(named: "test", answered: "test")
    try DaemonReached.check(named: nil, answered: "production")
    try DaemonReached.check(named: nil, answered: nil)
    for answered in ["production", nil] as [String?] {
      let error = CommandLineError.environmentsDiffer(named: "test", answered: answered)
      #expect(throws: error) { try DaemonReached.check(named: "test", answered: answered) }
      #expect(error.stableCode == "CLI-027" && Exit.code(of: error) == Exit.usage)
    }
  }

  @Test("in JSON it stands beside the answer's own fields")
  func json() throws {
    struct Answer: Encodable { var schema = "x/1" }
    let named = try ControlAPI.encode(OfEnvironment(answer: Answer(), environment: "qa"))
    #expect(String(decoding: named, as: UTF8.self) == #"{"environment":"qa","schema":"x/1"}"#)
    let unnamed = try ControlAPI.encode(OfEnvironment(answer: Answer(), environment: nil))
    #expect(String(decoding: unnamed, as: UTF8.self) == #"{"schema":"x/1"}"#)
  }
}
