// SPDX-License-Identifier: Apache-2.0

import Migration
import MigrationEngine

extension MigratorConfiguration {
  static func rates(_ fields: ConfigurationNode.Fields) throws -> CallPace.Rates {
    var rates = CallPace.Rates()
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
      let fields = try entry.mapping()
      let name = try fields.required("name").text
      let program = ProgramHooks.Program(
        executable: try fields.required("run").absolutePath,
        arguments: try fields.optional("arguments")?.elements.map { try $0.text } ?? [])
      guard hooks.updateValue(program, forKey: name) == nil else { throw entry.wrong(wanted: "each hook's name once") }
    }
    return hooks
  }

  static func heads(_ fields: ConfigurationNode.Fields, database: String) throws -> Heads {
    let interval = try fields.required("every")
    guard try interval.span >= .seconds(1) else { throw interval.wrong(wanted: "a second or longer") }
    let file = try fields.optional("file").map { try $0.absolutePath }
    return Heads(file: file ?? database + ".heads", interval: try interval.span)
  }
}
