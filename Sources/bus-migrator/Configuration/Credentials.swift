// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Foundation

/// Secrets come from files, or from the folder that systemd's `LoadCredential=` fills; never from the command line.
enum Credentials {
  /// The content of a file, without blanks and line ends around it.
  ///
  /// - Parameter shown: what an error says of the file.
  static func secret(inFile path: String, shown: String, place: String) throws -> Secret {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)), let text = String(validating: data, as: UTF8.self) else {
      throw CommandLineError.credentials(place: place, seen: "\(shown) cannot be read")
    }
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !trimmed.isEmpty else { throw CommandLineError.credentials(place: place, seen: "\(shown) is empty") }
    return Secret(trimmed)
  }

  /// What an error says of the file that `node` names: its path, or nothing of it where that may be the secret itself, put in place of the
  /// name of its file.
  static func shown(_ node: ConfigurationNode) throws -> String {
    let written = try node.text
    let namesAFile = written.hasPrefix("/") || written.hasPrefix("./") || written.hasPrefix("../") || written.contains(".")
    let mayBeSecret = ["://", "@", "\n", "-----", "{"].contains { written.contains($0) }
    guard namesAFile, !mayBeSecret else { return "the file that it names (not shown: it may be the secret itself)" }
    return Paths.absolute(written, besides: node.file)
  }

  /// The names of all systemd credentials that begin so, in order; at least one.
  static func names(beginningWith prefix: String, place: String, environment: [String: String]) throws -> [String] {
    // The same words where there is no folder.
    let folder = URL(fileURLWithPath: try Self.path(ofCredential: prefix, place: place, environment: environment))
      .deletingLastPathComponent().path
    let all: [String]
    do { all = try FileManager.default.contentsOfDirectory(atPath: folder) } catch {
      throw CommandLineError.credentials(place: place, seen: "\(folder) cannot be read")
    }
    let names = all.filter { $0.hasPrefix(prefix) }.sorted()
    guard !names.isEmpty else {
      throw CommandLineError.credentials(place: place, seen: "no credential in \(folder) begins with \"\(prefix)\"")
    }
    return names
  }

  /// The path of a systemd credential.
  static func path(ofCredential name: String, place: String, environment: [String: String]) throws -> String {
    guard let folder = environment["CREDENTIALS_DIRECTORY"], !folder.isEmpty else {
      throw CommandLineError.credentials(
        place: place,
        seen: "credential \"\(name)\" is asked for, but CREDENTIALS_DIRECTORY is not set (LoadCredential= in the unit)")
    }
    guard !name.contains("/"), name != "..", !name.isEmpty else {
      throw CommandLineError.credentials(place: place, seen: "\"\(name)\" is no credential's name")
    }
    return folder + "/" + name
  }

  /// A secret by one of the keys `KEY`, `KEY-file` and `KEY-credential`; exactly one of them must be there.
  static func secret(
    _ key: String, in fields: ConfigurationNode.Fields, environment: [String: String]
  ) throws -> Secret? {
    let given = [key, "\(key)-file", "\(key)-credential"].filter { fields.knows($0) && fields.optional($0) != nil }
    guard given.count <= 1 else {
      throw CommandLineError.valueWrong(
        place: fields.of.place, seen: given.joined(separator: " and "), wanted: "only one of them")
    }
    if fields.knows(key), let node = fields.optional(key) { return Secret(try node.text) }
    if let node = fields.optional("\(key)-file") {
      return try self.secret(
        inFile: try node.absolutePath, shown: try self.shown(node), place: node.place)
    }
    if let node = fields.optional("\(key)-credential") {
      let path = try Self.path(ofCredential: try node.text, place: node.place, environment: environment)
      return try Self.secret(inFile: path, shown: path, place: node.place)
    }
    return nil
  }
}

enum Paths {
  /// A path in a file is meant from that file's folder.
  static func absolute(_ path: String, besides file: String) -> String {
    if path.hasPrefix("/") { return path }
    return URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent(path).path
  }
}
