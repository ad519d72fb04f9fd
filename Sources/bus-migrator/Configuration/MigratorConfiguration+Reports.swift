// SPDX-License-Identifier: Apache-2.0

import Foundation
import MigrationReport

extension MigratorConfiguration {
  /// `on`, `off`, or the folder and the languages; beside the database and in all of them where nothing is said.
  static func reports(_ fields: ConfigurationNode.Fields, besideDatabase database: String) throws -> ReportKeeper.Settings? {
    let node = try fields.required("reports")
    if (try? node.text) == "off" { return nil }
    let reports = try (try? node.text) == "on" ? fields.sectionLeftOut("reports") : node.mapping()
    let list = try reports.required("languages")
    let languages = try list.elements.map { try $0.choice(ReportLanguage.self) }
    guard !languages.isEmpty, Set(languages).count == languages.count else {
      throw list.wrong(wanted: "nb, en or both, each once")
    }
    let usual = URL(fileURLWithPath: database).deletingLastPathComponent().path + "/reports"
    let folder = try reports.optional("folder").map { try $0.absolutePath }
    return ReportKeeper.Settings(folder: folder ?? usual, languages: languages)
  }
}
