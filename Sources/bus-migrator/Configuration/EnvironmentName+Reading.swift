// SPDX-License-Identifier: Apache-2.0

import BusModel

extension EnvironmentName {
  init(_ node: ConfigurationNode) throws {
    guard let name = EnvironmentName(try node.text) else {
      throw node.wrong(wanted: "the name of a world, in letters, digits, - and _: test, qa, production")
    }
    self = name
  }
}
