// SPDX-License-Identifier: Apache-2.0

/// Where a value comes from that is not the file's own.
enum ConfigurationOrigin: Hashable {
  case environment(variable: String, folder: String)
  case commandLine(folder: String)

  var words: String {
    switch self {
    case .environment(let variable, _): "the environment variable \(variable)"
    case .commandLine: "the command line, --set"
    }
  }

  /// Paths in it are meant from where the program was started.
  var file: String? {
    switch self {
    case .environment(_, let folder), .commandLine(let folder): folder + "/-"
    }
  }
}
