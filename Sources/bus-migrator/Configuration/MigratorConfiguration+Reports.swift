// SPDX-License-Identifier: Apache-2.0

import Foundation
import MigrationReport

extension MigratorConfiguration {
  /// `off`, or the folder and the languages; beside the database and in all of them where nothing is said.
  static func reports(_ node: ConfigurationNode?, besideDatabase database: String) throws -> ReportKeeper.Settings? {
    let usual = URL(fileURLWithPath: database).deletingLastPathComponent().path + "/reports"
    var settings = ReportKeeper.Settings(folder: usual, languages: ReportLanguage.allCases)
    guard let node else { return settings }
    if (try? node.text) == "off" { return nil }
    let fields = try node.mapping(["folder", "languages"])
    try fields.read("folder", into: &settings.folder) { Paths.absolute(try $0.text, besides: node.file) }
    try fields.read("languages", into: &settings.languages) { list in
      let languages = try list.elements.map { try $0.choice(ReportLanguage.self) }
      guard !languages.isEmpty, Set(languages).count == languages.count else {
        throw list.wrong(wanted: "nb, en or both, each once")
      }
      return languages
    }
    return settings
  }
}
