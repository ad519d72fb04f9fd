// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusProbe
import Foundation

/// What a shell offers for the value of an option, beside the words that the parser knows by itself.
enum ShellCompletion {
  /// The steps by name and by number.
  static let steps = CompletionKind.list(ProbeCode.allCases.map(\.name) + ProbeCode.allCases.map { String($0.rawValue) })

  /// The buses of the configuration that the command line or the environment names; several with commas.
  static let buses = CompletionKind.custom { words, _, typed in
    let path = Self.configuration(in: words) ?? ProcessInfo.processInfo.environment["BUS_PINGER_CONFIG"]
    return Self.lists(of: PingerConfiguration.busNames(path: path ?? TargetOptions.defaultConfiguration), after: typed)
  }

  /// The parser's script offers nothing where `check` is left out, which is how everybody types: there it is put in.
  static var bashScript: String {
    BusPinger.completionScript(for: .bash) + """

      # 'bus-pinger 93238' is 'bus-pinger check 93238'.
      _bus-pinger_or_check() {
          if [[ "${COMP_CWORD}" -gt 1 || "${COMP_WORDS[1]}" == -* ]]; then
              case "${COMP_WORDS[1]}" in
              check | explain | help | --generate-completion-script | --version | -h | --help) ;;
              *)
                  COMP_WORDS=("${COMP_WORDS[0]}" check "${COMP_WORDS[@]:1}")
                  COMP_CWORD=$((COMP_CWORD + 1))
                  COMP_LINE="${COMP_WORDS[0]} check${COMP_LINE#"${COMP_WORDS[0]}"}"
                  COMP_POINT=$((COMP_POINT + 6))
                  ;;
              esac
          fi
          _bus-pinger "$@"
      }

      complete -o filenames -F _bus-pinger_or_check bus-pinger

      """
  }

  private static func configuration(in words: [String]) -> String? {
    if let place = words.lastIndex(of: "--config"), place + 1 < words.count { return words[place + 1] }
    return words.last { $0.hasPrefix("--config=") }.map { String($0.dropFirst("--config=".count)) }
  }

  /// What was typed up to its last comma, and each name that does not stand there yet. Pure.
  static func lists(of names: [String], after typed: String) -> [String] {
    let given = typed.split(separator: ",", omittingEmptySubsequences: false).dropLast().map(String.init)
    let begin = given.map { $0 + "," }.joined()
    return names.filter { !given.contains($0) }.map { begin + $0 }
  }
}
