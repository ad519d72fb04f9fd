// SPDX-License-Identifier: Apache-2.0

import Testing

/// `#expect(actual == expected)` for calls that change what they are called on, which the macro cannot take apart.
func same<Value: Equatable>(_ actual: Value, _ expected: Value, sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(actual == expected, sourceLocation: sourceLocation)
}
