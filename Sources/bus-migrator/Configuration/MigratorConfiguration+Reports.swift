// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import MigrationReport

extension MigratorConfiguration {
  /// `on`, `off`, or the folder and the languages; beside the database and in all of them where nothing is said.
  static func reports(_ fields: ConfigurationNode.Fields, besideDatabase database: String) throws -> ReportKeeper.Settings? {
    let node = try fields.required("reports")
    let kept = try fields.section("retention").optional("reports")
    if (try? node.text) == "off" {
      if let kept { throw kept.wrong(wanted: "nothing where reports: off; remove by hand what was written before") }
      return nil
    }
    let reports = try (try? node.text) == "on" ? fields.sectionLeftOut("reports") : node.mapping()
    let list = try reports.required("languages")
    let languages = try list.elements.map { try $0.choice(ReportLanguage.self) }
    guard !languages.isEmpty, Set(languages).count == languages.count else {
      throw list.wrong(wanted: "nb, en or both, each once")
    }
    let usual = URL(fileURLWithPath: database).deletingLastPathComponent().path + "/reports"
    let folder = try reports.optional("folder").map { try $0.absolutePath }
    if let kept, try kept.span < .days(30) { throw kept.wrong(wanted: "30d or more: a report is what a meeting decides on") }
    return ReportKeeper.Settings(folder: folder ?? usual, languages: languages, kept: try kept?.span)
  }
}
