// SPDX-License-Identifier: Apache-2.0

import Migration
import MigrationEngine

extension MigratorConfiguration {
  static func rates(_ node: ConfigurationNode?) throws -> CallPace.Rates {
    var rates = CallPace.Rates()
    guard let node else { return rates }
    let fields = try node.mapping(["register", "bus"])
    func rate(_ node: ConfigurationNode) throws -> TokenBucket.Rate {
      guard let rate = TokenBucket.Rate(text: try node.text) else {
        throw node.wrong(wanted: "so many calls in so long: 10/s, 300/m, 5000/h")
      }
      return rate
    }
    try fields.read("register", into: &rates.register, rate)
    try fields.read("bus", into: &rates.bus, rate)
    return rates
  }

  static func hooks(_ node: ConfigurationNode?) throws -> [String: ProgramHooks.Program] {
    var hooks: [String: ProgramHooks.Program] = [:]
    for entry in try node?.elements ?? [] {
      let fields = try entry.mapping(["name", "run", "arguments"])
      let name = try fields.required("name").text
      let program = ProgramHooks.Program(
        executable: Paths.absolute(try fields.required("run").text, besides: entry.file),
        arguments: try fields.optional("arguments")?.elements.map { try $0.text } ?? [])
      guard hooks.updateValue(program, forKey: name) == nil else { throw entry.wrong(wanted: "each hook's name once") }
    }
    return hooks
  }

  static func heads(_ node: ConfigurationNode?, database: String) throws -> Heads {
    guard let node else { return Heads(file: database + ".heads", interval: .hours(1)) }
    let fields = try node.mapping(["file", "every"])
    var interval = TimeSpan.hours(1)
    try fields.read("every", into: &interval) { node in
      let span = try node.span
      guard span >= .seconds(1) else { throw node.wrong(wanted: "a second or longer") }
      return span
    }
    let file = try fields.optional("file").map { Paths.absolute(try $0.text, besides: node.file) }
    return Heads(file: file ?? database + ".heads", interval: interval)
  }
}
