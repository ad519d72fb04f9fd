// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import MigrationReport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The reports that the daemon has written (``ReportKeeper``), for those who cannot read its folder. What is asked for is looked up among what is
/// there and is never part of a path: there is no name by which anything else can be reached.
struct ReportShelf: Sendable {
  struct Kept: Codable, Sendable, Hashable {
    var pulje: PuljeName
    var file: String
    var bytes: Int
    /// When it was written.
    var at: Instant
  }

  let folder: String

  /// As ``ReportMoment/stem`` and ``ReportKeeper`` name them; a half written one has another name.
  static func isReport(_ name: String) -> Bool {
    let kinds = ReportMoment.Kind.allCases.map(\.rawValue).joined(separator: "|")
    let languages = ReportLanguage.allCases.map(\.rawValue).joined(separator: "|")
    guard let form = try? Regex("(\(kinds))-[0-9]{8}T[0-9]{6}Z(\\.(\(languages))\\.(html|pdf)|\\.json)") else { return false }
    return (try? form.wholeMatch(in: name)) != nil
  }

  /// The names of the files in a pulje's folder that are reports of ours: no folder, no link.
  static func files(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { name in
      var found = stat()
      return Self.isReport(name) && lstat(folder + "/" + name, &found) == 0 && found.st_mode & S_IFMT == S_IFREG
    }.sorted()
  }

  /// - Parameter puljer: whose.
  /// - Returns: the newest first.
  func list(_ puljer: [PuljeName]) async throws -> [Kept] {
    try await ReportFile.offThePool { puljer.flatMap(self.listNow) }
  }

  private func path(_ pulje: PuljeName) -> String { self.folder + "/" + ReportKeeper.folderName(of: pulje) }

  private func listNow(_ pulje: PuljeName) -> [Kept] {
    let folder = self.path(pulje)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter(Self.isReport).compactMap { name -> Kept? in
      var found = stat()
      guard lstat(folder + "/" + name, &found) == 0, found.st_mode & S_IFMT == S_IFREG else { return nil }
      return Kept(
        pulje: pulje, file: name, bytes: Int(found.st_size), at: Instant(milliseconds: Int64(Self.seconds(found)) * 1_000))
    }.sorted { ($1.at, $0.file) < ($0.at, $1.file) }
  }

  private static func seconds(_ found: stat) -> Int {
    #if canImport(Darwin)
      found.st_mtimespec.tv_sec
    #else
      found.st_mtim.tv_sec
    #endif
  }

  /// - Returns: nil where there is none of that name.
  func read(_ name: String, of pulje: PuljeName) async throws -> Data? {
    try await ReportFile.offThePool {
      guard let kept = self.listNow(pulje).first(where: { $0.file == name }) else { return nil }
      // What was put in its place meanwhile is not followed anywhere.
      let file = open(self.path(pulje) + "/" + kept.file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
      guard file >= 0 else { return nil }
      return try FileHandle(fileDescriptor: file, closeOnDealloc: true).readToEnd() ?? Data()
    }
  }
}
