// SPDX-License-Identifier: Apache-2.0

import BusModel
import MigrationEngine

/// What a dry run says.
enum PreviewText {
  /// The last line of every dry run.
  static let ending = "Nothing was changed. To do it, give the same command with --execute."
  /// Of what acts at once unless it is told otherwise.
  static let brakeEnding = "Nothing was changed. To do it, give the same command without --dry-run."

  static func text(_ verb: String, _ answer: ControlAPI.CommandAnswer, ending: String) -> String {
    var lines = ["dry run: \(verb) would come to: \(Self.words(answer))"]
    if let preview = answer.preview {
      if preview.groups > 0 {
        lines.append(
          "  concerns \(Self.count(preview.groups, "group", "groups")) with \(Self.count(preview.herIDs.count, "party", "parties")): \(Self.list(preview.herIDs))"
        )
      }
      if !preview.alongside.isEmpty {
        lines.append("  go along, because they share queues with those that are named: \(Self.list(preview.alongside))")
      }
      lines += preview.warnings.map { "  ! \($0.text)" }
      for next in preview.afterwards {
        let what = next.doing.map { "would begin: \($0)" } ?? "would wait [\(next.wait?.rawValue ?? "")]"
        let count = Self.count(next.groups, "group", "groups")
        lines.append("  then, pulje \(next.pulje), \(count) \(what)\(next.text.map { ", \($0)" } ?? "")")
      }
    }
    if let pulje = answer.pulje { lines.append("as it stands now: \(StatusText.brief(pulje))") }
    return (lines + [ending]).joined(separator: "\n")
  }

  private static func words(_ answer: ControlAPI.CommandAnswer) -> String {
    if answer.isRepeat { return "nothing more: a command with this idempotency key was carried out before" }
    guard answer.status == "done" else { return "\(answer.status): it is so already" }
    guard !answer.events.isEmpty else { return "what leaves no event in the history" }
    var counts: [(kind: String, count: Int)] = []
    for kind in answer.events {
      if let place = counts.firstIndex(where: { $0.kind == kind }) { counts[place].count += 1 } else { counts.append((kind, 1)) }
    }
    return counts.map { $0.count == 1 ? $0.kind : "\($0.kind) (\($0.count) times)" }.joined(separator: ", ")
  }

  private static func count(_ count: Int, _ one: String, _ many: String) -> String { "\(count) \(count == 1 ? one : many)" }

  private static func list(_ herIDs: [HerID]) -> String {
    let rest = herIDs.count - CommandPreview.most
    let shown = herIDs.prefix(CommandPreview.most).map(\.description).joined(separator: ", ")
    return rest > 0 ? "\(shown) and \(rest) more" : shown
  }
}
